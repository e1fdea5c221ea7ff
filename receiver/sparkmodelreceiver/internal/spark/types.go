package spark

import (
	"bytes"
	"fmt"
	"reflect"
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
)

// DriverID is the id of the driver among the executors.
const DriverID = "driver"

// Status of jobs, stages and SQL executions.
const (
	StatusRunning   = "RUNNING"
	StatusCompleted = "COMPLETED"
	StatusSucceeded = "SUCCEEDED"
	StatusFailed    = "FAILED"
	StatusActive    = "ACTIVE"
	StatusComplete  = "COMPLETE"
	StatusPending   = "PENDING"
	StatusSkipped   = "SKIPPED"
)

const timeFormat = "2006-01-02T15:04:05.000GMT"

// Status of tasks.
const (
	TaskSuccess = "SUCCESS"
	TaskFailed  = "FAILED"
	TaskKilled  = "KILLED"
)

// Time is a time as Spark writes it. What lies before the epoch is Spark's way to say that there is none, and becomes
// the zero time.
type Time struct{ time.Time }

// UnmarshalJSON parses times such as "2026-11-23T21:43:00.123GMT".
func (t *Time) UnmarshalJSON(b []byte) error {
	text := string(bytes.Trim(b, `"`))
	if text == "null" || text == "" {
		return nil
	}
	parsed, err := time.Parse(timeFormat, text)
	if err != nil {
		return fmt.Errorf("%.40q is not a time as Spark writes it", text)
	}
	if parsed.Unix() > 0 {
		t.Time = parsed
	}
	return nil
}

// ApplicationInfo is an application with its attempts, the newest first.
type ApplicationInfo struct {
	ID       string               `json:"id"`
	Name     string               `json:"name"`
	Attempts []ApplicationAttempt `json:"attempts"`
}

// ApplicationAttempt is an attempt of an application. AttemptID is empty in client mode, and always at the driver.
type ApplicationAttempt struct {
	AttemptID    string `json:"attemptId"`
	StartTime    Time   `json:"startTime"`
	EndTime      Time   `json:"endTime"`
	LastUpdated  Time   `json:"lastUpdated"`
	User         string `json:"sparkUser"`
	Completed    bool   `json:"completed"`
	SparkVersion string `json:"appSparkVersion"`
}

// Job is a job of an application.
type Job struct {
	ID              int    `json:"jobId"`
	Name            string `json:"name"`
	Description     string `json:"description"`
	Group           string `json:"jobGroup"`
	Status          string `json:"status"`
	SubmissionTime  Time   `json:"submissionTime"`
	CompletionTime  Time   `json:"completionTime"`
	StageIDs        []int  `json:"stageIds"`
	CompletedStages int    `json:"numCompletedStages"`
	FailedStages    int    `json:"numFailedStages"`
	SkippedStages   int    `json:"numSkippedStages"`
	SkippedTasks    int64  `json:"numSkippedTasks"`
}

// Ended tells whether the job runs no more.
func (j *Job) Ended() bool { return j.Status != StatusRunning }

// Execution is an execution of a SQL query or of a command.
type Execution struct {
	ID             int    `json:"id"`
	Status         string `json:"status"`
	Description    string `json:"description"`
	SubmissionTime Time   `json:"submissionTime"`
	// Duration is in ms; while the execution runs, until now.
	Duration      int64 `json:"duration"`
	RunningJobs   []int `json:"runningJobIds"`
	SucceededJobs []int `json:"successJobIds"`
	FailedJobs    []int `json:"failedJobIds"`
	// ErrorMessage is told since Spark 4.
	ErrorMessage string `json:"errorMessage"`
	// Nodes are those of the plan; nil where it was not asked for.
	Nodes []PlanNode `json:"nodes"`
}

// Ended tells whether neither the execution nor any of its jobs runs.
func (e *Execution) Ended() bool { return e.Status != StatusRunning && len(e.RunningJobs) == 0 }

// Stage is an attempt of a stage. Sizes are in bytes; times in ms, but for ExecutorCPUTime and ShuffleWriteTime in ns.
type Stage struct {
	Status  string `json:"status"`
	ID      int    `json:"stageId"`
	Attempt int    `json:"attemptId"`
	Name    string `json:"name"`
	// ParentIDs are the stages whose output the stage reads; nil where Spark does not tell (4.3 does not).
	ParentIDs      []int  `json:"parentIds"`
	FailureReason  string `json:"failureReason"`
	SubmissionTime Time   `json:"submissionTime"`
	// FirstTaskLaunched is zero while no task was.
	FirstTaskLaunched Time `json:"firstTaskLaunchedTime"`
	CompletionTime    Time `json:"completionTime"`

	Tasks         int64 `json:"numTasks"`
	ActiveTasks   int64 `json:"numActiveTasks"`
	CompleteTasks int64 `json:"numCompleteTasks"`
	FailedTasks   int64 `json:"numFailedTasks"`
	KilledTasks   int64 `json:"numKilledTasks"`

	// Speculation is about attempts that were launched because others were slow.
	Speculation struct {
		Tasks int64 `json:"numTasks"`
	} `json:"speculationSummary"`

	ExecutorDeserializeTime int64 `json:"executorDeserializeTime"`
	ResultSerializationTime int64 `json:"resultSerializationTime"`
	ResultSize              int64 `json:"resultSize"`
	ExecutorRunTime         int64 `json:"executorRunTime"`
	ExecutorCPUTime         int64 `json:"executorCpuTime"`
	JVMGCTime               int64 `json:"jvmGcTime"`
	MemoryBytesSpilled      int64 `json:"memoryBytesSpilled"`
	DiskBytesSpilled        int64 `json:"diskBytesSpilled"`
	PeakExecutionMemory     int64 `json:"peakExecutionMemory"`

	InputBytes    int64 `json:"inputBytes"`
	InputRecords  int64 `json:"inputRecords"`
	OutputBytes   int64 `json:"outputBytes"`
	OutputRecords int64 `json:"outputRecords"`

	ShuffleRemoteBlocksFetched int64 `json:"shuffleRemoteBlocksFetched"`
	ShuffleLocalBlocksFetched  int64 `json:"shuffleLocalBlocksFetched"`
	ShuffleRemoteBytesToDisk   int64 `json:"shuffleRemoteBytesReadToDisk"`
	ShuffleFetchWaitTime       int64 `json:"shuffleFetchWaitTime"`
	ShuffleRemoteBytesRead     int64 `json:"shuffleRemoteBytesRead"`
	ShuffleLocalBytesRead      int64 `json:"shuffleLocalBytesRead"`
	ShuffleReadRecords         int64 `json:"shuffleReadRecords"`
	ShuffleWriteBytes          int64 `json:"shuffleWriteBytes"`
	ShuffleWriteTime           int64 `json:"shuffleWriteTime"`
	ShuffleWriteRecords        int64 `json:"shuffleWriteRecords"`

	// Accumulators are the named ones that tasks updated, with their values until then, as text.
	Accumulators []Accumulator `json:"accumulatorUpdates"`

	// TaskMetrics is nil where it was not asked for, and where no task has succeeded yet.
	TaskMetrics *TaskDistributions `json:"taskMetricsDistributions"`
}

// Ended tells whether the attempt runs no more; what was never started has neither begun nor ended.
func (s *Stage) Ended() bool { return s.Status == StatusComplete || s.Status == StatusFailed }

// Accumulator is a named accumulator; its value is text.
type Accumulator struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// TaskDistributions are quantiles of the successful tasks' metrics, in the order that was asked for. Units are those
// of Stage.
type TaskDistributions struct {
	Quantiles               []rest.Float `json:"quantiles"`
	Duration                []rest.Float `json:"duration"`
	ExecutorDeserializeTime []rest.Float `json:"executorDeserializeTime"`
	ExecutorRunTime         []rest.Float `json:"executorRunTime"`
	JVMGCTime               []rest.Float `json:"jvmGcTime"`
	SchedulerDelay          []rest.Float `json:"schedulerDelay"`
	PeakExecutionMem        []rest.Float `json:"peakExecutionMemory"`
	MemoryBytesSpilled      []rest.Float `json:"memoryBytesSpilled"`
	Input                   struct {
		Bytes   []rest.Float `json:"bytesRead"`
		Records []rest.Float `json:"recordsRead"`
	} `json:"inputMetrics"`
	Output struct {
		Bytes []rest.Float `json:"bytesWritten"`
	} `json:"outputMetrics"`
	ShuffleRead struct {
		Bytes         []rest.Float `json:"readBytes"`
		Records       []rest.Float `json:"readRecords"`
		FetchWaitTime []rest.Float `json:"fetchWaitTime"`
	} `json:"shuffleReadMetrics"`
	ShuffleWrite struct {
		Bytes []rest.Float `json:"writeBytes"`
	} `json:"shuffleWriteMetrics"`
}

// Task is an attempt of a task. A running task's metrics are those of its last heartbeat.
type Task struct {
	ID           int64  `json:"taskId"`
	Index        int64  `json:"index"`
	Attempt      int64  `json:"attempt"`
	ExecutorID   string `json:"executorId"`
	Host         string `json:"host"`
	LaunchTime   Time   `json:"launchTime"`
	Duration     int64  `json:"duration"` // in ms
	Status       string `json:"status"`
	ErrorMessage string `json:"errorMessage"`
	Metrics      struct {
		RunTime            int64 `json:"executorRunTime"` // in ms, as is JVMGCTime
		JVMGCTime          int64 `json:"jvmGcTime"`
		MemoryBytesSpilled int64 `json:"memoryBytesSpilled"`
		Input              struct {
			Bytes int64 `json:"bytesRead"`
		} `json:"inputMetrics"`
		ShuffleRead struct {
			RemoteBytes int64 `json:"remoteBytesRead"`
			LocalBytes  int64 `json:"localBytesRead"`
		} `json:"shuffleReadMetrics"`
	} `json:"taskMetrics"`
}

// BytesRead is what the task has read from storage and shuffles so far.
func (t *Task) BytesRead() int64 {
	return t.Metrics.Input.Bytes + t.Metrics.ShuffleRead.RemoteBytes + t.Metrics.ShuffleRead.LocalBytes
}

// Executor is an executor, or the driver. Sizes are in bytes, times in ms.
type Executor struct {
	ID             string `json:"id"`
	Active         bool   `json:"isActive"`
	MemoryUsed     int64  `json:"memoryUsed"`
	DiskUsed       int64  `json:"diskUsed"`
	TotalCores     int64  `json:"totalCores"`
	MaxTasks       int64  `json:"maxTasks"`
	ActiveTasks    int64  `json:"activeTasks"`
	FailedTasks    int64  `json:"failedTasks"`
	CompletedTasks int64  `json:"completedTasks"`
	TotalDuration  int64  `json:"totalDuration"`
	TotalGCTime    int64  `json:"totalGCTime"`
	TotalInput     int64  `json:"totalInputBytes"`
	ShuffleRead    int64  `json:"totalShuffleRead"`
	ShuffleWrite   int64  `json:"totalShuffleWrite"`
	MaxMemory      int64  `json:"maxMemory"`
	AddTime        Time   `json:"addTime"`
	RemoveTime     Time   `json:"removeTime"`
	RemoveReason   string `json:"removeReason"`
	RDDBlocks      int64  `json:"rddBlocks"`
	Excluded       bool   `json:"isExcluded"`
	// Memory is nil until the executor's block manager has registered.
	Memory *StorageMemory `json:"memoryMetrics"`
	// PeakMemory is nil or zero where nothing was sampled.
	PeakMemory *PeakMemory `json:"peakMemoryMetrics"`
}

// StorageMemory is memory for storage, in use and altogether, in bytes.
type StorageMemory struct {
	OnHeapUsed  int64 `json:"usedOnHeapStorageMemory"`
	OffHeapUsed int64 `json:"usedOffHeapStorageMemory"`
	OnHeap      int64 `json:"totalOnHeapStorageMemory"`
	OffHeap     int64 `json:"totalOffHeapStorageMemory"`
}

// PeakMemory holds the highest use of each kind of memory in bytes, and counts and times (ms) of garbage collections,
// as they were sampled last; 0 is unknown.
type PeakMemory struct {
	JVMHeap                  int64 `json:"JVMHeapMemory"`
	JVMOffHeap               int64 `json:"JVMOffHeapMemory"`
	OnHeapExecution          int64 `json:"OnHeapExecutionMemory"`
	OffHeapExecution         int64 `json:"OffHeapExecutionMemory"`
	OnHeapStorage            int64 `json:"OnHeapStorageMemory"`
	OffHeapStorage           int64 `json:"OffHeapStorageMemory"`
	DirectPool               int64 `json:"DirectPoolMemory"`
	MappedPool               int64 `json:"MappedPoolMemory"`
	OnHeapUnified            int64 `json:"OnHeapUnifiedMemory"`
	OffHeapUnified           int64 `json:"OffHeapUnifiedMemory"`
	ProcessTreeJVM           int64 `json:"ProcessTreeJVMRSSMemory"`
	ProcessTreeJVMVirtual    int64 `json:"ProcessTreeJVMVMemory"`
	ProcessTreePython        int64 `json:"ProcessTreePythonRSSMemory"`
	ProcessTreePythonVirtual int64 `json:"ProcessTreePythonVMemory"`
	ProcessTreeOther         int64 `json:"ProcessTreeOtherRSSMemory"`
	ProcessTreeOtherVirtual  int64 `json:"ProcessTreeOtherVMemory"`
	MinorGCCount             int64 `json:"MinorGCCount"`
	MinorGCTime              int64 `json:"MinorGCTime"`
	MajorGCCount             int64 `json:"MajorGCCount"`
	MajorGCTime              int64 `json:"MajorGCTime"`
	// ConcurrentGCCount and ConcurrentGCTime are told since Spark 4.
	ConcurrentGCCount int64 `json:"ConcurrentGCCount"`
	ConcurrentGCTime  int64 `json:"ConcurrentGCTime"`
}

// Raise lifts every figure to what it was before: the History Server may have sampled less than the driver did.
func (p *PeakMemory) Raise(before *PeakMemory) {
	now, then := reflect.ValueOf(p).Elem(), reflect.ValueOf(before).Elem()
	for i := range now.NumField() {
		if v := then.Field(i).Int(); v > now.Field(i).Int() {
			now.Field(i).SetInt(v)
		}
	}
}
