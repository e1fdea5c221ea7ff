//go:build cluster

package e2e

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startClusterOf starts a second cluster, of another kind than the one that all tests share, until the test ends.
func startClusterOf(t *testing.T, kind ...string) *cluster {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	c, err := startCluster(ctx, filepath.Join(t.TempDir(), "cluster"), kind...)
	require.NoError(t, err)
	t.Cleanup(c.down)
	return c
}

// The active one of two resource managers is killed while an application runs on labelled nodes: the other takes over,
// and nothing begins anew.
func TestFailover(t *testing.T) {
	pair := startClusterOf(t, "--ha", "--labels")
	collector := startCollectorOf(t, "yarn-ha.yaml",
		"yarn::endpoints=["+pair.yarn()+","+pair.env["YARN_RM2_URL"]+"]", "history::endpoint="+pair.history())
	s := pair.submit(t, "healthy", "4", "--conf", "spark.yarn.executor.nodeLabelExpression=gpu", "--", "--seconds", "60")
	id := runningApplication(t, collector, s)
	used := func(partitions ...string) func(map[string]any) any {
		return func(q map[string]any) any {
			var sum float64
			for _, p := range q["resources"].(map[string]any)["resourceUsagesByPartition"].([]any) {
				if p := p.(map[string]any); slices.Contains(partitions, p["partitionName"].(string)) {
					sum += p["used"].(map[string]any)["memory"].(float64)
				}
			}
			return sum
		}
	}
	assertQueue(t, pair, collector, map[string]queueFigure{
		"yarn.queue.partition.memory.usage": {attributes: []string{"yarn.partition.name", "gpu"}, value: used("gpu")},
		// The scheduler's own sum is of the nodes without a label alone.
		"yarn.queue.memory.usage": {value: used("", "gpu")},
	})
	var cluster struct {
		Metrics struct {
			Total struct {
				Memory float64 `json:"memory"`
			} `json:"totalClusterResourcesAcrossPartition"`
		} `json:"clusterMetrics"`
	}
	require.NoError(t, getJSON(t.Context(), pair.yarn()+"/ws/v1/cluster/metrics", &cluster))
	limit, _ := collector.sink.value("", "yarn.cluster.memory.limit")
	assert.InDelta(t, cluster.Metrics.Total.Memory*mebibyte, limit, 0, "labelled nodes are part of the cluster")

	pair.daemon(t, "kill", "resourcemanager")
	pair.daemon(t, "activate", "resourcemanager2")
	s.wait(t)
	pair.env["YARN_RM_URL"] = pair.env["YARN_RM2_URL"]
	truth := pair.truth(t, id)
	require.Equal(t, "SUCCEEDED", truth.FinalStatus)
	require.Eventually(t, func() bool { return collector.sink.state(id) == "succeeded" }, time.Minute, interval/4)

	states := collector.sink.statesOf(id)
	first := slices.Index(states, "running")
	require.GreaterOrEqual(t, first, 0)
	assert.Equal(t, []string{"running", "succeeded"}, states[first:], "began anew")
	assert.Eventually(t, func() bool {
		completed, _ := collector.sink.value(id, "spark.application.task.result", "spark.task.result", "completed")
		return completed == float64(truth.TasksCompleted)
	}, time.Minute, interval/4, "tasks are missing")
	assert.Empty(t, collector.sink.takeFallen(), "totals that fell")
	assert.LessOrEqual(t, len(collector.logLines("yarn")), 2, "said more than once per change of state")
	assert.LessOrEqual(t, len(collector.logLines("application "+id)), 2, "said more than once per change of state")
}

// The History Server is killed before an application ends: it costs one message, and one more when it is back, and what
// the application did last is not lost.
func TestHistoryServerKilled(t *testing.T) {
	collector := startCollector(t, lab)
	said := func(times int) func() bool {
		return func() bool { return len(collector.logLines("history")) == times }
	}
	s := lab.submit(t, "healthy", spark4)
	id := runningApplication(t, collector, s)
	lab.daemon(t, "kill", "historyserver")
	s.wait(t)
	require.Eventually(t, said(1), time.Minute, interval/4, "the collector does not say that the History Server is gone")
	lab.daemon(t, "start", "historyserver")
	truth := lab.truth(t, id)
	require.Eventually(t, func() bool {
		completed, _ := collector.sink.value(id, "spark.application.task.result", "spark.task.result", "completed")
		return completed == float64(truth.TasksCompleted)
	}, time.Minute, interval/4, "what the application did at its end is missing")
	require.Eventually(t, said(2), time.Minute, interval/4, "the collector does not say that the History Server is back")
	assert.Empty(t, collector.logLines("yarn"), "the others went on")
	assert.Empty(t, collector.sink.takeFallen(), "totals that fell")
}

// The figures of the fair scheduler are those that it tells.
func TestFairScheduler(t *testing.T) {
	fair := startClusterOf(t, "--fair")
	collector := startCollector(t, fair)
	s := fair.submit(t, "healthy", spark4)
	runningApplication(t, collector, s)
	memory := func(of string) queueFigure {
		return queueFigure{value: func(q map[string]any) any { return q[of].(map[string]any)["memory"] }}
	}
	assertQueue(t, fair, collector, map[string]queueFigure{
		"yarn.queue.memory.usage":             memory("usedResources"),
		"yarn.queue.memory.demand":            memory("demandResources"),
		"yarn.queue.memory.fair_share":        memory("fairResources"),
		"yarn.queue.memory.steady_fair_share": memory("steadyFairResources"),
		"yarn.queue.memory.limit":             memory("maxResources"),
	})
	s.wait(t)
}

const (
	trainQueue = "root.ml.train"
	mebibyte   = 1 << 20
)

// queueFigure is a figure in MiB of a queue, as the scheduler tells it.
type queueFigure struct {
	attributes []string
	value      func(queue map[string]any) any
}

// assertQueue compares figures of the queue that the workloads run in with what the scheduler says.
func assertQueue(t *testing.T, c *cluster, collector *collector, figures map[string]queueFigure) {
	for name, figure := range figures {
		var got, want float64
		equal := func() bool {
			var answer any
			if getJSON(t.Context(), c.yarn()+"/ws/v1/cluster/scheduler", &answer) != nil {
				return false
			}
			queue := findQueue(answer)
			if queue == nil {
				return false
			}
			mib, ok := figure.value(queue).(float64)
			want = mib * mebibyte
			got, _ = collector.sink.value("", name, append([]string{"yarn.queue.name", trainQueue}, figure.attributes...)...)
			return ok && got == want && got > 0
		}
		if !assert.Eventually(t, equal, time.Minute, interval/4, "%s of %s", name, trainQueue) {
			t.Logf("got %v, the scheduler says %v", got, want)
		}
	}
}

// findQueue returns the queue that the workloads run in, wherever an answer of a scheduler has it.
func findQueue(answer any) map[string]any {
	switch v := answer.(type) {
	case map[string]any:
		if v["queueName"] == trainQueue || v["queuePath"] == trainQueue {
			return v
		}
		for _, child := range v {
			if q := findQueue(child); q != nil {
				return q
			}
		}
	case []any:
		for _, child := range v {
			if q := findQueue(child); q != nil {
				return q
			}
		}
	}
	return nil
}

// An application of Spark's own Master is found, read through the Master's proxy or at its driver's address, and equal to
// its history in the end; a collector that has the History Server alone says the same of it.
func TestStandalone(t *testing.T) {
	t.Run("behind the Master's proxy", func(t *testing.T) { standalone(t, "true") })
	t.Run("at the driver's address", func(t *testing.T) {
		standalone(t, "false", `master::direct_drivers=["127\\.0\\.0\\.1", "localhost"]`)
	})
}

func standalone(t *testing.T, reverseProxy string, settings ...string) {
	t.Setenv("SPARK_REVERSE_PROXY", reverseProxy)
	lab.daemon(t, "start", "sparkmaster")
	lab.daemon(t, "start", "sparkworker")
	t.Cleanup(func() {
		for _, name := range []string{"sparkworker", "sparkmaster"} {
			lab.daemon(t, "stop", name)
		}
	})
	live := startCollectorOf(t, "standalone.yaml", append(settings,
		"master::endpoints=["+lab.env["SPARK_MASTER_URL"]+"]", "history::endpoint="+lab.history())...)
	s := lab.submit(t, "healthy", spark4, "--standalone")
	id := runningApplication(t, live, s)
	assert.Eventually(t, func() bool {
		var master struct {
			Limit float64 `json:"cores"`
			Usage float64 `json:"coresused"`
		}
		if getJSON(t.Context(), lab.env["SPARK_MASTER_URL"]+"/json/", &master) != nil {
			return false
		}
		limit, _ := live.sink.value("", "spark.master.core.limit")
		usage, _ := live.sink.value("", "spark.master.core.usage")
		return usage > 0 && limit == master.Limit && usage == master.Usage
	}, 20*time.Second, interval/4, "the Master's cores")
	s.wait(t)
	truth := lab.past(t, id)
	past := startCollectorOf(t, "history.yaml", "history::endpoint="+lab.history())
	for from, c := range map[string]*collector{"the Master": live, "the History Server alone": past} {
		require.Eventually(t, func() bool { return c.sink.state(id) == "succeeded" }, time.Minute, interval/4, from)
		for _, f := range []struct {
			want float64
			name []string
		}{
			{float64(truth.TasksCompleted), []string{"spark.application.task.result", "spark.task.result", "completed"}},
			{float64(truth.ShuffleRead), []string{"spark.application.shuffle.io.size", "direction", "in"}},
			{float64(truth.Jobs["SUCCEEDED"]), []string{"spark.application.job.result", "spark.job.result", "succeeded"}},
			{float64(truth.RunTimeMS) / 1e3, []string{"spark.application.executor.run_time"}},
		} {
			assert.Eventually(t, func() bool {
				got, _ := c.sink.value(id, f.name[0], f.name[1:]...)
				return near(got, f.want)
			}, time.Minute, interval/4, "%s, by %s", f.name[0], from)
		}
		assert.Empty(t, c.sink.takeFallen(), "totals that fell")
	}
}

// A driver on an allow-listed host is read without the resource manager's proxy once its address is known, and one at a
// fixed address without YARN.
func TestDrivers(t *testing.T) {
	var proxied atomic.Int64
	yarn, err := url.Parse(lab.yarn())
	require.NoError(t, err)
	forward := httputil.NewSingleHostReverseProxy(yarn)
	counting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/proxy/") {
			proxied.Add(1)
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(counting.Close)
	collector := startCollectorOf(t, "yarn.yaml", "yarn::endpoints=["+counting.URL+"]", "history::endpoint="+lab.history(),
		`yarn::direct_drivers=["127\\.0\\.0\\.1", "localhost"]`)
	s := lab.submit(t, "healthy", spark4, "--", "--seconds", "45")
	id := runningApplication(t, collector, s)
	completed := func() float64 {
		v, _ := collector.sink.value(id, "spark.application.task.result", "spark.task.result", "completed")
		return v
	}
	first, before := completed(), proxied.Load()
	assert.Positive(t, before, "the address of the driver is known by nothing but its own settings")
	require.Eventually(t, func() bool { return completed() > first }, time.Minute, interval/4, "the driver is not read")
	assert.Equal(t, before, proxied.Load(), "the driver is still read through the proxy")

	fixed := startCollectorOf(t, "driver.yaml", "driver::endpoints=["+driverOf(t, id)+"]", "history::endpoint="+lab.history())
	assert.Eventually(t, func() bool {
		v, _ := fixed.sink.value(id, "spark.application.task.result", "spark.task.result", "completed")
		return v >= first
	}, 20*time.Second, interval/4, "the driver at a fixed address is not read")
	s.wait(t)
	truth := lab.truth(t, id)
	assert.Eventually(t, func() bool { return completed() == float64(truth.TasksCompleted) }, time.Minute, interval/4, "tasks are missing")
}

// driverOf returns the address of the driver of an application that runs.
func driverOf(t *testing.T, id string) string {
	var environment struct {
		SparkProperties [][2]string `json:"sparkProperties"`
	}
	require.NoError(t, getJSON(t.Context(), lab.yarn()+"/proxy/"+id+"/api/v1/applications/"+id+"/environment", &environment))
	for _, property := range environment.SparkProperties {
		if property[0] == "spark.driver.appUIAddress" {
			return property[1]
		}
	}
	require.FailNow(t, "the driver does not tell its address")
	return ""
}
