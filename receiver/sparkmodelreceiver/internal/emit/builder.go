// Package emit turns what was tracked and read into OTLP metrics, spans and events: one Resource for each application
// attempt and, for metrics, one for each YARN cluster. It makes no requests and keeps no state between polls.
package emit

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

// Options of a Builder.
type Options struct {
	// Cluster names the cluster in every identity.
	Cluster string
	// MinStageDuration and MaxStages bound which stages get data points of their own.
	MinStageDuration time.Duration
	MaxStages        int
	// ChildOfParent makes an application's spans part of the trace that it was submitted from, if one is named; else
	// they only link to it.
	ChildOfParent bool
}

// Builder builds what one poll emits.
type Builder struct {
	mb                 *metadata.MetricsBuilder
	resourceAttributes metadata.ResourceAttributesConfig
	version            string
	cluster            string
	minStageDuration   time.Duration
	maxStages          int
	childOfParent      bool
	ts                 pcommon.Timestamp
	collected          pmetric.Metrics
}

// NewBuilder returns a builder of the metrics that the configuration enables.
func NewBuilder(config metadata.MetricsBuilderConfig, settings receiver.Settings, o Options) *Builder {
	return &Builder{
		mb:                 metadata.NewMetricsBuilder(config, settings),
		resourceAttributes: config.ResourceAttributes, version: settings.BuildInfo.Version,
		cluster: o.Cluster, minStageDuration: o.MinStageDuration, maxStages: o.MaxStages, childOfParent: o.ChildOfParent,
		collected: pmetric.NewMetrics(),
	}
}

// Begin starts a poll: its data points carry the given time.
func (b *Builder) Begin(now time.Time) { b.ts = pcommon.NewTimestampFromTime(now) }

// Points is how many data points Metrics would return.
func (b *Builder) Points() int { return b.collected.DataPointCount() }

// Metrics returns what was added since the last time.
func (b *Builder) Metrics() pmetric.Metrics {
	md := b.collected
	b.collected = pmetric.NewMetrics()
	return md
}

// collect takes the resource that was built last, with the times at which its running totals began, and with attributes
// that are not its entity's own.
func (b *Builder) collect(s starts, more ...pcommon.Map) {
	rms := b.built()
	for _, rm := range rms.All() {
		for _, attributes := range more {
			for name, v := range attributes.All() {
				v.CopyTo(rm.Resource().Attributes().PutEmpty(name))
			}
			removeUnknown(rm.Resource())
		}
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			points := numberDataPoints(m)
			if m.Type() == pmetric.MetricTypeSum {
				points.RemoveIf(negative)
			}
			for _, dp := range points.All() {
				s.stamp(dp, m.Type())
				shorten(dp.Attributes())
			}
		}
	}
	rms.MoveAndAppendTo(b.collected.ResourceMetrics())
}

// collectStale takes the resource that was built last as the end of its series. Each point gets a metric of its own:
// the Prometheus exporter removes the series of a metric's first stale point only (prometheusexporter v0.158.0).
func (b *Builder) collectStale() {
	rms := b.built()
	for _, rm := range rms.All() {
		metrics := rm.ScopeMetrics().At(0).Metrics()
		single := pmetric.NewMetricSlice()
		for _, m := range metrics.All() {
			for _, dp := range numberDataPoints(m).All() {
				one := single.AppendEmpty()
				one.SetName(m.Name())
				one.SetUnit(m.Unit())
				one.SetDescription(m.Description())
				into := one.SetEmptyGauge().DataPoints()
				if m.Type() == pmetric.MetricTypeSum {
					sum := one.SetEmptySum()
					sum.SetIsMonotonic(m.Sum().IsMonotonic())
					sum.SetAggregationTemporality(m.Sum().AggregationTemporality())
					into = sum.DataPoints()
				}
				point := into.AppendEmpty()
				dp.Attributes().CopyTo(point.Attributes())
				point.SetTimestamp(dp.Timestamp())
				point.SetFlags(point.Flags().WithNoRecordedValue(true))
			}
		}
		single.CopyTo(metrics)
	}
	rms.MoveAndAppendTo(b.collected.ResourceMetrics())
}

// built returns the resource that was built last, without attributes of which nothing is known.
func (b *Builder) built() pmetric.ResourceMetricsSlice {
	rms := b.mb.Emit().ResourceMetrics()
	for _, rm := range rms.All() {
		removeUnknown(rm.Resource())
		shorten(rm.Resource().Attributes())
	}
	return rms
}

// negative tells whether a point says that there is less than nothing: servers write -1 where they know no number.
func negative(dp pmetric.NumberDataPoint) bool { return dp.IntValue() < 0 || dp.DoubleValue() < 0 }

// shorten cuts what users name, which may be of any length.
func shorten(attributes pcommon.Map) {
	for name, v := range attributes.All() {
		if v.Type() == pcommon.ValueTypeStr && len(v.Str()) > maxMessage {
			attributes.PutStr(name, cut(v.Str(), maxMessage))
		}
	}
}

// removeUnknown removes the attributes of which nothing is known.
func removeUnknown(resource pcommon.Resource) {
	resource.Attributes().RemoveIf(func(name string, v pcommon.Value) bool {
		return name != attemptAttribute && v.AsString() == ""
	})
}

// attemptAttribute is part of an application's identity even where it is empty.
const attemptAttribute = "spark.application.attempt.id"

// starts are the times at which the running totals of a resource began.
type starts struct {
	resource  pcommon.Timestamp
	executors map[string]pcommon.Timestamp
	stages    map[track.StageKey]pcommon.Timestamp
	// nameNodes and dataNodes are nil but for a file system, whose totals begin with one of them each.
	nameNodes map[string]pcommon.Timestamp
	dataNodes map[string]pcommon.Timestamp
}

func startTimes(app *track.Application) starts {
	s := starts{
		resource:  pcommon.NewTimestampFromTime(app.Submitted),
		executors: map[string]pcommon.Timestamp{},
		stages:    map[track.StageKey]pcommon.Timestamp{},
	}
	for _, e := range app.Executors() {
		if !e.AddTime.IsZero() {
			s.executors[e.ID] = pcommon.NewTimestampFromTime(e.AddTime.Time)
		}
	}
	for _, list := range [][]*track.Stage{app.ActiveStages(), app.UndeliveredStages()} {
		for _, st := range list {
			if !st.SubmissionTime.IsZero() {
				s.stages[st.Key()] = pcommon.NewTimestampFromTime(st.SubmissionTime.Time)
			}
		}
	}
	return s
}

// stamp gives sums the start time of their executor, stage or resource; gauges have none.
func (s starts) stamp(dp pmetric.NumberDataPoint, t pmetric.MetricType) {
	if t == pmetric.MetricTypeSum {
		dp.SetStartTimestamp(s.of(dp.Attributes()))
	} else {
		dp.SetStartTimestamp(0)
	}
}

func numberDataPoints(m pmetric.Metric) pmetric.NumberDataPointSlice {
	if m.Type() == pmetric.MetricTypeSum {
		return m.Sum().DataPoints()
	}
	return m.Gauge().DataPoints()
}

func (s starts) of(attributes pcommon.Map) pcommon.Timestamp {
	if name, ok := attributes.Get("hdfs.namenode.name"); ok {
		return s.nameNodes[name.Str()]
	}
	if name, ok := attributes.Get("hdfs.datanode.name"); ok {
		return s.dataNodes[name.Str()]
	}
	if id, ok := attributes.Get("spark.executor.id"); ok {
		if start, ok := s.executors[id.Str()]; ok {
			return start
		}
	}
	if id, ok := attributes.Get("spark.stage.id"); ok {
		attempt, _ := attributes.Get("spark.stage.attempt.id")
		if start, ok := s.stages[track.StageKey{ID: int(id.Int()), Attempt: int(attempt.Int())}]; ok {
			return start
		}
	}
	return s.resource
}
