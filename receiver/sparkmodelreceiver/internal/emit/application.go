package emit

import (
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

// Application adds what is known of an application. Where its Spark UI was not read in this poll, only what YARN tells
// is added. When its description has changed, its series end under the old one, so that no sum counts them twice.
func (b *Builder) Application(app *track.Application, readUI bool) {
	if before, changed := app.Redescribed(); changed {
		b.record(app, before, readUI)
		b.collectStale()
	}
	b.record(app, app.Description, readUI)
	b.collect(startTimes(app))
}

func (b *Builder) record(app *track.Application, d track.Description, readUI bool) {
	e := metadata.NewSparkApplicationEntity(b.cluster, app.ID, app.Attempt)
	e.SetServiceName(d.Model.Name)
	e.SetSparkApplicationName(d.Name)
	e.SetSparkModelName(d.Model.Name)
	e.SetSparkModelVersion(d.Model.Version)
	e.SetSparkUserName(d.User)
	e.SetSparkVersion(d.SparkVersion)
	e.SetYarnQueueName(d.Queue)
	a := application{SparkApplicationMetricsBuilder: b.mb.ForSparkApplication(e), ts: b.ts}

	a.state(app)
	a.allocation(app.Allocation)
	if readUI || app.State == track.Submitted || app.State == track.Accepted {
		a.startup(app)
	}
	if readUI {
		a.settings(app.Settings)
		a.totals(app)
		a.accounting(app)
		a.sqlTotals(app)
		a.driver(app)
		a.storage(app.Storage())
		a.queries(app)
		a.dstreams(app.DStreams())
		a.results(app)
		a.executors(app)
		for _, s := range app.EndedStages(b.minStageDuration, b.maxStages) {
			a.stage(app, s)
		}
		if !app.State.Ended() {
			for _, s := range app.LongActiveStages(b.minStageDuration, b.maxStages) {
				a.stage(app, s)
			}
			for _, e := range app.LongActiveExecutions(b.minStageDuration, b.maxStages) {
				a.execution(app, e)
			}
		}
		for _, e := range app.EndedExecutions(b.minStageDuration, b.maxStages) {
			a.execution(app, e)
		}
	}
	a.Emit()
}

// application records the figures of one application.
type application struct {
	*metadata.SparkApplicationMetricsBuilder
	ts pcommon.Timestamp
}

var applicationStates = []struct {
	state     track.State
	attribute metadata.AttributeSparkApplicationState
}{
	{track.Submitted, metadata.AttributeSparkApplicationStateSubmitted},
	{track.Accepted, metadata.AttributeSparkApplicationStateAccepted},
	{track.Running, metadata.AttributeSparkApplicationStateRunning},
	{track.Succeeded, metadata.AttributeSparkApplicationStateSucceeded},
	{track.Failed, metadata.AttributeSparkApplicationStateFailed},
	{track.Killed, metadata.AttributeSparkApplicationStateKilled},
	{track.Lost, metadata.AttributeSparkApplicationStateLost},
}

func (a application) state(app *track.Application) {
	for _, s := range applicationStates {
		a.RecordSparkApplicationStatusDataPoint(a.ts, toInt(app.State == s.state), s.attribute)
	}
	if d := app.Duration(); d > 0 {
		a.RecordSparkApplicationDurationDataPoint(a.ts, d.Seconds())
	}
}

func (a application) allocation(yarn *track.Allocation) {
	if yarn == nil {
		return
	}
	a.RecordYarnApplicationWaitDurationDataPoint(a.ts, yarn.Wait.Seconds())
	a.RecordYarnApplicationMemoryTimeDataPoint(a.ts, yarn.MemoryTime)
	a.RecordYarnApplicationVcoreTimeDataPoint(a.ts, yarn.VCoreTime)
	a.RecordYarnApplicationPreemptedDataPoint(a.ts, yarn.Preempted)
	a.RecordYarnApplicationPreemptedMemoryTimeDataPoint(a.ts, yarn.PreemptedMemoryTime)
	a.RecordYarnApplicationPreemptedVcoreTimeDataPoint(a.ts, yarn.PreemptedVCoreTime)
	if held := yarn.Held; held != nil {
		a.RecordYarnApplicationMemoryUsageDataPoint(a.ts, held.Memory)
		a.RecordYarnApplicationVcoreUsageDataPoint(a.ts, held.VCores)
		a.RecordYarnApplicationContainerActiveDataPoint(a.ts, held.Containers)
		a.RecordYarnApplicationReservedMemoryDataPoint(a.ts, held.ReservedMemory)
		a.RecordYarnApplicationReservedVcoreDataPoint(a.ts, held.ReservedVCores)
		a.RecordYarnApplicationPriorityDataPoint(a.ts, held.Priority)
		for _, s := range []struct {
			share  float64
			record func(pcommon.Timestamp, float64)
		}{
			{held.QueueShare, a.RecordYarnApplicationShareQueueDataPoint},
			{held.ClusterShare, a.RecordYarnApplicationShareClusterDataPoint},
			{held.Progress, a.RecordYarnApplicationProgressDataPoint},
		} {
			if s.share >= 0 {
				s.record(a.ts, s.share)
			}
		}
	}
}

func (a application) settings(settings map[string]float64) {
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		a.RecordSparkApplicationSettingDataPoint(a.ts, settings[name], name)
	}
}

func (a application) totals(app *track.Application) {
	t := app.Totals()
	a.RecordSparkApplicationJobResultDataPoint(a.ts, t.JobsSucceeded, metadata.AttributeSparkJobResultSucceeded)
	a.RecordSparkApplicationJobResultDataPoint(a.ts, t.JobsFailed, metadata.AttributeSparkJobResultFailed)
	a.RecordSparkApplicationTaskSkippedDataPoint(a.ts, t.TasksSkipped)
	a.RecordSparkApplicationTaskSpeculativeDataPoint(a.ts, t.TasksSpeculative)
	a.RecordSparkApplicationStageResultDataPoint(a.ts, t.StagesCompleted, metadata.AttributeSparkStageResultCompleted)
	a.RecordSparkApplicationStageResultDataPoint(a.ts, t.StagesFailed, metadata.AttributeSparkStageResultFailed)
	a.RecordSparkApplicationStageResultDataPoint(a.ts, t.StagesSkipped, metadata.AttributeSparkStageResultSkipped)
	a.RecordSparkApplicationTaskResultDataPoint(a.ts, t.TasksCompleted, metadata.AttributeSparkTaskResultCompleted)
	a.RecordSparkApplicationTaskResultDataPoint(a.ts, t.TasksFailed, metadata.AttributeSparkTaskResultFailed)
	a.RecordSparkApplicationTaskResultDataPoint(a.ts, t.TasksKilled, metadata.AttributeSparkTaskResultKilled)
	a.RecordSparkApplicationExecutorRunTimeDataPoint(a.ts, ms(t.RunTime))
	a.RecordSparkApplicationExecutorCPUTimeDataPoint(a.ts, ns(t.CPUTime))
	a.RecordSparkApplicationJvmGcTimeDataPoint(a.ts, ms(t.GCTime))
	a.RecordSparkApplicationIoSizeDataPoint(a.ts, t.InputBytes, metadata.AttributeDirectionIn)
	a.RecordSparkApplicationIoSizeDataPoint(a.ts, t.OutputBytes, metadata.AttributeDirectionOut)
	a.RecordSparkApplicationIoRecordsDataPoint(a.ts, t.InputRecords, metadata.AttributeDirectionIn)
	a.RecordSparkApplicationIoRecordsDataPoint(a.ts, t.OutputRecords, metadata.AttributeDirectionOut)
	a.RecordSparkApplicationShuffleIoSizeDataPoint(a.ts, t.ShuffleReadBytes, metadata.AttributeDirectionIn)
	a.RecordSparkApplicationShuffleIoSizeDataPoint(a.ts, t.ShuffleWriteBytes, metadata.AttributeDirectionOut)
	a.RecordSparkApplicationShuffleIoRecordsDataPoint(a.ts, t.ShuffleReadRecords, metadata.AttributeDirectionIn)
	a.RecordSparkApplicationShuffleIoRecordsDataPoint(a.ts, t.ShuffleWriteRecords, metadata.AttributeDirectionOut)
	a.RecordSparkApplicationShuffleFetchWaitTimeDataPoint(a.ts, ms(t.FetchWaitTime))
	a.RecordSparkApplicationSpillSizeDataPoint(a.ts, t.MemorySpilled, metadata.AttributeLocationMemory)
	a.RecordSparkApplicationSpillSizeDataPoint(a.ts, t.DiskSpilled, metadata.AttributeLocationDisk)

	var jobs, stages, tasks int64
	if !app.State.Ended() {
		jobs, stages, tasks = app.ActiveJobs(), int64(len(app.ActiveStages())), app.ActiveTasks()
	}
	a.RecordSparkApplicationJobActiveDataPoint(a.ts, jobs)
	a.RecordSparkApplicationStageActiveDataPoint(a.ts, stages)
	a.RecordSparkApplicationTaskActiveDataPoint(a.ts, tasks)
}

var lossReasons = []struct {
	reason    track.LossReason
	attribute metadata.AttributeSparkExecutorLossReason
}{
	{track.LossIdle, metadata.AttributeSparkExecutorLossReasonIdle},
	{track.LossDecommissioned, metadata.AttributeSparkExecutorLossReasonDecommissioned},
	{track.LossPreempted, metadata.AttributeSparkExecutorLossReasonPreempted},
	{track.LossMemory, metadata.AttributeSparkExecutorLossReasonMemory},
	{track.LossNode, metadata.AttributeSparkExecutorLossReasonNode},
	{track.LossHeartbeat, metadata.AttributeSparkExecutorLossReasonHeartbeat},
	{track.LossExit, metadata.AttributeSparkExecutorLossReasonExit},
	{track.LossOther, metadata.AttributeSparkExecutorLossReasonOther},
}

func (a application) executors(app *track.Application) {
	var alive, cores int64
	for _, e := range app.Executors() {
		a.executor(e)
		if e.ID != spark.DriverID && !app.State.Ended() {
			alive++
			cores += e.TotalCores
		}
	}
	a.RecordSparkApplicationExecutorActiveDataPoint(a.ts, alive)
	a.RecordSparkApplicationExecutorPeakDataPoint(a.ts, app.PeakExecutors())
	a.RecordSparkApplicationCoreLimitDataPoint(a.ts, cores)
	lost := app.LostExecutors()
	for _, l := range lossReasons {
		a.RecordSparkApplicationExecutorLostDataPoint(a.ts, lost[l.reason], l.attribute)
	}
}

func (a application) executor(e *spark.Executor) {
	a.RecordSparkExecutorCoreLimitDataPoint(a.ts, e.TotalCores, e.ID)
	a.RecordSparkExecutorTaskLimitDataPoint(a.ts, e.MaxTasks, e.ID)
	a.RecordSparkExecutorTaskActiveDataPoint(a.ts, e.ActiveTasks, e.ID)
	a.RecordSparkExecutorTaskResultDataPoint(a.ts, e.CompletedTasks, e.ID, metadata.AttributeSparkTaskResultCompleted)
	a.RecordSparkExecutorTaskResultDataPoint(a.ts, e.FailedTasks, e.ID, metadata.AttributeSparkTaskResultFailed)
	if e.ID != spark.DriverID {
		// The driver's "duration" is the age of the application.
		a.RecordSparkExecutorTimeDataPoint(a.ts, ms(e.TotalDuration), e.ID)
	}
	a.RecordSparkExecutorGcTimeDataPoint(a.ts, ms(e.TotalGCTime), e.ID)
	a.RecordSparkExecutorInputSizeDataPoint(a.ts, e.TotalInput, e.ID)
	a.RecordSparkExecutorShuffleIoSizeDataPoint(a.ts, e.ShuffleRead, e.ID, metadata.AttributeDirectionIn)
	a.RecordSparkExecutorShuffleIoSizeDataPoint(a.ts, e.ShuffleWrite, e.ID, metadata.AttributeDirectionOut)
	a.RecordSparkExecutorMemoryUsageDataPoint(a.ts, e.MemoryUsed, e.ID)
	a.RecordSparkExecutorMemoryLimitDataPoint(a.ts, e.MaxMemory, e.ID)
	a.RecordSparkExecutorDiskUsageDataPoint(a.ts, e.DiskUsed, e.ID)
	a.RecordSparkExecutorRddBlocksDataPoint(a.ts, e.RDDBlocks, e.ID)
	a.RecordSparkExecutorExcludedDataPoint(a.ts, toInt(e.Excluded), e.ID)
	if m := e.Memory; m != nil {
		a.RecordSparkExecutorStorageMemoryUsageDataPoint(a.ts, m.OnHeapUsed, e.ID, onHeap)
		a.RecordSparkExecutorStorageMemoryUsageDataPoint(a.ts, m.OffHeapUsed, e.ID, offHeap)
		a.RecordSparkExecutorStorageMemoryLimitDataPoint(a.ts, m.OnHeap, e.ID, onHeap)
		a.RecordSparkExecutorStorageMemoryLimitDataPoint(a.ts, m.OffHeap, e.ID, offHeap)
	}
	a.peakMemory(e)
	a.collections(e)
}

func (a application) peakMemory(e *spark.Executor) {
	if e.PeakMemory == nil {
		return
	}
	for _, p := range []struct {
		bytes int64
		kind  metadata.AttributeSparkMemoryType
	}{
		{e.PeakMemory.JVMHeap, metadata.AttributeSparkMemoryTypeJvmHeap},
		{e.PeakMemory.JVMOffHeap, metadata.AttributeSparkMemoryTypeJvmOffHeap},
		{e.PeakMemory.OnHeapExecution, metadata.AttributeSparkMemoryTypeOnHeapExecution},
		{e.PeakMemory.OffHeapExecution, metadata.AttributeSparkMemoryTypeOffHeapExecution},
		{e.PeakMemory.OnHeapStorage, metadata.AttributeSparkMemoryTypeOnHeapStorage},
		{e.PeakMemory.OffHeapStorage, metadata.AttributeSparkMemoryTypeOffHeapStorage},
		{e.PeakMemory.DirectPool, metadata.AttributeSparkMemoryTypeDirectPool},
		{e.PeakMemory.MappedPool, metadata.AttributeSparkMemoryTypeMappedPool},
		{e.PeakMemory.OnHeapUnified, metadata.AttributeSparkMemoryTypeOnHeapUnified},
		{e.PeakMemory.OffHeapUnified, metadata.AttributeSparkMemoryTypeOffHeapUnified},
		{e.PeakMemory.ProcessTreeJVMVirtual, metadata.AttributeSparkMemoryTypeProcessTreeJvmVirtual},
		{e.PeakMemory.ProcessTreePythonVirtual, metadata.AttributeSparkMemoryTypeProcessTreePythonVirtual},
		{e.PeakMemory.ProcessTreeOther, metadata.AttributeSparkMemoryTypeProcessTreeOtherRss},
		{e.PeakMemory.ProcessTreeOtherVirtual, metadata.AttributeSparkMemoryTypeProcessTreeOtherVirtual},
		{e.PeakMemory.ProcessTreeJVM, metadata.AttributeSparkMemoryTypeProcessTreeJvmRss},
		{e.PeakMemory.ProcessTreePython, metadata.AttributeSparkMemoryTypeProcessTreePythonRss},
	} {
		if p.bytes > 0 {
			a.RecordSparkExecutorMemoryPeakDataPoint(a.ts, p.bytes, e.ID, p.kind)
		}
	}
}

// collections records garbage collections, once they were sampled.
func (a application) collections(e *spark.Executor) {
	p := e.PeakMemory
	if p == nil || p.JVMHeap == 0 {
		return
	}
	for _, c := range []struct {
		count, time int64
		kind        metadata.AttributeSparkGcType
	}{
		{p.MinorGCCount, p.MinorGCTime, metadata.AttributeSparkGcTypeMinor},
		{p.MajorGCCount, p.MajorGCTime, metadata.AttributeSparkGcTypeMajor},
		{p.ConcurrentGCCount, p.ConcurrentGCTime, metadata.AttributeSparkGcTypeConcurrent},
	} {
		a.RecordSparkExecutorGcCountDataPoint(a.ts, c.count, e.ID, c.kind)
		a.RecordSparkExecutorGcDurationDataPoint(a.ts, ms(c.time), e.ID, c.kind)
	}
}

func toInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func ms(v int64) float64 { return time.Duration(v * int64(time.Millisecond)).Seconds() }
func ns(v int64) float64 { return time.Duration(v).Seconds() }
