package rule

import (
	"errors"
	"fmt"
	"regexp"
)

// scope is where other numbers of a rule apply.
type scope struct {
	patterns   map[string]*regexp.Regexp // by attribute
	disabled   bool
	definition Definition
	rule       *Rule // of the definition, once compiled; nil where disabled
}

func newScope(o ScopedOverride) (scope, error) {
	s := scope{patterns: map[string]*regexp.Regexp{}, disabled: o.Disabled}
	for _, part := range []struct{ option, attribute, pattern string }{
		{"model", "spark.model.name", o.Model},
		{"queue", "yarn.queue.name", o.Queue},
		{"application", "spark.application.name", o.Application},
	} {
		if part.pattern == "" {
			continue
		}
		pattern, err := regexp.Compile("^(?:" + part.pattern + ")$")
		if err != nil {
			return s, fmt.Errorf("%s: %w", part.option, err)
		}
		s.patterns[part.attribute] = pattern
	}
	if len(s.patterns) == 0 {
		return s, errors.New("needs model, queue or application, a regular expression each")
	}
	return s, nil
}

func (s *scope) fits(attribute func(string) string) bool {
	for name, pattern := range s.patterns {
		if !pattern.MatchString(attribute(name)) {
			return false
		}
	}
	return true
}

// In returns the rule with the numbers that apply to what has the attributes, nil where it is switched off for it.
func (r *Rule) In(attribute func(string) string) *Rule {
	for i := range r.scoped {
		if r.scoped[i].fits(attribute) {
			return r.scoped[i].rule
		}
	}
	return r
}
