package sparkmodelreceiver

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/recording"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
)

// What polls cost of an application with 1,000 ended jobs, 1,000 stages and 100 executors, as a real History Server
// answered for it (bench/record): while nothing runs, while a job runs, and after ten more jobs have finished. A listing
// of its stages has 3.8 MB, of its jobs 600 KB, of its executors 209 KB.
func TestCostOfALongLivedApplication(t *testing.T) {
	rec, err := recording.Load(filepath.Join("..", "..", "testdata", "cost", "long-lived.har.zst"))
	require.NoError(t, err)
	player := recording.NewPlayer(rec, recording.PlayerOptions{})
	handler := player.Handler(recording.History)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		req.Header.Del("Accept-Encoding") // as YARN's proxy does
		handler.ServeHTTP(w, req)
	}))
	t.Cleanup(server.Close)
	cfg := createDefaultConfig().(*Config)
	cfg.Driver.GetOrInsertDefault().Endpoints = []string{server.URL}
	r, err := newSparkModelReceiver(receivertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	sink := new(consumertest.MetricsSink)
	r.metrics, r.reader.Metrics = sink, true
	require.NoError(t, r.connect(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(r.servers.shutdown)

	// polls polls at a pass of the recording, and returns what was asked for how often and how large the answers were.
	polls := func(pass, n int) (requests map[string]int, bytes int64) {
		player.Seek(rec.Passes()[pass])
		before := player.Requests()
		for range n {
			r.poll(t.Context())
		}
		requests = map[string]int{}
		for target, traffic := range player.Requests() {
			if n := traffic.Requests - before[target].Requests; n > 0 {
				name, _, _ := strings.Cut(strings.TrimPrefix(target.Key, "/api/v1/applications/local-1795500000000/"), "&quantiles")
				requests[name] = n
				bytes += traffic.Bytes - before[target].Bytes
			}
		}
		return requests, bytes
	}
	first, _ := polls(0, 1)
	assert.Len(t, first, 9+2*cfg.Stages.Max, "the first poll lists everything once, and reads more of the longest stages and SQL executions")

	idle, bytes := polls(0, 12)
	assert.Equal(t, map[string]int{"/api/v1/applications": 12, "jobs?status=running": 12, "jobs/1000": 12, "executors": 2}, idle)
	assert.EqualValues(t, 424_538, bytes, "of twelve polls while nothing runs")

	polls(1, 1) // in which the job begins
	busy, bytes := polls(1, 12)
	assert.Equal(t, map[string]int{
		"/api/v1/applications": 12, "jobs?status=running": 12, "jobs/1001": 12, "stages?details=false&status=active": 12,
		"stages/1000/0?details=false": 12, "stages/1000/0/taskList?length=5&sortBy=-runtime&status=running": 12, "executors": 2, "sql/1000?details=true&planDescription=false": 12,
	}, busy)
	assert.EqualValues(t, 639_784, bytes, "of twelve polls while a job runs")

	ended, bytes := polls(2, 1)
	want := map[string]int{
		"/api/v1/applications": 1, "jobs?status=running": 1, "jobs/1010": 1, "stages?details=false&status=active": 1, "stages/1000/0?details=false": 1,
		"/metrics/json": 1, "sql/1000?details=true&planDescription=false": 1,
		"sql?details=false&length=1000&offset=989&planDescription=false": 1, "sql?details=false&length=1000&offset=998&planDescription=false": 1,
	}
	for id := 1000; id < 1010; id++ {
		want[fmt.Sprintf("jobs/%d", id)] = 1
		want[fmt.Sprintf("stages/%d?details=false", id)] = 1
	}
	assert.Equal(t, want, ended)
	assert.EqualValues(t, 65_076, bytes, "of a poll before which ten jobs have ended")
	assert.Empty(t, player.Misses())
}
