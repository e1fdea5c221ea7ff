package emit

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

var stageStates = []struct {
	status    string
	attribute metadata.AttributeSparkStageState
}{
	{spark.StatusActive, metadata.AttributeSparkStageStateActive},
	{spark.StatusComplete, metadata.AttributeSparkStageStateComplete},
	{spark.StatusFailed, metadata.AttributeSparkStageStateFailed},
}

func (a application) stage(app *track.Application, s *track.Stage) {
	id, attempt := int64(s.ID), int64(s.Attempt)
	for _, st := range stageStates {
		a.RecordSparkStageStatusDataPoint(a.ts, toInt(s.Status == st.status), id, attempt, s.Name, st.attribute)
	}
	if d := s.Duration(); d > 0 {
		a.RecordSparkStageDurationDataPoint(a.ts, d.Seconds(), id, attempt, s.Name)
	}
	a.RecordSparkStageRunDurationDataPoint(a.ts, s.Until().Sub(app.Submitted).Seconds(), id, attempt, s.Name)
	a.RecordSparkStageTaskLimitDataPoint(a.ts, app.Slots(s.Until()), id, attempt, s.Name)
	a.RecordSparkStageTasksDataPoint(a.ts, s.Tasks, id, attempt, s.Name)
	a.RecordSparkStageTaskActiveDataPoint(a.ts, s.ActiveTasks, id, attempt, s.Name)
	a.RecordSparkStageTaskResultDataPoint(a.ts, s.CompleteTasks, id, attempt, s.Name, metadata.AttributeSparkTaskResultCompleted)
	a.RecordSparkStageTaskResultDataPoint(a.ts, s.FailedTasks, id, attempt, s.Name, metadata.AttributeSparkTaskResultFailed)
	a.RecordSparkStageTaskResultDataPoint(a.ts, s.KilledTasks, id, attempt, s.Name, metadata.AttributeSparkTaskResultKilled)
	a.RecordSparkStageExecutorRunTimeDataPoint(a.ts, ms(s.ExecutorRunTime), id, attempt, s.Name)
	a.RecordSparkStageExecutorCPUTimeDataPoint(a.ts, ns(s.ExecutorCPUTime), id, attempt, s.Name)
	a.RecordSparkStageExecutorDeserializeTimeDataPoint(a.ts, ms(s.ExecutorDeserializeTime), id, attempt, s.Name)
	a.RecordSparkStageJvmGcTimeDataPoint(a.ts, ms(s.JVMGCTime), id, attempt, s.Name)
	a.RecordSparkStageResultSerializeTimeDataPoint(a.ts, ms(s.ResultSerializationTime), id, attempt, s.Name)
	a.RecordSparkStageResultSizeDataPoint(a.ts, s.ResultSize, id, attempt, s.Name)
	a.RecordSparkStageTaskSpeculativeDataPoint(a.ts, s.Speculation.Tasks, id, attempt, s.Name)
	if first := s.FirstTaskLaunched; !first.IsZero() && !s.SubmissionTime.IsZero() {
		a.RecordSparkStageSchedulingDelayDataPoint(a.ts, max(0, first.Sub(s.SubmissionTime.Time)).Seconds(), id, attempt, s.Name)
	}
	a.RecordSparkStageShuffleBlocksFetchedDataPoint(a.ts, s.ShuffleLocalBlocksFetched, id, attempt, s.Name, metadata.AttributeSourceLocal)
	a.RecordSparkStageShuffleBlocksFetchedDataPoint(a.ts, s.ShuffleRemoteBlocksFetched, id, attempt, s.Name, metadata.AttributeSourceRemote)
	a.RecordSparkStageShuffleIoDiskDataPoint(a.ts, s.ShuffleRemoteBytesToDisk, id, attempt, s.Name)
	a.RecordSparkStageIoSizeDataPoint(a.ts, s.InputBytes, id, attempt, s.Name, metadata.AttributeDirectionIn)
	a.RecordSparkStageIoSizeDataPoint(a.ts, s.OutputBytes, id, attempt, s.Name, metadata.AttributeDirectionOut)
	a.RecordSparkStageIoRecordsDataPoint(a.ts, s.InputRecords, id, attempt, s.Name, metadata.AttributeDirectionIn)
	a.RecordSparkStageIoRecordsDataPoint(a.ts, s.OutputRecords, id, attempt, s.Name, metadata.AttributeDirectionOut)
	a.RecordSparkStageShuffleIoReadSizeDataPoint(a.ts, s.ShuffleLocalBytesRead, id, attempt, s.Name, metadata.AttributeSourceLocal)
	a.RecordSparkStageShuffleIoReadSizeDataPoint(a.ts, s.ShuffleRemoteBytesRead, id, attempt, s.Name, metadata.AttributeSourceRemote)
	a.RecordSparkStageShuffleIoWriteSizeDataPoint(a.ts, s.ShuffleWriteBytes, id, attempt, s.Name)
	a.RecordSparkStageShuffleIoRecordsDataPoint(a.ts, s.ShuffleReadRecords, id, attempt, s.Name, metadata.AttributeDirectionIn)
	a.RecordSparkStageShuffleIoRecordsDataPoint(a.ts, s.ShuffleWriteRecords, id, attempt, s.Name, metadata.AttributeDirectionOut)
	a.RecordSparkStageShuffleFetchWaitTimeDataPoint(a.ts, ms(s.ShuffleFetchWaitTime), id, attempt, s.Name)
	a.RecordSparkStageShuffleWriteTimeDataPoint(a.ts, ns(s.ShuffleWriteTime), id, attempt, s.Name)
	a.RecordSparkStageMemorySpilledDataPoint(a.ts, s.MemoryBytesSpilled, id, attempt, s.Name)
	a.RecordSparkStageDiskSpilledDataPoint(a.ts, s.DiskBytesSpilled, id, attempt, s.Name)
	a.RecordSparkStageMemoryPeakDataPoint(a.ts, s.PeakExecutionMemory, id, attempt, s.Name)
	a.quantiles(s)
	if t := s.Longest; t != nil {
		a.RecordSparkStageTaskRunningDurationDataPoint(a.ts, t.Duration.Seconds(), id, attempt, s.Name)
		a.RecordSparkStageTaskRunningSizeDataPoint(a.ts, t.BytesRead, id, attempt, s.Name)
		a.RecordSparkStageTaskRunningMemorySpilledDataPoint(a.ts, t.MemorySpilled, id, attempt, s.Name)
	}
}

var quantileNames = map[rest.Float]metadata.AttributeSparkTaskQuantile{
	0:    metadata.AttributeSparkTaskQuantileMin,
	0.25: metadata.AttributeSparkTaskQuantileP25,
	0.5:  metadata.AttributeSparkTaskQuantileP50,
	0.75: metadata.AttributeSparkTaskQuantileP75,
	0.95: metadata.AttributeSparkTaskQuantileP95,
	1:    metadata.AttributeSparkTaskQuantileMax,
}

type recordFloat func(pcommon.Timestamp, float64, int64, int64, string, metadata.AttributeSparkTaskQuantile)
type recordInt func(pcommon.Timestamp, int64, int64, int64, string, metadata.AttributeSparkTaskQuantile)

func (a application) quantiles(s *track.Stage) {
	d := s.TaskMetrics
	if d == nil {
		return
	}
	times := func(values []rest.Float, record recordFloat) {
		a.eachQuantile(d, values, func(v float64, q metadata.AttributeSparkTaskQuantile) {
			record(a.ts, v*time.Millisecond.Seconds(), int64(s.ID), int64(s.Attempt), s.Name, q)
		})
	}
	counts := func(values []rest.Float, record recordInt) {
		a.eachQuantile(d, values, func(v float64, q metadata.AttributeSparkTaskQuantile) {
			record(a.ts, int64(v), int64(s.ID), int64(s.Attempt), s.Name, q)
		})
	}
	times(d.Duration, a.RecordSparkStageTaskDurationDataPoint)
	times(d.ExecutorDeserializeTime, a.RecordSparkStageTaskDeserializeTimeDataPoint)
	times(d.ExecutorRunTime, a.RecordSparkStageTaskRunTimeDataPoint)
	times(d.JVMGCTime, a.RecordSparkStageTaskJvmGcTimeDataPoint)
	times(d.SchedulerDelay, a.RecordSparkStageTaskSchedulerDelayDataPoint)
	times(d.ShuffleRead.FetchWaitTime, a.RecordSparkStageTaskFetchWaitTimeDataPoint)
	counts(d.Input.Bytes, a.RecordSparkStageTaskInputSizeDataPoint)
	counts(d.Input.Records, a.RecordSparkStageTaskInputRecordsDataPoint)
	counts(d.Output.Bytes, a.RecordSparkStageTaskOutputSizeDataPoint)
	counts(d.ShuffleRead.Bytes, a.RecordSparkStageTaskShuffleReadSizeDataPoint)
	counts(d.ShuffleRead.Records, a.RecordSparkStageTaskShuffleReadRecordsDataPoint)
	counts(d.ShuffleWrite.Bytes, a.RecordSparkStageTaskShuffleWriteSizeDataPoint)
	counts(d.MemoryBytesSpilled, a.RecordSparkStageTaskMemorySpilledDataPoint)
	counts(d.PeakExecutionMem, a.RecordSparkStageTaskMemoryPeakDataPoint)
}

func (application) eachQuantile(d *spark.TaskDistributions, values []rest.Float, record func(float64, metadata.AttributeSparkTaskQuantile)) {
	for i := range min(len(values), len(d.Quantiles)) {
		if name, ok := quantileNames[d.Quantiles[i]]; ok && values[i].Known() {
			record(float64(values[i]), name)
		}
	}
}
