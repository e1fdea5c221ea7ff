package sparkmodelreceiver

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/recording"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/discover"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadatatest"
)

// What the receiver tells of itself: the exact counts of two polls, the second of which finds one of two servers away.
func TestTelemetry(t *testing.T) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.WithoutCancel(t.Context()))) })
	away := false
	h := newHadoopWith(t, "mapreduce-3.4.2", tel.NewTelemetrySettings(), func(cfg *Config, serve func(string, ...func(http.Handler) http.Handler) string) {
		cfg.YARN.GetOrInsertDefault().Endpoints = []string{serve(recording.ResourceManager)}
		cfg.MapReduce.GetOrInsertDefault().ClientConfig.Endpoint = serve(recording.JobHistory, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if away {
					http.Error(w, "HTTP ERROR 503", http.StatusServiceUnavailable)
					return
				}
				next.ServeHTTP(w, r)
			})
		})
		cfg.Applications.Exclude = []discover.Match{{Name: "QuasiMonteCarlo"}}
	})
	now := h.rec.Start()
	h.now = func() time.Time { return now }
	seen := false
	for ; !seen; now = now.Add(step) {
		require.True(t, now.Before(h.rec.End()), "no poll finds the running job")
		h.player.Seek(now)
		h.emitted(t)
		metric, err := tel.GetMetric("otelcol_receiver_sparkmodel_applications_skipped")
		require.NoError(t, err)
		seen = metric.Data.(metricdata.Gauge[int64]).DataPoints[0].Value == 1
	}
	now = now.Add(-step)
	metadatatest.AssertEqualReceiverSparkmodelApplicationsTracked(t, tel, []metricdata.DataPoint[int64]{{Value: 0}}, metricdatatest.IgnoreTimestamp())
	yarn, running, history := bySource("yarn"), bySource("mapreduce running"), bySource("mapreduce")
	staleness := func(want map[attribute.Set]float64) {
		t.Helper()
		got, err := tel.GetMetric("otelcol_receiver_sparkmodel_source_staleness")
		require.NoError(t, err)
		values := map[attribute.Set]float64{}
		for _, dp := range got.Data.(metricdata.Gauge[float64]).DataPoints {
			values[dp.Attributes] = dp.Value
		}
		for set, value := range want {
			assert.InDelta(t, value, values[set], 1e-9, "%v", set.ToSlice())
		}
	}
	staleness(map[attribute.Set]float64{yarn: 0, running: 0, history: 0})

	away = true
	now = now.Add(step)
	h.emitted(t)
	staleness(map[attribute.Set]float64{yarn: 0, running: 0, history: step.Seconds()})
	now = now.Add(step / 2)
	staleness(map[attribute.Set]float64{yarn: step.Seconds() / 2, history: 1.5 * step.Seconds()})

	up, err := tel.GetMetric("otelcol_receiver_sparkmodel_source_up")
	require.NoError(t, err)
	for _, dp := range up.Data.(metricdata.Gauge[int64]).DataPoints {
		assert.Equal(t, dp.Attributes != history, dp.Value == 1, "%v", dp.Attributes.ToSlice())
	}

	requests, err := tel.GetMetric("otelcol_receiver_sparkmodel_requests")
	require.NoError(t, err)
	counts, failed := map[attribute.Value]int64{}, int64(0)
	for _, dp := range requests.Data.(metricdata.Sum[int64]).DataPoints {
		name, _ := dp.Attributes.Value("source")
		outcome, _ := dp.Attributes.Value("outcome")
		counts[name] += dp.Value
		if outcome.AsString() != "ok" {
			failed += dp.Value
			assert.Equal(t, "mapreduce status", name.AsString()+" "+outcome.AsString())
		}
	}
	assert.EqualValues(t, 1, failed)
	durations, err := tel.GetMetric("otelcol_receiver_sparkmodel_request_duration")
	require.NoError(t, err)
	timed := map[attribute.Value]int64{}
	for _, dp := range durations.Data.(metricdata.Histogram[float64]).DataPoints {
		name, _ := dp.Attributes.Value("source")
		endpoint, ok := dp.Attributes.Value("endpoint")
		assert.True(t, ok)
		assert.NotContains(t, endpoint.AsString(), "_000", "an endpoint has names in place of ids")
		timed[name] += int64(dp.Count)
		assert.Positive(t, dp.Sum)
	}
	assert.Equal(t, counts, timed, "every request is timed")
	polls, err := tel.GetMetric("otelcol_receiver_sparkmodel_poll_duration")
	require.NoError(t, err)
	assert.EqualValues(t, counts[attribute.StringValue("mapreduce")], polls.Data.(metricdata.Histogram[float64]).DataPoints[0].Count, "one request to the JobHistory server in each poll")
	require.Len(t, h.logs.FilterMessageSnippet("can't be read").All(), 1)
}

func bySource(name string) attribute.Set { return attribute.NewSet(attribute.String("source", name)) }
