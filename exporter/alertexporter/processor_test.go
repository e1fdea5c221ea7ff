package alertexporter

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/xpdata/entity"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor"
)

// slowStage flags a stage by metrics while it runs, and by its span when it has ended.
const slowStage = `
slow_stage:
  description: A stage takes long.
  threshold_source: made up
  entity: [spark.stage.id]
  inputs: {duration: {metric: spark.stage.duration}}
  value: duration
  impact: duration
  gate: "true"
  levels: {low: 10}
  reason: Stage {{attribute "spark.stage.id"}} takes long.
  advice: Make it shorter.
`

// application describes the resource as the receiver does; version is known only later.
func application(r pcommon.Resource, version string) {
	for name, value := range map[string]string{
		"spark.cluster.name": "prod", "spark.application.id": "application_1_0001", "spark.application.attempt.id": "1",
	} {
		r.Attributes().PutStr(name, value)
	}
	if version != "" {
		r.Attributes().PutStr("spark.version", version)
	}
	ref := entity.ResourceEntityRefs(r).AppendEmpty()
	ref.SetType("spark.application")
	ref.IdKeys().FromRaw([]string{"spark.cluster.name", "spark.application.id", "spark.application.attempt.id"})
}

// What the anomaly processor says of a stage by metrics and by its span is one alert for each stage.
func TestProcessorsMetricsAndSpansAreOneAlert(t *testing.T) {
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(rules, []byte(slowStage), 0o600))
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		p := newPeople(t)
		r := run(t, notifyConfig(webhookConfig), p, nil, settings())
		factory := anomalyprocessor.NewFactory()
		cfg := factory.CreateDefaultConfig()
		require.NoError(t, confmap.NewFromStringMap(map[string]any{"rules": map[string]any{"files": []any{rules}}}).Unmarshal(cfg))
		set := processortest.NewNopSettings(factory.Type())
		metrics, err := factory.CreateMetrics(ctx, set, cfg, r.metrics)
		require.NoError(t, err)
		traces, err := factory.CreateTraces(ctx, set, cfg, r.traces)
		require.NoError(t, err)
		for _, c := range []component.Component{metrics, traces} {
			require.NoError(t, c.Start(ctx, componenttest.NewNopHost()))
			defer func() { require.NoError(t, c.Shutdown(ctx)) }()
		}

		md := pmetric.NewMetrics()
		rm := md.ResourceMetrics().AppendEmpty()
		application(rm.Resource(), "")
		duration := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		duration.SetName("spark.stage.duration")
		points := duration.SetEmptyGauge().DataPoints()
		td := ptrace.NewTraces()
		rs := td.ResourceSpans().AppendEmpty()
		application(rs.Resource(), "4.0.1")
		spans := rs.ScopeSpans().AppendEmpty().Spans()
		now := time.Now()
		for stage := range int64(2) {
			point := points.AppendEmpty()
			point.SetTimestamp(pcommon.NewTimestampFromTime(now))
			point.SetDoubleValue(60)
			point.Attributes().PutInt("spark.stage.id", stage)
			span := spans.AppendEmpty()
			span.SetName("spark.stage")
			span.SetTraceID(pcommon.TraceID{1, 2, 3})
			span.SetStartTimestamp(pcommon.NewTimestampFromTime(now.Add(-time.Minute)))
			span.SetEndTimestamp(pcommon.NewTimestampFromTime(now))
			span.Attributes().PutInt("spark.stage.id", stage)
			span.Attributes().PutDouble("spark.stage.duration", 60)
		}
		require.NoError(t, metrics.ConsumeMetrics(ctx, md))
		time.Sleep(time.Second)
		require.NoError(t, traces.ConsumeTraces(ctx, td))
		time.Sleep(time.Minute)

		told := p.told()
		require.Len(t, told, 1)
		require.Len(t, told[0].Alerts, 2, "one for each stage")
		for _, a := range told[0].Alerts {
			assert.Equal(t, "slow_stage", a.Labels["alertname"])
			assert.Equal(t, "01020300000000000000000000000000", a.Annotations["trace_id"], "the span has joined the flag of the metrics")
			assert.NotContains(t, a.Labels, "spark_version", "labels are those of the beginning")
		}
		assert.NotEqual(t, told[0].Alerts[0].Labels["spark_stage_id"], told[0].Alerts[1].Labels["spark_stage_id"])
	})
}
