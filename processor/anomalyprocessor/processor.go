package anomalyprocessor

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"
)

type metricsProcessor struct {
	next consumer.Metrics
}

func newMetricsProcessor(_ processor.Settings, _ *Config, next consumer.Metrics) (*metricsProcessor, error) {
	return &metricsProcessor{next: next}, nil
}

func (*metricsProcessor) Start(context.Context, component.Host) error { return nil }

func (*metricsProcessor) Shutdown(context.Context) error { return nil }

func (*metricsProcessor) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

func (p *metricsProcessor) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	return p.next.ConsumeMetrics(ctx, md)
}
