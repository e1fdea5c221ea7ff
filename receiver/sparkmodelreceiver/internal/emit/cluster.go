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
	// Now is the time on the resource manager's clock.
	Now     time.Time
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
		y.node(&c.Nodes[i], c.Now)
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
	containers := m.ContainersAllocated
	if m.AllocatedAcross != nil {
		containers = *m.AllocatedAcross
	}
	y.RecordYarnClusterContainersDataPoint(y.ts, containers, metadata.AttributeYarnContainerStateAllocated)
	y.RecordYarnClusterContainersDataPoint(y.ts, m.ContainersPending, metadata.AttributeYarnContainerStatePending)
	y.RecordYarnClusterContainersDataPoint(y.ts, m.ContainersReserved, metadata.AttributeYarnContainerStateReserved)

	total := yarn.Resource{Memory: m.TotalMB, VCores: m.TotalVirtualCores}
	used := yarn.Resource{Memory: m.AllocatedMB, VCores: m.AllocatedVirtualCores}
	available := yarn.Resource{Memory: m.AvailableMB, VCores: m.AvailableVirtualCores}
	reserved := yarn.Resource{Memory: m.ReservedMB, VCores: m.ReservedVirtualCores}
	if m.ReservedAcross != nil {
		reserved = *m.ReservedAcross
	}
	if m.TotalAcross != nil && m.UsedAcross != nil {
		total, used = *m.TotalAcross, *m.UsedAcross
		available = yarn.Resource{Memory: total.Memory - used.Memory, VCores: total.VCores - used.VCores}
	}
	y.RecordYarnClusterMemoryLimitDataPoint(y.ts, mib(total.Memory))
	y.RecordYarnClusterMemoryUsageDataPoint(y.ts, mib(used.Memory), metadata.AttributeYarnResourceStateAllocated)
	y.RecordYarnClusterMemoryUsageDataPoint(y.ts, mib(available.Memory), metadata.AttributeYarnResourceStateAvailable)
	y.RecordYarnClusterMemoryUsageDataPoint(y.ts, mib(reserved.Memory), metadata.AttributeYarnResourceStateReserved)
	y.RecordYarnClusterVcoreLimitDataPoint(y.ts, total.VCores)
	y.RecordYarnClusterVcoreUsageDataPoint(y.ts, used.VCores, metadata.AttributeYarnResourceStateAllocated)
	y.RecordYarnClusterVcoreUsageDataPoint(y.ts, available.VCores, metadata.AttributeYarnResourceStateAvailable)
	y.RecordYarnClusterVcoreUsageDataPoint(y.ts, reserved.VCores, metadata.AttributeYarnResourceStateReserved)

	if m.PendingMB != nil {
		y.RecordYarnClusterMemoryUsageDataPoint(y.ts, mib(*m.PendingMB), metadata.AttributeYarnResourceStatePending)
	}
	if m.PendingVirtualCores != nil {
		y.RecordYarnClusterVcoreUsageDataPoint(y.ts, *m.PendingVirtualCores, metadata.AttributeYarnResourceStatePending)
	}

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
	shares(q.OfParent.Guaranteed, y.RecordYarnQueueParentCapacityGuaranteedDataPoint)
	shares(q.OfParent.Limit, y.RecordYarnQueueParentCapacityLimitDataPoint)
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
	y.resource(q.AMUsed, q.Path, y.RecordYarnQueueAmMemoryUsageDataPoint, y.RecordYarnQueueAmVcoreUsageDataPoint)
	y.resource(q.AMLimit, q.Path, y.RecordYarnQueueAmMemoryLimitDataPoint, y.RecordYarnQueueAmVcoreLimitDataPoint)
	y.resource(q.AMUserLimit, q.Path, y.RecordYarnQueueAmUserMemoryLimitDataPoint, y.RecordYarnQueueAmUserVcoreLimitDataPoint)
	if q.AppsUserLimit != nil {
		y.RecordYarnQueueApplicationUserLimitDataPoint(y.ts, *q.AppsUserLimit, q.Path)
	}
	shares(q.UserLimit, y.RecordYarnQueueUserLimitDataPoint)
	shares(q.UserLimitFactor, y.RecordYarnQueueUserLimitFactorDataPoint)
	if f := q.Fair; f != nil {
		y.resource(f.Minimum, q.Path, y.RecordYarnQueueMemoryMinimumDataPoint, y.RecordYarnQueueVcoreMinimumDataPoint)
		y.resource(f.Limit, q.Path, y.RecordYarnQueueMemoryLimitDataPoint, y.RecordYarnQueueVcoreLimitDataPoint)
		y.resource(f.FairShare, q.Path, y.RecordYarnQueueMemoryFairShareDataPoint, y.RecordYarnQueueVcoreFairShareDataPoint)
		y.resource(f.SteadyFairShare, q.Path, y.RecordYarnQueueMemorySteadyFairShareDataPoint, y.RecordYarnQueueVcoreSteadyFairShareDataPoint)
		y.resource(f.Demand, q.Path, y.RecordYarnQueueMemoryDemandDataPoint, y.RecordYarnQueueVcoreDemandDataPoint)
	}
	for i := range q.Users {
		y.user(q.Path, &q.Users[i])
	}
	for i := range q.Partitions {
		y.partition(q.Path, &q.Partitions[i])
	}
}

// resource records an amount of memory and of virtual cores of a queue, if it is given.
func (y cluster) resource(r *yarn.Resource, queue string, memory, vcores func(pcommon.Timestamp, int64, string)) {
	if r != nil {
		memory(y.ts, mib(r.Memory), queue)
		vcores(y.ts, r.VCores, queue)
	}
}

func (y cluster) user(queue string, u *yarn.User) {
	y.RecordYarnQueueUserApplicationsDataPoint(y.ts, u.AppsActive, queue, u.Name, metadata.AttributeYarnApplicationStateRunning)
	y.RecordYarnQueueUserApplicationsDataPoint(y.ts, u.AppsPending, queue, u.Name, metadata.AttributeYarnApplicationStatePending)
	if u.Used != nil {
		y.RecordYarnQueueUserMemoryUsageDataPoint(y.ts, mib(u.Used.Memory), queue, u.Name)
		y.RecordYarnQueueUserVcoreUsageDataPoint(y.ts, u.Used.VCores, queue, u.Name)
	}
}

func (y cluster) partition(queue string, p *yarn.Partition) {
	for _, s := range []struct {
		share  *float64
		record func(pcommon.Timestamp, float64, string, string)
	}{
		{p.Guaranteed, y.RecordYarnQueuePartitionCapacityGuaranteedDataPoint},
		{p.Limit, y.RecordYarnQueuePartitionCapacityLimitDataPoint},
		{p.Usage, y.RecordYarnQueuePartitionCapacityUsageDataPoint},
		{p.Utilization, y.RecordYarnQueuePartitionCapacityUtilizationDataPoint},
	} {
		if s.share != nil {
			s.record(y.ts, *s.share, queue, p.Name)
		}
	}
	if p.Used != nil {
		y.RecordYarnQueuePartitionMemoryUsageDataPoint(y.ts, mib(p.Used.Memory), queue, p.Name)
		y.RecordYarnQueuePartitionVcoreUsageDataPoint(y.ts, p.Used.VCores, queue, p.Name)
	}
}

func (y cluster) node(n *yarn.Node, now time.Time) {
	if n.LastHealthUpdate > 0 {
		y.RecordYarnNodeLastHealthReportAgeDataPoint(y.ts, max(0, now.Sub(time.UnixMilli(n.LastHealthUpdate)).Seconds()), n.ID)
	}
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
