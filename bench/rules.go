package main

import (
	"context"
	"fmt"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/filterprocessor"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor"
)

// filterCondition asks of each point what a rule asks: whether it is one of its inputs, and whether it is too large.
const filterCondition = `metric.name == "spark.stage.task.run_time" and attributes["spark.task.quantile"] == "max" and value_double > 1000`

// measureFilter returns how many points a second the anomaly processor sees, and how many contrib's filter processor
// with one condition does, in turns and over the same points, of which one in ten is an input of a rule.
func measureFilter(ctx context.Context) (ours, peer float64, err error) {
	filter := filterprocessor.NewFactory()
	config := filter.CreateDefaultConfig()
	conf := confmap.NewFromStringMap(map[string]any{"metrics": map[string]any{"datapoint": []any{filterCondition}}})
	if err := conf.Unmarshal(config); err != nil {
		return 0, 0, err
	}
	anomaly := anomalyprocessor.NewFactory()
	var processors []processor.Metrics
	for _, p := range []struct {
		factory processor.Factory
		config  component.Config
	}{{anomaly, anomaly.CreateDefaultConfig()}, {filter, config}} {
		created, err := p.factory.CreateMetrics(ctx, processortest.NewNopSettings(p.factory.Type()), p.config, consumertest.NewNop())
		if err != nil {
			return 0, 0, err
		}
		if err := created.Start(ctx, componenttest.NewNopHost()); err != nil {
			return 0, 0, err
		}
		processors = append(processors, created)
	}
	const turns, polls = 20, 20
	metrics := stagePoll()
	var took [2]time.Duration
	at := pcommon.Timestamp(0)
	for range turns {
		for i, p := range processors {
			for range polls {
				at++
				stamp(metrics, at)
				begin := time.Now()
				if err := p.ConsumeMetrics(ctx, metrics); err != nil {
					return 0, 0, err
				}
				took[i] += time.Since(begin)
			}
		}
	}
	for _, p := range processors {
		if err := p.Shutdown(ctx); err != nil {
			return 0, 0, err
		}
	}
	points := float64(turns * polls * metrics.DataPointCount())
	return points / took[0].Seconds(), points / took[1].Seconds(), nil
}

// stagePoll is a poll of 20 applications with 50 stages each.
func stagePoll() pmetric.Metrics {
	md := pmetric.NewMetrics()
	for app := range 20 {
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("spark.application.id", fmt.Sprint(app))
		metrics := rm.ScopeMetrics().AppendEmpty().Metrics()
		for _, name := range []string{"spark.stage.task.run_time", "spark.stage.task.output.records"} {
			m := metrics.AppendEmpty()
			m.SetName(name)
			points := m.SetEmptyGauge().DataPoints()
			for stage := range 50 {
				quantiles := []string{"p50", "max"}
				if name != "spark.stage.task.run_time" {
					quantiles = []string{"min", "p25", "p50", "p75", "p95", "max", "min", "p25", "p50", "p75", "p95", "max", "p50", "p75", "p95", "p50", "p75", "max"}
				}
				for _, quantile := range quantiles {
					point := points.AppendEmpty()
					point.SetDoubleValue(1)
					point.Attributes().PutInt("spark.stage.id", int64(stage))
					point.Attributes().PutInt("spark.stage.attempt.id", 0)
					point.Attributes().PutStr("spark.stage.name", "join at train.py:42")
					point.Attributes().PutStr("spark.task.quantile", quantile)
				}
			}
		}
	}
	return md
}

func stamp(md pmetric.Metrics, at pcommon.Timestamp) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			for _, point := range m.Gauge().DataPoints().All() {
				point.SetTimestamp(at)
			}
		}
	}
}
