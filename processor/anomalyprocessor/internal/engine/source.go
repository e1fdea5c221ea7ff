package engine

import (
	"container/list"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatautil"
	"go.opentelemetry.io/collector/pdata/pcommon"
	xentity "go.opentelemetry.io/collector/pdata/xpdata/entity"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/flag"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/rule"
)

// source is a resource that data comes from, or, for lookups, what any resource tells about one entity.
type source struct {
	key      string
	resource pcommon.Resource
	moved    *pcommon.Resource // as it was before its descriptive attributes changed, until flags have followed
	entities map[string]*entity

	// A poll is all points of one time; it may arrive in several calls.
	at   pcommon.Timestamp
	poll uint32

	// spent is what flags that are over have cost, by activity.
	spent map[rule.Activity]float64
	// was holds the rules whose flags were up at some time.
	was map[string]struct{}
	// summarized is the poll whose summary was written last.
	summarized uint32

	unjudged bool         // facts have come that were not judged yet
	writer   *flag.Writer // for the call that goes on, else nil
}

// entity is what is judged, with what is known of it.
type entity struct {
	source     *source
	key        string
	kind       int
	attributes pcommon.Map
	facts      []fact
	poll       uint32 // in which it last had a fact
	verdicts   []verdict
	seen       time.Time
	recent     *list.Element
}

type fact struct {
	value float64
	poll  uint32
}

// verdict is what became of one rule of the entity's kind.
type verdict struct {
	rule *rule.Rule // with the numbers that apply to the entity; nil where it is switched off for it
	flag flag.Flag
	poll uint32 // in which the inputs last were there
}

// firstPoll leaves room for the poll before it, in which nothing was known: facts begin with poll 0.
const firstPoll = 2

func newSource(key []byte) *source {
	return &source{key: string(key), resource: pcommon.NewResource(), entities: map[string]*entity{}, poll: firstPoll}
}

// absentPolls is after how many polls without it something that was there is taken to be gone: one more than a poll
// that may still be arriving.
const absentPolls = 2

// tell takes the value of a point.
func (n *entity) tell(t *target, slot int, value float64) {
	f := &n.facts[slot]
	if f.poll == n.source.poll {
		switch t.take {
		case rule.Max:
			value = max(value, f.value)
		case rule.Min:
			value = min(value, f.value)
		default:
			value += f.value
		}
	} else if t.growth && f.poll > 0 {
		n.settle(slot)
	}
	*f = fact{value, n.source.poll}
	n.poll = n.source.poll
	n.source.unjudged = true
}

// settle notes the value of the poll before, and in the slots behind it where it has grown from.
func (n *entity) settle(slot int) {
	settled, before, start := n.facts[slot], &n.facts[slot+1], &n.facts[slot+2]
	if before.poll == 0 || settled.value < before.value {
		*start = settled
	}
	*before = settled
}

// growth returns what a value has grown by since it last fell.
func (n *entity) growth(slot int) float64 {
	value, before, start := n.facts[slot].value, n.facts[slot+1], n.facts[slot+2]
	if before.poll == 0 || value < before.value {
		return 0
	}
	return value - start.value
}

// knows returns a fact of the present poll. An optional one may be of the poll before, since it is no reason to judge
// without it that its part of the present poll has not arrived yet.
func (n *entity) knows(slot int, p *place) (float64, bool) {
	f := n.facts[slot]
	known := f.poll == n.source.poll || p.optional && f.poll > 0 && f.poll+1 == n.source.poll
	if p.growth && known {
		return n.growth(slot), true
	}
	return f.value, known
}

// gone tells whether what was last there in a poll is to be taken as gone.
func (s *source) gone(poll uint32) bool {
	return s.poll-poll >= absentPolls
}

// attribute returns an attribute of the entity, or else of its resource.
func (n *entity) attribute(name string) string {
	for _, from := range []pcommon.Map{n.attributes, n.source.resource.Attributes()} {
		if value, ok := from.Get(name); ok {
			return value.AsString()
		}
	}
	return ""
}

// cause returns the rule whose flag is the cause of the flag of another: one of the same entity, or of one of another
// kind in the same resource, such as the application for a stage. What is flagged of the application as a whole may
// also come from what is over.
func (s *source) cause(n *entity, r *rule.Rule) string {
	best := len(r.CausedBy)
	if n.kind == resourceKind {
		if i := slices.IndexFunc(r.CausedBy, func(name string) bool { _, was := s.was[name]; return was }); i >= 0 {
			best = i
		}
	}
	for _, other := range s.entities {
		if best == 0 || other != n && other.kind == n.kind {
			continue
		}
		for i := range other.verdicts {
			if f := &other.verdicts[i].flag; f.Raised() {
				if likely := slices.Index(r.CausedBy[:best], f.Rule); likely >= 0 {
					best = likely
				}
			}
		}
	}
	if best == len(r.CausedBy) {
		return ""
	}
	return r.CausedBy[best]
}

func (n *entity) flagged() bool {
	for i := range n.verdicts {
		if n.verdicts[i].flag.Raised() {
			return true
		}
	}
	return false
}

// appendResourceKey appends what identifies the resource: the identifying attributes of its entities where it says
// which they are, else all attributes.
func appendResourceKey(key []byte, resource pcommon.Resource) []byte {
	refs := xentity.ResourceEntityRefs(resource)
	if refs.Len() == 0 {
		hash := pdatautil.MapHash(resource.Attributes())
		return append(append(key, 'r'), hash[:]...)
	}
	key = append(key, 'e')
	for i := range refs.Len() {
		key = appendString(key, refs.At(i).Type())
		ids := refs.At(i).IdKeys()
		for j := range ids.Len() {
			if value, ok := resource.Attributes().Get(ids.At(j)); ok {
				key = appendValue(key, value)
			}
		}
	}
	return key
}

// appendEntityKey appends the values of a kind's attributes; false if the point lacks one of them.
func appendEntityKey(key []byte, kind int, names []string, attributes ...pcommon.Map) ([]byte, bool) {
	key = binary.AppendUvarint(key, uint64(kind))
next:
	for _, name := range names {
		for _, from := range attributes {
			if value, ok := from.Get(name); ok {
				key = appendValue(key, value)
				continue next
			}
		}
		return key, false
	}
	return key, true
}

func appendValue(key []byte, value pcommon.Value) []byte {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		return appendString(append(key, 's'), value.Str())
	case pcommon.ValueTypeInt:
		return binary.AppendVarint(append(key, 'i'), value.Int())
	default:
		return appendString(append(key, byte(value.Type())), value.AsString())
	}
}

func appendString(key []byte, s string) []byte {
	return append(binary.AppendUvarint(key, uint64(len(s))), s...)
}

// finite tells whether a point has a value to judge by.
func finite(value float64) bool {
	return !math.IsNaN(value) && !math.IsInf(value, 0)
}
