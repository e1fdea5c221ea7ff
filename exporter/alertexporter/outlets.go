package alertexporter

import (
	"context"

	"github.com/prometheus/alertmanager/alert"
	commoncfg "github.com/prometheus/common/config"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/exporter/alertexporter/internal/handover"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/exporter/alertexporter/internal/notify"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/state"
)

// notifications is the outlet that tells people by itself. It has its own repetition, which is Alertmanager's.
type notifications struct {
	notifier *notify.Notifier
}

func newNotifications(e *alertExporter, cfg *NotifyConfig, http []commoncfg.HTTPClientOption) (*notifications, error) {
	conf, err := cfg.load()
	if err != nil {
		return nil, err
	}
	notifier, err := notify.New(notify.Settings{
		Config:        conf,
		Logger:        e.logger,
		StorageFailed: e.telemetry.storageFailed,
		HTTPOptions:   http,
	})
	if err != nil {
		return nil, err
	}
	return &notifications{notifier: notifier}, e.telemetry.observeNotifier(notifier.Gatherer())
}

func (n *notifications) start(ctx context.Context, _ component.Host, client storage.Client, alerts []*alert.Alert) error {
	store, err := state.Open(ctx, client, "notifications")
	if err != nil {
		return err
	}
	return n.notifier.Start(ctx, store, alerts)
}

func (n *notifications) put(ctx context.Context, alerts []*alert.Alert) error {
	return n.notifier.Put(ctx, alerts)
}

func (*notifications) deliver(context.Context) error { return nil }

func (n *notifications) shutdown(ctx context.Context) error {
	return n.notifier.Shutdown(ctx)
}

// servers is the outlet that hands alerts over to Alertmanagers.
type servers struct {
	exporter *alertExporter
	config   *AlertmanagersConfig
	handover *handover.Handover
	close    func()
}

func (s *servers) start(ctx context.Context, host component.Host, _ storage.Client, alerts []*alert.Alert) error {
	client, err := s.config.ClientConfig.ToClient(ctx, host.GetExtensions(), s.exporter.settings)
	if err != nil {
		return err
	}
	s.close = client.CloseIdleConnections
	s.handover = handover.New(handover.Settings{
		Endpoints: s.config.Endpoints,
		Client:    client,
		Silence:   s.exporter.config.ResolveTimeout,
		Limit:     s.exporter.config.MaxAlerts,
		Logger:    s.exporter.logger,
		Accepted:  s.exporter.telemetry.handedOver,
		Failed:    s.exporter.telemetry.handoverFailed,
	})
	s.handover.Put(s.exporter.now(), alerts)
	return nil
}

func (s *servers) put(_ context.Context, alerts []*alert.Alert) error {
	s.handover.Put(s.exporter.now(), alerts)
	return nil
}

func (s *servers) deliver(ctx context.Context) error {
	return s.handover.Deliver(ctx)
}

func (s *servers) shutdown(context.Context) error {
	if s.close != nil {
		s.close()
	}
	return nil
}
