package emit

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/mapreduce"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
)

// MapReduceJob is what was read of a MapReduce job.
type MapReduceJob struct {
	mapreduce.Job
	Counters []mapreduce.Counter
	// Maps and Reduces are empty while the tasks were not read.
	Maps, Reduces mapreduce.Summary
}

// MapReduce adds a MapReduce job.
func (b *Builder) MapReduce(job *MapReduceJob) {
	e := metadata.NewMapreduceJobEntity(job.ID)
	e.SetMapreduceJobName(job.Name)
	j := mapReduceJob{MapreduceJobMetricsBuilder: b.mb.ForMapreduceJob(e), ts: b.ts}
	j.state(&job.Job)
	j.tasks(&job.Job)
	j.attempts(&job.Job)
	for _, c := range job.Counters {
		j.counter(&c)
	}
	j.summary(job.Maps, metadata.AttributeMapreduceTaskTypeMap)
	j.summary(job.Reduces, metadata.AttributeMapreduceTaskTypeReduce)
	j.Emit()

	// mdatagen lets no two entities share an attribute.
	rb := metadata.NewResourceBuilder(b.resourceAttributes)
	rb.SetServiceName(job.Name)
	rb.SetSparkClusterName(b.cluster)
	rb.SetSparkUserName(job.User)
	rb.SetYarnQueueName(job.Queue)
	b.collect(starts{resource: startOf(&job.Job)}, rb.Emit().Attributes())
}

func startOf(job *mapreduce.Job) pcommon.Timestamp {
	if job.StartTime <= 0 {
		return 0
	}
	return pcommon.NewTimestampFromTime(time.UnixMilli(job.StartTime))
}

type mapReduceJob struct {
	*metadata.MapreduceJobMetricsBuilder
	ts pcommon.Timestamp
}

func (j mapReduceJob) state(job *mapreduce.Job) {
	for state := metadata.AttributeMapreduceJobStateNew; state <= metadata.AttributeMapreduceJobStateError; state++ {
		j.RecordMapreduceJobStatusDataPoint(j.ts, toInt(strings.EqualFold(job.State, state.String())), state)
	}
	elapsed := job.ElapsedTime
	if job.FinishTime > 0 && job.StartTime > 0 {
		elapsed = job.FinishTime - job.StartTime
	}
	if elapsed > 0 {
		j.RecordMapreduceJobDurationDataPoint(j.ts, float64(elapsed)/1e3)
	}
	if job.SubmitTime > 0 && job.StartTime >= job.SubmitTime {
		j.RecordMapreduceJobWaitDurationDataPoint(j.ts, float64(job.StartTime-job.SubmitTime)/1e3)
	}
	for _, p := range []struct {
		milliseconds *int64
		phase        metadata.AttributeMapreduceTaskPhase
	}{
		{job.AvgMapTime, metadata.AttributeMapreduceTaskPhaseMap},
		{job.AvgShuffleTime, metadata.AttributeMapreduceTaskPhaseShuffle},
		{job.AvgMergeTime, metadata.AttributeMapreduceTaskPhaseMerge},
		{job.AvgReduceTime, metadata.AttributeMapreduceTaskPhaseReduce},
	} {
		if p.milliseconds != nil && *p.milliseconds >= 0 {
			j.RecordMapreduceJobAttemptDurationDataPoint(j.ts, float64(*p.milliseconds)/1e3, p.phase)
		}
	}
}

func (j mapReduceJob) tasks(job *mapreduce.Job) {
	maps, reduces := metadata.AttributeMapreduceTaskTypeMap, metadata.AttributeMapreduceTaskTypeReduce
	if job.MapProgress != nil && job.MapProgress.Known() {
		j.RecordMapreduceJobProgressDataPoint(j.ts, float64(*job.MapProgress)/100, maps)
	}
	if job.ReduceProgress != nil && job.ReduceProgress.Known() {
		j.RecordMapreduceJobProgressDataPoint(j.ts, float64(*job.ReduceProgress)/100, reduces)
	}
	for _, t := range []struct {
		count *int64
		of    metadata.AttributeMapreduceTaskType
	}{{job.MapsTotal, maps}, {job.ReducesTotal, reduces}} {
		if t.count != nil {
			j.RecordMapreduceJobTaskPlannedDataPoint(j.ts, *t.count, t.of)
		}
	}
	pending, running, completed := metadata.AttributeMapreduceTaskStatePending, metadata.AttributeMapreduceTaskStateRunning, metadata.AttributeMapreduceTaskStateCompleted
	for _, t := range []struct {
		count *int64
		of    metadata.AttributeMapreduceTaskType
		state metadata.AttributeMapreduceTaskState
	}{
		{job.MapsPending, maps, pending}, {job.MapsRunning, maps, running}, {job.MapsCompleted, maps, completed},
		{job.ReducesPending, reduces, pending}, {job.ReducesRunning, reduces, running}, {job.ReducesCompleted, reduces, completed},
	} {
		if t.count != nil {
			j.RecordMapreduceJobTasksDataPoint(j.ts, *t.count, t.of, t.state)
		}
	}
}

func (j mapReduceJob) attempts(job *mapreduce.Job) {
	maps, reduces := metadata.AttributeMapreduceTaskTypeMap, metadata.AttributeMapreduceTaskTypeReduce
	for _, a := range []struct {
		count *int64
		of    metadata.AttributeMapreduceTaskType
		state metadata.AttributeMapreduceAttemptState
	}{
		{job.NewMapAttempts, maps, metadata.AttributeMapreduceAttemptStateNew},
		{job.RunningMapAttempts, maps, metadata.AttributeMapreduceAttemptStateRunning},
		{job.FailedMapAttempts, maps, metadata.AttributeMapreduceAttemptStateFailed},
		{job.KilledMapAttempts, maps, metadata.AttributeMapreduceAttemptStateKilled},
		{job.SuccessfulMapAttempts, maps, metadata.AttributeMapreduceAttemptStateSuccessful},
		{job.NewReduceAttempts, reduces, metadata.AttributeMapreduceAttemptStateNew},
		{job.RunningReduceAttempts, reduces, metadata.AttributeMapreduceAttemptStateRunning},
		{job.FailedReduceAttempts, reduces, metadata.AttributeMapreduceAttemptStateFailed},
		{job.KilledReduceAttempts, reduces, metadata.AttributeMapreduceAttemptStateKilled},
		{job.SuccessfulReduceAttempts, reduces, metadata.AttributeMapreduceAttemptStateSuccessful},
	} {
		if a.count != nil {
			j.RecordMapreduceJobAttemptsDataPoint(j.ts, *a.count, a.of, a.state)
		}
	}
}

// counter records a counter: its parts only where they are what the total is made of.
func (j mapReduceJob) counter(c *mapreduce.Counter) {
	j.RecordMapreduceJobCounterDataPoint(j.ts, c.Total, c.Group, c.Name, metadata.AttributeMapreduceCounterScopeTotal)
	if c.Map != 0 || c.Reduce != 0 || c.Total == 0 && c.Group != "JobCounter" {
		j.RecordMapreduceJobCounterDataPoint(j.ts, c.Map, c.Group, c.Name, metadata.AttributeMapreduceCounterScopeMap)
		j.RecordMapreduceJobCounterDataPoint(j.ts, c.Reduce, c.Group, c.Name, metadata.AttributeMapreduceCounterScopeReduce)
	}
}

func (j mapReduceJob) summary(s mapreduce.Summary, of metadata.AttributeMapreduceTaskType) {
	record := func(q *mapreduce.Quantiles, into func(pcommon.Timestamp, float64, metadata.AttributeMapreduceTaskType, metadata.AttributeMapreduceTaskQuantile)) {
		if q == nil {
			return
		}
		for i, v := range q {
			into(j.ts, v, of, metadata.AttributeMapreduceTaskQuantileMin+metadata.AttributeMapreduceTaskQuantile(i))
		}
	}
	record(s.Durations, j.RecordMapreduceJobTaskDurationDataPoint)
	record(s.Running, j.RecordMapreduceJobTaskRunningDurationDataPoint)
	record(s.Progress, j.RecordMapreduceJobTaskProgressDataPoint)
}
