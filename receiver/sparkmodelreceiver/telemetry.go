package sparkmodelreceiver

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
)

// observer counts and times the requests to a source.
func observer(tb *metadata.TelemetryBuilder, source string) rest.Observer {
	return func(ctx context.Context, o rest.Observation) {
		where := metric.WithAttributes(attribute.String("source", source), attribute.String("endpoint", o.Endpoint))
		tb.ReceiverSparkmodelResponseSize.Add(ctx, o.Bytes, where)
		tb.ReceiverSparkmodelRequestDuration.Record(ctx, o.Took.Seconds(), where)
		tb.ReceiverSparkmodelRequests.Add(ctx, 1, where, metric.WithAttributes(attribute.String("outcome", string(o.Outcome))))
	}
}

// answers remembers when each source answered last. The sources are configured servers, so there are few.
type answers struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// note records that a source was asked. One that has never answered counts from its first question.
func (a *answers) note(source string, now time.Time, answered bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.last[source]; answered || !known {
		if a.last == nil {
			a.last = map[string]time.Time{}
		}
		a.last[source] = now
	}
}

// observe tells for how long each source has not answered.
func (a *answers) observe(now func() time.Time) metric.Float64Callback {
	return func(_ context.Context, o metric.Float64Observer) error {
		a.mu.Lock()
		defer a.mu.Unlock()
		for source, last := range a.last {
			o.Observe(max(0, now().Sub(last).Seconds()), metric.WithAttributes(attribute.String("source", source)))
		}
		return nil
	}
}
