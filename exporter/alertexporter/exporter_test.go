package alertexporter

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/exporter/alertexporter/internal/metadatatest"
)

var skew = point{rule: "task_skew", stage: "12", severity: 3, impact: 312}

func with(p point, change func(*point)) point {
	change(&p)
	return p
}

func over(p point) point {
	return with(p, func(p *point) { p.severity, p.impact = 0, 0 })
}

func rules(m message) []string {
	var rules []string
	for _, a := range m.Alerts {
		rules = append(rules, a.Labels["alertname"])
	}
	return rules
}

func TestLifeOfAFlag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople(t)
		r := run(t, notifyConfig(webhookConfig), p, nil, settings())
		begun := time.Now().UTC()

		r.poll(20*time.Second, skew)
		assert.Empty(t, p.told(), "group_wait is 30 s")
		r.poll(3*time.Hour, skew)
		told := p.told()
		require.Len(t, told, 1, "one message, not one per poll")
		assert.Equal(t, begun.Add(30*time.Second), told[0].At.UTC())
		assert.Equal(t, "firing", told[0].Status)
		require.Len(t, told[0].Alerts, 1)
		a := told[0].Alerts[0]
		assert.Equal(t, begun, a.StartsAt.UTC(), "an alert that is said again keeps its beginning")
		assert.True(t, a.EndsAt.IsZero())
		assert.Equal(t, map[string]string{
			"alertname":                    "task_skew",
			"cause":                        "task_skew",
			"severity":                     "severe",
			"service_name":                 "churn",
			"spark_application_attempt_id": "1",
			"spark_application_id":         "application_1700000000000_0007",
			"spark_application_name":       "nightly training",
			"spark_cluster_name":           "prod",
			"spark_model_name":             "churn",
			"spark_model_version":          "3",
			"spark_stage_id":               "12",
			"spark_user_name":              "ann",
			"yarn_queue_name":              "root.ml",
		}, map[string]string(a.Labels))
		assert.Equal(t, map[string]string{
			"advice": "Set spark.sql.adaptive.skewJoin.enabled=true.",
			"entity": "stage 12",
			"impact": "312.0",
			"reason": "The slowest task took 312 s, the median 4 s.",
			// of the whole application, by the receiver's formula, as no span has said another one
			"trace_id": "a58d7315f8312990cf50ddcdd502477e",
		}, map[string]string(a.Annotations))
		assert.Equal(t, map[string]string{
			"spark_application_attempt_id": "1",
			"spark_application_id":         "application_1700000000000_0007",
			"spark_cluster_name":           "prod",
		}, map[string]string(told[0].GroupLabels))

		r.poll(2*time.Hour, skew)
		assert.Len(t, p.told(), 1, "repeat_interval is 4 h")

		ended := time.Now().UTC()
		r.say(over(skew))
		time.Sleep(5 * time.Minute)
		told = p.told()
		require.Len(t, told, 1)
		assert.Equal(t, "resolved", told[0].Status)
		require.Len(t, told[0].Alerts, 1)
		assert.Equal(t, begun, told[0].Alerts[0].StartsAt.UTC())
		assert.Equal(t, ended, told[0].Alerts[0].EndsAt.UTC())
		assert.Equal(t, "312.0", told[0].Alerts[0].Annotations["impact"], "the last known cost")

		time.Sleep(24 * time.Hour)
		assert.Empty(t, p.told())
	})
}

func TestOneMessagePerRunWorstFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople(t)
		r := run(t, notifyConfig(webhookConfig), p, nil, settings())
		other := with(skew, func(p *point) { p.application = "application_1700000000000_0008" })
		r.poll(time.Minute,
			point{rule: "a_cheap", severity: 4, impact: 10},
			point{rule: "b_unknown", severity: 2},
			point{rule: "c_unknown", severity: 3},
			point{rule: "d_dear", severity: 1, impact: 900},
			other,
		)
		told := p.told()
		require.Len(t, told, 2, "one per application run")
		for _, m := range told {
			if m.GroupLabels["spark_application_id"] == "application_1700000000000_0007" {
				assert.Equal(t, []string{"d_dear", "a_cheap", "c_unknown", "b_unknown"}, rules(m), "by impact, then by severity")
			}
		}
	})
}

// The processor ends the series with the old words at the moment at which that with the new ones begins.
func TestOtherWordsAreTheSameAlert(t *testing.T) {
	for name, reverse := range map[string]bool{"old words first": false, "new words first": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeople(t)
				r := run(t, notifyConfig(webhookConfig), p, nil, settings())
				begun := time.Now()
				r.poll(time.Minute, skew)
				require.Len(t, p.told(), 1)

				worse := with(skew, func(p *point) { p.severity, p.reason = 4, "The slowest task took 900 s." })
				old := with(over(skew), func(p *point) { p.impact = 312 })
				if reverse {
					r.say(worse, old)
				} else {
					r.say(old, worse)
				}
				time.Sleep(10 * time.Second)
				r.poll(10*time.Minute, worse)
				told := p.told()
				require.Len(t, told, 1, "people are told that it got worse")
				require.Len(t, told[0].Alerts, 1, "and not that it was over")
				a := told[0].Alerts[0]
				assert.Equal(t, "firing", a.Status)
				assert.Equal(t, "critical", a.Labels["severity"])
				assert.Equal(t, "The slowest task took 900 s.", a.Annotations["reason"])
				assert.True(t, begun.Equal(a.StartsAt))

				r.say(over(worse), skew)
				time.Sleep(10 * time.Second)
				r.poll(10*time.Minute, skew)
				assert.Empty(t, p.told(), "nobody is called because it eased")

				r.say(over(skew))
				time.Sleep(6 * time.Minute)
				told = p.told()
				require.Len(t, told, 1)
				assert.Equal(t, "resolved", told[0].Status)
				assert.Len(t, told[0].Alerts, 1)
			})
		})
	}
}

func TestSilentFlagEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set, tel := telemetrySettings(t)
		p := newPeople(t)
		r := run(t, notifyConfig(webhookConfig), p, nil, set)
		r.poll(time.Minute, skew)
		require.Len(t, p.told(), 1)
		time.Sleep(4 * time.Minute)
		assert.Empty(t, p.told())
		time.Sleep(7 * time.Minute)
		told := p.told()
		require.Len(t, told, 1)
		assert.Equal(t, "resolved", told[0].Status)
		metadatatest.AssertEqualExporterAlertEnded(t, tel, []metricdata.DataPoint[int64]{
			{Value: 1, Attributes: attribute.NewSet(attribute.String("cause", "silent"))},
		}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())

		r.say(skew)
		time.Sleep(time.Minute)
		require.Len(t, p.told(), 1, "it can come back")
	})
}

func (p point) span() ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	_ = rs.Resource().Attributes().FromRaw(p.resource())
	span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID(pcommon.TraceID{1, 2, 3})
	span.Events().AppendEmpty().SetName("something else")
	event := span.Events().AppendEmpty()
	event.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	p.fill(event.Attributes())
	return td
}

func (p point) record() plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	_ = rl.Resource().Attributes().FromRaw(p.resource())
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	records.AppendEmpty().Body().SetStr("something else")
	record := records.AppendEmpty()
	record.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	p.fill(record.Attributes())
	return ld
}

func (p point) fill(attributes pcommon.Map) {
	for name, value := range p.entity() {
		_ = attributes.PutEmpty(name).FromRaw(value)
	}
	for name, value := range p.words() {
		_ = attributes.PutEmpty(name).FromRaw(value)
	}
	attributes.PutInt("anomaly.severity", p.severity)
	attributes.PutDouble("anomaly.impact", p.impact)
}

func TestOneAlertOverAllSignals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		set, tel := telemetrySettings(t)
		p := newPeople(t)
		cfg := notifyConfig(webhookConfig)
		cfg.Links = map[string]string{
			"jaeger":  "http://jaeger/trace/{{ .trace_id }}",
			"spark":   "http://history/history/{{ .spark_application_id }}",
			"unknown": "http://x/{{ .no_such_label }}",
		}
		r := run(t, cfg, p, nil, set)
		r.say(skew)
		require.NoError(t, r.traces.ConsumeTraces(ctx, skew.span()))
		require.NoError(t, r.logs.ConsumeLogs(ctx, skew.record()))
		time.Sleep(10 * time.Second)
		r.poll(time.Minute, skew)
		told := p.told()
		require.Len(t, told, 1)
		require.Len(t, told[0].Alerts, 1)
		a := told[0].Alerts[0]
		assert.Equal(t, "http://history/history/application_1700000000000_0007", a.Annotations["link_spark"])
		assert.Equal(t, "http://jaeger/trace/01020300000000000000000000000000", a.Annotations["link_jaeger"], "from the trace alone")
		assert.Equal(t, a.Annotations["link_jaeger"], a.GeneratorURL)
		assert.NotContains(t, a.Annotations, "link_unknown")
		metadatatest.AssertEqualExporterAlertRaised(t, tel, []metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
		metadatatest.AssertEqualExporterAlertActive(t, tel, []metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
		metadatatest.AssertEqualExporterAlertNotifications(t, tel, []metricdata.DataPoint[int64]{
			{Value: 1, Attributes: attribute.NewSet(attribute.String("integration", "webhook"))},
		}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())

		late := skew.span()
		time.Sleep(10 * time.Second)
		r.say(over(skew))
		time.Sleep(10 * time.Second)
		require.NoError(t, r.traces.ConsumeTraces(ctx, late))
		time.Sleep(30 * time.Minute)
		told = p.told()
		require.Len(t, told, 1, "a span that arrives late raises nothing again")
		assert.Equal(t, "resolved", told[0].Status)
	})
}

func TestEventsOfLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople(t)
		r := run(t, notifyConfig(webhookConfig), p, nil, settings())
		ld := point{}.record()
		records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
		failed := records.AppendEmpty()
		failed.SetEventName("spark.executor.lost")
		failed.SetSeverityNumber(plog.SeverityNumberError)
		failed.Body().SetStr("Executor 4 was killed for exceeding memory limits.")
		failed.Attributes().PutStr("spark.executor.id", "4")
		failed.Attributes().PutStr("exception.message", "a detail, no identity")
		info := records.AppendEmpty()
		info.SetEventName("spark.executor.added")
		info.SetSeverityNumber(plog.SeverityNumberInfo)
		require.NoError(t, r.logs.ConsumeLogs(context.Background(), ld))
		time.Sleep(time.Minute)
		told := p.told()
		require.Len(t, told, 1)
		require.Equal(t, []string{"spark.executor.lost"}, rules(told[0]))
		a := told[0].Alerts[0]
		assert.Equal(t, "severe", a.Labels["severity"])
		assert.Equal(t, "4", a.Labels["spark_executor_id"])
		assert.NotContains(t, a.Labels, "exception_message")
		assert.Equal(t, "executor 4", a.Annotations["entity"])
		assert.Equal(t, "Executor 4 was killed for exceeding memory limits.", a.Annotations["reason"])
	})
}

func TestFlapping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople(t)
		r := run(t, notifyConfig(webhookConfig), p, nil, settings())
		for range 6 * 60 / 2 { // an hour of on and off
			r.say(skew)
			time.Sleep(10 * time.Second)
			r.say(over(skew))
			time.Sleep(10 * time.Second)
		}
		assert.LessOrEqual(t, len(p.told()), 13, "at most one message per group_interval")
	})
}

func TestInhibition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set, tel := telemetrySettings(t)
		p := newPeople(t)
		r := run(t, notifyConfig(webhookConfig+`
inhibit_rules:
- source_matchers: [alertname = executor_memory]
  target_matchers: [alertname =~ "gc_pressure|task_spill"]
  equal: [spark_cluster_name, spark_application_id]
`), p, nil, set)
		cause := point{rule: "executor_memory", severity: 2, impact: 5}
		consequence := point{rule: "gc_pressure", severity: 4, impact: 500}
		elsewhere := with(consequence, func(p *point) { p.application = "application_1700000000000_0008" })
		r.poll(time.Minute, cause, consequence, elsewhere)
		told := p.told()
		require.Len(t, told, 2)
		for _, m := range told {
			if m.GroupLabels["spark_application_id"] == "application_1700000000000_0008" {
				assert.Equal(t, []string{"gc_pressure"}, rules(m))
			} else {
				assert.Equal(t, []string{"executor_memory"}, rules(m))
			}
		}
		metadatatest.AssertEqualExporterAlertSuppressed(t, tel, []metricdata.DataPoint[int64]{
			{Value: 1, Attributes: attribute.NewSet(attribute.String("reason", "inhibition"))},
		}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())

		r.say(over(cause), consequence, elsewhere)
		time.Sleep(10 * time.Second)
		r.poll(10*time.Minute, consequence, elsewhere)
		told = p.told()
		require.NotEmpty(t, told)
		assert.Contains(t, rules(told[0]), "gc_pressure", "the cause is gone and the consequence is not")
	})
}

// Consequences that the anomaly processor marks are inhibited by their cause, and by nothing else that is flagged.
func TestInhibitionByDefault(t *testing.T) {
	skewed := point{rule: "task_skew", severity: 2, impact: 5}
	consequence := point{rule: "task_spill", severity: 4, impact: 500, cause: "task_skew"}
	other := point{rule: "gc_pressure", severity: 1}
	for name, tt := range map[string]struct {
		config string
		say    []point
		want   []string
	}{
		"by its cause":      {webhookConfig, []point{skewed, consequence, other}, []string{"task_skew", "gc_pressure"}},
		"by nothing else":   {webhookConfig, []point{consequence, other}, []string{"task_spill", "gc_pressure"}},
		"rules of the user": {webhookConfig + "inhibit_rules: []", []point{skewed, consequence}, []string{"task_spill", "task_skew"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeople(t)
				run(t, notifyConfig(tt.config), p, nil, settings()).poll(time.Minute, tt.say...)
				told := p.told()
				require.Len(t, told, 1)
				assert.Equal(t, tt.want, rules(told[0]))
			})
		})
	}
}

// A flag that turns out to be a consequence is no longer told of, nor that it is over while it goes on.
func TestConsequenceThatIsFoundLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople(t)
		r := run(t, notifyConfig(webhookConfig), p, nil, settings())
		spill := point{rule: "task_spill", severity: 2}
		explained := with(spill, func(p *point) { p.cause = "task_skew" })
		r.poll(time.Minute, spill)
		require.Equal(t, []string{"task_spill"}, rules(p.told()[0]))
		r.poll(10*time.Minute, skew, explained)
		told := p.told()
		require.Len(t, told, 1)
		assert.Equal(t, []string{"task_skew"}, rules(told[0]))
		r.say(over(skew), over(explained))
		time.Sleep(10 * time.Minute)
		told = p.told()
		require.Len(t, told, 1)
		assert.Equal(t, "resolved", told[0].Status)
	})
}

func TestTimeIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the bubble begins on a Saturday at midnight
		p := newPeople(t)
		r := run(t, notifyConfig(`
route:
  receiver: people
  routes: [{matchers: [severity = severe], mute_time_intervals: [weekend]}]
receivers:
- name: people
  webhook_configs: [{url: http://people/}]
time_intervals:
- name: weekend
  time_intervals: [{weekdays: [saturday, sunday]}]
`), p, nil, settings())
		r.poll(47*time.Hour, skew)
		assert.Empty(t, p.told())
		r.poll(2*time.Hour, skew)
		assert.NotEmpty(t, p.told())
	})
}

func TestReceiverDownForAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople(t)
		r := run(t, notifyConfig(webhookConfig), p, nil, settings())
		p.answer(http.StatusServiceUnavailable)
		r.poll(90*time.Second, skew)
		assert.Empty(t, p.told())
		assert.Greater(t, p.requests, 1)
		p.answer(http.StatusOK)
		r.poll(time.Hour, skew)
		told := p.told()
		require.Len(t, told, 1, "nothing lost, nothing doubled")
		assert.Equal(t, "firing", told[0].Status)

		p.answer(http.StatusServiceUnavailable)
		r.say(over(skew))
		time.Sleep(6 * time.Minute)
		p.answer(http.StatusOK)
		time.Sleep(time.Hour)
		told = p.told()
		require.Len(t, told, 1)
		assert.Equal(t, "resolved", told[0].Status)
	})
}

func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople(t)
		d := newDisk()
		begun := time.Now()
		first := run(t, notifyConfig(webhookConfig), p, d, settings())
		spill := point{rule: "task_spill", severity: 2}
		first.poll(time.Minute, skew, spill)
		require.Len(t, p.told(), 1)
		first.stop()

		time.Sleep(2 * time.Minute)
		second := run(t, notifyConfig(webhookConfig), p, d, settings())
		second.poll(2*time.Hour, skew, spill)
		assert.Empty(t, p.told(), "a restart repeats nothing")

		second.stop()
		third := run(t, notifyConfig(webhookConfig), p, d, settings())
		third.poll(time.Minute, over(spill), skew) // spill was over while nobody listened
		third.poll(10*time.Minute, skew)
		told := p.told()
		require.Len(t, told, 1, "and forgets nothing")
		require.Len(t, told[0].Alerts, 2)
		for _, a := range told[0].Alerts {
			assert.True(t, begun.Equal(a.StartsAt))
		}
		assert.Equal(t, "resolved", told[0].Alerts[1].Status)

		third.stop()
		fourth := run(t, notifyConfig(webhookConfig), p, d, settings())
		time.Sleep(15 * time.Minute) // the application went away meanwhile
		told = p.told()
		require.Len(t, told, 1)
		assert.Equal(t, "resolved", told[0].Status)
		fourth.stop()
		for key, value := range d.values {
			if strings.HasPrefix(key, "alerts/") {
				assert.Equal(t, "{}", string(value), "nothing is kept of what is over")
			}
		}
	})
}

func TestKilledBetweenFlagAndNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople(t)
		d := newDisk()
		first := run(t, notifyConfig(webhookConfig), p, d, settings())
		first.say(skew)
		left := d.copy() // as kill -9 leaves it
		first.stop()
		require.Empty(t, p.told())

		second := run(t, notifyConfig(webhookConfig), p, left, settings())
		time.Sleep(time.Minute)
		require.Len(t, p.told(), 1, "before anybody said it again")
		left = left.copy()
		second.stop()

		third := run(t, notifyConfig(webhookConfig), p, left, settings())
		third.poll(time.Hour, skew)
		assert.Empty(t, p.told(), "once")
	})
}

func TestStorageThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set, tel := telemetrySettings(t)
		core, logs := observer.New(zap.WarnLevel)
		set.Logger = zap.New(core)
		p := newPeople(t)
		d := newDisk()
		d.fail = errors.New("no space left")
		r := run(t, notifyConfig(webhookConfig), p, d, set)
		r.say(skew)
		time.Sleep(time.Minute)
		assert.Len(t, p.told(), 1, "people matter more")
		assert.Equal(t, 1, logs.Len(), "one complaint")
		// The flag, the note of who was told, and the flag again twice: what was not taken is tried again.
		metadatatest.AssertEqualExporterAlertStorageFailures(t, tel, []metricdata.DataPoint[int64]{{Value: 4}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	})
}

func TestWhatHasNoEffectIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.WarnLevel)
		set := settings()
		set.Logger = zap.New(core)
		run(t, notifyConfig("global: {resolve_timeout: 1h}\ntracing: {endpoint: x}\nreceivers: [{name: nobody}]"), nil, nil, set)
		require.Equal(t, 1, logs.Len())
		assert.Equal(t, []any{"global.resolve_timeout", "tracing"}, logs.All()[0].ContextMap()["parts"])
	})
}

func TestStorageForgetsWhoWasTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople(t)
		d := newDisk()
		r := run(t, notifyConfig(webhookConfig), p, d, settings())
		r.say(skew)
		time.Sleep(time.Minute)
		kept := func() bool {
			for key, value := range d.copy().values {
				if strings.HasPrefix(key, "notifications/") && string(value) != "{}" {
					return true
				}
			}
			return false
		}
		assert.True(t, kept())
		time.Sleep(24 * time.Hour)
		assert.False(t, kept(), "twice the repeat_interval later")
	})
}

func TestBoundedState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set, tel := telemetrySettings(t)
		p := newPeople(t)
		cfg := notifyConfig(webhookConfig)
		cfg.MaxAlerts = 2
		r := run(t, cfg, p, nil, set)
		for i := range 20 {
			a, b := point{rule: "a", stage: string(rune('a' + i)), severity: 1}, point{rule: "b", severity: 1}
			r.say(a, b, point{rule: "dropped", severity: 4})
			time.Sleep(time.Second)
			r.say(over(a), b)
			time.Sleep(time.Second)
		}
		metadatatest.AssertEqualExporterAlertDropped(t, tel, []metricdata.DataPoint[int64]{{Value: 20}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
		metadatatest.AssertEqualExporterAlertActive(t, tel, []metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	})
}

func TestOddInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeople(t)
		r := run(t, notifyConfig(webhookConfig), p, nil, settings())
		md := flags(skew, point{rule: "as_double", severity: 2}, point{rule: "second", severity: 2})
		double := md.ResourceMetrics().At(1).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().At(0)
		double.SetDoubleValue(2)
		third := md.ResourceMetrics().At(2).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().AppendEmpty()
		third.Attributes().PutStr("anomaly.rule", "no_time_stamp")
		third.SetIntValue(9)
		nameless := md.ResourceMetrics().At(2).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().AppendEmpty()
		nameless.SetIntValue(4)
		sum := md.ResourceMetrics().At(2).ScopeMetrics().At(0).Metrics().AppendEmpty()
		sum.SetName("anomaly.severity")
		sum.SetEmptySum()

		all := pmetric.NewMetrics()
		all.ResourceMetrics().AppendEmpty() // drops nothing of the others
		md.ResourceMetrics().MoveAndAppendTo(all.ResourceMetrics())
		require.NoError(t, r.metrics.ConsumeMetrics(context.Background(), all))
		time.Sleep(time.Minute)
		told := p.told()
		require.Len(t, told, 1)
		assert.ElementsMatch(t, []string{"task_skew", "as_double", "second", "no_time_stamp"}, rules(told[0]))

		gone := flags(skew)
		gone.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().At(0).
			SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
		require.NoError(t, r.metrics.ConsumeMetrics(context.Background(), gone))
		time.Sleep(5 * time.Minute)
		told = p.told()
		require.NotEmpty(t, told)
		assert.Equal(t, "resolved", told[0].Alerts[0].Status, "a series that has ended is over")
	})
}

func TestSecretsAreNeitherLoggedNorShown(t *testing.T) {
	const secret = "s3cr3tPassw0rd"
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.DebugLevel)
		set := settings()
		set.Logger = zap.New(core)
		p := newPeople(t)
		p.answer(http.StatusInternalServerError)
		cfg := notifyConfig(`
global:
  slack_api_url: http://people/` + secret + `
  telegram_bot_token: ` + secret + `
receivers:
- name: people
  webhook_configs:
  - url: http://people/` + secret + `
    http_config: {basic_auth: {username: ann, password: ` + secret + `}}
  slack_configs: [{channel: "#x"}]
  pagerduty_configs: [{routing_key: ` + secret + `, url: http://people/}]
  opsgenie_configs: [{api_key: ` + secret + `, api_url: http://people/}]
  discord_configs: [{webhook_url: http://people/` + secret + `}]
  msteamsv2_configs: [{webhook_url: http://people/` + secret + `}]
`)
		r := run(t, cfg, p, nil, set)
		r.poll(10*time.Minute, skew)
		p.answer(http.StatusBadRequest)
		r.poll(20*time.Minute, skew)
		require.NotZero(t, logs.Len())
		encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
		for _, entry := range logs.All() {
			line, err := encoder.EncodeEntry(entry.Entry, entry.Context)
			require.NoError(t, err)
			assert.NotContains(t, line.String(), secret)
		}
	})
}
