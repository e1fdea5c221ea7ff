package spark

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// PlanNode is a node of the plan of a SQL execution.
type PlanNode struct {
	Name    string       `json:"nodeName"`
	Metrics []PlanMetric `json:"metrics"`
}

// PlanMetric is a metric of a node, in words.
type PlanMetric struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Metric returns the value of the metric with a name: sizes in bytes, times in seconds. A metric that is a sum over
// tasks has the sum.
func (n *PlanNode) Metric(name string) (float64, bool) {
	for i := range n.Metrics {
		if n.Metrics[i].Name == name {
			return ParseMetric(n.Metrics[i].Value)
		}
	}
	return 0, false
}

// metricUnits are the units that Spark writes behind a number (Utils.bytesToString and msDurationToString).
var metricUnits = map[string]float64{
	"":  1,
	"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40, "PiB": 1 << 50, "EiB": 1 << 60,
	"ms": time.Millisecond.Seconds(), "s": 1, "m": time.Minute.Seconds(), "h": time.Hour.Seconds(),
}

// ParseMetric reads the value of a plan's metric: "1,234", "12.3 MiB", "19 ms", or the sum that is told before what the
// tasks had at least, at the median and at most: "total (min, med, max (stageId: taskId))\n186 ms (87 ms, …)". An average
// over tasks, which has no sum, is not read.
func ParseMetric(text string) (float64, bool) {
	if heading, sum, found := strings.Cut(text, "\n"); found {
		if !strings.HasPrefix(heading, "total") {
			return 0, false
		}
		text, _, _ = strings.Cut(sum, " (")
	}
	digits, name, _ := strings.Cut(strings.TrimSpace(text), " ")
	unit, ok := metricUnits[name]
	if !ok {
		return 0, false
	}
	v, err := strconv.ParseFloat(strings.ReplaceAll(digits, ",", ""), 64)
	if err != nil || v < 0 || math.IsNaN(v) || v*unit > 1<<62 {
		return 0, false
	}
	return v * unit, true
}
