package engine

import (
	"container/list"
	"encoding/binary"
	"math"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatautil"
	"go.opentelemetry.io/collector/pdata/pcommon"
	xentity "go.opentelemetry.io/collector/pdata/xpdata/entity"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/flag"
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

// tell takes the value of a point. Points of one poll are summed.
func (n *entity) tell(slot int, value float64) {
	f := &n.facts[slot]
	if f.poll == n.source.poll {
		value += f.value
	}
	*f = fact{value, n.source.poll}
	n.poll = n.source.poll
	n.source.unjudged = true
}

// knows returns a fact of the present poll. An optional one may be of the poll before, since it is no reason to judge
// without it that its part of the present poll has not arrived yet.
func (n *entity) knows(slot int, optional bool) (float64, bool) {
	f := n.facts[slot]
	return f.value, f.poll == n.source.poll || optional && f.poll+1 == n.source.poll
}

// gone tells whether what was last there in a poll is to be taken as gone.
func (s *source) gone(poll uint32) bool {
	return s.poll-poll >= absentPolls
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
