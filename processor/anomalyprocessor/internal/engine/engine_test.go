package engine

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/pmetrictest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/metadatatest"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/polltest"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/rule"
)

// hot flags a stage by its heat; the heat is also its impact.
const hot = `
hot:
  description: A stage is hot.
  threshold_source: made up
  entity: [stage]
  inputs: {heat: {metric: heat}}
  value: heat
  impact: heat
  gate: "true"
  levels: {low: 10, severe: 100}
  reason: "{{number .heat}} degrees in stage {{attribute \"stage\"}} of {{attribute \"app\"}}"
  advice: Cool it.
`

func newEngine(t testing.TB, maxEntities int, yaml string) *Engine {
	return newEngineWithTelemetry(t, maxEntities, yaml, componenttest.NewNopTelemetrySettings())
}

func newEngineWithTelemetry(t testing.TB, maxEntities int, yaml string, settings component.TelemetrySettings) *Engine {
	t.Helper()
	definitions, err := rule.Parse("test.yaml", []byte(yaml))
	require.NoError(t, err)
	var rules []*rule.Rule
	for _, definition := range definitions {
		compiled, err := rule.Compile(definition)
		require.NoError(t, err)
		rules = append(rules, compiled)
	}
	telemetry, err := metadata.NewTelemetryBuilder(settings)
	require.NoError(t, err)
	return New(rules, maxEntities, telemetry, time.Now)
}

// show shows the poll to the engine and returns the flags that it wrote.
func show(e *Engine, p *polltest.Poll) []polltest.Flag {
	e.Judge(context.Background(), p.Metrics)
	return polltest.Flags(p.Metrics)
}

// stage is a poll with the heat of one stage of application a.
func stage(at float64, heat float64) *polltest.Poll {
	p := polltest.At(at)
	p.Resource(nil, "app", "a").Point("heat", heat, "stage", 1)
	return p
}

// other is a poll in which application a has something, but no stage.
func other(at float64) *polltest.Poll {
	p := polltest.At(at)
	p.Resource(nil, "app", "a").Point("heat", 1.0)
	return p
}

func hotFlag(at float64, severity int64, impact, said float64) polltest.Flag {
	return polltest.Flag{
		Rule: "hot", Severity: severity, Impact: impact, Entity: "stage=1", Resource: "app=a", At: at,
		Reason: fmt.Sprintf("%v degrees in stage 1 of a", said), Advice: "Cool it.",
	}
}

func TestFlagLife(t *testing.T) {
	e := newEngine(t, 100, hot)
	assert.Empty(t, show(e, stage(0, 9)), "below the lowest level")
	assert.Equal(t, []polltest.Flag{hotFlag(10, 1, 20, 20)}, show(e, stage(10, 20)), "rises")
	assert.Equal(t, []polltest.Flag{hotFlag(20, 1, 30, 20)}, show(e, stage(20, 30)), "the words stay, the impact does not")
	assert.Equal(t, []polltest.Flag{hotFlag(30, 0, 200, 20), hotFlag(30, 3, 200, 200)}, show(e, stage(30, 200)),
		"another severity ends the series with the old words")
	assert.Equal(t, []polltest.Flag{hotFlag(40, 0, 0, 200)}, show(e, stage(40, 9)), "over: one 0")
	assert.Empty(t, show(e, stage(50, 9)), "and no more")
	assert.Equal(t, []polltest.Flag{hotFlag(60, 1, 11, 11)}, show(e, stage(60, 11)), "rises again with new words")
}

func TestFlagEndsWhenItsEntityIsAbsentInTwoPolls(t *testing.T) {
	e := newEngine(t, 100, hot)
	show(e, stage(0, 20))
	assert.Equal(t, []polltest.Flag{hotFlag(10, 1, 20, 20)}, show(e, other(10)), "absent in one poll")
	assert.Equal(t, []polltest.Flag{hotFlag(20, 0, 0, 20)}, show(e, other(20)), "absent in two")
	assert.Equal(t, 1, e.Entities(), "the stage is forgotten, its resource is not")
	assert.Empty(t, show(e, other(30)))

	show(e, stage(40, 20))
	show(e, other(50))
	assert.Equal(t, []polltest.Flag{hotFlag(60, 1, 30, 20)}, show(e, stage(60, 30)), "came back in time: the same flag")
}

func TestPollSplitOverCalls(t *testing.T) {
	e := newEngine(t, 100, hot)
	for at := range 5 {
		first, second := other(float64(at)), stage(float64(at), 20)
		flags := append(show(e, first), show(e, second)...)
		require.Equal(t, []polltest.Flag{hotFlag(float64(at), 1, 20, 20)}, flags, "one point in each poll")
	}
	flags := append(show(e, stage(5, 20)), show(e, other(5))...)
	require.Equal(t, []polltest.Flag{hotFlag(5, 1, 20, 20)}, flags, "in the other order")
}

func TestSeverityChangesWithinASplitPoll(t *testing.T) {
	e := newEngine(t, 100, hot)
	assert.Equal(t, []polltest.Flag{hotFlag(0, 1, 60, 60)}, show(e, stage(0, 60)))
	assert.Equal(t, []polltest.Flag{hotFlag(0, 0, 120, 60), hotFlag(0, 3, 120, 120)}, show(e, stage(0, 60)), "the rest of the heat")
}

func TestTwoPollsInOneCall(t *testing.T) {
	e := newEngine(t, 100, hot)
	both := stage(0, 20)
	stage(10, 9).Metrics.ResourceMetrics().MoveAndAppendTo(both.Metrics.ResourceMetrics())
	assert.Equal(t, []polltest.Flag{hotFlag(10, 0, 0, 20), hotFlag(0, 1, 20, 20)}, show(e, both))
}

func TestLatePointsAreIgnored(t *testing.T) {
	e := newEngine(t, 100, hot)
	show(e, stage(10, 20))
	assert.Empty(t, show(e, stage(5, 200)))
	assert.Equal(t, []polltest.Flag{hotFlag(20, 1, 20, 20)}, show(e, stage(20, 20)))
}

func TestHold(t *testing.T) {
	e := newEngine(t, 100, hot+"  for: 20s\n")
	assert.Empty(t, show(e, stage(0, 20)))
	assert.Empty(t, show(e, stage(19, 20)))
	assert.Equal(t, []polltest.Flag{hotFlag(20, 1, 30, 30)}, show(e, stage(20, 30)), "rises once it has held, with the words of now")
	assert.Len(t, show(e, stage(30, 9)), 1, "over at once")
	assert.Empty(t, show(e, stage(40, 20)), "and has to hold anew")
	assert.Empty(t, show(e, stage(50, 9)), "a flag that never rose does not end")
	assert.Empty(t, show(e, stage(61, 20)))
	assert.Empty(t, show(e, stage(71, 20)))
	assert.Len(t, show(e, stage(81, 20)), 1)
}

func TestExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, 100, hot)
		show(e, stage(0, 20))
		time.Sleep(time.Minute)
		quiet := polltest.At(60)
		quiet.Resource(nil, "app", "b").Point("heat", 1.0, "stage", 7)
		show(e, quiet)

		time.Sleep(4*time.Minute - time.Nanosecond)
		assert.Empty(t, polltest.Flags(e.Expire(context.Background(), 5*time.Minute)))
		time.Sleep(time.Nanosecond)
		ended := polltest.Flags(e.Expire(context.Background(), 5*time.Minute))
		require.Len(t, ended, 1)
		want := hotFlag(time.Since(polltest.Epoch).Seconds(), 0, 0, 20)
		assert.Equal(t, want, ended[0])
		assert.Equal(t, 1, e.Entities(), "what was heard of later is kept")

		time.Sleep(time.Minute)
		assert.Zero(t, e.Expire(context.Background(), 5*time.Minute).ResourceMetrics().Len(), "nothing to say of what was not flagged")
		assert.Zero(t, e.Entities())
		assert.Empty(t, e.sources, "nothing is left behind")
	})
}

func TestEntitiesAreBounded(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { assert.NoError(t, telemetry.Shutdown(context.Background())) })
	e := newEngineWithTelemetry(t, 3, hot, telemetry.NewTelemetrySettings())
	show(e, stage(0, 20))
	var flags []polltest.Flag
	for i := range 1000 {
		p := polltest.At(float64(i))
		p.Resource(nil, "app", "b").Point("heat", 1.0, "stage", i)
		flags = append(flags, show(e, p)...)
		require.LessOrEqual(t, e.Entities(), 3)
		require.LessOrEqual(t, len(e.sources), 3)
	}
	assert.Equal(t, []polltest.Flag{hotFlag(0, 0, 0, 20)}, flags[len(flags)-1:], "what is dropped is over")

	p := polltest.At(2000)
	for i := range 10 {
		p.Resource(nil, "app", "b").Point("heat", 20.0, "stage", i)
	}
	assert.Len(t, show(e, p), 3, "within one call too")
	metadatatest.AssertEqualProcessorAnomalyEntitiesEvicted(t, telemetry,
		[]metricdata.DataPoint[int64]{{Value: 10}}, metricdatatest.IgnoreTimestamp())
}

func TestTheLeastRecentlySeenIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, 3, hot)
		show(e, stage(0, 20))
		for i := range 10 {
			time.Sleep(time.Second)
			p := polltest.At(float64(i))
			p.Resource(nil, "app", i).Point("heat", 1.0, "stage", i)
			assert.Empty(t, show(e, p))
			time.Sleep(time.Second)
			assert.Len(t, show(e, stage(float64(i+1), 20)), 1, "what is seen again and again stays")
		}
	})
}

func TestTelemetry(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { assert.NoError(t, telemetry.Shutdown(context.Background())) })
	e := newEngineWithTelemetry(t, 100, hot, telemetry.NewTelemetrySettings())
	p := stage(0, 20)
	p.Resource(nil, "app", "b").Point("heat", 20.0, "stage", 1).Point("heat", 9.0, "stage", 2).Point("cold", 1)
	show(e, p)
	show(e, stage(10, 20))
	ignore := metricdatatest.IgnoreTimestamp()
	metadatatest.AssertEqualProcessorAnomalyPoints(t, telemetry, []metricdata.DataPoint[int64]{{Value: 5}}, ignore)
	metadatatest.AssertEqualProcessorAnomalyJudgements(t, telemetry, []metricdata.DataPoint[int64]{{Value: 4}}, ignore)
	metadatatest.AssertEqualProcessorAnomalyFlagsRaised(t, telemetry, []metricdata.DataPoint[int64]{
		{Value: 2, Attributes: attribute.NewSet(attribute.String("anomaly.rule", "hot"))},
	}, ignore)
}

// A resource keeps its identity when attributes change that only describe it, as when a waiting application starts.
func TestResourceChanges(t *testing.T) {
	e := newEngine(t, 100, hot)
	poll := func(at float64, version string) *polltest.Poll {
		p := polltest.At(at)
		p.Resource([]string{"app"}, "app", "a", "version", version).Point("heat", 20.0, "stage", 1)
		return p
	}
	show(e, poll(0, ""))
	flags := show(e, poll(10, "4.3.0"))
	require.Len(t, flags, 2)
	assert.Equal(t, "app=a version=", flags[0].Resource, "the series of the old resource ends")
	assert.Zero(t, flags[0].Severity)
	assert.Equal(t, "app=a version=4.3.0", flags[1].Resource, "and goes on in the new one")
	assert.EqualValues(t, 1, flags[1].Severity)
	assert.Len(t, show(e, poll(20, "4.3.0")), 1)

	other := polltest.At(30)
	other.Resource([]string{"app"}, "app", "b", "version", "4.3.0").Point("heat", 20.0, "stage", 1)
	flags = show(e, other)
	require.Len(t, flags, 1)
	assert.Equal(t, "app=b version=4.3.0", flags[0].Resource, "another identity is another resource")
}

func TestResourcesWithoutEntitiesAreToldApartByAllAttributes(t *testing.T) {
	e := newEngine(t, 100, hot)
	p := stage(0, 20)
	p.Resource(nil, "app", "b").Point("heat", 30.0, "stage", 1)
	flags := show(e, p)
	require.Len(t, flags, 2)
	assert.NotEqual(t, flags[0].Resource, flags[1].Resource)
}

func TestInputs(t *testing.T) {
	e := newEngine(t, 100, `
r:
  description: d
  threshold_source: s
  entity: [stage]
  inputs:
    total: {metric: read}
    remote: {metric: read, where: {source: remote}}
    executors: {metric: gc}
    attempt: {metric: attempt, where: {number: "2"}}
    optional: {metric: optional, default: 7}
    queue: {metric: queue.used, match: {cluster: cluster, queue: my.queue}, default: -1}
  value: 1
  gate: "true"
  levels: {low: 1}
  reason: "{{.total}} {{.remote}} {{.executors}} {{.attempt}} {{.optional}} {{.queue}}"
  advice: a
`)
	p := polltest.At(0)
	p.Resource(nil, "cluster", "c", "my.queue", "q").
		Point("read", 1, "stage", 1, "source", "local").
		Point("read", 2, "stage", 1, "source", "remote").
		Point("read", 100, "stage", 2, "source", "remote").
		Point("gc", 10.0, "executor", "1").
		Point("gc", 20.0, "executor", "2").
		Point("attempt", 5, "stage", 1, "number", 2).
		Point("attempt", 6, "stage", 1, "number", 3).
		Point("attempt", 6, "stage", 2, "number", 2)
	p.Resource(nil, "cluster", "c").Point("queue.used", 0.5, "queue", "q").Point("queue.used", 0.75, "queue", "other")
	p.Resource(nil, "cluster", "another").Point("queue.used", 0.25, "queue", "q")
	flags := show(e, p)
	require.Len(t, flags, 2)
	assert.Equal(t, "3 2 30 5 7 0.5", flags[0].Reason, "summed over source and over executors; shared; matched")
	assert.Equal(t, "100 100 30 6 7 0.5", flags[1].Reason)
	assert.Equal(t, -1.0, flags[0].Impact, "a rule without impact writes none")

	p = polltest.At(10)
	p.Resource(nil, "cluster", "c", "my.queue", "nowhere").
		Point("read", 4, "stage", 1, "source", "remote").Point("gc", 1.0).Point("attempt", 5, "stage", 1, "number", 2).
		Point("optional", 8, "stage", 1)
	flags = show(e, p)
	require.Len(t, flags, 1)
	assert.Equal(t, "4 4 1 5 8 -1", flags[0].Reason)
}

// An optional input of the poll before counts until the present one has had time to bring it.
func TestOptionalInputOfASplitPoll(t *testing.T) {
	e := newEngine(t, 100, `
r:
  description: d
  threshold_source: s
  entity: [stage]
  inputs: {heat: {metric: heat}, more: {metric: more, default: 0}}
  value: heat + more
  gate: "true"
  levels: {low: 10}
  reason: "{{.value}}"
  advice: a
`)
	part := func(at float64, metric string) *polltest.Poll {
		p := polltest.At(at)
		p.Resource(nil, "app", "a").Point(metric, 6, "stage", 1)
		return p
	}
	assert.Empty(t, show(e, part(0, "heat")))
	assert.Len(t, show(e, part(0, "more")), 1)
	assert.EqualValues(t, 1, show(e, part(10, "heat"))[0].Severity)
	assert.EqualValues(t, 0, show(e, part(20, "heat"))[0].Severity)
}

func TestPointsWithoutAValueAreIgnored(t *testing.T) {
	e := newEngine(t, 100, hot)
	p := polltest.At(0)
	p.Resource(nil, "app", "a").Point("heat", 20.0, "stage", 1)
	point := p.Metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().At(0)
	point.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
	assert.Empty(t, show(e, p))
	assert.Zero(t, e.Entities())
	assert.Empty(t, e.sources)
}

func TestDataIsNotChanged(t *testing.T) {
	e := newEngine(t, 100, hot)
	p := stage(0, 20)
	p.Resource(nil, "app", "b").Point("cold", 1)
	for _, create := range []func(pmetric.Metric){
		func(m pmetric.Metric) { m.SetEmptyHistogram().DataPoints().AppendEmpty().SetCount(1) },
		func(m pmetric.Metric) { m.SetEmptyExponentialHistogram().DataPoints().AppendEmpty().SetCount(1) },
		func(m pmetric.Metric) { m.SetEmptySummary().DataPoints().AppendEmpty().SetCount(1) },
		func(pmetric.Metric) {},
	} {
		m := p.Metrics.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().AppendEmpty()
		m.SetName("heat")
		create(m)
	}
	before := pmetric.NewMetrics()
	p.Metrics.CopyTo(before)
	require.Len(t, show(e, p), 1)
	scopes := p.Metrics.ResourceMetrics().At(0).ScopeMetrics()
	require.Equal(t, 2, scopes.Len())
	assert.Equal(t, metadata.ScopeName, scopes.At(1).Scope().Name())
	scopes.RemoveIf(func(s pmetric.ScopeMetrics) bool { return s.Scope().Name() == metadata.ScopeName })
	assert.NoError(t, pmetrictest.CompareMetrics(before, p.Metrics))
}

func TestConcurrentCalls(t *testing.T) {
	e := newEngine(t, 50, hot)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for at := range 200 {
				p := polltest.At(float64(at))
				p.Resource(nil, "app", i).Point("heat", float64(at%40), "stage", at%20)
				show(e, p)
				e.Expire(context.Background(), time.Hour)
				e.Entities()
			}
		})
	}
	wg.Wait()
}

func TestNoAllocationForAPointThatPasses(t *testing.T) {
	e := newEngine(t, 100, hot)
	passing := func(at, n int) pmetric.Metrics {
		p := polltest.At(float64(at))
		r := p.Resource(nil, "app", "a", "user", "somebody").Point("heat", 1.0, "stage", 1)
		for i := range n {
			r.Point("cold", float64(i), "stage", i)
			r.Point("heat", 0.0, "stage", 1)
		}
		return p.Metrics
	}
	allocations := func(n int) float64 {
		at := 0
		polls := make([]pmetric.Metrics, 100)
		for i := range polls {
			polls[i] = passing(i, n)
		}
		return testing.AllocsPerRun(len(polls)-1, func() {
			e.Judge(context.Background(), polls[at])
			at++
		})
	}
	few := allocations(1)
	e = newEngine(t, 100, hot)
	assert.Equal(t, few, allocations(1000), "a call allocates the same, however many points there are")
}

// A flag names the rule whose flag is its cause, from the poll on in which both are up.
func TestCause(t *testing.T) {
	e := newEngine(t, 100, hot+`
app_hot:
  description: An application is hot.
  threshold_source: made up
  inputs: {heat: {metric: app.heat}}
  value: heat
  impact: heat
  gate: "true"
  levels: {low: 10}
  caused_by: [smoky, hot]
  reason: hot
  advice: Cool it.
`)
	poll := func(at, stage, app float64) *polltest.Poll {
		p := polltest.At(at)
		p.Resource(nil, "app", "a").Point("heat", stage, "stage", 1).Point("app.heat", app)
		return p
	}
	said := func(p *polltest.Poll) (all []string) {
		for _, f := range show(e, p) {
			all = append(all, fmt.Sprintf("%s %d %s", f.Rule, f.Severity, f.Cause))
		}
		return all
	}
	assert.Equal(t, []string{"app_hot 1 "}, said(poll(0, 1, 20)), "no cause is known")
	assert.Equal(t, []string{"app_hot 0 ", "app_hot 1 hot", "hot 1 "}, said(poll(10, 20, 20)), "the series without cause ends")
	assert.Equal(t, []string{"app_hot 1 hot", "hot 1 "}, said(poll(20, 20, 20)))
	assert.Equal(t, []string{"app_hot 1 hot", "hot 0 "}, said(poll(30, 1, 20)), "the cause stays as long as the flag")
	assert.Equal(t, []string{"app_hot 0 hot"}, said(poll(40, 1, 1)))
	assert.Equal(t, []string{"app_hot 1 hot"}, said(poll(50, 1, 20)), "what an application suffers from may be over")

	b := polltest.At(60)
	b.Resource(nil, "app", "b").Point("app.heat", 20.0)
	assert.Equal(t, []string{"app_hot 1 "}, said(b), "another application is another matter")
}

func TestStagesAreNoCauseOfEachOther(t *testing.T) {
	e := newEngine(t, 100, hot+strings.NewReplacer("hot:", "warm:", "metric: heat", "metric: warmth", "levels:", "caused_by: [hot]\n  levels:").Replace(hot))
	p := polltest.At(0)
	p.Resource(nil, "app", "a").Point("heat", 20.0, "stage", 1).Point("warmth", 20.0, "stage", 1).Point("warmth", 20.0, "stage", 2)
	causes := map[string]string{}
	for _, f := range show(e, p) {
		causes[f.Rule+" "+f.Entity] = f.Cause
	}
	assert.Equal(t, map[string]string{"hot stage=1": "", "warm stage=1": "hot", "warm stage=2": ""}, causes)
}

func TestInputsThatAreNoSums(t *testing.T) {
	e := newEngine(t, 100, `
r:
  description: d
  threshold_source: s
  inputs:
    most: {metric: peak, without: {executor: driver}, take: max}
    least: {metric: peak, take: min}
    growth: {metric: total, growth: true}
  value: 1
  gate: "true"
  levels: {low: 1}
  reason: "{{.most}} {{.least}} {{.growth}}"
  advice: a
`)
	said := func(at float64, totals ...float64) string {
		p := polltest.At(at)
		r := p.Resource(nil, "app", at). // another flag each time, so that its words are those of now
							Point("peak", 5.0, "executor", "1").Point("peak", 7.0, "executor", "2").Point("peak", 9.0, "executor", "driver")
		for i, total := range totals {
			r.Point("total", total, "part", i)
		}
		flags := show(e, p)
		require.Len(t, flags, 1)
		return flags[0].Reason
	}
	assert.Equal(t, "7 5 0", said(0, 10, 20))
}

func TestGrowth(t *testing.T) {
	e := newEngine(t, 100, `
r:
  description: d
  threshold_source: s
  inputs: {growth: {metric: total, growth: true}}
  value: growth
  impact: growth
  gate: "true"
  levels: {low: 0.5}
  reason: r
  advice: a
`)
	at := 0.0
	growth := func(parts ...float64) float64 {
		at++
		p := polltest.At(at)
		r := p.Resource(nil, "app", "a")
		for i, part := range parts {
			r.Point("total", part, "part", i)
		}
		for _, f := range show(e, p) {
			return f.Impact
		}
		return 0
	}
	assert.Zero(t, growth(10, 20))
	assert.Equal(t, 5.0, growth(15, 20))
	assert.Equal(t, 12.0, growth(20, 22), "since it was first seen")
	assert.Zero(t, growth(1, 22), "it fell")
	assert.Equal(t, 2.0, growth(3, 22), "since then")
}

// Numbers that apply to some applications only; and a change of a resource may bring other numbers.
func TestScopes(t *testing.T) {
	definitions, err := rule.Parse("test.yaml", []byte(hot))
	require.NoError(t, err)
	high := 50.0
	scoped, err := definitions[0].Override(rule.Override{Where: []rule.ScopedOverride{
		{Model: "churn.*", Levels: rule.Levels{Low: &high}},
		{Queue: "dev", Disabled: true},
	}})
	require.NoError(t, err)
	r, err := rule.Compile(scoped)
	require.NoError(t, err)
	telemetry, err := metadata.NewTelemetryBuilder(componenttest.NewNopTelemetrySettings())
	require.NoError(t, err)
	e := New([]*rule.Rule{r}, 100, telemetry, time.Now)
	flagged := func(at float64, model, queue string) bool {
		p := polltest.At(at)
		p.Resource([]string{"app"}, "app", "a", "spark.model.name", model, "yarn.queue.name", queue).Point("heat", 20.0, "stage", 1)
		flags := show(e, p)
		return len(flags) > 0 && flags[len(flags)-1].Severity > 0
	}
	assert.True(t, flagged(0, "fraud", "prod"))
	assert.False(t, flagged(10, "churn-eu", "prod"))
	assert.False(t, flagged(20, "fraud", "dev"))
	assert.True(t, flagged(30, "fraud", "dev2"), "the whole name has to match")
}

// The parts of the summary add up to the run, whatever the figures are.
func TestSummaryAddsUp(t *testing.T) {
	for _, test := range []struct {
		name          string
		numbers       [summarized]float64
		skew, spilled float64
		want          map[string]float64
	}{
		{"two cores, one of which waits for the last task",
			[summarized]float64{run: 100, starting: 10, driver: 20, waiting: 0, working: 70, computing: 60, collecting: 20, idle: 120, executors: 2, coresOfExecutor: 1}, 25, 10,
			map[string]float64{"starting": 10, "driver": 20, "computing": 20, "spill": 10, "gc": 10, "skew": 25, "idle": 5}},
		{"flags that tell more than there is",
			[summarized]float64{run: 100, starting: 10, driver: 20, waiting: 0, working: 70, computing: 60, collecting: 20, idle: 120, executors: 2, coresOfExecutor: 1}, 1000, 1000,
			map[string]float64{"starting": 10, "driver": 20, "spill": 30, "gc": 10, "skew": 30}},
		{"executors that were there only while tasks ran",
			[summarized]float64{run: 100, starting: 10, driver: 60, waiting: 0, working: 30, computing: 90, wasted: 30, executors: 4, coresOfExecutor: 1}, 0, 0,
			map[string]float64{"starting": 10, "driver": 60, "computing": 22.5, "wasted": 7.5}},
		{"nothing has run", [summarized]float64{run: 30, starting: 30}, 5, 5, map[string]float64{"starting": 30}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, total := map[string]float64{}, 0.0
			for _, part := range summary(func(i int) (float64, bool) { return test.numbers[i], true }, func(a rule.Activity) float64 {
				return map[rule.Activity]float64{rule.Skew: test.skew, rule.Spill: test.spilled}[a]
			}) {
				total += part.seconds
				if part.seconds != 0 {
					got[part.activity] = part.seconds
				}
			}
			assert.InDeltaMapValues(t, test.want, got, 1e-9)
			assert.InDelta(t, test.numbers[run], total, 1e-9)
		})
	}
	assert.Nil(t, summary(func(i int) (float64, bool) { return 1, i != idle }, nil), "not without all figures")
}

// What a flag of a stage has cost stays in the summary when the flag is over.
func TestSummaryOfAnApplication(t *testing.T) {
	e := newEngine(t, 100, strings.Replace(hot, "levels:", "spends: skew\n  levels:", 1))
	times := func(at float64, heat float64) (map[string]float64, int) {
		p := polltest.At(at)
		r := p.Resource(nil, "app", "a").Point("spark.application.duration", 100.0)
		for activity, seconds := range map[string]float64{"starting": 10, "driver": 20, "waiting": 0, "working": 70} {
			r.Point("spark.application.wall.time", seconds, "spark.wall.activity", activity)
		}
		for _, activity := range []string{"gc", "fetch_wait", "shuffle_write", "deserializing", "serializing", "scheduling", "wasted"} {
			r.Point("spark.application.core.time", 0.0, "spark.core.activity", activity)
		}
		r.Point("spark.application.executor.peak", 2.0).Point("spark.application.setting", 1.0, "spark.setting.name", "spark.executor.cores")
		r.Point("spark.application.core.time", 90.0, "spark.core.activity", "computing")
		r.Point("spark.application.core.time", 90.0, "spark.core.activity", "idle")
		if heat > 0 {
			r.Point("heat", heat, "stage", 1)
		}
		show(e, p)
		got := map[string]float64{}
		points := 0
		for _, m := range p.Metrics.ResourceMetrics().At(0).ScopeMetrics().At(1).Metrics().All() {
			if m.Name() == "anomaly.time" {
				for _, point := range m.Gauge().DataPoints().All() {
					points++
					activity, _ := point.Attributes().Get("anomaly.activity")
					if point.DoubleValue() > 0 {
						got[activity.Str()] = point.DoubleValue()
					}
				}
			}
		}
		return got, points
	}
	got, points := times(0, 15)
	assert.Equal(t, 12, points)
	assert.Equal(t, map[string]float64{"starting": 10, "driver": 20, "computing": 45, "skew": 15, "idle": 10}, got)
	times(10, 0)
	times(20, 0)
	got, _ = times(30, 0)
	assert.Equal(t, 15.0, got["skew"])
}
