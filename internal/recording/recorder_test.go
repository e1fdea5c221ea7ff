package recording

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A cluster is a resource manager and a history server with one application, whose life moves on one step per pass of
// the recorder over the resource manager.
type cluster struct {
	rm, history *httptest.Server
	step        atomic.Int32
	stop        context.CancelFunc

	mu    sync.Mutex
	asked map[string]int
}

const (
	appID     = "application_1_0001"
	appListed = 2 // the steps at which it gets on, in the end over to the history server
	appRuns   = 4
	appEnded  = 7
	appTold   = 9
	lastStep  = 14
)

func newCluster(t *testing.T) (*cluster, context.Context) {
	ctx, cancel := context.WithCancel(t.Context())
	c := &cluster{stop: cancel, asked: map[string]int{}}
	c.rm = httptest.NewServer(c.counted(http.HandlerFunc(c.serveRM)))
	c.history = httptest.NewServer(c.counted(http.HandlerFunc(c.serveHistory)))
	t.Cleanup(func() {
		cancel()
		c.rm.Close()
		c.history.Close()
	})
	return c, ctx
}

func (c *cluster) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.asked[key(r.URL)]++
		c.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

// count returns how often key was asked for.
func (c *cluster) count(key string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked[key]
}

func (c *cluster) serveRM(w http.ResponseWriter, r *http.Request) {
	step := c.step.Load()
	path, spark := strings.CutPrefix(r.URL.Path, "/proxy/"+appID)
	switch {
	case spark && (step < appRuns || step >= appEnded):
		w.Header().Set("Location", c.history.URL+"/history/"+appID)
		w.WriteHeader(http.StatusFound)
	case spark && path == "/metrics/json/":
		fmt.Fprintf(w, `{"step":%d}`, step)
	case spark:
		c.serveSpark(w, r, path, "", step >= appRuns+2)
	case r.URL.Path == "/ws/v1/cluster/info":
		if c.step.Add(1) == lastStep {
			c.stop()
		}
		fmt.Fprint(w, "binary \xff and home of "+c.rm.URL)
	case r.URL.Path == "/ws/v1/cluster/apps":
		isSpark := r.URL.Query().Get("applicationTypes") == "SPARK"
		over := r.URL.Query().Get("finishedTimeBegin") != ""
		if !isSpark || step < appListed || over != (step >= appEnded) {
			fmt.Fprint(w, `{"apps":{}}`)
			return
		}
		fmt.Fprintf(w, `{"apps":{"app":[{"id":%q}]}}`, appID)
	default:
		fmt.Fprint(w, "{}")
	}
}

func (c *cluster) serveHistory(w http.ResponseWriter, r *http.Request) {
	if c.step.Load() < appEnded {
		fmt.Fprint(w, "[]")
		return
	}
	c.serveSpark(w, r, r.URL.Path, "1", c.step.Load() >= appTold)
}

// serveSpark has one job with two stages, the second of which is over only at the end, and nothing else.
func (c *cluster) serveSpark(w http.ResponseWriter, r *http.Request, path, attempt string, over bool) {
	job, stage := "RUNNING", "ACTIVE"
	if over {
		job, stage = "SUCCEEDED", "COMPLETE"
	}
	stages := map[string]string{
		"0": `[{"stageId":0,"attemptId":0,"status":"FAILED","numFailedTasks":1},{"stageId":0,"attemptId":1,"status":"COMPLETE"}]`,
		"1": fmt.Sprintf(`[{"stageId":1,"attemptId":0,"status":%q}]`, stage),
	}
	path = strings.TrimPrefix(path, "/api/v1/applications")
	app, found := strings.CutPrefix(path, "/"+appID)
	body := "[]"
	switch app = strings.TrimPrefix(app, "/"+attempt); {
	case !found:
		body = fmt.Sprintf(`[{"id":%q}]`, appID)
	case app == "" || app == path:
		body = fmt.Sprintf(`{"id":%q,"attempts":[{"attemptId":%q,"completed":%t}]}`, appID, attempt, over)
		if attempt == "" {
			body = `{"attempts":[{"completed":false}]}`
		}
	default:
		app = "/" + strings.TrimPrefix(app, "/")
		switch {
		case app == "/jobs":
			body = fmt.Sprintf(`[{"jobId":0,"status":%q,"stageIds":[0,1]}]`, job)
		case app == "/jobs/0":
			body = fmt.Sprintf(`{"jobId":0,"status":%q,"stageIds":[0,1]}`, job)
		case app == "/stages":
			body = "[" + strings.Trim(stages["1"], "[]") + "," + strings.Trim(stages["0"], "[]") + "]"
		case strings.Count(app, "/") == 2 && strings.HasPrefix(app, "/stages/") && stages[app[len("/stages/"):]] != "":
			body = stages[app[len("/stages/"):]]
		case strings.HasPrefix(app, "/stages/") && strings.Count(app, "/") > 2:
			body = fmt.Sprintf("%s %t", app, over)
		case strings.HasPrefix(app, "/stages/"), strings.HasPrefix(app, "/jobs/"):
			http.Error(w, "unknown", http.StatusNotFound)
			return
		case app == "/sql":
			body = fmt.Sprintf(`[{"id":0,"status":%q}]`, map[bool]string{false: "RUNNING", true: "COMPLETED"}[over])
		}
	}
	if attempt == "" || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		fmt.Fprint(w, body)
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	zw := gzip.NewWriter(w)
	fmt.Fprint(zw, body)
	zw.Close()
}

func (c *cluster) record(t *testing.T, ctx context.Context) *Recording {
	rec, err := Record(ctx, Options{
		Origins:  map[string]string{ResourceManager: c.rm.URL + "/", History: c.history.URL, NameNode: "http://127.0.0.1:1"},
		Interval: time.Millisecond,
		Replace:  strings.NewReplacer(c.rm.URL, "http://rm:8088", c.history.URL, "http://history:18080"),
	})
	require.NoError(t, err)
	rec, err = Read(bytes.NewReader(written(t, rec)))
	require.NoError(t, err)
	return rec
}

func TestRecordedLifeOfAnApplication(t *testing.T) {
	c, ctx := newCluster(t)
	rec := c.record(t, ctx)
	assert.Equal(t, []string{"history", "namenode", "rm"}, rec.Origins())

	proxy := "/proxy/" + appID + "/api/v1/applications/" + appID
	past := "/api/v1/applications/" + appID + "/1"
	p := NewPlayer(rec, PlayerOptions{From: rec.End()})
	for _, path := range []string{
		"/ws/v1/cluster/apps/" + appID, "/ws/v1/cluster/apps/" + appID + "/appattempts", "/jmx",
		"/ws/v1/cluster/apps?applicationTypes=SPARK&deSelects=resourceRequests&states=NEW,NEW_SAVING,SUBMITTED,ACCEPTED,RUNNING",
		"/ws/v1/cluster/apps?applicationTypes=MAPREDUCE&deSelects=resourceRequests&states=FINISHED,FAILED,KILLED&finishedTimeBegin=7",
	} {
		assert.Equal(t, http.StatusOK, replay(p, path, "").Code, path)
	}
	for _, path := range []string{
		"/jobs", "/jobs?status=running", "/jobs/0", "/jobs/1", "/stages?details=false", "/stages?details=false&status=active",
		"/stages/0?details=false", "/stages/1?details=false", "/stages/2?details=false",
		"/stages/0/0?withSummaries=true&details=false&quantiles=0.0,0.25,0.5,0.75,0.95,1.0",
		"/stages/0/1?withSummaries=true&details=false&quantiles=0.0,0.25,0.5,0.75,0.95,1.0",
		"/stages/0/0/taskList?length=5&status=failed", "/stages/1/0/taskList?length=5&sortBy=-runtime",
		"/executors", "/allexecutors", "/environment", "/storage/rdd",
		"/sql?details=false&planDescription=false&offset=0&length=1000",
		"/sql/0?details=true&planDescription=false", "/sql/0?details=false&planDescription=false",
	} {
		w := replay(p, proxy+path, "")
		assert.Equal(t, http.StatusFound, w.Code, path)
		assert.Equal(t, "http://history:18080/history/"+appID, w.Header().Get("Location"))

		told := p.at(Target{History, targetKey(past + path)}, rec.End())
		if assert.NotNil(t, told, path) && !strings.HasSuffix(path, "/jobs/1") && !strings.HasPrefix(path, "/stages/2") {
			assert.Equal(t, http.StatusOK, told.Status, path)
			assert.Equal(t, "gzip", told.Header.Get("Content-Encoding"))
			assert.Less(t, int64(0), told.Sent)
		}
	}
	active := p.answers[Target{ResourceManager, targetKey(proxy + "/stages/1/0/taskList?length=5&sortBy=-runtime&status=running")}]
	require.Len(t, active, 2)
	assert.Equal(t, "/stages/1/0/taskList false", active[0].Body)
	assert.Equal(t, http.StatusFound, active[1].Status)
	summary := p.answers[Target{ResourceManager, targetKey(proxy + "/stages/1/0?details=false&quantiles=0.0,0.25,0.5,0.75,0.95,1.0&withSummaries=true")}]
	require.Len(t, summary, 3)
	assert.Equal(t, "/stages/1/0 true", summary[1].Body)

	assert.Equal(t, 3, c.count(proxy+"/environment"), "once, and once each before the start and after the end")
	assert.Equal(t, 3, c.count(proxy+"/stages/0?details=false"), "likewise, since it is over when the application starts")
	assert.Equal(t, afterEnd+appEnded-appListed, c.count("/ws/v1/cluster/apps/"+appID))

	for _, pass := range rec.passes {
		p.Seek(pass)
		if strings.Contains(replay(p, "/ws/v1/cluster/apps?applicationTypes=SPARK&deSelects=resourceRequests&states=NEW,NEW_SAVING,SUBMITTED,ACCEPTED,RUNNING", "").Body.String(), appID) {
			replay(p, proxy+"/jobs", "")
			replay(p, proxy+"/stages?details=false", "")
			replay(p, proxy+"/environment", "")
		}
	}
	assert.Empty(t, p.Misses(), "a pass is complete in itself")

	p.Seek(rec.Start())
	assert.Equal(t, http.StatusNotFound, replay(p, proxy+"/jobs", "").Code)
	assert.Equal(t, "binary \xff and home of http://rm:8088", replay(p, "/ws/v1/cluster/info", "").Body.String())
}

func TestUnchangedAnswersAreKeptOnce(t *testing.T) {
	c, ctx := newCluster(t)
	rec := c.record(t, ctx)
	count := map[string]int{}
	for _, a := range rec.Answers() {
		count[a.Origin+a.URL]++
	}
	assert.Equal(t, 1, count["rm/ws/v1/cluster/info"])
	assert.Equal(t, 1, count["namenode/jmx"])
	assert.Equal(t, 3, count["rm/proxy/"+appID+"/api/v1/applications/"+appID], "before, during and after its life")
	down := rec.answers[0]
	for _, a := range rec.answers {
		if a.Origin == NameNode {
			down = a
		}
	}
	assert.Zero(t, down.Status)
	assert.Contains(t, down.Err, "refused")
}

func TestHistoryAlone(t *testing.T) {
	c, ctx := newCluster(t)
	ctx, cancel := context.WithCancel(ctx)
	c.step.Store(appTold)
	var passes atomic.Int32
	c.history.Config.Handler = c.counted(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/version" {
			if passes.Add(1) == 3 {
				cancel()
			}
		}
		c.serveHistory(w, r)
	}))
	rec, err := Record(ctx, Options{Origins: map[string]string{History: c.history.URL}, Interval: time.Millisecond})
	require.NoError(t, err)
	assert.NotEmpty(t, rec.Answers())
	assert.Equal(t, 1, c.count("/api/v1/applications/"+appID+"/1/jobs/0"), "a completed application is told once")
}

func TestRecordRefuses(t *testing.T) {
	for want, options := range map[string]Options{
		"no origins":            {},
		`unknown origin "nope"`: {Origins: map[string]string{"nope": "http://127.0.0.1:1"}},
	} {
		_, err := Record(t.Context(), options)
		assert.ErrorContains(t, err, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Record(ctx, Options{Origins: map[string]string{History: "http://127.0.0.1:1"}})
	assert.ErrorContains(t, err, "before its first pass")
}

func TestBadBodies(t *testing.T) {
	for want, handler := range map[string]http.HandlerFunc{
		"decompressing": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			fmt.Fprint(w, "plain")
		},
		"unexpected EOF": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			fmt.Fprint(w, "short")
		},
	} {
		t.Run(want, func(t *testing.T) {
			server := httptest.NewServer(handler)
			defer server.Close()
			r, err := newRecorder(Options{Origins: map[string]string{ResourceManager: server.URL}})
			require.NoError(t, err)
			defer r.client.CloseIdleConnections()
			a := r.get(t.Context(), ResourceManager, "/jmx")
			assert.Zero(t, a.Status)
			assert.Contains(t, a.Err, want)
		})
	}
}

func TestBodyIsCapped(t *testing.T) {
	answer := func() *http.Response { return &http.Response{Body: io.NopCloser(strings.NewReader("12345"))} }
	body, sent, err := readBody(answer(), 5)
	require.NoError(t, err)
	assert.Equal(t, "12345", body)
	assert.Equal(t, int64(5), sent)
	_, _, err = readBody(answer(), 4)
	assert.ErrorContains(t, err, "too large")
}

func TestRecordedLifeOfAMapReduceJob(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var step atomic.Int32
	rm := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case path == "/ws/v1/cluster/info":
			if step.Add(1) == 5 {
				cancel()
			}
		case path == "/ws/v1/cluster/apps" && r.URL.Query().Get("applicationTypes") == "MAPREDUCE":
			if r.URL.Query().Has("finishedTimeBegin") == (step.Load() >= 2) {
				fmt.Fprint(w, `{"apps":{"app":[{"id":"application_1_0002"}]}}`)
			}
		case strings.HasPrefix(path, "/proxy/") && step.Load() > 2:
			w.WriteHeader(http.StatusFound)
		case strings.HasSuffix(path, "/mapreduce/jobs"):
			fmt.Fprint(w, `{"jobs":{"job":[{"id":"job_1_0002"}]}}`)
		}
	}))
	defer rm.Close()
	jobHistory := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/mapreduce/jobs") {
			fmt.Fprint(w, `{"jobs":{"job":[{"id":"job_1_0001"},{"id":"job_1_0002"}]}}`)
		}
	}))
	defer jobHistory.Close()

	rec, err := Record(ctx, Options{
		Origins:  map[string]string{ResourceManager: rm.URL, JobHistory: jobHistory.URL},
		Interval: time.Millisecond,
	})
	require.NoError(t, err)
	p := NewPlayer(rec, PlayerOptions{From: rec.End()})
	for _, path := range []string{"", "/job_1_0002", "/job_1_0002/counters"} {
		live := p.answers[Target{ResourceManager, "/proxy/application_1_0002/ws/v1/mapreduce/jobs" + path}]
		require.Len(t, live, 2, path)
		assert.Equal(t, http.StatusOK, live[0].Status)
		assert.Equal(t, http.StatusFound, live[1].Status)
		past := p.answers[Target{JobHistory, "/ws/v1/history/mapreduce/jobs" + path}]
		require.Len(t, past, 1, path)
		assert.Equal(t, http.StatusOK, past[0].Status)
	}
	assert.Empty(t, p.answers[Target{JobHistory, "/ws/v1/history/mapreduce/jobs/job_1_0001"}], "it ended before")
}

func targetKey(path string) string {
	a := Answer{URL: path}
	return a.Target().Key
}
