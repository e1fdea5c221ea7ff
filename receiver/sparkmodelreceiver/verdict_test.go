package sparkmodelreceiver_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver"
)

// verdicts are the severities of the flags of stage attempts and SQL executions, by rule.
type verdicts map[string]map[string]int64

func text(name string, from ...pcommon.Map) string {
	for _, attributes := range from {
		if value, ok := attributes.Get(name); ok {
			return value.AsString()
		}
	}
	return ""
}

// subject names the stage attempt or the SQL execution that attributes are of.
func subject(attributes, resource pcommon.Map) string {
	return fmt.Sprintf("%s (%s) stage %s.%s SQL %s", text("spark.application.id", resource), text("spark.application.name", resource),
		text("spark.stage.id", attributes), text("spark.stage.attempt.id", attributes), text("spark.sql.execution.id", attributes))
}

// ofMetrics returns what is flagged of each stage and execution in the poll that brings its last figures.
func ofMetrics(all []pmetric.Metrics) verdicts {
	last := verdicts{}
	for _, md := range all {
		for _, rm := range md.ResourceMetrics().All() {
			resource := rm.Resource().Attributes()
			each := func(metric string, do func(pmetric.NumberDataPoint)) {
				for _, sm := range rm.ScopeMetrics().All() {
					for _, m := range sm.Metrics().All() {
						if m.Name() == metric {
							for _, point := range m.Gauge().DataPoints().All() {
								do(point)
							}
						}
					}
				}
			}
			for _, metric := range []string{"spark.stage.duration", "spark.sql.duration"} {
				each(metric, func(p pmetric.NumberDataPoint) {
					if !p.Flags().NoRecordedValue() {
						last[subject(p.Attributes(), resource)] = map[string]int64{}
					}
				})
			}
			each("anomaly.severity", func(p pmetric.NumberDataPoint) {
				if flags := last[subject(p.Attributes(), resource)]; flags != nil && p.IntValue() > 0 {
					flags[text("anomaly.rule", p.Attributes())] = p.IntValue()
				}
			})
		}
	}
	return last
}

func ofSpans(all []ptrace.Traces) verdicts {
	found := verdicts{}
	for _, td := range all {
		for _, rs := range td.ResourceSpans().All() {
			for _, span := range rs.ScopeSpans().At(0).Spans().All() {
				if span.Name() != "spark.stage" && span.Name() != "spark.sql" {
					continue
				}
				flags := map[string]int64{}
				for _, event := range span.Events().All() {
					if event.Name() == "anomaly" {
						severity, _ := event.Attributes().Get("anomaly.severity")
						flags[text("anomaly.rule", event.Attributes())] = severity.Int()
					}
				}
				found[subject(span.Attributes(), rs.Resource().Attributes())] = flags
			}
		}
	}
	return found
}

// The span of a stage or a query tells the same bottlenecks as its metrics do.
func TestMetricsAndSpansGetTheSameVerdict(t *testing.T) {
	names, err := filepath.Glob(filepath.Join("..", "..", "testdata", "recordings", "*.har.zst"))
	require.NoError(t, err)
	require.NotEmpty(t, names)
	flagged := 0
	for _, name := range names {
		name = strings.TrimSuffix(filepath.Base(name), ".har.zst")
		t.Run(name, func(t *testing.T) {
			factory := anomalyprocessor.NewFactory()
			settings := processortest.NewNopSettings(factory.Type())
			var metrics consumertest.MetricsSink
			var traces consumertest.TracesSink
			onMetrics, err := factory.CreateMetrics(t.Context(), settings, factory.CreateDefaultConfig(), &metrics)
			require.NoError(t, err)
			onSpans, err := factory.CreateTraces(t.Context(), settings, factory.CreateDefaultConfig(), &traces)
			require.NoError(t, err)
			require.NoError(t, onMetrics.Start(t.Context(), componenttest.NewNopHost()))
			require.NoError(t, onSpans.Start(t.Context(), componenttest.NewNopHost()))
			sparkmodelreceiver.Replay(t, name, onMetrics, onSpans)
			require.NoError(t, onMetrics.Shutdown(t.Context()))
			require.NoError(t, onSpans.Shutdown(t.Context()))

			want, got := ofMetrics(metrics.AllMetrics()), ofSpans(traces.AllTraces())
			for name, flags := range got {
				if want[name] == nil {
					assert.Empty(t, flags, "%s was too short for metrics", name)
				}
			}
			for name, flags := range want {
				assert.Equal(t, flags, got[name], name)
				flagged += len(flags)
			}
		})
	}
	assert.NotZero(t, flagged)
}
