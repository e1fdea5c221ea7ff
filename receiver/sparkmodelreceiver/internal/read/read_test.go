package read

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/resttest"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// driver is a Spark UI whose state a test sets. It is hand-made: a real one can't be brought to evict, retry and fail
// at exactly the moments that these tests need.
type driver struct {
	mu        sync.Mutex
	now       time.Time
	jobs      map[int]map[string]any
	stages    map[int][]map[string]any
	executors []map[string]any
	tasks     []map[string]any
	failed    map[int][]map[string]any // failed tasks by stage
	sql       []map[string]any
	metrics   map[string]any
	fail      map[string]bool // endpoints that answer 500
	gone      bool            // jobs and stages are answered by the proxy
	requests  []string
}

func newDriver(t *testing.T) (*driver, spark.App) {
	d := &driver{
		now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), jobs: map[int]map[string]any{}, stages: map[int][]map[string]any{}, fail: map[string]bool{},
		executors: []map[string]any{{"id": "driver", "isActive": true}},
	}
	return d, spark.NewAPI(resttest.New(t, "driver", d.ServeHTTP)).Attempt("app", "")
}

func (d *driver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/api/v1/applications/app"), "/")
	request := path
	if status := r.URL.Query().Get("status"); status != "" {
		request += "?" + status
	}
	if offset := r.URL.Query().Get("offset"); offset != "" {
		request += "?" + offset
	}
	d.requests = append(d.requests, request)
	w.Header().Set("Date", d.now.Format(http.TimeFormat))
	if d.gone && request != "jobs?running" {
		http.Error(w, "<html>Application could not be found in RM or history server", http.StatusNotFound)
		return
	}
	if d.fail[request] {
		http.Error(w, "broken", http.StatusInternalServerError)
		return
	}
	answer, ok := d.answer(strings.Split(path, "/"), r)
	if !ok {
		http.Error(w, "unknown "+path, http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

func (d *driver) answer(path []string, r *http.Request) (any, bool) {
	status := strings.ToUpper(r.URL.Query().Get("status"))
	id := -1
	if len(path) > 1 {
		id, _ = strconv.Atoi(path[1])
	}
	switch {
	case path[0] == "":
		return map[string]any{"id": "app", "attempts": []map[string]any{{"appSparkVersion": "4.3.0"}}}, true
	case path[0] == "environment":
		return map[string]any{"sparkProperties": [][]string{{"spark.executor.memory", "2g"}, {"spark.sparkmodel.name", "churn"}}}, true
	case path[0] == "metrics" && d.metrics != nil:
		return d.metrics, true
	case path[0] == "storage":
		return []map[string]any{{"numPartitions": 4, "numCachedPartitions": 3, "memoryUsed": 100, "diskUsed": 7}}, true
	case path[0] == "streaming":
		return map[string]any{"batchDuration": 5000, "numActiveBatches": 2, "avgInputRate": 3.5, "avgProcessingTime": 1200}, true
	case path[0] == "executors":
		return slices.DeleteFunc(slices.Clone(d.executors), func(e map[string]any) bool { return e["isActive"] != true }), true
	case path[0] == "allexecutors":
		return d.executors, true
	case path[0] == "sql" && id >= 0:
		for _, e := range d.sql {
			if e["id"] == id {
				full := maps.Clone(e)
				full["nodes"] = []map[string]any{{"nodeName": "Scan parquet ", "metrics": []map[string]string{{"name": "number of files read", "value": "1,200"}}}}
				return full, true
			}
		}
		return nil, false
	case path[0] == "sql":
		offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
		return d.sql[min(offset, len(d.sql)):], true
	case path[0] == "jobs" && id >= 0:
		job, ok := d.jobs[id]
		return job, ok
	case path[0] == "jobs":
		list := []map[string]any{}
		for _, job := range d.jobs {
			if status == "" || job["status"] == status {
				list = append(list, job)
			}
		}
		slices.SortFunc(list, func(a, b map[string]any) int { return b["jobId"].(int) - a["jobId"].(int) })
		return list, true
	case path[0] == "stages" && len(path) == 4 && status == "":
		attempt, _ := strconv.Atoi(path[2])
		return []map[string]any{{"taskId": 1000 + 10*id + attempt, "status": "SUCCESS", "launchTime": "2026-11-23T12:00:00.000GMT", "duration": 3}}, true
	case path[0] == "stages" && len(path) == 4 && status == spark.TaskFailed:
		return d.failed[id], true
	case path[0] == "stages" && len(path) == 4:
		return d.tasks, true
	case path[0] == "stages" && len(path) == 3:
		for _, s := range d.stages[id] {
			if strconv.Itoa(s["attemptId"].(int)) == path[2] {
				s["taskMetricsDistributions"] = map[string]any{"quantiles": []float64{0, 0.25, 0.5, 0.75, 0.95, 1}, "executorRunTime": []any{1, 2, 3, 4, 5, "NaN"}}
				return s, true
			}
		}
		return nil, false
	case path[0] == "stages" && id >= 0:
		attempts, ok := d.stages[id]
		return attempts, ok
	case path[0] == "stages":
		list := []map[string]any{}
		for _, attempts := range d.stages {
			for _, s := range attempts {
				if status == "" || s["status"] == status {
					list = append(list, s)
				}
			}
		}
		return list, true
	}
	return nil, false
}

func (d *driver) job(id int, status string, stages []int, extra map[string]any) {
	d.jobs[id] = map[string]any{"jobId": id, "status": status, "stageIds": stages}
	for k, v := range extra {
		d.jobs[id][k] = v
	}
}

// stage adds or replaces an attempt; it has read 100 bytes per complete task.
func (d *driver) stage(id, attempt int, status string, seconds int, complete int) {
	s := map[string]any{
		"stageId": id, "attemptId": attempt, "status": status, "name": fmt.Sprintf("stage %d", id),
		"numTasks": 10, "numCompleteTasks": complete, "inputBytes": 100 * complete,
		"submissionTime": d.now.Add(-time.Duration(seconds) * time.Second).Format("2006-01-02T15:04:05.000GMT"),
	}
	if status != spark.StatusActive {
		s["completionTime"] = d.now.Format("2006-01-02T15:04:05.000GMT")
	}
	for i, other := range d.stages[id] {
		if other["attemptId"] == attempt {
			d.stages[id][i] = s
			return
		}
	}
	d.stages[id] = append(d.stages[id], s)
}

func (d *driver) asked() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	asked := d.requests
	d.requests = nil
	return asked
}

func newReader() *Reader {
	return &Reader{Metrics: true, MinStageDuration: 10 * time.Second, MaxStages: 50}
}

func newApp() *track.Application { return track.NewApplication(track.Key{ID: "app"}) }

func TestFirstReadListsEverythingOnce(t *testing.T) {
	d, ui := newDriver(t)
	d.job(0, spark.StatusSucceeded, []int{0, 1}, map[string]any{"numSkippedStages": 1})
	d.stage(0, 0, spark.StatusComplete, 3, 10)
	d.stage(1, 0, spark.StatusSkipped, 0, 0)
	app := newApp()
	require.NoError(t, newReader().Running(t.Context(), app, ui, ""))
	assert.Equal(t, []string{"", "environment", "stages", "jobs", "executors", "allexecutors"}, d.asked())
	assert.Equal(t, "churn", app.Model.Name)
	assert.Equal(t, "4.3.0", app.SparkVersion)
	totals := app.Totals()
	assert.EqualValues(t, 1, totals.JobsSucceeded)
	assert.EqualValues(t, 1, totals.StagesCompleted)
	assert.EqualValues(t, 1, totals.StagesSkipped)
	assert.EqualValues(t, 1000, totals.InputBytes)
}

// The cost of a poll, in requests, for what happened since the one before.
func TestRequests(t *testing.T) {
	d, ui := newDriver(t)
	app, r := newApp(), newReader()
	require.NoError(t, r.Running(t.Context(), app, ui, ""))
	d.asked()
	idle := []string{"jobs?running", "jobs/0", "executors"}

	for _, step := range []struct {
		name   string
		change func()
		want   []string
	}{
		{"nothing happened", func() {}, idle},
		{"a job began", func() {
			d.job(0, spark.StatusRunning, []int{0, 1, 2}, nil)
			d.stage(0, 0, spark.StatusActive, 1, 0)
		}, []string{"jobs?running", "jobs/1", "stages?active", "executors"}},
		{"its first stage has run for long", func() { d.stage(0, 0, spark.StatusActive, 12, 2) },
			[]string{"jobs?running", "jobs/1", "stages?active", "stages/0/0", "stages/0/0/taskList?running", "executors"}},
		{"that one ended and the next runs", func() {
			d.stage(0, 0, spark.StatusComplete, 14, 10)
			d.stage(1, 0, spark.StatusActive, 1, 0)
		}, []string{"jobs?running", "jobs/1", "stages?active", "stages/0", "stages/0/0", "executors"}},
		{"the job ended, a short stage and a skipped one with it", func() {
			d.stage(1, 0, spark.StatusComplete, 3, 10)
			d.stage(2, 0, spark.StatusSkipped, 0, 0)
			d.job(0, spark.StatusSucceeded, []int{0, 1, 2}, map[string]any{"numSkippedStages": 1, "numCompletedStages": 2})
		}, []string{"jobs?running", "jobs/0", "jobs/1", "stages?active", "stages/1", "executors"}},
		{"nothing happened again", func() {}, []string{"jobs?running", "jobs/1", "executors"}},
		{"a job came and went", func() {
			d.job(1, spark.StatusSucceeded, []int{3}, map[string]any{"numCompletedStages": 1})
			d.stage(3, 0, spark.StatusComplete, 2, 10)
		}, []string{"jobs?running", "jobs/1", "jobs/2", "stages/3", "executors"}},
		{"a job that reused a stage and skipped another", func() {
			d.job(2, spark.StatusSucceeded, []int{3, 4}, map[string]any{"numSkippedStages": 2})
		}, []string{"jobs?running", "jobs/2", "jobs/3", "executors"}},
	} {
		step.change()
		require.NoError(t, r.Running(t.Context(), app, ui, ""), step.name)
		assert.Equal(t, step.want, d.asked(), step.name)
		if step.name == "its first stage has run for long" {
			require.Len(t, app.LongActiveStages(r.MinStageDuration, r.MaxStages), 1)
			assert.NotNil(t, app.LongActiveStages(r.MinStageDuration, r.MaxStages)[0].TaskMetrics)
		}
	}
	totals := app.Totals()
	assert.EqualValues(t, 3, totals.JobsSucceeded)
	assert.EqualValues(t, 3, totals.StagesCompleted)
	assert.EqualValues(t, 3, totals.StagesSkipped)
	assert.EqualValues(t, 3000, totals.InputBytes)
	ended := app.EndedStages(r.MinStageDuration, r.MaxStages)
	require.Len(t, ended, 1, "only the stage that lasted gets data points of its own")
	assert.Equal(t, 0, ended[0].ID)
}

func TestRetriedStageCountsEachAttemptOnce(t *testing.T) {
	d, ui := newDriver(t)
	app, r := newApp(), newReader()
	require.NoError(t, r.Running(t.Context(), app, ui, ""))
	d.job(0, spark.StatusRunning, []int{0}, nil)
	d.stage(0, 0, spark.StatusActive, 1, 4)
	require.NoError(t, r.Running(t.Context(), app, ui, ""))
	assert.EqualValues(t, 400, app.Totals().InputBytes)

	// Between two polls the attempt fails, and a second and a third run.
	d.stage(0, 0, spark.StatusFailed, 5, 6)
	d.stage(0, 1, spark.StatusFailed, 2, 1)
	d.stage(0, 2, spark.StatusActive, 1, 2)
	require.NoError(t, r.Running(t.Context(), app, ui, ""))
	assert.EqualValues(t, 900, app.Totals().InputBytes)

	d.stage(0, 2, spark.StatusComplete, 4, 4)
	d.job(0, spark.StatusSucceeded, []int{0}, map[string]any{"numFailedStages": 2, "numCompletedStages": 1})
	for range 3 {
		require.NoError(t, r.Running(t.Context(), app, ui, ""))
	}
	totals := app.Totals()
	assert.EqualValues(t, 1100, totals.InputBytes)
	assert.EqualValues(t, 2, totals.StagesFailed)
	assert.EqualValues(t, 1, totals.StagesCompleted)
}

// Spark forgets the oldest jobs and stages; totals keep what was seen of them.
func TestTotalsDoNotShrinkWhenSparkForgets(t *testing.T) {
	d, ui := newDriver(t)
	app, r := newApp(), newReader()
	d.job(0, spark.StatusRunning, []int{0}, nil)
	d.stage(0, 0, spark.StatusActive, 1, 5)
	require.NoError(t, r.Running(t.Context(), app, ui, ""))

	delete(d.jobs, 0)
	delete(d.stages, 0)
	d.job(3, spark.StatusRunning, []int{7}, nil)
	d.stage(7, 0, spark.StatusActive, 1, 1)
	d.asked()
	require.NoError(t, r.Running(t.Context(), app, ui, ""))
	assert.Equal(t, []string{"jobs?running", "jobs/0", "jobs/1", "jobs/2", "jobs/4", "stages?active", "stages/0", "executors"}, d.asked())
	assert.EqualValues(t, 600, app.Totals().InputBytes)
	require.NoError(t, r.Running(t.Context(), app, ui, ""))
	assert.EqualValues(t, 600, app.Totals().InputBytes)
	assert.EqualValues(t, 1, app.ActiveJobs())
}

// What could not be read in one poll is read in the next.
func TestNothingIsLostToAFailedRequest(t *testing.T) {
	for _, broken := range []string{"jobs?running", "jobs/0", "jobs/1", "stages?active", "stages/0", "stages/0/0", "executors", "allexecutors"} {
		t.Run(broken, func(t *testing.T) {
			d, ui := newDriver(t)
			app, r := newApp(), newReader()
			require.NoError(t, r.Running(t.Context(), app, ui, ""))
			d.executors = append(d.executors, map[string]any{"id": "1", "isActive": true})
			d.job(0, spark.StatusRunning, []int{0}, nil)
			d.stage(0, 0, spark.StatusActive, 1, 0)
			require.NoError(t, r.Running(t.Context(), app, ui, ""))

			d.stage(0, 0, spark.StatusComplete, 20, 10)
			d.job(0, spark.StatusSucceeded, []int{0}, map[string]any{"numCompletedStages": 1})
			d.executors[1] = map[string]any{"id": "1", "isActive": false, "removeReason": "Exit status: 137."}
			d.fail[broken] = true
			require.Error(t, r.Running(t.Context(), app, ui, ""))
			d.fail[broken] = false
			require.NoError(t, r.Running(t.Context(), app, ui, ""))

			totals := app.Totals()
			assert.EqualValues(t, 1000, totals.InputBytes)
			assert.EqualValues(t, 1, totals.JobsSucceeded)
			assert.EqualValues(t, 1, app.LostExecutors()[track.LossExit])
			ended := app.EndedStages(r.MinStageDuration, r.MaxStages)
			require.Len(t, ended, 1)
			assert.NotNil(t, ended[0].TaskMetrics)
		})
	}
}

func TestStageThatNeverBegan(t *testing.T) {
	d, ui := newDriver(t)
	app, r := newApp(), newReader()
	require.NoError(t, r.Running(t.Context(), app, ui, ""))
	d.job(0, spark.StatusFailed, []int{0, 1}, map[string]any{"numFailedStages": 1})
	d.stage(0, 0, spark.StatusFailed, 2, 1)
	d.stages[1] = []map[string]any{{"stageId": 1, "attemptId": 0, "status": spark.StatusPending}}
	require.NoError(t, r.Running(t.Context(), app, ui, ""))
	d.asked()
	require.NoError(t, r.Running(t.Context(), app, ui, ""))
	assert.Equal(t, []string{"jobs?running", "jobs/1", "executors"}, d.asked(), "it is not asked for again")
	assert.EqualValues(t, 1, app.Totals().JobsFailed)
}

func TestLongestRunningTask(t *testing.T) {
	d, ui := newDriver(t)
	at := func(seconds int) string {
		return d.now.Add(-time.Duration(seconds) * time.Second).Format("2006-01-02T15:04:05.000GMT")
	}
	d.job(0, spark.StatusRunning, []int{0}, nil)
	d.stage(0, 0, spark.StatusActive, 60, 9)
	d.tasks = []map[string]any{
		{"taskId": 8, "launchTime": at(3)},
		{"taskId": 9, "launchTime": at(40), "taskMetrics": map[string]any{
			"memoryBytesSpilled": 7, "inputMetrics": map[string]any{"bytesRead": 5}, "shuffleReadMetrics": map[string]any{"localBytesRead": 2, "remoteBytesRead": 1},
		}},
	}
	app, r := newApp(), newReader()
	require.NoError(t, r.Running(t.Context(), app, ui, ""))
	require.Len(t, app.ActiveStages(), 1)
	assert.Equal(t, &track.RunningTask{Duration: 40 * time.Second, BytesRead: 8, MemorySpilled: 7}, app.ActiveStages()[0].Longest)
}

// The driver is gone; the History Server still shows a job as running, as it does after a crash.
func TestEnded(t *testing.T) {
	d, ui := newDriver(t)
	d.job(0, spark.StatusRunning, []int{0}, nil)
	d.stage(0, 0, spark.StatusActive, 60, 9)
	d.executors = append(d.executors, map[string]any{"id": "1", "isActive": false, "removeReason": "Executor killed by driver."})
	app, r := newApp(), newReader()
	require.NoError(t, r.Ended(t.Context(), app, ui, ""))
	assert.EqualValues(t, 900, app.Totals().InputBytes)
	assert.EqualValues(t, 1, app.LostExecutors()[track.LossIdle])
}

// A proxy whose driver has just gone answers 404 as well: that does not mean that Spark has forgotten a job.
func TestAnotherServersNotFound(t *testing.T) {
	d, ui := newDriver(t)
	app, r := newApp(), newReader()
	require.NoError(t, r.Running(t.Context(), app, ui, ""))
	d.job(0, spark.StatusRunning, []int{0}, nil)
	require.NoError(t, r.Running(t.Context(), app, ui, ""))
	d.job(0, spark.StatusSucceeded, []int{0}, map[string]any{"numCompletedStages": 1})
	d.stage(0, 0, spark.StatusComplete, 20, 10)
	d.gone = true
	require.Error(t, r.Running(t.Context(), app, ui, ""))
	d.gone = false
	require.NoError(t, r.Ended(t.Context(), app, ui, ""))
	assert.EqualValues(t, 1, app.Totals().JobsSucceeded)
	assert.EqualValues(t, 1000, app.Totals().InputBytes)
}

func TestAnswerToAnotherQuestion(t *testing.T) {
	d, ui := newDriver(t)
	app, r := newApp(), newReader()
	require.NoError(t, r.Running(t.Context(), app, ui, ""))
	d.jobs[0] = map[string]any{"jobId": 77, "status": spark.StatusSucceeded}
	require.ErrorContains(t, r.Running(t.Context(), app, ui, ""), "asked for job 0, the answer is job 77")
}
