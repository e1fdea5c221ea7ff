package book

import (
	"cmp"
	"maps"
	"strconv"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/common/model"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/exporter/alertexporter/internal/flag"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/traceid"
)

// Labels that may change while an alert goes on; all others are those of when it began. Cause is the rule that a flag
// goes back to, its own if nothing else explains it, so that a flag that is a consequence has the cause in common with
// the flag that explains it.
const (
	SeverityLabel    model.LabelName = "severity"
	CauseLabel       model.LabelName = "cause"
	ConsequenceLabel model.LabelName = "consequence"
)

// Identity returns the fingerprint of the labels that do not change.
func Identity(labels model.LabelSet) model.Fingerprint {
	labels = labels.Clone()
	for _, name := range []model.LabelName{SeverityLabel, CauseLabel, ConsequenceLabel} {
		delete(labels, name)
	}
	return labels.Fingerprint()
}

// Names of annotations. Impact is in seconds.
const (
	ReasonAnnotation  model.LabelName = "reason"
	AdviceAnnotation  model.LabelName = "advice"
	ImpactAnnotation  model.LabelName = "impact"
	EntityAnnotation  model.LabelName = "entity"
	TraceIDAnnotation model.LabelName = "trace_id"
)

// Flag is what is known of a flag. The exported part is enough to take it up again after a restart.
type Flag struct {
	Labels model.LabelSet `json:"labels"`
	// Severity is the worst since the flag rose. The alert keeps it until it ends: people are told when it gets worse,
	// and whoever was called is told when it is over, not when it eases for a moment.
	Severity flag.Severity `json:"severity"`
	Impact   float64       `json:"impact,omitempty"`
	Entity   string        `json:"entity,omitempty"`
	Reason   string        `json:"reason,omitempty"`
	Advice   string        `json:"advice,omitempty"`
	Cause    string        `json:"cause,omitempty"`
	TraceID  string        `json:"trace_id,omitempty"`
	StartsAt time.Time     `json:"starts_at"`

	up     bool
	at     time.Time // of the latest observation, by the clock of who made it
	seen   time.Time // when it arrived, by ours
	endsAt time.Time // if it is not up

	labels model.LabelSet // with those that may change
	trace  string
	links  model.LabelSet // as annotations
	source string         // the first link
}

// begin is for a flag that rises, for the first time or again.
func (f *Flag) begin(at time.Time) {
	f.StartsAt = at
	f.Severity, f.Impact = flag.None, 0
	f.Entity, f.Reason, f.Advice, f.Cause, f.TraceID = "", "", "", "", ""
}

// describe takes the words of an observation, and tells whether they are new. A signal that does not know the reason,
// the advice or the trace leaves that of the other signals.
func (f *Flag) describe(o flag.Observation) bool {
	changed := false
	for _, word := range []struct {
		known *string
		said  string
	}{{&f.Entity, o.Entity}, {&f.Reason, o.Reason}, {&f.Advice, o.Advice}, {&f.Cause, o.Cause}, {&f.TraceID, o.TraceID}} {
		if word.said != "" && word.said != *word.known {
			*word.known = word.said
			changed = true
		}
	}
	if o.Severity > f.Severity {
		f.Severity = o.Severity
		changed = true
	}
	return changed
}

// dress makes those parts of the alert that seldom change.
func (f *Flag) dress(links *Links) {
	f.labels = maps.Clone(f.Labels)
	f.labels[SeverityLabel] = model.LabelValue(f.Severity.String())
	if f.Cause == "" {
		f.labels[CauseLabel] = f.Labels[model.AlertNameLabel]
	} else {
		f.labels[CauseLabel] = model.LabelValue(f.Cause)
		f.labels[ConsequenceLabel] = "true"
	}
	f.trace = cmp.Or(f.TraceID, traceOf(f.Labels))
	made := links.of(f.Labels, f.trace)
	f.source = links.first(made)
	f.links = make(model.LabelSet, len(made))
	for name, url := range made {
		f.links[LinkPrefix+model.LabelName(name)] = model.LabelValue(url)
	}
}

// traceOf returns the id that the receiver gives to the trace of an application.
func traceOf(labels model.LabelSet) string {
	cluster, application := labels["spark_cluster_name"], labels["spark_application_id"]
	if cluster == "" || application == "" {
		return ""
	}
	return traceid.Of(traceid.Key(string(cluster), string(application), string(labels["spark_application_attempt_id"]))).String()
}

// alert returns the alert of the flag. One that fires ends when nothing is heard of it for the time of silence.
func (f *Flag) alert(now time.Time, silence time.Duration) *alert.Alert {
	annotations := make(model.LabelSet, len(f.links)+5)
	maps.Copy(annotations, f.links)
	for name, value := range map[model.LabelName]string{
		EntityAnnotation:  f.Entity,
		ReasonAnnotation:  f.Reason,
		AdviceAnnotation:  f.Advice,
		TraceIDAnnotation: f.trace,
	} {
		if value != "" {
			annotations[name] = model.LabelValue(value)
		}
	}
	if f.Impact > 0 {
		annotations[ImpactAnnotation] = model.LabelValue(strconv.FormatFloat(f.Impact, 'f', 1, 64))
	}
	a := &alert.Alert{
		Alert: model.Alert{
			Labels:       f.labels,
			Annotations:  annotations,
			StartsAt:     f.StartsAt,
			EndsAt:       f.endsAt,
			GeneratorURL: f.source,
		},
		UpdatedAt: now,
	}
	if f.up {
		a.EndsAt, a.Timeout = now.Add(silence), true
	}
	return a
}
