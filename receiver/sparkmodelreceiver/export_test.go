package sparkmodelreceiver

import (
	"testing"

	"go.opentelemetry.io/collector/consumer"
)

// Replay reads a recorded cluster from its start to its end for the consumers.
func Replay(t *testing.T, name string, metrics consumer.Metrics, traces consumer.Traces) {
	p := newReplay(t, name)
	p.receiver.metrics, p.receiver.traces = metrics, traces
	p.play(t)
}
