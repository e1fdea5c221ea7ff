package emit

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/yarn"
)

// Cluster is what was read of a YARN cluster in one poll; what could not be read is nil.
type Cluster struct {
	// Started is when the resource manager's counters began.
	Started time.Time
	Metrics *yarn.ClusterMetrics
	Queues  []yarn.Queue
	Nodes   []yarn.Node
}

// Cluster adds a YARN cluster.
func (b *Builder) Cluster(c *Cluster) {
	y := cluster{YarnClusterMetricsBuilder: b.mb.ForYarnCluster(metadata.NewYarnClusterEntity(b.cluster)), ts: b.ts}
	if c.Metrics != nil {
		y.metrics(c.Metrics)
	}
	for i := range c.Queues {
		y.queue(&c.Queues[i])
	}
	for i := range c.Nodes {
		y.node(&c.Nodes[i])
	}
	y.Emit()
	b.collect(starts{resource: pcommon.NewTimestampFromTime(c.Started)})
}

type cluster struct {
	*metadata.YarnClusterMetricsBuilder
	ts pcommon.Timestamp
}

func (y cluster) metrics(m *yarn.ClusterMetrics) {
	y.RecordYarnClusterApplicationSubmittedDataPoint(y.ts, m.AppsSubmitted)
	y.RecordYarnClusterApplicationsDataPoint(y.ts, m.AppsPending, metadata.AttributeYarnApplicationStatePending)
	y.RecordYarnClusterApplicationsDataPoint(y.ts, m.AppsRunning, metadata.AttributeYarnApplicationStateRunning)
	y.RecordYarnClusterApplicationResultDataPoint(y.ts, m.AppsCompleted, metadata.AttributeYarnApplicationResultCompleted)
	y.RecordYarnClusterApplicationResultDataPoint(y.ts, m.AppsFailed, metadata.AttributeYarnApplicationResultFailed)
	y.RecordYarnClusterApplicationResultDataPoint(y.ts, m.AppsKilled, metadata.AttributeYarnApplicationResultKilled)
	y.RecordYarnClusterContainersDataPoint(y.ts, m.ContainersAllocated, metadata.AttributeYarnContainerStateAllocated)
	y.RecordYarnClusterContainersDataPoint(y.ts, m.ContainersPending, metadata.AttributeYarnContainerStatePending)
	y.RecordYarnClusterContainersDataPoint(y.ts, m.ContainersReserved, metadata.AttributeYarnContainerStateReserved)

	total := yarn.Resource{Memory: m.TotalMB, VCores: m.TotalVirtualCores}
	used := yarn.Resource{Memory: m.AllocatedMB, VCores: m.AllocatedVirtualCores}
	available := yarn.Resource{Memory: m.AvailableMB, VCores: m.AvailableVirtualCores}
	if m.TotalAcross != nil && m.UsedAcross != nil {
		total, used = *m.TotalAcross, *m.UsedAcross
		available = yarn.Resource{Memory: total.Memory - used.Memory, VCores: total.VCores - used.VCores}
	}
	y.RecordYarnClusterMemoryLimitDataPoint(y.ts, mib(total.Memory))
	y.RecordYarnClusterMemoryUsageDataPoint(y.ts, mib(used.Memory), metadata.AttributeYarnResourceStateAllocated)
	y.RecordYarnClusterMemoryUsageDataPoint(y.ts, mib(available.Memory), metadata.AttributeYarnResourceStateAvailable)
	y.RecordYarnClusterMemoryUsageDataPoint(y.ts, mib(m.ReservedMB), metadata.AttributeYarnResourceStateReserved)
	y.RecordYarnClusterVcoreLimitDataPoint(y.ts, total.VCores)
	y.RecordYarnClusterVcoreUsageDataPoint(y.ts, used.VCores, metadata.AttributeYarnResourceStateAllocated)
	y.RecordYarnClusterVcoreUsageDataPoint(y.ts, available.VCores, metadata.AttributeYarnResourceStateAvailable)
	y.RecordYarnClusterVcoreUsageDataPoint(y.ts, m.ReservedVirtualCores, metadata.AttributeYarnResourceStateReserved)

	for _, n := range []struct {
		count int64
		state metadata.AttributeYarnNodeState
	}{
		{m.ActiveNodes, metadata.AttributeYarnNodeStateRunning},
		{m.LostNodes, metadata.AttributeYarnNodeStateLost},
		{m.UnhealthyNodes, metadata.AttributeYarnNodeStateUnhealthy},
		{m.DecommissioningNodes, metadata.AttributeYarnNodeStateDecommissioning},
		{m.DecommissionedNodes, metadata.AttributeYarnNodeStateDecommissioned},
		{m.RebootedNodes, metadata.AttributeYarnNodeStateRebooted},
		{m.ShutdownNodes, metadata.AttributeYarnNodeStateShutdown},
	} {
		y.RecordYarnClusterNodesDataPoint(y.ts, n.count, n.state)
	}
}

func (y cluster) queue(q *yarn.Queue) {
	shares := func(v *float64, record func(pcommon.Timestamp, float64, string)) {
		if v != nil {
			record(y.ts, *v, q.Path)
		}
	}
	shares(q.Guaranteed, y.RecordYarnQueueCapacityGuaranteedDataPoint)
	shares(q.Limit, y.RecordYarnQueueCapacityLimitDataPoint)
	shares(q.Usage, y.RecordYarnQueueCapacityUsageDataPoint)
	shares(q.Utilization, y.RecordYarnQueueCapacityUtilizationDataPoint)
	if q.AppsActive != nil {
		y.RecordYarnQueueApplicationsDataPoint(y.ts, *q.AppsActive, q.Path, metadata.AttributeYarnApplicationStateRunning)
	}
	if q.AppsPending != nil {
		y.RecordYarnQueueApplicationsDataPoint(y.ts, *q.AppsPending, q.Path, metadata.AttributeYarnApplicationStatePending)
	}
	if q.AppsLimit != nil {
		y.RecordYarnQueueApplicationLimitDataPoint(y.ts, *q.AppsLimit, q.Path)
	}
	if q.ContainersAllocated != nil {
		y.RecordYarnQueueContainersDataPoint(y.ts, *q.ContainersAllocated, q.Path, metadata.AttributeYarnContainerStateAllocated)
	}
	if q.ContainersPending != nil {
		y.RecordYarnQueueContainersDataPoint(y.ts, *q.ContainersPending, q.Path, metadata.AttributeYarnContainerStatePending)
	}
	if q.ContainersReserved != nil {
		y.RecordYarnQueueContainersDataPoint(y.ts, *q.ContainersReserved, q.Path, metadata.AttributeYarnContainerStateReserved)
	}
	if q.Used != nil {
		y.RecordYarnQueueMemoryUsageDataPoint(y.ts, mib(q.Used.Memory), q.Path)
		y.RecordYarnQueueVcoreUsageDataPoint(y.ts, q.Used.VCores, q.Path)
	}
	if q.AMUsed != nil {
		y.RecordYarnQueueAmMemoryUsageDataPoint(y.ts, mib(q.AMUsed.Memory), q.Path)
	}
	if q.AMLimit != nil {
		y.RecordYarnQueueAmMemoryLimitDataPoint(y.ts, mib(q.AMLimit.Memory), q.Path)
	}
}

func (y cluster) node(n *yarn.Node) {
	for state := metadata.AttributeYarnNodeStateNew; state <= metadata.AttributeYarnNodeStateShutdown; state++ {
		y.RecordYarnNodeStatusDataPoint(y.ts, toInt(strings.ToLower(n.State) == state.String()), n.ID, state)
	}
	y.RecordYarnNodeMemoryUsageDataPoint(y.ts, mib(n.UsedMemoryMB), n.ID, metadata.AttributeYarnResourceStateAllocated)
	y.RecordYarnNodeMemoryUsageDataPoint(y.ts, mib(n.AvailMemoryMB), n.ID, metadata.AttributeYarnResourceStateAvailable)
	y.RecordYarnNodeVcoreUsageDataPoint(y.ts, n.UsedVCores, n.ID, metadata.AttributeYarnResourceStateAllocated)
	y.RecordYarnNodeVcoreUsageDataPoint(y.ts, n.AvailableVCores, n.ID, metadata.AttributeYarnResourceStateAvailable)
	y.RecordYarnNodeContainersDataPoint(y.ts, n.NumContainers, n.ID)
}

func mib(v int64) int64 { return v << 20 }
