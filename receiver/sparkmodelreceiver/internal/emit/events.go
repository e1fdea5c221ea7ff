package emit

import (
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

// Events adds what is in an outbox of an application as log records. Each belongs to the span of what it is about.
func (b *Builder) Events(ld plog.Logs, app *track.Application, box *track.Outbox) {
	if box.Empty() {
		return
	}
	rl := plog.NewResourceLogs()
	b.resource(app).CopyTo(rl.Resource())
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(metadata.ScopeName)
	sl.Scope().SetVersion(b.version)
	e := events{identity: b.identity(app), app: app, observed: b.ts, list: sl.LogRecords()}
	if box.QueueFull != "" {
		e.queueFull(box.QueueFull)
	}
	if box.Started {
		e.started()
	}
	for _, x := range box.Executors {
		e.executor(x)
	}
	for _, j := range box.Jobs {
		e.job(j)
	}
	if box.Ended {
		e.ended()
	}
	if e.list.Len() > 0 {
		rl.MoveTo(ld.ResourceLogs().AppendEmpty())
	}
}

// Names of events that are span events too.
const (
	eventExecutorAdded = "spark.executor.added"
	eventExecutorLost  = "spark.executor.lost"
)

// events are those of one application.
type events struct {
	identity
	app      *track.Application
	observed pcommon.Timestamp
	list     plog.LogRecordSlice
}

func (e events) add(name string, severity plog.SeverityNumber, span pcommon.SpanID, at time.Time, words string) pcommon.Map {
	record := e.list.AppendEmpty()
	record.SetEventName(name)
	record.SetSeverityNumber(severity)
	record.SetSeverityText(severity.String())
	record.SetTraceID(e.trace)
	record.SetSpanID(span)
	record.SetObservedTimestamp(e.observed)
	record.SetTimestamp(e.observed)
	if !at.IsZero() {
		record.SetTimestamp(pcommon.NewTimestampFromTime(at))
	}
	record.Body().SetStr(words)
	return record.Attributes()
}

func (e events) queueFull(reason string) {
	words := fmt.Sprintf("Queue %s is full, so application %s (%s) waits: %s", e.app.Queue, e.app.Name, e.app.ID, cut(reason, maxText))
	e.add("yarn.queue.full", plog.SeverityNumberWarn, e.root(), e.app.Now, words).PutStr("yarn.queue.name", e.app.Queue)
}

func (e events) started() {
	words, at := fmt.Sprintf("Application %s (%s) runs.", e.app.Name, e.app.ID), e.app.Submitted
	if a := e.app.Allocation; a != nil {
		at = at.Add(a.Wait)
		words = fmt.Sprintf("Application %s (%s) runs after it waited %s in queue %s.", e.app.Name, e.app.ID, a.Wait, e.app.Queue)
	}
	e.add("spark.application.started", plog.SeverityNumberInfo, e.root(), at, words)
}

func (e events) ended() {
	name, severity, words := "spark.application.finished", plog.SeverityNumberInfo, "has finished"
	switch e.app.State {
	case track.Failed:
		name, severity, words = "spark.application.failed", plog.SeverityNumberError, "has failed"
	case track.Killed:
		name, severity, words = "spark.application.killed", plog.SeverityNumberWarn, "was killed"
	case track.Lost:
		name, severity, words = "spark.application.lost", plog.SeverityNumberError, "was lost: its source no longer lists it, and nothing tells how it ended"
	}
	words = fmt.Sprintf("Application %s (%s) %s after %s", e.app.Name, e.app.ID, words, e.app.Duration().Round(time.Second))
	a := e.because(name, severity, e.root(), e.app.Ended, words, e.app.Diagnostics)
	a.PutStr("spark.application.state", string(e.app.State))
}

func (e events) job(j *track.EndedJob) {
	e.identity = e.ofJob(j)
	for _, s := range j.Stages {
		e.stage(s)
	}
	if reason := jobFailure(j); j.Status == spark.StatusFailed && !cancelled(reason) {
		words := fmt.Sprintf("Job %d (%s) has failed", j.ID, j.Name)
		a := e.because("spark.job.failed", plog.SeverityNumberError, e.identity.job(j.ID), j.CompletionTime.Time, words, reason)
		a.PutInt("spark.job.id", int64(j.ID))
		putText(a, "spark.job.name", j.Name)
	}
}

func (e events) stage(s *track.Stage) {
	span := e.identity.stage(s.Key())
	var about []pcommon.Map
	if s.Attempt > 0 {
		words := fmt.Sprintf("Stage %d (%s) was tried again (attempt %d, tasks: %d).", s.ID, s.Name, s.Attempt, s.Tasks)
		about = append(about, e.add("spark.stage.retried", plog.SeverityNumberWarn, span, s.SubmissionTime.Time, words))
	}
	if s.Status == spark.StatusFailed && !cancelled(s.FailureReason) {
		words := fmt.Sprintf("Attempt %d of stage %d (%s) has failed", s.Attempt, s.ID, s.Name)
		about = append(about, e.because("spark.stage.failed", plog.SeverityNumberError, span, s.CompletionTime.Time, words, s.FailureReason))
	}
	for _, a := range about {
		a.PutInt("spark.stage.id", int64(s.ID))
		a.PutInt("spark.stage.attempt.id", int64(s.Attempt))
		a.PutStr("spark.stage.name", s.Name)
	}
}

func (e events) executor(x track.ExecutorChange) {
	if x.Active {
		words := fmt.Sprintf("Executor %s was added (cores: %d).", x.ID, x.TotalCores)
		e.add(eventExecutorAdded, plog.SeverityNumberInfo, e.root(), x.AddTime.Time, words).PutStr("spark.executor.id", x.ID)
		return
	}
	class := track.ClassifyLoss(x.RemoveReason)
	severity := plog.SeverityNumberWarn
	if class == track.LossIdle || class == track.LossDecommissioned {
		severity = plog.SeverityNumberInfo
	}
	words := fmt.Sprintf("Executor %s was removed (%s)", x.ID, class)
	a := e.because(eventExecutorLost, severity, e.root(), x.RemoveTime.Time, words, x.RemoveReason)
	a.PutStr("spark.executor.id", x.ID)
	a.PutStr("spark.executor.loss.reason", string(class))
}

// because adds an event with the reason that Spark or YARN gave, which may be empty.
func (e events) because(name string, severity plog.SeverityNumber, span pcommon.SpanID, at time.Time, words, reason string) pcommon.Map {
	f := parseFailure(reason)
	if f.message == "" {
		return e.add(name, severity, span, at, words+".")
	}
	a := e.add(name, severity, span, at, words+": "+cut(f.message, maxText))
	f.put(a)
	return a
}
