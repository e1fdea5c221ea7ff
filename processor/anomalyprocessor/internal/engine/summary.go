package engine

import (
	"math"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/processor/anomalyprocessor/internal/rule"
)

// The inputs of the summary, by their indices: how long the application has run, what its wall time went into, and
// what the cores that it holds were used for.
const (
	run = iota
	starting
	waiting
	driver
	working
	computing
	collecting
	writing
	fetching
	deserializing
	serializing
	scheduling
	wasted
	idle
	executors
	coresOfExecutor
	summarized
)

var summaryInputs = func() []rule.Input {
	inputs := make([]rule.Input, summarized)
	inputs[run] = rule.Input{InputDefinition: rule.InputDefinition{Metric: "spark.application.duration"}}
	inputs[executors] = rule.Input{InputDefinition: rule.InputDefinition{Metric: "spark.application.executor.peak"}}
	inputs[coresOfExecutor] = rule.Input{InputDefinition: rule.InputDefinition{
		Metric: "spark.application.setting", Where: map[string]string{"spark.setting.name": "spark.executor.cores"},
	}}
	for metric, activities := range map[string]map[int]string{
		"spark.application.wall.time": {starting: "starting", waiting: "waiting", driver: "driver", working: "working"},
		"spark.application.core.time": {
			computing: "computing", collecting: "gc", writing: "shuffle_write", fetching: "fetch_wait",
			deserializing: "deserializing", serializing: "serializing", scheduling: "scheduling", wasted: "wasted", idle: "idle",
		},
	} {
		attribute := map[string]string{"spark.application.wall.time": "spark.wall.activity", "spark.application.core.time": "spark.core.activity"}[metric]
		for i, activity := range activities {
			inputs[i] = rule.Input{InputDefinition: rule.InputDefinition{Metric: metric, Where: map[string]string{attribute: activity}}}
		}
	}
	return inputs
}()

// share is the part of a run that went into an activity, in seconds.
type share struct {
	activity string
	seconds  float64
}

// summary tells what the time of a run went into; the parts add up to it. While tasks run, each core's time is a
// share of the wall time: what cores were busy with comes from Spark, and of what they were idle, flags of skew tell
// how much of it was waiting for the last tasks. What spill has cost is in Spark's computing.
//
// It is nil where wall and core time are not known.
func summary(number func(input int) (float64, bool), spent func(rule.Activity) float64) []share {
	var x [summarized]float64
	for i := range x {
		value, ok := number(i)
		if !ok {
			return nil
		}
		x[i] = max(value, 0)
	}
	busy := 0.0
	for i := computing; i < idle; i++ {
		busy += x[i]
	}
	held := busy + x[idle]
	// The cores that the application held, averaged over the time in which it had any; but executors may have come
	// before the first job.
	cores := min(held/math.Max(x[run]-x[starting], 1e-9), x[executors]*x[coresOfExecutor])
	// Executors that ran only while tasks did may have been more at a time.
	if x[working] > 0 {
		cores = max(cores, busy/x[working])
	}
	wall := func(coreSeconds float64) float64 {
		if cores <= 0 || x[working] == 0 {
			return 0
		}
		return coreSeconds / cores
	}
	left := max(x[working]-wall(busy), 0)
	skew := min(spent(rule.Skew), left)
	spill := min(spent(rule.Spill), wall(x[computing]))
	return []share{
		{"starting", x[starting]}, {"waiting", x[waiting]}, {"driver", x[driver]},
		{"computing", wall(x[computing]) - spill}, {"spill", spill},
		{"gc", wall(x[collecting])}, {"fetch_wait", wall(x[fetching])}, {"shuffle_write", wall(x[writing])},
		{"scheduling", wall(x[deserializing] + x[serializing] + x[scheduling])}, {"wasted", wall(x[wasted])},
		{"skew", skew}, {"idle", left - skew},
	}
}

// summarize writes what an application's time went into, once for each poll that tells of it.
func (e *Engine) summarize(s *source) {
	n := s.entities[resourceEntityKey]
	if n == nil || s.summarized == s.poll {
		return
	}
	spent := func(a rule.Activity) float64 {
		total := s.spent[a]
		for _, n := range s.entities {
			for i := range n.verdicts {
				if v := &n.verdicts[i]; v.flag.Raised() && v.rule.Spends == a {
					total += finiteOr0(v.flag.Impact())
				}
			}
		}
		return total
	}
	for _, part := range summary(func(i int) (float64, bool) {
		return n.knows(e.plan.summary[i], &place{})
	}, spent) {
		s.summarized = s.poll
		s.writer.Time(s.at, part.activity, part.seconds)
	}
}

func (s *source) rose(rule string) {
	if s.was == nil {
		s.was = map[string]struct{}{}
	}
	s.was[rule] = struct{}{}
}

func (s *source) spend(a rule.Activity, seconds float64) {
	if a == "" {
		return
	}
	if s.spent == nil {
		s.spent = map[rule.Activity]float64{}
	}
	s.spent[a] += finiteOr0(seconds)
}

func finiteOr0(x float64) float64 {
	if !finite(x) {
		return 0
	}
	return x
}
