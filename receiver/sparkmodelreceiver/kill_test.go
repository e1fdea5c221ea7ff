package sparkmodelreceiver

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/recording"
)

const (
	// kills is how often the collector is killed.
	kills = 50
	// killSpeed is how many times faster than it was the recorded cluster goes on meanwhile.
	killSpeed = 30
	// maxLife bounds how long a collector lives once it has begun to poll, every killPoll.
	maxLife  = 250 * time.Millisecond
	killPoll = 20 * time.Millisecond
)

// otlpSink takes spans by OTLP, as any backend does.
type otlpSink struct {
	mu     sync.Mutex
	tracer tracer
}

func (s *otlpSink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	request := ptraceotlp.NewExportRequest()
	if err == nil {
		err = request.UnmarshalProto(body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.tracer.traces.ConsumeTraces(r.Context(), request.Traces()) // a sink takes everything
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// spans returns how many spans came, and the different ones.
func (s *otlpSink) spans(t *testing.T) (int, map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tracer.traces.SpanCount(), s.tracer.spansByID(t)
}

// The distribution is killed at random instants, while it starts too, and started again, while a recorded cluster goes
// on: every span comes at least once, each time with the same id and the same content, and none is missing.
func TestKilledAtAnyInstant(t *testing.T) {
	collector := filepath.Join("..", "..", "dist", "otelcol-sparkmodel")
	require.FileExists(t, collector, "make build makes it")
	rec := loaded(t, "spark-4.3.0")
	once := newTracer(t, rec)
	once.read(t, rec.End(), rec.Start())
	want := once.spansByID(t)
	require.NotEmpty(t, want)

	player := recording.NewPlayer(rec, recording.PlayerOptions{Speed: killSpeed})
	var looks atomic.Int64
	serve := func(h http.Handler) string {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return server.URL
	}
	yarn := player.Handler(recording.ResourceManager)
	sink := &otlpSink{}
	config := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(config, []byte(fmt.Sprintf(`
receivers:
  sparkmodel:
    cluster_name: lab
    collection_interval: %s
    initial_delay: 0s
    yarn: {endpoints: [%q]}
    history: {endpoint: %q}
    storage: file_storage
exporters:
  otlp_http:
    endpoint: %q
    compression: none
    sending_queue: {storage: file_storage}
extensions:
  file_storage: {directory: %q}
service:
  extensions: [file_storage]
  telemetry: {metrics: {level: none}, logs: {level: error}}
  pipelines:
    traces: {receivers: [sparkmodel], exporters: [otlp_http]}
`, killPoll, serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ws/v1/cluster/info" {
			looks.Add(1)
		}
		yarn.ServeHTTP(w, r)
	})), serve(player.Handler(recording.History)), serve(sink), t.TempDir())), 0o600))

	var output bytes.Buffer
	start := func() (stop func()) {
		cmd := exec.Command(collector, "--config", config)
		cmd.Stdout, cmd.Stderr = &output, &output
		require.NoError(t, cmd.Start())
		return func() {
			require.NoError(t, cmd.Process.Kill(), "the collector ended by itself:\n%s", &output)
			_ = cmd.Wait()
		}
	}
	// polled waits until the collector has polled a number of times more.
	polled := func(times int64) {
		enough := looks.Load() + times
		require.Eventually(t, func() bool { return looks.Load() >= enough }, time.Minute, time.Millisecond, "the collector does not poll:\n%s", &output)
	}

	random := rand.New(rand.NewPCG(5, 50))
	begin := time.Now()
	for i := range kills {
		at := rec.Start().Add(rec.End().Sub(rec.Start()) * time.Duration(i) / kills)
		if at.After(player.Now()) || i == 0 {
			player.Seek(at)
		}
		kill := start()
		if i == 0 {
			polled(2) // what ended before a collector was ever there is nobody's
		} else {
			polled(random.Int64N(4))
		}
		time.Sleep(time.Duration(random.Int64N(int64(maxLife)))) // the instant, not something that is waited for
		kill()
	}
	_, before := sink.spans(t)
	t.Logf("%d kills in %s; %d spans came in between", kills, time.Since(begin).Round(time.Millisecond), len(before))
	assert.NotEmpty(t, before)

	player.Seek(rec.End())
	stop := start()
	defer stop()
	var sent int
	var got map[string]string
	assert.Eventually(t, func() bool {
		sent, got = sink.spans(t)
		return len(got) >= len(want)
	}, 2*time.Minute, time.Second)
	t.Logf("%d spans, of which %d were sent twice", len(got), sent-len(got))
	for id, span := range want {
		if assert.Contains(t, got, id, "missing: %s", span) {
			assert.JSONEq(t, span, got[id])
		}
	}
	assert.Len(t, got, len(want))
}
