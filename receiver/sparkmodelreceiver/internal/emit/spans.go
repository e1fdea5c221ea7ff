package emit

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/xpdata/entity"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

// estimated marks a span of something that never ended: its end is that of the application.
const estimated = "spark.time.estimated"

// taskLimit is told by the executors that were known when the span was made: where only spans are wanted, and for a
// moment after one was lost, readers may know other ones.
const taskLimit = "spark.stage.task.limit"

// Spans adds what is in an outbox of an application as spans: application, SQL execution, job, stage attempt,
// failed tasks. Attributes have the names of the metrics, with the values of their attributes at the end. What the
// driver and the History Server tell differently, as executors' peaks, is on no span.
func (b *Builder) Spans(td ptrace.Traces, app *track.Application, box *track.Outbox) {
	if box.Empty() {
		return
	}
	rs := td.ResourceSpans().AppendEmpty()
	b.resource(app).CopyTo(rs.Resource())
	for _, name := range slices.Sorted(maps.Keys(app.Settings)) {
		rs.Resource().Attributes().PutDouble("spark.application.setting."+name, app.Settings[name])
	}
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName(metadata.ScopeName)
	ss.Scope().SetVersion(b.version)
	s := spans{identity: b.identity(app), app: app, child: b.childOfParent, minStage: b.minStageDuration, list: ss.Spans()}
	if box.Ended {
		s.application()
	}
	for _, e := range box.Executions {
		s.execution(e)
	}
	for _, j := range box.Jobs {
		s.job(j)
	}
	for _, st := range box.Stages {
		s.stage(st, s.root())
	}
}

// resource describes an application, and says what identifies it, as it does for metrics.
func (b *Builder) resource(app *track.Application) pcommon.Resource {
	rb := metadata.NewResourceBuilder(b.resourceAttributes)
	rb.SetServiceName(app.Model.Name)
	rb.SetSparkApplicationAttemptID(app.Attempt)
	rb.SetSparkApplicationID(app.ID)
	rb.SetSparkApplicationName(app.Name)
	rb.SetSparkClusterName(b.cluster)
	rb.SetSparkModelName(app.Model.Name)
	rb.SetSparkModelVersion(app.Model.Version)
	rb.SetSparkUserName(app.User)
	rb.SetSparkVersion(app.SparkVersion)
	rb.SetYarnQueueName(app.Queue)
	resource := rb.Emit()
	removeUnknown(resource)
	if c := b.resourceAttributes; c.SparkClusterName.Enabled && c.SparkApplicationID.Enabled && c.SparkApplicationAttemptID.Enabled {
		application := entity.ResourceEntityRefs(resource).AppendEmpty()
		application.SetType("spark.application")
		application.IdKeys().FromRaw([]string{"spark.cluster.name", "spark.application.id", attemptAttribute})
	}
	return resource
}

// spans are those of one application.
type spans struct {
	identity
	app *track.Application
	// child tells that the application's span is a child of its parent; else it links to it.
	child bool
	// minStage is how long a stage has to run to be worth the figures that bottlenecks are judged by.
	minStage time.Duration
	list     ptrace.SpanSlice
}

func (s spans) add(name string, id, parent pcommon.SpanID, start, end time.Time) ptrace.Span {
	span := s.list.AppendEmpty()
	span.SetName(name)
	span.SetKind(ptrace.SpanKindInternal)
	span.SetTraceID(s.trace)
	span.SetSpanID(id)
	span.SetParentSpanID(parent)
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
	if end.Before(start) {
		end = start
	}
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(end))
	return span
}

func (s spans) application() {
	app := s.app
	span := s.add("spark.application", s.root(), pcommon.SpanID{}, app.Submitted, app.Ended)
	span.Attributes().PutStr("spark.application.state", string(app.State))
	if parent := app.Parent; parent != nil && s.child {
		span.SetParentSpanID(parent.SpanID)
	} else if parent != nil {
		link := span.Links().AppendEmpty()
		link.SetTraceID(parent.TraceID)
		link.SetSpanID(parent.SpanID)
	}
	if app.State == track.Failed {
		fail(span, app.Diagnostics)
	}
	s.executors(span)
	if a := app.Allocation; a != nil && a.Wait > 0 {
		wait := s.add("yarn.queue_wait", s.span(kindQueueWait, ""), s.root(), app.Submitted, app.Submitted.Add(a.Wait))
		wait.Attributes().PutStr("yarn.queue.name", app.Queue)
	}
	s.startup()
}

// startup adds the phases of the start-up that come after the queue.
func (s spans) startup() {
	begin := s.app.Submitted
	for _, p := range s.app.Startup() {
		end := begin.Add(p.Duration)
		if p.Phase != track.PhaseQueue && p.Duration > 0 {
			span := s.add("spark.startup", s.span(kindStartup, string(p.Phase)), s.root(), begin, end)
			span.Attributes().PutStr("spark.startup.phase", string(p.Phase))
		}
		begin = end
	}
}

// maxExecutorEvents bounds the executors that are events of an application's span; the others are counted.
const maxExecutorEvents = 200

// executors adds those that were added and removed as events.
func (s spans) executors(span ptrace.Span) {
	changes := s.app.ExecutorChanges()
	if more := len(changes) - maxExecutorEvents; more > 0 {
		span.SetDroppedEventsCount(uint32(more))
		changes = changes[:maxExecutorEvents]
	}
	for _, x := range changes {
		event := span.Events().AppendEmpty()
		event.SetTimestamp(pcommon.NewTimestampFromTime(x.At()))
		a := event.Attributes()
		a.PutStr("spark.executor.id", x.ID)
		event.SetName(eventExecutorAdded)
		if !x.Active {
			event.SetName(eventExecutorLost)
			a.PutStr("spark.executor.loss.reason", string(track.ClassifyLoss(x.RemoveReason)))
			putText(a, "exception.message", x.RemoveReason)
		}
	}
}

// linkTo links the root of a trace to the application.
func linkTo(span ptrace.Span, application identity) {
	link := span.Links().AppendEmpty()
	link.SetTraceID(application.trace)
	link.SetSpanID(application.root())
}

func (s spans) execution(e *track.Execution) {
	end, ended := e.End()
	if !ended {
		end = s.app.Ended
	}
	application := s.identity
	s.identity = application.ofExecution(e)
	var parent pcommon.SpanID
	switch {
	case e.Batch != nil:
		parent = s.span(kindBatch, batchID(e.Batch))
		if e.Outermost {
			s.microBatch(e, parent, end, application)
		}
	case !s.rootsPerJob:
		parent = s.root()
	}
	span := s.add("spark.sql", s.identity.execution(e.ID), parent, e.SubmissionTime.Time, end)
	if parent.IsEmpty() {
		linkTo(span, application)
	}
	a := span.Attributes()
	a.PutInt("spark.sql.execution.id", int64(e.ID))
	putText(a, "spark.sql.description", e.Description)
	if !ended {
		a.PutBool(estimated, true)
	}
	if d := end.Sub(e.SubmissionTime.Time); d >= s.minStage {
		a.PutDouble("spark.sql.duration", d.Seconds())
		a.PutDouble("spark.sql.run.duration", end.Sub(s.app.Submitted).Seconds())
	}
	if e.Detailed {
		for _, name := range slices.Sorted(maps.Keys(e.Plan)) {
			// The History Server does not tell the zeros that a driver tells.
			if v := e.Plan[name]; v != 0 {
				a.PutDouble(name, v)
			}
		}
	}
	if e.Status == spark.StatusFailed && !cancelled(e.ErrorMessage) {
		fail(span, e.ErrorMessage)
	}
}

// microBatch adds the root of a micro-batch's trace: an application that streams may run for months.
func (s spans) microBatch(e *track.Execution, id pcommon.SpanID, end time.Time, application identity) {
	span := s.add("spark.streaming_batch", id, pcommon.SpanID{}, e.SubmissionTime.Time, end)
	linkTo(span, application)
	a := span.Attributes()
	putText(a, "spark.streaming.query.name", e.Batch.Name)
	a.PutStr("spark.streaming.query.id", e.Batch.Query)
	a.PutStr("spark.streaming.batch.id", e.Batch.Number)
	if e.Status == spark.StatusFailed && !cancelled(e.ErrorMessage) {
		fail(span, e.ErrorMessage)
	}
}

func (s spans) job(j *track.EndedJob) {
	application := s.identity
	s.identity = application.ofJob(j)
	var parent pcommon.SpanID
	switch {
	case j.Execution != nil:
		parent = s.identity.execution(j.Execution.ID)
	case !s.rootsPerJob:
		parent = s.root()
	}
	end := j.CompletionTime.Time
	if end.IsZero() {
		end = s.app.Ended
	}
	id := s.identity.job(j.ID)
	span := s.add("spark.job", id, parent, j.SubmissionTime.Time, end)
	if parent.IsEmpty() {
		linkTo(span, application)
	}
	a := span.Attributes()
	a.PutInt("spark.job.id", int64(j.ID))
	putText(a, "spark.job.name", j.Name)
	putText(a, "spark.job.description", j.Description)
	putText(a, "spark.job.group", j.Group)
	a.PutInt("spark.job.stage.result.completed", int64(j.CompletedStages))
	a.PutInt("spark.job.stage.result.failed", int64(j.FailedStages))
	a.PutInt("spark.job.stage.result.skipped", int64(j.SkippedStages))
	if j.CompletionTime.IsZero() {
		a.PutBool(estimated, true)
	}
	if j.Status == spark.StatusFailed {
		if reason := jobFailure(j); cancelled(reason) {
			a.PutBool("spark.job.cancelled", true)
		} else {
			fail(span, reason)
		}
	}
	for _, st := range j.Stages {
		s.stage(st, id)
	}
}

// jobFailure returns why a job failed: Spark tells it of its stages only. It is empty where none of them failed.
func jobFailure(j *track.EndedJob) string {
	for i := len(j.Stages) - 1; i >= 0; i-- {
		if j.Stages[i].FailureReason != "" {
			return j.Stages[i].FailureReason
		}
	}
	return ""
}

func (s spans) stage(st *track.Stage, parent pcommon.SpanID) {
	start, end := st.SubmissionTime.Time, st.CompletionTime.Time
	if start.IsZero() {
		start = s.app.Submitted
	}
	if end.IsZero() {
		end = s.app.Ended
	}
	id := s.identity.stage(st.Key())
	span := s.add("spark.stage", id, parent, start, end)
	stageAttributes(span.Attributes(), st)
	if d := end.Sub(start); d >= s.minStage {
		span.Attributes().PutDouble("spark.stage.duration", d.Seconds())
		span.Attributes().PutDouble("spark.stage.run.duration", end.Sub(s.app.Submitted).Seconds())
		if slots := s.app.Slots(end); slots > 0 {
			span.Attributes().PutInt(taskLimit, slots)
		}
	}
	if st.SubmissionTime.IsZero() || st.CompletionTime.IsZero() {
		span.Attributes().PutBool(estimated, true)
	}
	if st.Attempt > 0 {
		link := span.Links().AppendEmpty()
		link.SetTraceID(s.trace)
		link.SetSpanID(s.identity.stage(track.StageKey{ID: st.ID, Attempt: st.Attempt - 1}))
	}
	if st.Status == spark.StatusFailed && !cancelled(st.FailureReason) {
		fail(span, st.FailureReason)
	}
	failed := make(map[int64]struct{}, len(st.Failures))
	for i := range st.Failures {
		failed[st.Failures[i].ID] = struct{}{}
		s.task(&st.Failures[i], id)
	}
	for i := range st.Slowest {
		if _, known := failed[st.Slowest[i].ID]; !known {
			s.task(&st.Slowest[i], id)
		}
	}
}

// taskResults are the values of the attribute spark.task.result.
var taskResults = map[string]metadata.AttributeSparkTaskResult{
	spark.TaskSuccess: metadata.AttributeSparkTaskResultCompleted,
	spark.TaskFailed:  metadata.AttributeSparkTaskResultFailed,
	spark.TaskKilled:  metadata.AttributeSparkTaskResultKilled,
}

func (s spans) task(t *spark.Task, parent pcommon.SpanID) {
	start := t.LaunchTime.Time
	span := s.add("spark.task", s.span(kindTask, fmt.Sprint(t.ID)), parent, start, start.Add(time.Duration(t.Duration)*time.Millisecond))
	a := span.Attributes()
	a.PutInt("spark.task.id", t.ID)
	a.PutInt("spark.task.index", t.Index)
	a.PutInt("spark.task.attempt.id", t.Attempt)
	putText(a, "spark.executor.id", t.ExecutorID)
	putText(a, "host.name", t.Host)
	if result, ok := taskResults[t.Status]; ok {
		a.PutStr("spark.task.result", result.String())
	}
	switch t.Status {
	case spark.TaskFailed:
		fail(span, t.ErrorMessage)
	case spark.TaskSuccess:
		a.PutDouble("spark.task.run_time", ms(t.Metrics.RunTime))
		a.PutDouble("spark.task.jvm_gc_time", ms(t.Metrics.JVMGCTime))
		a.PutInt("spark.task.input.size", t.Metrics.Input.Bytes)
		a.PutInt("spark.task.shuffle.read.size", t.Metrics.ShuffleRead.LocalBytes+t.Metrics.ShuffleRead.RemoteBytes)
		a.PutInt("spark.task.memory.spilled", t.Metrics.MemoryBytesSpilled)
	}
}

// stageAttributes puts what the metrics spark.stage.* tell of a stage.
func stageAttributes(a pcommon.Map, s *track.Stage) {
	a.EnsureCapacity(96)
	a.PutInt("spark.stage.id", int64(s.ID))
	a.PutInt("spark.stage.attempt.id", int64(s.Attempt))
	a.PutStr("spark.stage.name", s.Name)
	if len(s.ParentIDs) > 0 {
		parents := a.PutEmptySlice("spark.stage.parent_ids")
		for _, id := range s.ParentIDs {
			parents.AppendEmpty().SetInt(int64(id))
		}
	}
	a.PutInt("spark.stage.tasks", s.Tasks)
	a.PutInt("spark.stage.task.result.completed", s.CompleteTasks)
	a.PutInt("spark.stage.task.result.failed", s.FailedTasks)
	a.PutInt("spark.stage.task.result.killed", s.KilledTasks)
	if !s.LostTasks() {
		stageSums(a, s)
	}

	d := s.TaskMetrics
	if d == nil {
		return
	}
	for _, q := range []struct {
		name   string
		values []rest.Float
		put    func(name string, v float64)
	}{
		{"run_time", d.ExecutorRunTime, putSeconds(a)},
		{"jvm_gc_time", d.JVMGCTime, putSeconds(a)},
		{"scheduler_delay", d.SchedulerDelay, putSeconds(a)},
		{"fetch_wait_time", d.ShuffleRead.FetchWaitTime, putSeconds(a)},
		{"input.size", d.Input.Bytes, putCount(a)},
		{"input.records", d.Input.Records, putCount(a)},
		{"output.size", d.Output.Bytes, putCount(a)},
		{"shuffle.read.size", d.ShuffleRead.Bytes, putCount(a)},
		{"shuffle.read.records", d.ShuffleRead.Records, putCount(a)},
		{"shuffle.write.size", d.ShuffleWrite.Bytes, putCount(a)},
		{"memory.spilled", d.MemoryBytesSpilled, putCount(a)},
		{"memory.peak", d.PeakExecutionMem, putCount(a)},
	} {
		for i := range min(len(q.values), len(d.Quantiles)) {
			if quantile, ok := quantileNames[d.Quantiles[i]]; ok && q.values[i].Known() {
				q.put("spark.stage.task."+q.name+"."+quantile.String(), float64(q.values[i]))
			}
		}
	}
}

// stageSums puts what is summed up over all tasks of a stage, those that failed included.
func stageSums(a pcommon.Map, s *track.Stage) {
	a.PutDouble("spark.stage.executor.run_time", ms(s.ExecutorRunTime))
	a.PutDouble("spark.stage.executor.cpu_time", ns(s.ExecutorCPUTime))
	a.PutDouble("spark.stage.jvm_gc_time", ms(s.JVMGCTime))
	a.PutInt("spark.stage.io.size.in", s.InputBytes)
	a.PutInt("spark.stage.io.size.out", s.OutputBytes)
	a.PutInt("spark.stage.io.records.in", s.InputRecords)
	a.PutInt("spark.stage.io.records.out", s.OutputRecords)
	a.PutInt("spark.stage.shuffle.io.read.size.local", s.ShuffleLocalBytesRead)
	a.PutInt("spark.stage.shuffle.io.read.size.remote", s.ShuffleRemoteBytesRead)
	a.PutInt("spark.stage.shuffle.io.write.size", s.ShuffleWriteBytes)
	a.PutInt("spark.stage.shuffle.io.records.in", s.ShuffleReadRecords)
	a.PutInt("spark.stage.shuffle.io.records.out", s.ShuffleWriteRecords)
	a.PutDouble("spark.stage.shuffle.fetch_wait_time", ms(s.ShuffleFetchWaitTime))
	a.PutDouble("spark.stage.shuffle.write_time", ns(s.ShuffleWriteTime))
	a.PutInt("spark.stage.memory.spilled", s.MemoryBytesSpilled)
	a.PutInt("spark.stage.disk.spilled", s.DiskBytesSpilled)
}

func putSeconds(a pcommon.Map) func(string, float64) {
	return func(name string, millis float64) { a.PutDouble(name, millis*time.Millisecond.Seconds()) }
}

func putCount(a pcommon.Map) func(string, float64) {
	return func(name string, v float64) { a.PutInt(name, int64(v)) }
}

// fail marks a span as failed for a reason, which may be empty.
func fail(span ptrace.Span, reason string) {
	span.Status().SetCode(ptrace.StatusCodeError)
	if reason == "" {
		return
	}
	f := parseFailure(reason)
	span.Status().SetMessage(cut(f.message, maxText))
	if f.kind != "" {
		span.Attributes().PutStr("error.type", f.kind)
	}
	event := span.Events().AppendEmpty()
	event.SetName("exception")
	event.SetTimestamp(span.EndTimestamp())
	f.put(event.Attributes())
}

func putText(a pcommon.Map, name, text string) {
	if text != "" {
		a.PutStr(name, cut(text, maxText))
	}
}
