package spark

import (
	"context"
	"math"
	"strconv"
	"strings"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
)

// DriverMetrics are what the driver's metrics system shows, by their names without the application's namespace. They
// exist only while the driver runs.
type DriverMetrics struct {
	Gauges   map[string]float64
	Counters map[string]int64
	// Histograms are in the units of what they are of, Timers in ms.
	Histograms, Timers map[string]Distribution
}

// Distribution is how many values there were, and the mean of a sample of them.
type Distribution struct {
	Count int64      `json:"count"`
	Mean  rest.Float `json:"mean"`
}

// gauge is a gauge's value; NaN where it is no number.
type gauge struct{ value float64 }

// UnmarshalJSON accepts whatever a gauge can be.
func (g *gauge) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		v = math.NaN()
	}
	g.value = v
	return nil
}

// DriverMetrics reads the driver's metrics.
func (a App) DriverMetrics(ctx context.Context) (DriverMetrics, error) {
	var answer struct {
		Gauges map[string]struct {
			Value gauge `json:"value"`
		} `json:"gauges"`
		Counters   map[string]Distribution `json:"counters"`
		Histograms map[string]Distribution `json:"histograms"`
		Timers     map[string]Distribution `json:"timers"`
	}
	path := append(append(make([]string, 0, len(a.root)+2), a.root...), "metrics", "json")
	// Without the slash a driver sends to the address with it.
	_, err := a.server.Get(ctx, rest.Request{Endpoint: "/metrics/json", Path: path, Slash: true, Cookie: a.cookie}, &answer)
	m := DriverMetrics{
		Gauges: make(map[string]float64, len(answer.Gauges)), Counters: make(map[string]int64, len(answer.Counters)),
		Histograms: ofDriver(answer.Histograms), Timers: ofDriver(answer.Timers),
	}
	for name, g := range ofDriver(answer.Gauges) {
		if !math.IsNaN(g.Value.value) && !math.IsInf(g.Value.value, 0) {
			m.Gauges[name] = g.Value.value
		}
	}
	for name, c := range ofDriver(answer.Counters) {
		m.Counters[name] = c.Count
	}
	return m, err
}

// ofDriver returns the metrics of the driver without the namespace before ".driver.", which is the application's id
// unless spark.metrics.namespace is set.
func ofDriver[V any](all map[string]V) map[string]V {
	out := make(map[string]V, len(all))
	for name, v := range all {
		if _, rest, ok := strings.Cut(name, ".driver."); ok {
			out[rest] = v
		}
	}
	return out
}

// RDD is what is cached of an RDD or a table. Sizes are in bytes.
type RDD struct {
	Partitions       int64 `json:"numPartitions"`
	CachedPartitions int64 `json:"numCachedPartitions"`
	MemoryUsed       int64 `json:"memoryUsed"`
	DiskUsed         int64 `json:"diskUsed"`
}

// Storage lists what is cached.
func (a App) Storage(ctx context.Context) ([]RDD, error) {
	var rdds []RDD
	_, err := a.get(ctx, "storage/rdd", nil, &rdds, "storage", "rdd")
	return rdds, err
}

// DStreams are the statistics of an application's DStreams. Times are in ms; averages are over the retained batches, and
// nil while there is none.
type DStreams struct {
	BatchDuration     int64       `json:"batchDuration"`
	ActiveReceivers   int64       `json:"numActiveReceivers"`
	InactiveReceivers int64       `json:"numInactiveReceivers"`
	CompletedBatches  int64       `json:"numTotalCompletedBatches"`
	RetainedBatches   int64       `json:"numRetainedCompletedBatches"`
	ActiveBatches     int64       `json:"numActiveBatches"`
	ProcessedRecords  int64       `json:"numProcessedRecords"`
	ReceivedRecords   int64       `json:"numReceivedRecords"`
	InputRate         *rest.Float `json:"avgInputRate"`
	SchedulingDelay   *rest.Float `json:"avgSchedulingDelay"`
	ProcessingTime    *rest.Float `json:"avgProcessingTime"`
	TotalDelay        *rest.Float `json:"avgTotalDelay"`
}

// DStreams reads the statistics of the application's DStreams.
func (a App) DStreams(ctx context.Context) (DStreams, error) {
	var statistics DStreams
	_, err := a.get(ctx, "streaming/statistics", nil, &statistics, "streaming", "statistics")
	return statistics, err
}
