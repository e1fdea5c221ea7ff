package emit

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

// The ids are a promise to whoever joins spans of their own: the values were computed with sha256sum.
func TestIDs(t *testing.T) {
	i := identityOf("lab", track.Key{ID: "application_1_0002", Attempt: "1"})
	assert.Equal(t, "73fbb8c8a2f6f92d59db8c7e7ff98a58", i.trace.String())
	assert.Equal(t, "42ae357b1b59fb99", i.root().String())
	assert.Equal(t, "c7dc110e795719de", i.stage(track.StageKey{ID: 7, Attempt: 1}).String())
	assert.Equal(t, "1cd171dcb34c7907", i.execution(3).String())
	assert.Equal(t, "a526ced188c7cf20", i.job(12).String())
}

func at(seconds int) spark.Time {
	return spark.Time{Time: begin.Add(time.Duration(seconds) * time.Second)}
}

const boom = "Job aborted due to stage failure: Task 0 in stage 0.1 failed 4 times, most recent failure: Lost task 0.3 in stage 0.1 (TID 7) (host executor 1): " +
	"java.lang.IllegalStateException: boom\n\tat com.example.Train.fit(Train.scala:7)\n\tat java.base/java.lang.Thread.run(Thread.java:840)"

// newEndedApplication returns an application with a query whose only job failed after its stage was tried twice.
func newEndedApplication() *track.Application {
	app := newTestApplication()
	app.FollowEndings(true, true)
	app.State, app.Ended, app.Diagnostics = track.Failed, begin.Add(50*time.Second), "User application exited with status 1"
	app.Allocation = &track.Allocation{Wait: 4 * time.Second}
	app.ListStages([]spark.Stage{
		{ID: 0, Attempt: 0, Name: "fit", Status: spark.StatusFailed, FailureReason: "FetchFailed(null)", SubmissionTime: at(11), CompletionTime: at(20)},
		{ID: 0, Attempt: 1, Name: "fit", Status: spark.StatusFailed, FailureReason: boom, SubmissionTime: at(21), CompletionTime: at(30)},
	}, begin.Add(40*time.Second))
	app.ListJobs([]spark.Job{{ID: 0, Name: "fit", Status: spark.StatusFailed, StageIDs: []int{0}, FailedStages: 2, SubmissionTime: at(10), CompletionTime: at(31)}})
	app.ObserveExecutions([]spark.Execution{{ID: 5, Status: spark.StatusFailed, Description: "train", SubmissionTime: at(9), Duration: 23_000, FailedJobs: []int{0}}}, 0)
	for _, s := range app.UndetailedStages() {
		s.Detailed = true
		s.Failures = []spark.Task{{ID: int64(s.Attempt), LaunchTime: at(12), Duration: 500, Status: spark.TaskFailed, ErrorMessage: "java.lang.IllegalStateException: boom"}}
	}
	app.CloseEndings()
	return app
}

func spansOf(app *track.Application) map[string][]ptrace.Span {
	td := ptrace.NewTraces()
	newTestBuilder().Spans(td, app, app.Spans())
	spans := map[string][]ptrace.Span{}
	for _, rs := range td.ResourceSpans().All() {
		for _, span := range rs.ScopeSpans().At(0).Spans().All() {
			spans[span.Name()] = append(spans[span.Name()], span)
		}
	}
	return spans
}

func TestSpansOfAFailedApplication(t *testing.T) {
	spans := spansOf(newEndedApplication())
	require.Equal(t, []string{"spark.application", "spark.job", "spark.sql", "spark.stage", "spark.startup", "spark.task", "yarn.queue_wait"}, slices.Sorted(maps.Keys(spans)))
	app, wait, query, job, stages, tasks := spans["spark.application"][0], spans["yarn.queue_wait"][0], spans["spark.sql"][0], spans["spark.job"][0], spans["spark.stage"], spans["spark.task"]
	require.Len(t, stages, 2)
	require.Len(t, tasks, 2)

	assert.True(t, app.ParentSpanID().IsEmpty())
	assert.Equal(t, app.SpanID(), wait.ParentSpanID())
	assert.Equal(t, app.SpanID(), query.ParentSpanID())
	assert.Equal(t, query.SpanID(), job.ParentSpanID())
	for i := range stages {
		assert.Equal(t, job.SpanID(), stages[i].ParentSpanID())
		assert.Equal(t, stages[i].SpanID(), tasks[i].ParentSpanID())
	}
	require.Equal(t, 1, stages[1].Links().Len())
	assert.Equal(t, stages[0].SpanID(), stages[1].Links().At(0).SpanID())
	assert.Zero(t, stages[0].Links().Len())

	duration := func(s ptrace.Span) time.Duration { return s.EndTimestamp().AsTime().Sub(s.StartTimestamp().AsTime()) }
	assert.Equal(t, 50*time.Second, duration(app))
	assert.Equal(t, 4*time.Second, duration(wait))
	assert.Equal(t, 23*time.Second, duration(query))
	assert.Equal(t, 21*time.Second, duration(job))
	assert.Equal(t, 9*time.Second, duration(stages[0]))
	assert.Equal(t, 500*time.Millisecond, duration(tasks[0]))

	assert.Equal(t, ptrace.StatusCodeError, job.Status().Code())
	require.Equal(t, 1, job.Events().Len())
	exception := job.Events().At(0).Attributes().AsRaw()
	assert.Equal(t, "java.lang.IllegalStateException", exception["exception.type"])
	assert.True(t, strings.HasSuffix(exception["exception.message"].(string), "IllegalStateException: boom"), exception["exception.message"])
	assert.Contains(t, exception["exception.stacktrace"], "Train.scala:7")
	assert.Equal(t, "User application exited with status 1", app.Status().Message())
}

// What was cancelled or killed is not an error.
func TestCancelledIsNoError(t *testing.T) {
	app := newTestApplication()
	app.FollowEndings(true, true)
	app.State, app.Ended = track.Killed, begin.Add(50*time.Second)
	reason := "[SPARK_JOB_CANCELLED] Job 0 cancelled part of cancelled job group 7c7a SQLSTATE: XXKDA"
	app.ListStages([]spark.Stage{{Status: spark.StatusFailed, FailureReason: reason, SubmissionTime: at(11), CompletionTime: at(20)}}, begin)
	app.ListJobs([]spark.Job{{Status: spark.StatusFailed, StageIDs: []int{0}, SubmissionTime: at(10), CompletionTime: at(31)}})
	app.ObserveExecutions([]spark.Execution{{Status: spark.StatusFailed, ErrorMessage: reason, SubmissionTime: at(9)}}, 0)
	app.CloseEndings()
	for name, list := range spansOf(app) {
		for _, span := range list {
			assert.Equal(t, ptrace.StatusCodeUnset, span.Status().Code(), name)
		}
	}
	cancelled, _ := spansOf(app)["spark.job"][0].Attributes().Get("spark.job.cancelled")
	assert.True(t, cancelled.Bool())
	ld := plog.NewLogs()
	newTestBuilder().Events(ld, app, app.Events())
	for _, record := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		assert.Less(t, record.SeverityNumber(), plog.SeverityNumberError, record.EventName())
	}
}

// What the History Server still shows as running, as after a crash, ends with its application.
func TestWhatNeverEndedEndsWithItsApplication(t *testing.T) {
	app := newTestApplication()
	app.FollowEndings(true, false)
	app.State, app.Ended = track.Lost, begin.Add(50*time.Second)
	app.ListStages([]spark.Stage{{Status: spark.StatusActive, SubmissionTime: at(11)}}, begin)
	app.ListJobs([]spark.Job{{Status: spark.StatusRunning, StageIDs: []int{0}, SubmissionTime: at(10)}})
	app.CloseEndings()
	spans := spansOf(app)
	for _, name := range []string{"spark.job", "spark.stage"} {
		require.Len(t, spans[name], 1)
		assert.Equal(t, app.Ended, spans[name][0].EndTimestamp().AsTime())
		marked, _ := spans[name][0].Attributes().Get("spark.time.estimated")
		assert.True(t, marked.Bool(), name)
	}
}

func TestEventsOfAFailedApplication(t *testing.T) {
	ld := plog.NewLogs()
	app := newEndedApplication()
	newTestBuilder().Events(ld, app, app.Events())
	got := map[string]string{}
	for _, record := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		got[record.EventName()] = record.Body().Str()
	}
	assert.Equal(t, []string{"spark.application.failed", "spark.job.failed", "spark.stage.failed", "spark.stage.retried"}, slices.Sorted(maps.Keys(got)))
	assert.Equal(t, "Application nightly (application_1_0001) has failed after 50s: User application exited with status 1", got["spark.application.failed"])
}

// An attribute of a stage span is a metric, with the value of its attribute at the end if it has one, or an attribute of
// stages' metrics.
func TestStageAttributesAreMetrics(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "metadata.yaml"))
	require.NoError(t, err)
	var metadata struct {
		Attributes map[string]struct{ Enum []string }
		Metrics    map[string]struct{ Attributes []string }
	}
	require.NoError(t, yaml.Unmarshal(text, &metadata))
	names := map[string]bool{}
	for name, m := range metadata.Metrics {
		values := []string{""}
		for _, attribute := range m.Attributes {
			names[attribute] = true
			if enum := metadata.Attributes[attribute].Enum; enum != nil {
				values = enum
			}
		}
		for _, value := range values {
			names[strings.TrimSuffix(name+"."+value, ".")] = true
		}
	}
	all := []rest.Float{1, 2, 3, 4, 5, 6}
	d := &spark.TaskDistributions{
		Quantiles: []rest.Float{0, 0.25, 0.5, 0.75, 0.95, 1}, ExecutorRunTime: all, JVMGCTime: all, SchedulerDelay: all, MemoryBytesSpilled: all,
	}
	d.Input.Bytes, d.Input.Records, d.Output.Bytes = all, all, all
	d.ShuffleRead.Bytes, d.ShuffleRead.Records, d.ShuffleRead.FetchWaitTime, d.ShuffleWrite.Bytes = all, all, all, all
	a := pcommon.NewMap()
	stageAttributes(a, &track.Stage{Stage: spark.Stage{Name: "fit", TaskMetrics: d}})
	assert.Equal(t, 23+11*6, a.Len())
	for name := range a.All() {
		assert.True(t, names[name], "%s is no metric", name)
	}
	longest, _ := a.Get("spark.stage.task.run_time.max")
	assert.InDelta(t, 0.006, longest.Double(), 1e-9)
}

func BenchmarkSpans(b *testing.B) {
	app, builder := newEndedApplication(), newTestBuilder()
	b.ReportAllocs()
	spans := 0
	for b.Loop() {
		td := ptrace.NewTraces()
		builder.Spans(td, app, app.Spans())
		spans += td.SpanCount()
	}
	b.ReportMetric(float64(spans)/b.Elapsed().Seconds(), "spans/s")
}

// An application links to the span that it was submitted from, or is part of its trace, events included.
func TestParent(t *testing.T) {
	parent := &track.Parent{TraceID: [16]byte{1}, SpanID: [8]byte{2}}
	for _, child := range []bool{false, true} {
		app, b := newEndedApplication(), newTestBuilder()
		app.Parent, b.childOfParent = parent, child
		td, ld := ptrace.NewTraces(), plog.NewLogs()
		b.Spans(td, app, app.Spans())
		b.Events(ld, app, app.Events())
		for _, span := range td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().All() {
			assert.Equal(t, child, span.TraceID() == parent.TraceID, span.Name())
			if span.Name() == "spark.application" {
				assert.Equal(t, child, span.ParentSpanID() == parent.SpanID)
				assert.Equal(t, !child, span.Links().Len() == 1 && span.Links().At(0).TraceID() == parent.TraceID)
			}
		}
		for _, record := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
			assert.Equal(t, child, record.TraceID() == parent.TraceID, record.EventName())
		}
	}
}
