package emit

import (
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

// queryGauges is where the driver's metrics show structured streaming queries (MetricsReporter): the name of the query,
// which may have dots, and that of the figure follow.
const queryGauges = "spark.streaming."

// queries records structured streaming queries: their gauges, which are there where spark.sql.streaming.metricsEnabled is
// set, and their micro-batches.
func (a application) queries(app *track.Application) {
	if m := app.DriverMetrics(); m != nil {
		for _, name := range slices.Sorted(maps.Keys(m.Gauges)) {
			if path, ok := strings.CutPrefix(name, queryGauges); ok {
				if dot := strings.LastIndexByte(path, '.'); dot > 0 {
					a.query(path[:dot], path[dot+1:], m.Gauges[name], app.Now)
				}
			}
		}
	}
	batches := app.Queries()
	for _, name := range slices.Sorted(maps.Keys(batches)) {
		a.RecordSparkStreamingQueryBatchesDataPoint(a.ts, batches[name].Batches, name)
		a.RecordSparkStreamingQueryBatchDurationDataPoint(a.ts, batches[name].Last.Seconds(), name)
	}
}

func (a application) query(name, figure string, v float64, now time.Time) {
	result := func(figure string) {
		a.RecordSparkModelResultDataPoint(a.ts, v, name+"."+figure, metadata.AttributeSparkModelResultSourceStreaming)
	}
	switch figure {
	case "inputRate-total":
		a.RecordSparkStreamingQueryInputRateDataPoint(a.ts, v, name)
		result("input_rate")
	case "processingRate-total":
		a.RecordSparkStreamingQueryProcessingRateDataPoint(a.ts, v, name)
		result("processing_rate")
	case "latency":
		a.RecordSparkStreamingQueryLatencyDataPoint(a.ts, v*time.Millisecond.Seconds(), name)
	case "eventTime-watermark":
		if v > 0 {
			a.RecordSparkStreamingQueryWatermarkDelayDataPoint(a.ts, now.Sub(time.UnixMilli(int64(v))).Seconds(), name)
		}
	case "states-rowsTotal":
		a.RecordSparkStreamingQueryStateRowsDataPoint(a.ts, int64(v), name)
	case "states-usedBytes":
		a.RecordSparkStreamingQueryStateMemoryDataPoint(a.ts, int64(v), name)
	}
}

func (a application) dstreams(s *spark.DStreams) {
	if s == nil {
		return
	}
	a.RecordSparkDstreamBatchDurationDataPoint(a.ts, ms(s.BatchDuration))
	for _, t := range []struct {
		mean   *rest.Float
		factor float64
		record func(pcommon.Timestamp, float64)
	}{
		{s.ProcessingTime, time.Millisecond.Seconds(), a.RecordSparkDstreamBatchProcessingTimeDataPoint},
		{s.SchedulingDelay, time.Millisecond.Seconds(), a.RecordSparkDstreamBatchSchedulingDelayDataPoint},
		{s.TotalDelay, time.Millisecond.Seconds(), a.RecordSparkDstreamBatchTotalDelayDataPoint},
		{s.InputRate, 1, a.RecordSparkDstreamInputRateDataPoint},
	} {
		if t.mean != nil && t.mean.Known() {
			t.record(a.ts, float64(*t.mean)*t.factor)
		}
	}
	a.RecordSparkDstreamBatchesDataPoint(a.ts, s.ActiveBatches, metadata.AttributeSparkDstreamBatchStateActive)
	a.RecordSparkDstreamBatchesDataPoint(a.ts, s.CompletedBatches, metadata.AttributeSparkDstreamBatchStateCompleted)
	a.RecordSparkDstreamBatchesDataPoint(a.ts, s.RetainedBatches, metadata.AttributeSparkDstreamBatchStateRetained)
	a.RecordSparkDstreamReceiversDataPoint(a.ts, s.ActiveReceivers, metadata.AttributeSparkDstreamReceiverStateActive)
	a.RecordSparkDstreamReceiversDataPoint(a.ts, s.InactiveReceivers, metadata.AttributeSparkDstreamReceiverStateInactive)
	a.RecordSparkDstreamRecordsDataPoint(a.ts, s.ReceivedRecords, metadata.AttributeSparkDstreamRecordStateReceived)
	a.RecordSparkDstreamRecordsDataPoint(a.ts, s.ProcessedRecords, metadata.AttributeSparkDstreamRecordStateProcessed)
}

var resultSources = map[track.ResultSource]metadata.AttributeSparkModelResultSource{
	track.ResultAccumulator: metadata.AttributeSparkModelResultSourceAccumulator,
	track.ResultGauge:       metadata.AttributeSparkModelResultSourceGauge,
	track.ResultDescription: metadata.AttributeSparkModelResultSourceDescription,
}

// results records what the model returned; the rates of streaming queries are recorded with the queries.
func (a application) results(app *track.Application) {
	for _, r := range app.Results() {
		a.RecordSparkModelResultDataPoint(a.ts, r.Value, r.Name, resultSources[r.Source])
	}
	t := app.Totals()
	if t.InputRecords > 0 {
		a.RecordSparkModelResultDataPoint(a.ts, float64(t.InputRecords), "rows_in", metadata.AttributeSparkModelResultSourceRows)
	}
	if t.OutputRecords > 0 {
		a.RecordSparkModelResultDataPoint(a.ts, float64(t.OutputRecords), "rows_out", metadata.AttributeSparkModelResultSourceRows)
	}
}
