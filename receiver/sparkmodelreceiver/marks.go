package sparkmodelreceiver

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/state"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/discover"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/track"
)

// marksVersion is that of the format; marks of another one are not read.
const marksVersion = 1

// mark is how far an application was delivered, and what describes it should no source list it any more.
type mark struct {
	Version     int               `json:"version"`
	Source      string            `json:"source"`
	Key         track.Key         `json:"key"`
	Ended       time.Time         `json:"ended,omitzero"`
	Done        bool              `json:"done,omitempty"`
	Submitted   time.Time         `json:"submitted,omitzero"`
	Description track.Description `json:"description,omitzero"`
	Tags        string            `json:"tags,omitempty"`
	Spans       *track.Marks      `json:"spans,omitempty"`
	Events      *track.Marks      `json:"events,omitempty"`
}

// sourceMark is the moment from which on a source is to be asked for what has ended.
type sourceMark struct {
	Version int       `json:"version"`
	Since   time.Time `json:"since"`
}

const (
	applicationMark = "application "
	listerMark      = "source "
)

// marks keep in a storage extension how far everything was delivered, so that a restarted collector goes on where this
// one ended. Without an extension they keep nothing.
type marks struct {
	client storage.Client
	store  *state.Store
}

func openMarks(ctx context.Context, host component.Host, cfg *Config, owner component.ID) (marks, error) {
	client, err := state.Client(ctx, host, cfg.Storage, component.KindReceiver, owner, "marks")
	if err != nil {
		return marks{}, err
	}
	store, err := state.Open(ctx, client, "marks")
	return marks{client: client, store: store}, err
}

func (m marks) close(ctx context.Context) error {
	if m.client == nil {
		return nil
	}
	return m.client.Close(ctx)
}

// resume goes on from the marks. Those of sources that are no longer configured, of applications that are no longer
// selected, and of another format are forgotten.
func (r *sparkModelReceiver) resume() error {
	sources := map[string]source{}
	for _, s := range r.sources {
		sources[s.name()] = s
	}
	for key, value := range r.marks.store.All() {
		if name, ok := strings.CutPrefix(key, listerMark); ok {
			var m sourceMark
			if err := json.Unmarshal(value, &m); err != nil {
				return fmt.Errorf("reading the mark of %s from the storage: %w", name, err)
			}
			if l, ok := sources[name].(lister); ok && m.Version == marksVersion {
				l.resume(m.Since)
			}
			continue
		}
		var m mark
		if err := json.Unmarshal(value, &m); err != nil {
			return fmt.Errorf("reading the mark of %s from the storage: %w", key, err)
		}
		if _, configured := sources[m.Source]; configured && m.Version == marksVersion {
			r.watched.resume(&m)
		}
	}
	return nil
}

// saveMarks keeps how far everything was delivered by now.
func (r *sparkModelReceiver) saveMarks(ctx context.Context) {
	if r.marks.client == nil {
		return
	}
	records, err := r.watched.records(r.sources)
	if err == nil {
		// What was delivered is noted, even if the collector is shutting down.
		err = r.marks.store.Replace(context.WithoutCancel(ctx), records)
	}
	r.health.report("storage", err)
}

// resume goes on with an application of before a restart.
func (ws *watched) resume(m *mark) {
	if m.Done {
		ws.over[m.Key] = done{m.Source, m.Ended}
		return
	}
	d := &m.Description
	if !ws.r.filter.Watches(&discover.Application{Key: m.Key, Name: d.Name, User: d.User, Queue: d.Queue, Tags: m.Tags}) {
		return
	}
	w := ws.add(m.Key, m.Source)
	w.app.Description, w.app.Submitted, w.app.Now, w.tags = *d, m.Submitted, ws.r.now(), m.Tags
	w.app.ResumeEndings(m.Spans, m.Events)
	ws.r.set.Logger.Debug("goes on with an application", zap.String("application", m.Key.ID))
}

// settled returns the moment up to since before which no application of a source has ended that is still watched.
func (ws *watched) settled(source string, since time.Time) time.Time {
	for _, w := range ws.byID {
		ended := w.mark.Ended
		if w.phase != closing {
			ended = w.app.Ended
		}
		if w.source == source && !ended.IsZero() && ended.Before(since) {
			since = ended
		}
	}
	return since
}

// records returns the marks of all applications, and of the sources that list what has ended.
func (ws *watched) records(sources []source) (map[string][]byte, error) {
	records := map[string][]byte{}
	put := func(key string, v any) error {
		text, err := json.Marshal(v)
		records[key] = text
		return err
	}
	for key, w := range ws.byID {
		if w.phase != closing {
			w.mark = w.now()
		}
		if err := put(applicationMark+key.ID+" "+key.Attempt, w.mark); err != nil {
			return nil, err
		}
	}
	for key, d := range ws.over {
		m := mark{Version: marksVersion, Source: d.source, Key: key, Ended: d.ended, Done: true}
		if err := put(applicationMark+key.ID+" "+key.Attempt, m); err != nil {
			return nil, err
		}
	}
	for _, s := range sources {
		l, ok := s.(lister)
		if !ok || l.since().IsZero() {
			continue
		}
		m := sourceMark{Version: marksVersion, Since: ws.settled(s.name(), l.since())}
		if err := put(listerMark+s.name(), m); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// now returns how far the application was delivered.
func (w *watchedApplication) now() mark {
	return mark{
		Version: marksVersion, Source: w.source, Key: w.app.Key, Ended: w.app.Ended, Submitted: w.app.Submitted,
		Description: w.app.Description, Tags: w.tags, Spans: w.app.Spans().Marks(), Events: w.app.Events().Marks(),
	}
}
