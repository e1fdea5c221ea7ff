// Package yarn reads YARN's ResourceManager: the cluster, its queues and nodes, and the applications.
// It finds the active one among several resource managers and holds no other state.
package yarn

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
)

// Client reads the active one of a cluster's resource managers. It is not safe for concurrent use; the rest.Client
// that Active returns is.
type Client struct {
	managers []*rest.Client
	active   int
}

// New returns a client of a cluster whose resource managers are given in any order.
func New(managers []*rest.Client) *Client { return &Client{managers: managers} }

// Active asks the resource managers, the last active one first, until one says that it is active.
func (c *Client) Active(ctx context.Context) (*rest.Client, Info, error) {
	var errs []error
	for i := range c.managers {
		n := (c.active + i) % len(c.managers)
		rm := c.managers[n]
		var answer struct {
			ClusterInfo Info `json:"clusterInfo"`
		}
		date, err := rm.Get(ctx, clusterRequest("info"), &answer)
		switch {
		case err != nil:
			errs = append(errs, err)
		case answer.ClusterInfo.HAState != "ACTIVE":
			errs = append(errs, fmt.Errorf("%s: resource manager %s is %q, not ACTIVE", rm.Source(), rm.Endpoint(), answer.ClusterInfo.HAState))
		default:
			c.active = n
			answer.ClusterInfo.Now = date
			return rm, answer.ClusterInfo, nil
		}
	}
	return nil, Info{}, errors.Join(errs...)
}

// runningStates are the states of applications that have not ended.
const (
	runningStates  = "NEW,NEW_SAVING,SUBMITTED,ACCEPTED,RUNNING"
	finishedStates = "FINISHED,FAILED,KILLED"
)

// Running lists the Spark applications that have not ended.
func Running(ctx context.Context, rm *rest.Client) ([]App, error) {
	return apps(ctx, rm, "SPARK", url.Values{"states": {runningStates}})
}

// RunningMapReduce lists the MapReduce applications that have not ended.
func RunningMapReduce(ctx context.Context, rm *rest.Client) ([]App, error) {
	return apps(ctx, rm, "MAPREDUCE", url.Values{"states": {runningStates}})
}

// FinishedSince lists the Spark applications that ended at or after a time on the resource manager's clock.
func FinishedSince(ctx context.Context, rm *rest.Client, since time.Time) ([]App, error) {
	return apps(ctx, rm, "SPARK", url.Values{
		"states":            {finishedStates},
		"finishedTimeBegin": {strconv.FormatInt(since.UnixMilli(), 10)},
	})
}

func apps(ctx context.Context, rm *rest.Client, applicationType string, query url.Values) ([]App, error) {
	query.Set("applicationTypes", applicationType)
	query.Set("deSelects", "resourceRequests")
	var answer struct {
		Apps struct {
			App []App `json:"app"`
		} `json:"apps"`
	}
	r := clusterRequest("apps")
	r.Query = query
	_, err := rm.Get(ctx, r, &answer)
	return answer.Apps.App, err
}

// Application reads one application.
func Application(ctx context.Context, rm *rest.Client, id string) (App, error) {
	var answer struct {
		App App `json:"app"`
	}
	r := rest.Request{Endpoint: "/ws/v1/cluster/apps/{app}", Path: []string{"ws", "v1", "cluster", "apps", id}}
	_, err := rm.Get(ctx, r, &answer)
	return answer.App, err
}

// AttemptStart reads when an attempt of an application began, in ms; 0 if the resource manager does not know it.
func AttemptStart(ctx context.Context, rm *rest.Client, id, attempt string) (int64, error) {
	var answer struct {
		Attempts struct {
			Attempt []struct {
				ID        int   `json:"id"`
				StartTime int64 `json:"startTime"`
			} `json:"appAttempt"`
		} `json:"appAttempts"`
	}
	r := rest.Request{Endpoint: "/ws/v1/cluster/apps/{app}/appattempts", Path: []string{"ws", "v1", "cluster", "apps", id, "appattempts"}}
	if _, err := rm.Get(ctx, r, &answer); err != nil {
		return 0, err
	}
	for _, a := range answer.Attempts.Attempt {
		if strconv.Itoa(a.ID) == attempt {
			return a.StartTime, nil
		}
	}
	return 0, nil
}

// Metrics reads the figures of the whole cluster.
func Metrics(ctx context.Context, rm *rest.Client) (ClusterMetrics, error) {
	var answer struct {
		ClusterMetrics ClusterMetrics `json:"clusterMetrics"`
	}
	_, err := rm.Get(ctx, clusterRequest("metrics"), &answer)
	return answer.ClusterMetrics, err
}

// Queues reads the scheduler's queues, each with its full path, parents before children.
func Queues(ctx context.Context, rm *rest.Client) ([]Queue, error) {
	var answer struct {
		Scheduler struct {
			Info schedulerInfo `json:"schedulerInfo"`
		} `json:"scheduler"`
	}
	_, err := rm.Get(ctx, clusterRequest("scheduler"), &answer)
	if err != nil {
		return nil, err
	}
	return answer.Scheduler.Info.flatten(), nil
}

// Nodes reads the nodes, those included that were lost.
func Nodes(ctx context.Context, rm *rest.Client) ([]Node, error) {
	var answer struct {
		Nodes struct {
			Node []Node `json:"node"`
		} `json:"nodes"`
	}
	_, err := rm.Get(ctx, clusterRequest("nodes"), &answer)
	return answer.Nodes.Node, err
}

func clusterRequest(what string) rest.Request {
	return rest.Request{Endpoint: "/ws/v1/cluster/" + what, Path: []string{"ws", "v1", "cluster", what}}
}
