package discover

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/yarn"
)

// overlap is how far back ended applications are asked for again, so that none is missed whose end the resource
// manager recorded late.
const overlap = time.Minute

// YARN finds the applications of a YARN cluster. It is not safe for concurrent use.
type YARN struct {
	client *yarn.Client
	// manager is the resource manager that was active at the last look.
	manager atomic.Pointer[rest.Client]
	// since is the time on the resource manager's clock from which on ended applications are asked for.
	since time.Time
	// starts are when the listed attempts began that are not the first of their applications.
	starts map[track.Key]time.Time
}

// NewYARN returns a source that reads a cluster.
func NewYARN(client *yarn.Client) *YARN {
	return &YARN{client: client, starts: map[track.Key]time.Time{}}
}

// Manager returns the resource manager that was active at the last look, nil before the first one. It is safe for
// concurrent use.
func (y *YARN) Manager() *rest.Client { return y.manager.Load() }

// Since returns the moment from which on the next look asks for ended applications.
func (y *YARN) Since() time.Time { return y.since }

// Resume makes the next look ask for the applications that ended since a moment on the resource manager's clock.
func (y *YARN) Resume(since time.Time) { y.since = since }

// Found is what a YARN cluster answered.
type Found struct {
	// Manager is the active resource manager.
	Manager *rest.Client
	Info    yarn.Info
	// Since is the time from which on ended applications are among Applications.
	Since        time.Time
	Applications []Application
}

// Find lists the applications that have not ended, and those that ended since the last time.
func (y *YARN) Find(ctx context.Context) (Found, error) {
	rm, info, err := y.client.Active(ctx)
	if err != nil {
		return Found{}, err
	}
	if info.Now.IsZero() {
		return Found{}, errors.New("yarn: the resource manager's answer has no Date header")
	}
	y.manager.Store(rm)
	if y.since.IsZero() {
		y.since = info.Now
	}
	running, err := yarn.Running(ctx, rm)
	if err != nil {
		return Found{}, err
	}
	ended, err := yarn.FinishedSince(ctx, rm, y.since)
	if err != nil {
		return Found{}, err
	}
	ended = slices.DeleteFunc(ended, func(app yarn.App) bool { return app.FinishedTime < y.since.UnixMilli() })
	found := Found{Manager: rm, Info: info, Since: y.since}
	starts := map[track.Key]time.Time{}
	// Ended ones come last: an application that ended between the two answers is in both.
	for _, list := range [][]yarn.App{running, ended} {
		for i := range list {
			app := y.application(ctx, &list[i], rm, info.Now)
			found.Applications = append(found.Applications, app)
			if start, ok := y.starts[app.Key]; ok {
				starts[app.Key] = start
			}
		}
	}
	y.starts = starts
	y.since = latest(y.since, info.Now.Add(-overlap))
	return found, nil
}

// application returns what an answer tells of an application. The answer's times are those of its first attempt: when
// another one began, the resource manager is asked once.
func (y *YARN) application(ctx context.Context, app *yarn.App, rm *rest.Client, now time.Time) Application {
	out := fromYARN(app, rm, now)
	if out.Key.Attempt == yarn.FirstAttempt || out.Submitted.IsZero() {
		return out
	}
	start, known := y.starts[out.Key]
	if !known {
		ms, err := yarn.AttemptStart(ctx, rm, app.ID, out.Key.Attempt)
		if err != nil {
			out.Submitted, out.Allocation = time.Time{}, nil // unknown until the next look
			return out
		}
		start = millis(max(ms, app.StartedTime))
		y.starts[out.Key] = start
	}
	out.Submitted, out.Allocation.Wait = start, 0
	return out
}

func fromYARN(app *yarn.App, rm *rest.Client, now time.Time) Application {
	out := Application{
		Key:  track.Key{ID: app.ID, Attempt: app.Attempt()},
		Name: app.Name, User: app.User, Queue: app.Queue, Tags: app.Tags, Diagnostics: app.Diagnostics,
		State:     stateOf(app),
		Submitted: millis(app.StartedTime), Ended: millis(app.FinishedTime), Now: now,
	}
	// The resource manager blanks what the collector's user may not see, the start among it. Whether he may see the
	// driver is the driver's to say.
	if !out.Submitted.IsZero() {
		out.Allocation = allocation(app, now)
	}
	if app.HasUI() {
		ui := spark.NewProxiedAPI(rm, app.ID).Attempt(app.ID, "")
		out.UI = &ui
	}
	return out
}

// Lookup asks for an application that is listed neither among those that run nor among those that ended lately; nil if
// the resource manager has forgotten it.
func (y *YARN) Lookup(ctx context.Context, found *Found, id string) (*Application, error) {
	app, err := yarn.Application(ctx, found.Manager, id)
	if rest.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := y.application(ctx, &app, found.Manager, found.Info.Now)
	return &out, nil
}

func allocation(app *yarn.App, now time.Time) *track.Allocation {
	waited := now
	switch {
	case app.LaunchTime > 0:
		waited = millis(app.LaunchTime)
	case app.FinishedTime > 0:
		waited = millis(app.FinishedTime)
	}
	a := &track.Allocation{
		Launched:   millis(app.LaunchTime),
		Wait:       max(0, waited.Sub(millis(app.StartedTime))),
		MemoryTime: float64(max(0, app.MemorySeconds)) * (1 << 20),
		VCoreTime:  float64(max(0, app.VCoreSeconds)),
		Preempted:  app.NumNonAMContainerPreempt + app.NumAMContainerPreempt,

		PreemptedMemoryTime: float64(max(0, app.PreemptedMemorySeconds)) * (1 << 20),
		PreemptedVCoreTime:  float64(max(0, app.PreemptedVCoreSeconds)),
	}
	if !app.Ended() && app.AllocatedMB >= 0 && app.AllocatedVCores >= 0 && app.RunningContainers >= 0 {
		a.Held = &track.Holding{
			Memory: app.AllocatedMB << 20, VCores: app.AllocatedVCores, Containers: app.RunningContainers,
			ReservedMemory: max(0, app.ReservedMB) << 20, ReservedVCores: max(0, app.ReservedVCores),
			QueueShare: float64(app.QueueUsagePercentage) / 100, ClusterShare: float64(app.ClusterUsagePercentage) / 100,
			Progress: float64(app.Progress) / 100, Priority: app.Priority,
		}
	}
	return a
}

func stateOf(app *yarn.App) track.State {
	switch app.State {
	case "RUNNING":
		return track.Running
	case "ACCEPTED":
		return track.Accepted
	case "KILLED":
		return track.Killed
	case "FAILED":
		return track.Failed
	case "FINISHED":
		switch app.FinalStatus {
		case "FAILED":
			return track.Failed
		case "KILLED":
			return track.Killed
		}
		return track.Succeeded
	}
	return track.Submitted
}

func millis(ms int64) time.Time {
	if ms <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
