package sparkmodelreceiver

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

func TestPipelinesShareAReceiver(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked[r.URL.Path]++
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("[]"))
	}))
	defer server.Close()
	factory, set := NewFactory(), receivertest.NewNopSettings(metadata.Type)
	cfg := factory.CreateDefaultConfig().(*Config)
	cfg.ControllerConfig.CollectionInterval = time.Hour
	cfg.ControllerConfig.InitialDelay = 0
	cfg.Driver.GetOrInsertDefault().Endpoints = []string{server.URL}

	metrics, err := factory.CreateMetrics(t.Context(), set, cfg, consumertest.NewNop())
	require.NoError(t, err)
	traces, err := factory.CreateTraces(t.Context(), set, cfg, consumertest.NewNop())
	require.NoError(t, err)
	logs, err := factory.CreateLogs(t.Context(), set, cfg, consumertest.NewNop())
	require.NoError(t, err)
	assert.Same(t, metrics, traces)
	assert.Same(t, metrics, logs)
	other := *cfg
	another, err := factory.CreateLogs(t.Context(), set, &other, consumertest.NewNop())
	require.NoError(t, err)
	assert.NotSame(t, metrics, another)
	require.NoError(t, another.Shutdown(t.Context()))

	for range 3 {
		require.NoError(t, metrics.Start(t.Context(), componenttest.NewNopHost()))
	}
	assert.Eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(asked) > 0
	}, 10*time.Second, time.Millisecond)
	for range 3 {
		require.NoError(t, traces.Shutdown(t.Context()))
	}
	assert.Equal(t, map[string]int{"/api/v1/applications": 1}, asked, "one poll for three pipelines")

	again, err := factory.CreateMetrics(t.Context(), set, cfg, consumertest.NewNop())
	require.NoError(t, err)
	assert.NotSame(t, metrics, again, "a receiver that was shut down is not used again")
	require.NoError(t, again.Shutdown(t.Context()))
}

// fullQueue takes spans only while it is told to.
type fullQueue struct {
	consumertest.TracesSink
	full bool
}

func (r *fullQueue) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	if r.full {
		return errors.New("queue is full")
	}
	return r.TracesSink.ConsumeTraces(ctx, td)
}

var _ consumer.Traces = (*fullQueue)(nil)

func TestRefusedSpansAreSentAgain(t *testing.T) {
	r, err := newSparkModelReceiver(receivertest.NewNopSettings(metadata.Type), createDefaultConfig().(*Config))
	require.NoError(t, err)
	traces, logs := &fullQueue{full: true}, &consumertest.LogsSink{}
	r.traces, r.logs = traces, logs
	app := track.NewApplication(track.Key{ID: "app", Attempt: "1"})
	app.FollowEndings(true, true)
	app.State, app.Submitted, app.Ended = track.Failed, time.Unix(100, 0), time.Unix(200, 0)
	app.CloseEndings()
	list := []*watchedApplication{{app: app, phase: closed}}
	emitTraces := func() { r.emitEndings(t.Context(), list, "traces", (*track.Application).Spans, r.sendSpans) }
	for range 2 {
		emitTraces()
		r.emitEndings(t.Context(), list, "logs", (*track.Application).Events, r.sendEvents)
	}
	assert.Equal(t, 1, logs.LogRecordCount(), "each signal has its own mark")
	traces.full = false
	for range 2 {
		emitTraces()
	}
	require.Equal(t, 1, traces.SpanCount())
	span := traces.AllTraces()[0].ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	record := logs.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	assert.Equal(t, "spark.application.failed", record.EventName())
	assert.Equal(t, span.TraceID(), record.TraceID())
	assert.Equal(t, span.SpanID(), record.SpanID())
	assert.True(t, strings.HasPrefix(record.Body().Str(), "Application"), record.Body().Str())
}
