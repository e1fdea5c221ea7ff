package sparkmodelreceiver

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"go.uber.org/multierr"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/discover"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/emit"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/mapreduce"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
)

const (
	// endedPerPoll bounds the jobs that are read from the JobHistory server in one poll: each is a file that it loads.
	endedPerPoll = 50
	// endedAttempts is how often reading a job that has ended is tried.
	endedAttempts = 5
	// tasksInterval is the least time between two readings of a running job's tasks, all of which are listed each time.
	tasksInterval = 30 * time.Second
	// maxCounters bounds the counters of a job that get data points.
	maxCounters = 200
)

// mapReduceSource finds and reads MapReduce jobs: those that run behind YARN's proxy, those that have ended at the
// JobHistory server.
type mapReduceSource struct {
	r        *sparkModelReceiver
	counters mapreduce.Selection
	maxTasks int64
	// yarn is nil where no resource manager is configured, finder and history where no JobHistory server is.
	yarn    *discover.YARN
	finder  *discover.EndedJobs
	history mapreduce.API

	running map[string]*runningJob
	ended   map[string]*endedJob
	// over holds when jobs ended that are done with, for as long as the server may list them again.
	over map[string]time.Time
}

// runningJob is a job of a running application, by whose id it is kept.
type runningJob struct {
	emit.MapReduceJob
	// tasksRead is when its tasks were read; zero if never.
	tasksRead time.Time
	// fresh tells whether the job was read in this poll.
	fresh bool
}

// endedJob is a job that has ended, until that was delivered often enough.
type endedJob struct {
	emit.MapReduceJob
	read      bool
	attempts  int
	farewells int
}

func newMapReduceSource(r *sparkModelReceiver, cfg *MapReduceConfig, finder *discover.YARN) (*mapReduceSource, error) {
	counters, err := mapreduce.Select(cfg.Counters)
	if err != nil {
		return nil, err
	}
	s := &mapReduceSource{
		r: r, counters: counters, maxTasks: int64(cfg.MaxTasks), yarn: finder,
		running: map[string]*runningJob{}, ended: map[string]*endedJob{}, over: map[string]time.Time{},
	}
	if r.servers.jobHistory != nil {
		s.history = mapreduce.History(r.servers.jobHistory)
		s.finder = discover.NewEndedJobs(s.history)
	}
	return s, nil
}

func (*mapReduceSource) name() string { return sourceMapReduce }

func (s *mapReduceSource) look(ctx context.Context) {
	var group sync.WaitGroup
	group.Go(func() { s.lookAtRunning(ctx) })
	group.Go(func() { s.lookAtEnded(ctx) })
	group.Wait()
}

// lookAtRunning reads the jobs that run now, of the resource manager that was active at the last poll.
func (s *mapReduceSource) lookAtRunning(ctx context.Context) {
	for _, job := range s.running {
		job.fresh = false
	}
	if s.yarn == nil {
		return
	}
	rm := s.yarn.Manager()
	if rm == nil {
		return
	}
	applications, err := discover.RunningMapReduce(ctx, rm)
	if !s.r.answered(ctx, sourceMapReduce+" running", err) {
		return
	}
	before := s.running
	s.running = map[string]*runningJob{}
	var group errgroup.Group
	group.SetLimit(readers)
	for i := range applications {
		app := &applications[i]
		if !s.r.filter.Watches(app) {
			s.r.skipped.Add(1)
			continue
		}
		job := cmp.Or(before[app.Key.ID], &runningJob{})
		s.running[app.Key.ID] = job
		group.Go(func() error {
			if err := s.readRunning(ctx, rm, app, job); err != nil {
				// As with any application that starts or ends: a page, a redirect, or nothing. YARN will tell.
				s.r.set.Logger.Debug("a MapReduce job can't be read", zap.String("application", app.Key.ID), zap.Error(err))
			}
			return nil
		})
	}
	_ = group.Wait() // each job's error was logged
}

func (s *mapReduceSource) readRunning(ctx context.Context, rm *rest.Client, app *discover.Application, into *runningJob) error {
	api := mapreduce.Running(rm, app.Key.ID)
	jobs, err := api.Jobs(ctx)
	// What answers is a program of whoever submitted the job: it tells of its own job alone.
	i := slices.IndexFunc(jobs, func(j mapreduce.Job) bool { return j.Application() == app.Key.ID })
	if err != nil || i < 0 {
		return err
	}
	into.Job = jobs[i]
	into.SubmitTime = cmp.Or(into.SubmitTime, max(0, app.Submitted.UnixMilli()))
	into.fresh = true
	if err := s.readCounters(ctx, api, &into.MapReduceJob); err != nil {
		return err
	}
	if now := s.r.now(); now.Sub(into.tasksRead) >= tasksInterval {
		into.tasksRead = now
		return s.readTasks(ctx, api, &into.MapReduceJob)
	}
	into.Maps.Running, into.Maps.Progress, into.Reduces.Running, into.Reduces.Progress = nil, nil, nil, nil
	return nil
}

// lookAtEnded reads the jobs that have ended since the last poll, each once.
func (s *mapReduceSource) lookAtEnded(ctx context.Context) {
	if s.finder == nil {
		return
	}
	found, err := s.finder.Find(ctx)
	s.r.answered(ctx, sourceMapReduce, err)
	for i := range found {
		job := &found[i]
		_, known := s.ended[job.ID]
		_, done := s.over[job.ID]
		if !known && !done && s.r.filter.Selects(job, "") {
			s.ended[job.ID] = &endedJob{MapReduceJob: emit.MapReduceJob{Job: *job}}
		}
	}
	for id, finished := range s.over {
		if finished.Before(s.finder.Since()) {
			delete(s.over, id)
		}
	}
	var group errgroup.Group
	group.SetLimit(historyConcurrency)
	for _, job := range s.unread() {
		group.Go(func() error {
			s.readEnded(ctx, job)
			return nil
		})
	}
	_ = group.Wait() // each job's error was logged
}

// unread returns jobs that have ended and were not read, the oldest first, at most endedPerPoll.
func (s *mapReduceSource) unread() []*endedJob {
	var list []*endedJob
	for _, job := range s.ended {
		if !job.read {
			list = append(list, job)
		}
	}
	slices.SortFunc(list, func(a, b *endedJob) int {
		return cmp.Or(cmp.Compare(a.FinishTime, b.FinishTime), cmp.Compare(a.ID, b.ID))
	})
	return list[:min(len(list), endedPerPoll)]
}

// readEnded reads a job that has ended. What can't be read is tried again, and at last emitted as the list has it.
func (s *mapReduceSource) readEnded(ctx context.Context, job *endedJob) {
	whole, err := s.history.Job(ctx, job.ID)
	if err == nil {
		job.Job = whole
		err = multierr.Append(s.readCounters(ctx, s.history, &job.MapReduceJob), s.readTasks(ctx, s.history, &job.MapReduceJob))
	}
	if ctx.Err() != nil {
		return
	}
	job.attempts++
	job.read = err == nil || job.attempts >= endedAttempts
	if job.read && err != nil {
		s.r.set.Logger.Warn("the JobHistory server does not tell all of a MapReduce job that has ended", zap.String("job", job.ID), zap.Error(err))
	}
}

func (s *mapReduceSource) readCounters(ctx context.Context, api mapreduce.API, job *emit.MapReduceJob) error {
	if len(s.counters) == 0 || !s.r.cfg.MetricsBuilderConfig.Metrics.MapreduceJobCounter.Enabled {
		return nil
	}
	counters, err := api.Counters(ctx, job.ID)
	job.Counters = s.counters.Of(counters, maxCounters)
	return err
}

func (s *mapReduceSource) readTasks(ctx context.Context, api mapreduce.API, job *emit.MapReduceJob) error {
	m := s.r.cfg.MetricsBuilderConfig.Metrics
	wanted := m.MapreduceJobTaskDuration.Enabled || m.MapreduceJobTaskRunningDuration.Enabled || m.MapreduceJobTaskProgress.Enabled
	if !wanted || job.Tasks() > s.maxTasks {
		return nil
	}
	tasks, err := api.Tasks(ctx, job.ID)
	if err != nil {
		return err
	}
	job.Maps, job.Reduces = mapreduce.Summarize(tasks, "MAP"), mapreduce.Summarize(tasks, "REDUCE")
	return nil
}

func (s *mapReduceSource) handOver() {
	for _, job := range s.running {
		// One that has ended is told of by the JobHistory server, if there is one.
		if _, ended := s.ended[job.ID]; job.fresh && !ended {
			s.r.builder.MapReduce(&job.MapReduceJob)
		}
	}
	for _, job := range s.ended {
		if job.read {
			s.r.builder.MapReduce(&job.MapReduceJob)
		}
	}
}

func (s *mapReduceSource) delivered() {
	for id, job := range s.ended {
		if !job.read {
			continue
		}
		job.farewells++
		if job.farewells == farewells {
			delete(s.ended, id)
			s.over[id] = time.UnixMilli(job.FinishTime)
		}
	}
}

// since returns the moment before which no job has ended whose end was not delivered.
func (s *mapReduceSource) since() time.Time {
	if s.finder == nil {
		return time.Time{}
	}
	since := s.finder.Since()
	for _, job := range s.ended {
		if finished := time.UnixMilli(job.FinishTime); finished.Before(since) {
			since = finished
		}
	}
	return since
}

func (s *mapReduceSource) resume(since time.Time) {
	if s.finder != nil {
		s.finder.Resume(since)
	}
}
