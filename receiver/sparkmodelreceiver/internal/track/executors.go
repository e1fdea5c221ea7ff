package track

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
)

// LossReason is the class of the reason for which an executor was removed.
type LossReason string

// Classes of reasons for which executors are removed.
const (
	LossIdle           LossReason = "idle"
	LossDecommissioned LossReason = "decommissioned"
	LossPreempted      LossReason = "preempted"
	LossMemory         LossReason = "memory"
	LossNode           LossReason = "node"
	LossHeartbeat      LossReason = "heartbeat"
	LossExit           LossReason = "exit"
	LossOther          LossReason = "other"
)

// lossPatterns tell the class from what Spark says, the first that matches. "Container from a bad node" tells nothing:
// it precedes every kill by a signal.
var lossPatterns = []struct {
	text   string
	reason LossReason
}{
	{"killed by driver", LossIdle},
	{"decommission", LossDecommissioned},
	{"preempted", LossPreempted},
	{"memory limits", LossMemory},
	{"outofmemory", LossMemory},
	{"exit status: 52", LossMemory},
	{"*lost* node", LossNode},
	{"worker lost", LossNode},
	{"heartbeat", LossHeartbeat},
	{"exit status", LossExit},
	{"exited with code", LossExit},
	{"exit code", LossExit},
}

// ClassifyLoss returns the class of a reason in Spark's words.
func ClassifyLoss(reason string) LossReason {
	reason = strings.ToLower(reason)
	for _, p := range lossPatterns {
		if strings.Contains(reason, p.text) {
			return p.reason
		}
	}
	return LossOther
}

type executors struct {
	listed bool
	alive  map[string]*spark.Executor
	// removed holds the executors whose removal was counted and which Spark still lists.
	removed map[string]*spark.Executor
	lost    map[LossReason]int64
	// firstAdded is when the first of them was there, and peak how many were at the same time at most.
	firstAdded time.Time
	peak       int64
	// heldCoreTime is the core-time, in ms, that the removed ones held.
	heldCoreTime int64
	// all is the last listing of all executors.
	all []spark.Executor
	// age counts polls since the executors were listed; failures and stages had been counted then.
	age              int
	failures, stages int64
}

func newExecutors() executors {
	return executors{alive: map[string]*spark.Executor{}, removed: map[string]*spark.Executor{}, lost: map[LossReason]int64{}}
}

// A driver writes 2 KB for each executor that it lists. These are how many a poll reads on average, while jobs run and
// while none does, and in how many polls the executors are listed at least once.
const (
	executorsPerBusyPoll = 20
	executorsPerIdlePoll = 4
	maxExecutorsAge      = 6
)

// ExecutorsDue is asked once in every poll, and tells whether the executors are to be listed in it. Few are in every poll; of many, only the
// loss of one that runs tasks is to be seen at once, and that shows in tasks or stages that have failed.
func (a *Application) ExecutorsDue() bool {
	x := &a.executors
	x.age++
	perPoll := executorsPerIdlePoll
	if len(a.stages.active) > 0 || a.endedStages() > x.stages {
		perPoll = executorsPerBusyPoll
	}
	return !x.listed || x.age >= min(maxExecutorsAge, len(x.alive)/perPoll) || a.failures() > x.failures
}

func (a *Application) endedStages() int64 {
	return a.stages.ended.StagesCompleted + a.stages.ended.StagesFailed
}

// failures counts what fails with an executor.
func (a *Application) failures() int64 {
	n := a.stages.ended.StagesFailed + a.stages.ended.TasksFailed
	for _, attempts := range []map[StageKey]*Stage{a.stages.active, a.stages.failed} {
		for _, s := range attempts {
			n += s.FailedTasks
		}
	}
	return n
}

// NeedsAllExecutors tells whether executors were removed whose reasons are unknown: one was alive that is not among
// those that are alive now, or the removed ones were never listed.
func (a *Application) NeedsAllExecutors(now []spark.Executor) bool {
	if !a.executors.listed {
		return true
	}
	alive := make(map[string]struct{}, len(now))
	for i := range now {
		if now[i].Active {
			alive[now[i].ID] = struct{}{}
		}
	}
	for id := range a.executors.alive {
		if _, ok := alive[id]; !ok {
			return true
		}
	}
	return false
}

// ObserveExecutors records a listing of the executors that are alive.
func (a *Application) ObserveExecutors(alive []spark.Executor) {
	a.executors.age, a.executors.failures, a.executors.stages = 0, a.failures(), a.endedStages()
	before := a.executors.alive
	a.executors.alive = make(map[string]*spark.Executor, len(alive))
	for i := range alive {
		e := &alive[i]
		if !e.Active {
			continue
		}
		a.executors.alive[e.ID] = e
		a.executors.observe(e)
		if known := before[e.ID]; known != nil {
			raise(e, known)
		} else {
			a.endings.executorChanged(e)
		}
	}
	a.executors.peak = max(a.executors.peak, a.ActiveExecutors())
}

// ActiveExecutors is how many executors are alive, without the driver.
func (a *Application) ActiveExecutors() int64 {
	n := int64(len(a.executors.alive))
	if _, ok := a.executors.alive[spark.DriverID]; ok {
		n--
	}
	return n
}

// PeakExecutors is how many executors were alive at the same time at most.
func (a *Application) PeakExecutors() int64 { return a.executors.peak }

// observe notes when the first executor was there. In local mode the driver is the executor, and has cores.
func (x *executors) observe(e *spark.Executor) {
	if e.ID != spark.DriverID || e.TotalCores > 0 {
		x.firstAdded = earliest(x.firstAdded, e.AddTime.Time)
	}
}

// grantedCoreTime is the core-time, in ms, that executors have held until the application's end or now.
func (a *Application) grantedCoreTime() int64 {
	now := a.Ended
	if now.IsZero() {
		now = a.Now
	}
	sum := a.executors.heldCoreTime
	for _, e := range a.executors.alive {
		sum += coreTimeUntil(e, now)
	}
	return sum
}

func coreTimeUntil(e *spark.Executor, end time.Time) int64 {
	if e.AddTime.IsZero() || end.Before(e.AddTime.Time) {
		return 0
	}
	return e.TotalCores * end.Sub(e.AddTime.Time).Milliseconds()
}

// peakOf is how many of the executors, the driver left out, were there at the same time at most.
func peakOf(all []spark.Executor) (peak int64) {
	type change struct {
		at time.Time
		by int64
	}
	var changes []change
	for i := range all {
		e := &all[i]
		if e.ID == spark.DriverID || e.AddTime.IsZero() {
			continue
		}
		changes = append(changes, change{e.AddTime.Time, 1})
		if !e.RemoveTime.IsZero() {
			changes = append(changes, change{e.RemoveTime.Time, -1})
		}
	}
	slices.SortFunc(changes, func(x, y change) int { return cmp.Or(x.at.Compare(y.at), cmp.Compare(x.by, y.by)) })
	var n int64
	for _, c := range changes {
		n += c.by
		peak = max(peak, n)
	}
	return peak
}

// raise lifts the running totals of an executor to what they were before: the History Server says 0 of the driver's.
func raise(e, before *spark.Executor) {
	e.CompletedTasks = max(e.CompletedTasks, before.CompletedTasks)
	e.FailedTasks = max(e.FailedTasks, before.FailedTasks)
	e.TotalDuration = max(e.TotalDuration, before.TotalDuration)
	e.TotalGCTime = max(e.TotalGCTime, before.TotalGCTime)
	e.TotalInput = max(e.TotalInput, before.TotalInput)
	e.ShuffleRead = max(e.ShuffleRead, before.ShuffleRead)
	e.ShuffleWrite = max(e.ShuffleWrite, before.ShuffleWrite)
	switch {
	case e.PeakMemory == nil:
		e.PeakMemory = before.PeakMemory
	case before.PeakMemory != nil:
		e.PeakMemory.Raise(before.PeakMemory)
	}
}

// ObserveAllExecutors records a listing of all executors, and counts those that were removed since the last one.
func (a *Application) ObserveAllExecutors(all []spark.Executor) {
	before := a.executors.alive
	a.ObserveExecutors(all)
	a.executors.peak = max(a.executors.peak, peakOf(all))
	removed := map[string]*spark.Executor{}
	for i := range all {
		e := &all[i]
		if e.Active || e.ID == spark.DriverID {
			continue
		}
		removed[e.ID] = e
		if _, ok := a.executors.removed[e.ID]; !ok {
			a.executors.lost[ClassifyLoss(e.RemoveReason)]++
			a.executors.observe(e)
			a.executors.heldCoreTime += coreTimeUntil(e, cmp.Or(e.RemoveTime.Time, a.Now))
			a.endings.executorChanged(e)
		}
	}
	for id, e := range before {
		_, isRemoved := removed[id]
		if _, isAlive := a.executors.alive[id]; !isRemoved && !isAlive {
			a.executors.heldCoreTime += coreTimeUntil(e, a.Now) // Spark has forgotten it already
		}
	}
	a.executors.removed = removed
	a.executors.all = all
	a.executors.listed = true
}

// ExecutorChanges returns the executors that were added and removed so far, as far as Spark still lists them, in the
// order in which that happened.
func (a *Application) ExecutorChanges() []ExecutorChange {
	var list []ExecutorChange
	for i := range a.executors.all {
		e := &a.executors.all[i]
		if e.ID == spark.DriverID {
			continue
		}
		added := *e
		added.Active = true
		list = append(list, ExecutorChange{&added})
		if !e.Active {
			list = append(list, ExecutorChange{e})
		}
	}
	slices.SortFunc(list, func(x, y ExecutorChange) int {
		return cmp.Or(x.At().Compare(y.At()), cmp.Compare(len(x.ID), len(y.ID)), cmp.Compare(x.ID, y.ID))
	})
	return list
}

// Executors returns the executors that are alive, the driver among them, in the order of their ids.
func (a *Application) Executors() []*spark.Executor {
	list := make([]*spark.Executor, 0, len(a.executors.alive))
	for _, e := range a.executors.alive {
		list = append(list, e)
	}
	slices.SortFunc(list, func(x, y *spark.Executor) int {
		return cmp.Or(cmp.Compare(len(x.ID), len(y.ID)), cmp.Compare(x.ID, y.ID))
	})
	return list
}

// LostExecutors returns how many executors were removed, by the class of the reason.
func (a *Application) LostExecutors() map[LossReason]int64 { return a.executors.lost }

// Slots returns how many tasks the executors that were alive at a time could run at once.
func (a *Application) Slots(at time.Time) int64 {
	var slots int64
	for _, list := range []map[string]*spark.Executor{a.executors.alive, a.executors.removed} {
		for _, e := range list {
			if !e.AddTime.After(at) && (e.RemoveTime.IsZero() || e.RemoveTime.After(at)) {
				slots += e.MaxTasks
			}
		}
	}
	return slots
}
