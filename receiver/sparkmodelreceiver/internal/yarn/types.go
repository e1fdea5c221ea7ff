package yarn

import (
	"cmp"
	"regexp"
	"strings"
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
)

// Info tells which resource manager answered.
type Info struct {
	HAState string `json:"haState"`
	// StartedOn is when this resource manager became what it is, in ms; its counters start then.
	StartedOn int64 `json:"startedOn"`
	// Now is the time on the resource manager's clock.
	Now time.Time `json:"-"`
}

// App is an application as YARN sees it. Times are in ms, memory in MB; -1 is not available.
type App struct {
	ID                       string     `json:"id"`
	User                     string     `json:"user"`
	Name                     string     `json:"name"`
	Queue                    string     `json:"queue"`
	State                    string     `json:"state"`
	FinalStatus              string     `json:"finalStatus"`
	TrackingUI               string     `json:"trackingUI"`
	Diagnostics              string     `json:"diagnostics"`
	Tags                     string     `json:"applicationTags"`
	StartedTime              int64      `json:"startedTime"`
	LaunchTime               int64      `json:"launchTime"`
	FinishedTime             int64      `json:"finishedTime"`
	AMContainerLogs          string     `json:"amContainerLogs"`
	AllocatedMB              int64      `json:"allocatedMB"`
	AllocatedVCores          int64      `json:"allocatedVCores"`
	RunningContainers        int64      `json:"runningContainers"`
	MemorySeconds            int64      `json:"memorySeconds"`
	VCoreSeconds             int64      `json:"vcoreSeconds"`
	NumNonAMContainerPreempt int64      `json:"numNonAMContainerPreempted"`
	NumAMContainerPreempt    int64      `json:"numAMContainerPreempted"`
	PreemptedMemorySeconds   int64      `json:"preemptedMemorySeconds"`
	PreemptedVCoreSeconds    int64      `json:"preemptedVcoreSeconds"`
	QueueUsagePercentage     rest.Float `json:"queueUsagePercentage"`
	ClusterUsagePercentage   rest.Float `json:"clusterUsagePercentage"`
	// Progress is in per cent.
	Progress       rest.Float `json:"progress"`
	Priority       int64      `json:"priority"`
	ReservedMB     int64      `json:"reservedMB"`
	ReservedVCores int64      `json:"reservedVCores"`
}

// Ended tells whether YARN has closed the application.
func (a *App) Ended() bool {
	return a.State == "FINISHED" || a.State == "FAILED" || a.State == "KILLED"
}

// HasUI tells whether the driver answers through the resource manager's proxy.
func (a *App) HasUI() bool { return a.State == "RUNNING" && a.TrackingUI == "ApplicationMaster" }

// container matches the id of a container: the epoch is there after a failover of the resource manager.
var container = regexp.MustCompile(`container_(?:e\d+_)?\d+_\d+_(\d+)_\d+`)

// FirstAttempt is the number of an application's first attempt.
const FirstAttempt = "1"

// Attempt returns the number of the current attempt, which YARN tells only in the id of its container. Before there is
// one, it will be the first.
func (a *App) Attempt() string {
	m := container.FindStringSubmatch(a.AMContainerLogs)
	if m == nil {
		return FirstAttempt
	}
	return cmp.Or(strings.TrimLeft(m[1], "0"), FirstAttempt)
}

// ClusterMetrics are the figures of the whole cluster. Memory is in MB.
type ClusterMetrics struct {
	AppsSubmitted       int64 `json:"appsSubmitted"`
	AppsCompleted       int64 `json:"appsCompleted"`
	AppsPending         int64 `json:"appsPending"`
	AppsRunning         int64 `json:"appsRunning"`
	AppsFailed          int64 `json:"appsFailed"`
	AppsKilled          int64 `json:"appsKilled"`
	ContainersAllocated int64 `json:"containersAllocated"`
	ContainersReserved  int64 `json:"containersReserved"`
	ContainersPending   int64 `json:"containersPending"`

	TotalMB               int64  `json:"totalMB"`
	AllocatedMB           int64  `json:"allocatedMB"`
	AvailableMB           int64  `json:"availableMB"`
	ReservedMB            int64  `json:"reservedMB"`
	TotalVirtualCores     int64  `json:"totalVirtualCores"`
	AllocatedVirtualCores int64  `json:"allocatedVirtualCores"`
	AvailableVirtualCores int64  `json:"availableVirtualCores"`
	ReservedVirtualCores  int64  `json:"reservedVirtualCores"`
	PendingMB             *int64 `json:"pendingMB"`
	PendingVirtualCores   *int64 `json:"pendingVirtualCores"`
	// What is across partitions counts every one; the figures above count the default one alone.
	TotalAcross     *Resource `json:"totalClusterResourcesAcrossPartition"`
	UsedAcross      *Resource `json:"totalUsedResourcesAcrossPartition"`
	ReservedAcross  *Resource `json:"totalReservedResourcesAcrossPartition"`
	AllocatedAcross *int64    `json:"totalAllocatedContainersAcrossPartition"`

	ActiveNodes          int64 `json:"activeNodes"`
	LostNodes            int64 `json:"lostNodes"`
	UnhealthyNodes       int64 `json:"unhealthyNodes"`
	DecommissioningNodes int64 `json:"decommissioningNodes"`
	DecommissionedNodes  int64 `json:"decommissionedNodes"`
	RebootedNodes        int64 `json:"rebootedNodes"`
	ShutdownNodes        int64 `json:"shutdownNodes"`
}

// Resource is an amount of memory in MB and of virtual cores.
type Resource struct {
	Memory int64 `json:"memory"`
	VCores int64 `json:"vCores"`
}

// Node is a node of the cluster. Memory is in MB.
type Node struct {
	ID              string `json:"id"`
	State           string `json:"state"`
	NumContainers   int64  `json:"numContainers"`
	UsedMemoryMB    int64  `json:"usedMemoryMB"`
	AvailMemoryMB   int64  `json:"availMemoryMB"`
	UsedVCores      int64  `json:"usedVirtualCores"`
	AvailableVCores int64  `json:"availableVirtualCores"`
	// LastHealthUpdate is in ms since 1970.
	LastHealthUpdate int64 `json:"lastHealthUpdate"`
}

// Queue is a queue of the capacity or the fair scheduler. Memory is in MB. A nil field was not given.
type Queue struct {
	// Path is the full name, such as root.ml.train.
	Path string
	// Shares are of the nodes without a label.
	Shares
	// OfParent has what is guaranteed and the limit as shares of the parent; the root has none.
	OfParent                           Shares
	AppsActive, AppsPending, AppsLimit *int64
	// AppsUserLimit is how many applications of one user are accepted.
	AppsUserLimit       *int64
	ContainersAllocated *int64
	ContainersPending   *int64
	ContainersReserved  *int64
	// Used is over all partitions.
	Used, AMUsed, AMLimit, AMUserLimit *Resource
	// UserLimit is the share of the queue that a user gets at least, UserLimitFactor how many times what is guaranteed he
	// can get.
	UserLimit, UserLimitFactor *float64
	Users                      []User
	// Partitions are given where nodes have labels.
	Partitions []Partition
	// Fair is given by the fair scheduler.
	Fair *Fair
}

// Shares are of the cluster, or of a partition of it, 0 to 1; utilization is of what is guaranteed and can pass 1.
type Shares struct{ Guaranteed, Limit, Usage, Utilization *float64 }

// Partition is what a queue may use, and uses, of the nodes that have one label.
type Partition struct {
	Name string
	Shares
	Used *Resource
}

// User is what a user holds in a queue.
type User struct {
	Name        string    `json:"username"`
	Used        *Resource `json:"resourcesUsed"`
	AppsActive  int64     `json:"numActiveApplications"`
	AppsPending int64     `json:"numPendingApplications"`
}

// Fair is what the fair scheduler tells of a queue.
type Fair struct {
	Minimum         *Resource `json:"minResources"`
	Limit           *Resource `json:"maxResources"`
	FairShare       *Resource `json:"fairResources"`
	SteadyFairShare *Resource `json:"steadyFairResources"`
	Demand          *Resource `json:"demandResources"`
}
