package track

import "time"

// Phase is a part of an application's start-up.
type Phase string

// Phases of the start-up, in their order; each is named for what it waits for.
const (
	PhaseQueue    Phase = "queue"
	PhaseDriver   Phase = "driver"
	PhaseExecutor Phase = "executor"
	PhaseJob      Phase = "job"
	PhaseTask     Phase = "task"
)

// PhaseDuration is how long a phase took, or has lasted so far.
type PhaseDuration struct {
	Phase    Phase
	Duration time.Duration
}

// Startup returns the parts of the time from submission to the launch of the first task, as far as they have begun. A
// part whose end nobody tells is part of the next one; what happened before an earlier part had ended, such as a job
// that was submitted before there was an executor, took no time of its own.
func (a *Application) Startup() []PhaseDuration {
	if a.Submitted.IsZero() {
		return nil
	}
	ends := []struct {
		phase Phase
		end   time.Time
	}{
		{PhaseQueue, a.launched()},
		{PhaseDriver, a.DriverStarted},
		{PhaseExecutor, a.executors.firstAdded},
		{PhaseJob, a.timeline.firstJob},
		{PhaseTask, a.timeline.firstTask},
	}
	if a.forgotten() {
		ends = ends[:3]
	}
	known := -1
	for i := range ends {
		if !ends[i].end.IsZero() {
			known = i
		}
	}
	var phases []PhaseDuration
	last := a.Submitted
	for _, e := range ends[:known+1] {
		if !e.end.IsZero() {
			end := latest(e.end, last)
			phases = append(phases, PhaseDuration{e.phase, end.Sub(last)})
			last = end
		}
	}
	if next := known + 1; next < len(ends) {
		phases = append(phases, PhaseDuration{ends[next].phase, max(0, a.Submitted.Add(a.Duration()).Sub(last))})
	}
	return phases
}

func (a *Application) launched() time.Time {
	if a.Allocation == nil {
		return time.Time{}
	}
	return a.Allocation.Launched
}
