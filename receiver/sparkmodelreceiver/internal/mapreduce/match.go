package mapreduce

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// Match selects counters: one matches if every given expression matches the whole of its field.
type Match struct {
	// Group is without the package where it is one of Hadoop's: TaskCounter.
	Group string `mapstructure:"group"`
	Name  string `mapstructure:"name"`
}

// Selection selects counters of a job.
type Selection []struct{ group, name *regexp.Regexp }

// Select compiles a selection: a counter is selected if it matches one of list.
func Select(list []Match) (Selection, error) {
	selection := make(Selection, len(list))
	for i, m := range list {
		if m == (Match{}) {
			return nil, fmt.Errorf("[%d]: give at least one of group, name", i)
		}
		var errs [2]error
		selection[i].group, errs[0] = compile(m.Group)
		selection[i].name, errs[1] = compile(m.Name)
		if err := errors.Join(errs[:]...); err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return selection, nil
}

func compile(expression string) (*regexp.Regexp, error) {
	return regexp.Compile("^(?:" + cmp.Or(expression, "(?s:.*)") + ")$")
}

// Of returns the counters that are selected, at most limit, in the order of their groups and names.
func (s Selection) Of(counters []Counter, limit int) []Counter {
	var list []Counter
	for _, c := range counters {
		for _, m := range s {
			if m.group.MatchString(c.Group) && m.name.MatchString(c.Name) {
				list = append(list, c)
				break
			}
		}
	}
	slices.SortFunc(list, func(a, b Counter) int { return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Name, b.Name)) })
	return list[:min(len(list), limit)]
}
