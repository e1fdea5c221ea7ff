package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/recording"
)

// The fleet: as many applications, each with as many executors, of which every one has a stage that runs.
const (
	fleetApplications = 1000
	fleetExecutors    = 50
	fleetJobs         = 20
)

// fleetPolls is how many polls are measured: in the first one everything is read, and after six all kinds have come.
const fleetPolls = 8

// fleetUse is what watching the fleet takes.
type fleetUse struct {
	Applications int     `json:"applications"`
	Executors    int     `json:"executors"`
	PollSeconds  float64 `json:"poll_seconds"`
	FirstSeconds float64 `json:"first_poll_seconds"`
	MaxRSS       float64 `json:"max_rss_mib"`
	Points       int64   `json:"points"`
	Batches      int64   `json:"batches"`
}

// measureFleet watches the fleet in a process of its own, so that its memory is the receiver's alone.
func measureFleet(ctx context.Context) (fleetUse, error) {
	srv, err := startServer(ctx, "serve-fleet")
	if err != nil {
		return fleetUse{}, err
	}
	defer srv.stop()
	cmd := exec.CommandContext(ctx, os.Args[0], "watch-fleet", srv.Plain)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fleetUse{}, err
	}
	var u fleetUse
	return u, json.Unmarshal(out, &u)
}

// watchFleet watches the fleet at an address for some polls.
func watchFleet(ctx context.Context, args []string) error {
	cfg := ours.factory.CreateDefaultConfig()
	err := confmap.NewFromStringMap(map[string]any{
		"collection_interval": "1ms", "initial_delay": "1ms", "yarn": map[string]any{"endpoints": []any{args[0]}},
	}).Unmarshal(cfg)
	if err != nil {
		return err
	}
	u := fleetUse{Applications: fleetApplications, Executors: fleetExecutors}
	var points, batches atomic.Int64
	next, err := consumer.NewMetrics(func(_ context.Context, md pmetric.Metrics) error {
		points.Add(int64(md.DataPointCount()))
		batches.Add(1)
		return nil
	})
	if err != nil {
		return err
	}
	telemetry := componenttest.NewTelemetry()
	set := receivertest.NewNopSettings(ours.factory.Type())
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	r, err := ours.factory.CreateMetrics(ctx, set, cfg, next)
	if err != nil {
		return err
	}
	if err := r.Start(ctx, componenttest.NewNopHost()); err != nil {
		return err
	}
	// The receiver tells how long its polls took.
	var seconds []float64
	for len(seconds) < fleetPolls {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		done, sum := pollDurations(telemetry)
		if int(done) > len(seconds) {
			seconds = append(seconds, sum)
			u.Points, u.Batches = points.Swap(0), batches.Swap(0)
		}
	}
	if err := r.Shutdown(ctx); err != nil {
		return err
	}
	u.FirstSeconds = seconds[0]
	for i := range seconds[1:] {
		u.PollSeconds = max(u.PollSeconds, seconds[i+1]-seconds[i])
	}
	if u.Points < fleetApplications*fleetExecutors {
		return fmt.Errorf("the last poll emitted %d data points: the fleet was not read", u.Points)
	}
	if u.MaxRSS, err = maxRSS(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(u)
}

// pollDurations returns how many polls there were and how many seconds they took together.
func pollDurations(t *componenttest.Telemetry) (n uint64, seconds float64) {
	m, err := t.GetMetric("otelcol_receiver_sparkmodel_poll_duration")
	if err != nil {
		return 0, 0
	}
	for _, dp := range m.Data.(metricdata.Histogram[float64]).DataPoints {
		n, seconds = dp.Count, dp.Sum
	}
	return n, seconds
}

// maxRSS is the most memory that the process had resident so far, in MiB.
func maxRSS() (float64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
			return kb / 1024, err
		}
	}
	return 0, fmt.Errorf("no VmHWM in /proc/self/status")
}

// serveFleet serves a resource manager with the fleet behind its proxy. Each application answers as the long-lived one
// did while a job ran, but with fewer executors, jobs and stages; the cluster's own answers are recorded ones.
func serveFleet(ctx context.Context, _ []string) error {
	rec, err := recording.Load(longLivedFile)
	if err != nil {
		return err
	}
	player := recording.NewPlayer(rec, recording.PlayerOptions{From: rec.Passes()[busy]})
	driver := cut(player.Handler(recording.History))
	cluster, err := recording.Load(clusterFile)
	if err != nil {
		return err
	}
	manager := recording.NewPlayer(cluster, recording.PlayerOptions{}).Handler(recording.ResourceManager)
	apps, err := listing(cluster, player.Now())
	if err != nil {
		return err
	}
	clock := &clock{now: player.Now}
	clock.next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, proxied := strings.CutPrefix(r.URL.Path, "/proxy/")
		switch {
		case proxied:
			id, path, _ := strings.Cut(rest, "/")
			r.URL.Path = strings.Replace("/"+path, id, longLived.ID, 1)
			driver.ServeHTTP(w, r)
		case r.URL.Path == "/ws/v1/cluster/apps" && strings.Contains(r.FormValue("states"), "RUNNING"):
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(apps)
		case r.URL.Path == "/ws/v1/cluster/apps":
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"apps":{}}`))
		default:
			manager.ServeHTTP(w, r)
		}
	})
	plain, _ := listen(uncompressed(clock))
	return announce(ctx, server{Plain: plain})
}

// listing is a resource manager's list of the fleet: a recorded application, as often as needed.
func listing(cluster *recording.Recording, now time.Time) ([]byte, error) {
	for _, a := range cluster.Answers() {
		var answer struct {
			Apps struct {
				App []map[string]any `json:"app"`
			} `json:"apps"`
		}
		if !strings.HasPrefix(a.URL, "/ws/v1/cluster/apps?") || json.Unmarshal([]byte(a.Body), &answer) != nil {
			continue
		}
		for _, app := range answer.Apps.App {
			if app["state"] != "RUNNING" || app["trackingUI"] != "ApplicationMaster" || app["applicationType"] != "SPARK" {
				continue
			}
			fleet := make([]map[string]any, fleetApplications)
			for i := range fleet {
				one := map[string]any{}
				for k, v := range app {
					one[k] = v
				}
				one["id"], one["name"] = fmt.Sprintf("application_1795500000000_%04d", i+1), fmt.Sprintf("churn-%d", i+1)
				one["startedTime"], one["launchTime"] = now.Add(-3*time.Hour).UnixMilli(), now.Add(-3*time.Hour).UnixMilli()
				fleet[i] = one
			}
			return json.Marshal(map[string]any{"apps": map[string]any{"app": fleet}})
		}
	}
	return nil, fmt.Errorf("%s has no running Spark application", clusterFile)
}

// cut serves what is listed of an application of the fleet's size, and remembers each answer.
func cut(h http.Handler) http.Handler {
	answers := map[string]*answer{}
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		from := 0
		if strings.HasSuffix(r.URL.Path, "/sql") {
			from, _ = strconv.Atoi(r.FormValue("offset"))
			r.URL.RawQuery = "details=false&length=1000&offset=0&planDescription=false"
		}
		key := r.URL.String()
		a := answers[key]
		if a == nil {
			a = &answer{header: http.Header{}, status: http.StatusOK}
			if one, found := strings.CutSuffix(r.URL.Path, "/"+longLived.ID); found {
				// A receiver of drivers asks for the list alone.
				r.URL.Path = one
				h.ServeHTTP(a, r)
				a.first()
			} else {
				h.ServeHTTP(a, r)
				a.cut(r.URL.Path)
			}
			answers[key] = a
		}
		mu.Unlock()
		for name, values := range a.header {
			w.Header()[name] = values
		}
		w.WriteHeader(a.status)
		if from > 0 {
			var list []json.RawMessage
			_ = json.Unmarshal(a.body, &list) // it was JSON when it was cut
			_ = json.NewEncoder(w).Encode(list[min(from, len(list)):])
			return
		}
		_, _ = w.Write(a.body)
	})
}

type answer struct {
	header http.Header
	status int
	body   []byte
}

func (a *answer) Header() http.Header { return a.header }
func (a *answer) WriteHeader(s int)   { a.status = s }
func (a *answer) Write(b []byte) (int, error) {
	a.body = append(a.body, b...)
	return len(b), nil
}

// first leaves of a list its only element.
func (a *answer) first() {
	a.body = bytes.TrimSuffix(bytes.TrimPrefix(bytes.TrimSpace(a.body), []byte("[")), []byte("]"))
	a.header.Del("Content-Length")
}

// cut leaves of a list as much as an application of the fleet has.
func (a *answer) cut(path string) {
	limit := map[string]int{"executors": fleetExecutors + 1, "allexecutors": fleetExecutors + 1, "jobs": fleetJobs, "stages": fleetJobs, "sql": fleetJobs}[path[strings.LastIndex(path, "/")+1:]]
	var list []json.RawMessage
	if limit == 0 || json.Unmarshal(a.body, &list) != nil || len(list) <= limit {
		return
	}
	a.header.Del("Content-Length")
	a.body, _ = json.Marshal(list[:limit]) // it was JSON before
}
