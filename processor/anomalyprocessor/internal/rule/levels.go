package rule

import (
	"errors"
	"fmt"
)

// Severity is how bad a bottleneck is.
type Severity int64

// The severities, as the points of anomaly.severity count them.
const (
	None Severity = iota
	Low
	Moderate
	Severe
	Critical
)

func (s Severity) String() string {
	return [...]string{"none", "low", "moderate", "severe", "critical"}[s]
}

// Levels are the values at which each severity begins. Not all need be given. They rise from low to critical, or
// fall where less is worse.
type Levels struct {
	Low      *float64 `mapstructure:"low" yaml:"low"`
	Moderate *float64 `mapstructure:"moderate" yaml:"moderate"`
	Severe   *float64 `mapstructure:"severe" yaml:"severe"`
	Critical *float64 `mapstructure:"critical" yaml:"critical"`
}

// inOrder returns the levels from low to critical.
func (l Levels) inOrder() [4]*float64 {
	return [4]*float64{l.Low, l.Moderate, l.Severe, l.Critical}
}

// merge returns the levels with those replaced that are given in other.
func (l Levels) merge(other Levels) Levels {
	for _, pair := range [][2]**float64{
		{&l.Low, &other.Low}, {&l.Moderate, &other.Moderate}, {&l.Severe, &other.Severe}, {&l.Critical, &other.Critical},
	} {
		if *pair[1] != nil {
			*pair[0] = *pair[1]
		}
	}
	return l
}

// scale is Levels made ready for judging.
type scale struct {
	levels     [4]*float64
	descending bool
}

func newScale(l Levels) (scale, error) {
	s := scale{levels: l.inOrder()}
	var previous *float64
	direction := 0
	for i, level := range s.levels {
		if level == nil {
			continue
		}
		if previous != nil {
			next := 1
			if *level < *previous {
				next = -1
			}
			if *level == *previous || direction != 0 && direction != next {
				return s, fmt.Errorf("levels must all rise or all fall from low to critical: %s (%v) does not go on from %v",
					Severity(i+1), *level, *previous)
			}
			direction = next
		}
		previous = level
	}
	if previous == nil {
		return s, errors.New("levels needs at least one of low, moderate, severe and critical")
	}
	s.descending = direction < 0
	return s, nil
}

// of returns the highest severity whose level the value has reached.
func (s scale) of(value float64) Severity {
	for i := len(s.levels) - 1; i >= 0; i-- {
		level := s.levels[i]
		if level != nil && (value >= *level && !s.descending || value <= *level && s.descending) {
			return Severity(i + 1)
		}
	}
	return None
}
