package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/rule"
)

// plan says which data points the rules need and where each one's value is kept.
type plan struct {
	readers map[string][]reader // by the name of the metric
	kinds   []kind
	summary []int // where the resource keeps the inputs of the summary
}

// kind is a kind of entity: all that are identified by the same attributes.
type kind struct {
	attributes []string
	facts      int // how many values an entity of the kind keeps
	judges     []judge
}

// resourceKind is the index of the kind without attributes: the resource itself. It also keeps what all other
// entities of the resource share.
const resourceKind = 0

// judge is a rule and where its inputs are kept.
type judge struct {
	rule   *rule.Rule
	inputs []place
}

// place is where an input is kept: in the entity itself, else in its resource; or, where match is set, in what another
// resource told about the entity of a lookup kind.
type place struct {
	own, shared int
	optional    bool
	growth      bool
	lookup      int
	match       []string // attributes of what is judged, one for each attribute of the lookup kind
}

// reader takes points of a metric that are inputs.
type reader struct {
	where, without []selector
	targets        []target
}

type selector struct {
	attribute, value string
}

// target is where a point's value is kept.
type target struct {
	kind        int
	lookup      bool // the kind's attributes may also be the resource's, and the entity is none of the resource's own
	own, shared int
	take        rule.Take
	growth      bool
}

func newPlan(rules []*rule.Rule) *plan {
	b := planBuilder{
		plan:    &plan{readers: map[string][]reader{}, kinds: []kind{{}}},
		kinds:   map[string]int{"": resourceKind},
		targets: map[string]target{},
	}
	for _, r := range rules {
		b.add(r)
	}
	for _, input := range summaryInputs {
		b.summary = append(b.summary, b.target(input, resourceKind, false).own)
	}
	return b.plan
}

type planBuilder struct {
	*plan
	kinds   map[string]int
	targets map[string]target // by input and kind, so that rules with the same input share it
}

func (b *planBuilder) add(r *rule.Rule) {
	judged := b.kind("", r.Entity)
	j := judge{rule: r}
	for _, input := range r.Inputs {
		p := place{optional: input.Default != nil, growth: input.Growth}
		if len(input.Match) == 0 {
			t := b.target(input, judged, false)
			p.own, p.shared = t.own, t.shared
		} else {
			attributes := slices.Sorted(maps.Keys(input.Match))
			p.lookup = b.kind("lookup", attributes)
			p.own = b.target(input, p.lookup, true).own
			for _, attribute := range attributes {
				p.match = append(p.match, input.Match[attribute])
			}
		}
		j.inputs = append(j.inputs, p)
	}
	b.plan.kinds[judged].judges = append(b.plan.kinds[judged].judges, j)
}

func (b *planBuilder) kind(use string, attributes []string) int {
	id := use + strings.Join(attributes, "\x00")
	index, ok := b.kinds[id]
	if !ok {
		index = len(b.plan.kinds)
		b.kinds[id] = index
		b.plan.kinds = append(b.plan.kinds, kind{attributes: attributes})
	}
	return index
}

func (b *planBuilder) target(input rule.Input, kind int, lookup bool) target {
	where, without := selectors(input.Where), selectors(input.Without)
	id := fmt.Sprintf("%q %d %q %q %s %t", input.Metric, kind, where, without, input.Take, input.Growth)
	t, ok := b.targets[id]
	if ok {
		return t
	}
	t = target{kind: kind, lookup: lookup, own: b.slot(kind, input.Growth), take: input.Take, growth: input.Growth}
	t.shared = t.own
	if kind != resourceKind && !lookup {
		t.shared = b.slot(resourceKind, input.Growth)
	}
	b.targets[id] = t

	readers := b.readers[input.Metric]
	i := slices.IndexFunc(readers, func(r reader) bool {
		return slices.Equal(r.where, where) && slices.Equal(r.without, without)
	})
	if i < 0 {
		i = len(readers)
		readers = append(readers, reader{where: where, without: without})
	}
	readers[i].targets = append(readers[i].targets, t)
	b.readers[input.Metric] = readers
	return t
}

// slot reserves where a value is kept, and behind it what its growth is told from.
func (b *planBuilder) slot(kind int, growth bool) int {
	slot := b.plan.kinds[kind].facts
	b.plan.kinds[kind].facts++
	if growth {
		b.plan.kinds[kind].facts += 2
	}
	return slot
}

func selectors(attributes map[string]string) []selector {
	var list []selector
	for _, attribute := range slices.Sorted(maps.Keys(attributes)) {
		list = append(list, selector{attribute, attributes[attribute]})
	}
	return list
}

func (r *reader) selects(attributes pcommon.Map) bool {
	for i := range r.where {
		if !r.where[i].fits(attributes) {
			return false
		}
	}
	for i := range r.without {
		if r.without[i].fits(attributes) {
			return false
		}
	}
	return true
}

func (s *selector) fits(attributes pcommon.Map) bool {
	value, ok := attributes.Get(s.attribute)
	if !ok {
		return false
	}
	if value.Type() == pcommon.ValueTypeStr {
		return value.Str() == s.value
	}
	return value.AsString() == s.value
}
