package sparkmodelreceiver

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	observed "go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
)

// polled is a receiver that a test polls by hand, with its own clock.
type polled struct {
	*sparkModelReceiver
	sink consumertest.MetricsSink
	logs *observed.ObservedLogs
	at   atomic.Pointer[time.Time]
}

func newPolled(t *testing.T, cfg *Config) *polled {
	core, logs := observed.New(zap.InfoLevel)
	p := &polled{logs: logs}
	start := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	p.at.Store(&start)
	cfg.ControllerConfig.CollectionInterval = 5 * time.Millisecond
	set := receivertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	var err error
	p.sparkModelReceiver, err = newSparkModelReceiver(set, cfg)
	require.NoError(t, err)
	p.metrics, p.reader.Metrics = &p.sink, true
	p.now = func() time.Time { return *p.at.Load() }
	require.NoError(t, p.connect(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() {
		p.watched.closers.Wait()
		p.servers.shutdown()
	})
	return p
}

// polls once and returns what was sent.
func (p *polled) polls(t *testing.T) points {
	p.sink.Reset()
	p.poll(t.Context())
	p.pass(step)
	return pointsOf(p.sink.AllMetrics())
}

// pass lets time pass.
func (p *polled) pass(d time.Duration) {
	next := p.now().Add(d)
	p.at.Store(&next)
}

// settle polls until the last word on every application was read.
func (p *polled) settle(t *testing.T) points {
	got := p.polls(t)
	p.watched.closers.Wait()
	maps.Copy(got, p.polls(t))
	return got
}

// points are data points by "id attempt metric dimensions", the stale ones left out.
type points map[string]pmetric.NumberDataPoint

func pointsOf(all []pmetric.Metrics) points {
	out := points{}
	for _, md := range all {
		for _, rm := range md.ResourceMetrics().All() {
			var of []string
			for _, name := range []string{"spark.application.id", "spark.application.attempt.id"} {
				if v, ok := rm.Resource().Attributes().Get(name); ok && v.Str() != "" {
					of = append(of, v.Str())
				}
			}
			for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
				for _, dp := range numbers(m).All() {
					if !dp.Flags().NoRecordedValue() {
						out[strings.TrimSpace(strings.Join(append(of, m.Name(), dimensions(dp.Attributes())), " "))] = dp
					}
				}
			}
		}
	}
	return out
}

func (p points) value(t *testing.T, key string) float64 {
	t.Helper()
	dp, ok := p[key]
	require.True(t, ok, "no point %s", key)
	return dp.DoubleValue() + float64(dp.IntValue())
}

// state returns the state that an application is said to be in, empty if none is.
func (p points) state(application string) string {
	for key, dp := range p {
		if state, ok := strings.CutPrefix(key, application+" spark.application.status "); ok && dp.IntValue() == 1 {
			return state
		}
	}
	return ""
}

type object = map[string]any

// manager is a resource manager in a state that a real one is in only for moments, or only after accidents. Its answers
// are those that Hadoop 3.4.2 was seen to give.
type manager struct {
	*httptest.Server
	mu      sync.Mutex
	standby http.HandlerFunc // nil while active
	info    object
	apps    map[string]object
	// attempts are those of the application that is asked for.
	attempts []object
	// driver answers for what is behind the proxy.
	driver http.HandlerFunc
	asked  []string
}

func newManager(t *testing.T) *manager {
	m := &manager{info: object{"haState": "ACTIVE", "startedOn": 1795415000000}, apps: map[string]object{}, driver: sparkDriver}
	m.Server = httptest.NewServer(http.HandlerFunc(m.serve))
	t.Cleanup(m.Close)
	return m
}

// change alters the manager between two polls.
func (m *manager) change(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

func (m *manager) requests() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	asked := m.asked
	m.asked = nil
	return asked
}

func (m *manager) serve(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, r.URL.Path)
	if m.standby != nil {
		m.standby(w, r)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/proxy/") {
		m.driver(w, r)
		return
	}
	id := strings.TrimPrefix(r.URL.Path, "/ws/v1/cluster/apps/")
	switch {
	case strings.HasSuffix(id, "/appattempts"):
		answer(w, object{"appAttempts": object{"appAttempt": m.attempts}})
	case r.URL.Path == "/ws/v1/cluster/info":
		answer(w, object{"clusterInfo": m.info})
	case r.URL.Path == "/ws/v1/cluster/apps":
		var list []object
		for _, app := range m.apps {
			if strings.Contains(r.URL.Query().Get("states"), app["state"].(string)) {
				list = append(list, app)
			}
		}
		answer(w, object{"apps": object{"app": list}})
	case id != r.URL.Path && m.apps[id] != nil:
		answer(w, object{"app": m.apps[id]})
	case id != r.URL.Path:
		w.WriteHeader(http.StatusNotFound)
		answer(w, object{"RemoteException": object{"exception": "NotFoundException", "message": "java.lang.Exception: app with id: " + id + " not found"}})
	default:
		answer(w, object{})
	}
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// sparkDriver answers for a driver in which nothing has run yet.
func sparkDriver(w http.ResponseWriter, r *http.Request) {
	_, path, _ := strings.Cut(r.URL.Path, "/api/v1/applications/")
	id, what, _ := strings.Cut(path, "/")
	switch {
	case strings.HasSuffix(r.URL.Path, "/metrics/json/"):
		answer(w, object{})
	case what == "":
		answer(w, object{"id": id, "attempts": []object{{"startTime": "2026-11-24T11:00:00.000GMT", "sparkUser": "alice", "appSparkVersion": "4.3.0"}}})
	case strings.HasSuffix(what, "environment"):
		answer(w, object{"sparkProperties": [][]string{}})
	case strings.Contains(what, "jobs/"):
		http.Error(w, "unknown job: 0", http.StatusNotFound)
	default:
		answer(w, []object{})
	}
}

const (
	appID   = "application_1795415816459_0002"
	attempt = appID + " 1"
)

func runningApp() object {
	return object{
		"id": appID, "user": "alice", "name": "churn", "queue": "root.ml.train", "state": "RUNNING", "finalStatus": "UNDEFINED",
		"trackingUI": "ApplicationMaster", "clusterId": 1795415816459, "startedTime": 1795415820000, "launchTime": 1795415823000,
		"amContainerLogs": "http://nm:8042/node/containerlogs/container_1795415816459_0002_01_000001/alice",
		"allocatedMB":     3584, "allocatedVCores": 3, "runningContainers": 3, "memorySeconds": 1157699, "vcoreSeconds": 900,
	}
}

func with(app object, changes object) object {
	app = maps.Clone(app)
	maps.Copy(app, changes)
	return app
}

func yarnConfig(managers ...*manager) *Config {
	cfg := createDefaultConfig().(*Config)
	for _, m := range managers {
		y := cfg.YARN.GetOrInsertDefault()
		y.Endpoints = append(y.Endpoints, m.URL)
	}
	return cfg
}

func standbyRedirect(location string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		w.WriteHeader(http.StatusTemporaryRedirect)
		_, _ = fmt.Fprint(w, "This is standby RM. The redirect url is: /ws/v1/cluster/apps")
	}
}

// A resource manager takes over: the application goes on as the same one, whatever the new one says of it at first.
func TestFailover(t *testing.T) {
	one, two := newManager(t), newManager(t)
	one.apps[appID] = runningApp()
	two.standby = standbyRedirect(one.URL + "/ws/v1/cluster/info")
	p := newPolled(t, yarnConfig(one, two))

	before := p.polls(t)
	assert.Equal(t, "running", before.state(attempt))
	assert.InDelta(t, 1157699<<20, before.value(t, attempt+" yarn.application.memory.time"), 0)
	assert.InDelta(t, 3, before.value(t, attempt+" yarn.application.wait.duration"), 0)
	assert.Empty(t, two.requests())

	one.change(func() { one.standby = standbyRedirect(two.URL + "/ws/v1/cluster/info") })
	one.requests()
	between := p.polls(t)
	assert.Equal(t, "running", between.state(attempt), "the last that is known")
	assert.NotContains(t, between, attempt+" spark.application.job.active")
	assert.Equal(t, []string{"/ws/v1/cluster/info"}, one.requests(), "no manager is active, none is asked for a driver")

	two.change(func() {
		two.standby = nil
		two.info = object{"haState": "ACTIVE", "startedOn": 1795419999000}
		two.apps[appID] = with(runningApp(), object{
			"state": "ACCEPTED", "trackingUI": "UNASSIGNED", "clusterId": 1795419999000, "diagnostics": "Attempt recovered after RM restart",
			"allocatedMB": 0, "allocatedVCores": 0, "runningContainers": 0, "memorySeconds": 73, "vcoreSeconds": 1,
			"preemptedMemorySeconds": 73, "preemptedVcoreSeconds": 1,
		})
	})
	taken := p.polls(t)
	assert.Equal(t, "running", taken.state(attempt), "it waits no more than before")
	assert.InDelta(t, 3, taken.value(t, attempt+" yarn.application.wait.duration"), 0)

	two.change(func() {
		two.apps[appID] = with(runningApp(), object{
			"clusterId": 1795419999000, "memorySeconds": 530300, "vcoreSeconds": 400, "preemptedMemorySeconds": 530300, "preemptedVcoreSeconds": 400,
		})
	})
	after := p.polls(t)
	assert.Equal(t, "running", after.state(attempt))
	const memory = attempt + " yarn.application.memory.time"
	assert.InDelta(t, 1157699<<20, after.value(t, memory), 0, "what ran backwards is not believed")
	assert.Zero(t, after.value(t, attempt+" yarn.application.preempted.memory.time"), "nothing was preempted")
	assert.Equal(t, before[memory].StartTimestamp(), after[memory].StartTimestamp(), "a failover begins no application anew")
	assert.Contains(t, after, attempt+" spark.application.job.active", "the driver is read through the new manager")
	assert.Contains(t, two.requests(), "/proxy/"+appID+"/api/v1/applications/"+appID+"/jobs")

	var said []string
	for _, entry := range p.logs.All() {
		said = append(said, entry.Message)
	}
	assert.Len(t, said, 2, "once down, once up")
}

func TestPreemptionIsBelieved(t *testing.T) {
	one := newManager(t)
	one.apps[appID] = with(runningApp(), object{
		"numNonAMContainerPreempted": 1, "preemptedMemorySeconds": 172457, "preemptedVcoreSeconds": 84,
	})
	p := newPolled(t, yarnConfig(one))
	got := p.polls(t)
	assert.InDelta(t, 1, got.value(t, attempt+" yarn.application.preempted"), 0)
	assert.InDelta(t, 172457<<20, got.value(t, attempt+" yarn.application.preempted.memory.time"), 0)
	assert.InDelta(t, 84, got.value(t, attempt+" yarn.application.preempted.vcore.time"), 0)
}

// An application that is listed no more is asked for. Where YARN has forgotten it, it ends as lost, or as the History
// Server has it.
func TestForgottenApplications(t *testing.T) {
	one := newManager(t)
	one.apps[appID] = runningApp()
	p := newPolled(t, yarnConfig(one))
	p.polls(t)
	one.change(func() { delete(one.apps, appID) })
	one.requests()
	for range missedPolls - 1 {
		assert.Equal(t, "running", p.polls(t).state(attempt))
	}
	assert.Contains(t, one.requests(), "/ws/v1/cluster/apps/"+appID)
	assert.Equal(t, "lost", p.polls(t).state(attempt))
	assert.Empty(t, p.logs.All())
}

func TestForgottenApplicationThatHistoryHas(t *testing.T) {
	one := newManager(t)
	one.apps[appID] = runningApp()
	cfg := yarnConfig(one)
	history := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, appID) {
			answer(w, object{"id": appID, "attempts": []object{{"completed": true, "startTime": "2026-11-24T11:00:00.000GMT", "endTime": "2026-11-24T11:30:00.000GMT"}}})
			return
		}
		sparkDriver(w, r)
	}))
	t.Cleanup(history.Close)
	cfg.History.GetOrInsertDefault().ClientConfig.Endpoint = history.URL
	p := newPolled(t, cfg)
	p.polls(t)
	one.change(func() { delete(one.apps, appID) })
	for range missedPolls - 1 {
		p.polls(t)
	}
	assert.Equal(t, "succeeded", p.settle(t).state(attempt))
}

// YARN lists an application neither as running nor as ended lately, and knows how it ended.
func TestLookedUpApplication(t *testing.T) {
	one := newManager(t)
	one.apps[appID] = runningApp()
	p := newPolled(t, yarnConfig(one))
	p.polls(t)
	one.change(func() {
		one.apps[appID] = with(runningApp(), object{"state": "FINISHED", "finalStatus": "FAILED", "finishedTime": 1795415900000, "diagnostics": "User application exited with status 1"})
	})
	got := p.polls(t)
	assert.Equal(t, "failed", got.state(attempt))
	assert.InDelta(t, 80, got.value(t, attempt+" spark.application.duration"), 0)
}

// Who may not see an application gets blanks from YARN; what the driver shows is shown.
func TestBlankedApplication(t *testing.T) {
	one := newManager(t)
	one.apps[appID] = with(runningApp(), object{
		"startedTime": 0, "launchTime": 0, "elapsedTime": 0, "runningContainers": 0, "allocatedMB": 0, "allocatedVCores": 0,
	})
	p := newPolled(t, yarnConfig(one))
	got := p.polls(t)
	assert.Equal(t, "running", got.state(attempt))
	for key := range got {
		assert.NotContains(t, key, "yarn.application.", "a blank is not a figure")
	}
	running := got[attempt+" spark.application.job.active"]
	assert.Equal(t, "2026-11-24T11:00:00Z", running.StartTimestamp().AsTime().Format(time.RFC3339), "the start is the driver's")
}

// The live UI shows every attempt as the current one; YARN's container ids tell them apart.
func TestAttempts(t *testing.T) {
	one := newManager(t)
	one.apps[appID] = runningApp()
	p := newPolled(t, yarnConfig(one))
	assert.Equal(t, "running", p.polls(t).state(appID+" 1"))
	one.change(func() {
		one.apps[appID] = with(runningApp(), object{"state": "ACCEPTED", "trackingUI": "UNASSIGNED",
			"memorySeconds": 1157699 + 500, "vcoreSeconds": 900 + 20,
			"amContainerLogs": "http://nm:8042/node/containerlogs/container_e02_1795415816459_0002_02_000001/alice"})
		one.attempts = []object{{"id": 1, "startTime": 1795415820000}, {"id": 2, "startTime": 1795415890000}}
	})
	one.requests()
	got := p.polls(t)
	assert.Equal(t, "failed", got.state(appID+" 1"))
	assert.Equal(t, "accepted", got.state(appID+" 2"))
	assert.Contains(t, one.requests(), "/ws/v1/cluster/apps/"+appID+"/appattempts")
	one.change(func() { one.apps[appID]["state"], one.apps[appID]["trackingUI"] = "RUNNING", "ApplicationMaster" })
	got = p.polls(t)
	assert.NotContains(t, one.requests(), "/ws/v1/cluster/apps/"+appID+"/appattempts", "known by now")
	assert.Equal(t, "running", got.state(appID+" 2"))
	assert.Contains(t, got, appID+" 2 spark.application.job.active")
	assert.InDelta(t, 70, got.value(t, appID+" 1 spark.application.duration")-got.value(t, appID+" 2 spark.application.duration"), 1e-9,
		"the second began 70 s after the application")
	assert.InDelta(t, 500<<20, got.value(t, appID+" 2 yarn.application.memory.time"), 0, "what the first held is not the second's")
	assert.InDelta(t, 20, got.value(t, appID+" 2 yarn.application.vcore.time"), 0)
	assert.Zero(t, got.value(t, appID+" 2 yarn.application.wait.duration"))
}

// What answers in a driver's place while it starts or goes is nobody's business for a minute; then it is said once.
func TestPagesInPlaceOfADriver(t *testing.T) {
	html := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html;charset=utf-8")
			w.WriteHeader(status)
			_, _ = fmt.Fprint(w, body)
		}
	}
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
	}
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	t.Cleanup(trap.Close)
	for name, page := range map[string]http.HandlerFunc{
		"starting up":    html(http.StatusOK, "Spark is starting up. Please wait a while until it's ready."),
		"tracking page":  redirect(trap.URL + "/cluster/app/" + appID),
		"history server": redirect(trap.URL + "/history/" + appID + "/1/jobs"),
		"to itself": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
		},
		"no driver": html(http.StatusInternalServerError, "java.net.ConnectException: Connection refused"),
		"unknown":   html(http.StatusNotFound, "Application could not be found in RM or history server"),
	} {
		t.Run(name, func(t *testing.T) {
			one := newManager(t)
			one.apps[appID], one.driver = runningApp(), page
			p := newPolled(t, yarnConfig(one))
			for range 3 {
				got := p.polls(t)
				assert.Equal(t, "running", got.state(attempt))
				assert.NotContains(t, got, attempt+" spark.application.job.active")
			}
			assert.Empty(t, p.logs.All())
			one.change(func() { one.driver = sparkDriver })
			assert.Contains(t, p.polls(t), attempt+" spark.application.job.active")
			one.change(func() { one.driver = page })
			for range 10 {
				p.polls(t)
			}
			assert.Len(t, p.logs.FilterMessageSnippet("can't be read").All(), 1)
		})
	}
}

// A secured cluster warns of other users' applications in place of showing them (WebAppProxyServlet.warnUserPage).
func TestWarningPage(t *testing.T) {
	one := newManager(t)
	one.apps[appID] = runningApp()
	one.driver = func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("checked_" + appID); err == nil && c.Value == "true" {
			sparkDriver(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, `<html><h1>WARNING: The following page may not be safe!</h1>click <a href="/proxy/%s?proxyapproved=true">here</a>`, appID)
	}
	p := newPolled(t, yarnConfig(one))
	assert.Contains(t, p.polls(t), attempt+" spark.application.job.active")
}

// directDriver is a driver at an address of its own. It notes in which polls, which a test numbers, it was asked, and that
// it was with the source's credentials and in a way that lets it compress.
type directDriver struct {
	*httptest.Server
	poll  atomic.Int64
	asked sync.Map
}

// newDirectDriver returns a driver with the given answers; nil is one that must not be asked.
func newDirectDriver(t *testing.T, answers http.HandlerFunc) *directDriver {
	d := &directDriver{}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.asked.Store(d.poll.Load(), true)
		assert.Equal(t, "secret", r.Header.Get("Authorization"))
		assert.Equal(t, "gzip", r.Header.Get("Accept-Encoding"))
		if assert.NotNil(t, answers, "a host was asked that is not allowed") {
			answers(w, r)
		}
	}))
	t.Cleanup(d.Close)
	return d
}

// polls is in how many polls the driver was asked.
func (d *directDriver) polls() int {
	n := 0
	d.asked.Range(func(any, any) bool { n++; return true })
	return n
}

// A driver whose host is allow-listed is read directly, where the proxy would not compress; no other host is ever asked,
// whatever an application gives for its driver's address.
func TestDirectDrivers(t *testing.T) {
	for name, tt := range map[string]struct {
		hosts  []string
		driver http.HandlerFunc
		direct int
	}{
		"allowed":       {hosts: []string{`10\..*`, `127\.0\.0\.\d+`}, driver: sparkDriver, direct: 2},
		"another host":  {hosts: []string{`127\.0\.0\.1\.evil`, `27\.0\.0\.1`}},
		"none":          {},
		"behind filter": {hosts: []string{".*"}, driver: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/proxy/x", http.StatusFound) }, direct: 1},
	} {
		t.Run(name, func(t *testing.T) {
			driver := newDirectDriver(t, tt.driver)
			one := newManager(t)
			one.apps[appID] = runningApp()
			one.driver = func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "environment") {
					answer(w, object{"sparkProperties": [][]string{{"spark.driver.appUIAddress", driver.URL}}})
					return
				}
				sparkDriver(w, r)
			}
			cfg := yarnConfig(one)
			cfg.YARN.Get().DirectDrivers = tt.hosts
			cfg.YARN.Get().ClientConfig.Headers.Set("Authorization", "secret")
			p := newPolled(t, cfg)
			for range 3 {
				driver.poll.Add(1)
				assert.Contains(t, p.polls(t), attempt+" spark.application.job.active")
			}
			assert.Equal(t, tt.direct, driver.polls(), "polls in which the driver was asked")
			assert.Empty(t, p.logs.All())
		})
	}
}
