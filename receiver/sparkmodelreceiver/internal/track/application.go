// Package track remembers, for each attempt of an application, what was read: which jobs and stages are known,
// totals that never shrink although Spark forgets, and what has yet to be delivered. It makes no requests.
package track

import (
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
)

// Key identifies an attempt of an application in a cluster.
type Key struct {
	ID string
	// Attempt is empty where nothing counts attempts.
	Attempt string
}

// State of an application.
type State string

// States of an application.
const (
	Submitted State = "submitted"
	Accepted  State = "accepted"
	Running   State = "running"
	Succeeded State = "succeeded"
	Failed    State = "failed"
	Killed    State = "killed"
	Lost      State = "lost"
)

// Ended tells whether the state is final.
func (s State) Ended() bool {
	switch s {
	case Succeeded, Failed, Killed, Lost:
		return true
	}
	return false
}

// Description is what describes an application without being its identity. Much of it is known only once it runs.
type Description struct {
	Name         string
	User         string
	Queue        string
	SparkVersion string
	Model        Model
}

// Application is one attempt of an application. It is not safe for concurrent use.
type Application struct {
	Key
	Description

	State State
	// Submitted and Ended are zero while unknown.
	Submitted time.Time
	Ended     time.Time
	// DriverStarted is when Spark started in the driver.
	DriverStarted time.Time
	// Diagnostics is YARN's reason for the application's end.
	Diagnostics string
	// Now is the time on the clock of the server that was read last.
	Now time.Time
	// Allocation is nil where YARN does not tell.
	Allocation *Allocation
	// earlier is what attempts before this one were given: YARN tells totals over all of them.
	earlier Allocation
	// Settings are numeric Spark properties by name, defaults included; nil until they were read.
	Settings map[string]float64
	// UIAddress is where the driver says that its UI is; empty if it does not.
	UIAddress string
	// Parent is the span that the application was submitted from, nil if none is named.
	Parent *Parent
	// RootsPerJob tells that each SQL execution, and each job without one, has a trace of its own.
	RootsPerJob bool

	jobs      jobs
	stages    stages
	executors executors
	timeline  timeline
	driver    driver
	results   results
	// executions is nil while nobody wants them.
	executions *executions
	// endings is nil while nobody wants spans or events.
	endings *endings
	// delivered is the description under which figures were last accepted downstream, nil before.
	delivered *Description
	// highest holds what was reported so far, below which no total falls.
	highest Totals
}

// NewApplication returns an application of which nothing is known yet.
func NewApplication(key Key) *Application {
	return &Application{
		Key: key, State: Submitted,
		jobs: newJobs(), stages: newStages(), executors: newExecutors(),
	}
}

// Duration is the time since the application was submitted, until its end or now; 0 is unknown.
func (a *Application) Duration() time.Duration {
	end := a.Ended
	if end.IsZero() {
		end = a.Now
	}
	if a.Submitted.IsZero() || end.Before(a.Submitted) {
		return 0
	}
	return end.Sub(a.Submitted)
}

// Redescribed returns the description under which figures were delivered before, if it is another one now.
func (a *Application) Redescribed() (before Description, changed bool) {
	if a.delivered == nil || *a.delivered == a.Description {
		return Description{}, false
	}
	return *a.delivered, true
}

// Delivered notes that figures were accepted downstream, the last ones of ended stages among them if Spark's were.
func (a *Application) Delivered(sparks bool) {
	if sparks {
		a.stages.undelivered = nil
		if a.executions != nil {
			a.executions.undelivered = nil
		}
	}
	described := a.Description
	a.delivered = &described
}

// SawUI tells whether the application's jobs and stages were listed once; from then on only what is new is read.
func (a *Application) SawUI() bool { return a.jobs.listed }

// Allocation is what YARN gave to the application. Memory is in bytes.
type Allocation struct {
	// Wait is the time from submission until the application master was launched, or until now. Launched is when that
	// was, zero while it was not.
	Wait     time.Duration
	Launched time.Time
	// Held is nil once the application has ended: what the resource manager still says then is not so.
	Held *Holding
	// MemoryTime is in byte-seconds, VCoreTime in core-seconds.
	MemoryTime float64
	VCoreTime  float64
	Preempted  int64
	// PreemptedMemoryTime and PreemptedVCoreTime are the parts of the above that containers had which were taken away.
	PreemptedMemoryTime float64
	PreemptedVCoreTime  float64
}

// Holding is what the application holds now.
type Holding struct {
	Memory     int64
	VCores     int64
	Containers int64
	// ReservedMemory and ReservedVCores are kept for it, until a node has room.
	ReservedMemory, ReservedVCores int64
	// QueueShare is of what the queue is guaranteed, ClusterShare of the cluster; 1 is all of it, NaN is unknown.
	QueueShare, ClusterShare float64
	// Progress is the share of its work that the application says is done; NaN is unknown.
	Progress float64
	Priority int64
}

// Follow makes what an earlier attempt was given no part of this one's totals.
func (a *Application) Follow(attempt *Application) {
	if attempt.Allocation == nil {
		return
	}
	a.earlier = *attempt.Allocation
	a.earlier.MemoryTime += attempt.earlier.MemoryTime
	a.earlier.VCoreTime += attempt.earlier.VCoreTime
	a.earlier.Preempted += attempt.earlier.Preempted
	a.earlier.PreemptedMemoryTime += attempt.earlier.PreemptedMemoryTime
	a.earlier.PreemptedVCoreTime += attempt.earlier.PreemptedVCoreTime
}

// Allocate records what YARN gave. After a failover its totals run backwards, and what was preempted may be said to be
// all that was held although nothing was (seen in Hadoop 3.4.2): neither is believed.
func (a *Application) Allocate(now Allocation) {
	now.MemoryTime = max(0, now.MemoryTime-a.earlier.MemoryTime)
	now.VCoreTime = max(0, now.VCoreTime-a.earlier.VCoreTime)
	now.Preempted = max(0, now.Preempted-a.earlier.Preempted)
	now.PreemptedMemoryTime = max(0, now.PreemptedMemoryTime-a.earlier.PreemptedMemoryTime)
	now.PreemptedVCoreTime = max(0, now.PreemptedVCoreTime-a.earlier.PreemptedVCoreTime)
	if now.Preempted == 0 || now.PreemptedMemoryTime >= now.MemoryTime {
		now.PreemptedMemoryTime, now.PreemptedVCoreTime = 0, 0
	}
	if before := a.Allocation; before != nil {
		now.MemoryTime = max(now.MemoryTime, before.MemoryTime)
		now.VCoreTime = max(now.VCoreTime, before.VCoreTime)
		now.Preempted = max(now.Preempted, before.Preempted)
		now.PreemptedMemoryTime = max(now.PreemptedMemoryTime, before.PreemptedMemoryTime)
		now.PreemptedVCoreTime = max(now.PreemptedVCoreTime, before.PreemptedVCoreTime)
	}
	a.Allocation = &now
}

// Totals are sums over everything that the application ever did. Sizes are in bytes, times in ms, but for CPUTime in ns.
type Totals struct {
	JobsSucceeded, JobsFailed                    int64
	StagesCompleted, StagesFailed, StagesSkipped int64
	TasksCompleted, TasksFailed, TasksKilled     int64
	RunTime, CPUTime, GCTime                     int64
	InputBytes, InputRecords                     int64
	OutputBytes, OutputRecords                   int64
	ShuffleReadBytes, ShuffleWriteBytes          int64
	ShuffleReadRecords, ShuffleWriteRecords      int64
	FetchWaitTime                                int64
	MemorySpilled, DiskSpilled                   int64
	TasksSkipped, TasksSpeculative               int64
	// Core has no idle time: the totals are of what was done.
	Core CoreTime
}

// Totals returns the sums over all jobs and stage attempts, those that run included. They never shrink.
func (a *Application) Totals() Totals {
	t := a.stages.ended
	for _, attempts := range []map[StageKey]*Stage{a.stages.active, a.stages.failed} {
		for _, s := range attempts {
			t.addStage(&s.Stage)
		}
	}
	t.JobsSucceeded, t.JobsFailed = a.jobs.succeeded, a.jobs.failed
	t.StagesSkipped, t.TasksSkipped = a.jobs.skippedStages, a.jobs.skippedTasks
	t.raise(a.highest)
	a.highest = t
	return t
}

func (t *Totals) addStage(s *spark.Stage) {
	t.TasksCompleted += s.CompleteTasks
	t.TasksFailed += s.FailedTasks
	t.TasksKilled += s.KilledTasks
	t.RunTime += s.ExecutorRunTime
	t.CPUTime += s.ExecutorCPUTime
	t.GCTime += s.JVMGCTime
	t.InputBytes += s.InputBytes
	t.InputRecords += s.InputRecords
	t.OutputBytes += s.OutputBytes
	t.OutputRecords += s.OutputRecords
	t.ShuffleReadBytes += s.ShuffleRemoteBytesRead + s.ShuffleLocalBytesRead
	t.ShuffleWriteBytes += s.ShuffleWriteBytes
	t.ShuffleReadRecords += s.ShuffleReadRecords
	t.ShuffleWriteRecords += s.ShuffleWriteRecords
	t.FetchWaitTime += s.ShuffleFetchWaitTime
	t.MemorySpilled += s.MemoryBytesSpilled
	t.DiskSpilled += s.DiskBytesSpilled
	t.TasksSpeculative += s.Speculation.Tasks
	t.Core.add(s)
}

// raise lifts every sum to what it was before.
func (t *Totals) raise(before Totals) {
	t.JobsSucceeded = max(t.JobsSucceeded, before.JobsSucceeded)
	t.JobsFailed = max(t.JobsFailed, before.JobsFailed)
	t.StagesCompleted = max(t.StagesCompleted, before.StagesCompleted)
	t.StagesFailed = max(t.StagesFailed, before.StagesFailed)
	t.StagesSkipped = max(t.StagesSkipped, before.StagesSkipped)
	t.TasksCompleted = max(t.TasksCompleted, before.TasksCompleted)
	t.TasksFailed = max(t.TasksFailed, before.TasksFailed)
	t.TasksKilled = max(t.TasksKilled, before.TasksKilled)
	t.RunTime = max(t.RunTime, before.RunTime)
	t.CPUTime = max(t.CPUTime, before.CPUTime)
	t.GCTime = max(t.GCTime, before.GCTime)
	t.InputBytes = max(t.InputBytes, before.InputBytes)
	t.InputRecords = max(t.InputRecords, before.InputRecords)
	t.OutputBytes = max(t.OutputBytes, before.OutputBytes)
	t.OutputRecords = max(t.OutputRecords, before.OutputRecords)
	t.ShuffleReadBytes = max(t.ShuffleReadBytes, before.ShuffleReadBytes)
	t.ShuffleWriteBytes = max(t.ShuffleWriteBytes, before.ShuffleWriteBytes)
	t.ShuffleReadRecords = max(t.ShuffleReadRecords, before.ShuffleReadRecords)
	t.ShuffleWriteRecords = max(t.ShuffleWriteRecords, before.ShuffleWriteRecords)
	t.FetchWaitTime = max(t.FetchWaitTime, before.FetchWaitTime)
	t.MemorySpilled = max(t.MemorySpilled, before.MemorySpilled)
	t.DiskSpilled = max(t.DiskSpilled, before.DiskSpilled)
	t.TasksSkipped = max(t.TasksSkipped, before.TasksSkipped)
	t.TasksSpeculative = max(t.TasksSpeculative, before.TasksSpeculative)
	for i := range t.Core {
		t.Core[i] = max(t.Core[i], before.Core[i])
	}
}
