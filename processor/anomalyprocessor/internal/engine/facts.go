package engine

import "encoding/binary"

// facts are what data points have told about one entity; they are rule.Facts.
type facts struct {
	engine *Engine
	entity *entity
	inputs []place
}

// Number returns an input: of the entity itself, else of its resource, or of another resource's entity that matches.
func (f *facts) Number(input int) (float64, bool) {
	p := &f.inputs[input]
	if p.match != nil {
		if found := f.lookup(p); found != nil {
			return found.knows(p.own, p)
		}
		return 0, false
	}
	if number, ok := f.entity.knows(p.own, p); ok {
		return number, true
	}
	if f.entity.kind == resourceKind {
		return 0, false
	}
	if shared := f.entity.source.entities[resourceEntityKey]; shared != nil {
		return shared.knows(p.shared, p)
	}
	return 0, false
}

// Attribute returns an attribute of the entity, or else of its resource.
func (f *facts) Attribute(name string) string { return f.entity.attribute(name) }

// resourceEntityKey is the key of the entity that is the resource itself.
var resourceEntityKey = string(binary.AppendUvarint(nil, resourceKind))

// lookup returns the entity of a lookup kind that matches, if anything is known of it.
func (f *facts) lookup(p *place) *entity {
	key, ok := appendEntityKey(append(f.engine.key[:0], 'l'), p.lookup, p.match,
		f.entity.attributes, f.entity.source.resource.Attributes())
	f.engine.key = key
	if !ok {
		return nil
	}
	if s := f.engine.sources[string(key)]; s != nil {
		return s.entities[""]
	}
	return nil
}
