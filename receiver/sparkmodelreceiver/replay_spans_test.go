package sparkmodelreceiver

import (
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/recording"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
)

// tracer reads a recorded cluster for spans and events.
type tracer struct {
	receiver *sparkModelReceiver
	player   *recording.Player
	traces   consumertest.TracesSink
	logs     consumertest.LogsSink
}

func newTracer(t *testing.T, rec *recording.Recording) *tracer {
	tr := &tracer{player: recording.NewPlayer(rec, recording.PlayerOptions{})}
	serve := func(origin string) string {
		server := httptest.NewServer(tr.player.Handler(origin))
		t.Cleanup(server.Close)
		return server.URL
	}
	cfg := createDefaultConfig().(*Config)
	cfg.ClusterName = "lab"
	cfg.ControllerConfig.CollectionInterval = 5 * time.Millisecond
	cfg.YARN.GetOrInsertDefault().Endpoints = []string{serve(recording.ResourceManager)}
	cfg.History.GetOrInsertDefault().ClientConfig.Endpoint = serve(recording.History)
	r, err := newSparkModelReceiver(receivertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	r.now, r.traces, r.logs, r.reader.Logs = tr.player.Now, &tr.traces, &tr.logs, true
	require.NoError(t, r.connect(t.Context(), componenttest.NewNopHost()))
	tr.receiver = r
	t.Cleanup(func() {
		r.watched.closers.Wait()
		r.servers.shutdown()
	})
	return tr
}

// read polls at the given moments, and then at the end of the recording until every application that has ended has been
// followed to its end.
func (tr *tracer) read(t *testing.T, end time.Time, moments ...time.Time) {
	for _, at := range moments {
		tr.player.Seek(at)
		tr.receiver.poll(t.Context())
	}
	tr.player.Seek(end)
	require.Eventually(t, func() bool {
		tr.receiver.poll(t.Context())
		for _, w := range tr.receiver.watched.byID {
			if w.app.State.Ended() {
				return false
			}
		}
		return true
	}, 20*time.Second, time.Millisecond, "applications that have ended are still watched")
}

// spansByID returns the spans as JSON, by their ids; a span that was sent twice must be the same.
func (tr *tracer) spansByID(t *testing.T) map[string]string {
	spans := map[string]string{}
	for _, td := range tr.traces.AllTraces() {
		for _, rs := range td.ResourceSpans().All() {
			for _, span := range rs.ScopeSpans().At(0).Spans().All() {
				one := ptrace.NewTraces()
				only := one.ResourceSpans().AppendEmpty()
				rs.Resource().CopyTo(only.Resource())
				copied := only.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
				span.CopyTo(copied)
				copied.Attributes().Remove("spark.stage.task.limit") // of the executors that the reader happens to know
				text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(one)
				require.NoError(t, err)
				key := span.TraceID().String() + span.SpanID().String()
				if before, ok := spans[key]; ok {
					assert.JSONEq(t, before, string(text), "span %s was sent twice, and differs", span.Name())
				}
				spans[key] = string(text)
			}
		}
	}
	return spans
}

func (tr *tracer) eachSpan(visit func(ptrace.Span)) {
	for _, td := range tr.traces.AllTraces() {
		for _, rs := range td.ResourceSpans().All() {
			for _, span := range rs.ScopeSpans().At(0).Spans().All() {
				visit(span)
			}
		}
	}
}

func (tr *tracer) eachEvent(visit func(plog.LogRecord)) {
	for _, ld := range tr.logs.AllLogs() {
		for _, rl := range ld.ResourceLogs().All() {
			for _, record := range rl.ScopeLogs().At(0).LogRecords().All() {
				visit(record)
			}
		}
	}
}

func every(rec *recording.Recording, interval time.Duration) (moments []time.Time) {
	for at := rec.Start(); at.Before(rec.End()); at = at.Add(interval) {
		moments = append(moments, at)
	}
	return moments
}

// A collector that reads the driver, one that reads it less often, one that begins in the middle, and one that finds an
// application only once it has ended, make the same spans.
func TestSpansAreTheSameWhoeverReads(t *testing.T) {
	rec := loaded(t, "spark-4.3.0")
	live := newTracer(t, rec)
	live.read(t, rec.End(), every(rec, 2*time.Second)...)
	want := live.spansByID(t)

	// Spans form one tree for each application.
	kinds, ids, parents := map[string]int{}, map[string]bool{}, map[string]string{}
	live.eachSpan(func(span ptrace.Span) {
		kinds[span.Name()]++
		ids[span.SpanID().String()] = true
		if !span.ParentSpanID().IsEmpty() {
			parents[span.SpanID().String()] = span.ParentSpanID().String()
		}
		assert.LessOrEqual(t, span.StartTimestamp(), span.EndTimestamp(), span.Name())
		assert.NotZero(t, span.StartTimestamp(), span.Name())
	})
	t.Log(kinds)
	for id, parent := range parents {
		assert.True(t, ids[parent], "span %s has a parent that is not there", id)
	}
	for _, kind := range []string{"spark.application", "yarn.queue_wait", "spark.sql", "spark.job", "spark.stage", "spark.task"} {
		assert.Positive(t, kinds[kind], kind)
	}

	middle := rec.Start().Add(rec.End().Sub(rec.Start()) / 2)
	for name, moments := range map[string][]time.Time{
		"history alone": {rec.Start()},
		"seldom":        every(rec, 11*time.Second),
	} {
		t.Run(name, func(t *testing.T) {
			other := newTracer(t, rec)
			other.read(t, rec.End(), moments...)
			got := other.spansByID(t)
			assert.ElementsMatch(t, slices.Collect(maps.Keys(want)), slices.Collect(maps.Keys(got)))
			for id, span := range got {
				if want[id] != "" {
					assert.JSONEq(t, want[id], span)
				}
			}
		})
	}
	t.Run("from the middle on", func(t *testing.T) {
		other := newTracer(t, rec)
		other.read(t, rec.End(), middle, middle.Add(5*time.Second))
		for id, span := range other.spansByID(t) {
			if assert.Contains(t, want, id, span) {
				assert.JSONEq(t, want[id], span)
			}
		}
	})
}

func TestEventsOfARecordedCluster(t *testing.T) {
	rec := loaded(t, "spark-4.3.0")
	tr := newTracer(t, rec)
	tr.read(t, rec.End(), every(rec, 2*time.Second)...)
	traces, seen := map[string]bool{}, map[string]int{}
	tr.eachSpan(func(span ptrace.Span) { traces[span.TraceID().String()+span.SpanID().String()] = true })
	tr.eachEvent(func(record plog.LogRecord) {
		seen[record.EventName()]++
		t.Log(record.SeverityText(), record.EventName(), record.Body().Str())
		assert.True(t, traces[record.TraceID().String()+record.SpanID().String()], "%s belongs to no span", record.EventName())
	})
	for _, name := range []string{"spark.application.started", "spark.application.finished", "spark.executor.added", "spark.executor.lost"} {
		assert.Positive(t, seen[name], fmt.Sprint(name, " in ", seen))
	}
}
