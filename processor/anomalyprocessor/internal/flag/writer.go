package flag

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/rule"
)

// Names of what is emitted.
const (
	SeverityMetric  = "anomaly.severity"
	ImpactMetric    = "anomaly.impact"
	RuleAttribute   = "anomaly.rule"
	ReasonAttribute = "anomaly.reason"
	AdviceAttribute = "anomaly.advice"
)

// Writer appends the points of flags to one resource. Without flags it leaves the resource as it is.
type Writer struct {
	resource   pmetric.ResourceMetrics
	begun      bool
	severities pmetric.NumberDataPointSlice
	impacts    pmetric.NumberDataPointSlice
}

// NewWriter returns a writer into the resource.
func NewWriter(resource pmetric.ResourceMetrics) *Writer {
	return &Writer{resource: resource}
}

func (w *Writer) severity(f *Flag, at pcommon.Timestamp, severity rule.Severity) {
	w.begin()
	point := newPoint(w.severities, f, at)
	point.SetIntValue(int64(severity))
	point.Attributes().PutStr(ReasonAttribute, f.reason)
	point.Attributes().PutStr(AdviceAttribute, f.advice)
}

// impact writes nothing for a rule that does not tell the impact.
func (w *Writer) impact(f *Flag, at pcommon.Timestamp, seconds float64) {
	if math.IsNaN(f.impact) {
		return
	}
	w.begin()
	newPoint(w.impacts, f, at).SetDoubleValue(seconds)
}

// begin adds our scope and metrics to the resource.
func (w *Writer) begin() {
	if w.begun {
		return
	}
	w.begun = true
	scope := w.resource.ScopeMetrics().AppendEmpty()
	scope.Scope().SetName(metadata.ScopeName)
	severity := scope.Metrics().AppendEmpty()
	severity.SetName(SeverityMetric)
	severity.SetDescription("Severity of the flagged bottleneck: 1 low, 2 moderate, 3 severe, 4 critical, and 0 once when it is over.")
	severity.SetUnit("1")
	impact := scope.Metrics().AppendEmpty()
	impact.SetName(ImpactMetric)
	impact.SetDescription("Time that the flagged bottleneck has cost so far.")
	impact.SetUnit("s")
	w.severities = severity.SetEmptyGauge().DataPoints()
	w.impacts = impact.SetEmptyGauge().DataPoints()
}

func newPoint(points pmetric.NumberDataPointSlice, f *Flag, at pcommon.Timestamp) pmetric.NumberDataPoint {
	point := points.AppendEmpty()
	point.SetTimestamp(at)
	f.Entity.CopyTo(point.Attributes())
	point.Attributes().PutStr(RuleAttribute, f.Rule)
	return point
}
