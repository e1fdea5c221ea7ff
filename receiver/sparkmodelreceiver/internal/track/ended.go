package track

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
)

// maxUndelivered bounds what of one application waits to be accepted downstream as spans, and as events: jobs, stage
// attempts, SQL executions and changes of executors. What is more is dropped and counted.
const maxUndelivered = 10_000

// EndedJob is a job with what ran for it.
type EndedJob struct {
	spark.Job
	// Execution is the SQL execution that the job was part of, or nil.
	Execution *Execution
	// Stages are the attempts that ran for the job, in the order of their ids.
	Stages []*Stage
}

// ExecutorChange is an executor that was added or, where it is no longer active, removed.
type ExecutorChange struct{ *spark.Executor }

// At returns when that happened.
func (x ExecutorChange) At() time.Time {
	if x.Active {
		return x.AddTime.Time
	}
	return x.RemoveTime.Time
}

// Outbox holds what has ended and has not been accepted downstream by the consumers of one signal.
type Outbox struct {
	Jobs       []*EndedJob
	Executions []*Execution
	// Stages are attempts whose job Spark no longer had.
	Stages    []*Stage
	Executors []ExecutorChange
	// Started and Ended tell that the application's own start and end are to be delivered.
	Started, Ended bool
	// QueueFull is why YARN does not start the application, empty if it does or that was delivered.
	QueueFull string

	size    int
	dropped int64
	marks   Marks
}

// Marks tell what of an application was accepted downstream as one signal, so that it is not delivered again after a
// restart. Executors are marked where their ids are numbers.
type Marks struct {
	Started    bool     `json:"started,omitempty"`
	QueueFull  bool     `json:"queue_full,omitempty"`
	Ended      bool     `json:"ended,omitempty"`
	Jobs       resolved `json:"jobs,omitempty"`
	Executions resolved `json:"executions,omitempty"`
	Added      resolved `json:"added,omitempty"`
	Removed    resolved `json:"removed,omitempty"`
}

// Marks returns what was accepted so far.
func (o *Outbox) Marks() *Marks {
	if o == nil {
		return nil
	}
	return &o.marks
}

// Empty tells whether there is nothing to deliver.
func (o *Outbox) Empty() bool {
	return o == nil || o.size == 0 && !o.Started && !o.Ended && o.QueueFull == ""
}

// Part returns what is to be delivered next: about limit items, the application's start with the first of them and its
// end with the last.
func (o *Outbox) Part(limit int) *Outbox {
	part := &Outbox{Started: o.Started, QueueFull: o.QueueFull}
	for part.size < limit && len(part.Executions) < len(o.Executions) {
		part.Executions = o.Executions[:len(part.Executions)+1]
		part.size++
	}
	for part.size < limit && len(part.Jobs) < len(o.Jobs) {
		part.Jobs = o.Jobs[:len(part.Jobs)+1]
		part.size += o.Jobs[len(part.Jobs)-1].items()
	}
	for part.size < limit && len(part.Stages) < len(o.Stages) {
		part.Stages = o.Stages[:len(part.Stages)+1]
		part.size++
	}
	for part.size < limit && len(part.Executors) < len(o.Executors) {
		part.Executors = o.Executors[:len(part.Executors)+1]
		part.size++
	}
	part.Ended = o.Ended && part.size == o.size
	return part
}

// Delivered takes a part out of the box: it was accepted downstream.
func (o *Outbox) Delivered(part *Outbox) {
	for _, e := range part.Executions {
		o.marks.Executions.add(e.ID)
	}
	for _, j := range part.Jobs {
		o.marks.Jobs.add(j.ID)
	}
	for _, x := range part.Executors {
		if marked, id := o.marks.of(x); marked != nil {
			marked.add(id)
		}
	}
	o.marks.Started = o.marks.Started || part.Started
	o.marks.Ended = o.marks.Ended || part.Ended
	if part.QueueFull != "" {
		o.marks.QueueFull, o.QueueFull = true, ""
	}
	o.Executions = rest(o.Executions, len(part.Executions))
	o.Jobs = rest(o.Jobs, len(part.Jobs))
	o.Stages = rest(o.Stages, len(part.Stages))
	o.Executors = rest(o.Executors, len(part.Executors))
	o.Started, o.Ended = o.Started && !part.Started, o.Ended && !part.Ended
	o.size -= part.size
}

// rest cuts off what was delivered, and lets go of it.
func rest[T any](list []T, delivered int) []T {
	if delivered == len(list) {
		return nil
	}
	clear(list[:delivered])
	return list[delivered:]
}

// of returns the marks that a change of an executor belongs to, nil for one whose id is no number.
func (m *Marks) of(x ExecutorChange) (*resolved, int) {
	id, err := strconv.Atoi(x.ID)
	switch {
	case err != nil || id < 0:
		return nil, 0
	case x.Active:
		return &m.Added, id
	default:
		return &m.Removed, id
	}
}

func (o *Outbox) putExecution(e *Execution) {
	if !o.marks.Executions.has(e.ID) && o.fits(1) {
		o.Executions = append(o.Executions, e)
	}
}

func (o *Outbox) putJob(j *EndedJob) {
	if !o.marks.Jobs.has(j.ID) && o.fits(j.items()) {
		o.Jobs = append(o.Jobs, j)
	}
}

func (o *Outbox) putStages(list []*Stage) {
	if o.fits(len(list)) {
		o.Stages = append(o.Stages, list...)
	}
}

func (o *Outbox) putExecutor(x ExecutorChange) {
	marked, id := o.marks.of(x)
	if (marked == nil || !marked.has(id)) && o.fits(1) {
		o.Executors = append(o.Executors, x)
	}
}

// items are what a job counts as.
func (j *EndedJob) items() int { return 1 + len(j.Stages) }

// Drop gives up a part that will never be accepted.
func (o *Outbox) Drop(part *Outbox) {
	o.dropped += int64(part.size)
	o.Delivered(part)
}

// TakeDropped returns how many items were given up since it was last asked: they did not fit, or were never accepted.
func (o *Outbox) TakeDropped() int64 {
	if o == nil {
		return 0
	}
	n := o.dropped
	o.dropped = 0
	return n
}

func (o *Outbox) fits(items int) bool {
	if o.size+items > maxUndelivered {
		o.dropped += int64(items)
		return false
	}
	o.size += items
	return true
}

// endings follow what ends until it is put into the outboxes.
type endings struct {
	spans, events *Outbox
	started       bool
	// jobs have ended, but what ran for them was not read yet.
	jobs []*EndedJob
	// stages are attempts that have ended and that no job has claimed, by id.
	stages map[int][]*Stage
	held   int
}

// FollowEndings makes the application keep what ends until it is delivered as spans, as events or as both.
func (a *Application) FollowEndings(spans, events bool) {
	if !spans && !events {
		return
	}
	a.endings = &endings{stages: map[int][]*Stage{}}
	if spans {
		a.endings.spans = &Outbox{}
		a.followExecutions()
	}
	if events {
		a.endings.events = &Outbox{}
	}
}

// ResumeEndings goes on from marks of before a restart: what was accepted then is not kept again. They may be nil.
func (a *Application) ResumeEndings(spans, events *Marks) {
	if o := a.Spans(); o != nil && spans != nil {
		o.marks = *spans
	}
	if o := a.Events(); o != nil && events != nil {
		o.marks = *events
	}
}

// Spans returns what waits to be delivered as spans, nil if nobody wants them.
func (a *Application) Spans() *Outbox {
	if a.endings == nil {
		return nil
	}
	return a.endings.spans
}

// Events returns what waits to be delivered as events, nil if nobody wants them.
func (a *Application) Events() *Outbox {
	if a.endings == nil {
		return nil
	}
	return a.endings.events
}

func (e *endings) each(put func(*Outbox)) {
	for _, o := range []*Outbox{e.spans, e.events} {
		if o != nil {
			put(o)
		}
	}
}

func (e *endings) stageEnded(s *Stage) {
	if e == nil {
		return
	}
	if e.held == maxUndelivered {
		e.each(func(o *Outbox) { o.dropped++ })
		return
	}
	e.held++
	e.stages[s.ID] = append(e.stages[s.ID], s)
}

func (e *endings) jobEnded(job *spark.Job) {
	if e == nil {
		return
	}
	e.jobs = append(e.jobs, &EndedJob{Job: *job})
}

func (e *endings) executorChanged(x *spark.Executor) {
	if e != nil && e.events != nil && x.ID != spark.DriverID {
		e.events.putExecutor(ExecutorChange{x})
	}
}

// queueFullAfter is how long an application that YARN lets wait for memory waits because its queue is full; less is a
// start like any other.
const queueFullAfter = 30 * time.Second

// ObserveWait records why YARN says that an application waits: that a limit of its queue or of its user is reached, or
// for long that nothing is free.
func (a *Application) ObserveWait(diagnostics string) {
	o := a.Events()
	if o == nil || o.marks.QueueFull || a.Allocation == nil {
		return
	}
	limited := strings.Contains(diagnostics, "limit exceeded")
	if limited || strings.Contains(diagnostics, "waiting for resources") && a.Allocation.Wait >= queueFullAfter {
		_, reason, dated := strings.Cut(diagnostics, "] ")
		if !dated {
			reason = diagnostics
		}
		reason, _, _ = strings.Cut(reason, " Details :")
		o.QueueFull = strings.TrimSpace(reason)
	}
}

// UndetailedStages returns the ended attempts that wait for their job and for the details that spans show.
func (a *Application) UndetailedStages() []*Stage {
	if a.Spans() == nil {
		return nil
	}
	var list []*Stage
	for _, attempts := range a.endings.stages {
		for _, s := range attempts {
			if !s.Detailed {
				list = append(list, s)
			}
		}
	}
	slices.SortFunc(list, compareStages)
	return list
}

// SettleEndings moves the jobs that have ended, and of which everything was read, to the outboxes.
func (a *Application) SettleEndings() {
	e := a.endings
	if e == nil {
		return
	}
	if !e.started {
		e.started = true
		if e.events != nil {
			e.events.Started = !e.events.marks.Started
		}
	}
	if e.spans != nil && a.executions.stale {
		return
	}
	slices.SortFunc(e.jobs, func(x, y *EndedJob) int { return cmp.Compare(x.ID, y.ID) })
	var waiting []*EndedJob
	for _, job := range e.jobs {
		if a.incomplete(job) {
			waiting = append(waiting, job)
			continue
		}
		a.put(job, waiting)
	}
	e.jobs = waiting
	e.putExecutions(a.executions.takeEnded())
}

func (e *endings) putExecutions(list []*Execution) {
	if e.spans == nil {
		return
	}
	for _, x := range list {
		e.spans.putExecution(x)
	}
}

// incomplete tells whether something that ran for a job has not been read to its end.
func (a *Application) incomplete(job *EndedJob) bool {
	for _, id := range job.StageIDs {
		if _, unread := a.stages.unread[id]; unread || a.stages.isActive(id) {
			return true
		}
		for _, s := range a.endings.stages[id] {
			if a.endings.spans != nil && !s.Detailed {
				return true
			}
		}
	}
	return false
}

func (a *Application) put(job *EndedJob, waiting []*EndedJob) {
	e := a.endings
	for _, id := range job.StageIDs {
		var left []*Stage
		for _, s := range e.stages[id] {
			if ranFor(&job.Job, s) && !a.ranForEarlier(job.ID, s, waiting) {
				job.Stages = append(job.Stages, s)
			} else {
				left = append(left, s)
			}
		}
		e.keep(id, left)
	}
	slices.SortFunc(job.Stages, compareStages)
	job.Execution = a.executions.of(job.ID)
	e.each(func(o *Outbox) { o.putJob(job) })
}

func (e *endings) keep(id int, left []*Stage) {
	e.held += len(left) - len(e.stages[id])
	if len(left) == 0 {
		delete(e.stages, id)
	} else {
		e.stages[id] = left
	}
}

// ranFor tells whether an attempt of one of a job's stages can have run for the job: a later job may list the same
// stage, and run it again where its output was lost.
func ranFor(job *spark.Job, s *Stage) bool {
	at := s.SubmissionTime.Time
	return !at.Before(job.SubmissionTime.Time) && (job.CompletionTime.IsZero() || !at.After(job.CompletionTime.Time))
}

// ranForEarlier tells whether an attempt ran for a job with a lower id that has not been put into the outboxes: of the
// jobs that an attempt can have run for, the one with the lowest id has it, whoever reads them in whichever order.
func (a *Application) ranForEarlier(id int, s *Stage, waiting []*EndedJob) bool {
	claims := func(job *spark.Job) bool {
		return job.ID < id && slices.Contains(job.StageIDs, s.ID) && ranFor(job, s)
	}
	for _, running := range a.jobs.running {
		if claims(&running.Job) {
			return true
		}
	}
	return slices.ContainsFunc(waiting, func(job *EndedJob) bool { return claims(&job.Job) })
}

// CloseEndings puts everything that is left into the outboxes, and the application's end. What never ended ends with
// the application.
func (a *Application) CloseEndings() {
	e := a.endings
	if e == nil {
		return
	}
	for _, job := range a.jobs.running {
		e.jobs = append(e.jobs, &EndedJob{Job: job.Job})
		a.timeline.jobs.add(job.SubmissionTime.Time, a.Ended)
	}
	a.jobs.running = map[int]*runningJob{}
	for _, s := range a.stages.active {
		cutOff := *s
		cutOff.TaskMetrics = nil // they are of whenever they were read
		e.stages[s.ID] = append(e.stages[s.ID], &cutOff)
	}
	slices.SortFunc(e.jobs, func(x, y *EndedJob) int { return cmp.Compare(x.ID, y.ID) })
	for _, job := range e.jobs {
		a.put(job, nil)
	}
	e.jobs = nil
	for _, attempts := range e.stages {
		if e.spans != nil {
			e.spans.putStages(attempts)
		}
	}
	if e.spans != nil {
		slices.SortFunc(e.spans.Stages, compareStages)
	}
	e.stages, e.held = map[int][]*Stage{}, 0
	e.putExecutions(a.executions.takeAll())
	e.each(func(o *Outbox) { o.Ended = !o.marks.Ended })
}

func compareStages(x, y *Stage) int {
	return cmp.Or(cmp.Compare(x.ID, y.ID), cmp.Compare(x.Attempt, y.Attempt))
}
