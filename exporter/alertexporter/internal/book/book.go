// Package book keeps which flags are up, and makes alerts of them: it knows when an alert began and whether it is over.
package book

import (
	"maps"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/common/model"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/exporter/alertexporter/internal/flag"
)

// Book holds the flags that are up, and for a while those that are over, so that what arrives late does not raise them
// again. It is not safe for concurrent use.
type Book struct {
	links   *Links
	silence time.Duration
	limit   int
	flags   map[model.Fingerprint]*Flag
	active  int
}

// New returns a book for at most limit flags that are up. A flag ends if nothing is heard of it for the time of silence.
func New(links *Links, silence time.Duration, limit int) *Book {
	return &Book{links: links, silence: silence, limit: limit, flags: map[model.Fingerprint]*Flag{}}
}

// Active returns how many flags are up.
func (b *Book) Active() int {
	return b.active
}

// Changes is what came of observations.
type Changes struct {
	// Alerts are those to tell of. The end of one that fires is a timeout.
	Alerts []*alert.Alert
	// Put and Removed are what a snapshot has to know: flags that are up with other words, and those that are over.
	Put     map[model.Fingerprint]*Flag
	Removed []model.Fingerprint
	// Raised, Ended and Dropped count flags.
	Raised, Ended, Dropped int
}

// Apply takes in what was observed. What is older than what is known is passed over, so that it does no harm to apply
// something again.
func (b *Book) Apply(now time.Time, observations []flag.Observation) Changes {
	u := update{book: b, now: now, touched: map[model.Fingerprint]*touched{}}
	for _, o := range observations {
		if o.Judged {
			u.judged(o)
		}
	}
	for _, o := range observations {
		if o.Impact > 0 {
			u.impact(o)
		}
	}
	return u.changes()
}

// Expire ends the flags of which nothing was heard for too long, and forgets those that have long been over.
func (b *Book) Expire(now time.Time) Changes {
	var changes Changes
	for id, f := range b.flags {
		switch {
		case now.Sub(f.seen) < b.silence:
		case f.up:
			b.end(f, now, now)
			f.at = f.at.Add(1) // what was said already does not raise it again
			f.seen = now
			changes.Ended++
			changes.Removed = append(changes.Removed, id)
			changes.Alerts = append(changes.Alerts, f.alert(now, b.silence))
		default:
			delete(b.flags, id)
		}
	}
	return changes
}

// Restore takes in a flag of a snapshot and gives it the time of silence to be heard of again. It returns its alert.
func (b *Book) Restore(now time.Time, id model.Fingerprint, f *Flag) *alert.Alert {
	f.up, f.seen = true, now
	f.dress(b.links)
	b.flags[id] = f
	b.active++
	return f.alert(now, b.silence)
}

// add makes room for a flag. It returns nil if too many are up.
func (b *Book) add(id model.Fingerprint, labels model.LabelSet) *Flag {
	if b.active >= b.limit {
		return nil
	}
	if len(b.flags) >= 2*b.limit {
		maps.DeleteFunc(b.flags, func(_ model.Fingerprint, f *Flag) bool { return !f.up })
	}
	f := &Flag{Labels: labels}
	b.flags[id] = f
	return f
}

func (b *Book) end(f *Flag, now, at time.Time) {
	f.up = false
	f.endsAt = earlier(at, now)
	if f.endsAt.Before(f.StartsAt) {
		f.endsAt = f.StartsAt
	}
	b.active--
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// update is one call of Apply.
type update struct {
	book    *Book
	now     time.Time
	touched map[model.Fingerprint]*touched
	order   []model.Fingerprint
	dropped int
}

// touched is a flag of which something was said, and what was told of it before.
type touched struct {
	flag    *Flag
	wasUp   bool
	told    *alert.Alert
	changed bool
}

func (u *update) touch(id model.Fingerprint, f *Flag) *touched {
	t := u.touched[id]
	if t == nil {
		t = &touched{flag: f, wasUp: f.up}
		u.touched[id] = t
		u.order = append(u.order, id)
	}
	return t
}

func (u *update) judged(o flag.Observation) {
	at := o.At
	if at.IsZero() {
		at = u.now
	}
	id := o.ID
	f := u.book.flags[id]
	if f != nil && at.Before(f.at) {
		u.lateTrace(f, o)
		return
	}
	if o.Severity <= flag.None {
		// A zero at the time of a severity is the end of the flag's former words, not of the flag.
		if f == nil || !f.up || at.Equal(f.at) {
			return
		}
		u.touch(id, f)
		u.book.end(f, u.now, at)
		f.at, f.seen = at, u.now
		return
	}
	if f == nil || !f.up {
		if f == nil {
			f = u.book.add(id, o.Labels)
		} else if u.book.active >= u.book.limit {
			f = nil
		}
		if f == nil {
			u.dropped++
			return
		}
		// The same holds the other way round: an end in the same batch, or at the same time, was none.
		if goesOn := u.touch(id, f).wasUp || at.Equal(f.at); !goesOn {
			f.begin(earlier(at, u.now))
		}
		f.up = true
		u.book.active++
	}
	t := u.touch(id, f)
	if at.After(f.at) {
		f.at, f.seen = at, u.now
	}
	u.describe(t, o)
}

// lateTrace takes the trace of a span that ended before the latest point.
func (u *update) lateTrace(f *Flag, o flag.Observation) {
	if f.up && f.TraceID == "" && o.TraceID != "" {
		u.describe(u.touch(o.ID, f), flag.Observation{TraceID: o.TraceID})
	}
}

// describe takes the words of an observation. An alert whose labels change is another one for Alertmanager, so that
// the former one has to end.
func (u *update) describe(t *touched, o flag.Observation) {
	f := t.flag
	former := *f
	if !f.describe(o) {
		return
	}
	t.changed = true
	f.dress(u.book.links)
	if t.wasUp && t.told == nil && !f.labels.Equal(former.labels) {
		t.told = former.alert(u.now, 0)
		t.told.Timeout = false
	}
}

func (u *update) impact(o flag.Observation) {
	id := o.ID
	f := u.book.flags[id]
	if f == nil || !f.up || o.At.Before(f.at) {
		return
	}
	u.touch(id, f)
	f.Impact = o.Impact
}

func (u *update) changes() Changes {
	changes := Changes{Put: map[model.Fingerprint]*Flag{}, Dropped: u.dropped}
	for _, id := range u.order {
		t := u.touched[id]
		f := t.flag
		switch {
		case f.up:
			if !t.wasUp {
				changes.Raised++
			}
			if !t.wasUp || t.changed {
				changes.Put[id] = f
			}
			if t.told != nil {
				t.told.EndsAt = u.now
				changes.Alerts = append(changes.Alerts, t.told)
			}
			changes.Alerts = append(changes.Alerts, f.alert(u.now, u.book.silence))
		case t.wasUp:
			changes.Ended++
			changes.Removed = append(changes.Removed, id)
			ended := f.alert(u.now, 0)
			if t.told != nil {
				t.told.EndsAt = ended.EndsAt
				ended = t.told
			}
			changes.Alerts = append(changes.Alerts, ended)
		}
	}
	return changes
}
