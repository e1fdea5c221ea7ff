package track

import (
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
)

// timeline is when jobs and tasks ran.
type timeline struct {
	// firstJob and firstTask are when the first job was submitted and the first task launched.
	firstJob, firstTask time.Time
	// jobs covers the time in which jobs ran, working that in which stages had tasks: from the launch of their first.
	jobs, working coverage
	// evictedJobs and evictedStages are how many Spark had forgotten before they were read, and begun tells that some of
	// them were the application's first.
	evictedJobs, evictedStages int64
	beginningForgotten         bool
	// reported is the accounting that was reported last.
	reported WallTime
}

func (t *timeline) observeJob(job *spark.Job) {
	t.firstJob = earliest(t.firstJob, job.SubmissionTime.Time)
	if job.Ended() {
		t.jobs.add(job.SubmissionTime.Time, job.CompletionTime.Time)
	}
}

func (t *timeline) observeStage(s *spark.Stage) {
	t.firstTask = earliest(t.firstTask, s.FirstTaskLaunched.Time)
	if s.Ended() && !s.FirstTaskLaunched.IsZero() {
		t.working.add(s.FirstTaskLaunched.Time, s.CompletionTime.Time)
		t.jobs.add(s.FirstTaskLaunched.Time, s.CompletionTime.Time)
	}
}

// forgotten tells whether Spark had forgotten the application's first jobs or stages when it was read first: nobody
// knows then when it began to work and how long it has.
func (a *Application) forgotten() bool { return a.timeline.beginningForgotten }

// Evicted returns how many jobs and stages Spark had forgotten before they were read.
func (a *Application) Evicted() (jobs, stages int64) {
	return a.timeline.evictedJobs, a.timeline.evictedStages
}

// What an application can be at.
const (
	WallStarting = iota
	WallDriver
	WallWaiting
	WallWorking
	wallActivities
)

// WallTime is the time of a run by what the application was at.
type WallTime [wallActivities]time.Duration

// WallTime returns what Duration is made of; ok is false where that is not known. No part ever shrinks: should later
// answers take time from a part, the part stays, until the others have grown by as much.
func (a *Application) WallTime() (times WallTime, ok bool) {
	total := a.Duration()
	if total == 0 || !a.SawUI() || a.forgotten() {
		return WallTime{}, false
	}
	a.timeline.reported = a.timeline.reported.grow(a.wallTime(total))
	return a.timeline.reported, true
}

func (a *Application) wallTime(total time.Duration) (now WallTime) {
	t, end := &a.timeline, a.Submitted.Add(total)
	var openJob, openTask time.Time
	for _, job := range a.jobs.running {
		openJob = earliest(openJob, job.SubmissionTime.Time)
	}
	for _, s := range a.stages.active {
		openTask = earliest(openTask, s.FirstTaskLaunched.Time)
	}
	running := t.jobs.until(end, earliest(openJob, openTask))
	now[WallStarting] = total
	if !t.firstJob.IsZero() {
		now[WallStarting] = min(max(0, t.firstJob.Sub(a.Submitted)), total)
	}
	now[WallWorking] = min(t.working.until(end, openTask), total-now[WallStarting])
	now[WallWaiting] = min(max(0, running-now[WallWorking]), total-now[WallStarting]-now[WallWorking])
	now[WallDriver] = total - now[WallStarting] - now[WallWorking] - now[WallWaiting]
	return now
}

// grow returns times that add up to the sum of now, of which none is less than it was, and which are as near to now as
// that allows.
func (w WallTime) grow(now WallTime) WallTime {
	var growth, room time.Duration
	for i := range w {
		growth += now[i] - w[i]
		room += max(0, now[i]-w[i])
	}
	if growth <= 0 || room == 0 {
		return w
	}
	left := growth
	widest := 0
	for i := range w {
		more := max(0, now[i]-w[i])
		if more > max(0, now[widest]-w[widest]) {
			widest = i
		}
		if room > growth {
			more = time.Duration(float64(more) * (float64(growth) / float64(room)))
		}
		now[i] = w[i] + more
		left -= more
	}
	now[widest] += left // what rounding left over
	return now
}

// What cores can be held for.
const (
	CoreComputing = iota
	CoreGC
	CoreShuffleWrite
	CoreFetchWait
	CoreDeserializing
	CoreSerializing
	CoreScheduling
	CoreWasted
	CoreIdle
	coreActivities
)

// CoreTime is core-time in ms, by what cores were held for.
type CoreTime [coreActivities]int64

// CoreTime returns what executors held cores for; ok is false where that is not known.
func (a *Application) CoreTime() (times CoreTime, ok bool) {
	if !a.SawUI() || !a.executors.listed || a.forgotten() {
		return CoreTime{}, false
	}
	times = a.Totals().Core
	cpus := int64(max(1, a.Settings["spark.task.cpus"]))
	var busy int64
	for i := range times {
		times[i] *= cpus
		busy += times[i]
	}
	times[CoreIdle] = max(0, a.grantedCoreTime()-busy)
	var running int64
	for _, s := range a.stages.active {
		running += s.runningTaskTime()
	}
	running = min(running*cpus, times[CoreIdle])
	times[CoreComputing] += running
	times[CoreIdle] -= running
	return times, true
}

// estimateTaskTime estimates for how long a stage's tasks have run: as many as run now have since the stage was seen
// before.
func (s *Stage) estimateTaskTime(before *Stage) {
	since := s.FirstTaskLaunched.Time
	if before != nil {
		s.taskTime, since = before.taskTime, latest(before.Now, since)
	}
	if !since.IsZero() && s.Now.After(since) {
		s.taskTime += s.ActiveTasks * s.Now.Sub(since).Milliseconds()
	}
}

// runningTaskTime estimates for how long the tasks that run have run, in ms: Spark adds a task to the stage's run time
// only when it ends (TaskMetrics.setExecutorRunTime, 3.5 and 4.x).
func (s *Stage) runningTaskTime() int64 {
	return max(0, s.taskTime-s.ExecutorRunTime-s.ExecutorDeserializeTime-s.ResultSerializationTime)
}

// add adds what the tasks of a stage attempt did. Garbage is collected, shuffles are written and waited for within the
// tasks' run time; (de)serialization and the scheduler's delay are beside it. Of all of it, the share of the attempts
// that failed or were killed was wasted: Spark tells no sums over them alone.
func (c *CoreTime) add(s *spark.Stage) {
	var part CoreTime
	rest := s.ExecutorRunTime
	within := func(i int, v int64) {
		part[i] = min(max(0, v), rest)
		rest -= part[i]
	}
	within(CoreGC, s.JVMGCTime)
	within(CoreFetchWait, s.ShuffleFetchWaitTime)
	within(CoreShuffleWrite, s.ShuffleWriteTime/int64(time.Millisecond))
	part[CoreComputing] = rest
	part[CoreDeserializing] = s.ExecutorDeserializeTime
	part[CoreSerializing] = s.ResultSerializationTime
	lost := s.FailedTasks + s.KilledTasks
	attempts := s.CompleteTasks + lost
	for i, v := range part {
		var wasted int64
		if lost > 0 {
			wasted = v * lost / attempts
		}
		c[i] += v - wasted
		c[CoreWasted] += wasted
	}
	c[CoreScheduling] += schedulerDelay(s)
}

// schedulerDelay estimates the sum of the tasks' scheduler delays from their quantiles, in ms: their mean is that of a
// distribution that is uniform between each two of them.
func schedulerDelay(s *spark.Stage) int64 {
	d := s.TaskMetrics
	if d == nil || len(d.SchedulerDelay) < len(d.Quantiles) {
		return 0
	}
	var mean float64
	for i := 1; i < len(d.Quantiles); i++ {
		low, high := d.SchedulerDelay[i-1], d.SchedulerDelay[i]
		if !low.Known() || !high.Known() {
			return 0
		}
		mean += float64(d.Quantiles[i]-d.Quantiles[i-1]) * float64(low+high) / 2
	}
	return int64(max(0, mean) * float64(s.CompleteTasks))
}

// ObserveTaskMetrics records the quantiles of a stage attempt's tasks.
func (a *Application) ObserveTaskMetrics(s *Stage, d *spark.TaskDistributions) {
	first := s.TaskMetrics == nil
	s.TaskMetrics = d
	if first && s.Ended() {
		a.stages.ended.Core[CoreScheduling] += schedulerDelay(&s.Stage)
	}
}
