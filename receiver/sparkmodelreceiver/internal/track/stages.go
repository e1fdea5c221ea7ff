package track

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
)

// StageKey identifies an attempt of a stage in an application.
type StageKey struct{ ID, Attempt int }

// Stage is what is known of an attempt of a stage.
type Stage struct {
	spark.Stage
	// Now is the time on the server's clock when the stage was read.
	Now time.Time
	// taskTime estimates for how long tasks have run, those that run included, in ms.
	taskTime int64
	// Longest is the task that has run longest of those that run, nil where none was asked for.
	Longest *RunningTask
	// Failures are a few of the tasks that failed. Detailed tells that they and the tasks' quantiles were read, where the
	// stage is worth it.
	Failures []spark.Task
	// Slowest are the tasks that ran longest, the longest first; only of an attempt that lasted.
	Slowest  []spark.Task
	Detailed bool
}

// RunningTask is a task that has not ended.
type RunningTask struct {
	Duration      time.Duration
	BytesRead     int64
	MemorySpilled int64
}

// Key identifies the stage.
func (s *Stage) Key() StageKey { return StageKey{s.ID, s.Attempt} }

// LostTasks tells whether any of Failures was lost with its executor. What such a task had done by its last heartbeat is in
// the sums that the driver tells of the attempt, but not in those of the History Server: the event log has no heartbeats.
func (s *Stage) LostTasks() bool {
	return slices.ContainsFunc(s.Failures, func(t spark.Task) bool { return strings.Contains(t.ErrorMessage, "ExecutorLostFailure") })
}

// Until returns when the stage ended, or the time on the server's clock when it was read.
func (s *Stage) Until() time.Time {
	if s.CompletionTime.IsZero() {
		return s.Now
	}
	return s.CompletionTime.Time
}

// Duration is the time since the stage was submitted, until its end or now; 0 is unknown.
func (s *Stage) Duration() time.Duration {
	if s.SubmissionTime.IsZero() || s.Until().Before(s.SubmissionTime.Time) {
		return 0
	}
	return s.Until().Sub(s.SubmissionTime.Time)
}

// maxRetries bounds how many attempts beyond the first are remembered of one application.
const maxRetries = 10_000

type stages struct {
	active map[StageKey]*Stage
	// resolved holds the stages whose first attempt was counted, or which were skipped or forgotten by Spark.
	resolved resolved
	// retries holds the attempts beyond the first that were counted.
	retries map[StageKey]struct{}
	// unread are stages whose end is to be read.
	unread map[int]struct{}
	ended  Totals
	// failed holds attempts that failed, which are in no total of ended: tasks of theirs that go on fail later.
	failed map[StageKey]*Stage
	// undelivered are stages that have ended and whose last figures have not been accepted downstream.
	undelivered []*Stage
}

func newStages() stages {
	return stages{active: map[StageKey]*Stage{}, retries: map[StageKey]struct{}{}, unread: map[int]struct{}{}, failed: map[StageKey]*Stage{}}
}

func (s *stages) isActive(id int) bool {
	for key := range s.active {
		if key.ID == id {
			return true
		}
	}
	return false
}

func (s *stages) counted(key StageKey) bool {
	if key.Attempt == 0 {
		return s.resolved.has(key.ID)
	}
	_, ok := s.retries[key]
	return ok
}

func (s *stages) count(key StageKey) {
	s.resolved.add(key.ID)
	if key.Attempt > 0 && len(s.retries) < maxRetries {
		s.retries[key] = struct{}{}
	}
}

func (s *stages) expect(ids ...int) {
	for _, id := range ids {
		s.unread[id] = struct{}{}
	}
}

// ListStages records the first listing of stages.
func (a *Application) ListStages(list []spark.Stage, now time.Time) {
	lowest := -1
	for i := range list {
		if id := list[i].ID; lowest < 0 || id < lowest {
			lowest = id
		}
	}
	a.stages.resolved.raise(lowest)
	if lowest > 0 {
		a.timeline.evictedStages += int64(lowest)
		a.timeline.beginningForgotten = true
	}
	sortByAttempt(list)
	for i := range list {
		if list[i].Status == spark.StatusSkipped {
			a.stages.resolved.add(list[i].ID)
			continue
		}
		a.ObserveStage(&list[i], now)
	}
}

// ObserveActiveStages records a listing of the active attempts. Those that were active and are no more become unread.
func (a *Application) ObserveActiveStages(list []spark.Stage, now time.Time) {
	active := make(map[StageKey]struct{}, len(list))
	for i := range list {
		active[StageKey{list[i].ID, list[i].Attempt}] = struct{}{}
		a.ObserveStage(&list[i], now)
	}
	for key := range a.stages.active {
		if _, ok := active[key]; !ok {
			a.stages.expect(key.ID)
		}
	}
}

// UnreadStages returns the ids of the stages whose end is to be read.
func (a *Application) UnreadStages() []int { return slices.Sorted(maps.Keys(a.stages.unread)) }

// ObserveStageAttempts records all attempts of a stage that was unread; there are none if Spark no longer has it.
func (a *Application) ObserveStageAttempts(id int, attempts []spark.Stage, now time.Time) {
	delete(a.stages.unread, id)
	listed := make(map[StageKey]struct{}, len(attempts))
	sortByAttempt(attempts)
	for i := range attempts {
		listed[StageKey{id, attempts[i].Attempt}] = struct{}{}
		a.ObserveStage(&attempts[i], now)
	}
	for key, s := range a.stages.active {
		if _, ok := listed[key]; key.ID == id && !ok {
			a.stages.ended.addStage(&s.Stage)
			a.timeline.evictedStages++
			delete(a.stages.active, key)
		}
	}
	if !a.stages.isActive(id) {
		a.stages.resolved.add(id)
	}
}

// ObserveStage records an attempt of a stage. An attempt is counted once, at its end; of one that failed, the last that
// is told counts.
func (a *Application) ObserveStage(s *spark.Stage, now time.Time) {
	key := StageKey{s.ID, s.Attempt}
	if a.stages.counted(key) {
		if known := a.stages.failed[key]; known != nil && s.Ended() {
			quantiles := known.TaskMetrics
			raiseStage(s, &known.Stage)
			known.Stage = *s
			known.TaskMetrics = quantiles
		}
		return
	}
	if before := a.stages.active[key]; before != nil {
		raiseStage(s, &before.Stage)
	}
	a.timeline.observeStage(s)
	a.results.accumulate(s)
	switch s.Status {
	case spark.StatusActive:
		active := &Stage{Stage: *s, Now: now}
		active.estimateTaskTime(a.stages.active[key])
		a.stages.active[key] = active
	case spark.StatusComplete, spark.StatusFailed:
		delete(a.stages.active, key)
		a.stages.count(key)
		ended := &Stage{Stage: *s, Now: now}
		if s.Status == spark.StatusComplete {
			a.stages.ended.StagesCompleted++
		} else {
			a.stages.ended.StagesFailed++
		}
		if s.Status == spark.StatusFailed && len(a.stages.failed) < maxRetries {
			a.stages.failed[key] = ended
		} else {
			a.stages.ended.addStage(s)
		}
		a.stages.undelivered = append(a.stages.undelivered, ended)
		a.endings.stageEnded(ended)
	}
}

// stageSums are the sums over the tasks of an attempt.
func stageSums(s *spark.Stage) [26]*int64 {
	return [...]*int64{
		&s.CompleteTasks, &s.FailedTasks, &s.KilledTasks, &s.Speculation.Tasks,
		&s.ExecutorDeserializeTime, &s.ResultSerializationTime, &s.ResultSize, &s.ExecutorRunTime, &s.ExecutorCPUTime, &s.JVMGCTime,
		&s.MemoryBytesSpilled, &s.DiskBytesSpilled, &s.InputBytes, &s.InputRecords, &s.OutputBytes, &s.OutputRecords,
		&s.ShuffleRemoteBlocksFetched, &s.ShuffleLocalBlocksFetched, &s.ShuffleRemoteBytesToDisk, &s.ShuffleFetchWaitTime,
		&s.ShuffleRemoteBytesRead, &s.ShuffleLocalBytesRead, &s.ShuffleReadRecords,
		&s.ShuffleWriteBytes, &s.ShuffleWriteTime, &s.ShuffleWriteRecords,
	}
}

// raiseStage lifts the sums of an attempt to what they were before: the History Server does not know what tasks that were
// lost with their executor had done by their last heartbeat.
func raiseStage(s, before *spark.Stage) {
	was := stageSums(before)
	for i, sum := range stageSums(s) {
		*sum = max(*sum, *was[i])
	}
}

// ActiveStages returns the attempts that run, the longest first.
func (a *Application) ActiveStages() []*Stage {
	list := make([]*Stage, 0, len(a.stages.active))
	for _, s := range a.stages.active {
		list = append(list, s)
	}
	sortByDuration(list)
	return list
}

// LongActiveStages returns the attempts that have run for at least the given time: at most limit, the longest.
func (a *Application) LongActiveStages(atLeast time.Duration, limit int) []*Stage {
	list := slices.DeleteFunc(a.ActiveStages(), func(s *Stage) bool { return s.Duration() < atLeast })
	return list[:min(len(list), limit)]
}

// EndedStages returns the attempts that ended after at least the given time and wait to be delivered: at most limit,
// the longest. The others are dropped: they are in the totals.
func (a *Application) EndedStages(atLeast time.Duration, limit int) []*Stage {
	a.stages.undelivered = slices.DeleteFunc(a.stages.undelivered, func(s *Stage) bool { return s.Duration() < atLeast })
	sortByDuration(a.stages.undelivered)
	if len(a.stages.undelivered) > limit {
		a.stages.undelivered = a.stages.undelivered[:limit]
	}
	return a.stages.undelivered
}

// UndeliveredStages returns the attempts that have ended and wait to be delivered.
func (a *Application) UndeliveredStages() []*Stage { return a.stages.undelivered }

// ActiveTasks is how many tasks of active stages run.
func (a *Application) ActiveTasks() int64 {
	var n int64
	for _, s := range a.stages.active {
		n += s.ActiveTasks
	}
	return n
}

// sortByAttempt puts a stage's attempts in their order: once a later one was counted, the first is known to be.
func sortByAttempt(list []spark.Stage) {
	slices.SortFunc(list, func(x, y spark.Stage) int { return cmp.Compare(x.Attempt, y.Attempt) })
}

func sortByDuration(list []*Stage) {
	slices.SortFunc(list, func(x, y *Stage) int {
		return cmp.Or(cmp.Compare(y.Duration(), x.Duration()), cmp.Compare(x.ID, y.ID), cmp.Compare(x.Attempt, y.Attempt))
	})
}
