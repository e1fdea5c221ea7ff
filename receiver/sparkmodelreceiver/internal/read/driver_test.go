package read

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

// What a driver's own figures cost: its metrics once a minute, and when a job has ended while none runs or a query
// streams; what is cached when that has changed; DStreams only where there are any.
func TestRequestsForTheDriversFigures(t *testing.T) {
	d, ui := newDriver(t)
	app, r := newApp(), newReader()
	r.Wanted, r.DriverMetricsInterval = Wanted{Driver: true, Storage: true, DStreams: true}, time.Minute
	d.metrics = map[string]any{"gauges": map[string]any{"app.driver.AccumulatorSource.model.auc": map[string]any{"value": 0.91}}}
	require.NoError(t, r.Running(t.Context(), app, ui, ""))
	assert.Contains(t, d.asked(), "metrics/json/")
	job := func(id int, status, description string) {
		d.job(id, status, nil, map[string]any{"description": description})
	}
	for _, step := range []struct {
		name   string
		change func()
		want   []string
	}{
		{"nothing happened", func() {}, []string{"jobs?running", "jobs/0", "executors"}},
		{"a job began", func() { job(0, spark.StatusRunning, "") }, []string{"jobs?running", "jobs/1", "stages?active", "executors"}},
		{"it ended", func() { job(0, spark.StatusSucceeded, "") }, []string{"jobs?running", "jobs/0", "jobs/1", "executors", "metrics/json/"}},
		{"nothing happened again", func() {}, []string{"jobs?running", "jobs/1", "executors"}},
		{"something was cached", func() { d.executors[0]["rddBlocks"] = 3 }, []string{"jobs?running", "jobs/1", "executors", "storage/rdd"}},
		{"nothing more was", func() {}, []string{"jobs?running", "jobs/1", "executors"}},
		{"a job ended, another runs", func() {
			job(1, spark.StatusSucceeded, "")
			job(2, spark.StatusRunning, "")
		}, []string{"jobs?running", "jobs/1", "jobs/3", "stages?active", "executors"}},
		{"a job of a streaming query ended, another runs", func() {
			job(3, spark.StatusSucceeded, "scores\nid = 1\nrunId = 2\nbatch = 3")
		}, []string{"jobs?running", "jobs/3", "jobs/4", "stages?active", "executors", "metrics/json/"}},
		{"a job of a DStream ended", func() {
			job(4, spark.StatusSucceeded, "Streaming job from <a href=\"/streaming\">[output operation 0, batch time 10:00:00]</a>")
		}, []string{"jobs?running", "jobs/4", "jobs/5", "stages?active", "executors", "streaming/statistics", "metrics/json/"}},
		{"a minute passed", func() {
			d.now = d.now.Add(time.Minute)
		}, []string{"jobs?running", "jobs/5", "stages?active", "executors", "metrics/json/"}},
	} {
		step.change()
		require.NoError(t, r.Running(t.Context(), app, ui, ""), step.name)
		assert.Equal(t, step.want, d.asked(), step.name)
	}
	assert.Equal(t, &track.Storage{RDDs: 1, Partitions: 4, CachedPartitions: 3, Memory: 100, Disk: 7}, app.Storage())
	require.NotNil(t, app.DStreams())
	assert.EqualValues(t, 5000, app.DStreams().BatchDuration)
	require.Len(t, app.Results(), 1)
	assert.Equal(t, "model.auc", app.Results()[0].Name)
	assert.InDelta(t, 0.91, app.Results()[0].Value, 1e-9)
}

// A driver whose metrics servlet was switched off is read as well as any other.
func TestNoMetricsServlet(t *testing.T) {
	d, ui := newDriver(t)
	app, r := newApp(), newReader()
	r.Wanted, r.DriverMetricsInterval = Wanted{Driver: true}, time.Minute
	for range 2 {
		require.NoError(t, r.Running(t.Context(), app, ui, ""))
	}
	asked := 0
	for _, request := range d.asked() {
		if request == "metrics/json/" {
			asked++
		}
	}
	assert.Equal(t, 1, asked)
}

// A driver whose metrics can't be read is up to date but for them, and asked again at the next poll.
func TestMetricsThatCanNotBeRead(t *testing.T) {
	d, ui := newDriver(t)
	app, r := newApp(), newReader()
	r.Wanted, r.DriverMetricsInterval = Wanted{Driver: true}, time.Minute
	require.NoError(t, r.Running(t.Context(), app, ui, ""))
	require.NotNil(t, app.DriverMetrics())

	d.fail["metrics/json/"] = true
	d.now = d.now.Add(time.Minute)
	d.job(0, spark.StatusRunning, nil, nil)
	for range 2 {
		d.asked()
		err := r.Running(t.Context(), app, ui, "")
		require.ErrorContains(t, err, "metrics/json")
		assert.True(t, UpToDate(err))
		assert.Contains(t, d.asked(), "metrics/json/")
		assert.Nil(t, app.DriverMetrics(), "those of a minute ago")
	}

	d.fail["jobs?running"] = true
	assert.False(t, UpToDate(r.Running(t.Context(), app, ui, "")))
}
