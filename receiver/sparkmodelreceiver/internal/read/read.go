// Package read asks an application's Spark REST API for what has changed since the last time, and hands it to track.
// Its requests grow with what is new, never with how long the application has lived.
package read

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"go.uber.org/multierr"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

// Reader reads applications.
type Reader struct {
	// Metrics and Logs tell that somebody wants them. What spans need is read of applications that follow endings for them.
	Metrics, Logs bool
	// Wanted tells which of the metrics that cost requests of their own are wanted.
	Wanted Wanted
	// DriverMetricsInterval is how often the driver's metrics are read though no job has ended.
	DriverMetricsInterval time.Duration
	// MinStageDuration is how long a stage must have lasted to be worth requests of its own.
	MinStageDuration time.Duration
	// MaxStages bounds how many stages of an application get requests of their own in one poll.
	MaxStages int
	// Namer finds the model of an application.
	Namer track.ModelNamer
}

// Wanted tells which metrics are wanted that cost requests of their own.
type Wanted struct {
	// SQL is what is told of SQL executions, Driver what the driver's metrics system shows, Storage what is cached, and
	// DStreams are their statistics.
	SQL, Driver, Storage, DStreams bool
}

// Running reads what is new of an application that runs.
func (r *Reader) Running(ctx context.Context, app *track.Application, ui spark.App, tags string) error {
	r.follow(app)
	if err := r.version(ctx, app, ui); err != nil {
		return err
	}
	if err := r.properties(ctx, app, ui, tags); err != nil {
		return err
	}
	if err := r.jobsAndStages(ctx, app, ui); err != nil {
		return err
	}
	err := r.longStages(ctx, app, ui)
	if (r.Metrics || r.Logs) && app.ExecutorsDue() {
		err = multierr.Append(err, r.executors(ctx, app, ui))
	}
	var driverErr error
	if r.Metrics {
		driverErr = r.driver(ctx, app, ui)
	}
	err = multierr.Append(err, r.endings(ctx, app, ui, maxDetails))
	if err == nil && driverErr != nil {
		return &partialError{driverErr}
	}
	return multierr.Append(err, driverErr)
}

// partialError is why some of what only a running driver tells is missing.
type partialError struct{ error }

func (e *partialError) Error() string {
	return "only figures of the driver itself are missing: " + e.error.Error()
}

func (e *partialError) Unwrap() error { return e.error }

// UpToDate tells, of an error of Running or of none, whether nothing is missing but what only a running driver tells: its
// metrics, what is cached, DStreams.
func UpToDate(err error) bool {
	var partial *partialError
	return err == nil || errors.As(err, &partial)
}

// driver reads what only a running driver tells.
func (r *Reader) driver(ctx context.Context, app *track.Application, ui spark.App) error {
	var errs error
	if r.Wanted.Storage && app.StorageDue() {
		rdds, err := ui.Storage(ctx)
		if err == nil {
			app.ObserveStorage(rdds)
		}
		errs = multierr.Append(errs, err)
	}
	if r.Wanted.DStreams && app.DStreamsDue() {
		statistics, err := ui.DStreams(ctx)
		if err == nil {
			app.ObserveDStreams(&statistics)
		}
		errs = multierr.Append(errs, err)
	}
	if r.Wanted.Driver && app.DriverMetricsDue(r.DriverMetricsInterval) {
		metrics, err := ui.DriverMetrics(ctx)
		switch {
		case err == nil, rest.IsNotFound(err): // the metrics servlet can be switched off
			app.ObserveDriverMetrics(&metrics)
		default:
			errs = multierr.Append(errs, err)
		}
	}
	if errs != nil {
		app.ForgetDriver()
	}
	return errs
}

// Ended reads the rest of an application that has ended, from the History Server.
func (r *Reader) Ended(ctx context.Context, app *track.Application, history spark.App, tags string) error {
	r.follow(app)
	if err := r.properties(ctx, app, history, tags); err != nil {
		return err
	}
	if err := r.jobsAndStages(ctx, app, history); err != nil {
		return err
	}
	err := r.longStages(ctx, app, history)
	if r.Metrics || r.Logs || app.Spans() != nil {
		all, xerr := history.AllExecutors(ctx)
		if xerr == nil {
			app.ObserveAllExecutors(all)
		}
		err = multierr.Append(err, xerr)
	}
	return multierr.Append(err, r.endings(ctx, app, history, math.MaxInt))
}

// follow makes the application keep what metrics want of it.
func (r *Reader) follow(app *track.Application) {
	if r.Metrics && r.Wanted.SQL {
		app.CountExecutions()
	}
}

// version asks what discovery did not tell.
func (*Reader) version(ctx context.Context, app *track.Application, ui spark.App) error {
	if app.SparkVersion != "" {
		return nil
	}
	info, err := ui.Info(ctx)
	if err == nil && len(info.Attempts) > 0 {
		app.SparkVersion = info.Attempts[0].SparkVersion
		app.DriverStarted = info.Attempts[0].StartTime.Time
		if app.Submitted.IsZero() {
			app.Submitted = info.Attempts[0].StartTime.Time
		}
	}
	return err
}

func (r *Reader) properties(ctx context.Context, app *track.Application, ui spark.App, tags string) error {
	if app.Settings != nil {
		return nil
	}
	properties, err := ui.Properties(ctx)
	if err != nil {
		return err
	}
	app.Configure(r.Namer, tags, properties)
	return nil
}

func (r *Reader) jobsAndStages(ctx context.Context, app *track.Application, ui spark.App) error {
	if !app.SawUI() {
		return r.list(ctx, app, ui)
	}
	running, err := ui.Jobs(ctx, "running")
	if err != nil {
		return err
	}
	for _, id := range app.VanishedJobs(running) {
		if err := r.job(ctx, app, ui, id); err != nil {
			return err
		}
	}
	if err := r.newJobs(ctx, app, ui, running); err != nil {
		return err
	}
	if len(running) > 0 || len(app.ActiveStages()) > 0 {
		active, now, err := ui.Stages(ctx, "active")
		if err != nil {
			return err
		}
		app.Now = now
		app.ObserveActiveStages(active, now)
	}
	return r.unreadStages(ctx, app, ui)
}

// list reads everything that Spark still has, once.
func (r *Reader) list(ctx context.Context, app *track.Application, ui spark.App) error {
	stages, now, err := ui.Stages(ctx, "")
	if err != nil {
		return err
	}
	jobs, err := ui.Jobs(ctx, "")
	if err != nil {
		return err
	}
	app.Now = now
	app.ListStages(stages, now)
	app.ListJobs(jobs)
	return nil
}

// maxNewJobs bounds the new jobs of an application that are read in one poll; the others are read in the next.
const maxNewJobs = 1000

// newJobs asks for the next job until there is none.
func (r *Reader) newJobs(ctx context.Context, app *track.Application, ui spark.App, running []spark.Job) error {
	known := make(map[int]*spark.Job, len(running))
	newest := -1
	for i := range running {
		known[running[i].ID] = &running[i]
		newest = max(newest, running[i].ID)
	}
	for range maxNewJobs {
		id := app.NextJob()
		if job, ok := known[id]; ok {
			app.ObserveJob(job)
			continue
		}
		job, err := ui.Job(ctx, id)
		switch {
		case err == nil && job.ID != id:
			return fmt.Errorf("asked for job %d, the answer is job %d", id, job.ID)
		case err == nil:
			app.ObserveJob(&job)
		case spark.IsUnknown(err) && id < newest:
			app.ForgetJob(id)
		case spark.IsUnknown(err):
			return nil
		default:
			return err
		}
	}
	return nil
}

func (r *Reader) job(ctx context.Context, app *track.Application, ui spark.App, id int) error {
	job, err := ui.Job(ctx, id)
	switch {
	case err == nil:
		app.ObserveJob(&job)
	case spark.IsUnknown(err):
		app.ForgetJob(id)
	default:
		return err
	}
	return nil
}

func (r *Reader) unreadStages(ctx context.Context, app *track.Application, ui spark.App) error {
	var errs error
	for _, id := range app.UnreadStages() {
		attempts, err := ui.StageAttempts(ctx, id)
		if err != nil && !spark.IsUnknown(err) {
			errs = multierr.Append(errs, err)
			continue
		}
		app.ObserveStageAttempts(id, attempts, app.Now)
	}
	return errs
}

// longStages reads the tasks' quantiles of stages that have lasted long enough, and the tasks that hold up an active one.
func (r *Reader) longStages(ctx context.Context, app *track.Application, ui spark.App) error {
	if !r.Metrics {
		return nil
	}
	var errs error
	for _, s := range app.EndedStages(r.MinStageDuration, r.MaxStages) {
		if s.TaskMetrics != nil {
			continue
		}
		full, err := ui.StageAttempt(ctx, s.ID, s.Attempt)
		if err != nil {
			errs = multierr.Append(errs, err)
			continue
		}
		app.ObserveTaskMetrics(s, full.TaskMetrics)
	}
	for _, s := range app.LongActiveStages(r.MinStageDuration, r.MaxStages) {
		if s.CompleteTasks > 0 {
			full, err := ui.StageAttempt(ctx, s.ID, s.Attempt)
			if err != nil {
				errs = multierr.Append(errs, err)
				continue
			}
			app.ObserveTaskMetrics(s, full.TaskMetrics)
		}
		tasks, now, err := ui.RunningTasks(ctx, s.ID, s.Attempt)
		if err != nil {
			errs = multierr.Append(errs, err)
			continue
		}
		s.Longest = longest(tasks, now)
	}
	return errs
}

// longest returns the task that was launched first.
func longest(tasks []spark.Task, now time.Time) *track.RunningTask {
	var first *spark.Task
	for i := range tasks {
		t := &tasks[i]
		if !t.LaunchTime.IsZero() && (first == nil || t.LaunchTime.Before(first.LaunchTime.Time)) {
			first = t
		}
	}
	if first == nil || now.Before(first.LaunchTime.Time) {
		return nil
	}
	return &track.RunningTask{
		Duration:      now.Sub(first.LaunchTime.Time),
		BytesRead:     first.BytesRead(),
		MemorySpilled: first.Metrics.MemoryBytesSpilled,
	}
}

// maxDetails bounds the ended stages of a running application whose details are read in one poll; those of the others
// are read in the next.
const maxDetails = 100

// endings reads what spans show of jobs and stages that have ended, and of the SQL executions that they were part of.
func (r *Reader) endings(ctx context.Context, app *track.Application, ui spark.App, limit int) error {
	var errs error
	for _, s := range app.UndetailedStages() {
		switch long := s.CompleteTasks > 0 && s.Duration() >= r.MinStageDuration; {
		case !long && s.FailedTasks == 0:
			s.Detailed = true
		case limit > 0:
			limit--
			errs = multierr.Append(errs, details(ctx, app, ui, s, long))
		}
	}
	if app.NeedsExecutions() {
		errs = multierr.Append(errs, executions(ctx, app, ui))
	}
	errs = multierr.Append(errs, r.plans(ctx, app, ui, limit))
	app.SettleEndings()
	return errs
}

// plans reads the plans of the SQL executions that have lasted long enough: of those that run at each poll, of those that
// have ended once.
func (r *Reader) plans(ctx context.Context, app *track.Application, ui spark.App, limit int) error {
	var list []*track.Execution
	if r.Metrics && r.Wanted.SQL {
		list = append(app.LongActiveExecutions(r.MinStageDuration, r.MaxStages), app.EndedExecutions(r.MinStageDuration, r.MaxStages)...)
	}
	for _, e := range app.UndetailedExecutions() {
		if e.DurationAt(app.Now) < r.MinStageDuration {
			e.Detailed = true
		}
		list = append(list, e)
	}
	var errs error
	for _, e := range list {
		if e.Detailed {
			continue
		}
		if limit--; limit < 0 {
			break
		}
		full, err := ui.Execution(ctx, e.ID)
		if err != nil && !spark.IsUnknown(err) {
			errs = multierr.Append(errs, err)
			continue
		}
		app.ObservePlan(e, &full)
	}
	return errs
}

// details reads, of an attempt that has ended, some of its failed tasks and, if it was long, quantiles and the slowest.
func details(ctx context.Context, app *track.Application, ui spark.App, s *track.Stage, long bool) error {
	if long && s.TaskMetrics == nil {
		full, err := ui.StageAttempt(ctx, s.ID, s.Attempt)
		if err != nil && !spark.IsUnknown(err) {
			return err
		}
		app.ObserveTaskMetrics(s, full.TaskMetrics)
	}
	if s.FailedTasks > 0 {
		failures, err := ui.FailedTasks(ctx, s.ID, s.Attempt)
		if err != nil && !spark.IsUnknown(err) {
			return err
		}
		s.Failures = failures
	}
	if long {
		tasks, err := ui.SlowestTasks(ctx, s.ID, s.Attempt)
		if err != nil && !spark.IsUnknown(err) {
			return err
		}
		s.Slowest = standingOut(tasks)
	}
	s.Detailed = true
	return nil
}

// standingOut returns the tasks that ran longer than the last of a full list: with whom it ties, and so who is last, is
// for every reader another.
func standingOut(slowest []spark.Task) []spark.Task {
	if len(slowest) < spark.SlowestTasks {
		return slowest
	}
	last := slowest[len(slowest)-1].Metrics.RunTime
	for i := range slowest {
		if slowest[i].Metrics.RunTime <= last {
			return slowest[:i]
		}
	}
	return slowest
}

func executions(ctx context.Context, app *track.Application, ui spark.App) error {
	for from, more := app.ExecutionsOffset(), true; more; {
		list, err := ui.Executions(ctx, from)
		if err != nil {
			return err
		}
		from, more = app.ObserveExecutions(list, from)
	}
	return nil
}

// executors lists those that are alive; all of them only when one has gone.
func (r *Reader) executors(ctx context.Context, app *track.Application, ui spark.App) error {
	alive, err := ui.Executors(ctx)
	if err != nil {
		return err
	}
	if !app.NeedsAllExecutors(alive) {
		app.ObserveExecutors(alive)
		return nil
	}
	all, err := ui.AllExecutors(ctx)
	if err != nil {
		return err
	}
	app.ObserveAllExecutors(all)
	return nil
}
