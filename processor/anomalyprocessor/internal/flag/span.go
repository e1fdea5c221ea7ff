package flag

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/rule"
)

// EventName is the name of the span event that a flag is.
const EventName = "anomaly"

// Finding is what a rule found in a span.
type Finding struct {
	Rule string
	// Entity names the attributes of the span that identify what is flagged, as they do on a flag's data points.
	Entity         []string
	Verdict        rule.Verdict
	Reason, Advice string
	// Cause is the rule whose flag is the cause of this one, or empty.
	Cause string
}

// Put adds the finding to a span: as an event at its end, and, where it is the worst one, as attributes too.
func (f *Finding) Put(span ptrace.Span, worst bool) {
	event := span.Events().AppendEmpty()
	event.SetName(EventName)
	event.SetTimestamp(span.EndTimestamp())
	for _, name := range f.Entity {
		if value, found := span.Attributes().Get(name); found {
			value.CopyTo(event.Attributes().PutEmpty(name))
		}
	}
	f.put(event.Attributes())
	if worst {
		f.put(span.Attributes())
	}
}

func (f *Finding) put(a pcommon.Map) {
	a.PutStr(RuleAttribute, f.Rule)
	a.PutInt(SeverityMetric, int64(f.Verdict.Severity))
	if !math.IsNaN(f.Verdict.Impact) {
		a.PutDouble(ImpactMetric, f.Verdict.Impact)
	}
	a.PutStr(ReasonAttribute, f.Reason)
	a.PutStr(AdviceAttribute, f.Advice)
	if f.Cause != "" {
		a.PutStr(CauseAttribute, f.Cause)
	}
}
