package sparkmodelreceiver

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	observed "go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/recording"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
)

// secret is part of every secret that these tests plant.
const secret = "hunter2"

// Secrets are where people put them: in properties of all kinds, beside what is read of jobs, executors and stages, in
// configured addresses and headers. Nothing that leaves the receiver has one: metrics, spans, events, its own telemetry,
// the log.
func TestSecretsAreNotEmitted(t *testing.T) {
	rec := loaded(t, "hadoop-3.5.0")
	driver := recordedDriver(t, rec, soundApp)
	planted := map[string]func(http.ResponseWriter, *http.Request, http.Handler){
		"/environment": edits(`"sparkProperties" ?: ?\[`, `"sparkProperties": [["spark.hadoop.fs.s3a.secret.key", "hunter2-property"], ["spark.executorEnv.TOKEN", "hunter2-env"], `+
			`["spark.executor.instances", "hunter2-number"], ["spark.ssl.keyPassword", "hunter2-ssl"], `),
		"/jobs":     edits(`"jobId"`, `"jobTags": ["hunter2-tag"], "properties": {"password": "hunter2-job"}, "jobId"`),
		"/stages":   edits(`"details" ?: ?"`, `"details": "hunter2-details `),
		"executors": edits(`"(stdout|stderr)" ?: ?"`, `"$1": "http://user:hunter2-log@host/`),
	}
	var broken atomic.Bool
	var authorized atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password == "hunter2-url" && r.Header.Get("X-Token") == "hunter2-header" {
			authorized.Add(1)
		}
		if broken.Load() {
			http.Error(w, "broken", http.StatusInternalServerError)
			return
		}
		for path, plant := range planted {
			if strings.Contains(r.URL.Path, path) {
				plant(w, r, driver)
				return
			}
		}
		driver.ServeHTTP(w, r)
	}))
	defer server.Close()

	cfg := createDefaultConfig().(*Config)
	cfg.Stages.MinDuration = 0
	cfg.Driver.GetOrInsertDefault().Endpoints = []string{strings.Replace(server.URL, "http://", "http://user:hunter2-url@", 1)}
	cfg.Driver.Get().ClientConfig.Headers.Set("X-Token", configopaque.String("hunter2-header"))
	core, logs := observed.New(zap.DebugLevel)
	telemetry := componenttest.NewTelemetry()
	defer func() { require.NoError(t, telemetry.Shutdown(context.Background())) }()
	set := receivertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	set.Logger = zap.New(core)
	r, err := newSparkModelReceiver(set, cfg)
	require.NoError(t, err)
	var metrics consumertest.MetricsSink
	var traces consumertest.TracesSink
	var events consumertest.LogsSink
	r.metrics, r.traces, r.logs = &metrics, &traces, &events
	r.reader.Metrics, r.reader.Logs = true, true
	at := rec.Start()
	r.now = func() (now time.Time) { at = at.Add(patience); return at }
	require.NoError(t, r.connect(t.Context(), componenttest.NewNopHost()))
	defer r.servers.shutdown()
	for range 3 {
		r.poll(t.Context())
	}
	broken.Store(true)
	for range 6 {
		r.poll(t.Context())
	}
	r.watched.closers.Wait()

	require.NotZero(t, authorized.Load(), "the configured server gets what was configured for it")
	require.NotZero(t, metrics.DataPointCount())
	require.NotZero(t, traces.SpanCount())
	require.NotZero(t, events.LogRecordCount())
	require.NotZero(t, logs.FilterMessageSnippet("can't be read").Len())
	var emitted []string
	for _, md := range metrics.AllMetrics() {
		text, err := new(pmetric.JSONMarshaler).MarshalMetrics(md)
		require.NoError(t, err)
		emitted = append(emitted, string(text))
	}
	for _, td := range traces.AllTraces() {
		text, err := new(ptrace.JSONMarshaler).MarshalTraces(td)
		require.NoError(t, err)
		emitted = append(emitted, string(text))
	}
	for _, ld := range events.AllLogs() {
		text, err := new(plog.JSONMarshaler).MarshalLogs(ld)
		require.NoError(t, err)
		emitted = append(emitted, string(text))
	}
	for _, entry := range logs.All() {
		emitted = append(emitted, fmt.Sprint(entry.Message, entry.ContextMap()))
	}
	var own metricdata.ResourceMetrics
	require.NoError(t, telemetry.Reader.Collect(t.Context(), &own))
	emitted = append(emitted, fmt.Sprintf("%+v", own))
	for _, span := range telemetry.SpanRecorder.Ended() {
		emitted = append(emitted, fmt.Sprint(span.Name(), span.Attributes(), span.Status(), span.Events()))
	}
	for _, text := range emitted {
		require.NotContains(t, text, secret)
	}
}

// What was configured for a server is sent to that one alone: not to where it redirects to, and not to the tracking URL
// that the submitter of an application wrote.
func TestCredentialsGoToConfiguredHostsAlone(t *testing.T) {
	var strays atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		strays.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "[]")
	}))
	defer elsewhere.Close()
	rec := loaded(t, "hadoop-3.5.0")
	player := recording.NewPlayer(rec, recording.PlayerOptions{From: rec.Start().Add(middle)})
	manager := player.Handler(recording.ResourceManager)
	tracked := edits(`"trackingUrl" ?: ?"[^"]*"`, `"trackingUrl": "`+elsewhere.URL+`/"`)
	var redirects, reads atomic.Int64
	var redirect atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "hunter2-header", r.Header.Get("X-Token"))
		switch {
		case strings.HasPrefix(r.URL.Path, "/proxy/") && redirect.Load():
			redirects.Add(1)
			http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusFound)
		case strings.HasPrefix(r.URL.Path, "/proxy/"):
			reads.Add(1)
			manager.ServeHTTP(w, r)
		default:
			tracked(w, r, manager)
		}
	}))
	defer server.Close()
	cfg := createDefaultConfig().(*Config)
	cfg.YARN.GetOrInsertDefault().Endpoints = []string{server.URL}
	cfg.YARN.Get().ClientConfig.Headers.Set("X-Token", "hunter2-header")
	p := newPolled(t, cfg)
	p.polls(t)
	redirect.Store(true)
	p.polls(t)
	p.polls(t)
	assert.NotZero(t, reads.Load(), "the application is read through the resource manager")
	assert.NotZero(t, redirects.Load(), "which redirects")
	assert.Zero(t, strays.Load(), "and nothing is asked elsewhere")
}
