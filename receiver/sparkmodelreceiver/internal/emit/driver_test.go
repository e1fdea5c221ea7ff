package emit

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

// only returns the value of the only point of a metric with an attribute.
func only(t *testing.T, points []point, name, value string) float64 {
	var found []float64
	for _, p := range points {
		if v, ok := p.Attributes().Get(name); ok && v.AsString() == value {
			found = append(found, p.DoubleValue()+float64(p.IntValue()))
		}
	}
	require.Len(t, found, 1, "%s=%s", name, value)
	return found[0]
}

// The name of a query may have dots; the figure's has none.
func TestStreamingQueries(t *testing.T) {
	b, app := newTestBuilder(), newTestApplication()
	app.State, app.Now = track.Running, begin.Add(time.Minute)
	app.ObserveDriverMetrics(&spark.DriverMetrics{
		Gauges: map[string]float64{
			"spark.streaming.events.per.key.inputRate-total":     12.5,
			"spark.streaming.events.per.key.latency":             1500,
			"spark.streaming.events.per.key.eventTime-watermark": float64(begin.UnixMilli()),
			"spark.streaming.idle.eventTime-watermark":           0,
			"spark.streaming.":                     1,
			"LiveListenerBus.queue.appStatus.size": 3,
		},
		Counters: map[string]int64{"LiveListenerBus.queue.appStatus.numDroppedEvents": 7},
	})
	b.Application(app, true)
	md := b.Metrics()
	const query = "spark.streaming.query.name"
	assert.InDelta(t, 12.5, only(t, pointsOf(md, "spark.streaming.query.input.rate"), query, "events.per.key"), 0)
	assert.InDelta(t, 1.5, only(t, pointsOf(md, "spark.streaming.query.latency"), query, "events.per.key"), 1e-9)
	assert.InDelta(t, 60, only(t, pointsOf(md, "spark.streaming.query.watermark.delay"), query, "events.per.key"), 1e-9)
	assert.Len(t, pointsOf(md, "spark.streaming.query.watermark.delay"), 1, "a query without a watermark has no delay")
	assert.InDelta(t, 12.5, only(t, pointsOf(md, "spark.model.result"), "spark.model.result.name", "events.per.key.input_rate"), 0)
	assert.InDelta(t, 7, only(t, pointsOf(md, "spark.application.event.dropped"), "spark.listener.queue", "appStatus"), 0)

	app.State = track.Succeeded
	b.Application(app, true)
	assert.Empty(t, pointsOf(b.Metrics(), "spark.streaming.query.latency"), "the driver is gone")
}

// Averages are told only once there was a batch.
func TestDStreams(t *testing.T) {
	b, app := newTestBuilder(), newTestApplication()
	app.State = track.Running
	took := rest.Float(1200)
	app.ObserveDStreams(&spark.DStreams{BatchDuration: 5000, ProcessingTime: &took, ActiveBatches: 2, CompletedBatches: 9, ReceivedRecords: 40})
	b.Application(app, true)
	md := b.Metrics()
	assert.InDelta(t, 5, pointsOf(md, "spark.dstream.batch.duration")[0].DoubleValue(), 1e-9)
	assert.InDelta(t, 1.2, pointsOf(md, "spark.dstream.batch.processing.time")[0].DoubleValue(), 1e-9)
	assert.Empty(t, pointsOf(md, "spark.dstream.input.rate"))
	assert.InDelta(t, 2, only(t, pointsOf(md, "spark.dstream.batches"), "spark.dstream.batch.state", "active"), 0)
	assert.InDelta(t, 40, only(t, pointsOf(md, "spark.dstream.records"), "spark.dstream.record.state", "received"), 0)
}

func TestAnyEnabled(t *testing.T) {
	config := metadata.NewDefaultMetricsBuilderConfig().Metrics
	assert.True(t, AnyEnabled(config, "spark.application.storage."))
	config.SparkApplicationStorageDiskUsage.Enabled = false
	config.SparkApplicationStorageMemoryUsage.Enabled = false
	config.SparkApplicationStoragePartitions.Enabled = false
	assert.True(t, AnyEnabled(config, "spark.application.storage."))
	config.SparkApplicationStorageRdds.Enabled = false
	assert.False(t, AnyEnabled(config, "spark.application.storage."))
	assert.True(t, AnyEnabled(config, "spark.application.storage.", "spark.dstream."))
	assert.False(t, AnyEnabled(config, "no.such."))
}
