package anomalyprocessor

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/polltest"
)

// BenchmarkConsumeMetrics measures points of 20 healthy applications that pass, with the built-in rules.
func BenchmarkConsumeMetrics(b *testing.B) {
	for _, test := range []struct {
		name string
		poll func() pmetric.Metrics
	}{
		{"one in ten matches", func() pmetric.Metrics {
			p := polltest.At(0)
			for app := range 20 {
				r := p.Resource([]string{"spark.application.id"}, "spark.application.id", app, "spark.application.name", "churn")
				r.Point("spark.application.duration", 600.0)
				for i := range 100 {
					r.Point("spark.stage.task.run_time", 1.0, "spark.stage.id", i/2, "spark.stage.attempt.id", 0,
						"spark.stage.name", "join at train.py:42", "spark.task.quantile", []string{"p50", "max"}[i%2])
					for range 9 {
						r.Point("spark.stage.task.deserialize_time", 1.0, "spark.stage.id", i/2, "spark.stage.attempt.id", 0,
							"spark.stage.name", "join at train.py:42", "spark.task.quantile", "p50")
					}
				}
			}
			return p.Metrics
		}},
		{"nothing matches", unread},
		{"what the rules read", func() pmetric.Metrics {
			p := polltest.At(0)
			for range 20 {
				a := application{duration: 3600, runTime: 6000, gcTime: 60, completed: 6000, settings: clusterSettings(nil)}
				for range 10 {
					a.stages = append(a.stages, stage{duration: 60, tasks: 20, runTime: 100, times: even(5), read: even(mib), readRecords: even(1e5)})
				}
				a.addTo(p)
			}
			for i, r := range p.Metrics.ResourceMetrics().All() {
				r.Resource().Attributes().PutInt("spark.application.id", int64(i))
			}
			return p.Metrics
		}},
	} {
		b.Run(test.name, func(b *testing.B) {
			p, err := NewFactory().CreateMetrics(context.Background(), processortest.NewNopSettings(metadata.Type),
				createDefaultConfig(), consumertest.NewNop())
			if err != nil {
				b.Fatal(err)
			}
			metrics := test.poll()
			at := pcommon.Timestamp(0)
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				b.StopTimer()
				at++
				setTimestamps(metrics, at)
				b.StartTimer()
				if err := p.ConsumeMetrics(context.Background(), metrics); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(metrics.DataPointCount())*float64(b.N)/b.Elapsed().Seconds(), "points/s")
			b.ReportMetric(float64(metrics.DataPointCount()), "points/op")
		})
	}
}

// unread are points that no rule reads.
func unread() pmetric.Metrics {
	p := polltest.At(0)
	for app := range 20 {
		r := p.Resource([]string{"spark.application.id"}, "spark.application.id", app, "spark.application.name", "churn")
		for i := range 1000 {
			r.Point("spark.stage.task.deserialize_time", 1.0, "spark.stage.id", i, "spark.stage.attempt.id", 0,
				"spark.stage.name", "join at train.py:42", "spark.task.quantile", "p50")
		}
	}
	return p.Metrics
}

// A point that no rule reads passes without an allocation.
func TestPassingPointsAllocateNothing(t *testing.T) {
	p, err := NewFactory().CreateMetrics(t.Context(), processortest.NewNopSettings(metadata.Type), createDefaultConfig(), consumertest.NewNop())
	require.NoError(t, err)
	metrics := unread()
	allocations := testing.AllocsPerRun(10, func() {
		require.NoError(t, p.ConsumeMetrics(t.Context(), metrics))
	})
	assert.Zero(t, allocations)
}

func setTimestamps(metrics pmetric.Metrics, at pcommon.Timestamp) {
	for _, r := range metrics.ResourceMetrics().All() {
		for _, s := range r.ScopeMetrics().All() {
			for _, m := range s.Metrics().All() {
				points := pmetric.NewNumberDataPointSlice()
				switch m.Type() {
				case pmetric.MetricTypeGauge:
					points = m.Gauge().DataPoints()
				case pmetric.MetricTypeSum:
					points = m.Sum().DataPoints()
				}
				for _, point := range points.All() {
					point.SetTimestamp(at)
				}
			}
		}
	}
}
