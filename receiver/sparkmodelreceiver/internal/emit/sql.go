package emit

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

func (a application) sqlTotals(app *track.Application) {
	completed, failed, ok := app.CountedExecutions()
	if !ok {
		return
	}
	a.RecordSparkApplicationSQLActiveDataPoint(a.ts, int64(len(app.ActiveExecutions())))
	a.RecordSparkApplicationSQLResultDataPoint(a.ts, completed, metadata.AttributeSparkSQLResultCompleted)
	a.RecordSparkApplicationSQLResultDataPoint(a.ts, failed, metadata.AttributeSparkSQLResultFailed)
}

var executionStates = []struct {
	status    string
	attribute metadata.AttributeSparkSQLState
}{
	{spark.StatusRunning, metadata.AttributeSparkSQLStateRunning},
	{spark.StatusCompleted, metadata.AttributeSparkSQLStateCompleted},
	{spark.StatusFailed, metadata.AttributeSparkSQLStateFailed},
}

// execution records the figures of one SQL execution.
func (a application) execution(app *track.Application, e *track.Execution) {
	id, description := int64(e.ID), describe(e)
	for _, s := range executionStates {
		a.RecordSparkSQLStatusDataPoint(a.ts, toInt(e.Status == s.status), id, description, s.attribute)
	}
	if d := e.DurationAt(app.Now); d > 0 {
		a.RecordSparkSQLDurationDataPoint(a.ts, d.Seconds(), id, description)
		a.RecordSparkSQLRunDurationDataPoint(a.ts, e.SubmissionTime.Add(d).Sub(app.Submitted).Seconds(), id, description)
	}
	for _, f := range []struct {
		name   string
		record func(pcommon.Timestamp, int64, int64, string)
	}{
		{track.PlanScanFiles, a.RecordSparkSQLScanFilesDataPoint},
		{track.PlanScanSize, a.RecordSparkSQLScanSizeDataPoint},
		{track.PlanScanRecords, a.RecordSparkSQLScanRecordsDataPoint},
		{track.PlanWriteFiles, a.RecordSparkSQLWriteFilesDataPoint},
		{track.PlanWriteSize, a.RecordSparkSQLWriteSizeDataPoint},
		{track.PlanWriteRecords, a.RecordSparkSQLWriteRecordsDataPoint},
		{track.PlanBroadcastSize, a.RecordSparkSQLBroadcastSizeDataPoint},
		{track.PlanBroadcastRecords, a.RecordSparkSQLBroadcastRecordsDataPoint},
		{track.PlanSpillSize, a.RecordSparkSQLSpillSizeDataPoint},
		{track.PlanJoinRecords, a.RecordSparkSQLJoinRecordsDataPoint},
		{track.PlanCoalesced, a.RecordSparkSQLPartitionsCoalescedDataPoint},
	} {
		if v, ok := e.Plan[f.name]; ok {
			f.record(a.ts, int64(v), id, description)
		}
	}
	if v, ok := e.Plan[track.PlanBroadcastTime]; ok {
		a.RecordSparkSQLBroadcastTimeDataPoint(a.ts, v, id, description)
	}
}

// describe returns the first line of an execution's description: for a micro-batch, the name of its query.
func describe(e *track.Execution) string {
	line, _, _ := strings.Cut(e.Description, "\n")
	return cut(line, maxText)
}
