package track

import (
	"strings"
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
)

// driver is what was read of the driver's own figures, while it ran.
type driver struct {
	// metrics are nil until they were read: at the time at, when so many jobs had ended.
	metrics *spark.DriverMetrics
	at      time.Time
	jobs    int64

	// storage is nil until it is known, and was read when the executors held the blocks.
	storage *Storage
	blocks  blocks

	// streams and dstreams tell that jobs of structured streaming queries and of DStreams were seen.
	streams, dstreams bool
	// dstreamsRead is how many jobs had ended when the statistics were read.
	statistics   *spark.DStreams
	dstreamsRead int64
}

// Storage is what an application caches. Sizes are in bytes.
type Storage struct{ RDDs, Partitions, CachedPartitions, Memory, Disk int64 }

// blocks are what executors have cached: what is told of the storage changes with them.
type blocks struct{ count, disk int64 }

// dstreamDescription is how Spark describes the jobs of DStreams (JobScheduler, 3.5 and 4.x).
const dstreamDescription = "Streaming job from "

// streamingJob notes by a job's description that it belongs to a stream.
func (d *driver) streamingJob(description string) {
	switch {
	case description == "":
	case strings.HasPrefix(description, dstreamDescription):
		d.dstreams = true
	case !d.streams:
		d.streams = parseBatch(description) != nil
	}
}

func (a *Application) endedJobs() int64 { return a.jobs.succeeded + a.jobs.failed }

// DriverMetricsDue tells whether the driver's metrics are to be read: after the interval, and where a job has ended, since
// they were, if a streaming query runs or no job does. It is between jobs that a program registers its results.
func (a *Application) DriverMetricsDue(interval time.Duration) bool {
	d := &a.driver
	if d.metrics == nil || a.Now.Sub(d.at) >= interval {
		return true
	}
	return a.endedJobs() > d.jobs && (d.streams || len(a.jobs.running) == 0)
}

// accumulatorSource is where the driver's metrics show the accumulators that a program registers.
const accumulatorSource = "AccumulatorSource."

// ObserveDriverMetrics records the driver's metrics.
func (a *Application) ObserveDriverMetrics(m *spark.DriverMetrics) {
	a.driver.metrics, a.driver.at, a.driver.jobs = m, a.Now, a.endedJobs()
	for name, value := range m.Gauges {
		if result, ok := strings.CutPrefix(name, accumulatorSource); ok {
			a.results.set(ResultGauge, result, value, 0)
		}
	}
}

// DriverMetrics returns the driver's metrics as they were read last, nil if they never were or the driver is gone.
func (a *Application) DriverMetrics() *spark.DriverMetrics {
	if a.State.Ended() {
		return nil
	}
	return a.driver.metrics
}

// ForgetDriver forgets what could not be read anew, so that it is neither told as that of now nor waited for.
func (a *Application) ForgetDriver() {
	a.driver.metrics, a.driver.storage, a.driver.statistics = nil, nil, nil
}

// StorageDue tells whether what is cached is to be read: it has changed.
func (a *Application) StorageDue() bool {
	now := a.cachedBlocks()
	if now.count == 0 {
		a.driver.storage, a.driver.blocks = &Storage{}, now
		return false
	}
	return a.driver.storage == nil || now != a.driver.blocks
}

func (a *Application) cachedBlocks() (sum blocks) {
	for _, e := range a.executors.alive {
		sum.count += e.RDDBlocks
		sum.disk += e.DiskUsed
	}
	return sum
}

// ObserveStorage records what is cached.
func (a *Application) ObserveStorage(rdds []spark.RDD) {
	s := &Storage{RDDs: int64(len(rdds))}
	for i := range rdds {
		s.Partitions += rdds[i].Partitions
		s.CachedPartitions += rdds[i].CachedPartitions
		s.Memory += rdds[i].MemoryUsed
		s.Disk += rdds[i].DiskUsed
	}
	a.driver.storage, a.driver.blocks = s, a.cachedBlocks()
}

// Storage returns what is cached, nil if that is unknown or the application has ended.
func (a *Application) Storage() *Storage {
	if a.State.Ended() {
		return nil
	}
	return a.driver.storage
}

// DStreamsDue tells whether the statistics of DStreams are to be read: the application has some, and a job has ended.
func (a *Application) DStreamsDue() bool {
	return a.driver.dstreams && (a.driver.statistics == nil || a.endedJobs() > a.driver.dstreamsRead)
}

// ObserveDStreams records the statistics of DStreams.
func (a *Application) ObserveDStreams(s *spark.DStreams) {
	a.driver.statistics, a.driver.dstreamsRead = s, a.endedJobs()
}

// DStreams returns the statistics of DStreams, nil if there are none or the application has ended.
func (a *Application) DStreams() *spark.DStreams {
	if a.State.Ended() {
		return nil
	}
	return a.driver.statistics
}
