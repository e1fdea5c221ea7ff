package read

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

// What metrics of SQL executions cost: a listing when a job begins or ends, and the plan of an execution that lasts, at
// each poll while it runs and once when it has ended.
func TestRequestsForPlans(t *testing.T) {
	d, ui := newDriver(t)
	app, r := newApp(), newReader()
	r.Wanted.SQL = true
	require.NoError(t, r.Running(t.Context(), app, ui, ""))
	d.asked()
	submitted := d.now
	execution := func(status string, running, succeeded []int) map[string]any {
		return map[string]any{
			"id": 0, "status": status, "submissionTime": submitted.Format(sparkTime), "duration": d.now.Sub(submitted).Milliseconds(),
			"runningJobIds": running, "successJobIds": succeeded,
		}
	}
	for _, step := range []struct {
		name   string
		change func()
		want   []string
		active int
		done   int64
		files  float64
	}{
		{"nothing happened", func() {}, []string{"jobs?running", "jobs/0", "executors"}, 0, 0, 0},
		{"a query began", func() {
			d.job(0, spark.StatusRunning, []int{0}, nil)
			d.stage(0, 0, spark.StatusActive, 1, 0)
			d.sql = append(d.sql, execution(spark.StatusRunning, []int{0}, nil))
		}, []string{"jobs?running", "jobs/1", "stages?active", "executors", "sql?0"}, 1, 0, 0},
		{"it has run for long", func() {
			d.now = d.now.Add(15 * time.Second)
			d.stage(0, 0, spark.StatusActive, 1, 0)
		}, []string{"jobs?running", "jobs/1", "stages?active", "executors", "sql/0"}, 1, 0, 1200},
		{"it has ended", func() {
			d.stage(0, 0, spark.StatusComplete, 2, 10)
			d.job(0, spark.StatusSucceeded, []int{0}, map[string]any{"numCompletedStages": 1})
			d.sql[0] = execution("COMPLETED", nil, []int{0})
		}, []string{"jobs?running", "jobs/0", "jobs/1", "stages?active", "stages/0", "executors", "sql?0", "sql/0"}, 0, 1, 1200},
		{"it was not delivered", func() {}, []string{"jobs?running", "jobs/1", "executors"}, 0, 1, 1200},
		{"it was", func() { app.Delivered(true) }, []string{"jobs?running", "jobs/1", "executors"}, 0, 1, 0},
	} {
		step.change()
		require.NoError(t, r.Running(t.Context(), app, ui, ""), step.name)
		assert.Equal(t, step.want, d.asked(), step.name)
		assert.Len(t, app.ActiveExecutions(), step.active, step.name)
		completed, failed, ok := app.CountedExecutions()
		assert.True(t, ok)
		assert.Equal(t, step.done, completed, step.name)
		assert.Zero(t, failed)
		var files float64
		for _, e := range append(app.LongActiveExecutions(r.MinStageDuration, 1), app.EndedExecutions(r.MinStageDuration, 1)...) {
			files = e.Plan[track.PlanScanFiles]
		}
		assert.InDelta(t, step.files, files, 0, step.name)
	}
}
