package mapreduce

import (
	"strings"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
)

// Job is a MapReduce job. Times are in milliseconds, moments since 1970; 0 is none. A nil field was not given: only the
// application master tells what is pending and running, only the history server the averages, and a list leaves both out.
type Job struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	User  string `json:"user"`
	Queue string `json:"queue"`
	// State is NEW, INITED, RUNNING, SUCCEEDED, FAILED, KILLED or ERROR.
	State       string `json:"state"`
	SubmitTime  int64  `json:"submitTime"`
	StartTime   int64  `json:"startTime"`
	FinishTime  int64  `json:"finishTime"`
	ElapsedTime int64  `json:"elapsedTime"`

	MapsTotal        *int64 `json:"mapsTotal"`
	MapsCompleted    *int64 `json:"mapsCompleted"`
	MapsPending      *int64 `json:"mapsPending"`
	MapsRunning      *int64 `json:"mapsRunning"`
	ReducesTotal     *int64 `json:"reducesTotal"`
	ReducesCompleted *int64 `json:"reducesCompleted"`
	ReducesPending   *int64 `json:"reducesPending"`
	ReducesRunning   *int64 `json:"reducesRunning"`
	// MapProgress and ReduceProgress are per cent.
	MapProgress    *rest.Float `json:"mapProgress"`
	ReduceProgress *rest.Float `json:"reduceProgress"`

	NewMapAttempts           *int64 `json:"newMapAttempts"`
	RunningMapAttempts       *int64 `json:"runningMapAttempts"`
	FailedMapAttempts        *int64 `json:"failedMapAttempts"`
	KilledMapAttempts        *int64 `json:"killedMapAttempts"`
	SuccessfulMapAttempts    *int64 `json:"successfulMapAttempts"`
	NewReduceAttempts        *int64 `json:"newReduceAttempts"`
	RunningReduceAttempts    *int64 `json:"runningReduceAttempts"`
	FailedReduceAttempts     *int64 `json:"failedReduceAttempts"`
	KilledReduceAttempts     *int64 `json:"killedReduceAttempts"`
	SuccessfulReduceAttempts *int64 `json:"successfulReduceAttempts"`

	// Averages over the successful attempts.
	AvgMapTime     *int64 `json:"avgMapTime"`
	AvgShuffleTime *int64 `json:"avgShuffleTime"`
	AvgMergeTime   *int64 `json:"avgMergeTime"`
	AvgReduceTime  *int64 `json:"avgReduceTime"`
}

// Ended tells whether the job is over.
func (j *Job) Ended() bool {
	switch j.State {
	case "SUCCEEDED", "FAILED", "KILLED", "ERROR":
		return true
	}
	return false
}

// Application is the id of the job's YARN application.
func (j *Job) Application() string { return strings.Replace(j.ID, "job_", "application_", 1) }

// Tasks is how many tasks the job has.
func (j *Job) Tasks() int64 { return sum(j.MapsTotal, j.ReducesTotal) }

func sum(values ...*int64) (n int64) {
	for _, v := range values {
		if v != nil {
			n += *v
		}
	}
	return n
}

// Counter is a counter of a job, in the unit that its author gave it.
type Counter struct {
	// Group has no package where it is one of Hadoop's.
	Group string `json:"-"`
	Name  string `json:"name"`
	Total int64  `json:"totalCounterValue"`
	// Map and Reduce are 0 for counters that only the job as a whole has.
	Map    int64 `json:"mapCounterValue"`
	Reduce int64 `json:"reduceCounterValue"`
}

// Task is a task of a job. Times are in milliseconds.
type Task struct {
	// Type is MAP or REDUCE.
	Type string `json:"type"`
	// State is NEW, SCHEDULED, RUNNING, SUCCEEDED, FAILED, KILL_WAIT or KILLED.
	State       string `json:"state"`
	ElapsedTime int64  `json:"elapsedTime"`
	// Progress is per cent.
	Progress rest.Float `json:"progress"`
}
