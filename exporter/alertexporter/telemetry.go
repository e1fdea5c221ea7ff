package alertexporter

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/exporter/alertexporter/internal/book"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/exporter/alertexporter/internal/metadata"
)

// Why an alert ended.
const (
	causeOver   = "over"
	causeSilent = "silent"
)

// quiet is how long the same complaint is not logged again.
const quiet = 5 * time.Minute

// telemetry is what an exporter says about itself.
type telemetry struct {
	builder *metadata.TelemetryBuilder
	logger  *zap.Logger
	limit   int
	now     func() time.Time

	mu         sync.Mutex
	complained map[string]time.Time
}

func newTelemetry(e *alertExporter) (*telemetry, error) {
	builder, err := metadata.NewTelemetryBuilder(e.settings)
	if err != nil {
		return nil, err
	}
	t := &telemetry{builder: builder, logger: e.logger, limit: e.config.MaxAlerts, now: e.now, complained: map[string]time.Time{}}
	return t, builder.RegisterExporterAlertActiveCallback(func(_ context.Context, observer metric.Int64Observer) error {
		e.mu.Lock()
		defer e.mu.Unlock()
		observer.Observe(int64(e.book.Active()))
		return nil
	})
}

func (t *telemetry) shutdown() {
	t.builder.Shutdown()
}

func (t *telemetry) changed(ctx context.Context, changes book.Changes, cause string) {
	if changes.Raised > 0 {
		t.builder.ExporterAlertRaised.Add(ctx, int64(changes.Raised))
	}
	if changes.Ended > 0 {
		t.builder.ExporterAlertEnded.Add(ctx, int64(changes.Ended), metric.WithAttributes(attribute.String("cause", cause)))
	}
	if changes.Dropped > 0 {
		t.builder.ExporterAlertDropped.Add(ctx, int64(changes.Dropped))
		t.complain("Alerts are dropped because too many fire already; raise max_alerts", zap.Int("max_alerts", t.limit))
	}
}

func (t *telemetry) storageFailed(err error) {
	t.builder.ExporterAlertStorageFailures.Add(context.Background(), 1)
	t.complain("The storage does not take the state of alerts; a restart may repeat or forget some", zap.Error(err))
}

func (t *telemetry) handedOver(ctx context.Context, endpoint string, alerts int) {
	t.builder.ExporterAlertHandedOver.Add(ctx, int64(alerts), metric.WithAttributes(attribute.String("server.address", endpoint)))
}

func (t *telemetry) handoverFailed(ctx context.Context, endpoint string) {
	t.builder.ExporterAlertHandoverFailures.Add(ctx, 1, metric.WithAttributes(attribute.String("server.address", endpoint)))
}

// complain logs a warning, but not the same again and again.
func (t *telemetry) complain(message string, fields ...zap.Field) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := t.now(); now.Sub(t.complained[message]) >= quiet {
		t.complained[message] = now
		t.logger.Warn(message, fields...)
	}
}

// observeNotifier shows the counters that Alertmanager's parts keep.
func (t *telemetry) observeNotifier(gatherer prometheus.Gatherer) error {
	show := func(name string, labels map[string]string) metric.Int64Callback {
		return func(_ context.Context, observer metric.Int64Observer) error {
			families, err := gatherer.Gather()
			for _, family := range families {
				if family.GetName() != name {
					continue
				}
				for _, counter := range family.GetMetric() {
					if value := counter.GetCounter().GetValue(); value > 0 {
						observer.Observe(int64(value), metric.WithAttributes(attributes(counter.GetLabel(), labels)...))
					}
				}
			}
			return err
		}
	}
	if err := t.builder.RegisterExporterAlertNotificationsCallback(
		show("alertmanager_notifications_total", map[string]string{"integration": "integration"})); err != nil {
		return err
	}
	if err := t.builder.RegisterExporterAlertNotificationFailuresCallback(
		show("alertmanager_notifications_failed_total", map[string]string{"integration": "integration", "reason": "error.type"})); err != nil {
		return err
	}
	return t.builder.RegisterExporterAlertSuppressedCallback(
		show("alertmanager_notifications_suppressed_total", map[string]string{"reason": "reason"}))
}

func attributes(labels []*dto.LabelPair, names map[string]string) []attribute.KeyValue {
	var attributes []attribute.KeyValue
	for _, label := range labels {
		if name, ok := names[label.GetName()]; ok {
			attributes = append(attributes, attribute.String(name, label.GetValue()))
		}
	}
	return attributes
}
