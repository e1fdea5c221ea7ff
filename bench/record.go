package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/bench/eventlog"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/recording"
)

// longLived is the application that the receivers are compared on.
var longLived = eventlog.Spec{ID: "local-1795500000000", Name: "churn-train", Executors: 100, Tasks: 8}

// jobs is how many of it have ended, each with a stage.
const jobs = 1000

// allKinds is in how many polls everything is read at least once that is read at all.
const allKinds = 7

// record records what a real History Server answers both receivers while the application is idle, while a job runs, and
// after ten more have finished.
func record(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("record", flag.ContinueOnError)
	history := flags.String("history", "", "address of a Spark History Server")
	logs := flags.String("logs", "", "folder whose event logs it serves")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(longLivedFile), 0o755); err != nil {
		return err
	}
	origin, err := asDriver(*history)
	if err != nil {
		return err
	}
	defer origin.Close()
	tape, err := recording.NewTape(recording.Options{Origins: map[string]string{recording.History: origin.URL}})
	if err != nil {
		return err
	}
	front := httptest.NewServer(tape.Handler(recording.History))
	defer front.Close()

	log, err := os.Create(filepath.Join(*logs, longLived.ID+".inprogress"))
	if err != nil {
		return err
	}
	defer log.Close()
	spec := longLived
	spec.Start = time.Now().Add(-lifetime())
	app := eventlog.New(log, spec)
	app.Jobs(jobs)
	app.Peaks()
	if err := await(ctx, app, *history, jobs-1, "SUCCEEDED"); err != nil {
		return err
	}

	var subjects []*polled
	for _, s := range []subject{ours, peer} {
		p, err := s.start(ctx, s.config(front.URL), s.name == ours.name)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, p.stop(ctx)) }()
		subjects = append(subjects, p)
	}
	job := (*eventlog.Job)(nil)
	for _, next := range []func() (int, string){
		func() (int, string) { return jobs - 1, "SUCCEEDED" },
		func() (int, string) { job = app.Begin(); return jobs, "RUNNING" },
		func() (int, string) { job.End(); app.Jobs(9); return jobs + 9, "SUCCEEDED" },
	} {
		id, status := next()
		if err := await(ctx, app, *history, id, status); err != nil {
			return err
		}
		for range allKinds {
			for _, p := range subjects {
				if err := p.poll(ctx); err != nil {
					return err
				}
			}
		}
		tape.EndPass()
	}
	rec, err := tape.Recording()
	if err != nil {
		return err
	}
	return rec.Save(longLivedFile)
}

// lifetime is how long the application has run when its jobs have ended and another has run for a minute.
func lifetime() time.Duration {
	spec := longLived
	spec.Start = time.Now()
	app := eventlog.New(io.Discard, spec)
	app.Jobs(jobs)
	app.Begin()
	return app.Now().Sub(spec.Start)
}

// await waits until the History Server shows a job in a state.
func await(ctx context.Context, app *eventlog.Writer, history string, id int, status string) error {
	if err := app.Flush(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/api/v1/applications/%s/jobs/%d", history, longLived.ID, id), http.NoBody)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		var answer struct{ Status string }
		_ = json.NewDecoder(resp.Body).Decode(&answer) // as long as there is no such job, it is no JSON
		resp.Body.Close()
		if answer.Status == status {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("job %d did not become %s: %w", id, status, ctx.Err())
		case <-time.After(time.Second):
		}
	}
}

// asDriver makes a History Server answer what only a driver does: the metrics servlet's page is a real driver's, whose
// application is another.
func asDriver(history string) (*httptest.Server, error) {
	target, err := url.Parse(history)
	if err != nil {
		return nil, err
	}
	metrics, err := driverMetrics()
	if err != nil {
		return nil, err
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	mux := http.NewServeMux()
	mux.Handle("/", proxy)
	mux.HandleFunc("/metrics/json/", func(w http.ResponseWriter, r *http.Request) {
		for name, values := range metrics.Header {
			w.Header()[name] = values
		}
		w.Header().Del("Content-Length")
		fmt.Fprint(w, metrics.Body)
	})
	return httptest.NewServer(mux), nil
}

func driverMetrics() (*recording.Answer, error) {
	rec, err := recording.Load(driverFile)
	if err != nil {
		return nil, err
	}
	for _, a := range rec.Answers() {
		rest, ok := strings.CutPrefix(a.URL, "/proxy/")
		if id, ok2 := strings.CutSuffix(rest, "/metrics/json/"); ok && ok2 && a.Status == http.StatusOK && strings.Contains(a.Body, id+".driver.") {
			a.Body = strings.ReplaceAll(a.Body, id, longLived.ID)
			return &a, nil
		}
	}
	return nil, fmt.Errorf("%s has no metrics of a driver", driverFile)
}
