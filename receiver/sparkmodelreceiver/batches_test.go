package sparkmodelreceiver

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

// A poll of many applications is sent in batches. Where one of them is refused, its applications alone keep what was in
// it for the next poll.
func TestBatchesAreDeliveredOneByOne(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	r, err := newSparkModelReceiver(receivertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	begin := time.Unix(1_000, 0)
	for i := range 20 {
		app := track.NewApplication(track.Key{ID: fmt.Sprintf("app%02d", i)})
		app.State, app.Submitted, app.Now = track.Running, begin, begin.Add(time.Hour)
		app.ListStages([]spark.Stage{{
			Status: spark.StatusComplete, SubmissionTime: spark.Time{Time: begin}, CompletionTime: spark.Time{Time: begin.Add(time.Minute)},
		}}, app.Now)
		app.ListJobs(nil)
		executors := make([]spark.Executor, 200)
		for e := range executors {
			executors[e] = spark.Executor{ID: strconv.Itoa(e), Active: true}
		}
		app.ObserveAllExecutors(executors)
		r.watched.byID[app.Key] = &watchedApplication{app: app, ui: &spark.App{}}
	}
	n := 0
	sink := refusing{every: 2, n: &n, next: new(consumertest.MetricsSink)}
	r.metrics = sink
	r.builder.Begin(begin)

	all := r.watched.emitted()
	delivered, err := r.emitMetrics(t.Context(), all)
	require.ErrorIs(t, err, errRefused)
	r.watched.delivered(t.Context(), delivered)
	require.Greater(t, n, 3, "batches")
	require.NotEmpty(t, delivered)
	require.Less(t, len(delivered), len(all))
	for _, md := range sink.next.AllMetrics() {
		assert.Less(t, md.DataPointCount(), maxBatch+200*50, "no batch has more than one application over the limit")
	}
	emitted := map[string]bool{}
	for _, md := range sink.next.AllMetrics() {
		for _, rm := range md.ResourceMetrics().All() {
			id, _ := rm.Resource().Attributes().Get("spark.application.id")
			assert.False(t, emitted[id.Str()], "twice in a poll")
			emitted[id.Str()] = true
		}
	}
	for _, w := range all {
		assert.Equal(t, emitted[w.app.ID], len(w.app.UndeliveredStages()) == 0, "%s: the stage's last figures wait exactly if they were refused", w.app.ID)
	}
}
