package emit

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/yarn"
)

var begin = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newTestBuilder() *Builder {
	b := NewBuilder(metadata.NewDefaultMetricsBuilderConfig(), receivertest.NewNopSettings(metadata.Type), Options{
		Cluster: "lab", MinStageDuration: 10 * time.Second, MaxStages: 50,
	})
	b.Begin(begin.Add(time.Minute))
	return b
}

// point is a data point with its resource and metric.
type point struct {
	resource pcommon.Map
	pmetric.NumberDataPoint
}

func pointsOf(md pmetric.Metrics, name string) []point {
	var list []point
	for _, rm := range md.ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			if m.Name() == name {
				for _, dp := range numberDataPoints(m).All() {
					list = append(list, point{rm.Resource().Attributes(), dp})
				}
			}
		}
	}
	return list
}

func newTestApplication() *track.Application {
	app := track.NewApplication(track.Key{ID: "application_1_0001", Attempt: "1"})
	app.Name, app.Queue, app.Model = "nightly", "root.ml.train", track.Model{Name: "nightly"}
	app.State, app.Submitted, app.Now = track.Running, begin, begin.Add(50*time.Second)
	return app
}

// When the model of an application becomes known, its series end under the old description, so that no sum counts them twice.
func TestRedescribedApplicationEndsItsOldSeries(t *testing.T) {
	b, app := newTestBuilder(), newTestApplication()
	app.State = track.Accepted
	b.Application(app, false)
	first := b.Metrics()
	require.Equal(t, 1, first.ResourceMetrics().Len())
	app.Delivered(true)

	app.State, app.Model = track.Running, track.Model{Name: "churn", Version: "7"}
	b.Application(app, false)
	md := b.Metrics()
	require.Equal(t, 2, md.ResourceMetrics().Len())
	assert.Equal(t, first.ResourceMetrics().At(0).Resource().Attributes().AsRaw(), md.ResourceMetrics().At(0).Resource().Attributes().AsRaw())
	stale, fresh := 0, 0
	for _, p := range pointsOf(md, "spark.application.status") {
		model, _ := p.resource.Get("spark.model.name")
		assert.Equal(t, model.Str() == "nightly", p.Flags().NoRecordedValue())
		if p.Flags().NoRecordedValue() {
			stale++
		} else {
			fresh++
		}
	}
	assert.Equal(t, len(applicationStates), stale)
	assert.Equal(t, len(applicationStates), fresh)
	for _, m := range md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		assert.Equal(t, 1, numberDataPoints(m).Len(), "one stale point for each metric")
	}
	app.Delivered(true)
	b.Application(app, false)
	assert.Equal(t, 1, b.Metrics().ResourceMetrics().Len())
}

func TestWhatIsUnknownIsNotEmitted(t *testing.T) {
	b, app := newTestBuilder(), newTestApplication()
	app.ObserveExecutors([]spark.Executor{{ID: "1", Active: true, PeakMemory: &spark.PeakMemory{JVMHeap: 5}}, {ID: "driver", Active: true, TotalDuration: 99_000}})
	nan := rest.Float(0)
	require.NoError(t, nan.UnmarshalJSON([]byte(`"NaN"`)))
	app.ObserveStage(&spark.Stage{
		ID: 3, Status: spark.StatusActive, SubmissionTime: spark.Time{Time: begin},
		TaskMetrics: &spark.TaskDistributions{Quantiles: []rest.Float{0, 0.5, 0.7, 1}, ExecutorRunTime: []rest.Float{100, nan, 3, 4000}},
	}, begin.Add(20*time.Second))
	b.Application(app, true)
	md := b.Metrics()

	assert.Empty(t, pointsOf(md, "yarn.application.wait.duration"), "YARN did not tell")
	assert.Empty(t, pointsOf(md, "spark.stage.task.running.duration"), "not asked for")
	assert.Empty(t, pointsOf(md, "spark.application.setting"))
	require.Len(t, pointsOf(md, "spark.executor.memory.peak"), 1, "0 is unknown")
	require.Len(t, pointsOf(md, "spark.executor.time"), 1, "the driver's is the age of the application")
	quantiles := map[string]float64{}
	for _, p := range pointsOf(md, "spark.stage.task.run_time") {
		q, _ := p.Attributes().Get("spark.task.quantile")
		quantiles[q.Str()] = p.DoubleValue()
	}
	assert.Equal(t, map[string]float64{"min": 0.1, "max": 4}, quantiles)
	_, ok := pointsOf(md, "spark.application.status")[0].resource.Get("spark.model.version")
	assert.False(t, ok)
}

// Running totals begin with what they are of, not with the collector.
func TestStartTimes(t *testing.T) {
	b, app := newTestBuilder(), newTestApplication()
	added, submitted := begin.Add(5*time.Second), begin.Add(9*time.Second)
	app.ObserveExecutors([]spark.Executor{{ID: "1", Active: true, AddTime: spark.Time{Time: added}}})
	app.ObserveStage(&spark.Stage{ID: 3, Status: spark.StatusActive, SubmissionTime: spark.Time{Time: submitted}}, begin.Add(40*time.Second))
	b.Application(app, true)
	md := b.Metrics()
	for name, want := range map[string]time.Time{
		"spark.application.task.result": begin, "spark.executor.gc_time": added, "spark.stage.jvm_gc_time": submitted,
	} {
		points := pointsOf(md, name)
		require.NotEmpty(t, points, name)
		assert.Equal(t, want, points[0].StartTimestamp().AsTime(), name)
		assert.Equal(t, begin.Add(time.Minute), points[0].Timestamp().AsTime())
	}
	assert.Zero(t, pointsOf(md, "spark.application.duration")[0].StartTimestamp())
	assert.InDelta(t, 50, pointsOf(md, "spark.application.duration")[0].DoubleValue(), 1e-9)
}

func TestStageCardinality(t *testing.T) {
	b, app := newTestBuilder(), newTestApplication()
	for id := range 120 {
		app.ObserveStage(&spark.Stage{ID: id, Status: spark.StatusActive, SubmissionTime: spark.Time{Time: begin}}, begin.Add(time.Duration(id)*time.Second))
	}
	b.Application(app, true)
	points := pointsOf(b.Metrics(), "spark.stage.duration")
	require.Len(t, points, 50)
	for _, p := range points {
		assert.GreaterOrEqual(t, p.DoubleValue(), 70.0, "the longest are chosen")
	}
}

func TestEndedApplicationHoldsNothing(t *testing.T) {
	b, app := newTestBuilder(), newTestApplication()
	app.ObserveJob(&spark.Job{ID: 0, Status: spark.StatusRunning})
	app.ObserveStage(&spark.Stage{ID: 0, Status: spark.StatusActive, ActiveTasks: 4, SubmissionTime: spark.Time{Time: begin}}, begin.Add(20*time.Second))
	app.ObserveExecutors([]spark.Executor{{ID: "1", Active: true, TotalCores: 2}})
	app.State = track.Failed
	b.Application(app, true)
	md := b.Metrics()
	for _, name := range []string{
		"spark.application.job.active", "spark.application.stage.active", "spark.application.task.active",
		"spark.application.executor.active", "spark.application.core.limit",
	} {
		require.Len(t, pointsOf(md, name), 1)
		assert.Zero(t, pointsOf(md, name)[0].IntValue(), name)
	}
	assert.Empty(t, pointsOf(md, "spark.stage.duration"))
}

func TestClusterCountsEveryPartition(t *testing.T) {
	b := newTestBuilder()
	b.Cluster(&Cluster{Started: begin, Metrics: &yarn.ClusterMetrics{
		TotalMB: 6144, AllocatedMB: 1024, TotalAcross: &yarn.Resource{Memory: 12288, VCores: 12}, UsedAcross: &yarn.Resource{Memory: 3584, VCores: 3},
		AppsSubmitted: 4,
	}, Nodes: []yarn.Node{{ID: "n:1", State: "LOST"}}})
	md := b.Metrics()
	assert.EqualValues(t, 12288<<20, pointsOf(md, "yarn.cluster.memory.limit")[0].IntValue())
	assert.Equal(t, begin, pointsOf(md, "yarn.cluster.application.submitted")[0].StartTimestamp().AsTime())
	for _, p := range pointsOf(md, "yarn.node.status") {
		state, _ := p.Attributes().Get("yarn.node.state")
		assert.Equal(t, toInt(state.Str() == "lost"), p.IntValue())
	}
}

func TestNothingEnabledNothingEmitted(t *testing.T) {
	b := newTestBuilder()
	b.mb = metadata.NewMetricsBuilder(metadata.MetricsBuilderConfig{}, receivertest.NewNopSettings(metadata.Type))
	b.Application(newTestApplication(), true)
	assert.Zero(t, b.Metrics().DataPointCount())
}
