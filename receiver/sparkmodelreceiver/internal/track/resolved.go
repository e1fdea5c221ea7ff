package track

import (
	"cmp"
	"slices"
)

// resolved is a set of ids that are handed out consecutively and in the long run all end up in the set: ranges that
// neither touch nor overlap, in their order. It is as large as there are gaps.
type resolved []idRange

// idRange holds the ids from First to Last.
type idRange struct {
	First int `json:"first"`
	Last  int `json:"last"`
}

func (r resolved) has(id int) bool {
	_, found := r.find(id)
	return found
}

// find returns the range that id is in, else the one before which it belongs.
func (r resolved) find(id int) (index int, found bool) {
	return slices.BinarySearchFunc(r, id, func(x idRange, id int) int {
		if x.First <= id && id <= x.Last {
			return 0
		}
		return cmp.Compare(x.First, id)
	})
}

func (r *resolved) add(id int) { r.addRange(id, id) }

// raise puts all ids below floor into the set: they are known, or Spark has forgotten them.
func (r *resolved) raise(floor int) {
	if floor > 0 {
		r.addRange(0, floor-1)
	}
}

func (r *resolved) addRange(first, last int) {
	from, _ := r.find(first)
	if from > 0 && (*r)[from-1].Last == first-1 {
		from--
	}
	to := from
	for ; to < len(*r) && (*r)[to].First <= last+1; to++ {
		first, last = min(first, (*r)[to].First), max(last, (*r)[to].Last)
	}
	*r = slices.Replace(*r, from, to, idRange{first, last})
}
