package catalog

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/rule"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver"
)

// vocabulary is what the sparkmodel receiver tells: the names that rules may read.
type vocabulary struct {
	ResourceAttributes map[string]any `yaml:"resource_attributes"`
	Attributes         map[string]struct {
		Enum []string `yaml:"enum"`
	} `yaml:"attributes"`
	Metrics map[string]struct {
		Attributes []string `yaml:"attributes"`
	} `yaml:"metrics"`
}

var receivers = sync.OnceValues(func() (vocabulary, error) {
	var v vocabulary
	return v, yaml.Unmarshal(sparkmodelreceiver.Vocabulary(), &v)
})

// check refuses inputs that the receiver does not know, unless they are declared as external.
func (v *vocabulary) check(d rule.Definition) error {
	var errs error
	for _, name := range slices.Sorted(maps.Keys(d.Inputs)) {
		input := d.Inputs[name]
		if input.External || input.Metric == "" {
			continue
		}
		fail := func(format string, args ...any) {
			errs = errors.Join(errs, fmt.Errorf("%s: rule %q: input %q: %w",
				rule.Position{File: d.Position.File, Line: input.Line}, d.Name, name, fmt.Errorf(format, args...)))
		}
		metric, known := v.Metrics[input.Metric]
		if !known {
			fail("the receiver has no metric %q%s, or say external: true", input.Metric, rule.Closest(input.Metric, slices.Sorted(maps.Keys(v.Metrics))))
			continue
		}
		for _, selected := range []map[string]string{input.Where, input.Without} {
			for _, attribute := range slices.Sorted(maps.Keys(selected)) {
				if !slices.Contains(metric.Attributes, attribute) {
					fail("%s has no attribute %q%s", input.Metric, attribute, rule.Suggest(attribute, metric.Attributes))
				} else if enum := v.Attributes[attribute].Enum; len(enum) > 0 && !slices.Contains(enum, selected[attribute]) {
					fail("%s is never %q%s", attribute, selected[attribute], rule.Suggest(selected[attribute], enum))
				}
			}
		}
		for _, attribute := range slices.Sorted(maps.Keys(input.Match)) {
			if _, ofResource := v.ResourceAttributes[attribute]; !ofResource && !slices.Contains(metric.Attributes, attribute) {
				fail("neither %s nor a resource has the attribute %q", input.Metric, attribute)
			}
			own := input.Match[attribute]
			if _, ofResource := v.ResourceAttributes[own]; !ofResource && !slices.Contains(d.Entity, own) {
				fail("what is judged has no attribute %q", own)
			}
		}
	}
	return errs
}
