package sparkmodelreceiver

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// standalone is a Master of Spark 4.3.0 as it answered, with what a test changes.
type standalone struct {
	*httptest.Server
	mu    sync.Mutex
	state object
}

func newStandalone(t *testing.T) *standalone {
	text, err := os.ReadFile(filepath.Join("internal", "master", "testdata", "spark-4.3.0.json"))
	require.NoError(t, err)
	s := &standalone{}
	require.NoError(t, json.Unmarshal(text, &s.state))
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Date(2026, 11, 24, 16, 11, 0, 0, time.UTC).Format(http.TimeFormat))
		switch {
		case r.URL.Path == "/json/":
			s.mu.Lock()
			defer s.mu.Unlock()
			answer(w, s.state)
		case strings.HasPrefix(r.URL.Path, "/proxy/"+standaloneApp+"/"):
			sparkDriver(w, r)
		default:
			http.Redirect(w, r, r.URL.Path+"/", http.StatusMovedPermanently)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

const standaloneApp = "app-20261124160623-0000"

// set makes the application active or completed, in a state.
func (s *standalone) set(list, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := append(s.state["activeapps"].([]any), s.state["completedapps"].([]any)...)
	app := with(all[0].(object), object{"state": state})
	s.state["activeapps"], s.state["completedapps"] = []any{}, []any{}
	s.state[list] = []any{app}
}

func TestStandalone(t *testing.T) {
	standby, alive := newStandalone(t), newStandalone(t)
	standby.state["status"] = "STANDBY"
	alive.set("activeapps", "WAITING")
	alive.state["workers"] = append(alive.state["workers"].([]any), object{"host": "10.0.0.2", "port": 7078, "state": "DEAD", "cores": 8, "lastheartbeat": 1795530000000})
	cfg := createDefaultConfig().(*Config)
	cfg.Master.GetOrInsertDefault().Endpoints = []string{standby.URL, alive.URL}
	p := newPolled(t, cfg)

	got := p.polls(t)
	assert.Equal(t, "submitted", got.state(standaloneApp), "it waits for cores")
	assert.InDelta(t, 1, got.value(t, "spark.master.applications waiting"), 0)
	assert.InDelta(t, 0, got.value(t, "spark.master.applications running"), 0)
	assert.InDelta(t, 1, got.value(t, "spark.master.workers alive"), 0)
	assert.InDelta(t, 1, got.value(t, "spark.master.workers dead"), 0)
	assert.InDelta(t, 2, got.value(t, "spark.master.core.limit"), 0)
	assert.InDelta(t, 0, got.value(t, "spark.master.core.usage"), 0)
	assert.InDelta(t, 2048<<20, got.value(t, "spark.master.memory.limit"), 0)
	assert.InDelta(t, 2, got.value(t, "spark.worker.core.limit 127.0.0.1:40407"), 0)
	assert.NotContains(t, got, "spark.worker.core.limit 10.0.0.2:7078", "a dead worker has no cores")
	assert.Greater(t, got.value(t, "spark.worker.heartbeat.age 10.0.0.2:7078"), 60.0)

	alive.set("activeapps", "RUNNING")
	got = p.polls(t)
	assert.Equal(t, "running", got.state(standaloneApp))
	assert.Contains(t, got, standaloneApp+" spark.application.job.active", "read through the Master's proxy")

	alive.set("completedapps", "FINISHED")
	got = p.polls(t)
	assert.Equal(t, "succeeded", got.state(standaloneApp))
	assert.InDelta(t, 305.936, got.value(t, standaloneApp+" spark.application.duration"), 1e-6)
	for range 2 * farewells {
		p.polls(t)
	}
	assert.Zero(t, p.watched.count(), "the Master goes on listing it, and it is not watched again")
	assert.Empty(t, p.logs.All())
}

// What ended before the collector started is none of its business.
func TestStandaloneBefore(t *testing.T) {
	s := newStandalone(t)
	cfg := createDefaultConfig().(*Config)
	cfg.Master.GetOrInsertDefault().Endpoints = []string{s.URL}
	p := newPolled(t, cfg)
	s.mu.Lock()
	s.state["completedapps"].([]any)[0].(object)["duration"] = 1000
	s.mu.Unlock()
	p.polls(t)
	assert.Zero(t, p.watched.count())
}

func TestNoMasterIsAlive(t *testing.T) {
	s := newStandalone(t)
	s.state["status"] = "RECOVERING"
	cfg := createDefaultConfig().(*Config)
	cfg.Master.GetOrInsertDefault().Endpoints = []string{s.URL}
	p := newPolled(t, cfg)
	p.polls(t)
	p.polls(t)
	require.Len(t, p.logs.All(), 1, "said once")
	assert.Contains(t, p.logs.All()[0].ContextMap()["error"], `"RECOVERING", not ALIVE`)
}
