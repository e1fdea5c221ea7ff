package alertexporter

import (
	"context"
	"sync"

	commoncfg "github.com/prometheus/common/config"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/exporter/alertexporter/internal/flag"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/exporter/alertexporter/internal/metadata"
)

// NewFactory creates the factory of the alert exporter.
func NewFactory() exporter.Factory {
	f := &factory{instances: map[*Config]*alertExporter{}}
	return exporter.NewFactory(
		metadata.Type,
		createDefaultConfig,
		exporter.WithMetrics(f.createMetrics, metadata.MetricsStability),
		exporter.WithTraces(f.createTraces, metadata.TracesStability),
		exporter.WithLogs(f.createLogs, metadata.LogsStability),
	)
}

// factory lets the signals of one configured exporter share one state.
type factory struct {
	http []commoncfg.HTTPClientOption // of notifications

	mu        sync.Mutex
	instances map[*Config]*alertExporter
}

func (f *factory) instance(set exporter.Settings, cfg *Config) (*alertExporter, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e := f.instances[cfg]; e != nil {
		return e, nil
	}
	e, err := newAlertExporter(set, cfg, f.http...)
	if err != nil {
		return nil, err
	}
	e.released = func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.instances, cfg)
	}
	f.instances[cfg] = e
	return e, nil
}

// metricsExporter keeps what is no flag out of the queue.
type metricsExporter struct {
	exporter.Metrics
}

func (e metricsExporter) ConsumeMetrics(ctx context.Context, metrics pmetric.Metrics) error {
	only := flag.OnlyMetrics(metrics)
	if only.ResourceMetrics().Len() == 0 {
		return nil
	}
	return e.Metrics.ConsumeMetrics(ctx, only)
}

func (f *factory) createMetrics(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Metrics, error) {
	e, err := f.instance(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	inner, err := exporterhelper.NewMetrics(ctx, set, cfg, func(ctx context.Context, metrics pmetric.Metrics) error {
		return e.observe(ctx, flag.FromMetrics(metrics))
	}, e.options()...)
	return metricsExporter{Metrics: inner}, err
}

// tracesExporter keeps what is no flag out of the queue.
type tracesExporter struct {
	exporter.Traces
}

func (e tracesExporter) ConsumeTraces(ctx context.Context, traces ptrace.Traces) error {
	only := flag.OnlyTraces(traces)
	if only.ResourceSpans().Len() == 0 {
		return nil
	}
	return e.Traces.ConsumeTraces(ctx, only)
}

func (f *factory) createTraces(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Traces, error) {
	e, err := f.instance(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	inner, err := exporterhelper.NewTraces(ctx, set, cfg, func(ctx context.Context, traces ptrace.Traces) error {
		return e.observe(ctx, flag.FromTraces(traces))
	}, e.options()...)
	return tracesExporter{Traces: inner}, err
}

// logsExporter keeps what is no flag out of the queue.
type logsExporter struct {
	exporter.Logs
}

func (e logsExporter) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	only := flag.OnlyLogs(logs)
	if only.ResourceLogs().Len() == 0 {
		return nil
	}
	return e.Logs.ConsumeLogs(ctx, only)
}

func (f *factory) createLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	e, err := f.instance(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	inner, err := exporterhelper.NewLogs(ctx, set, cfg, func(ctx context.Context, logs plog.Logs) error {
		return e.observe(ctx, flag.FromLogs(logs))
	}, e.options()...)
	return logsExporter{Logs: inner}, err
}
