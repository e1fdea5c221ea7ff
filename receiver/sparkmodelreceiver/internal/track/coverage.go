package track

import (
	"slices"
	"sort"
	"time"
)

// maxIntervals bounds the intervals of a coverage; the older half of more is kept as a sum.
const maxIntervals = 2000

// coverage is the time that a set of intervals covers, each moment once.
type coverage struct {
	// folded is how much is covered before floor.
	folded time.Duration
	floor  time.Time
	// intervals are apart from each other, and in order.
	intervals []interval
}

type interval struct{ from, to time.Time }

// add covers an interval. What of it lies before the floor is left out.
func (c *coverage) add(from, to time.Time) {
	if from.IsZero() || from.Before(c.floor) {
		from = c.floor
	}
	if from.IsZero() || !from.Before(to) {
		return
	}
	first := sort.Search(len(c.intervals), func(i int) bool { return !c.intervals[i].to.Before(from) })
	next := first
	for ; next < len(c.intervals) && !c.intervals[next].from.After(to); next++ {
		from = earliest(from, c.intervals[next].from)
		to = latest(to, c.intervals[next].to)
	}
	c.intervals = slices.Replace(c.intervals, first, next, interval{from, to})
	if len(c.intervals) > maxIntervals {
		c.fold(maxIntervals / 2)
	}
}

func (c *coverage) fold(n int) {
	for _, i := range c.intervals[:n] {
		c.folded += i.to.Sub(i.from)
	}
	c.floor = c.intervals[n-1].to
	c.intervals = slices.Delete(c.intervals, 0, n)
}

// until is how much is covered before end, if everything from open on is covered too; open may be zero.
func (c *coverage) until(end, open time.Time) time.Duration {
	sum, last := c.folded, end
	if !open.IsZero() && open.Before(end) {
		open = latest(open, c.floor)
		sum += end.Sub(open)
		last = open
	}
	for _, i := range c.intervals {
		if to := earliest(i.to, last); i.from.Before(to) {
			sum += to.Sub(i.from)
		}
	}
	return sum
}

// earliest returns the earlier of two times; a zero time is unknown.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
