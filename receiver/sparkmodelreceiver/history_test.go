package sparkmodelreceiver

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// archive is a History Server whose applications a test chooses: real ones have no attempt that was killed while others
// look on.
type archive struct {
	*httptest.Server
	mu         sync.Mutex
	ended      []object
	unfinished []object
	listings   []url.Values
	// read counts the applications that were read.
	read map[string]int
	// now and most count the requests under way that load an event log.
	now, most atomic.Int64
}

func newArchive(t *testing.T) *archive {
	a := &archive{read: map[string]int{}}
	a.Server = httptest.NewServer(http.HandlerFunc(a.serve))
	t.Cleanup(a.Close)
	return a
}

func (a *archive) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC).Format(http.TimeFormat))
	path := strings.TrimPrefix(r.URL.Path, "/api/v1/applications")
	a.mu.Lock()
	all := append(append([]object{}, a.ended...), a.unfinished...)
	listed := a.ended
	if r.URL.Query().Get("status") == "running" {
		listed = a.unfinished
	}
	if path == "" {
		a.listings = append(a.listings, r.URL.Query())
	}
	if id, ok := strings.CutSuffix(path, "/environment"); ok {
		a.read[strings.TrimPrefix(id, "/")]++
	}
	a.mu.Unlock()
	if path == "" {
		answer(w, listed)
		return
	}
	for _, app := range all {
		if path == "/"+app["id"].(string) {
			answer(w, app)
			return
		}
	}
	n := a.now.Add(1)
	defer a.now.Add(-1)
	for most := a.most.Load(); n > most && !a.most.CompareAndSwap(most, n); most = a.most.Load() {
	}
	sparkDriver(w, r)
}

func archived(id string, attempts ...object) object {
	for _, a := range attempts {
		a["appSparkVersion"] = "4.3.0"
	}
	return object{"id": id, "name": id, "attempts": attempts}
}

const (
	at1100 = "2026-11-24T11:00:00.000GMT"
	at1130 = "2026-11-24T11:30:00.000GMT"
	at1155 = "2026-11-24T11:55:00.000GMT"
	never  = "1969-12-31T23:59:59.999GMT"
)

func historyConfig(a *archive) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.History.GetOrInsertDefault().ClientConfig.Endpoint = a.URL
	return cfg
}

// Every attempt of every application that has ended is read once, although it is listed again and again.
func TestHistoryReadsEachAttemptOnce(t *testing.T) {
	a := newArchive(t)
	a.ended = []object{
		archived("application_1_0001",
			object{"attemptId": "2", "startTime": at1130, "endTime": at1155, "completed": true},
			object{"attemptId": "1", "startTime": at1100, "endTime": never, "lastUpdated": at1130, "completed": false}),
		archived("application_1_0002", object{"startTime": at1100, "endTime": at1155, "completed": true}),
		archived("app-3", object{"startTime": at1100, "endTime": at1155, "completed": true}),
	}
	a.unfinished = []object{archived("application_1_0004", object{"startTime": at1100, "endTime": never, "lastUpdated": at1155})}
	p := newPolled(t, historyConfig(a))
	got := p.settle(t)
	assert.Equal(t, "succeeded", got.state("application_1_0001 2"))
	assert.Equal(t, "failed", got.state("application_1_0001 1"), "a later attempt tells that this one failed")
	assert.Equal(t, "succeeded", got.state("application_1_0002 1"), "YARN counts where Spark does not")
	assert.Equal(t, "succeeded", got.state("app-3"))
	assert.Contains(t, got, "application_1_0001 1 spark.application.job.active", "its figures are there")
	assert.InDelta(t, 1800, got.value(t, "application_1_0001 1 spark.application.duration"), 0)
	for range 2 * farewells {
		p.polls(t)
	}
	assert.Zero(t, p.watched.count())
	assert.Equal(t, map[string]int{"application_1_0001/2": 1, "application_1_0001/1": 1, "application_1_0002": 1, "app-3": 1}, a.read)
	assert.LessOrEqual(t, a.most.Load(), int64(historyConcurrency))
	assert.Empty(t, p.logs.All())

	require.Greater(t, len(a.listings), 1)
	assert.Equal(t, url.Values{"status": {"completed"}, "minEndDate": {"2026-11-24T11:00:00.000GMT"}, "limit": {"500"}}, a.listings[0], "the lookback")
	assert.Equal(t, "2026-11-24T11:50:00.000GMT", a.listings[1].Get("minEndDate"), "the overlap")
}

// Applications that have not ended are read if that is asked for, unless they have been silent for too long; when one
// ends, it ends here.
func TestHistoryUnfinished(t *testing.T) {
	a := newArchive(t)
	a.unfinished = []object{
		archived("application_1_0001", object{"attemptId": "1", "startTime": at1100, "endTime": never, "lastUpdated": at1155}),
		archived("application_1_0002", object{"startTime": "2026-11-24T08:00:00.000GMT", "endTime": never, "lastUpdated": "2026-11-24T09:00:00.000GMT"}),
	}
	cfg := historyConfig(a)
	cfg.History.Get().Running = true
	p := newPolled(t, cfg)
	got := p.polls(t)
	assert.Equal(t, "running", got.state("application_1_0001 1"))
	assert.Contains(t, got, "application_1_0001 1 spark.application.job.active")
	assert.Empty(t, got.state("application_1_0002 1"))

	a.mu.Lock()
	a.unfinished = nil
	a.ended = []object{archived("application_1_0001", object{"attemptId": "1", "startTime": at1100, "endTime": at1155, "completed": true})}
	a.mu.Unlock()
	got = p.settle(t)
	assert.Equal(t, "succeeded", got.state("application_1_0001 1"))
	assert.Equal(t, 1, a.read["application_1_0001/1"])
}

func TestHistoryFull(t *testing.T) {
	a := newArchive(t)
	for i := range 3 {
		a.ended = append(a.ended, archived(fmt.Sprintf("application_1_000%d", i), object{"startTime": at1100, "endTime": at1155, "completed": true}))
	}
	cfg := historyConfig(a)
	cfg.History.Get().Max = 3
	p := newPolled(t, cfg)
	p.polls(t)
	p.settle(t)
	assert.Len(t, p.logs.FilterMessageSnippet("history::max").All(), 1, "said once")
}
