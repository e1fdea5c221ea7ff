// Package polltest builds the metrics of a poll by hand, and reads the flags that came of it.
package polltest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/xpdata/entity"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/flag"
)

// Epoch is when time begins in tests.
var Epoch = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// Poll is what one poll tells, all at one time.
type Poll struct {
	Metrics pmetric.Metrics
	at      pcommon.Timestamp
}

// At returns an empty poll, so long after the epoch.
func At(seconds float64) *Poll {
	at := Epoch.Add(time.Duration(seconds * float64(time.Second)))
	return &Poll{Metrics: pmetric.NewMetrics(), at: pcommon.NewTimestampFromTime(at)}
}

// Resource is a resource in a poll.
type Resource struct {
	poll    *Poll
	metrics pmetric.ResourceMetrics
	scope   pmetric.ScopeMetrics
}

// Resource adds a resource with attributes, which are names and values in turn. Those in identity identify an entity.
func (p *Poll) Resource(identity []string, attributes ...any) *Resource {
	metrics := p.Metrics.ResourceMetrics().AppendEmpty()
	put(metrics.Resource().Attributes(), attributes)
	if identity != nil {
		ref := entity.ResourceEntityRefs(metrics.Resource()).AppendEmpty()
		ref.SetType("test")
		ref.IdKeys().FromRaw(identity)
	}
	return &Resource{poll: p, metrics: metrics, scope: metrics.ScopeMetrics().AppendEmpty()}
}

// Point adds a data point: a gauge's for a float64, a sum's for an int. The attributes are names and values in turn.
func (r *Resource) Point(metric string, value any, attributes ...any) *Resource {
	m := r.scope.Metrics().AppendEmpty()
	m.SetName(metric)
	var point pmetric.NumberDataPoint
	switch v := value.(type) {
	case float64:
		point = m.SetEmptyGauge().DataPoints().AppendEmpty()
		point.SetDoubleValue(v)
	case int:
		point = m.SetEmptySum().DataPoints().AppendEmpty()
		point.SetIntValue(int64(v))
	default:
		panic(fmt.Sprintf("%s: a point is a float64 or an int, not %T", metric, value))
	}
	point.SetTimestamp(r.poll.at)
	put(point.Attributes(), attributes)
	return r
}

func put(to pcommon.Map, attributes []any) {
	for i := 0; i < len(attributes); i += 2 {
		if err := to.PutEmpty(attributes[i].(string)).FromRaw(attributes[i+1]); err != nil {
			panic(err)
		}
	}
}

// Flag is a point of anomaly.severity, with that of anomaly.impact that belongs to it.
type Flag struct {
	Rule     string
	Severity int64
	// Impact is in seconds, -1 if there is none.
	Impact float64
	// Entity is the attributes that identify what is flagged: name=value, in order and with blanks between.
	Entity string
	// Resource is the attributes of the resource, written like Entity.
	Resource       string
	Reason, Advice string
	// Cause is the rule whose flag is the cause of this one.
	Cause string
	// At is since the epoch, in seconds.
	At float64
}

// Flags returns the flags in metrics, in the order of rules, entities and severities.
func Flags(metrics pmetric.Metrics) []Flag {
	var flags []Flag
	for _, resource := range metrics.ResourceMetrics().All() {
		for _, scope := range resource.ScopeMetrics().All() {
			impacts := map[string]float64{}
			for _, m := range scope.Metrics().All() {
				if m.Name() == flag.ImpactMetric {
					for _, point := range m.Gauge().DataPoints().All() {
						impacts[identity(point)+point.Timestamp().String()] = point.DoubleValue()
					}
				}
			}
			for _, m := range scope.Metrics().All() {
				if m.Name() != flag.SeverityMetric {
					continue
				}
				for _, point := range m.Gauge().DataPoints().All() {
					impact, ok := impacts[identity(point)+point.Timestamp().String()]
					if !ok {
						impact = -1
					}
					flags = append(flags, Flag{
						Rule:     text(point.Attributes(), flag.RuleAttribute),
						Severity: point.IntValue(),
						Impact:   impact,
						Entity:   identity(point)[len(text(point.Attributes(), flag.RuleAttribute))+1:],
						Resource: join(resource.Resource().Attributes()),
						Reason:   text(point.Attributes(), flag.ReasonAttribute),
						Advice:   text(point.Attributes(), flag.AdviceAttribute),
						Cause:    text(point.Attributes(), flag.CauseAttribute),
						At:       point.Timestamp().AsTime().Sub(Epoch).Seconds(),
					})
				}
			}
		}
	}
	slices.SortStableFunc(flags, func(a, b Flag) int {
		return strings.Compare(a.Rule+a.Entity+fmt.Sprint(a.Severity), b.Rule+b.Entity+fmt.Sprint(b.Severity))
	})
	return flags
}

// identity is what the points of one flag have in common: rule and entity.
func identity(point pmetric.NumberDataPoint) string {
	return text(point.Attributes(), flag.RuleAttribute) + " " +
		join(point.Attributes(), flag.RuleAttribute, flag.ReasonAttribute, flag.AdviceAttribute, flag.CauseAttribute)
}

func join(attributes pcommon.Map, without ...string) string {
	var parts []string
	for name, value := range attributes.All() {
		if !slices.Contains(without, name) {
			parts = append(parts, name+"="+value.AsString())
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

func text(attributes pcommon.Map, name string) string {
	value, ok := attributes.Get(name)
	if !ok {
		return ""
	}
	return value.AsString()
}
