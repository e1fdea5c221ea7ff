package track

import (
	"cmp"
	"slices"
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
)

// Execution is an execution of a SQL query.
type Execution struct {
	*spark.Execution
	// Batch is the micro-batch that the query was executed for, or nil. Outermost tells that the execution is the
	// batch's own, not one that the user's code made in it.
	Batch     *Batch
	Outermost bool
	// Plan holds what the nodes of the plan tell, by the name of the figure; nil until it was read. Detailed tells that it
	// was read after the execution's end, where the execution is worth it.
	Plan     map[string]float64
	Detailed bool
}

// End returns when the execution ended; ok is false if it never did.
func (e *Execution) End() (end time.Time, ok bool) {
	return e.SubmissionTime.Add(time.Duration(e.Duration) * time.Millisecond), e.Ended()
}

// DurationAt is the time since the execution was submitted, until its end or now; 0 is unknown.
func (e *Execution) DurationAt(now time.Time) time.Duration {
	end, ended := e.End()
	if !ended {
		end = now
	}
	if e.SubmissionTime.IsZero() || end.Before(e.SubmissionTime.Time) {
		return 0
	}
	return end.Sub(e.SubmissionTime.Time)
}

// executions are the SQL executions.
type executions struct {
	// stale is set when a job has begun or ended since the executions were listed last.
	stale bool
	// offset is how many of the executions that Spark lists are known to have ended, and last the id of the last of
	// them, by which is seen that Spark has forgotten some and the offset has moved.
	offset, last int
	// open are executions that run, by id; ended are those whose spans wait for the jobs that ended with them.
	open  map[int]*Execution
	ended []*Execution
	// later are the ids of those that have ended behind one that runs.
	later resolved
	// byJob holds the executions of jobs that were not put into an outbox yet.
	byJob map[int]*Execution

	// counted tells that metrics want the executions; undelivered are then those that have ended and whose last figures
	// have not been accepted downstream.
	counted           bool
	undelivered       []*Execution
	completed, failed int64
	// queries count the micro-batches of streaming queries, by name.
	queries map[string]*Query
}

// followExecutions makes the application keep its SQL executions.
func (a *Application) followExecutions() {
	if a.executions == nil {
		a.executions = &executions{last: -1, open: map[int]*Execution{}, byJob: map[int]*Execution{}, queries: map[string]*Query{}}
	}
}

// CountExecutions makes the application keep its SQL executions for metrics.
func (a *Application) CountExecutions() {
	a.followExecutions()
	a.executions.counted = true
}

// jobChanged notes that what Spark says of the executions has changed with a job.
func (x *executions) jobChanged(ended bool) {
	if x != nil && (ended || x.counted) {
		x.stale = true
	}
}

// NeedsExecutions tells whether SQL executions are to be listed: a job has ended since they were, or begun where metrics
// want them, or an execution that ran may have ended since, as no job runs.
func (a *Application) NeedsExecutions() bool {
	x := a.executions
	return x != nil && (x.stale || len(x.open) > 0 && len(a.jobs.running) == 0)
}

// ExecutionsOffset is the offset to list the executions from: that of the last one that is known to have ended.
func (a *Application) ExecutionsOffset() int { return max(0, a.executions.offset-1) }

// ObserveExecutions records a page of the executions, listed from an offset on. It returns the offset to go on from if
// there is more to be read.
func (a *Application) ObserveExecutions(list []spark.Execution, from int) (next int, more bool) {
	x := a.executions
	if from > 0 && from == x.offset-1 && (len(list) == 0 || list[0].ID > x.last) {
		// Spark has forgotten the oldest ones: at most as many as the ids have moved by.
		moved := from
		if len(list) > 0 {
			moved = list[0].ID - x.last
		}
		x.offset = max(0, from-moved) + 1
		return x.offset - 1, true
	}
	prefix := from <= x.offset
	if prefix {
		x.offset = from
	}
	// While a batch's own execution runs, it is listed before those that were made in it.
	batches := map[Batch]struct{}{}
	for i := range list {
		e := &Execution{Execution: &list[i], Batch: parseBatch(list[i].Description)}
		if e.Batch != nil {
			_, inner := batches[*e.Batch]
			e.Outermost = !inner
			batches[*e.Batch] = struct{}{}
		}
		if e.ID <= x.last {
			if prefix {
				x.offset = from + i + 1
			}
			continue
		}
		a.connect(e)
		if !e.Ended() {
			if before := x.open[e.ID]; before != nil {
				e.Plan = before.Plan
			}
			x.open[e.ID] = e
			prefix = false
			continue
		}
		if !x.later.has(e.ID) {
			a.executionEnded(e)
			delete(x.open, e.ID)
		}
		if prefix {
			x.offset, x.last = from+i+1, e.ID
		} else {
			x.later.add(e.ID)
		}
	}
	if len(list) == spark.ExecutionsPage {
		return from + len(list), true
	}
	x.stale = false
	return 0, false
}

// connect notes which jobs, of those whose spans have yet to be made, were part of an execution.
func (a *Application) connect(e *Execution) {
	if a.endings == nil {
		return
	}
	for _, jobs := range [][]int{e.RunningJobs, e.SucceededJobs, e.FailedJobs} {
		for _, job := range jobs {
			if a.awaited(job) {
				a.executions.byJob[job] = e
			}
		}
	}
}

// awaited tells whether a job's span has yet to be made.
func (a *Application) awaited(job int) bool {
	return !a.jobs.ended.has(job) || slices.ContainsFunc(a.endings.jobs, func(j *EndedJob) bool { return j.ID == job })
}

func (a *Application) executionEnded(e *Execution) {
	x := a.executions
	if a.Spans() != nil {
		x.ended = append(x.ended, e)
	}
	if !x.counted {
		return
	}
	if e.Status == spark.StatusFailed {
		x.failed++
	} else {
		x.completed++
	}
	if e.Batch != nil && e.Outermost {
		x.batchEnded(e)
	}
	if len(x.undelivered) < maxUndelivered {
		x.undelivered = append(x.undelivered, e)
	}
}

// ActiveExecutions returns the executions that run, those that have run longest first.
func (a *Application) ActiveExecutions() []*Execution {
	if a.executions == nil {
		return nil
	}
	list := make([]*Execution, 0, len(a.executions.open))
	for _, e := range a.executions.open {
		list = append(list, e)
	}
	a.longestFirst(list)
	return list
}

// LongActiveExecutions returns the executions that have run for at least the given time: at most limit, the longest.
func (a *Application) LongActiveExecutions(atLeast time.Duration, limit int) []*Execution {
	list := slices.DeleteFunc(a.ActiveExecutions(), func(e *Execution) bool { return e.DurationAt(a.Now) < atLeast })
	return list[:min(len(list), limit)]
}

// EndedExecutions returns the executions that ended after at least the given time and wait to be delivered as metrics:
// at most limit, the longest. The others are dropped: they are counted.
func (a *Application) EndedExecutions(atLeast time.Duration, limit int) []*Execution {
	x := a.executions
	if x == nil {
		return nil
	}
	x.undelivered = slices.DeleteFunc(x.undelivered, func(e *Execution) bool { return e.DurationAt(a.Now) < atLeast })
	a.longestFirst(x.undelivered)
	x.undelivered = x.undelivered[:min(len(x.undelivered), limit)]
	return x.undelivered
}

// UndetailedExecutions returns the ended executions that wait to be delivered as spans and whose plans were not read.
func (a *Application) UndetailedExecutions() []*Execution {
	if a.executions == nil {
		return nil
	}
	var list []*Execution
	for _, e := range a.executions.ended {
		if !e.Detailed {
			list = append(list, e)
		}
	}
	return list
}

// CountedExecutions returns how many executions have completed and failed; ok is false if nobody counts them.
func (a *Application) CountedExecutions() (completed, failed int64, ok bool) {
	x := a.executions
	if x == nil || !x.counted {
		return 0, 0, false
	}
	return x.completed, x.failed, true
}

func (a *Application) longestFirst(list []*Execution) {
	slices.SortFunc(list, func(x, y *Execution) int {
		return cmp.Or(cmp.Compare(y.DurationAt(a.Now), x.DurationAt(a.Now)), cmp.Compare(x.ID, y.ID))
	})
}

func (x *executions) of(job int) *Execution {
	if x == nil {
		return nil
	}
	e := x.byJob[job]
	delete(x.byJob, job)
	return e
}

// takeEnded returns the ended executions whose plans were read, where they are worth it.
func (x *executions) takeEnded() []*Execution {
	if x == nil {
		return nil
	}
	var list, waiting []*Execution
	for _, e := range x.ended {
		if e.Detailed {
			list = append(list, e)
		} else {
			waiting = append(waiting, e)
		}
	}
	x.ended = waiting
	return list
}

func (x *executions) takeAll() []*Execution {
	if x == nil {
		return nil
	}
	list := x.ended
	x.ended = nil
	for _, e := range x.open {
		list = append(list, e)
	}
	clear(x.open)
	slices.SortFunc(list, func(a, b *Execution) int { return cmp.Compare(a.ID, b.ID) })
	return list
}
