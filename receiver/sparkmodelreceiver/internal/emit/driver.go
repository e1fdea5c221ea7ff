package emit

import (
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

// Attributes, by short names.
const (
	onHeap  = metadata.AttributeSparkMemoryLocationOnHeap
	offHeap = metadata.AttributeSparkMemoryLocationOffHeap
	used    = metadata.AttributeSparkMemoryStateUsed
	free    = metadata.AttributeSparkMemoryStateFree
)

// driver records what the driver's metrics system shows.
func (a application) driver(app *track.Application) {
	m := app.DriverMetrics()
	if m == nil {
		return
	}
	a.driverGauges(m)
	a.driverCounters(m)
	a.codeGenerator(m)
	a.listenerBus(m)
}

func (a application) driverGauges(m *spark.DriverMetrics) {
	const mebibyte, nanosecond, millisecond = 1 << 20, 1e-9, 1e-3
	whole := func(name string, factor float64, record func(v int64)) {
		if v, ok := m.Gauges[name]; ok {
			record(int64(v * factor))
		}
	}
	seconds := func(name string, factor float64, record func(v float64)) {
		if v, ok := m.Gauges[name]; ok {
			record(v * factor)
		}
	}
	whole("BlockManager.disk.diskSpaceUsed_MB", mebibyte, func(v int64) { a.RecordSparkDriverBlockManagerDiskUsageDataPoint(a.ts, v) })
	for _, g := range []struct {
		name     string
		location metadata.AttributeSparkMemoryLocation
		state    metadata.AttributeSparkMemoryState
	}{
		{"onHeapMemUsed", onHeap, used}, {"offHeapMemUsed", offHeap, used}, {"remainingOnHeapMem", onHeap, free}, {"remainingOffHeapMem", offHeap, free},
	} {
		whole("BlockManager.memory."+g.name+"_MB", mebibyte, func(v int64) {
			a.RecordSparkDriverBlockManagerMemoryUsageDataPoint(a.ts, v, g.location, g.state)
		})
	}
	whole("DAGScheduler.job.activeJobs", 1, func(v int64) { a.RecordSparkDriverDagSchedulerJobActiveDataPoint(a.ts, v) })
	whole("DAGScheduler.job.allJobs", 1, func(v int64) { a.RecordSparkDriverDagSchedulerJobCountDataPoint(a.ts, v) })
	whole("DAGScheduler.stage.failedStages", 1, func(v int64) { a.RecordSparkDriverDagSchedulerStageFailedDataPoint(a.ts, v) })
	whole("DAGScheduler.stage.runningStages", 1, func(v int64) {
		a.RecordSparkDriverDagSchedulerStagesDataPoint(a.ts, v, metadata.AttributeSparkSchedulerStageStateRunning)
	})
	whole("DAGScheduler.stage.waitingStages", 1, func(v int64) {
		a.RecordSparkDriverDagSchedulerStagesDataPoint(a.ts, v, metadata.AttributeSparkSchedulerStageStateWaiting)
	})
	seconds("JVMCPU.jvmCpuTime", nanosecond, func(v float64) { a.RecordSparkDriverJvmCPUTimeDataPoint(a.ts, v) })
	if m.Gauges["ExecutorMetrics.JVMHeapMemory"] == 0 {
		return // nothing was sampled yet
	}
	for _, g := range []struct {
		name     string
		location metadata.AttributeSparkMemoryLocation
		record   func(pcommon.Timestamp, int64, metadata.AttributeSparkMemoryLocation)
	}{
		{"JVMHeapMemory", onHeap, a.RecordSparkDriverExecutorMemoryJvmDataPoint},
		{"JVMOffHeapMemory", offHeap, a.RecordSparkDriverExecutorMemoryJvmDataPoint},
		{"OnHeapExecutionMemory", onHeap, a.RecordSparkDriverExecutorMemoryExecutionDataPoint},
		{"OffHeapExecutionMemory", offHeap, a.RecordSparkDriverExecutorMemoryExecutionDataPoint},
		{"OnHeapStorageMemory", onHeap, a.RecordSparkDriverExecutorMemoryStorageDataPoint},
		{"OffHeapStorageMemory", offHeap, a.RecordSparkDriverExecutorMemoryStorageDataPoint},
	} {
		whole("ExecutorMetrics."+g.name, 1, func(v int64) { g.record(a.ts, v, g.location) })
	}
	for name, pool := range map[string]metadata.AttributeSparkMemoryPool{
		"DirectPoolMemory": metadata.AttributeSparkMemoryPoolDirect, "MappedPoolMemory": metadata.AttributeSparkMemoryPoolMapped,
	} {
		whole("ExecutorMetrics."+name, 1, func(v int64) { a.RecordSparkDriverExecutorMemoryPoolDataPoint(a.ts, v, pool) })
	}
	for name, kind := range map[string]metadata.AttributeSparkGcType{
		"Minor": metadata.AttributeSparkGcTypeMinor, "Major": metadata.AttributeSparkGcTypeMajor, "Concurrent": metadata.AttributeSparkGcTypeConcurrent,
	} {
		whole("ExecutorMetrics."+name+"GCCount", 1, func(v int64) { a.RecordSparkDriverExecutorGcOperationsDataPoint(a.ts, v, kind) })
		seconds("ExecutorMetrics."+name+"GCTime", millisecond, func(v float64) { a.RecordSparkDriverExecutorGcTimeDataPoint(a.ts, v, kind) })
	}
}

func (a application) driverCounters(m *spark.DriverMetrics) {
	for name, record := range map[string]func(pcommon.Timestamp, int64){
		"HiveExternalCatalog.fileCacheHits":           a.RecordSparkDriverHiveExternalCatalogFileCacheHitsDataPoint,
		"HiveExternalCatalog.filesDiscovered":         a.RecordSparkDriverHiveExternalCatalogFilesDiscoveredDataPoint,
		"HiveExternalCatalog.hiveClientCalls":         a.RecordSparkDriverHiveExternalCatalogHiveClientCallsDataPoint,
		"HiveExternalCatalog.parallelListingJobCount": a.RecordSparkDriverHiveExternalCatalogParallelListingJobsDataPoint,
		"HiveExternalCatalog.partitionsFetched":       a.RecordSparkDriverHiveExternalCatalogPartitionsFetchedDataPoint,
		"LiveListenerBus.numEventsPosted":             a.RecordSparkDriverLiveListenerBusPostedDataPoint,
	} {
		if v, ok := m.Counters[name]; ok {
			record(a.ts, v)
		}
	}
}

func (a application) codeGenerator(m *spark.DriverMetrics) {
	for _, h := range []struct {
		name   string
		factor float64
		count  func(pcommon.Timestamp, int64)
		mean   func(pcommon.Timestamp, float64)
	}{
		{"compilationTime", time.Millisecond.Seconds(), a.RecordSparkDriverCodeGeneratorCompilationCountDataPoint, a.RecordSparkDriverCodeGeneratorCompilationAverageTimeDataPoint},
		{"generatedClassSize", 1, a.RecordSparkDriverCodeGeneratorGeneratedClassCountDataPoint, a.RecordSparkDriverCodeGeneratorGeneratedClassAverageSizeDataPoint},
		{"generatedMethodSize", 1, a.RecordSparkDriverCodeGeneratorGeneratedMethodCountDataPoint, a.RecordSparkDriverCodeGeneratorGeneratedMethodAverageSizeDataPoint},
		{"sourceCodeSize", 1, a.RecordSparkDriverCodeGeneratorSourceCodeOperationsDataPoint, a.RecordSparkDriverCodeGeneratorSourceCodeAverageSizeDataPoint},
	} {
		d, ok := m.Histograms["CodeGenerator."+h.name]
		if !ok {
			continue
		}
		h.count(a.ts, d.Count)
		if d.Count > 0 && d.Mean.Known() {
			h.mean(a.ts, float64(d.Mean)*h.factor)
		}
	}
}

// maxQueues bounds the queues of the listener bus; Spark has four of its own.
const maxQueues = 20

func (a application) listenerBus(m *spark.DriverMetrics) {
	queues := 0
	for _, name := range slices.Sorted(maps.Keys(m.Gauges)) {
		queue, ok := strings.CutPrefix(name, "LiveListenerBus.queue.")
		queue, isSize := strings.CutSuffix(queue, ".size")
		if !ok || !isSize || queues == maxQueues {
			continue
		}
		queues++
		a.RecordSparkDriverLiveListenerBusQueueSizeDataPoint(a.ts, int64(m.Gauges[name]), queue)
		if dropped, ok := m.Counters["LiveListenerBus.queue."+queue+".numDroppedEvents"]; ok {
			a.RecordSparkApplicationEventDroppedDataPoint(a.ts, dropped, queue)
		}
		if d, ok := m.Timers["LiveListenerBus.queue."+queue+".listenerProcessingTime"]; ok && d.Count > 0 && d.Mean.Known() {
			a.RecordSparkDriverLiveListenerBusProcessingTimeAverageDataPoint(a.ts, float64(d.Mean)*time.Millisecond.Seconds(), queue)
		}
	}
}

func (a application) storage(s *track.Storage) {
	if s == nil {
		return
	}
	a.RecordSparkApplicationStorageRddsDataPoint(a.ts, s.RDDs)
	a.RecordSparkApplicationStoragePartitionsDataPoint(a.ts, s.CachedPartitions, metadata.AttributeSparkStorageStateCached)
	a.RecordSparkApplicationStoragePartitionsDataPoint(a.ts, s.Partitions, metadata.AttributeSparkStorageStateTotal)
	a.RecordSparkApplicationStorageMemoryUsageDataPoint(a.ts, s.Memory)
	a.RecordSparkApplicationStorageDiskUsageDataPoint(a.ts, s.Disk)
}
