package sparkmodelreceiver

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
)

// NewFactory returns the factory of the sparkmodel receiver. The metrics, traces and logs pipelines that use the same
// configured instance share one receiver, which makes each request once.
func NewFactory() receiver.Factory {
	s := &shared{byConfig: map[*Config]*sparkModelReceiver{}}
	return receiver.NewFactory(
		metadata.Type,
		createDefaultConfig,
		receiver.WithMetrics(s.createMetrics, metadata.MetricsStability),
		receiver.WithTraces(s.createTraces, metadata.TracesStability),
		receiver.WithLogs(s.createLogs, metadata.LogsStability),
	)
}

// shared are the receivers that pipelines share, from their creation until they are shut down.
type shared struct {
	mu       sync.Mutex
	byConfig map[*Config]*sparkModelReceiver
}

func (s *shared) createMetrics(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
	return s.receiver(set, cfg, func(r *sparkModelReceiver) { r.metrics, r.reader.Metrics = next, true })
}

func (s *shared) createTraces(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Traces) (receiver.Traces, error) {
	return s.receiver(set, cfg, func(r *sparkModelReceiver) { r.traces = next })
}

func (s *shared) createLogs(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
	return s.receiver(set, cfg, func(r *sparkModelReceiver) { r.logs, r.reader.Logs = next, true })
}

func (s *shared) receiver(set receiver.Settings, cfg component.Config, connect func(*sparkModelReceiver)) (*sparkModelReceiver, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	config := cfg.(*Config)
	r, ok := s.byConfig[config]
	if !ok {
		var err error
		if r, err = newSparkModelReceiver(set, config); err != nil {
			return nil, err
		}
		r.release = func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.byConfig, config)
		}
		s.byConfig[config] = r
	}
	connect(r)
	return r, nil
}
