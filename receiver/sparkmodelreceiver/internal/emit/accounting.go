package emit

import (
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

var startupPhases = map[track.Phase]metadata.AttributeSparkStartupPhase{
	track.PhaseQueue:    metadata.AttributeSparkStartupPhaseQueue,
	track.PhaseDriver:   metadata.AttributeSparkStartupPhaseDriver,
	track.PhaseExecutor: metadata.AttributeSparkStartupPhaseExecutor,
	track.PhaseJob:      metadata.AttributeSparkStartupPhaseJob,
	track.PhaseTask:     metadata.AttributeSparkStartupPhaseTask,
}

func (a application) startup(app *track.Application) {
	for _, p := range app.Startup() {
		a.RecordSparkApplicationStartupDurationDataPoint(a.ts, p.Duration.Seconds(), startupPhases[p.Phase])
	}
}

var wallActivities = map[int]metadata.AttributeSparkWallActivity{
	track.WallStarting: metadata.AttributeSparkWallActivityStarting,
	track.WallDriver:   metadata.AttributeSparkWallActivityDriver,
	track.WallWaiting:  metadata.AttributeSparkWallActivityWaiting,
	track.WallWorking:  metadata.AttributeSparkWallActivityWorking,
}

var coreActivities = map[int]metadata.AttributeSparkCoreActivity{
	track.CoreComputing:     metadata.AttributeSparkCoreActivityComputing,
	track.CoreGC:            metadata.AttributeSparkCoreActivityGc,
	track.CoreShuffleWrite:  metadata.AttributeSparkCoreActivityShuffleWrite,
	track.CoreFetchWait:     metadata.AttributeSparkCoreActivityFetchWait,
	track.CoreDeserializing: metadata.AttributeSparkCoreActivityDeserializing,
	track.CoreSerializing:   metadata.AttributeSparkCoreActivitySerializing,
	track.CoreScheduling:    metadata.AttributeSparkCoreActivityScheduling,
	track.CoreWasted:        metadata.AttributeSparkCoreActivityWasted,
	track.CoreIdle:          metadata.AttributeSparkCoreActivityIdle,
}

// accounting records what time and cores were spent on.
func (a application) accounting(app *track.Application) {
	if wall, ok := app.WallTime(); ok {
		for activity, d := range wall {
			a.RecordSparkApplicationWallTimeDataPoint(a.ts, d.Seconds(), wallActivities[activity])
		}
	}
	if cores, ok := app.CoreTime(); ok {
		for activity, v := range cores {
			a.RecordSparkApplicationCoreTimeDataPoint(a.ts, ms(v), coreActivities[activity])
		}
	}
	if records := app.Totals().InputRecords; records > 0 {
		a.RecordSparkApplicationModelRunRecordsDataPoint(a.ts, records)
		if d := app.Duration(); d > 0 {
			a.RecordSparkApplicationModelRunRecordTimeDataPoint(a.ts, d.Seconds()/float64(records))
		}
	}
	jobs, stages := app.Evicted()
	a.RecordSparkApplicationEvictedDataPoint(a.ts, jobs, metadata.AttributeSparkEvictedKindJob)
	a.RecordSparkApplicationEvictedDataPoint(a.ts, stages, metadata.AttributeSparkEvictedKindStage)
}
