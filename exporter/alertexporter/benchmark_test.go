package alertexporter

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/exporter/alertexporter/internal/flag"
)

const active = 10_000

// manyFlags are flags of a thousand applications, ten of each.
func manyFlags() pmetric.Metrics {
	points := make([]point, active)
	for i := range points {
		points[i] = point{rule: "task_skew", stage: fmt.Sprint(i % 10), severity: 2, impact: 30, application: fmt.Sprintf("application_1_%04d", i/10)}
	}
	return flags(points...)
}

// benchmarkPoll measures a poll in which all flags are said again.
func benchmarkPoll(b *testing.B, cfg *Config) {
	r := run(b, cfg, nil, newDisk(), settings())
	for b.Loop() {
		b.StopTimer()
		md := manyFlags()
		b.StartTimer()
		require.NoError(b, r.metrics.ConsumeMetrics(context.Background(), md))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/active, "ns/flag")
}

func BenchmarkNotifyMetrics(b *testing.B) {
	benchmarkPoll(b, notifyConfig("receivers: [{name: nobody}]"))
}

func BenchmarkAlertmanagersMetrics(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	b.Cleanup(server.Close)
	cfg := createDefaultConfig().(*Config)
	cfg.Alertmanagers.GetOrInsertDefault().Endpoints = []string{server.URL}
	cfg.Alertmanagers.Get().QueueConfig.Get().WaitForResult = true
	benchmarkPoll(b, cfg)
}

// BenchmarkOtherMetrics measures what a pipeline pays for metrics that are no flags.
func BenchmarkOtherMetrics(b *testing.B) {
	md := pmetric.NewMetrics()
	for range 100 {
		metrics := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
		for i := range 100 {
			m := metrics.AppendEmpty()
			m.SetName(fmt.Sprintf("spark.metric.%d", i))
			m.SetEmptyGauge().DataPoints().AppendEmpty()
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		flag.OnlyMetrics(md)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/metric")
}

func BenchmarkTraces(b *testing.B) {
	benchmarkEvents(b, skew.span(), func(r *running) exporter.Traces { return r.traces },
		func(e exporter.Traces, td ptrace.Traces) error { return e.ConsumeTraces(context.Background(), td) })
}

func BenchmarkLogs(b *testing.B) {
	benchmarkEvents(b, skew.record(), func(r *running) exporter.Logs { return r.logs },
		func(e exporter.Logs, ld plog.Logs) error { return e.ConsumeLogs(context.Background(), ld) })
}

func benchmarkEvents[E, D any](b *testing.B, data D, signal func(*running) E, consume func(E, D) error) {
	e := signal(run(b, notifyConfig("receivers: [{name: nobody}]"), nil, nil, settings()))
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, consume(e, data))
	}
}
