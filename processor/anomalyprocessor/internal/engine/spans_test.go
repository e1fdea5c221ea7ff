package engine

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/rule"
)

const onSpans = `
late:
  description: A stage is late.
  threshold_source: made up
  entity: [spark.stage.id]
  inputs:
    longest: {metric: run_time, where: {quantile: max}}
    read: {metric: read, without: {source: disk}}
    set: {metric: setting, where: {name: spark.x}, default: 0}
    queue: {metric: queue, match: {a: b}, default: -1}
  value: longest
  impact: longest
  gate: "true"
  spends: skew
  levels: {low: 10, severe: 100}
  reason: "{{.longest}} {{.read}} {{.set}} {{.queue}} {{attribute \"app\"}}"
  advice: Hurry.
later:
  description: A stage is late, too.
  threshold_source: made up
  entity: [spark.stage.id]
  inputs: {longest: {metric: run_time, where: {quantile: max}}}
  value: longest
  gate: "true"
  levels: {critical: 10}
  caused_by: [late]
  reason: r
  advice: a
long:
  description: An application is long.
  threshold_source: made up
  inputs: {run: {metric: spark.application.duration}}
  value: run
  impact: run
  gate: "true"
  for: 20s
  levels: {low: 10}
  reason: r
  advice: a
`

func newSpans(t *testing.T, applications int) *Spans {
	definitions, err := rule.Parse("test.yaml", []byte(onSpans))
	require.NoError(t, err)
	var rules []*rule.Rule
	for _, definition := range definitions {
		r, err := rule.Compile(definition)
		require.NoError(t, err)
		rules = append(rules, r)
	}
	telemetry, err := metadata.NewTelemetryBuilder(componenttest.NewNopTelemetrySettings())
	require.NoError(t, err)
	return NewSpans(rules, applications, telemetry)
}

// addSpan adds a span of 30 s to a resource.
func addSpan(to ptrace.ResourceSpans, name string, attributes map[string]any) ptrace.Span {
	span := to.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetName(name)
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(time.Unix(100, 0)))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(time.Unix(130, 0)))
	if err := span.Attributes().FromRaw(attributes); err != nil {
		panic(err)
	}
	return span
}

func TestSpans(t *testing.T) {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("app", "a")
	rs.Resource().Attributes().PutDouble("setting.spark.x", 7)
	stage := addSpan(rs, "spark.stage", map[string]any{"spark.stage.id": 1, "run_time.max": 20.5, "read.local": 1, "read.remote": 2, "read.disk": 4})
	healthy := addSpan(rs, "spark.stage", map[string]any{"spark.stage.id": 2, "run_time.max": 2, "read.local": 1})
	unknown := addSpan(rs, "spark.stage", map[string]any{"spark.stage.id": 3, "run_time.max": 20})
	other := addSpan(rs, "GET /", map[string]any{"run_time.max": 200, "read.local": 1, "spark.application.duration": 200})
	before := []map[string]any{healthy.Attributes().AsRaw(), other.Attributes().AsRaw()}

	newSpans(t, 10).Judge(context.Background(), td)

	want := map[string]any{
		"anomaly.rule": "late", "anomaly.severity": int64(1), "anomaly.impact": 20.5, "anomaly.reason": "20.5 3 7 -1 a", "anomaly.advice": "Hurry.",
	}
	for name, value := range want {
		got, ok := stage.Attributes().Get(name)
		require.True(t, ok, name)
		assert.Equal(t, value, got.AsRaw(), "the cause comes before what it causes, however severe")
	}
	require.Equal(t, 2, stage.Events().Len())
	assert.Equal(t, "anomaly", stage.Events().At(0).Name())
	assert.Equal(t, stage.EndTimestamp(), stage.Events().At(0).Timestamp())
	want["spark.stage.id"] = int64(1) // what is flagged
	assert.Equal(t, want, stage.Events().At(0).Attributes().AsRaw())
	assert.Equal(t, map[string]any{
		"anomaly.rule": "later", "anomaly.severity": int64(4), "anomaly.reason": "r", "anomaly.advice": "a", "anomaly.cause": "late", "spark.stage.id": int64(1),
	}, stage.Events().At(1).Attributes().AsRaw())

	assert.Equal(t, before, []map[string]any{healthy.Attributes().AsRaw(), other.Attributes().AsRaw()})
	assert.Zero(t, healthy.Events().Len()+other.Events().Len())
	assert.Equal(t, 1, unknown.Events().Len(), "the rule whose inputs are there")
}

func TestSpansOfApplications(t *testing.T) {
	spans := newSpans(t, 2)
	resource := func(td ptrace.Traces, id string) ptrace.ResourceSpans {
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("spark.application.id", id)
		return rs
	}
	for i := range 3 {
		td := ptrace.NewTraces()
		addSpan(resource(td, fmt.Sprint(i)), "spark.stage", map[string]any{"spark.stage.id": 1, "run_time.max": 20, "read.local": 1})
		spans.Judge(context.Background(), td)
	}
	root := func(id string) ptrace.Span {
		attributes := map[string]any{"spark.application.duration": 100.0}
		for i, seconds := range map[int]float64{starting: 10, driver: 20, waiting: 0, working: 70, computing: 90, idle: 90, collecting: 0, writing: 0,
			fetching: 0, deserializing: 0, serializing: 0, scheduling: 0, wasted: 0, executors: 2, coresOfExecutor: 1} {
			attributes[summaryInputs[i].SpanAttribute()] = seconds
		}
		td := ptrace.NewTraces()
		span := addSpan(resource(td, id), "spark.application", attributes)
		spans.Judge(context.Background(), td)
		return span
	}
	skew := func(span ptrace.Span) float64 {
		value, ok := span.Attributes().Get("anomaly.time.skew")
		require.True(t, ok)
		return value.Double()
	}
	assert.Zero(t, skew(root("0")), "what was first is forgotten first")
	last := root("2")
	assert.Equal(t, 20.0, skew(last))
	assert.Equal(t, 1, last.Events().Len(), "judged as an application")
	assert.Zero(t, skew(root("2")), "told once")
	assert.Len(t, spans.spent.spent, 1)
	assert.Equal(t, 1, spans.spent.first.Len())
}
