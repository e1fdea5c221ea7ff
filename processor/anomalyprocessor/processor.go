package anomalyprocessor

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/engine"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/metadata"
)

// metricsProcessor shows what passes to the engine, and ends flags of which nothing was heard any more.
type metricsProcessor struct {
	next       consumer.Metrics
	engine     *engine.Engine
	staleAfter time.Duration
	logger     *zap.Logger
	telemetry  *metadata.TelemetryBuilder

	stop    context.CancelFunc
	stopped sync.WaitGroup
}

func newMetricsProcessor(set processor.Settings, cfg *Config, next consumer.Metrics) (*metricsProcessor, error) {
	rules, err := cfg.Rules.Load()
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	p := &metricsProcessor{
		next:       next,
		engine:     engine.New(rules, cfg.Flags.MaxEntities, telemetry, time.Now),
		staleAfter: cfg.Flags.StaleAfter,
		logger:     set.Logger,
		telemetry:  telemetry,
		stop:       func() {},
	}
	err = telemetry.RegisterProcessorAnomalyEntitiesCallback(func(_ context.Context, observer metric.Int64Observer) error {
		observer.Observe(int64(p.engine.Entities()))
		return nil
	})
	return p, err
}

// Start begins to look for flags that are stale.
func (p *metricsProcessor) Start(ctx context.Context, _ component.Host) error {
	ctx, p.stop = context.WithCancel(context.WithoutCancel(ctx))
	p.stopped.Go(func() { p.expire(ctx) })
	return nil
}

// Shutdown waits until nothing is sent any more.
func (p *metricsProcessor) Shutdown(context.Context) error {
	p.stop()
	p.stopped.Wait()
	p.telemetry.Shutdown()
	return nil
}

// Capabilities says that flags are appended to the metrics.
func (*metricsProcessor) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

// ConsumeMetrics passes the metrics on at once, with the flags.
func (p *metricsProcessor) ConsumeMetrics(ctx context.Context, metrics pmetric.Metrics) error {
	p.engine.Judge(ctx, metrics)
	return p.next.ConsumeMetrics(ctx, metrics)
}

// expire ends stale flags until it is stopped. A flag is at most a tenth of the time late.
func (p *metricsProcessor) expire(ctx context.Context) {
	ticker := time.NewTicker(p.staleAfter / 10)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		ended := p.engine.Expire(ctx, p.staleAfter)
		if ended.ResourceMetrics().Len() == 0 {
			continue
		}
		if err := p.next.ConsumeMetrics(ctx, ended); err != nil {
			p.logger.Error("The end of stale flags was not accepted downstream; their last severity stays", zap.Error(err))
		}
	}
}

// tracesProcessor adds flags to the spans that pass.
type tracesProcessor struct {
	component.StartFunc
	next      consumer.Traces
	spans     *engine.Spans
	telemetry *metadata.TelemetryBuilder
}

func newTracesProcessor(set processor.Settings, cfg *Config, next consumer.Traces) (*tracesProcessor, error) {
	rules, err := cfg.Rules.Load()
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &tracesProcessor{next: next, spans: engine.NewSpans(rules, cfg.Flags.MaxEntities, telemetry), telemetry: telemetry}, nil
}

// Shutdown ends the processor's own metrics.
func (p *tracesProcessor) Shutdown(context.Context) error {
	p.telemetry.Shutdown()
	return nil
}

// Capabilities says that flags are added to the spans.
func (*tracesProcessor) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

// ConsumeTraces passes the spans on at once, with the flags.
func (p *tracesProcessor) ConsumeTraces(ctx context.Context, traces ptrace.Traces) error {
	p.spans.Judge(ctx, traces)
	return p.next.ConsumeTraces(ctx, traces)
}
