package engine

import (
	"cmp"
	"container/list"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/flag"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/rule"
)

// rootSpan is the name of the span that is an application; rules without an entity judge it.
const rootSpan = "spark.application"

// Spans judges spans by the same rules as Engine judges points. A span carries an input as the attribute that
// rule.Input.SpanAttribute names, or in its resource; where it carries only the parts that the input is the sum of,
// they are summed. It is safe for concurrent use.
type Spans struct {
	rules     []spanRule
	exact     map[string][]slot // by the name of the attribute
	parts     map[string][]slot // by the name of the attribute without its last part
	summary   []int
	slots     int
	telemetry *metadata.TelemetryBuilder

	mu    sync.Mutex
	facts spanFacts
	spent spending
}

// slot is where the value of an attribute is kept, unless its last part is left out.
type slot struct {
	index   int
	without map[string]string
}

type spanRule struct {
	*rule.Rule
	inputs []int // slots; -1 where spans cannot tell
}

// NewSpans returns a judge of spans by the rules, which it owns from then on. Until an application's span comes, it
// remembers what stages have cost, of at most so many applications.
func NewSpans(rules []*rule.Rule, maxApplications int, telemetry *metadata.TelemetryBuilder) *Spans {
	s := &Spans{
		exact: map[string][]slot{}, parts: map[string][]slot{}, telemetry: telemetry, spent: newSpending(maxApplications),
	}
	for _, r := range rules {
		judged := spanRule{Rule: r}
		for _, input := range r.Inputs {
			index := -1
			if len(input.Match) == 0 && !input.Growth {
				index = s.slot(input)
			}
			judged.inputs = append(judged.inputs, index)
		}
		s.rules = append(s.rules, judged)
	}
	for _, input := range summaryInputs {
		s.summary = append(s.summary, s.slot(input))
	}
	s.facts = spanFacts{numbers: make([]number, s.slots), parts: make([]number, s.slots)}
	return s
}

func (s *Spans) slot(input rule.Input) int {
	name, at := input.SpanAttribute(), slot{index: s.slots, without: input.Without}
	s.slots++
	s.exact[name] = append(s.exact[name], at)
	if len(input.Where) == 0 {
		s.parts[name] = append(s.parts[name], at)
	}
	return at.index
}

// Judge adds to spans what rules find: the flag as attributes, and every flag as an event. Nothing else is changed.
func (s *Spans) Judge(ctx context.Context, traces ptrace.Traces) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var judgements int64
	for _, resource := range traces.ResourceSpans().All() {
		s.facts.resource = resource.Resource().Attributes()
		for _, scope := range resource.ScopeSpans().All() {
			s.telemetry.ProcessorAnomalySpans.Add(ctx, int64(scope.Spans().Len()))
			for _, span := range scope.Spans().All() {
				judgements += s.judge(ctx, span)
			}
		}
	}
	s.telemetry.ProcessorAnomalyJudgements.Add(ctx, judgements)
}

func (s *Spans) judge(ctx context.Context, span ptrace.Span) (judgements int64) {
	f := &s.facts
	f.span = span.Attributes()
	root := span.Name() == rootSpan
	read := false
	var found []finding
	for i := range s.rules {
		r := &s.rules[i]
		if root != (len(r.Entity) == 0) || !f.has(r.Entity) {
			continue
		}
		applying := r.In(f.Attribute)
		if applying == nil || span.EndTimestamp().AsTime().Sub(span.StartTimestamp().AsTime()) < applying.For {
			continue
		}
		if !read {
			s.read()
			read = true
		}
		f.inputs = r.inputs
		verdict, ok := applying.Judge(f)
		if !ok {
			continue
		}
		judgements++
		if verdict.Severity == rule.None {
			continue
		}
		said := flag.Finding{Rule: r.Name, Entity: r.Entity, Verdict: verdict}
		said.Reason, said.Advice = applying.Words(f)
		found = append(found, finding{said, applying})
		s.telemetry.ProcessorAnomalyFlagsRaised.Add(ctx, 1, metric.WithAttributes(attribute.String(flag.RuleAttribute, r.Name)))
	}
	application := f.Attribute("spark.cluster.name") + "\x00" + f.Attribute("spark.application.id") + "\x00" + f.Attribute("spark.application.attempt.id")
	for i := range found {
		found[i].Cause = cause(found, found[i].rule)
		s.spent.add(application, found[i].rule.Spends, found[i].Verdict.Impact)
	}
	slices.SortStableFunc(found, func(a, b finding) int {
		return cmp.Or(cmp.Compare(len(a.Cause), len(b.Cause)), cmp.Compare(b.Verdict.Severity, a.Verdict.Severity),
			cmp.Compare(finiteOr0(b.Verdict.Impact), finiteOr0(a.Verdict.Impact)))
	})
	for i := range found {
		found[i].Put(span, i == 0)
	}
	if root && read {
		for _, part := range summary(func(i int) (float64, bool) { return f.at(s.summary[i]) }, s.spent.take(application)) {
			span.Attributes().PutDouble(flag.TimeMetric+"."+part.activity, part.seconds)
		}
	}
	return judgements
}

// finding is a flag of a span, and the rule by which it was found.
type finding struct {
	flag.Finding
	rule *rule.Rule
}

func cause(found []finding, r *rule.Rule) string {
	for _, likely := range r.CausedBy {
		if slices.ContainsFunc(found, func(f finding) bool { return f.Rule == likely }) {
			return likely
		}
	}
	return ""
}

// read takes the numbers among the attributes of the span and its resource.
func (s *Spans) read() {
	clear(s.facts.numbers)
	clear(s.facts.parts)
	for _, attributes := range []pcommon.Map{s.facts.resource, s.facts.span} {
		for name, value := range attributes.All() {
			var v float64
			switch value.Type() {
			case pcommon.ValueTypeInt:
				v = float64(value.Int())
			case pcommon.ValueTypeDouble:
				v = value.Double()
			default:
				continue
			}
			if !finite(v) {
				continue
			}
			for _, at := range s.exact[name] {
				s.facts.numbers[at.index] = number{v, true}
			}
			dot := strings.LastIndexByte(name, '.')
			if dot < 0 {
				continue
			}
			for _, at := range s.parts[name[:dot]] {
				if !slices.Contains(slices.Collect(maps.Values(at.without)), name[dot+1:]) {
					s.facts.parts[at.index] = number{s.facts.parts[at.index].value + v, true}
				}
			}
		}
	}
}

// spanFacts are what a span tells; they are rule.Facts.
type spanFacts struct {
	resource, span pcommon.Map
	numbers, parts []number // by slot: as told, and summed up from parts
	inputs         []int
}

type number struct {
	value float64
	known bool
}

// Number returns an input.
func (f *spanFacts) Number(input int) (float64, bool) {
	if f.inputs[input] < 0 {
		return 0, false
	}
	return f.at(f.inputs[input])
}

func (f *spanFacts) at(index int) (float64, bool) {
	if n := f.numbers[index]; n.known {
		return n.value, true
	}
	return f.parts[index].value, f.parts[index].known
}

// Attribute returns an attribute of the span or of its resource.
func (f *spanFacts) Attribute(name string) string {
	for _, from := range []pcommon.Map{f.span, f.resource} {
		if value, ok := from.Get(name); ok {
			return value.AsString()
		}
	}
	return ""
}

func (f *spanFacts) has(attributes []string) bool {
	for _, name := range attributes {
		if _, ok := f.span.Get(name); !ok {
			return false
		}
	}
	return true
}

// spending is what flags of stages have cost, by application, until the application's own span comes. It is bounded:
// the application that was first is forgotten first.
type spending struct {
	most  int
	spent map[string]map[rule.Activity]float64
	first *list.List // of the names of applications
}

func newSpending(most int) spending {
	return spending{most: most, spent: map[string]map[rule.Activity]float64{}, first: list.New()}
}

func (s *spending) add(application string, a rule.Activity, seconds float64) {
	if a == "" {
		return
	}
	if s.spent[application] == nil {
		if s.first.Len() == s.most {
			delete(s.spent, s.first.Remove(s.first.Front()).(string))
		}
		s.spent[application] = map[rule.Activity]float64{}
		s.first.PushBack(application)
	}
	s.spent[application][a] += finiteOr0(seconds)
}

// take returns what was spent, and forgets it.
func (s *spending) take(application string) func(rule.Activity) float64 {
	spent := s.spent[application]
	delete(s.spent, application)
	for e := s.first.Front(); e != nil && spent != nil; e = e.Next() {
		if e.Value == application {
			s.first.Remove(e)
			break
		}
	}
	return func(a rule.Activity) float64 { return spent[a] }
}
