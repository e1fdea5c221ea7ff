//go:build cluster

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lab is the cluster that all tests share.
var lab *cluster

func TestMain(m *testing.M) {
	os.Exit(func() int {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
		defer cancel()
		var err error
		if lab, err = startCluster(ctx, filepath.Join(root, ".cluster")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if os.Getenv("KEEP_CLUSTER") == "" {
			defer lab.down()
		}
		return m.Run()
	}())
}

// lossy is the workload that loses an executor. What the tasks on it had done by their last heartbeat is in the driver's
// figures, which the receiver reads, but not in the event log, which the History Server reads.
const lossy = "killed_executor"

const spark4, spark35 = "4", "3.5"

// pipeline is the workload that trains and scores a model, and returns how good the model is.
const pipeline = "ml_pipeline"

// injected are the workloads, each with the rule that its bottleneck must be flagged by while it runs; none for a
// healthy one, which must not be flagged at all. Those on both versions of Spark are those whose answers differ most; the
// others are on both in the recordings.
var injected = []struct {
	workload string
	rule     string
	versions []string
	options  []string
}{
	{pipeline, "", []string{spark4, spark35}, []string{"--deploy-mode", "cluster", "--name", "churn"}},
	{"healthy", "", []string{spark4}, nil},
	{"skewed_join", "data_skew", []string{spark4, spark35}, nil},
	{"straggler", "straggler", []string{spark4}, nil},
	{"spill", "spill", []string{spark4}, nil},
	{"gc_pressure", "gc_pressure", []string{spark4}, nil},
	{"failing_tasks", "failing_tasks", []string{spark4, spark35}, nil},
	{lossy, "executor_lost", []string{spark4}, nil},
	{"waiting", "application_waiting", []string{spark4}, nil},
	{"streaming", "", []string{spark4, spark35}, nil},
}

// Every workload: found, read, judged and visible, and in the end equal to what Spark's history and YARN say.
func TestModels(t *testing.T) {
	collector := startCollector(t, lab)
	prometheus := startPrometheus(t, collector.metricsURL)

	for _, in := range injected {
		for _, version := range in.versions {
			t.Run(in.workload+" on Spark "+version, func(t *testing.T) {
				begin := time.Now()
				ids := lab.submit(t, in.workload, version, in.options...).wait(t)
				id := ids[len(ids)-1]
				t.Logf("%s ran %s as %s", in.workload, time.Since(begin).Round(time.Second), id)
				truth := lab.truth(t, id)
				require.Eventually(t, func() bool { return collector.sink.state(id) == strings.ToLower(truth.FinalStatus) }, time.Minute, interval/4,
					"the collector does not say that %s has %s", id, truth.FinalStatus)

				flags, _ := collector.sink.flagsOf(id)
				for rule, words := range flags {
					t.Logf("flagged %s: %s", rule, words)
				}
				if in.rule == "" {
					assert.Empty(t, flags, "a healthy application was flagged")
				} else {
					assert.Contains(t, flags, in.rule, "not flagged while it ran")
				}
				if in.workload == pipeline {
					assertResults(t, collector, id)
				}
				if in.rule == "application_waiting" {
					assert.True(t, collector.sink.everFlagged("queue_saturated"), "the queue is full and was not flagged")
				}
				same := near
				if in.workload == lossy {
					same = func(got, want float64) bool { return near(got, want) || got > want }
				}
				assertEqualsTruth(t, collector, prometheus, id, truth, same)
				assert.Eventually(t, func() bool { _, up := collector.sink.flagsOf(id); return up == 0 }, time.Minute, interval/4, "flags of an application that has ended are up")
				assert.Empty(t, collector.sink.takeFallen(), "totals that fell")
			})
		}
	}

	t.Run("promtool accepts the page", func(t *testing.T) {
		page, err := exec.CommandContext(t.Context(), "curl", "-sf", collector.metricsURL).Output()
		require.NoError(t, err)
		check := exec.CommandContext(t.Context(), prometheus.promtool, "check", "metrics")
		check.Stdin = strings.NewReader(string(page))
		out, err := check.CombinedOutput()
		assert.NoError(t, err, "%s", out)
	})
}

// assertResults checks that the model's AUC has come by both ways in which the pipeline returns it: the gauge that it
// registers, and the description of the job that scores.
func assertResults(t *testing.T, collector *collector, id string) {
	auc := map[string]float64{}
	for name, source := range map[string]string{"model.auc": "gauge", "auc": "description"} {
		value, ok := collector.sink.value(id, "spark.model.result", "spark.model.result.name", name, "spark.model.result.source", source)
		assert.True(t, ok, "no result %s by %s", name, source)
		auc[source] = value
	}
	assert.InDelta(t, auc["gauge"], auc["description"], 1e-4, "the description has four digits")
	assert.Greater(t, auc["gauge"], 0.5)
}

// assertEqualsTruth compares the figures in Prometheus and at the OTLP receiver with what the servers say.
func assertEqualsTruth(t *testing.T, collector *collector, prometheus *prometheus, id string, want truth, same func(got, want float64) bool) {
	const s, mib = 1e-3, 1 << 20
	constant := func(v float64) func() float64 { return func() float64 { return v } }
	for _, f := range []struct {
		query string
		want  func() float64
		otlp  []string
	}{
		{`spark_application_task_result_total{spark_task_result="completed"}`, constant(float64(want.TasksCompleted)), []string{"spark.application.task.result", "spark.task.result", "completed"}},
		{`spark_application_task_result_total{spark_task_result="failed"}`, constant(float64(want.TasksFailed)), []string{"spark.application.task.result", "spark.task.result", "failed"}},
		{`spark_application_task_result_total{spark_task_result="killed"}`, constant(float64(want.TasksKilled)), []string{"spark.application.task.result", "spark.task.result", "killed"}},
		{`spark_application_stage_result_total{spark_stage_result="completed"}`, constant(float64(want.Stages["COMPLETE"])), []string{"spark.application.stage.result", "spark.stage.result", "completed"}},
		{`spark_application_stage_result_total{spark_stage_result="failed"}`, constant(float64(want.Stages["FAILED"])), []string{"spark.application.stage.result", "spark.stage.result", "failed"}},
		{`spark_application_job_result_total{spark_job_result="succeeded"}`, constant(float64(want.Jobs["SUCCEEDED"])), []string{"spark.application.job.result", "spark.job.result", "succeeded"}},
		{`spark_application_job_result_total{spark_job_result="failed"}`, constant(float64(want.Jobs["FAILED"])), []string{"spark.application.job.result", "spark.job.result", "failed"}},
		{`spark_application_io_size_bytes_total{direction="in"}`, constant(float64(want.InputBytes)), []string{"spark.application.io.size", "direction", "in"}},
		{`spark_application_shuffle_io_size_bytes_total{direction="in"}`, constant(float64(want.ShuffleRead)), []string{"spark.application.shuffle.io.size", "direction", "in"}},
		{`spark_application_shuffle_io_size_bytes_total{direction="out"}`, constant(float64(want.ShuffleWrite)), []string{"spark.application.shuffle.io.size", "direction", "out"}},
		{`spark_application_spill_size_bytes_total{location="memory"}`, constant(float64(want.MemorySpilled)), []string{"spark.application.spill.size", "location", "memory"}},
		{`spark_application_spill_size_bytes_total{location="disk"}`, constant(float64(want.DiskSpilled)), []string{"spark.application.spill.size", "location", "disk"}},
		{`spark_application_executor_run_time_seconds_total{}`, constant(float64(want.RunTimeMS) * s), []string{"spark.application.executor.run_time"}},
		{`spark_application_jvm_gc_time_seconds_total{}`, constant(float64(want.GCTimeMS) * s), []string{"spark.application.jvm_gc_time"}},
		{`yarn_application_vcore_time_seconds_total{}`, func() float64 { v, _ := want.Held(); return v }, []string{"yarn.application.vcore.time"}},
		{`yarn_application_memory_time_total{}`, func() float64 { _, m := want.Held(); return m * mib }, []string{"yarn.application.memory.time"}},
	} {
		query := strings.Replace(f.query, "{", `{spark_application_id="`+id+`",`, 1)
		var got, otlp, says float64
		var err error
		if !assert.Eventually(t, func() bool {
			says = f.want()
			otlp, _ = collector.sink.value(id, f.otlp[0], f.otlp[1:]...)
			got, err = prometheus.query(t.Context(), query)
			return err == nil && same(got, says) && same(otlp, says)
		}, time.Minute, interval/4, "%s", f.query) {
			t.Logf("Prometheus has %v (%v), the OTLP receiver %v, the servers say %v", got, err, otlp, says)
		}
	}
}

// near allows for what sums of floating-point seconds lose.
func near(got, want float64) bool { return got-want < 1e-6 && want-got < 1e-6 }

func (s *sink) everFlagged(rule string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.flags {
		if _, ok := f.ever[rule]; ok {
			return true
		}
	}
	return false
}

// A driver that is killed: its application ends as lost work, the collector goes on.
func TestDriverKilled(t *testing.T) {
	collector := startCollector(t, lab)
	s := lab.submit(t, "healthy", "4")
	id := runningApplication(t, collector, s)
	killDriver(t, id)
	<-s.ended
	require.Eventually(t, func() bool {
		switch collector.sink.state(id) {
		case "succeeded", "failed", "killed", "lost":
			return true
		}
		return false
	}, 2*time.Minute, interval/4, "the collector does not see the end of an application whose driver was killed")
	assert.LessOrEqual(t, len(collector.logLines("application "+id)), 1, "said more than once")
	assert.Empty(t, collector.logLines("yarn"))
}

// The resource manager is killed and away for a minute: the collector says so once, says once that it is back, and is
// right again.
func TestResourceManagerKilled(t *testing.T) {
	collector := startCollector(t, lab)
	prometheus := startPrometheus(t, collector.metricsURL)
	s := lab.submit(t, "healthy", "4", "--", "--seconds", "120")
	id := runningApplication(t, collector, s)

	lab.daemon(t, "kill", "resourcemanager")
	require.Eventually(t, func() bool { return len(collector.logLines("yarn")) == 1 }, 30*time.Second, interval/4, "the collector does not say that YARN is gone")
	time.Sleep(time.Minute) // the time that the resource manager is away, not one that is waited for
	lab.daemon(t, "start", "resourcemanager")
	require.Eventually(t, func() bool { return len(collector.logLines("yarn")) == 2 }, time.Minute, interval/4, "the collector does not say that YARN is back")

	s.wait(t)
	truth := lab.truth(t, id)
	require.Eventually(t, func() bool { return collector.sink.state(id) == "succeeded" }, time.Minute, interval/4)
	truth.Held = keepsHighest(collector, id, truth)
	assertEqualsTruth(t, collector, prometheus, id, truth, near)
	lines := collector.logLines("yarn")
	require.Len(t, lines, 2, "said once per change of state")
	assert.True(t, strings.HasPrefix(lines[0], "warn ") && strings.HasPrefix(lines[1], "info "), "%v", lines)
}

// keepsHighest returns what the collector must show for YARN's own totals: they restart with the resource manager, and
// a total that fell is not believed, so the collector may show more than the resource manager says now.
func keepsHighest(c *collector, id string, want truth) func() (vcores, memory float64) {
	const mib = 1 << 20
	return func() (float64, float64) {
		vcores, memory := want.Held()
		v, _ := c.sink.value(id, "yarn.application.vcore.time")
		m, _ := c.sink.value(id, "yarn.application.memory.time")
		return max(v, vcores), max(m/mib, memory)
	}
}

// runningApplication waits until the collector reads the tasks of a submitted workload, and returns its id.
func runningApplication(t *testing.T, c *collector, s *submission) string {
	var id string
	require.Eventually(t, func() bool {
		if m := applicationLine.FindStringSubmatch(s.output.String()); m != nil {
			id = m[1]
		}
		v, _ := c.sink.value(id, "spark.application.task.result", "spark.task.result", "completed")
		return id != "" && v > 0
	}, 2*time.Minute, interval/4, "the collector does not read the workload:\n%s", tail(s.output.String()))
	return id
}

// killDriver ends the driver of an application in client mode without giving it a chance to say so. It runs under the
// name of its application, in a process of this test's own.
func killDriver(t *testing.T, id string) {
	var once sync.Once
	repository, err := filepath.Abs(root)
	require.NoError(t, err)
	program := filepath.Join(repository, "cluster", "workloads", "healthy.py")
	out, err := exec.CommandContext(t.Context(), "pgrep", "-f", "org.apache.spark.deploy.SparkSubmit.*"+regexp.QuoteMeta(program)).Output()
	require.NoError(t, err, "no driver of %s is found", id)
	for field := range strings.FieldsSeq(string(out)) {
		var pid int
		if _, err := fmt.Sscan(field, &pid); err == nil {
			once.Do(func() { require.NoError(t, syscall.Kill(pid, syscall.SIGKILL)) })
		}
	}
}
