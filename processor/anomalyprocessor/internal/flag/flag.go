// Package flag holds the life of flags: when one rises, changes and is over, and the points that say so.
package flag

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/rule"
)

// Flag is what one rule holds against one entity. The zero severity is no flag.
//
// The words are made when the flag rises or its severity changes and then stay as they are, since they are part of
// the identity of its series.
type Flag struct {
	// Rule is the name of the rule, Entity the attributes that identify the entity within its resource.
	Rule   string
	Entity pcommon.Map

	severity       rule.Severity
	impact         float64
	reason, advice string
	cause          string            // the rule whose flag is the cause of this one
	since          pcommon.Timestamp // when the verdict was first other than none, 0 while it is none
	written        pcommon.Timestamp // of the last point
}

// Raised tells whether the flag is up.
func (f *Flag) Raised() bool {
	return f.severity != rule.None
}

// Impact returns what the flag has cost so far, in seconds; NaN if its rule does not tell.
func (f *Flag) Impact() float64 { return f.impact }

// Judged takes a new verdict other than none, which has to hold for a time before the flag rises, and returns whether
// the flag rose.
func (f *Flag) Judged(w *Writer, at pcommon.Timestamp, verdict rule.Verdict, hold time.Duration, words func() (reason, advice string)) bool {
	if f.since == 0 {
		f.since = at
	}
	f.impact = verdict.Impact
	rose := false
	switch {
	case f.severity == verdict.Severity:
	case f.Raised():
		w.severity(f, at, rule.None)
		f.severity = verdict.Severity
		f.reason, f.advice = words()
		f.written = 0
	case at.AsTime().Sub(f.since.AsTime()) >= hold:
		f.severity = verdict.Severity
		f.reason, f.advice = words()
		rose = true
	}
	return rose
}

// Blame names the rule whose flag is the cause of this one. The first cause stays as long as the flag.
func (f *Flag) Blame(w *Writer, at pcommon.Timestamp, cause string) {
	if f.cause != "" || cause == "" {
		return
	}
	if f.written != 0 {
		w.severity(f, at, rule.None)
	}
	f.cause, f.written = cause, 0
}

// Repeat says once for each time that the flag is up, if it is.
func (f *Flag) Repeat(w *Writer, at pcommon.Timestamp) {
	if !f.Raised() || f.written == at {
		return
	}
	w.severity(f, at, f.severity)
	w.impact(f, at, f.impact)
	f.written = at
}

// End takes the flag down, and says so if it was up.
func (f *Flag) End(w *Writer, at pcommon.Timestamp) {
	if f.Raised() {
		w.severity(f, at, rule.None)
		w.impact(f, at, 0)
	}
	f.severity, f.impact, f.since, f.written = rule.None, 0, 0, 0
	f.reason, f.advice, f.cause = "", "", ""
}

// Moved is for a flag whose resource has got other attributes: it ends the series in the old resource, and the next
// time the flag is said in the new one.
func (f *Flag) Moved(old *Writer, at pcommon.Timestamp) {
	if f.Raised() {
		old.severity(f, at, rule.None)
		old.impact(f, at, 0)
		f.written = 0
	}
}
