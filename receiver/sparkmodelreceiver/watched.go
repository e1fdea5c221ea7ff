package sparkmodelreceiver

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/discover"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/read"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/yarn"
)

const (
	// patience is how long an application may be unreadable before that is said: while it starts, ends or begins another
	// attempt, its driver's place is taken by pages, by redirects, or by nothing (seen: 17 s between two attempts).
	patience = time.Minute
	// missedPolls is how many polls in a row an application may be missing from its source before it counts as lost.
	missedPolls = 3
	// maxLookups bounds the applications that are asked for in one poll because their source lists them no more.
	maxLookups = 20
	// farewells is how many polls the last figures of an application are emitted, so that what judges them sees it end.
	farewells = 3
	// maxFarewells is how many polls the end of an application waits for pipelines that refuse its spans or events: an
	// hour at the default interval.
	maxFarewells = 360
	// lastWordDeadline is how long the History Server, once it answers, is given to show the end of an application that
	// has ended. One whose driver was killed never shows it; what there is is read then.
	lastWordDeadline = 2 * time.Minute
	// lastWordPatience is how long one that does not answer is waited for.
	lastWordPatience = time.Hour
)

// phase is how far the watching of an application has come.
type phase int

const (
	// running lasts until the application's end was delivered.
	running phase = iota
	// closing lasts while the last word is read; the application belongs to the goroutine that reads it.
	closing
	// closed lasts until the last figures were delivered often enough.
	closed
)

// watchedApplication is an application from the poll that finds it until its end has been delivered.
type watchedApplication struct {
	app    *track.Application
	source string
	tags   string
	// ui is nil while nothing answers.
	ui *spark.App
	// driverAddress asks where the driver is; nil where only the driver itself tells.
	driverAddress func(context.Context) (string, error)
	// driver is where the application is read directly; nil while that is not known.
	driver *rest.Client
	// proxied tells that the driver can't be read directly.
	proxied bool
	// err is how reading went in this poll.
	err error
	// failing is since when reading has failed at every poll; zero while it does not.
	failing time.Time
	// missed counts the polls in a row in which the source did not list the application.
	missed int

	phase phase
	// lastWord is closed when the last word was read.
	lastWord  chan struct{}
	farewells int
	// mark is how far the application was delivered; while its last word is read, as it was before.
	mark mark
}

func (w *watchedApplication) name() string { return "application " + w.app.ID }

// fresh tells whether the Spark figures are those of now, or final.
func (w *watchedApplication) fresh() bool {
	return w.app.SawUI() && (w.app.State.Ended() || w.ui != nil && read.UpToDate(w.err))
}

// watched are the applications that are being watched.
type watched struct {
	r    *sparkModelReceiver
	byID map[track.Key]*watchedApplication
	// over holds applications that are done with, for as long as their source may still list them.
	over    map[track.Key]done
	closers sync.WaitGroup
	// history bounds the applications that are read from the History Server at the same time: it loads each one's event
	// log, and forgets another's for it.
	history chan struct{}
}

// done is an application that ended and whose end was delivered.
type done struct {
	source string
	ended  time.Time
}

func newWatched(r *sparkModelReceiver) *watched {
	return &watched{
		r: r, byID: map[track.Key]*watchedApplication{}, over: map[track.Key]done{}, history: make(chan struct{}, historyConcurrency),
	}
}

func (ws *watched) count() int { return len(ws.byID) }

// update takes over what a source listed. What ended before since is not listed again.
func (ws *watched) update(source string, found []discover.Application, since time.Time) {
	listed := make(map[track.Key]struct{}, len(found))
	attempts := make(map[string]struct{}, len(found))
	for i := range found {
		f := &found[i]
		listed[f.Key] = struct{}{}
		attempts[f.Key.ID] = struct{}{}
		if _, done := ws.over[f.Key]; done {
			continue
		}
		w := ws.byID[f.Key]
		if w == nil {
			w = ws.add(f.Key, source)
		}
		switch {
		case w.phase == running:
			ws.refresh(w, f)
		case w.phase == closed && f.Allocation != nil:
			// YARN goes on adding up for a moment after the end.
			w.app.Allocate(*f.Allocation)
		}
	}
	for key, w := range ws.byID {
		if _, ok := listed[key]; !ok && w.source == source && w.phase == running {
			_, laterAttempt := attempts[key.ID]
			w.miss(laterAttempt)
		}
	}
	since = ws.settled(source, since)
	for key, d := range ws.over {
		if _, ok := listed[key]; !ok && d.source == source && (since.IsZero() || d.ended.Before(since)) {
			delete(ws.over, key)
		}
	}
}

// unreachable notes that a source does not answer: neither do the drivers behind it.
func (ws *watched) unreachable(source string) {
	for _, w := range ws.byID {
		if w.source == source && w.phase == running {
			w.ui = nil
		}
	}
}

// missing returns ids of a source's applications that it lists no more, at most maxLookups.
func (ws *watched) missing(source string, found []discover.Application) []string {
	listed := make(map[string]struct{}, len(found))
	for i := range found {
		listed[found[i].Key.ID] = struct{}{}
	}
	var ids []string
	for key, w := range ws.byID {
		if _, ok := listed[key.ID]; !ok && w.source == source && w.phase == running && len(ids) < maxLookups {
			ids = append(ids, key.ID)
		}
	}
	return ids
}

func (ws *watched) add(key track.Key, source string) *watchedApplication {
	w := &watchedApplication{app: track.NewApplication(key), source: source}
	w.app.FollowEndings(ws.r.traces != nil, ws.r.logs != nil)
	if source == sourceYARN && key.Attempt != yarn.FirstAttempt {
		ws.follow(w.app)
	}
	ws.byID[key] = w
	return w
}

// follow makes an attempt follow the one before it, if that was seen.
func (ws *watched) follow(app *track.Application) {
	var last *track.Application
	for key, w := range ws.byID {
		if key.ID == app.ID && (last == nil || w.app.Submitted.After(last.Submitted)) {
			last = w.app
		}
	}
	if last != nil {
		app.Follow(last)
	}
}

func (ws *watched) refresh(w *watchedApplication, f *discover.Application) {
	app := w.app
	app.Name, app.User, app.Queue = f.Name, f.User, f.Queue
	app.SparkVersion = cmp.Or(f.SparkVersion, app.SparkVersion)
	app.Now, app.Ended, app.Diagnostics = f.Now, f.Ended, f.Diagnostics
	if app.State != track.Running || f.State.Ended() {
		// A resource manager that takes over says that what runs waits, until it has heard of it again.
		app.State = f.State
	}
	if app.Submitted.IsZero() {
		app.Submitted = f.Submitted
	}
	if f.Allocation != nil {
		app.Allocate(*f.Allocation)
	}
	if f.State == track.Accepted {
		app.ObserveWait(f.Diagnostics)
	}
	if app.Settings == nil {
		app.Model = ws.r.reader.Namer.Model(f.Name, f.Tags, nil)
		app.Parent = track.FindParent(f.Tags, nil)
	}
	w.tags, w.ui, w.missed, w.err = f.Tags, f.UI, 0, nil
	w.driverAddress = f.DriverAddress
}

// miss notes that an application's source does not list it. A later attempt of it tells that this one has failed.
func (w *watchedApplication) miss(laterAttempt bool) {
	w.ui = nil
	w.missed++
	switch {
	case laterAttempt:
		w.app.State = track.Failed
	case w.missed >= missedPolls:
		w.app.State = track.Lost
	}
	if w.app.State.Ended() && w.app.Ended.IsZero() {
		w.app.Ended = w.app.Now
	}
}

// readable returns the applications that can be read now.
func (ws *watched) readable() []*watchedApplication {
	var list []*watchedApplication
	for _, w := range ws.byID {
		if w.phase == running && w.ui != nil && !w.app.State.Ended() {
			list = append(list, w)
		}
	}
	return list
}

// readRunning reads what is new of an application that has not ended.
func (ws *watched) readRunning(ctx context.Context, w *watchedApplication) error {
	read := func() error { return ws.r.reader.Running(ctx, w.app, *w.ui, w.tags) }
	switch {
	case w.source == sourceHistory:
		return ws.fromHistory(ctx, read)
	case ws.r.servers.direct[w.source] != nil && !w.proxied && (w.driverAddress != nil || w.app.UIAddress != ""):
		return ws.readDirectly(ctx, w)
	}
	return read()
}

// readDirectly reads an application at its driver. One that may not be asked is read through the proxy from then on; so is
// one that can't be reached, or sends everybody but the proxy away (AmIpFilter), once the proxy does better.
func (ws *watched) readDirectly(ctx context.Context, w *watchedApplication) error {
	var err error
	if w.driver == nil {
		err = ws.findDriver(ctx, w)
	}
	if w.driver != nil {
		err = ws.r.reader.Running(ctx, w.app, spark.NewAPI(w.driver).Attempt(w.app.ID, ""), w.tags)
	}
	if ctx.Err() != nil || w.driver != nil && read.UpToDate(err) {
		return err
	}
	proxyErr := ws.r.reader.Running(ctx, w.app, *w.ui, w.tags)
	w.proxied = w.proxied || proxyErr == nil
	if w.proxied {
		ws.r.set.Logger.Debug("the driver is read through the proxy", zap.String("application", w.app.ID), zap.Error(err))
		return proxyErr
	}
	return errors.Join(err, proxyErr)
}

// findDriver finds out where the driver is. It settles that the application is proxied if that is no place to ask.
func (ws *watched) findDriver(ctx context.Context, w *watchedApplication) error {
	address := w.app.UIAddress
	if w.driverAddress != nil {
		var err error
		if address, err = w.driverAddress(ctx); err != nil {
			return err
		}
	}
	var err error
	w.driver, err = ws.r.servers.direct[w.source](address)
	w.proxied = w.driver == nil
	return err
}

// report logs an application that can't be read, once it has been so for longer than what passes by itself.
func (ws *watched) report(w *watchedApplication) {
	now := ws.r.now()
	switch {
	case w.err == nil:
		w.failing = time.Time{}
		ws.r.health.report(w.name(), nil)
	case w.failing.IsZero():
		w.failing = now
	case now.Sub(w.failing) >= patience:
		ws.r.health.report(w.name(), w.err)
	}
}

// emitted returns the applications whose figures are emitted in this poll, in the order of their ids: not those whose
// last word is being read.
func (ws *watched) emitted() []*watchedApplication {
	var list []*watchedApplication
	for _, w := range ws.byID {
		if w.phase == closing && isClosed(w.lastWord) {
			w.phase = closed
			w.app.CloseEndings()
		}
		if w.phase != closing {
			list = append(list, w)
		}
	}
	slices.SortFunc(list, func(x, y *watchedApplication) int {
		return cmp.Or(cmp.Compare(x.app.ID, y.app.ID), cmp.Compare(x.app.Attempt, y.app.Attempt))
	})
	return list
}

// delivered notes that figures were accepted downstream. The last word on an application that has ended is read once
// its end was delivered, and it is forgotten once that was delivered too.
func (ws *watched) delivered(ctx context.Context, list []*watchedApplication) {
	for _, w := range list {
		w.app.Delivered(w.fresh())
		switch {
		case w.phase == running && w.app.State.Ended():
			w.phase = closing
			w.mark = w.now()
			w.lastWord = make(chan struct{})
			ws.closers.Go(func() {
				defer close(w.lastWord)
				ws.readLastWord(ctx, w)
			})
		case w.phase == closed:
			w.farewells++
			if kept := !w.app.Spans().Empty() || !w.app.Events().Empty(); w.farewells >= farewells && !kept || w.farewells == maxFarewells {
				key := w.app.Key
				delete(ws.byID, key)
				// An application is listed by the end of its last attempt, which may not be this one's.
				ended := w.app.Ended
				if w.app.Now.After(ended) {
					ended = w.app.Now
				}
				ws.over[key] = done{w.source, ended}
				ws.r.health.forget(w.name())
			}
		}
	}
}

// readLastWord asks the History Server for the end of an application until it is there.
func (ws *watched) readLastWord(ctx context.Context, w *watchedApplication) {
	history := ws.r.servers.history
	if history == nil {
		return
	}
	deadline := time.NewTimer(lastWordPatience)
	defer deadline.Stop()
	retry := time.NewTicker(ws.r.cfg.ControllerConfig.CollectionInterval)
	defer retry.Stop()
	for late, answered := false, false; ; {
		record, err := discover.History(ctx, history, w.app.Key)
		if err == nil && !answered {
			answered = true
			deadline.Reset(lastWordDeadline)
		}
		told := record != nil && (record.Completed || late || w.source == sourceHistory)
		if told {
			w.recorded(record)
			err = ws.fromHistory(ctx, func() error { return ws.r.reader.Ended(ctx, w.app, record.UI, w.tags) })
		}
		if ctx.Err() != nil {
			return
		}
		ws.r.answered(ctx, sourceHistory, err)
		if told && err == nil {
			return
		}
		if late {
			ws.r.set.Logger.Warn("the History Server did not show the end of an application: what it did after the last poll may be missing",
				zap.String("application", w.app.ID), zap.Error(err))
			return
		}
		select {
		case <-retry.C:
		case <-deadline.C:
			late = true
		case <-ctx.Done():
			return
		}
	}
}

// fromHistory reads from the History Server once that is free.
func (ws *watched) fromHistory(ctx context.Context, read func() error) error {
	select {
	case ws.history <- struct{}{}:
		defer func() { <-ws.history }()
		return read()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// recorded takes over what only the History Server tells.
func (w *watchedApplication) recorded(record *discover.Record) {
	w.app.SparkVersion = cmp.Or(w.app.SparkVersion, record.SparkVersion)
	w.app.DriverStarted = cmp.Or(w.app.DriverStarted, record.StartTime.Time)
	if w.app.State == track.Lost && record.Completed {
		w.app.State = track.Succeeded
		w.app.Ended = record.EndTime.Time
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
