package flag

import (
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// OnlyMetrics returns a copy of what FromMetrics reads. The rest need not wait in a queue.
func OnlyMetrics(metrics pmetric.Metrics) pmetric.Metrics {
	only := pmetric.NewMetrics()
	for _, from := range metrics.ResourceMetrics().All() {
		var to pmetric.MetricSlice
		begun := false
		for _, scopeMetrics := range from.ScopeMetrics().All() {
			for _, metric := range scopeMetrics.Metrics().All() {
				if !relevant(metric) {
					continue
				}
				if !begun {
					resource := only.ResourceMetrics().AppendEmpty()
					from.Resource().CopyTo(resource.Resource())
					to = resource.ScopeMetrics().AppendEmpty().Metrics()
					begun = true
				}
				metric.CopyTo(to.AppendEmpty())
			}
		}
	}
	return only
}

// OnlyTraces returns a copy of what FromTraces reads.
func OnlyTraces(traces ptrace.Traces) ptrace.Traces {
	only := ptrace.NewTraces()
	for _, from := range traces.ResourceSpans().All() {
		var to ptrace.SpanSlice
		begun := false
		for _, scopeSpans := range from.ScopeSpans().All() {
			for _, span := range scopeSpans.Spans().All() {
				var copied ptrace.Span
				copying := false
				for _, event := range span.Events().All() {
					if _, flagged := event.Attributes().Get(ruleName); !flagged {
						continue
					}
					if !begun {
						resource := only.ResourceSpans().AppendEmpty()
						from.Resource().CopyTo(resource.Resource())
						to = resource.ScopeSpans().AppendEmpty().Spans()
						begun = true
					}
					if !copying {
						copied = to.AppendEmpty()
						copied.SetTraceID(span.TraceID())
						copying = true
					}
					event.CopyTo(copied.Events().AppendEmpty())
				}
			}
		}
	}
	return only
}

// OnlyLogs returns a copy of what FromLogs reads.
func OnlyLogs(logs plog.Logs) plog.Logs {
	only := plog.NewLogs()
	for _, from := range logs.ResourceLogs().All() {
		var to plog.LogRecordSlice
		begun := false
		for _, scopeLogs := range from.ScopeLogs().All() {
			for _, record := range scopeLogs.LogRecords().All() {
				if !isFlag(record) && !isEvent(record) {
					continue
				}
				if !begun {
					resource := only.ResourceLogs().AppendEmpty()
					from.Resource().CopyTo(resource.Resource())
					to = resource.ScopeLogs().AppendEmpty().LogRecords()
					begun = true
				}
				record.CopyTo(to.AppendEmpty())
			}
		}
	}
	return only
}
