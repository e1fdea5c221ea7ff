package track

import (
	"strings"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
)

// Figures of a SQL execution's plan, named as the metrics are: sizes in bytes, times in seconds.
const (
	PlanScanFiles        = "spark.sql.scan.files"
	PlanScanSize         = "spark.sql.scan.size"
	PlanScanRecords      = "spark.sql.scan.records"
	PlanWriteFiles       = "spark.sql.write.files"
	PlanWriteSize        = "spark.sql.write.size"
	PlanWriteRecords     = "spark.sql.write.records"
	PlanBroadcastSize    = "spark.sql.broadcast.size"
	PlanBroadcastRecords = "spark.sql.broadcast.records"
	PlanBroadcastTime    = "spark.sql.broadcast.time"
	PlanSpillSize        = "spark.sql.spill.size"
	PlanJoinRecords      = "spark.sql.join.records"
	PlanCoalesced        = "spark.sql.partitions.coalesced"
)

// outputRows is what most nodes call the rows that they gave (SQLMetrics, 3.5 and 4.x).
const outputRows = "number of output rows"

// summed are the figures that add up over a plan's nodes: of those whose names begin with one of the prefixes, or of all
// nodes that have the metric.
var summed = []struct {
	figure, metric string
	nodes          []string
}{
	{PlanScanFiles, "number of files read", nil},
	{PlanScanSize, "size of files read", nil},
	{PlanScanRecords, outputRows, []string{"Scan ", "BatchScan", "MicroBatchScan"}},
	{PlanWriteFiles, "number of written files", nil},
	{PlanWriteSize, "written output", nil},
	{PlanWriteRecords, outputRows, []string{"Execute Insert", "Execute CreateDataSourceTableAsSelect", "AppendData", "Overwrite", "ReplaceData", "WriteToDataSourceV2"}},
	{PlanSpillSize, "spill size", nil},
	{PlanCoalesced, "number of coalesced partitions", nil},
}

// readPlan returns the figures that the nodes of a plan tell.
func readPlan(nodes []spark.PlanNode) map[string]float64 {
	figures := map[string]float64{}
	for i := range nodes {
		n := &nodes[i]
		for _, s := range summed {
			if v, ok := n.Metric(s.metric); ok && (s.nodes == nil || hasPrefix(n.Name, s.nodes...)) {
				figures[s.figure] += v
			}
		}
		if rows, ok := n.Metric(outputRows); ok && hasPrefix(n.Name, "BroadcastNestedLoopJoin", "CartesianProduct") {
			figures[PlanJoinRecords] = max(figures[PlanJoinRecords], rows)
		}
		broadcast(figures, n)
	}
	return figures
}

// broadcast keeps the figures of the largest broadcast.
func broadcast(figures map[string]float64, n *spark.PlanNode) {
	size, ok := n.Metric("data size")
	if before, seen := figures[PlanBroadcastSize]; !ok || n.Name != "BroadcastExchange" || seen && size <= before {
		return
	}
	figures[PlanBroadcastSize] = size
	figures[PlanBroadcastRecords], _ = n.Metric(outputRows)
	figures[PlanBroadcastTime] = 0
	for _, step := range []string{"time to collect", "time to build", "time to broadcast"} {
		took, _ := n.Metric(step)
		figures[PlanBroadcastTime] += took
	}
}

func hasPrefix(name string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// ObservePlan records an execution that was read with its plan.
func (a *Application) ObservePlan(e *Execution, full *spark.Execution) {
	e.Plan = readPlan(full.Nodes)
	e.Detailed = e.Ended()
}
