package discover

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

// Record is what the History Server has of an attempt of an application.
type Record struct {
	spark.ApplicationAttempt
	// UI is where the attempt is read.
	UI spark.App
}

// History finds an attempt at the History Server; nil if it has none yet.
func History(ctx context.Context, server *rest.Client, key track.Key) (*Record, error) {
	api := spark.NewAPI(server)
	info, err := api.Application(ctx, key.ID)
	if rest.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for i := range info.Attempts {
		// In client mode the only attempt has no id there, although YARN counts it.
		if a := &info.Attempts[i]; a.AttemptID == key.Attempt || a.AttemptID == "" {
			return &Record{ApplicationAttempt: *a, UI: api.Attempt(key.ID, a.AttemptID)}, nil
		}
	}
	return nil, nil
}

// historyOverlap is how far back ended applications are asked for again: a History Server lists an application only once
// it has scanned its event log, which takes it 10 s by default, and longer the more logs there are.
const historyOverlap = 10 * time.Minute

// HistoryServer finds the applications of a Spark History Server. It is not safe for concurrent use.
type HistoryServer struct {
	server *rest.Client
	// lookback is how far back the first listing goes, and how long an unfinished application may be silent.
	lookback time.Duration
	limit    int
	running  bool
	// since is the time on the server's clock from which on ended applications are asked for.
	since time.Time
}

// NewHistoryServer returns a source that reads applications that ended within lookback or later, and unfinished ones if
// running is set, at most limit of each in one listing.
func NewHistoryServer(server *rest.Client, lookback time.Duration, limit int, running bool) *HistoryServer {
	return &HistoryServer{server: server, lookback: lookback, limit: limit, running: running}
}

// Since returns the moment from which on the next look asks for ended applications.
func (h *HistoryServer) Since() time.Time { return h.since }

// Resume makes the next look ask for the applications that ended since a moment on the server's clock.
func (h *HistoryServer) Resume(since time.Time) { h.since = since }

// Listing is what a History Server listed.
type Listing struct {
	// Since is the time from which on ended applications are among Applications.
	Since        time.Time
	Applications []Application
	// Full tells that there may be more, which were left out.
	Full bool
}

// Find lists the applications that ended since the last time, and the unfinished ones if they are wanted. The time is the
// collector's: it stands in for the server's until that is known.
func (h *HistoryServer) Find(ctx context.Context, collector time.Time) (Listing, error) {
	api := spark.NewAPI(h.server)
	since := h.since
	if since.IsZero() {
		since = collector.Add(-h.lookback)
	}
	ended, now, err := api.Ended(ctx, since, h.limit)
	if err != nil {
		return Listing{}, err
	}
	if now.IsZero() {
		return Listing{}, errors.New("history: the History Server's answer has no Date header")
	}
	found := Listing{Since: since, Full: len(ended) >= h.limit}
	for i := range ended {
		found.add(api, &ended[i], now)
	}
	if h.running {
		unfinished, _, err := api.Unfinished(ctx, h.limit)
		if err != nil {
			return Listing{}, err
		}
		found.Full = found.Full || len(unfinished) >= h.limit
		for i := range unfinished {
			// An application whose driver was killed stays unfinished for ever.
			if a := unfinished[i].Attempts; len(a) > 0 && now.Sub(a[0].LastUpdated.Time) < h.lookback {
				found.add(api, &unfinished[i], now)
			}
		}
	}
	h.since = latest(since, now.Add(-historyOverlap))
	return found, nil
}

// add adds all attempts of an application: they come newest first.
func (l *Listing) add(api spark.API, info *spark.ApplicationInfo, now time.Time) {
	for i := range info.Attempts {
		a := &info.Attempts[i]
		app := Application{
			Key:  track.Key{ID: info.ID, Attempt: countedAttempt(info.ID, a.AttemptID)},
			Name: info.Name, User: a.User, SparkVersion: a.SparkVersion,
			State: track.Running, Submitted: a.StartTime.Time, Now: now,
		}
		switch {
		case a.Completed:
			app.State, app.Ended = track.Succeeded, a.EndTime.Time
		case i > 0:
			// There is a later attempt because this one was killed.
			app.State, app.Ended = track.Failed, a.LastUpdated.Time
		default:
			ui := api.Attempt(info.ID, a.AttemptID)
			app.UI = &ui
		}
		l.Applications = append(l.Applications, app)
	}
}

// countedAttempt returns the number that YARN gives to an attempt. Spark tells none in client mode, where there is only
// one.
func countedAttempt(id, attempt string) string {
	if attempt == "" && strings.HasPrefix(id, "application_") {
		return "1"
	}
	return attempt
}
