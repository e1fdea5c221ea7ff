package alertexporter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	commoncfg "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/exporter/alertexporter/internal/book"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/exporter/alertexporter/internal/flag"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/state"
)

// alertExporter is one configured exporter, with what its signals share.
type alertExporter struct {
	config    *Config
	id        component.ID
	settings  component.TelemetrySettings
	logger    *zap.Logger
	telemetry *telemetry
	released  func()
	now       func() time.Time

	lifecycle sync.Mutex
	started   int // signals

	client     storage.Client // nil without a storage extension
	stop       context.CancelFunc
	background sync.WaitGroup
	out        outlet

	mu     sync.Mutex // held from the book to the outlet, so that the outlet is told in order
	book   *book.Book
	alerts *state.Store
}

// outlet is where alerts go: notifications, or servers.
type outlet interface {
	// start begins with alerts that fire already.
	start(ctx context.Context, host component.Host, client storage.Client, alerts []*alert.Alert) error
	// put takes the news, and deliver sends what has not been sent.
	put(ctx context.Context, alerts []*alert.Alert) error
	deliver(ctx context.Context) error
	shutdown(ctx context.Context) error
}

func newAlertExporter(set exporter.Settings, cfg *Config, http ...commoncfg.HTTPClientOption) (*alertExporter, error) {
	links, err := book.NewLinks(cfg.Links)
	if err != nil {
		return nil, fmt.Errorf("links: %w", err)
	}
	e := &alertExporter{
		config:   cfg,
		id:       set.ID,
		settings: set.TelemetrySettings,
		logger:   set.Logger,
		now:      time.Now,
		book:     book.New(links, cfg.ResolveTimeout, cfg.MaxAlerts),
	}
	if e.telemetry, err = newTelemetry(e); err != nil {
		return nil, err
	}
	if notify := cfg.Notify.Get(); notify != nil {
		e.out, err = newNotifications(e, notify, http)
	} else {
		e.out = &servers{exporter: e, config: cfg.Alertmanagers.Get()}
	}
	return e, err
}

// options are those of each signal. Only what goes to servers can fail, and waits in a queue.
func (e *alertExporter) options() []exporterhelper.Option {
	options := []exporterhelper.Option{
		exporterhelper.WithStart(e.start),
		exporterhelper.WithShutdown(e.shutdown),
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{}), // the HTTP clients have their own
	}
	if servers := e.config.Alertmanagers.Get(); servers != nil {
		options = append(options, exporterhelper.WithQueue(servers.QueueConfig), exporterhelper.WithRetry(servers.RetryConfig))
	}
	return options
}

// start starts with the first signal.
func (e *alertExporter) start(ctx context.Context, host component.Host) error {
	e.lifecycle.Lock()
	defer e.lifecycle.Unlock()
	if e.started++; e.started > 1 {
		return nil
	}
	if err := e.open(ctx, host); err != nil {
		return err
	}
	restored, err := e.restore()
	if err != nil {
		return err
	}
	if err := e.out.start(ctx, host, e.client, restored); err != nil {
		return err
	}
	ctx, e.stop = context.WithCancel(context.WithoutCancel(ctx))
	e.background.Go(func() { e.expire(ctx) })
	return nil
}

// open opens the storage, if there is one.
func (e *alertExporter) open(ctx context.Context, host component.Host) (err error) {
	if e.client, err = state.Client(ctx, host, e.config.Storage, component.KindExporter, e.id, "alerts"); err != nil {
		return err
	}
	e.alerts, err = state.Open(ctx, e.client, "alerts")
	return err
}

func (e *alertExporter) restore() ([]*alert.Alert, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var restored []*alert.Alert
	for key, value := range e.alerts.All() {
		var f book.Flag
		id, err := model.ParseFingerprint(key)
		if err = errors.Join(err, json.Unmarshal(value, &f)); err != nil {
			return nil, fmt.Errorf("reading alert %s from the storage: %w", key, err)
		}
		restored = append(restored, e.book.Restore(e.now(), id, &f))
	}
	return restored, nil
}

// shutdown stops with the last signal.
func (e *alertExporter) shutdown(ctx context.Context) error {
	e.lifecycle.Lock()
	defer e.lifecycle.Unlock()
	if e.started > 0 {
		e.started--
	}
	if e.started > 0 {
		return nil
	}
	if e.stop != nil {
		e.stop()
		e.background.Wait()
	}
	err := e.out.shutdown(ctx)
	if e.client != nil {
		err = errors.Join(err, e.client.Close(ctx))
		e.client = nil
	}
	e.telemetry.shutdown()
	e.released()
	return err
}

// observe takes in what was said about flags, and tells people or servers what is new.
func (e *alertExporter) observe(ctx context.Context, observations []flag.Observation) error {
	e.mu.Lock()
	err := e.tell(ctx, e.book.Apply(e.now(), observations), causeOver)
	e.mu.Unlock()
	if err != nil {
		return err
	}
	return e.out.deliver(ctx)
}

// expire ends alerts that are silent until it is stopped. One ends at most a tenth of the time late.
func (e *alertExporter) expire(ctx context.Context) {
	ticker := time.NewTicker(e.config.ResolveTimeout / 10)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		e.mu.Lock()
		changes := e.book.Expire(e.now())
		err := e.tell(ctx, changes, causeSilent)
		e.mu.Unlock()
		if err == nil && changes.Ended > 0 {
			err = e.out.deliver(ctx)
		}
		if err != nil && ctx.Err() == nil {
			e.logger.Warn("The end of silent alerts could not be told", zap.Error(err))
		}
	}
}

// tell puts changes first where they survive, then where they are heard of.
func (e *alertExporter) tell(ctx context.Context, changes book.Changes, cause string) error {
	e.telemetry.changed(ctx, changes, cause)
	if err := e.save(ctx, changes); err != nil {
		e.telemetry.storageFailed(err)
	}
	return e.out.put(ctx, changes.Alerts)
}

func (e *alertExporter) save(ctx context.Context, changes book.Changes) error {
	put := make(map[string][]byte, len(changes.Put))
	for id, f := range changes.Put {
		value, err := json.Marshal(f)
		if err != nil {
			return err
		}
		put[id.String()] = value
	}
	removed := make([]string, len(changes.Removed))
	for i, id := range changes.Removed {
		removed[i] = id.String()
	}
	return e.alerts.Update(ctx, put, removed)
}
