package mapreduce

import "slices"

// Quantiles are the values of a set at 0, 0.25, 0.5, 0.75, 0.95 and 1, each the value of a member of the set.
type Quantiles [6]float64

var quantiles = Quantiles{0, 0.25, 0.5, 0.75, 0.95, 1}

// Summary is what is kept of the tasks of one type; nil where there are none. Durations are in seconds, progress is from
// 0 to 1.
type Summary struct {
	// Durations are of the successful tasks; Running and Progress of those that run.
	Durations, Running, Progress *Quantiles
}

// Summarize sums up the tasks of a type, MAP or REDUCE.
func Summarize(tasks []Task, taskType string) Summary {
	var durations, running, progress []float64
	for _, t := range tasks {
		switch {
		case t.Type != taskType || t.ElapsedTime < 0:
		case t.State == "SUCCEEDED":
			durations = append(durations, float64(t.ElapsedTime)/1e3)
		case t.State == "RUNNING":
			running = append(running, float64(t.ElapsedTime)/1e3)
			if t.Progress.Known() {
				progress = append(progress, float64(t.Progress)/100)
			}
		}
	}
	return Summary{quantilesOf(durations), quantilesOf(running), quantilesOf(progress)}
}

func quantilesOf(values []float64) *Quantiles {
	if len(values) == 0 {
		return nil
	}
	slices.Sort(values)
	var q Quantiles
	for i, share := range quantiles {
		q[i] = values[min(int(share*float64(len(values))), len(values)-1)]
	}
	return &q
}
