// Package engine judges data points by rules: it remembers what is known of each entity, asks the rules at each poll,
// and lets flags live and end. Its state is bounded.
package engine

import (
	"container/list"
	"context"
	"encoding/binary"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/flag"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/rule"
)

// Engine judges the metrics that it is shown. It is safe for concurrent use.
type Engine struct {
	plan        *plan
	maxEntities int
	telemetry   *metadata.TelemetryBuilder
	now         func() time.Time

	mu      sync.Mutex
	sources map[string]*source
	recent  *list.List // of *entity, the last seen first
	call    call       // that goes on
	key     []byte     // scratch
	facts   facts      // scratch
}

// call is what one call needs and counts.
type call struct {
	metrics    pmetric.Metrics
	now        time.Time
	unjudged   []*source
	written    []*source // whose writer is of this call
	judgements int64
	evicted    int64
	raised     []string // names of rules
}

// New returns an engine for the rules, which it owns from then on. It keeps the state of at most so many entities.
func New(rules []*rule.Rule, maxEntities int, telemetry *metadata.TelemetryBuilder, now func() time.Time) *Engine {
	return &Engine{
		now:         now,
		plan:        newPlan(rules),
		maxEntities: maxEntities,
		telemetry:   telemetry,
		sources:     map[string]*source{},
		recent:      list.New(),
	}
}

// Entities returns how many entities the engine keeps.
func (e *Engine) Entities() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.recent.Len()
}

// Judge reads the metrics and appends the points of flags to them; what is in them already stays as it is.
func (e *Engine) Judge(ctx context.Context, metrics pmetric.Metrics) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.begin(metrics)
	defer e.end(ctx)

	points := 0
	resources := metrics.ResourceMetrics()
	for i, n := 0, resources.Len(); i < n; i++ {
		points += e.read(resources.At(i))
	}
	for _, s := range e.call.unjudged {
		e.judge(s)
	}
	e.telemetry.ProcessorAnomalyPoints.Add(ctx, int64(points))
}

// Expire ends the flags of entities that were not seen for so long, drops their state, and returns the points to
// send, which may be none.
func (e *Engine) Expire(ctx context.Context, after time.Duration) pmetric.Metrics {
	e.mu.Lock()
	defer e.mu.Unlock()
	ended := pmetric.NewMetrics()
	e.begin(ended)
	defer e.end(ctx)

	for oldest := e.recent.Back(); oldest != nil; oldest = e.recent.Back() {
		n := oldest.Value.(*entity)
		if e.call.now.Sub(n.seen) < after {
			break
		}
		e.drop(n, pcommon.NewTimestampFromTime(e.call.now))
	}
	return ended
}

func (e *Engine) begin(metrics pmetric.Metrics) {
	e.call.metrics, e.call.now = metrics, e.now()
}

// end counts what was done, and lets go of the metrics.
func (e *Engine) end(ctx context.Context) {
	e.telemetry.ProcessorAnomalyJudgements.Add(ctx, e.call.judgements)
	e.telemetry.ProcessorAnomalyEntitiesEvicted.Add(ctx, e.call.evicted)
	for _, name := range e.call.raised {
		e.telemetry.ProcessorAnomalyFlagsRaised.Add(ctx, 1, metric.WithAttributes(attribute.String(flag.RuleAttribute, name)))
	}
	for _, s := range e.call.written {
		s.writer = nil
	}
	clear(e.call.unjudged)
	clear(e.call.written)
	e.call = call{unjudged: e.call.unjudged[:0], written: e.call.written[:0]}
}

// read remembers the facts in one resource and returns how many points it has.
func (e *Engine) read(resource pmetric.ResourceMetrics) (points int) {
	var s *source
	for i := range resource.ScopeMetrics().Len() {
		metrics := resource.ScopeMetrics().At(i).Metrics()
		for j := range metrics.Len() {
			m := metrics.At(j)
			var numbers pmetric.NumberDataPointSlice
			switch m.Type() {
			case pmetric.MetricTypeGauge:
				numbers = m.Gauge().DataPoints()
			case pmetric.MetricTypeSum:
				numbers = m.Sum().DataPoints()
			case pmetric.MetricTypeHistogram:
				points += m.Histogram().DataPoints().Len()
				continue
			case pmetric.MetricTypeExponentialHistogram:
				points += m.ExponentialHistogram().DataPoints().Len()
				continue
			case pmetric.MetricTypeSummary:
				points += m.Summary().DataPoints().Len()
				continue
			default:
				continue
			}
			points += numbers.Len()
			readers := e.plan.readers[m.Name()]
			if len(readers) == 0 {
				continue
			}
			if s == nil {
				s = e.source(resource)
			}
			for k := range numbers.Len() {
				e.readPoint(s, readers, numbers.At(k))
			}
		}
	}
	return points
}

// source returns the source of a resource, ready to be written to.
func (e *Engine) source(metrics pmetric.ResourceMetrics) *source {
	e.key = appendResourceKey(e.key[:0], metrics.Resource())
	s := e.sources[string(e.key)]
	if s == nil {
		s = newSource(e.key)
		metrics.Resource().CopyTo(s.resource)
	}
	if !s.resource.Attributes().Equal(metrics.Resource().Attributes()) {
		if s.moved == nil {
			old := s.resource
			s.moved = &old
		}
		s.resource = pcommon.NewResource()
		metrics.Resource().CopyTo(s.resource)
		s.writer = nil
	}
	if s.writer == nil {
		e.write(s, metrics)
	}
	return s
}

// write makes the metrics the place where the source's flags are written to in this call.
func (e *Engine) write(s *source, metrics pmetric.ResourceMetrics) {
	s.writer = flag.NewWriter(metrics)
	e.call.written = append(e.call.written, s)
}

func (e *Engine) readPoint(s *source, readers []reader, point pmetric.NumberDataPoint) {
	value := point.DoubleValue()
	if point.ValueType() == pmetric.NumberDataPointValueTypeInt {
		value = float64(point.IntValue())
	}
	if point.Flags().NoRecordedValue() || point.ValueType() == pmetric.NumberDataPointValueTypeEmpty || !finite(value) {
		return
	}
	attributes := point.Attributes()
	for i := range readers {
		if !readers[i].selects(attributes) {
			continue
		}
		for j := range readers[i].targets {
			t := &readers[i].targets[j]
			from, kind, slot := s, t.kind, t.own
			names := e.plan.kinds[t.kind].attributes
			if t.lookup {
				var ok bool
				if e.key, ok = appendEntityKey(append(e.key[:0], 'l'), kind, names, attributes, s.resource.Attributes()); !ok {
					continue
				}
				if from = e.sources[string(e.key)]; from == nil {
					from = newSource(e.key)
				}
				e.key = e.key[:0]
			} else {
				var ok bool
				if e.key, ok = appendEntityKey(e.key[:0], kind, names, attributes); !ok {
					kind, slot = resourceKind, t.shared
					e.key = binary.AppendUvarint(e.key[:0], resourceKind)
				}
			}
			if e.advance(from, point.Timestamp()) {
				e.entity(from, kind, attributes).tell(t, slot, value)
			}
		}
	}
}

// advance takes a source to the time of a point, and returns false if the point is older than what is known.
func (e *Engine) advance(s *source, at pcommon.Timestamp) bool {
	if at > s.at {
		e.judge(s)
		s.at = at
		s.poll++
	}
	if at == s.at && !s.unjudged {
		e.call.unjudged = append(e.call.unjudged, s)
	}
	return at == s.at
}

// entity returns the source's entity under the scratch key.
func (e *Engine) entity(s *source, kind int, attributes pcommon.Map) *entity {
	n := s.entities[string(e.key)]
	if n == nil {
		n = e.addEntity(s, kind, attributes)
	}
	if n.seen != e.call.now {
		n.seen = e.call.now
		e.recent.MoveToFront(n.recent)
	}
	return n
}

func (e *Engine) addEntity(s *source, kind int, attributes pcommon.Map) *entity {
	k := e.plan.kinds[kind]
	n := &entity{
		source:     s,
		key:        string(e.key),
		kind:       kind,
		attributes: pcommon.NewMap(),
		facts:      make([]fact, k.facts),
		verdicts:   make([]verdict, len(k.judges)),
	}
	for _, name := range k.attributes {
		if value, ok := attributes.Get(name); ok {
			value.CopyTo(n.attributes.PutEmpty(name))
		}
	}
	for i := range n.verdicts {
		n.verdicts[i].flag = flag.Flag{Rule: k.judges[i].rule.Name, Entity: n.attributes}
	}
	e.pick(n)
	s.entities[n.key] = n
	e.sources[s.key] = s
	n.recent = e.recent.PushFront(n)
	if e.recent.Len() > e.maxEntities {
		oldest := e.recent.Back().Value.(*entity)
		e.drop(oldest, oldest.source.at)
		e.call.evicted++
	}
	return n
}

// pick chooses the numbers by which the entity is judged.
func (e *Engine) pick(n *entity) {
	judges := e.plan.kinds[n.kind].judges
	for i := range judges {
		n.verdicts[i].rule = judges[i].rule.In(n.attribute)
	}
}

// drop ends the flags of an entity and forgets it.
func (e *Engine) drop(n *entity, at pcommon.Timestamp) {
	s := n.source
	if n.flagged() {
		w := e.writer(s)
		for i := range n.verdicts {
			n.verdicts[i].end(s, w, at)
		}
	}
	e.recent.Remove(n.recent)
	delete(s.entities, n.key)
	if len(s.entities) == 0 {
		delete(e.sources, s.key)
	}
}

// writer returns the writer for a source in the call that goes on, which may not have had data of the source.
func (e *Engine) writer(s *source) *flag.Writer {
	if s.writer == nil {
		e.write(s, e.appendResource(s.resource))
	}
	return s.writer
}

func (e *Engine) appendResource(resource pcommon.Resource) pmetric.ResourceMetrics {
	metrics := e.call.metrics.ResourceMetrics().AppendEmpty()
	resource.CopyTo(metrics.Resource())
	return metrics
}

// judge asks the rules about all entities of a source, if there are new facts.
func (e *Engine) judge(s *source) {
	if !s.unjudged {
		return
	}
	s.unjudged = false
	e.follow(s)
	for _, n := range s.entities {
		judges := e.plan.kinds[n.kind].judges
		for i := range judges {
			e.judgeEntity(n, &judges[i], &n.verdicts[i])
		}
		if s.gone(n.poll) {
			e.drop(n, s.at)
		}
	}
	for _, n := range s.entities {
		for i := range n.verdicts {
			if v := &n.verdicts[i]; v.flag.Raised() {
				if len(v.rule.CausedBy) > 0 {
					v.flag.Blame(s.writer, s.at, s.cause(n, v.rule))
				}
				v.flag.Repeat(s.writer, s.at)
			}
		}
	}
	e.summarize(s)
}

func (e *Engine) judgeEntity(n *entity, j *judge, v *verdict) {
	s := n.source
	e.facts = facts{engine: e, entity: n, inputs: j.inputs}
	if n.poll == s.poll && v.rule != nil {
		if found, ok := v.rule.Judge(&e.facts); ok {
			e.call.judgements++
			v.poll = s.poll
			if found.Severity == rule.None {
				v.end(s, s.writer, s.at)
				return
			}
			words := func() (reason, advice string) { return v.rule.Words(&e.facts) }
			if v.flag.Judged(s.writer, s.at, found, v.rule.For, words) {
				e.call.raised = append(e.call.raised, v.rule.Name)
				s.rose(v.rule.Name)
			}
			return
		}
	}
	if s.gone(v.poll) || v.rule == nil {
		v.end(s, s.writer, s.at)
	}
}

// end takes the flag down, and remembers what it has cost.
func (v *verdict) end(s *source, w *flag.Writer, at pcommon.Timestamp) {
	if v.flag.Raised() && v.rule != nil {
		s.spend(v.rule.Spends, v.flag.Impact())
	}
	v.flag.End(w, at)
}

// follow ends the flags in the resource as it was, if its attributes have changed.
func (e *Engine) follow(s *source) {
	if s.moved == nil {
		return
	}
	old := *s.moved
	s.moved = nil
	var w *flag.Writer
	for _, n := range s.entities {
		e.pick(n)
		if !n.flagged() {
			continue
		}
		if w == nil {
			w = flag.NewWriter(e.appendResource(old))
		}
		for i := range n.verdicts {
			n.verdicts[i].flag.Moved(w, s.at)
		}
	}
}
