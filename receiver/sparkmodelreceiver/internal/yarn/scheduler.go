package yarn

import (
	"encoding/json"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
)

// schedulerInfo is the root of the capacity scheduler's tree, or the head of the fair scheduler's.
type schedulerInfo struct {
	Type string `json:"type"`
	capacityQueue
	RootQueue *fairQueue `json:"rootQueue"`
}

// maxDepth bounds how deep a tree of queues is followed.
const maxDepth = 64

func (s *schedulerInfo) flatten() []Queue {
	if s.RootQueue != nil {
		return s.RootQueue.flatten(nil, maxDepth)
	}
	return s.capacityQueue.flatten("", nil, maxDepth)
}

// capacityQueue is a queue of the capacity scheduler. Shares are in per cent.
type capacityQueue struct {
	QueueName              string      `json:"queueName"`
	QueuePath              string      `json:"queuePath"`
	UsedCapacity           *rest.Float `json:"usedCapacity"`
	Capacity               *rest.Float `json:"capacity"`
	MaxCapacity            *rest.Float `json:"maxCapacity"`
	AbsoluteCapacity       *rest.Float `json:"absoluteCapacity"`
	AbsoluteMaxCapacity    *rest.Float `json:"absoluteMaxCapacity"`
	AbsoluteUsedCapacity   *rest.Float `json:"absoluteUsedCapacity"`
	NumActiveApplications  *int64      `json:"numActiveApplications"`
	NumPendingApplications *int64      `json:"numPendingApplications"`
	MaxApplications        *int64      `json:"maxApplications"`
	AllocatedContainers    *int64      `json:"allocatedContainers"`
	PendingContainers      *int64      `json:"pendingContainers"`
	ReservedContainers     *int64      `json:"reservedContainers"`
	ResourcesUsed          *Resource   `json:"resourcesUsed"`
	UsedAMResource         *Resource   `json:"usedAMResource"`
	AMResourceLimit        *Resource   `json:"AMResourceLimit"`
	UserAMResourceLimit    *Resource   `json:"userAMResourceLimit"`
	MaxApplicationsPerUser *int64      `json:"maxApplicationsPerUser"`
	UserLimit              *rest.Float `json:"userLimit"`
	UserLimitFactor        *rest.Float `json:"userLimitFactor"`
	Users                  *struct {
		User []User `json:"user"`
	} `json:"users"`
	Capacities struct {
		ByPartition []struct {
			Name                 string      `json:"partitionName"`
			UsedCapacity         *rest.Float `json:"usedCapacity"`
			AbsoluteCapacity     *rest.Float `json:"absoluteCapacity"`
			AbsoluteMaxCapacity  *rest.Float `json:"absoluteMaxCapacity"`
			AbsoluteUsedCapacity *rest.Float `json:"absoluteUsedCapacity"`
		} `json:"queueCapacitiesByPartition"`
	} `json:"capacities"`
	Resources struct {
		ByPartition []struct {
			Name string   `json:"partitionName"`
			Used Resource `json:"used"`
		} `json:"resourceUsagesByPartition"`
	} `json:"resources"`
	Queues *struct {
		Queue []capacityQueue `json:"queue"`
	} `json:"queues"`
}

func (q *capacityQueue) flatten(parent string, into []Queue, depth int) []Queue {
	if depth == 0 {
		return into
	}
	path := q.QueuePath
	if path == "" {
		path = q.QueueName
		if parent != "" {
			path = parent + "." + q.QueueName
		}
	}
	out := Queue{
		Path: path,
		Shares: Shares{
			Guaranteed: share(q.AbsoluteCapacity), Limit: share(q.AbsoluteMaxCapacity), Usage: share(q.AbsoluteUsedCapacity), Utilization: share(q.UsedCapacity),
		},
		AppsActive: q.NumActiveApplications, AppsPending: q.NumPendingApplications, AppsLimit: q.MaxApplications,
		ContainersAllocated: q.AllocatedContainers, ContainersPending: q.PendingContainers, ContainersReserved: q.ReservedContainers,
		Used: q.used(), AMUsed: q.UsedAMResource, AMLimit: q.AMResourceLimit, AMUserLimit: q.UserAMResourceLimit,
		AppsUserLimit: q.MaxApplicationsPerUser, UserLimit: share(q.UserLimit), UserLimitFactor: number(q.UserLimitFactor),
		Partitions: q.partitions(),
	}
	if q.Users != nil {
		out.Users = q.Users.User
	}
	if parent == "" {
		// The root carries its shares under the names that its children use for shares of their parent.
		if out.Guaranteed == nil {
			out.Guaranteed = share(q.Capacity)
		}
		if out.Limit == nil {
			out.Limit = share(q.MaxCapacity)
		}
		if out.Usage == nil {
			out.Usage = share(q.UsedCapacity)
		}
	} else {
		out.OfParent = Shares{Guaranteed: share(q.Capacity), Limit: share(q.MaxCapacity)}
	}
	into = append(into, out)
	if q.Queues != nil {
		for i := range q.Queues.Queue {
			into = q.Queues.Queue[i].flatten(path, into, depth-1)
		}
	}
	return into
}

// used sums up over the partitions: the queue's own figure is that of the default one (seen in Hadoop 3.4.2).
func (q *capacityQueue) used() *Resource {
	if len(q.Resources.ByPartition) == 0 {
		return q.ResourcesUsed
	}
	var sum Resource
	for _, p := range q.Resources.ByPartition {
		sum.Memory += p.Used.Memory
		sum.VCores += p.Used.VCores
	}
	return &sum
}

func (q *capacityQueue) partitions() []Partition {
	if len(q.Capacities.ByPartition) < 2 {
		return nil // there is the default one alone, and the queue's own figures tell of it
	}
	var out []Partition
	for _, c := range q.Capacities.ByPartition {
		p := Partition{Name: c.Name, Shares: Shares{
			Guaranteed: share(c.AbsoluteCapacity), Limit: share(c.AbsoluteMaxCapacity), Usage: share(c.AbsoluteUsedCapacity), Utilization: share(c.UsedCapacity),
		}}
		for _, r := range q.Resources.ByPartition {
			if r.Name == c.Name {
				p.Used = &r.Used
			}
		}
		out = append(out, p)
	}
	return out
}

// fairQueue is a queue of the fair scheduler, which knows no shares.
type fairQueue struct {
	QueueName           string        `json:"queueName"`
	UsedResources       *Resource     `json:"usedResources"`
	AMUsedResources     *Resource     `json:"amUsedResources"`
	AMMaxResources      *Resource     `json:"amMaxResources"`
	MaxApps             *int64        `json:"maxApps"`
	NumActiveApps       *int64        `json:"numActiveApps"`
	NumPendingApps      *int64        `json:"numPendingApps"`
	AllocatedContainers *int64        `json:"allocatedContainers"`
	PendingContainers   *int64        `json:"pendingContainers"`
	ReservedContainers  *int64        `json:"reservedContainers"`
	ChildQueues         *fairChildren `json:"childQueues"`
	Fair
}

func (q *fairQueue) flatten(into []Queue, depth int) []Queue {
	if depth == 0 {
		return into
	}
	into = append(into, Queue{
		Path:       q.QueueName,
		AppsActive: q.NumActiveApps, AppsPending: q.NumPendingApps, AppsLimit: q.MaxApps,
		ContainersAllocated: q.AllocatedContainers, ContainersPending: q.PendingContainers, ContainersReserved: q.ReservedContainers,
		Used: q.UsedResources, AMUsed: q.AMUsedResources, AMLimit: q.AMMaxResources, Fair: &q.Fair,
	})
	if q.ChildQueues != nil {
		for i := range q.ChildQueues.Queue {
			into = q.ChildQueues.Queue[i].flatten(into, depth-1)
		}
	}
	return into
}

// fairChildren is an object with a list, or in old versions the list itself.
type fairChildren struct{ Queue []fairQueue }

// UnmarshalJSON accepts both shapes.
func (c *fairChildren) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, &c.Queue)
	}
	var object struct {
		Queue []fairQueue `json:"queue"`
	}
	err := json.Unmarshal(b, &object)
	c.Queue = object.Queue
	return err
}

func share(percent *rest.Float) *float64 {
	v := number(percent)
	if v != nil {
		*v /= 100
	}
	return v
}

// number returns nil for what is not known.
func number(f *rest.Float) *float64 {
	if f == nil || !f.Known() || *f < 0 {
		return nil
	}
	v := float64(*f)
	return &v
}
