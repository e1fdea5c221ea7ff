package track

// resolved is a set of ids that are handed out consecutively and in the long run all end up in the set: it keeps the
// id below which all are in it, and the few above.
type resolved struct {
	floor int
	above map[int]struct{}
}

func newResolved() resolved { return resolved{above: map[int]struct{}{}} }

func (r *resolved) has(id int) bool {
	if id < r.floor {
		return true
	}
	_, ok := r.above[id]
	return ok
}

func (r *resolved) add(id int) {
	if id < r.floor {
		return
	}
	r.above[id] = struct{}{}
	r.settle()
}

// raise puts all ids below floor into the set: they are known, or Spark has forgotten them.
func (r *resolved) raise(floor int) {
	if floor <= r.floor {
		return
	}
	r.floor = floor
	for id := range r.above {
		if id < floor {
			delete(r.above, id)
		}
	}
	r.settle()
}

func (r *resolved) settle() {
	for {
		if _, ok := r.above[r.floor]; !ok {
			return
		}
		delete(r.above, r.floor)
		r.floor++
	}
}
