// Package flag reads flags from OTLP metrics, spans and logs.
package flag

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/xpdata/entity"
)

// Names that the anomaly processor gives.
const (
	severityName = "anomaly.severity"
	impactName   = "anomaly.impact"
	ruleName     = "anomaly.rule"
	reasonName   = "anomaly.reason"
	adviceName   = "anomaly.advice"
	causeName    = "anomaly.cause"

	namespace = "anomaly."
)

// Severity of a flag. None says that the flag is over.
type Severity int

// The levels of the anomaly processor.
const (
	None Severity = iota
	Low
	Moderate
	Severe
	Critical
)

// String returns the level as it stands in the label severity.
func (s Severity) String() string {
	switch {
	case s <= None:
		return "none"
	case s == Low:
		return "low"
	case s == Moderate:
		return "moderate"
	case s == Severe:
		return "severe"
	}
	return "critical"
}

// severityOf takes any number, since anybody can send one.
func severityOf(value float64) Severity {
	if value >= float64(Critical) {
		return Critical
	}
	if value > 0 {
		return Severity(value)
	}
	return None
}

// Parse is the reverse of String. Any other word is None.
func Parse(level string) Severity {
	for s := Low; s <= Critical; s++ {
		if s.String() == level {
			return s
		}
	}
	return None
}

// Observation is what was said about one flag at one time.
type Observation struct {
	// ID identifies the flag whichever signal says it: by its rule, the entity's attributes, and those of the resource
	// that identify it.
	ID model.Fingerprint
	// Labels are the rule as alertname, the entity's attributes and the resource's.
	Labels model.LabelSet
	// At is when it was true, zero if that was not said.
	At time.Time
	// Judged tells whether there is a severity. Without one, only the impact is known.
	Judged   bool
	Severity Severity
	// Impact is the time lost in seconds, 0 if unknown.
	Impact float64
	// Entity names the entity in words, such as "stage 12".
	Entity string
	// Reason and Advice are words for people.
	Reason, Advice string
	// Cause is the rule whose flag explains this one, empty if there is none.
	Cause string
	// TraceID is in hexadecimal, and empty outside of traces.
	TraceID string
}

// source is a resource: its labels, and those that identify it.
type source struct {
	labels, identity model.LabelSet
}

// newSource reads a resource. It is identified by what its entity references name, since other attributes, such as the
// version of Spark, come to be known later; without references by all of its attributes.
func newSource(resource pcommon.Resource) *source {
	s := &source{labels: make(model.LabelSet, resource.Attributes().Len())}
	for name, value := range resource.Attributes().All() {
		addLabel(s.labels, name, value)
	}
	refs := entity.ResourceEntityRefs(resource)
	if refs.Len() == 0 {
		s.identity = s.labels
		return s
	}
	s.identity = model.LabelSet{}
	for _, ref := range refs.All() {
		for _, name := range ref.IdKeys().All() {
			if value, found := resource.Attributes().Get(name); found {
				addLabel(s.identity, name, value)
			}
		}
	}
	return s
}

// newObservation reads the attributes of a data point or an event. The entity's attributes are those that remain.
func newObservation(from *source, rule string, attributes pcommon.Map, identifies func(name string) bool) Observation {
	var o Observation
	labels := model.LabelSet{model.AlertNameLabel: model.LabelValue(rule)}
	var words []noun
	for name, value := range attributes.All() {
		switch name {
		case ruleName, severityName:
		case reasonName:
			o.Reason = value.AsString()
		case adviceName:
			o.Advice = value.AsString()
		case causeName:
			o.Cause = value.AsString()
		case impactName:
			o.Impact = number(value)
		default:
			if strings.HasPrefix(name, namespace) || !identifies(name) {
				continue
			}
			addLabel(labels, name, value)
			words = appendNoun(words, name, value.AsString())
		}
	}
	o.ID = from.identity.Merge(labels).Fingerprint()
	o.Labels = from.labels.Merge(labels)
	o.Entity = inWords(words)
	return o
}

func anyAttribute(string) bool { return true }

func number(value pcommon.Value) float64 {
	switch value.Type() {
	case pcommon.ValueTypeInt:
		return float64(value.Int())
	case pcommon.ValueTypeDouble:
		return value.Double()
	}
	return 0
}

// addLabel leaves empty values out, since for Alertmanager an empty label is none.
func addLabel(labels model.LabelSet, name string, value pcommon.Value) {
	if text := value.AsString(); text != "" {
		labels[labelName(name)] = model.LabelValue(text)
	}
}

// labelName replaces what a label name of Prometheus cannot have by underscores.
func labelName(attribute string) model.LabelName {
	name := strings.Map(func(r rune) rune {
		if r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, attribute)
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "_" + name
	}
	return model.LabelName(name)
}

// noun is what is known of one part of an entity, such as a stage.
type noun struct {
	word, id, name string
}

// appendNoun reads an attribute such as spark.stage.id. A first attempt is not worth a word.
func appendNoun(nouns []noun, attribute, value string) []noun {
	_, word, found := strings.Cut(attribute, ".")
	if !found {
		word = attribute
	}
	word, isName := strings.CutSuffix(word, ".name")
	word = strings.ReplaceAll(strings.TrimSuffix(word, ".id"), ".", " ")
	if value == "" || value == "0" && strings.HasSuffix(word, " attempt") {
		return nouns
	}
	i := slices.IndexFunc(nouns, func(n noun) bool { return n.word == word })
	if i < 0 {
		i = len(nouns)
		nouns = append(nouns, noun{word: word})
	}
	if isName {
		nouns[i].name = value
	} else {
		nouns[i].id = value
	}
	return nouns
}

// inWords names an entity: stage 12 (count at train.py:40), stage attempt 1.
func inWords(nouns []noun) string {
	words := make([]string, len(nouns))
	for i, n := range nouns {
		words[i] = n.word + " " + cmp.Or(n.id, n.name)
		if n.id != "" && n.name != "" {
			words[i] += " (" + n.name + ")"
		}
	}
	return strings.Join(words, ", ")
}

// timeOf returns the zero time for a time stamp that is not set.
func timeOf(t pcommon.Timestamp) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return t.AsTime()
}
