package track

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
)

func node(name string, metrics ...string) spark.PlanNode {
	n := spark.PlanNode{Name: name}
	for i := 0; i < len(metrics); i += 2 {
		n.Metrics = append(n.Metrics, spark.PlanMetric{Name: metrics[i], Value: metrics[i+1]})
	}
	return n
}

// Hand-made from the names and values of real plans (Spark 4.3.0), so that one plan has everything.
func TestReadPlan(t *testing.T) {
	const total = "total (min, med, max (stageId: taskId))\n"
	got := readPlan([]spark.PlanNode{
		node("Scan parquet ", "number of files read", "40", "size of files read", "1619.0 KiB", "number of output rows", "200,000"),
		node("Scan csv ", "number of files read", "2", "number of output rows", "5"),
		node("InMemoryTableScan", "number of output rows", "9,999"),
		node("BroadcastExchange", "data size", "1024.0 KiB", "number of output rows", "10", "time to collect", "1 ms"),
		node("BroadcastExchange", "data size", "2.0 MiB", "number of output rows", "3,000", "time to collect", "300 ms", "time to build", "20 ms", "time to broadcast", "1.5 s"),
		node("Exchange", "data size", total+"608.0 MiB (152.0 MiB, 152.0 MiB, 152.0 MiB (stage 102.0: task 153))"),
		node("BroadcastNestedLoopJoin", "number of output rows", "4,500,000"),
		node("CartesianProduct", "number of output rows", "17"),
		node("Sort", "spill size", total+"896.0 MiB (224.0 MiB, 224.0 MiB, 224.0 MiB (stage 3.0: task 17))"),
		node("HashAggregate", "spill size", "0.0 B", "number of output rows", "7"),
		node("AQEShuffleRead", "number of partitions", "4", "number of coalesced partitions", "3"),
		node("Execute InsertIntoHadoopFsRelationCommand", "number of written files", "4", "written output", "1.0 MiB", "number of output rows", "400,000"),
		node("WholeStageCodegen (1)", "duration", total+"1.9 s (429 ms, 480 ms, 519 ms (stage 102.0: task 154))"),
	})
	assert.Equal(t, map[string]float64{
		PlanScanFiles: 42, PlanScanSize: 1619 << 10, PlanScanRecords: 200_005,
		PlanBroadcastSize: 2 << 20, PlanBroadcastRecords: 3000, PlanBroadcastTime: 1.82,
		PlanJoinRecords: 4_500_000, PlanSpillSize: 896 << 20, PlanCoalesced: 3,
		PlanWriteFiles: 4, PlanWriteSize: 1 << 20, PlanWriteRecords: 400_000,
	}, got)
	assert.Empty(t, readPlan(nil))
}
