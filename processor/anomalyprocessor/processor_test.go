package anomalyprocessor

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/catalog"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/metadatatest"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/polltest"
)

var collecting = application{duration: 60, runTime: 70, gcTime: 16}

func TestStaleFlagsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, sink := newPipeline(t, createDefaultConfig().(*Config))
		require.NoError(t, p.ConsumeMetrics(context.Background(), collecting.at(60).Metrics))
		require.Len(t, polltest.Flags(sink.AllMetrics()[0]), 1)

		time.Sleep(4*time.Minute + 59*time.Second)
		synctest.Wait()
		require.Len(t, sink.AllMetrics(), 1, "not yet stale")

		time.Sleep(32 * time.Second)
		synctest.Wait()
		require.Len(t, sink.AllMetrics(), 2)
		ended := polltest.Flags(sink.AllMetrics()[1])
		require.Len(t, ended, 1)
		assert.Zero(t, ended[0].Severity)
		assert.Equal(t, 1, sink.AllMetrics()[1].ResourceMetrics().Len())

		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Len(t, sink.AllMetrics(), 2, "and that is all")
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestNothingIsSentAfterShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, sink := newPipeline(t, createDefaultConfig().(*Config))
		require.NoError(t, p.ConsumeMetrics(context.Background(), collecting.at(60).Metrics))
		require.NoError(t, p.Shutdown(context.Background()))
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Len(t, sink.AllMetrics(), 1)
	})
}

func TestRefusedByTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.ErrorLevel)
		settings := processortest.NewNopSettings(metadata.Type)
		settings.Logger = zap.New(core)
		refused := errors.New("the queue is full")
		p, err := NewFactory().CreateMetrics(context.Background(), settings, createDefaultConfig(), consumertest.NewErr(refused))
		require.NoError(t, err)
		require.NoError(t, p.Start(context.Background(), componenttest.NewNopHost()))
		assert.ErrorIs(t, p.ConsumeMetrics(context.Background(), collecting.at(60).Metrics), refused, "the receiver has to know")
		time.Sleep(6 * time.Minute)
		synctest.Wait()
		assert.Equal(t, 1, logs.Len(), "the end of the stale flag")
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestRulesAreSelected(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Rules = catalog.Selection{Disabled: []string{"gc_pressure"}}
	p, sink := newPipeline(t, cfg)
	require.NoError(t, p.ConsumeMetrics(context.Background(), collecting.at(60).Metrics))
	assert.Empty(t, polltest.Flags(sink.AllMetrics()[0]))

	cfg.Rules = catalog.Selection{Disabled: []string{"gc_presure"}}
	_, err := NewFactory().CreateMetrics(context.Background(), processortest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	assert.ErrorContains(t, err, "unknown rule")
}

func TestEntitiesAreTold(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { assert.NoError(t, telemetry.Shutdown(context.Background())) })
	set := processor.Settings{ID: processortest.NewNopSettings(metadata.Type).ID, TelemetrySettings: telemetry.NewTelemetrySettings()}
	p, err := NewFactory().CreateMetrics(context.Background(), set, createDefaultConfig(), consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, p.ConsumeMetrics(context.Background(), collecting.at(60).Metrics))
	// The application, and each of the eight reasons to lose an executor.
	metadatatest.AssertEqualProcessorAnomalyEntities(t, telemetry, []metricdata.DataPoint[int64]{{Value: 9}}, metricdatatest.IgnoreTimestamp())
	require.NoError(t, p.Shutdown(context.Background()))
}

func TestTraces(t *testing.T) {
	stage := func() ptrace.Traces {
		td := ptrace.NewTraces()
		span := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		span.SetName("spark.stage")
		require.NoError(t, span.Attributes().FromRaw(map[string]any{
			"spark.stage.id": 4, "spark.stage.attempt.id": 0, "spark.stage.name": "join", "spark.stage.run.duration": 60.0, "spark.stage.task.limit": 2,
			"spark.stage.jvm_gc_time": 16.0, "spark.stage.executor.run_time": 40.0,
		}))
		return td
	}
	var sink consumertest.TracesSink
	settings := processortest.NewNopSettings(metadata.Type)
	p, err := NewFactory().CreateTraces(context.Background(), settings, createDefaultConfig(), &sink)
	require.NoError(t, err)
	assert.True(t, p.Capabilities().MutatesData)
	require.NoError(t, p.Start(context.Background(), componenttest.NewNopHost()))
	require.NoError(t, p.ConsumeTraces(context.Background(), stage()))
	require.NoError(t, p.Shutdown(context.Background()))
	span := sink.AllTraces()[0].ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	require.Equal(t, 1, span.Events().Len())
	got, ok := span.Attributes().Get("anomaly.rule")
	require.True(t, ok)
	assert.Equal(t, "stage_gc_pressure", got.Str())

	refused := errors.New("the queue is full")
	p, err = NewFactory().CreateTraces(context.Background(), settings, createDefaultConfig(), consumertest.NewErr(refused))
	require.NoError(t, err)
	assert.ErrorIs(t, p.ConsumeTraces(context.Background(), stage()), refused)
	require.NoError(t, p.Shutdown(context.Background()))
}
