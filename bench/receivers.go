package main

import (
	"context"
	"errors"
	"runtime"
	"syscall"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/apachesparkreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver"
)

// subject is a receiver that is measured.
type subject struct {
	name    string
	factory receiver.Factory
	// config returns the configuration that reads a driver at an address.
	config func(endpoint string) map[string]any
}

var (
	ours = subject{"sparkmodel", sparkmodelreceiver.NewFactory(), func(endpoint string) map[string]any {
		return map[string]any{"driver": map[string]any{"endpoints": []any{endpoint}}}
	}}
	peer = subject{"apachespark", apachesparkreceiver.NewFactory(), func(endpoint string) map[string]any {
		return map[string]any{"endpoint": endpoint}
	}}
)

// polled is a receiver that polls when it is told to: the next poll begins when the figures of the last were taken.
type polled struct {
	receivers []component.Component
	figures   chan pmetric.Metrics
	taken     chan struct{}
	stopped   chan struct{}
	// points is how many the last poll emitted.
	points int
}

// start starts a receiver and waits for its first poll. With all signals, spans and events are read for as well.
func (s subject) start(ctx context.Context, config map[string]any, allSignals bool) (*polled, error) {
	config["collection_interval"] = time.Millisecond.String()
	config["initial_delay"] = time.Millisecond.String()
	cfg := s.factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(config).Unmarshal(cfg); err != nil {
		return nil, err
	}
	p := &polled{figures: make(chan pmetric.Metrics), taken: make(chan struct{}), stopped: make(chan struct{})}
	next, err := consumer.NewMetrics(p.consume)
	if err != nil {
		return nil, err
	}
	set := receivertest.NewNopSettings(s.factory.Type())
	metrics, err := s.factory.CreateMetrics(ctx, set, cfg, next)
	if err != nil {
		return nil, err
	}
	p.receivers = append(p.receivers, metrics)
	if allSignals {
		traces, err := s.factory.CreateTraces(ctx, set, cfg, consumertest.NewNop())
		if err != nil {
			return nil, err
		}
		logs, err := s.factory.CreateLogs(ctx, set, cfg, consumertest.NewNop())
		if err != nil {
			return nil, err
		}
		p.receivers = append(p.receivers, traces, logs)
	}
	for _, r := range p.receivers {
		if err := r.Start(ctx, componenttest.NewNopHost()); err != nil {
			return nil, err
		}
	}
	return p, p.wait(ctx)
}

func (p *polled) consume(_ context.Context, md pmetric.Metrics) error {
	select {
	case p.figures <- md:
	case <-p.stopped:
		return nil
	}
	select {
	case <-p.taken:
	case <-p.stopped:
	}
	return nil
}

// poll lets the receiver poll once more.
func (p *polled) poll(ctx context.Context) error {
	p.taken <- struct{}{}
	return p.wait(ctx)
}

func (p *polled) stop(ctx context.Context) error {
	close(p.stopped)
	var errs []error
	for _, r := range p.receivers {
		errs = append(errs, r.Shutdown(ctx))
	}
	return errors.Join(errs...)
}

func (p *polled) wait(ctx context.Context) error {
	select {
	case md := <-p.figures:
		p.points = md.DataPointCount()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// use is what a process has used.
type use struct {
	cpu           time.Duration
	allocs, bytes uint64
}

func (u use) since(before use) use {
	return use{u.cpu - before.cpu, u.allocs - before.allocs, u.bytes - before.bytes}
}

func used() use {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return use{time.Duration(r.Utime.Nano() + r.Stime.Nano()), m.Mallocs, m.TotalAlloc}
}
