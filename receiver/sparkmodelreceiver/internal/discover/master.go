package discover

import (
	"context"
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/master"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

// Master finds the applications of a standalone cluster. It is not safe for concurrent use.
type Master struct {
	masters []*rest.Client
	// since is the time on the Master's clock from which on ended applications count.
	since time.Time
}

// NewMaster returns a source that reads a standalone cluster, whose Masters are given in any order.
func NewMaster(masters []*rest.Client) *Master { return &Master{masters: masters} }

// Since returns the moment from which on the next look takes ended applications.
func (m *Master) Since() time.Time { return m.since }

// Resume makes the next look take the applications that ended since a moment on the Master's clock.
func (m *Master) Resume(since time.Time) { m.since = since }

// Standalone is what a standalone cluster answered.
type Standalone struct {
	State master.State
	// Since is the time from which on ended applications are among Applications.
	Since        time.Time
	Applications []Application
}

// Find lists the applications that have not ended, and those that ended since the last time. Running ones are read
// through the Master's proxy, which is there with spark.ui.reverseProxy, or at their drivers.
func (m *Master) Find(ctx context.Context) (Standalone, error) {
	alive, state, err := master.Alive(ctx, m.masters)
	if err != nil {
		return Standalone{}, err
	}
	if m.since.IsZero() {
		m.since = state.Now
	}
	found := Standalone{State: state, Since: m.since}
	for i := range state.Active {
		app := fromMaster(&state.Active[i], state.Now)
		if app.State == track.Running {
			ui := spark.NewProxiedAPI(alive, app.Key.ID).Attempt(app.Key.ID, "")
			app.UI = &ui
			app.DriverAddress = func(ctx context.Context) (string, error) { return master.DriverAddress(ctx, alive, app.Key.ID) }
		}
		found.Applications = append(found.Applications, app)
	}
	for i := range state.Completed {
		app := fromMaster(&state.Completed[i], state.Now)
		app.Ended = app.Submitted.Add(time.Duration(state.Completed[i].Duration) * time.Millisecond)
		if !app.Ended.Before(m.since) {
			found.Applications = append(found.Applications, app)
		}
	}
	m.since = latest(m.since, state.Now.Add(-overlap))
	return found, nil
}

func fromMaster(app *master.App, now time.Time) Application {
	out := Application{
		Key:  track.Key{ID: app.ID},
		Name: app.Name, User: app.User, State: track.Submitted, Submitted: millis(app.StartTime), Now: now,
	}
	switch app.State {
	case "RUNNING":
		out.State = track.Running
	case "FINISHED":
		out.State = track.Succeeded
	case "FAILED", "UNKNOWN":
		out.State = track.Failed
	case "KILLED":
		out.State = track.Killed
	}
	return out
}
