//go:build cluster

package e2e

import (
	"context"
	"path/filepath"
	"slices"
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
	collector := startCollectorOf(t, "yarn.yaml",
		"yarn::endpoints=["+pair.yarn()+","+pair.env["YARN_RM2_URL"]+"]", "history::endpoint="+pair.history())
	s := pair.submit(t, "healthy", "4", "--conf", "spark.yarn.executor.nodeLabelExpression=gpu", "--", "--seconds", "60")
	id := runningApplication(t, collector, s)

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
	assert.Empty(t, collector.sink.fallen(), "totals that fell")
	assert.LessOrEqual(t, len(collector.logLines("yarn")), 2, "said more than once per change of state")
	assert.LessOrEqual(t, len(collector.logLines("application "+id)), 2, "said more than once per change of state")
}

// The History Server and the NameNode are killed: each costs one message, and one more when it is back; what ended
// meanwhile is not lost.
func TestServersKilled(t *testing.T) {
	namenode := lab.env["HDFS_NAMENODE_URL"]
	collector := startCollectorOf(t, "yarn.yaml", "yarn::endpoints=["+lab.yarn()+"]", "history::endpoint="+lab.history(),
		"hdfs::namenodes=["+namenode+"]")
	said := func(source string, times int) func() bool {
		return func() bool { return len(collector.logLines(source)) == times }
	}
	s := lab.submit(t, "healthy", "4")
	id := runningApplication(t, collector, s)
	lab.daemon(t, "kill", "historyserver")
	s.wait(t)
	require.Eventually(t, said("history", 1), time.Minute, interval/4, "the collector does not say that the History Server is gone")
	lab.daemon(t, "start", "historyserver")
	truth := lab.truth(t, id)
	require.Eventually(t, func() bool {
		completed, _ := collector.sink.value(id, "spark.application.task.result", "spark.task.result", "completed")
		return completed == float64(truth.TasksCompleted)
	}, time.Minute, interval/4, "what the application did at its end is missing")
	require.Eventually(t, said("history", 2), time.Minute, interval/4, "the collector does not say that the History Server is back")

	source := "hdfs namenode " + namenode
	require.Empty(t, collector.logLines(source))
	lab.daemon(t, "kill", "namenode")
	require.Eventually(t, said(source, 1), time.Minute, interval/4, "the collector does not say that the NameNode is gone")
	lab.daemon(t, "start", "namenode")
	require.Eventually(t, said(source, 2), time.Minute, interval/4, "the collector does not say that the NameNode is back")
	assert.Empty(t, collector.logLines("yarn"), "the others went on")
	assert.Empty(t, collector.sink.fallen(), "totals that fell")
}
