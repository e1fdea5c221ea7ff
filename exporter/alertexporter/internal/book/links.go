package book

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"

	"github.com/prometheus/common/model"
)

// LinkPrefix stands before the name of a link in the names of annotations.
const LinkPrefix = "link_"

// Links makes the links of alerts.
type Links struct {
	names     []string
	templates map[string]*template.Template
}

// NewLinks parses links: Go templates by name, over the labels of an alert and trace_id.
func NewLinks(links map[string]string) (*Links, error) {
	l := &Links{names: slices.Sorted(maps.Keys(links)), templates: make(map[string]*template.Template, len(links))}
	var errs []error
	for _, name := range l.names {
		if !model.LegacyValidation.IsValidLabelName(LinkPrefix + name) {
			errs = append(errs, fmt.Errorf("%s: a name may only have letters, digits and underscores", name))
			continue
		}
		parsed, err := template.New(name).Option("missingkey=error").Parse(links[name])
		if err != nil {
			errs = append(errs, err)
		}
		l.templates[name] = parsed
	}
	return l, errors.Join(errs...)
}

// of returns the links of an alert by name. A link is left out if the alert lacks one of its attributes.
func (l *Links) of(labels model.LabelSet, traceID string) map[string]string {
	if len(l.names) == 0 {
		return nil
	}
	data := make(map[string]string, len(labels)+1)
	for name, value := range labels {
		data[string(name)] = string(value)
	}
	if traceID != "" {
		data["trace_id"] = traceID
	}
	links := make(map[string]string, len(l.names))
	for _, name := range l.names {
		var url strings.Builder
		if err := l.templates[name].Execute(&url, data); err == nil {
			links[name] = url.String()
		}
	}
	return links
}

// first returns the link that Alertmanager calls the source of an alert.
func (l *Links) first(links map[string]string) string {
	for _, name := range l.names {
		if url, ok := links[name]; ok {
			return url
		}
	}
	return ""
}
