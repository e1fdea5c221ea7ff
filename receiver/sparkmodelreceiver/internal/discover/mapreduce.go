package discover

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/mapreduce"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/yarn"
)

// Selects tells whether a MapReduce job is to be watched. The JobHistory server does not tell tags.
func (f *Filter) Selects(job *mapreduce.Job, tags string) bool {
	return f.Watches(&Application{Key: track.Key{ID: job.Application()}, Name: job.Name, User: job.User, Queue: job.Queue, Tags: tags})
}

// RunningMapReduce finds the MapReduce applications whose master answers through the resource manager's proxy.
func RunningMapReduce(ctx context.Context, rm *rest.Client) ([]Application, error) {
	list, err := yarn.RunningMapReduce(ctx, rm)
	if err != nil {
		return nil, err
	}
	var out []Application
	for i := range list {
		if list[i].HasUI() {
			out = append(out, fromYARN(&list[i], rm, time.Time{}))
		}
	}
	return out, nil
}

// never is when no job has finished: a server that is asked for what finished since then tells the time and no more.
var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// EndedJobs finds MapReduce jobs that have ended, at a JobHistory server. It is not safe for concurrent use.
type EndedJobs struct {
	api mapreduce.API
	// since is the time on the server's clock from which on jobs are asked for.
	since time.Time
}

// NewEndedJobs returns a source that reads a JobHistory server.
func NewEndedJobs(api mapreduce.API) *EndedJobs { return &EndedJobs{api: api} }

// Since returns the moment from which on the next look asks for jobs.
func (e *EndedJobs) Since() time.Time { return e.since }

// Resume makes the next look ask for the jobs that ended since a moment on the server's clock.
func (e *EndedJobs) Resume(since time.Time) { e.since = since }

// Find lists the jobs that ended since the first look, or a little before the last one: some are listed again.
func (e *EndedJobs) Find(ctx context.Context) ([]mapreduce.Job, error) {
	if e.since.IsZero() {
		_, now, err := e.api.FinishedSince(ctx, never)
		if err == nil && now.IsZero() {
			err = errors.New("mapreduce: the JobHistory server's answer has no Date header")
		}
		e.since = now
		return nil, err
	}
	jobs, now, err := e.api.FinishedSince(ctx, e.since)
	if err != nil {
		return nil, err
	}
	jobs = slices.DeleteFunc(jobs, func(j mapreduce.Job) bool { return j.FinishTime < e.since.UnixMilli() })
	e.since = latest(e.since, now.Add(-overlap))
	return jobs, nil
}
