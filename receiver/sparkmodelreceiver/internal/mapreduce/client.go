// Package mapreduce reads MapReduce jobs: one that runs from its application master behind YARN's proxy, one that has
// ended from the JobHistory server. It has a method for each endpoint that the receiver uses and holds no state.
package mapreduce

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
)

// API is the REST API of an application master or of a JobHistory server.
type API struct {
	server *rest.Client
	prefix []string
}

// Running returns the API of a running application's master behind the resource manager's proxy.
func Running(rm *rest.Client, applicationID string) API {
	return API{server: rm, prefix: []string{"proxy", applicationID, "ws", "v1", "mapreduce", "jobs"}}
}

// History returns the API of a JobHistory server.
func History(server *rest.Client) API {
	return API{server: server, prefix: []string{"ws", "v1", "history", "mapreduce", "jobs"}}
}

// Jobs lists the jobs of an application: as a rule one.
func (a API) Jobs(ctx context.Context) ([]Job, error) {
	list, _, err := a.list(ctx, nil)
	return list, err
}

// FinishedSince lists the jobs that have finished since a moment on the server's clock, which it tells as well.
func (a API) FinishedSince(ctx context.Context, since time.Time) ([]Job, time.Time, error) {
	return a.list(ctx, url.Values{"finishedTimeBegin": {strconv.FormatInt(since.UnixMilli(), 10)}})
}

func (a API) list(ctx context.Context, query url.Values) ([]Job, time.Time, error) {
	var answer struct {
		Jobs struct {
			Job []Job `json:"job"`
		} `json:"jobs"`
	}
	date, err := a.get(ctx, "", query, &answer)
	return answer.Jobs.Job, date, err
}

// Job reads one job.
func (a API) Job(ctx context.Context, id string) (Job, error) {
	var answer struct {
		Job Job `json:"job"`
	}
	_, err := a.get(ctx, "/{job}", nil, &answer, id)
	return answer.Job, err
}

// Counters reads the counters of a job.
func (a API) Counters(ctx context.Context, id string) ([]Counter, error) {
	var answer struct {
		JobCounters struct {
			Group []struct {
				Name    string    `json:"counterGroupName"`
				Counter []Counter `json:"counter"`
			} `json:"counterGroup"`
		} `json:"jobCounters"`
	}
	if _, err := a.get(ctx, "/{job}/counters", nil, &answer, id, "counters"); err != nil {
		return nil, err
	}
	var list []Counter
	for _, group := range answer.JobCounters.Group {
		for _, counter := range group.Counter {
			counter.Group = shortGroup(group.Name)
			list = append(list, counter)
		}
	}
	return list, nil
}

// shortGroup takes the package from the name of a group that is a class of Hadoop's.
func shortGroup(name string) string {
	if strings.HasPrefix(name, "org.apache.hadoop.") {
		return name[strings.LastIndexByte(name, '.')+1:]
	}
	return name
}

// Tasks lists the tasks of a job: 0.3 kB for each.
func (a API) Tasks(ctx context.Context, id string) ([]Task, error) {
	var answer struct {
		Tasks struct {
			Task []Task `json:"task"`
		} `json:"tasks"`
	}
	_, err := a.get(ctx, "/{job}/tasks", nil, &answer, id, "tasks")
	return answer.Tasks.Task, err
}

func (a API) get(ctx context.Context, endpoint string, query url.Values, v any, elements ...string) (time.Time, error) {
	path := append(append(make([]string, 0, len(a.prefix)+len(elements)), a.prefix...), elements...)
	return a.server.Get(ctx, rest.Request{Endpoint: "/mapreduce/jobs" + endpoint, Path: path, Query: query}, v)
}
