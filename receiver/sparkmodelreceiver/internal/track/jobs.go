package track

import "github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"

type jobs struct {
	listed        bool
	next          int
	running       map[int]*runningJob
	ended         resolved
	succeeded     int64
	failed        int64
	skippedStages int64
	skippedTasks  int64
}

type runningJob struct {
	spark.Job
	// reused is how many of the job's stages had been resolved when the job was first seen.
	reused int
}

func newJobs() jobs { return jobs{running: map[int]*runningJob{}} }

// NextJob is the id that the next job will have.
func (a *Application) NextJob() int { return a.jobs.next }

// ActiveJobs is how many jobs run.
func (a *Application) ActiveJobs() int64 { return int64(len(a.jobs.running)) }

// ListJobs records the first listing of jobs. Jobs that are older than all that Spark has kept are taken for ended.
func (a *Application) ListJobs(list []spark.Job) {
	lowest := -1
	for i := range list {
		if id := list[i].ID; lowest < 0 || id < lowest {
			lowest = id
		}
	}
	a.jobs.ended.raise(lowest)
	if lowest > 0 {
		a.timeline.evictedJobs += int64(lowest)
		a.timeline.beginningForgotten = true
	}
	// Oldest first, so that what a later job reuses is known.
	for i := len(list) - 1; i >= 0; i-- {
		a.ObserveJob(&list[i])
	}
	a.jobs.listed = true
}

// VanishedJobs returns the jobs that ran and are not among those that run now.
func (a *Application) VanishedJobs(now []spark.Job) []int {
	runs := make(map[int]struct{}, len(now))
	for i := range now {
		runs[now[i].ID] = struct{}{}
	}
	var ids []int
	for id := range a.jobs.running {
		if _, ok := runs[id]; !ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// ForgetJob gives up a job that Spark no longer has.
func (a *Application) ForgetJob(id int) {
	if job := a.jobs.running[id]; job != nil {
		a.timeline.jobs.add(job.SubmissionTime.Time, a.Now)
	}
	a.timeline.evictedJobs++
	delete(a.jobs.running, id)
	a.jobs.ended.add(id)
	a.jobs.next = max(a.jobs.next, id+1)
}

// ObserveJob records a job. When it has ended, those of its stages become unread of which no end was seen; none of
// those that it skipped, as far as its counts tell.
func (a *Application) ObserveJob(job *spark.Job) {
	if a.jobs.ended.has(job.ID) {
		return
	}
	a.jobs.next = max(a.jobs.next, job.ID+1)
	a.timeline.observeJob(job)
	a.results.describe(job)
	a.driver.streamingJob(job.Description)
	seen, known := a.jobs.running[job.ID]
	if !known {
		a.executions.jobChanged(false)
		seen = &runningJob{}
		for _, id := range job.StageIDs {
			if a.stages.resolved.has(id) {
				seen.reused++
			}
		}
	}
	if !job.Ended() {
		seen.Job = *job
		a.jobs.running[job.ID] = seen
		return
	}

	delete(a.jobs.running, job.ID)
	a.jobs.ended.add(job.ID)
	switch job.Status {
	case spark.StatusSucceeded:
		a.jobs.succeeded++
	case spark.StatusFailed:
		a.jobs.failed++
	}
	a.jobs.skippedStages += int64(job.SkippedStages)
	a.jobs.skippedTasks += job.SkippedTasks
	a.expectStages(job, seen.reused)
	a.executions.jobChanged(true)
	a.endings.jobEnded(job)
}

func (a *Application) expectStages(job *spark.Job, reused int) {
	if job.FailedStages > 0 {
		// There may be attempts that began and ended between two polls.
		a.stages.expect(job.StageIDs...)
		return
	}
	var unknown []int
	for _, id := range job.StageIDs {
		if !a.stages.resolved.has(id) && !a.stages.isActive(id) {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) > job.SkippedStages-reused {
		a.stages.expect(unknown...)
		return
	}
	for _, id := range unknown {
		a.stages.resolved.add(id)
	}
}
