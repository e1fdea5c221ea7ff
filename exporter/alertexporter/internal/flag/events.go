package flag

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// FromTraces returns what the events of spans say that name a rule. All other events are passed over.
func FromTraces(traces ptrace.Traces) []Observation {
	var observations []Observation
	for _, resourceSpans := range traces.ResourceSpans().All() {
		var from *source
		for _, scopeSpans := range resourceSpans.ScopeSpans().All() {
			for _, span := range scopeSpans.Spans().All() {
				for _, event := range span.Events().All() {
					if _, flagged := event.Attributes().Get(ruleName); !flagged {
						continue
					}
					if from == nil {
						from = newSource(resourceSpans.Resource())
					}
					if o, ok := flagged(from, event.Attributes(), event.Timestamp(), span.TraceID()); ok {
						observations = append(observations, o)
					}
				}
			}
		}
	}
	return observations
}

// FromLogs returns what log records say that name a rule, and events of severity WARN and above: an event is a flag
// with its name as the rule. All other records are passed over.
func FromLogs(logs plog.Logs) []Observation {
	var observations []Observation
	for _, resourceLogs := range logs.ResourceLogs().All() {
		var from *source
		for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
			for _, record := range scopeLogs.LogRecords().All() {
				if !isFlag(record) && !isEvent(record) {
					continue
				}
				if from == nil {
					from = newSource(resourceLogs.Resource())
				}
				at := record.Timestamp()
				if at == 0 {
					at = record.ObservedTimestamp()
				}
				if !isFlag(record) {
					observations = append(observations, event(from, record, at))
				} else if o, ok := flagged(from, record.Attributes(), at, record.TraceID()); ok {
					observations = append(observations, o)
				}
			}
		}
	}
	return observations
}

func isFlag(record plog.LogRecord) bool {
	_, found := record.Attributes().Get(ruleName)
	return found
}

func isEvent(record plog.LogRecord) bool {
	return record.EventName() != "" && eventSeverity(record.SeverityNumber()) != None
}

// flagged reads an event with the attributes of a flag. Without a rule or a severity it is none.
func flagged(from *source, attributes pcommon.Map, at pcommon.Timestamp, trace pcommon.TraceID) (Observation, bool) {
	rule, _ := attributes.Get(ruleName)
	severity, found := attributes.Get(severityName)
	if !found || rule.AsString() == "" {
		return Observation{}, false
	}
	o := newObservation(from, rule.AsString(), attributes, anyAttribute)
	o.At = timeOf(at)
	o.Judged, o.Severity = true, severityOf(number(severity))
	o.TraceID = traceID(trace)
	return o, true
}

// event reads an event that is not a flag of the anomaly processor. Its attributes hold details beside the identity,
// which is therefore taken from ids and names alone.
func event(from *source, record plog.LogRecord, at pcommon.Timestamp) Observation {
	o := newObservation(from, record.EventName(), record.Attributes(), func(name string) bool {
		return strings.HasSuffix(name, ".id") || strings.HasSuffix(name, ".name")
	})
	o.At = timeOf(at)
	o.Judged, o.Severity = true, eventSeverity(record.SeverityNumber())
	o.TraceID = traceID(record.TraceID())
	if o.Reason == "" {
		o.Reason = record.Body().AsString()
	}
	return o
}

func eventSeverity(number plog.SeverityNumber) Severity {
	switch {
	case number >= plog.SeverityNumberFatal:
		return Critical
	case number >= plog.SeverityNumberError:
		return Severe
	case number >= plog.SeverityNumberWarn:
		return Moderate
	}
	return None
}

func traceID(id pcommon.TraceID) string {
	if id.IsEmpty() {
		return ""
	}
	return id.String()
}
