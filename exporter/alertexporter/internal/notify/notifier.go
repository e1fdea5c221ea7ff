// Package notify tells people about alerts. It puts Alertmanager's own parts together: alerts are routed and grouped,
// inhibited or muted, de-duplicated by the notification log, and sent by one of its integrations.
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/config/receiver"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/marker"
	amnotify "github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/timeinterval"
	"github.com/prometheus/client_golang/prometheus"
	commoncfg "github.com/prometheus/common/config"
	"go.uber.org/zap"
	"go.uber.org/zap/exp/zapslog"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/state"
)

const (
	// collectInterval is how often alerts that are over leave the memory.
	collectInterval = 5 * time.Minute
	// groupInterval is how often empty groups leave the memory. It is Alertmanager's default.
	groupInterval = 30 * time.Second
	// forgetInterval is how often the notification log is cleaned. It is Alertmanager's default.
	forgetInterval = 15 * time.Minute
)

// Settings of a notifier.
type Settings struct {
	Config *config.Config
	Logger *zap.Logger
	// StorageFailed is called when the store does not take a notification.
	StorageFailed func(error)
	// HTTPOptions are for the clients of all integrations.
	HTTPOptions []commoncfg.HTTPClientOption
}

// Notifier tells people about alerts. It is to be started once and shut down once.
type Notifier struct {
	Settings
	logger    *slog.Logger
	registry  *prometheus.Registry
	receivers map[string][]amnotify.Integration

	alerts     *mem.Alerts
	inhibitor  *inhibit.Inhibitor
	dispatcher *dispatch.Dispatcher
	log        *notificationLog
	background sync.WaitGroup
	stop       context.CancelFunc

	flushes sync.RWMutex // held for reading by each notification on its way
	closed  bool
}

// New builds all integrations, so that what is wrong with one shows before anything starts.
func New(set Settings) (*Notifier, error) {
	n := &Notifier{
		Settings:  set,
		logger:    slog.New(zapslog.NewHandler(set.Logger.Core())),
		registry:  prometheus.NewRegistry(),
		receivers: map[string][]amnotify.Integration{},
	}
	templates, err := newTemplate(set.Config.Templates)
	if err != nil {
		return nil, err
	}
	// Notifications are rare, and a connection that is kept would outlive the exporter.
	options := append([]commoncfg.HTTPClientOption{commoncfg.WithKeepAlivesDisabled()}, set.HTTPOptions...)
	var errs []error
	for _, r := range set.Config.Receivers {
		integrations, err := receiver.BuildReceiverIntegrations(r, templates, n.logger, options...)
		if err != nil {
			errs = append(errs, fmt.Errorf("receiver %q: %w", r.Name, err))
		}
		n.receivers[r.Name] = integrations
	}
	return n, errors.Join(errs...)
}

// Gatherer has the metrics of Alertmanager's parts.
func (n *Notifier) Gatherer() prometheus.Gatherer {
	return n.registry
}

// Start begins to notify. The store has who was told what, alerts are those that fire already.
func (n *Notifier) Start(ctx context.Context, store *state.Store, alerts []*alert.Alert) error {
	if names := ignored(n.Config); len(names) > 0 {
		n.Logger.Warn("Parts of Alertmanager's configuration have no effect in a collector", zap.Strings("parts", names))
	}
	recorder := eventrecorder.NopRecorder()
	flags := featurecontrol.NoopFlags{}
	silences, err := silence.New(silence.Options{Logger: n.logger, Metrics: n.registry, EventRecorder: recorder})
	if err != nil {
		return err
	}
	silencer := silence.NewSilencer(silences, n.logger, recorder)
	if n.log, err = openLog(ctx, store, n.logger, n.registry, n.StorageFailed); err != nil {
		return err
	}
	templates, err := newTemplate(n.Config.Templates)
	if err != nil {
		return err
	}

	ctx, n.stop = context.WithCancel(context.WithoutCancel(ctx))
	if n.alerts, err = mem.NewAlerts(ctx, collectInterval, 0, silencer, n.logger, recorder, n.registry, flags); err != nil {
		return err
	}
	if err := n.alerts.Put(ctx, alerts...); err != nil {
		return err
	}
	intervals := map[string][]timeinterval.TimeInterval{}
	for _, i := range n.Config.MuteTimeIntervals {
		intervals[i.Name] = i.TimeIntervals
	}
	for _, i := range n.Config.TimeIntervals {
		intervals[i.Name] = i.TimeIntervals
	}
	n.inhibitor = inhibit.NewInhibitor(n.alerts, n.Config.InhibitRules, n.logger, recorder)
	groups := marker.NewGroupMarker()
	pipeline := amnotify.NewPipelineBuilder(n.registry, flags, recorder).New(
		n.receivers, noWait, n.inhibitor, silencer, timeinterval.NewIntervener(intervals), groups, n.log.inner, nil)
	n.dispatcher = dispatch.NewDispatcher(n.alerts, dispatch.NewRoute(n.Config.Route, nil), n.stage(pipeline), groups,
		timeout, groupInterval, nil, n.logger, recorder, dispatch.NewDispatcherMetrics(false, n.registry, flags), templates)

	// The inhibitor goes first, so that nobody is told of the consequences of a cause that was restored.
	n.background.Go(n.inhibitor.Run)
	n.inhibitor.WaitForLoading()
	n.background.Go(func() { n.dispatcher.Run(time.Now()) })
	n.dispatcher.WaitForLoading()
	n.background.Go(func() { n.maintain(ctx) })
	return nil
}

// Put passes on the news of alerts. The dispatcher has several readers: of two updates of an alert at the same moment
// the older one may win, until the alert is put again or its end has come.
func (n *Notifier) Put(ctx context.Context, alerts []*alert.Alert) error {
	return n.alerts.Put(ctx, alerts...)
}

// Shutdown stops notifying. A notification on its way is cancelled; after a restart it is sent again.
func (n *Notifier) Shutdown(context.Context) error {
	if n.stop == nil {
		return nil
	}
	n.stop()
	n.dispatcher.Stop()
	n.inhibitor.Stop()
	n.alerts.Close()
	n.flushes.Lock()
	n.closed = true
	n.flushes.Unlock()
	n.background.Wait()
	return nil
}

// stage wraps the pipeline: alerts come in our order, and Shutdown waits for those on their way.
func (n *Notifier) stage(pipeline amnotify.Stage) amnotify.Stage {
	return amnotify.StageFunc(func(ctx context.Context, logger *slog.Logger, alerts ...*alert.Alert) (context.Context, []*alert.Alert, error) {
		n.flushes.RLock()
		defer n.flushes.RUnlock()
		if n.closed {
			return ctx, nil, context.Canceled
		}
		return pipeline.Exec(ctx, logger, arranged(alerts)...)
	})
}

func (n *Notifier) maintain(ctx context.Context) {
	ticker := time.NewTicker(forgetInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			if err := n.log.forget(ctx, now); err != nil {
				n.StorageFailed(err)
			}
		}
	}
}

// noWait is for a cluster of one.
func noWait() time.Duration { return 0 }

// timeout gives a notification the time until the next one of its group.
func timeout(groupInterval time.Duration) time.Duration {
	return max(groupInterval, amnotify.MinTimeout)
}
