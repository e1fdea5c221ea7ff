package read

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

const sparkTime = "2006-01-02T15:04:05.000GMT"

// timedJob adds or replaces a job that was submitted some seconds ago and, unless it runs, ends now.
func (d *driver) timedJob(id int, status string, seconds int, stages []int, extra map[string]any) {
	d.job(id, status, stages, extra)
	d.jobs[id]["submissionTime"] = d.now.Add(-time.Duration(seconds) * time.Second).Format(sparkTime)
	if status != spark.StatusRunning {
		d.jobs[id]["completionTime"] = d.now.Format(sparkTime)
	}
}

func (d *driver) execution(id int, status string, running, succeeded []int) {
	e := map[string]any{"id": id, "status": status, "submissionTime": d.now.Format(sparkTime), "runningJobIds": running, "successJobIds": succeeded}
	for i, other := range d.sql {
		if other["id"] == id {
			d.sql[i] = e
			return
		}
	}
	d.sql = append(d.sql, e)
}

func followed() *track.Application {
	app := newApp()
	app.FollowEndings(true, false)
	return app
}

func jobIDs(box *track.Outbox) (ids []int) {
	for _, j := range box.Jobs {
		ids = append(ids, j.ID)
	}
	return ids
}

func executionIDs(box *track.Outbox) (ids []int) {
	for _, e := range box.Executions {
		ids = append(ids, e.ID)
	}
	return ids
}

// What spans add to the cost of a poll, in requests.
func TestRequestsForSpans(t *testing.T) {
	d, ui := newDriver(t)
	app, r := followed(), newReader()
	require.NoError(t, r.Running(t.Context(), app, ui, ""))
	d.asked()

	for _, step := range []struct {
		name       string
		change     func()
		want       []string
		jobs       []int
		executions []int
	}{
		{"nothing happened", func() {}, []string{"jobs?running", "jobs/0", "executors"}, nil, nil},
		{"a job of a query began", func() {
			d.timedJob(0, spark.StatusRunning, 1, []int{0}, nil)
			d.stage(0, 0, spark.StatusActive, 1, 0)
			d.execution(0, spark.StatusRunning, []int{0}, nil)
		}, []string{"jobs?running", "jobs/1", "stages?active", "executors"}, nil, nil},
		{"the job ended, the query did not", func() {
			d.stage(0, 0, spark.StatusComplete, 3, 10)
			d.timedJob(0, spark.StatusSucceeded, 3, []int{0}, nil)
			d.execution(0, spark.StatusRunning, nil, []int{0})
		}, []string{"jobs?running", "jobs/0", "jobs/1", "stages?active", "stages/0", "executors", "sql?0"}, []int{0}, nil},
		{"the query ended", func() { d.execution(0, "COMPLETED", nil, []int{0}) },
			[]string{"jobs?running", "jobs/1", "executors", "sql?0"}, nil, []int{0}},
		{"nothing happened again", func() {}, []string{"jobs?running", "jobs/1", "executors"}, nil, nil},
		{"a long job with failed tasks came and went", func() {
			d.timedJob(1, spark.StatusSucceeded, 20, []int{1}, nil)
			d.stage(1, 0, spark.StatusComplete, 20, 10)
			d.stages[1][0]["numFailedTasks"] = 1
			d.execution(1, "COMPLETED", nil, []int{1})
		}, []string{"jobs?running", "jobs/1", "jobs/2", "stages/1", "stages/1/0", "executors", "stages/1/0/taskList?failed", "stages/1/0/taskList", "sql?0"}, []int{1}, []int{1}},
		{"a job without a query", func() {
			d.timedJob(2, spark.StatusSucceeded, 2, []int{2}, nil)
			d.stage(2, 0, spark.StatusComplete, 2, 10)
		}, []string{"jobs?running", "jobs/2", "jobs/3", "stages/2", "executors", "sql?1"}, []int{2}, nil},
	} {
		step.change()
		require.NoError(t, r.Running(t.Context(), app, ui, ""), step.name)
		assert.Equal(t, step.want, d.asked(), step.name)
		assert.Equal(t, step.jobs, jobIDs(app.Spans()), step.name)
		assert.Equal(t, step.executions, executionIDs(app.Spans()), step.name)
		for _, j := range app.Spans().Jobs {
			assert.Len(t, j.Stages, 1, step.name)
			if j.ID < 2 {
				require.NotNil(t, j.Execution, step.name)
				assert.Equal(t, j.ID, j.Execution.ID, step.name)
			} else {
				assert.Nil(t, j.Execution, step.name)
			}
		}
		app.Spans().Delivered(app.Spans())
	}
}

// Spark forgets the oldest executions, so that the others move up in the list.
func TestExecutionsThatMove(t *testing.T) {
	d, ui := newDriver(t)
	app, r := followed(), newReader()
	for id := range 10 {
		d.timedJob(id, spark.StatusSucceeded, 1, nil, nil)
		d.execution(id, "COMPLETED", nil, []int{id})
	}
	require.NoError(t, r.Running(t.Context(), app, ui, ""))
	assert.Len(t, app.Spans().Executions, 10)
	app.Spans().Delivered(app.Spans())
	d.asked()

	for _, step := range []struct {
		forget int
		want   []string
	}{{0, []string{"sql?9"}}, {1, []string{"sql?10", "sql?9"}}, {8, []string{"sql?10", "sql?0"}}} {
		id := app.NextJob()
		d.timedJob(id, spark.StatusSucceeded, 1, nil, nil)
		d.execution(id, "COMPLETED", nil, []int{id})
		d.sql = d.sql[step.forget:]
		require.NoError(t, r.Running(t.Context(), app, ui, ""))
		asked := slices.DeleteFunc(d.asked(), func(request string) bool { return request[:3] != "sql" })
		assert.Equal(t, step.want, asked)
		assert.Equal(t, []int{id}, executionIDs(app.Spans()))
		require.NotNil(t, app.Spans().Jobs[0].Execution)
		app.Spans().Delivered(app.Spans())
	}
}

// A query that runs for long holds nobody up, and nothing is delivered twice.
func TestExecutionsBehindOneThatRuns(t *testing.T) {
	d, ui := newDriver(t)
	app, r := followed(), newReader()
	d.execution(0, spark.StatusRunning, nil, nil)
	var got []int
	for id := range 4 {
		d.timedJob(id, spark.StatusSucceeded, 1, nil, nil)
		d.execution(id+1, "COMPLETED", nil, []int{id})
		require.NoError(t, r.Running(t.Context(), app, ui, ""))
		got = append(got, executionIDs(app.Spans())...)
		app.Spans().Delivered(app.Spans())
	}
	d.execution(0, "COMPLETED", nil, nil)
	require.NoError(t, r.Running(t.Context(), app, ui, ""))
	assert.Equal(t, []int{1, 2, 3, 4, 0}, append(got, executionIDs(app.Spans())...))
}

// A job waits for what could not be read of it.
func TestNoEndingIsLostToAFailedRequest(t *testing.T) {
	for _, broken := range []string{"jobs/0", "stages/0", "stages/0/0", "stages/0/0/taskList?failed", "sql?0"} {
		t.Run(broken, func(t *testing.T) {
			d, ui := newDriver(t)
			app, r := followed(), newReader()
			require.NoError(t, r.Running(t.Context(), app, ui, ""))
			d.timedJob(0, spark.StatusRunning, 20, []int{0}, nil)
			d.stage(0, 0, spark.StatusActive, 20, 0)
			require.NoError(t, r.Running(t.Context(), app, ui, ""))

			d.timedJob(0, spark.StatusSucceeded, 30, []int{0}, nil)
			d.stage(0, 0, spark.StatusComplete, 30, 10)
			d.stages[0][0]["numFailedTasks"] = 1
			d.failed = map[int][]map[string]any{0: {{"taskId": 3, "status": "FAILED"}}}
			d.execution(0, "COMPLETED", nil, []int{0})
			d.fail[broken] = true
			require.Error(t, r.Running(t.Context(), app, ui, ""))
			assert.Empty(t, app.Spans().Jobs)
			d.fail[broken] = false
			require.NoError(t, r.Running(t.Context(), app, ui, ""))

			require.Len(t, app.Spans().Jobs, 1)
			job := app.Spans().Jobs[0]
			require.NotNil(t, job.Execution)
			require.Len(t, job.Stages, 1)
			assert.NotNil(t, job.Stages[0].TaskMetrics)
			assert.Len(t, job.Stages[0].Failures, 1)
		})
	}
}

// A stage that a second job runs again, since its output was lost, belongs to each job with the attempt that ran for it.
func TestStageOfTwoJobs(t *testing.T) {
	d, ui := newDriver(t)
	app, r := followed(), newReader()
	require.NoError(t, r.Running(t.Context(), app, ui, ""))
	d.stage(0, 0, spark.StatusComplete, 3, 10)
	d.timedJob(0, spark.StatusSucceeded, 4, []int{0}, nil)
	require.NoError(t, r.Running(t.Context(), app, ui, ""))
	d.now = d.now.Add(time.Minute)
	d.stage(0, 1, spark.StatusComplete, 3, 10)
	d.timedJob(1, spark.StatusSucceeded, 4, []int{0}, map[string]any{"numFailedStages": 1})
	require.NoError(t, r.Running(t.Context(), app, ui, ""))
	live := app.Spans().Jobs

	app = followed()
	require.NoError(t, r.Ended(t.Context(), app, ui, ""))
	app.CloseEndings()
	for _, jobs := range [][]*track.EndedJob{live, app.Spans().Jobs} {
		require.Len(t, jobs, 2)
		for i, job := range jobs {
			require.Len(t, job.Stages, 1)
			assert.Equal(t, i, job.Stages[0].Attempt)
		}
	}
}

// Without metrics only what tells of jobs and stages is asked for.
func TestNobodyWantsMetrics(t *testing.T) {
	d, ui := newDriver(t)
	d.timedJob(0, spark.StatusRunning, 20, []int{0}, nil)
	d.stage(0, 0, spark.StatusActive, 20, 2)
	app, r := followed(), newReader()
	r.Metrics = false
	require.NoError(t, r.Running(t.Context(), app, ui, ""))
	asked := d.asked()
	assert.NotContains(t, asked, "executors")
	assert.NotContains(t, asked, "stages/0/0")
	assert.NotContains(t, asked, "sql?0")
}

// A collector that starts late reads the details of what has ended over several polls.
func TestDetailsAreReadOverSeveralPolls(t *testing.T) {
	d, ui := newDriver(t)
	const jobs = 2*maxDetails + 1
	for id := range jobs {
		d.timedJob(id, spark.StatusSucceeded, 1, []int{id}, nil)
		d.stage(id, 0, spark.StatusComplete, 1, 10)
		d.stages[id][0]["numFailedTasks"] = 1
	}
	app, r := followed(), newReader()
	for _, want := range []int{maxDetails, 2 * maxDetails, jobs} {
		require.NoError(t, r.Running(t.Context(), app, ui, ""))
		assert.Len(t, app.Spans().Jobs, want)
	}
}

// Which of tasks that ran equally long come first is for every reader another: they are left out.
func TestTasksThatTieAreLeftOut(t *testing.T) {
	tasks := func(runTimes ...int64) []spark.Task {
		list := make([]spark.Task, len(runTimes))
		for i, ms := range runTimes {
			list[i].Metrics.RunTime = ms
		}
		return list
	}
	assert.Len(t, standingOut(tasks(9, 8)), 2)
	assert.Len(t, standingOut(tasks(9, 8, 7, 6, 5)), 4)
	assert.Len(t, standingOut(tasks(9, 8, 5, 5, 5)), 2)
	assert.Empty(t, standingOut(tasks(5, 5, 5, 5, 5)))
}
