package emit

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

// Each execution of a shell or a server is the root of a trace, with its jobs; so is a job without one. They are linked
// to the application.
func TestRootsOfAServer(t *testing.T) {
	app := newTestApplication()
	app.FollowEndings(true, true)
	app.RootsPerJob = true
	app.State, app.Ended = track.Succeeded, begin.Add(time.Hour)
	app.ListJobs([]spark.Job{
		{ID: 1, Status: spark.StatusSucceeded, SubmissionTime: at(10), CompletionTime: at(20)},
		{ID: 0, Status: spark.StatusSucceeded, SubmissionTime: at(1), CompletionTime: at(2)},
	})
	app.ObserveExecutions([]spark.Execution{{ID: 0, Status: "COMPLETED", SubmissionTime: at(9), Duration: 12_000, SucceededJobs: []int{1}}}, 0)
	app.CloseEndings()
	spans := spansOf(app)
	application, query, jobs := spans["spark.application"][0], spans["spark.sql"][0], spans["spark.job"]
	require.Len(t, jobs, 2)
	assert.Equal(t, query.TraceID(), jobs[1].TraceID())
	assert.Equal(t, query.SpanID(), jobs[1].ParentSpanID())
	for _, root := range []ptrace.Span{query, jobs[0]} {
		assert.True(t, root.ParentSpanID().IsEmpty())
		require.Equal(t, 1, root.Links().Len())
		assert.Equal(t, application.TraceID(), root.Links().At(0).TraceID())
		assert.Equal(t, application.SpanID(), root.Links().At(0).SpanID())
		assert.NotEqual(t, application.TraceID(), root.TraceID())
	}
	assert.NotEqual(t, query.TraceID(), jobs[0].TraceID())
	assert.Zero(t, jobs[1].Links().Len())
	assert.Equal(t, query.TraceID(), identityOf("lab", app.Key).rootedIn("sql", "0").trace)
}

// The executors of an application are events of its span, in their order.
func TestExecutorsOnTheApplication(t *testing.T) {
	app := newTestApplication()
	app.FollowEndings(true, false)
	app.State, app.Ended = track.Succeeded, begin.Add(time.Hour)
	app.ObserveAllExecutors([]spark.Executor{
		{ID: "driver", Active: true, AddTime: at(1)},
		{ID: "2", Active: true, AddTime: at(3)},
		{ID: "1", AddTime: at(2), RemoveTime: at(9), RemoveReason: "Container killed by YARN for exceeding physical memory limits."},
	})
	app.CloseEndings()
	events := spansOf(app)["spark.application"][0].Events()
	require.Equal(t, 3, events.Len())
	for i, want := range []struct {
		name, id string
		at       time.Time
	}{{"spark.executor.added", "1", at(2).Time}, {"spark.executor.added", "2", at(3).Time}, {"spark.executor.lost", "1", at(9).Time}} {
		event := events.At(i)
		id, _ := event.Attributes().Get("spark.executor.id")
		assert.Equal(t, want.name, event.Name())
		assert.Equal(t, want.id, id.Str())
		assert.True(t, want.at.Equal(event.Timestamp().AsTime()), event.Timestamp().AsTime())
	}
	reason, _ := events.At(2).Attributes().Get("spark.executor.loss.reason")
	assert.Equal(t, "memory", reason.Str())
}

// Parents of stages and the slowest tasks are shown where they are known; no Spark so far tells parents, so the ids are
// made up.
func TestSlowestTasksAndParentsOfAStage(t *testing.T) {
	app := newTestApplication()
	app.FollowEndings(true, false)
	app.State, app.Ended = track.Succeeded, begin.Add(time.Hour)
	app.ListStages([]spark.Stage{{ID: 3, ParentIDs: []int{1, 2}, Status: spark.StatusComplete, SubmissionTime: at(1), CompletionTime: at(30)}}, begin)
	for _, s := range app.UndetailedStages() {
		s.Failures = []spark.Task{{ID: 7, Status: spark.TaskFailed, LaunchTime: at(2), Duration: 1000, ErrorMessage: "boom"}}
		slow := spark.Task{ID: 8, Status: spark.TaskSuccess, LaunchTime: at(3), Duration: 20_000}
		slow.Metrics.RunTime, slow.Metrics.ShuffleRead.RemoteBytes = 19_000, 1<<20
		s.Slowest = []spark.Task{slow, s.Failures[0], {ID: 9, Status: spark.TaskKilled, LaunchTime: at(4), Duration: 500}}
		s.Detailed = true
	}
	app.CloseEndings()
	spans := spansOf(app)
	parents, _ := spans["spark.stage"][0].Attributes().Get("spark.stage.parent_ids")
	assert.Equal(t, []any{int64(1), int64(2)}, parents.AsRaw())
	tasks := spans["spark.task"]
	require.Len(t, tasks, 3, "a task that failed and was slow is shown once")
	assert.Equal(t, ptrace.StatusCodeError, tasks[0].Status().Code())
	assert.Equal(t, ptrace.StatusCodeUnset, tasks[1].Status().Code())
	attributes := tasks[1].Attributes().AsRaw()
	assert.Equal(t, "completed", attributes["spark.task.result"])
	assert.Equal(t, 19.0, attributes["spark.task.run_time"])
	assert.EqualValues(t, 1<<20, attributes["spark.task.shuffle.read.size"])
	assert.Equal(t, "killed", tasks[2].Attributes().AsRaw()["spark.task.result"])
	assert.Equal(t, ptrace.StatusCodeUnset, tasks[2].Status().Code())
}

// What a span costs to make.
func TestAllocationsOfASpan(t *testing.T) {
	app, builder := newEndedApplication(), newTestBuilder()
	td := ptrace.NewTraces()
	builder.Spans(td, app, app.Spans())
	spans := float64(td.SpanCount())
	allocations := testing.AllocsPerRun(100, func() { builder.Spans(ptrace.NewTraces(), app, app.Spans()) })
	t.Logf("%.0f allocations for each of %.0f spans", allocations/spans, spans)
	assert.LessOrEqual(t, allocations/spans, 25.0)
}
