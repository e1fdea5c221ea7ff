package emit

import (
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/hdfs"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
)

// HDFS is what was read of a file system in one poll; what could not be read is nil.
type HDFS struct {
	NameNodes []NameNode
	// DataNodes are those that were read directly.
	DataNodes []DataNode
}

// NameNode is what was read of one NameNode.
type NameNode struct {
	Name string
	// Started is zero where it is not known.
	Started    time.Time
	Namesystem *hdfs.Namesystem
	RPC        []hdfs.RPC
	JVM        *hdfs.JVM
	// Listed are the DataNodes that an active NameNode knows.
	Listed []hdfs.ListedDataNode
}

// DataNode is what was read of one DataNode.
type DataNode struct {
	hdfs.DataNode
	Dataset *hdfs.Dataset
	JVM     *hdfs.JVM
}

// HDFS adds a file system. What is of all of it is taken from the active NameNode.
func (b *Builder) HDFS(f *HDFS) {
	h := fileSystem{HdfsClusterMetricsBuilder: b.mb.ForHdfsCluster(metadata.NewHdfsClusterEntity(b.cluster)), ts: b.ts}
	started := starts{nameNodes: map[string]pcommon.Timestamp{}, dataNodes: map[string]pcommon.Timestamp{}}
	direct := make(map[string]struct{}, len(f.DataNodes))
	for i := range f.DataNodes {
		d := &f.DataNodes[i]
		if _, twice := direct[d.Name]; twice {
			continue
		}
		direct[d.Name] = struct{}{}
		if at, ok := hdfs.Known(d.Started); ok {
			started.dataNodes[d.Name] = pcommon.NewTimestampFromTime(time.UnixMilli(int64(at)))
		}
		h.dataNode(d)
	}
	whole := false
	for i := range f.NameNodes {
		n := &f.NameNodes[i]
		if !n.Started.IsZero() {
			started.nameNodes[n.Name] = pcommon.NewTimestampFromTime(n.Started)
		}
		h.nameNode(n)
		if n.Active() && !whole {
			whole = true
			h.namesystem(n.Namesystem)
			for j := range n.Listed {
				_, read := direct[n.Listed[j].Name]
				h.listed(&n.Listed[j], read)
			}
		}
	}
	h.Emit()
	b.collect(started)
}

// Active tells whether a NameNode said that it is the active one.
func (n *NameNode) Active() bool { return n.Namesystem != nil && n.Namesystem.HAState == "active" }

type fileSystem struct {
	*metadata.HdfsClusterMetricsBuilder
	ts pcommon.Timestamp
}

// whole records a whole number, if it is known.
func (h fileSystem) whole(n hdfs.Number, record func(pcommon.Timestamp, int64)) {
	if v, ok := hdfs.Known(n); ok && math.Abs(v) < 1<<62 {
		record(h.ts, int64(v))
	}
}

// scaled records a number, if it is known, in another unit.
func (h fileSystem) scaled(n hdfs.Number, factor float64, record func(pcommon.Timestamp, float64)) {
	if v, ok := hdfs.Known(n); ok {
		record(h.ts, v*factor)
	}
}

// age records how long ago a time in milliseconds was; 0 is never.
func (h fileSystem) age(n hdfs.Number, record func(pcommon.Timestamp, float64)) {
	if v, ok := hdfs.Known(n); ok && v > 0 {
		record(h.ts, max(0, h.ts.AsTime().Sub(time.UnixMilli(int64(v))).Seconds()))
	}
}

// of makes a recorder of one series.
func of[V, A any](record func(pcommon.Timestamp, V, A), a A) func(pcommon.Timestamp, V) {
	return func(ts pcommon.Timestamp, v V) { record(ts, v, a) }
}

func of2[V, A, B any](record func(pcommon.Timestamp, V, A, B), a A, b B) func(pcommon.Timestamp, V) {
	return func(ts pcommon.Timestamp, v V) { record(ts, v, a, b) }
}

func (h fileSystem) namesystem(n *hdfs.Namesystem) {
	h.whole(n.CapacityTotal, h.RecordHdfsNamenodeCapacityLimitDataPoint)
	h.whole(n.CapacityUsed, h.RecordHdfsNamenodeCapacityUsageDataPoint)
	h.whole(n.CapacityRemaining, h.RecordHdfsNamenodeCapacityFreeDataPoint)
	h.whole(n.CapacityUsedNonDFS, h.RecordHdfsNamenodeCapacityNonDfsUsageDataPoint)
	h.whole(n.CapacityLost, h.RecordHdfsNamenodeCapacityLostDataPoint)
	if total, ok := hdfs.Known(n.CapacityTotal); ok && total > 0 {
		h.scaled(n.CapacityUsed, 1/total, h.RecordHdfsNamenodeCapacityUtilizationDataPoint)
	}
	h.whole(n.VolumeFailures, h.RecordHdfsNamenodeVolumeFailuresDataPoint)
	h.whole(n.Load, h.RecordHdfsNamenodeLoadDataPoint)
	h.whole(n.LockQueueLength, h.RecordHdfsNamenodeLockQueueLengthDataPoint)
	h.whole(n.Files, h.RecordHdfsNamenodeFilesDataPoint)
	if limit, ok := hdfs.Known(n.MaxObjects); ok && limit > 0 {
		h.whole(n.MaxObjects, h.RecordHdfsNamenodeObjectLimitDataPoint)
	}
	h.whole(n.Blocks, h.RecordHdfsNamenodeBlocksDataPoint)
	for _, s := range []struct {
		count hdfs.Number
		state metadata.AttributeHdfsBlockState
	}{
		{n.MissingBlocks, metadata.AttributeHdfsBlockStateMissing},
		{n.MissingReplicationOne, metadata.AttributeHdfsBlockStateMissingReplicationOne},
		{n.CorruptBlocks, metadata.AttributeHdfsBlockStateCorrupt},
		{n.UnderReplicatedBlocks, metadata.AttributeHdfsBlockStateUnderReplicated},
		{n.PendingReplicationBlocks, metadata.AttributeHdfsBlockStatePendingReplication},
		{n.ScheduledReplicationBlocks, metadata.AttributeHdfsBlockStateScheduledReplication},
		{n.PendingDeletionBlocks, metadata.AttributeHdfsBlockStatePendingDeletion},
		{n.PostponedBlocks, metadata.AttributeHdfsBlockStatePostponedMisreplicated},
		{n.ExcessBlocks, metadata.AttributeHdfsBlockStateExcess},
	} {
		h.whole(s.count, of(h.RecordHdfsNamenodeBlockStatusDataPoint, s.state))
	}
	for _, s := range []struct {
		count hdfs.Number
		state metadata.AttributeHdfsDatanodeState
	}{
		{n.LiveDataNodes, metadata.AttributeHdfsDatanodeStateLive},
		{n.DeadDataNodes, metadata.AttributeHdfsDatanodeStateDead},
		{n.StaleDataNodes, metadata.AttributeHdfsDatanodeStateStale},
		{n.DecommissioningDataNodes, metadata.AttributeHdfsDatanodeStateDecommissioning},
		{n.DecommissionedLiveDataNodes, metadata.AttributeHdfsDatanodeStateDecommissionedLive},
		{n.DecommissionedDeadDataNodes, metadata.AttributeHdfsDatanodeStateDecommissionedDead},
		{n.EnteringMaintenanceDataNodes, metadata.AttributeHdfsDatanodeStateEnteringMaintenance},
		{n.MaintenanceLiveDataNodes, metadata.AttributeHdfsDatanodeStateMaintenanceLive},
		{n.MaintenanceDeadDataNodes, metadata.AttributeHdfsDatanodeStateMaintenanceDead},
	} {
		h.whole(s.count, of(h.RecordHdfsNamenodeDatanodesDataPoint, s.state))
	}
	h.whole(n.StaleStorages, h.RecordHdfsNamenodeStorageStaleDataPoint)
	h.age(n.LastCheckpointTime, h.RecordHdfsNamenodeCheckpointAgeDataPoint)
	h.whole(n.TransactionsSinceCheckpoint, h.RecordHdfsNamenodeCheckpointTransactionsDataPoint)
}

func (h fileSystem) nameNode(n *NameNode) {
	if n.Namesystem != nil {
		for state := metadata.AttributeHdfsNamenodeStateActive; state <= metadata.AttributeHdfsNamenodeStateStopping; state++ {
			h.RecordHdfsNamenodeStatusDataPoint(h.ts, toInt(n.Namesystem.HAState == state.String()), n.Name, state)
		}
		if n.Namesystem.FSState != "" {
			h.RecordHdfsNamenodeSafemodeDataPoint(h.ts, toInt(n.Namesystem.FSState != "Operational"), n.Name)
		}
	}
	const seconds = 1e-3
	for i := range n.RPC {
		r := &n.RPC[i]
		h.scaled(r.QueueTime, seconds, of2(h.RecordHdfsNamenodeRPCQueueTimeDataPoint, n.Name, r.Port))
		h.scaled(r.ProcessingTime, seconds, of2(h.RecordHdfsNamenodeRPCProcessingTimeDataPoint, n.Name, r.Port))
		h.whole(r.QueueLength, of2(h.RecordHdfsNamenodeRPCQueueLengthDataPoint, n.Name, r.Port))
		h.whole(r.Calls, of2(h.RecordHdfsNamenodeRPCCallsDataPoint, n.Name, r.Port))
		h.whole(r.OpenConnections, of2(h.RecordHdfsNamenodeRPCConnectionsDataPoint, n.Name, r.Port))
	}
	if n.JVM != nil {
		h.jvm(n.Name, n.JVM, jvmRecorders{
			memory: h.RecordHdfsNamenodeJvmMemoryUsageDataPoint, limit: h.RecordHdfsNamenodeJvmMemoryLimitDataPoint,
			gcCount: h.RecordHdfsNamenodeJvmGcCountDataPoint, gcTime: h.RecordHdfsNamenodeJvmGcTimeDataPoint,
			pause: h.RecordHdfsNamenodeJvmPauseTimeDataPoint, threads: h.RecordHdfsNamenodeJvmThreadsDataPoint,
		})
	}
}

// listed records what the NameNode knows of a DataNode; what it stores only if it was not read itself.
func (h fileSystem) listed(d *hdfs.ListedDataNode, read bool) {
	now := adminStates[d.AdminState]
	if d.Dead {
		now = metadata.AttributeHdfsDatanodeAdminStateDead
	}
	if now != 0 {
		for state := metadata.AttributeHdfsDatanodeAdminStateInService; state <= metadata.AttributeHdfsDatanodeAdminStateDead; state++ {
			h.RecordHdfsDatanodeStatusDataPoint(h.ts, toInt(state == now), d.Name, state)
		}
	}
	h.scaled(d.LastContact, 1, of(h.RecordHdfsDatanodeHeartbeatAgeDataPoint, d.Name))
	if d.Dead {
		return
	}
	h.whole(d.Blocks, of(h.RecordHdfsDatanodeBlocksDataPoint, d.Name))
	h.whole(d.NonDFSUsed, of(h.RecordHdfsDatanodeCapacityNonDfsUsageDataPoint, d.Name))
	if !read {
		h.whole(d.Capacity, of(h.RecordHdfsDatanodeCapacityLimitDataPoint, d.Name))
		h.whole(d.Used, of(h.RecordHdfsDatanodeCapacityUsageDataPoint, d.Name))
		h.whole(d.Remaining, of(h.RecordHdfsDatanodeCapacityFreeDataPoint, d.Name))
		h.whole(d.VolumeFailures, of(h.RecordHdfsDatanodeVolumeFailuresDataPoint, d.Name))
	}
}

// adminStates are the states as org.apache.hadoop.hdfs.protocol.DatanodeInfo.AdminStates writes them.
var adminStates = map[string]metadata.AttributeHdfsDatanodeAdminState{
	"In Service":               metadata.AttributeHdfsDatanodeAdminStateInService,
	"Decommission In Progress": metadata.AttributeHdfsDatanodeAdminStateDecommissioning,
	"Decommissioned":           metadata.AttributeHdfsDatanodeAdminStateDecommissioned,
	"Entering Maintenance":     metadata.AttributeHdfsDatanodeAdminStateEnteringMaintenance,
	"In Maintenance":           metadata.AttributeHdfsDatanodeAdminStateInMaintenance,
}

func (h fileSystem) dataNode(d *DataNode) {
	read, write := metadata.AttributeHdfsIoDirectionRead, metadata.AttributeHdfsIoDirectionWrite
	h.whole(d.BytesRead, of2(h.RecordHdfsDatanodeIoSizeDataPoint, d.Name, read))
	h.whole(d.BytesWritten, of2(h.RecordHdfsDatanodeIoSizeDataPoint, d.Name, write))
	h.whole(d.BlocksRead, of2(h.RecordHdfsDatanodeBlockIoDataPoint, d.Name, read))
	h.whole(d.BlocksWritten, of2(h.RecordHdfsDatanodeBlockIoDataPoint, d.Name, write))
	h.whole(d.VerificationFailures, of(h.RecordHdfsDatanodeBlockVerificationFailuresDataPoint, d.Name))
	h.whole(d.Transfers, of(h.RecordHdfsDatanodeTransfersDataPoint, d.Name))
	h.whole(d.NetworkErrors, of(h.RecordHdfsDatanodeNetworkErrorsDataPoint, d.Name))
	if s := d.Dataset; s != nil {
		h.whole(s.Capacity, of(h.RecordHdfsDatanodeCapacityLimitDataPoint, d.Name))
		h.whole(s.Used, of(h.RecordHdfsDatanodeCapacityUsageDataPoint, d.Name))
		h.whole(s.Remaining, of(h.RecordHdfsDatanodeCapacityFreeDataPoint, d.Name))
		h.whole(s.CapacityLost, of(h.RecordHdfsDatanodeCapacityLostDataPoint, d.Name))
		h.whole(s.FailedVolumes, of(h.RecordHdfsDatanodeVolumeFailuresDataPoint, d.Name))
		h.age(s.LastVolumeFailure, of(h.RecordHdfsDatanodeVolumeLastFailureAgeDataPoint, d.Name))
		h.whole(s.CacheCapacity, of(h.RecordHdfsDatanodeCacheLimitDataPoint, d.Name))
		h.whole(s.CacheUsed, of(h.RecordHdfsDatanodeCacheUsageDataPoint, d.Name))
		h.whole(s.BlocksCached, of(h.RecordHdfsDatanodeCacheBlocksDataPoint, d.Name))
		h.whole(s.BlocksFailedToCache, of2(h.RecordHdfsDatanodeCacheFailuresDataPoint, d.Name, metadata.AttributeHdfsCacheOperationCache))
		h.whole(s.BlocksFailedToUncache, of2(h.RecordHdfsDatanodeCacheFailuresDataPoint, d.Name, metadata.AttributeHdfsCacheOperationUncache))
	}
	if d.JVM != nil {
		h.jvm(d.Name, d.JVM, jvmRecorders{
			memory: h.RecordHdfsDatanodeJvmMemoryUsageDataPoint, limit: h.RecordHdfsDatanodeJvmMemoryLimitDataPoint,
			gcCount: h.RecordHdfsDatanodeJvmGcCountDataPoint, gcTime: h.RecordHdfsDatanodeJvmGcTimeDataPoint,
			pause: h.RecordHdfsDatanodeJvmPauseTimeDataPoint, threads: h.RecordHdfsDatanodeJvmThreadsDataPoint,
		})
	}
}

// jvmRecorders record the figures of the Java virtual machine of one kind of server.
type jvmRecorders struct {
	memory         func(pcommon.Timestamp, int64, string, metadata.AttributeHdfsJvmMemoryType)
	limit, gcCount func(pcommon.Timestamp, int64, string)
	gcTime, pause  func(pcommon.Timestamp, float64, string)
	threads        func(pcommon.Timestamp, int64, string, metadata.AttributeHdfsJvmThreadState)
}

func (h fileSystem) jvm(name string, j *hdfs.JVM, r jvmRecorders) {
	bytes := func(n hdfs.Number, record func(pcommon.Timestamp, int64)) {
		if v, ok := hdfs.Known(n); ok && v >= 0 && v < 1<<40 { // -1 is no limit
			record(h.ts, int64(v*(1<<20)))
		}
	}
	bytes(j.HeapUsed, of2(r.memory, name, metadata.AttributeHdfsJvmMemoryTypeHeap))
	bytes(j.NonHeapUsed, of2(r.memory, name, metadata.AttributeHdfsJvmMemoryTypeNonHeap))
	bytes(j.HeapMax, of(r.limit, name))
	h.whole(j.GCCount, of(r.gcCount, name))
	h.scaled(j.GCTime, 1e-3, of(r.gcTime, name))
	h.scaled(j.PauseTime, 1e-3, of(r.pause, name))
	h.whole(j.ThreadsRunnable, of2(r.threads, name, metadata.AttributeHdfsJvmThreadStateRunnable))
	h.whole(j.ThreadsBlocked, of2(r.threads, name, metadata.AttributeHdfsJvmThreadStateBlocked))
	h.whole(j.ThreadsWaiting, of2(r.threads, name, metadata.AttributeHdfsJvmThreadStateWaiting))
	h.whole(j.ThreadsTimedWaiting, of2(r.threads, name, metadata.AttributeHdfsJvmThreadStateTimedWaiting))
}
