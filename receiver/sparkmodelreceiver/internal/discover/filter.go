package discover

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Match selects applications: an application matches if every given expression matches the whole of its field.
type Match struct {
	Name  string `mapstructure:"name"`
	ID    string `mapstructure:"id"`
	User  string `mapstructure:"user"`
	Queue string `mapstructure:"queue"`
	// Tag matches if it matches one of the tags.
	Tag string `mapstructure:"tag"`
}

// Filter decides which applications are watched.
type Filter struct{ include, exclude []matcher }

type matcher struct{ name, id, user, queue, tag *regexp.Regexp }

// NewFilter compiles the selections: an application is watched if it matches one of include, or include is empty, and
// none of exclude.
func NewFilter(include, exclude []Match) (*Filter, error) {
	var f Filter
	for i, m := range include {
		compiled, err := m.compile()
		if err != nil {
			return nil, fmt.Errorf("include[%d]: %w", i, err)
		}
		f.include = append(f.include, compiled)
	}
	for i, m := range exclude {
		compiled, err := m.compile()
		if err != nil {
			return nil, fmt.Errorf("exclude[%d]: %w", i, err)
		}
		f.exclude = append(f.exclude, compiled)
	}
	return &f, nil
}

func (m Match) compile() (matcher, error) {
	if m == (Match{}) {
		return matcher{}, fmt.Errorf("give at least one of name, id, user, queue, tag")
	}
	var out matcher
	for _, field := range []struct {
		name, expression string
		into             **regexp.Regexp
	}{
		{"name", m.Name, &out.name}, {"id", m.ID, &out.id}, {"user", m.User, &out.user}, {"queue", m.Queue, &out.queue}, {"tag", m.Tag, &out.tag},
	} {
		if field.expression == "" {
			continue
		}
		re, err := regexp.Compile("^(?:" + field.expression + ")$")
		if err != nil {
			return matcher{}, fmt.Errorf("%s: %w", field.name, err)
		}
		*field.into = re
	}
	return out, nil
}

// NeedsYARN tells whether a selection is by what YARN alone tells.
func (f *Filter) NeedsYARN() bool {
	return slices.ContainsFunc(slices.Concat(f.include, f.exclude), func(m matcher) bool { return m.queue != nil || m.tag != nil })
}

// Watches tells whether an application is to be watched.
func (f *Filter) Watches(app *Application) bool {
	if len(f.include) > 0 && !anyMatches(f.include, app) {
		return false
	}
	return !anyMatches(f.exclude, app)
}

func anyMatches(list []matcher, app *Application) bool {
	for i := range list {
		if list[i].matches(app) {
			return true
		}
	}
	return false
}

func (m *matcher) matches(app *Application) bool {
	return matchesText(m.name, app.Name) && matchesText(m.id, app.Key.ID) && matchesText(m.user, app.User) &&
		matchesText(m.queue, app.Queue) && m.matchesTags(app.Tags)
}

func (m *matcher) matchesTags(tags string) bool {
	if m.tag == nil {
		return true
	}
	for tag := range strings.SplitSeq(tags, ",") {
		if m.tag.MatchString(strings.TrimSpace(tag)) {
			return true
		}
	}
	return false
}

func matchesText(re *regexp.Regexp, text string) bool { return re == nil || re.MatchString(text) }
