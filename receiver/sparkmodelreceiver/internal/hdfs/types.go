package hdfs

import "github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"

// Number is a figure of a bean; nil where the server's version has none. See Known.
type Number = *rest.Float

// Known returns a figure, and whether the server told one.
func Known(n Number) (float64, bool) {
	if n == nil || !n.Known() {
		return 0, false
	}
	return float64(*n), true
}

// Namesystem is what a NameNode knows of the file system. Sizes are in bytes, times in milliseconds since 1970.
type Namesystem struct {
	// HAState is active, standby, observer, initializing or stopping.
	HAState string `json:"tag.HAState"`
	// FSState is Operational or safeMode.
	FSState string `json:"FSState"`

	CapacityTotal      Number `json:"CapacityTotal"`
	CapacityUsed       Number `json:"CapacityUsed"`
	CapacityRemaining  Number `json:"CapacityRemaining"`
	CapacityUsedNonDFS Number `json:"CapacityUsedNonDFS"`
	// CapacityLost is what failed volumes had.
	CapacityLost   Number `json:"EstimatedCapacityLostTotal"`
	VolumeFailures Number `json:"VolumeFailuresTotal"`

	// Load counts the transfers under way on all DataNodes.
	Load Number `json:"TotalLoad"`
	// LockQueueLength counts the threads that wait for the namesystem's lock.
	LockQueueLength Number `json:"FsLockQueueLength"`
	Files           Number `json:"FilesTotal"`
	// MaxObjects limits files and blocks together; 0 is no limit.
	MaxObjects Number `json:"MaxObjects"`

	Blocks                     Number `json:"BlocksTotal"`
	MissingBlocks              Number `json:"MissingBlocks"`
	MissingReplicationOne      Number `json:"MissingReplOneBlocks"`
	CorruptBlocks              Number `json:"CorruptBlocks"`
	UnderReplicatedBlocks      Number `json:"UnderReplicatedBlocks"`
	PendingReplicationBlocks   Number `json:"PendingReplicationBlocks"`
	PendingDeletionBlocks      Number `json:"PendingDeletionBlocks"`
	ScheduledReplicationBlocks Number `json:"ScheduledReplicationBlocks"`
	PostponedBlocks            Number `json:"PostponedMisreplicatedBlocks"`
	ExcessBlocks               Number `json:"ExcessBlocks"`

	LiveDataNodes                Number `json:"NumLiveDataNodes"`
	DeadDataNodes                Number `json:"NumDeadDataNodes"`
	StaleDataNodes               Number `json:"NumStaleDataNodes"`
	DecommissioningDataNodes     Number `json:"NumDecommissioningDataNodes"`
	DecommissionedLiveDataNodes  Number `json:"NumDecomLiveDataNodes"`
	DecommissionedDeadDataNodes  Number `json:"NumDecomDeadDataNodes"`
	EnteringMaintenanceDataNodes Number `json:"NumEnteringMaintenanceDataNodes"`
	MaintenanceLiveDataNodes     Number `json:"NumInMaintenanceLiveDataNodes"`
	MaintenanceDeadDataNodes     Number `json:"NumInMaintenanceDeadDataNodes"`
	StaleStorages                Number `json:"NumStaleStorages"`

	LastCheckpointTime Number `json:"LastCheckpointTime"`
	// TransactionsSinceCheckpoint are what a restart has to replay.
	TransactionsSinceCheckpoint Number `json:"TransactionsSinceLastCheckpoint"`
}

// RPC is the activity of one of a server's RPC ports. Averages are of the server's last metrics period, in milliseconds.
type RPC struct {
	Port            string `json:"tag.port"`
	QueueTime       Number `json:"RpcQueueTimeAvgTime"`
	ProcessingTime  Number `json:"RpcProcessingTimeAvgTime"`
	Calls           Number `json:"RpcQueueTimeNumOps"`
	QueueLength     Number `json:"CallQueueLength"`
	OpenConnections Number `json:"NumOpenConnections"`
}

// JVM is the Java virtual machine of a server. Memory is in MiB, times are in milliseconds.
type JVM struct {
	HeapUsed    Number `json:"MemHeapUsedM"`
	HeapMax     Number `json:"MemHeapMaxM"`
	NonHeapUsed Number `json:"MemNonHeapUsedM"`
	GCCount     Number `json:"GcCount"`
	GCTime      Number `json:"GcTimeMillis"`
	// PauseTime is how much longer than asked for the pause monitor slept.
	PauseTime           Number `json:"GcTotalExtraSleepTime"`
	ThreadsRunnable     Number `json:"ThreadsRunnable"`
	ThreadsBlocked      Number `json:"ThreadsBlocked"`
	ThreadsWaiting      Number `json:"ThreadsWaiting"`
	ThreadsTimedWaiting Number `json:"ThreadsTimedWaiting"`
}

// ListedDataNode is a DataNode as a NameNode lists it. Sizes are in bytes, times in seconds.
type ListedDataNode struct {
	// Name is host:port of the data transfer.
	Name string `json:"-"`
	// Dead tells whether the NameNode has given it up. Of a dead one only LastContact is known.
	Dead bool `json:"-"`
	// AdminState is In Service, Decommission In Progress, Decommissioned, Entering Maintenance or In Maintenance.
	AdminState     string `json:"adminState"`
	LastContact    Number `json:"lastContact"`
	Capacity       Number `json:"capacity"`
	Used           Number `json:"used"`
	Remaining      Number `json:"remaining"`
	NonDFSUsed     Number `json:"nonDfsUsedSpace"`
	Blocks         Number `json:"numBlocks"`
	VolumeFailures Number `json:"volfails"`
}

// NameNodeInfo is what a NameNode tells of itself and of the DataNodes that it knows.
type NameNodeInfo struct {
	// Started is in milliseconds since 1970.
	Started   Number
	DataNodes []ListedDataNode
}

// Dataset is what a DataNode stores. Sizes are in bytes, times in milliseconds since 1970.
type Dataset struct {
	Capacity              Number `json:"Capacity"`
	Used                  Number `json:"DfsUsed"`
	Remaining             Number `json:"Remaining"`
	FailedVolumes         Number `json:"NumFailedVolumes"`
	LastVolumeFailure     Number `json:"LastVolumeFailureDate"`
	CapacityLost          Number `json:"EstimatedCapacityLostTotal"`
	CacheCapacity         Number `json:"CacheCapacity"`
	CacheUsed             Number `json:"CacheUsed"`
	BlocksCached          Number `json:"NumBlocksCached"`
	BlocksFailedToCache   Number `json:"NumBlocksFailedToCache"`
	BlocksFailedToUncache Number `json:"NumBlocksFailedToUncache"`
}

// DataNode is what a DataNode is and does. Sizes are in bytes, times in milliseconds since 1970.
type DataNode struct {
	// Name is host:port of the data transfer, as the NameNode names the DataNode.
	Name    string `json:"-"`
	Started Number `json:"DNStartedTimeInMillis"`

	BytesRead     Number `json:"BytesRead"`
	BytesWritten  Number `json:"BytesWritten"`
	BlocksRead    Number `json:"BlocksRead"`
	BlocksWritten Number `json:"BlocksWritten"`
	// Transfers counts those under way.
	Transfers     Number `json:"DataNodeActiveXceiversCount"`
	NetworkErrors Number `json:"DatanodeNetworkErrors"`
	// VerificationFailures counts blocks that a scan found damaged.
	VerificationFailures Number `json:"BlockVerificationFailures"`
}
