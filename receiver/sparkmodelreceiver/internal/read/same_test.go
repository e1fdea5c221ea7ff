package read

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/emit"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

// collect adds the spans of an application that wait to be delivered, as JSON by their ids, and takes them as delivered.
func collect(t *testing.T, into map[string]string, app *track.Application) {
	b := emit.NewBuilder(metadata.NewDefaultMetricsBuilderConfig(), receivertest.NewNopSettings(metadata.Type), emit.Options{Cluster: "lab"})
	td := ptrace.NewTraces()
	b.Spans(td, app, app.Spans())
	app.Spans().Delivered(app.Spans())
	for _, rs := range td.ResourceSpans().All() {
		for _, span := range rs.ScopeSpans().At(0).Spans().All() {
			one := ptrace.NewTraces()
			only := one.ResourceSpans().AppendEmpty()
			rs.Resource().CopyTo(only.Resource())
			span.CopyTo(only.ScopeSpans().AppendEmpty().Spans().AppendEmpty())
			text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(one)
			require.NoError(t, err)
			id := span.SpanID().String()
			assert.NotContains(t, into, id, "%s is sent twice", span.Name())
			into[id] = string(text)
		}
	}
}

func end(d *driver, app *track.Application) {
	app.Name, app.Model, app.SparkVersion = "nightly", track.Model{Name: "churn"}, "4.3.0"
	app.State, app.Ended = track.Succeeded, d.now
	app.CloseEndings()
}

// sums sets all that is summed up over the tasks of a stage's first attempt.
func (d *driver) sums(id, value int) {
	for _, name := range []string{
		"executorRunTime", "executorCpuTime", "executorDeserializeTime", "resultSerializationTime", "resultSize", "jvmGcTime",
		"inputBytes", "inputRecords", "outputBytes", "outputRecords", "shuffleLocalBytesRead", "shuffleRemoteBytesRead",
		"shuffleReadRecords", "shuffleFetchWaitTime", "shuffleWriteBytes", "shuffleWriteTime", "shuffleWriteRecords",
		"memoryBytesSpilled", "diskBytesSpilled", "peakExecutionMemory",
	} {
		d.stages[id][0][name] = value
	}
}

// Whoever reads an application, as often as he likes, or only what is left of it in the end, makes the same spans: here
// with queries, retries, failed tasks, a job that failed, jobs that share a stage and run at the same time, a job that
// was running when its driver was killed, and a stage that lost a task with its executor, of which the event log has no
// figures (198 and 180 shuffle records were seen of one, live and in the History Server).
func TestLiveAndHistoryGiveTheSameSpans(t *testing.T) {
	d, ui := newDriver(t)
	tick := func() { d.now = d.now.Add(30 * time.Second) }
	steps := []func(){
		func() {
			d.timedJob(0, spark.StatusRunning, 5, []int{0, 1}, nil)
			d.stage(0, 0, spark.StatusActive, 4, 1)
			d.execution(0, spark.StatusRunning, []int{0}, nil)
		},
		func() {
			d.stage(0, 0, spark.StatusComplete, 34, 10)
			d.stage(1, 0, spark.StatusFailed, 20, 3)
			d.stages[1][0]["numFailedTasks"], d.stages[1][0]["failureReason"] = 2, "FetchFailed(null)"
			d.stage(1, 1, spark.StatusActive, 3, 1)
			d.timedJob(1, spark.StatusRunning, 2, []int{2}, nil)
		},
		func() {
			d.stage(1, 1, spark.StatusComplete, 33, 7)
			d.timedJob(0, spark.StatusSucceeded, 65, []int{0, 1}, map[string]any{"numFailedStages": 1, "numCompletedStages": 2})
			d.stage(2, 0, spark.StatusFailed, 20, 0)
			d.stages[2][0]["failureReason"] = "java.lang.RuntimeException: boom\n\tat A.b(A.java:1)"
			d.timedJob(1, spark.StatusFailed, 32, []int{2}, map[string]any{"numFailedStages": 1})
		},
		func() {
			d.sql[0] = map[string]any{"id": 0, "status": "COMPLETED", "submissionTime": d.now.Add(-time.Minute).Format(sparkTime), "duration": 50_000, "successJobIds": []int{0}}
		},
		func() {
			d.timedJob(2, spark.StatusRunning, 9, []int{3}, nil)
			d.timedJob(3, spark.StatusRunning, 8, []int{3, 4}, nil)
			d.stage(3, 0, spark.StatusActive, 7, 1)
		},
		func() {
			d.stage(3, 0, spark.StatusComplete, 37, 10)
			d.stage(4, 0, spark.StatusComplete, 2, 10)
			d.timedJob(3, spark.StatusSucceeded, 38, []int{3, 4}, map[string]any{"numCompletedStages": 2})
		},
		func() { d.timedJob(2, spark.StatusSucceeded, 69, []int{3}, map[string]any{"numCompletedStages": 1}) },
		func() {
			d.stage(6, 0, spark.StatusComplete, 3, 10)
			d.stages[6][0]["numFailedTasks"] = 1
			d.sums(6, 198)
			d.timedJob(5, spark.StatusSucceeded, 4, []int{6}, map[string]any{"numCompletedStages": 1})
		},
		func() {
			d.timedJob(4, spark.StatusRunning, 9, []int{5}, nil)
			d.stage(5, 0, spark.StatusActive, 7, 1)
		},
	}
	failure := func(id int, message string) []map[string]any {
		return []map[string]any{{"taskId": id, "status": "FAILED", "launchTime": d.now.Format(sparkTime), "duration": 3, "errorMessage": message}}
	}
	d.failed = map[int][]map[string]any{
		1: failure(17, "java.lang.RuntimeException: boom"),
		6: failure(18, "ExecutorLostFailure (executor 2 exited caused by one of the running tasks) Reason: Container from a bad node"),
	}

	submitted := d.now.Add(-time.Hour)
	live, app, r := map[string]string{}, followed(), newReader()
	app.Submitted = submitted
	for _, step := range steps {
		step()
		require.NoError(t, r.Running(t.Context(), app, ui, ""))
		app.Name, app.Model = "nightly", track.Model{Name: "churn"}
		collect(t, live, app)
		tick()
	}
	end(d, app)
	collect(t, live, app)

	d.sums(6, 180)
	history, late := map[string]string{}, followed()
	late.Submitted = submitted
	require.NoError(t, r.Ended(t.Context(), late, ui, ""))
	end(d, late)
	collect(t, history, late)

	assert.Len(t, history, 24, "an application, a query, six jobs, eight stage attempts, two failed tasks, the slowest ones of four long attempts, and what is known of the start-up")
	assert.Len(t, live, len(history))
	for id, span := range history {
		if assert.Contains(t, live, id, span) {
			assert.JSONEq(t, span, live[id])
		}
	}
}
