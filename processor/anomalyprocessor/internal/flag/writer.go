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
	CauseAttribute  = "anomaly.cause"

	TimeMetric        = "anomaly.time"
	ActivityAttribute = "anomaly.activity"
)

// Writer appends the points of flags to one resource. Without flags it leaves the resource as it is.
type Writer struct {
	resource   pmetric.ResourceMetrics
	scope      pmetric.ScopeMetrics
	begun      bool
	flagging   bool
	times      *pmetric.NumberDataPointSlice
	severities pmetric.NumberDataPointSlice
	impacts    pmetric.NumberDataPointSlice
}

// NewWriter returns a writer into the resource.
func NewWriter(resource pmetric.ResourceMetrics) *Writer {
	return &Writer{resource: resource}
}

func (w *Writer) severity(f *Flag, at pcommon.Timestamp, severity rule.Severity) {
	w.flags()
	point := newPoint(w.severities, f, at)
	point.SetIntValue(int64(severity))
	point.Attributes().PutStr(ReasonAttribute, f.reason)
	point.Attributes().PutStr(AdviceAttribute, f.advice)
	if f.cause != "" {
		point.Attributes().PutStr(CauseAttribute, f.cause)
	}
}

// Time writes how much time of an application went into an activity, in seconds.
func (w *Writer) Time(at pcommon.Timestamp, activity string, seconds float64) {
	w.begin()
	if w.times == nil {
		m := w.scope.Metrics().AppendEmpty()
		m.SetName(TimeMetric)
		m.SetDescription("Time of the application's run so far, by what it went into; all activities add up to the run.")
		m.SetUnit("s")
		points := m.SetEmptyGauge().DataPoints()
		w.times = &points
	}
	point := w.times.AppendEmpty()
	point.SetTimestamp(at)
	point.SetDoubleValue(seconds)
	point.Attributes().PutStr(ActivityAttribute, activity)
}

// impact writes nothing for a rule that does not tell the impact.
func (w *Writer) impact(f *Flag, at pcommon.Timestamp, seconds float64) {
	if math.IsNaN(f.impact) {
		return
	}
	w.flags()
	newPoint(w.impacts, f, at).SetDoubleValue(seconds)
}

// begin adds our scope to the resource.
func (w *Writer) begin() {
	if w.begun {
		return
	}
	w.begun = true
	w.scope = w.resource.ScopeMetrics().AppendEmpty()
	w.scope.Scope().SetName(metadata.ScopeName)
}

// flags adds the metrics of flags.
func (w *Writer) flags() {
	if w.flagging {
		return
	}
	w.flagging = true
	w.begin()
	severity := w.scope.Metrics().AppendEmpty()
	severity.SetName(SeverityMetric)
	severity.SetDescription("Severity of the flagged bottleneck: 1 low, 2 moderate, 3 severe, 4 critical, and 0 once when it is over.")
	severity.SetUnit("1")
	w.severities = severity.SetEmptyGauge().DataPoints()
	impact := w.scope.Metrics().AppendEmpty()
	impact.SetName(ImpactMetric)
	impact.SetDescription("Time that the flagged bottleneck has cost so far.")
	impact.SetUnit("s")
	w.impacts = impact.SetEmptyGauge().DataPoints()
}

func newPoint(points pmetric.NumberDataPointSlice, f *Flag, at pcommon.Timestamp) pmetric.NumberDataPoint {
	point := points.AppendEmpty()
	point.SetTimestamp(at)
	f.Entity.CopyTo(point.Attributes())
	point.Attributes().PutStr(RuleAttribute, f.Rule)
	return point
}
