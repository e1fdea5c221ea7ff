package sparkmodelreceiver

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
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
	// page answers for the page of an application, proxy for its driver.
	page, proxy http.HandlerFunc
}

func newStandalone(t *testing.T) *standalone {
	text, err := os.ReadFile(filepath.Join("internal", "master", "testdata", "spark-4.3.0.json"))
	require.NoError(t, err)
	s := &standalone{page: http.NotFound, proxy: sparkDriver}
	require.NoError(t, json.Unmarshal(text, &s.state))
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Date(2026, 11, 24, 16, 11, 0, 0, time.UTC).Format(http.TimeFormat))
		switch {
		case r.URL.Path == "/json/":
			s.mu.Lock()
			defer s.mu.Unlock()
			answer(w, s.state)
		case strings.HasPrefix(r.URL.Path, "/proxy/"+standaloneApp+"/"):
			s.proxy(w, r)
		case r.URL.Path == "/app/" && r.URL.RawQuery == "appId="+standaloneApp:
			s.page(w, r)
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

// linked is written by hand after Spark's ApplicationPage, not recorded: an application's page with a link to its driver.
func linked(address string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html;charset=utf-8")
		_, _ = io.WriteString(w, `<!DOCTYPE html><html><head><title>Application: churn</title></head><body><ul class="list-unstyled">
			<li><strong>State:</strong> RUNNING</li>
			<li><strong>
				<a href="`+address+`">Application Detail UI</a>
			</strong></li></ul>
			<a href="http://127.0.0.1:1/logPage?appId=app-1&amp;executorId=0&amp;logType=stdout">stdout</a></body></html>`)
	}
}

// noProxy answers with a page where drivers would be, as a server does that has no proxy for them; written by hand.
func noProxy(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html;charset=utf-8")
	_, _ = io.WriteString(w, "<html>Spark Master</html>")
}

func TestStandaloneDirectDrivers(t *testing.T) {
	for name, tt := range map[string]struct {
		hosts         []string
		page          func(driver string) http.HandlerFunc
		driver, proxy http.HandlerFunc
		// pages and direct are how many polls of three ask for the page, and at the driver.
		pages, direct int
		unreadable    bool
	}{
		"allowed":          {hosts: []string{`127\.0\.0\.\d+`}, page: linked, driver: sparkDriver, proxy: noProxy, pages: 1, direct: 3},
		"not wanted":       {page: linked, proxy: sparkDriver},
		"reverse proxy":    {hosts: []string{".*"}, page: func(string) http.HandlerFunc { return linked("/proxy/" + standaloneApp) }, proxy: sparkDriver, pages: 1},
		"another host":     {hosts: []string{`27\.0\.0\.1`}, page: linked, proxy: sparkDriver, pages: 1},
		"another, unread":  {hosts: []string{`27\.0\.0\.1`}, page: linked, proxy: noProxy, pages: 1, unreadable: true},
		"script":           {hosts: []string{".*"}, page: func(string) http.HandlerFunc { return linked("javascript:alert(1)") }, proxy: sparkDriver, pages: 1},
		"user and query":   {hosts: []string{".*"}, page: func(d string) http.HandlerFunc { return linked(strings.Replace(d, "//", "//u:p@", 1) + "/?x=1") }, proxy: sparkDriver, pages: 1},
		"no link":          {hosts: []string{".*"}, page: func(string) http.HandlerFunc { return noProxy }, proxy: sparkDriver, pages: 1},
		"driver starts up": {hosts: []string{".*"}, page: linked, driver: noProxy, proxy: noProxy, pages: 1, direct: 3, unreadable: true},
		"driver is shut":   {hosts: []string{".*"}, page: linked, driver: noProxy, proxy: sparkDriver, pages: 1, direct: 1},
		"redirect": {hosts: []string{".*"}, page: func(d string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, d, http.StatusFound) }
		}, proxy: sparkDriver, pages: 1},
		"page is asked for again": {hosts: []string{".*"}, page: func(string) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
		}, proxy: noProxy, pages: 3, unreadable: true},
		"endless": {hosts: []string{".*"}, page: func(d string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				row := []byte(strings.Repeat("<tr><td>x</td></tr>", 1000))
				for range 1000 {
					if _, err := w.Write(row); err != nil {
						return
					}
				}
				linked(d)(w, r)
			}
		}, proxy: sparkDriver, pages: 1},
	} {
		t.Run(name, func(t *testing.T) {
			var pages atomic.Int64
			driver := newDirectDriver(t, tt.driver)
			s := newStandalone(t)
			s.set("activeapps", "RUNNING")
			page := tt.page(driver.URL)
			s.proxy = tt.proxy
			s.page = func(w http.ResponseWriter, r *http.Request) {
				pages.Add(1)
				page(w, r)
			}
			cfg := createDefaultConfig().(*Config)
			cfg.Master.GetOrInsertDefault().Endpoints = []string{s.URL}
			cfg.Master.Get().DirectDrivers = tt.hosts
			cfg.Master.Get().ClientConfig.Headers.Set("Authorization", "secret")
			p := newPolled(t, cfg)
			for range 3 {
				driver.poll.Add(1)
				_, read := p.polls(t)[standaloneApp+" spark.application.job.active"]
				assert.Equal(t, !tt.unreadable, read)
			}
			assert.EqualValues(t, tt.pages, pages.Load())
			assert.Equal(t, tt.direct, driver.polls(), "polls in which the driver was asked")
		})
	}
}

// A driver that was still starting when it was asked first is read once it has started.
func TestStandaloneDriverStarts(t *testing.T) {
	var started atomic.Bool
	driver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !started.Load() {
			noProxy(w, r)
			return
		}
		sparkDriver(w, r)
	}))
	t.Cleanup(driver.Close)
	s := newStandalone(t)
	s.set("activeapps", "RUNNING")
	s.proxy, s.page = noProxy, linked(driver.URL)
	cfg := createDefaultConfig().(*Config)
	cfg.Master.GetOrInsertDefault().Endpoints = []string{s.URL}
	cfg.Master.Get().DirectDrivers = []string{`127\.0\.0\.1`}
	p := newPolled(t, cfg)
	assert.NotContains(t, p.polls(t), standaloneApp+" spark.application.job.active")
	started.Store(true)
	assert.Contains(t, p.polls(t), standaloneApp+" spark.application.job.active")
}
