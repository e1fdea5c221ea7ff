package track

import (
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
)

func TestResolvedForgetsNothingAndStaysSmall(t *testing.T) {
	var r resolved
	ids := rand.New(rand.NewPCG(1, 2)).Perm(10_000)
	for _, id := range ids {
		assert.False(t, r.has(id))
		r.add(id)
		assert.True(t, r.has(id))
	}
	assert.Equal(t, resolved{{0, 9_999}}, r)
	r.add(10_500)
	r.raise(10_400)
	assert.True(t, r.has(10_399))
	assert.False(t, r.has(10_400))
	r.raise(10_500)
	assert.Equal(t, resolved{{0, 10_500}}, r)
}

func TestClassifyLoss(t *testing.T) {
	for reason, want := range map[string]LossReason{
		"Executor killed by driver.": LossIdle,
		"Container container_1_0001_01_000007 on host: localhost was preempted.":                                                                                                    LossPreempted,
		"Executor decommission: spark scale down":                                                                                                                                   LossDecommissioned,
		"Container killed by YARN for exceeding physical memory limits. 1.5 GB of 1 GB":                                                                                             LossMemory,
		"Container from a bad node: container_1_0001_01_000003 on host: localhost. Exit status: 52. Possible causes: OutOfMemoryError":                                              LossMemory,
		"Container marked as failed: c on host: localhost. Exit status: -100. Possible causes: Unknown executor exit code (-100) Diagnostics: Container released on a *lost* node.": LossNode,
		"Executor heartbeat timed out after 132000 ms":                                                                                                                              LossHeartbeat,
		"Container from a bad node: c on host: localhost. Exit status: 137. Possible causes: Unknown executor exit code (137) (died from signal 9?)":                                LossExit,
		"Command exited with code 1": LossExit,
		"worker lost":                LossNode,
		"":                           LossOther,
	} {
		assert.Equal(t, want, ClassifyLoss(reason), reason)
	}
}

func TestExecutorsAreCountedOnce(t *testing.T) {
	app := NewApplication(Key{ID: "a"})
	alive := func(id string) spark.Executor { return spark.Executor{ID: id, Active: true} }
	gone := spark.Executor{ID: "1", RemoveReason: "Exit status: 137"}
	assert.True(t, app.NeedsAllExecutors(nil), "what was lost before the first poll is to be known")
	app.ObserveAllExecutors([]spark.Executor{alive("driver"), alive("1"), alive("2")})
	assert.False(t, app.NeedsAllExecutors([]spark.Executor{alive("driver"), alive("1"), alive("2"), alive("3")}))
	assert.True(t, app.NeedsAllExecutors([]spark.Executor{alive("driver"), alive("2")}))
	for range 2 {
		app.ObserveAllExecutors([]spark.Executor{alive("driver"), gone, alive("2"), {ID: "driver"}})
	}
	assert.Equal(t, map[LossReason]int64{LossExit: 1}, app.LostExecutors())
	assert.Len(t, app.Executors(), 2)
}

// What is read of many executors is bounded, and yet a loss under running tasks is seen in the same poll.
func TestExecutorsAreListedAsOftenAsTheirNumberAllows(t *testing.T) {
	list := func(n int) []spark.Executor {
		all := make([]spark.Executor, n)
		for i := range all {
			all[i] = spark.Executor{ID: strconv.Itoa(i), Active: true}
		}
		return all
	}
	polls := func(app *Application) (n int) {
		for n = 1; !app.ExecutorsDue(); n++ {
		}
		return n
	}
	stage := func(status string, failed int64) *spark.Stage {
		return &spark.Stage{Status: status, FailedTasks: failed}
	}
	for executors, want := range map[int]struct{ idle, busy int }{1: {1, 1}, 7: {1, 1}, 8: {2, 1}, 50: {6, 2}, 100: {6, 5}, 1000: {6, 6}} {
		app := NewApplication(Key{})
		assert.Equal(t, 1, polls(app), "they were never listed")
		app.ObserveAllExecutors(list(executors))
		assert.Equal(t, want.idle, polls(app), "%d executors while nothing runs", executors)
		app.ObserveExecutors(list(executors))
		app.ObserveStage(stage(spark.StatusActive, 0), time.Time{})
		assert.Equal(t, want.busy, polls(app), "%d executors while a stage runs", executors)
		app.ObserveExecutors(list(executors))
		app.ObserveStage(stage(spark.StatusActive, 1), time.Time{})
		assert.Equal(t, 1, polls(app), "a task has failed")
		app.ObserveExecutors(list(executors))
		app.ObserveStage(stage(spark.StatusComplete, 1), time.Time{})
		assert.Equal(t, want.busy, polls(app), "the stage has ended since")
		app.ObserveExecutors(list(executors))
		assert.Equal(t, want.idle, polls(app), "and was read")
	}
}

func TestExecutorsInOrder(t *testing.T) {
	app := NewApplication(Key{})
	app.ObserveExecutors([]spark.Executor{{ID: "10", Active: true}, {ID: "driver", Active: true}, {ID: "2", Active: true}})
	var ids []string
	for _, e := range app.Executors() {
		ids = append(ids, e.ID)
	}
	assert.Equal(t, []string{"2", "10", "driver"}, ids)
}

func TestModel(t *testing.T) {
	pattern := ModelNamer{Pattern: regexp.MustCompile(`^(?P<name>.+)-v(?P<version>\d+)$`)}
	for _, tt := range []struct {
		name       string
		namer      ModelNamer
		app, tags  string
		properties map[string]string
		want       Model
	}{
		{"properties first", pattern, "x-v3", "model:y", map[string]string{"spark.sparkmodel.name": "churn", "spark.sparkmodel.version": "7"}, Model{"churn", "7"}},
		{"then tags", pattern, "x-v3", "team-a, model:y,version:2", nil, Model{"y", "2"}},
		{"then the name", pattern, "x-v3", "team-a", nil, Model{"x", "3"}},
		{"a version from a tag with the name's name", pattern, "x-v3", "version:9", nil, Model{"x", "9"}},
		{"then the whole name", pattern, "nightly", "", nil, Model{"nightly", ""}},
		{"no pattern", ModelNamer{}, "x-v3", "", nil, Model{"x-v3", ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, tt.namer.Model(tt.app, tt.tags, tt.properties))
		})
	}
}

func TestParseSettings(t *testing.T) {
	got := ParseSettings(map[string]string{
		"spark.executor.memory": "700m", "spark.driver.memory": "2048", "spark.sql.files.maxPartitionBytes": "134217728b", "spark.locality.wait": "500ms",
		"spark.sql.adaptive.enabled": "FALSE", "spark.executor.instances": "lots", "spark.hadoop.fs.s3a.secret.key": "hunter2",
	})
	assert.EqualValues(t, 700<<20, got["spark.executor.memory"])
	assert.EqualValues(t, 2048<<20, got["spark.driver.memory"], "a driver's memory is in MiB where no unit is given")
	assert.EqualValues(t, 128<<20, got["spark.sql.files.maxPartitionBytes"])
	assert.InDelta(t, 0.5, got["spark.locality.wait"], 1e-9)
	assert.Zero(t, got["spark.sql.adaptive.enabled"])
	assert.NotContains(t, got, "spark.executor.instances", "what can't be read is left out")
	assert.NotContains(t, got, "spark.executor.memoryOverhead", "there is no default")
	assert.EqualValues(t, 200, got["spark.sql.shuffle.partitions"])
	for name := range got {
		assert.NotContains(t, name, "secret")
	}
}

func FuzzParseSettings(f *testing.F) {
	f.Add("2g")
	f.Add("-1")
	f.Add("1e309tb")
	f.Fuzz(func(t *testing.T, v string) {
		all := map[string]string{}
		for _, s := range settings {
			all[s.name] = v
		}
		ParseSettings(all)
	})
}

func TestAllocationNeverRunsBackwards(t *testing.T) {
	app := NewApplication(Key{})
	app.Allocate(Allocation{MemoryTime: 1157699, VCoreTime: 20, Preempted: 1})
	app.Allocate(Allocation{MemoryTime: 530300, VCoreTime: 9})
	assert.InDelta(t, 1157699, app.Allocation.MemoryTime, 0)
	assert.InDelta(t, 20, app.Allocation.VCoreTime, 0)
	assert.EqualValues(t, 1, app.Allocation.Preempted)
}

func TestDurations(t *testing.T) {
	app := NewApplication(Key{})
	assert.Zero(t, app.Duration(), "unknown")
	app.Submitted = time.Unix(100, 0)
	app.Now = time.Unix(90, 0)
	assert.Zero(t, app.Duration(), "clocks differ")
	app.Now = time.Unix(130, 0)
	assert.Equal(t, 30*time.Second, app.Duration())
	app.Ended = time.Unix(120, 0)
	assert.Equal(t, 20*time.Second, app.Duration())
}

func TestEndedStagesAreBoundedToTheLongest(t *testing.T) {
	app := NewApplication(Key{})
	for id := range 100 {
		begin := time.Unix(1000, 0)
		app.ObserveStage(&spark.Stage{
			ID: id, Status: spark.StatusComplete, InputBytes: 1,
			SubmissionTime: spark.Time{Time: begin}, CompletionTime: spark.Time{Time: begin.Add(time.Duration(id) * time.Second)},
		}, time.Unix(2000, 0))
	}
	got := app.EndedStages(10*time.Second, 5)
	require.Len(t, got, 5)
	assert.Equal(t, 99, got[0].ID)
	assert.EqualValues(t, 100, app.Totals().InputBytes)
	assert.Len(t, app.EndedStages(10*time.Second, 5), 5, "they wait until they are delivered")
	app.Delivered(false)
	assert.Len(t, app.EndedStages(10*time.Second, 5), 5, "and are not by a poll in which Spark did not answer")
	app.Delivered(true)
	assert.Empty(t, app.EndedStages(10*time.Second, 5))
}

func TestRedescribed(t *testing.T) {
	app := NewApplication(Key{})
	app.Name = "nightly"
	_, changed := app.Redescribed()
	assert.False(t, changed)
	app.Delivered(true)
	app.Model = Model{"churn", "1"}
	before, changed := app.Redescribed()
	assert.True(t, changed)
	assert.Equal(t, Description{Name: "nightly"}, before)
	app.Delivered(true)
	_, changed = app.Redescribed()
	assert.False(t, changed)
}

// Spark lists the newest first: the first attempt of a stage counts although a later one was seen before.
func TestAttemptsInAnyOrder(t *testing.T) {
	attempts := func() []spark.Stage {
		return []spark.Stage{
			{ID: 0, Attempt: 1, Status: spark.StatusComplete, InputBytes: 1},
			{ID: 0, Attempt: 0, Status: spark.StatusFailed, InputBytes: 10},
		}
	}
	listed, read := NewApplication(Key{}), NewApplication(Key{})
	listed.ListStages(attempts(), time.Unix(1, 0))
	read.ObserveStageAttempts(0, attempts(), time.Unix(1, 0))
	assert.EqualValues(t, 11, listed.Totals().InputBytes)
	assert.EqualValues(t, 11, read.Totals().InputBytes)
}

// The History Server says 0 of what the driver has collected.
func TestExecutorsTotalsNeverFall(t *testing.T) {
	app := NewApplication(Key{})
	app.ObserveExecutors([]spark.Executor{{ID: "driver", Active: true, TotalGCTime: 300}})
	app.ObserveAllExecutors([]spark.Executor{{ID: "driver", Active: true}})
	assert.EqualValues(t, 300, app.Executors()[0].TotalGCTime)
}

// A long life does not make the state grow.
func TestStateIsBounded(t *testing.T) {
	app := NewApplication(Key{})
	app.ListJobs(nil)
	for id := range 20_000 {
		app.ObserveJob(&spark.Job{ID: id, Status: spark.StatusRunning, StageIDs: []int{id}})
		for attempt := range 2 {
			app.ObserveStage(&spark.Stage{ID: id, Attempt: attempt, Status: spark.StatusComplete, Name: strings.Repeat("x", 100)}, time.Unix(1, 0))
		}
		app.ObserveJob(&spark.Job{ID: id, Status: spark.StatusSucceeded, StageIDs: []int{id}})
		app.EndedStages(time.Second, 50)
	}
	assert.Empty(t, app.jobs.running)
	assert.Len(t, app.jobs.ended, 1)
	assert.Empty(t, app.stages.active)
	assert.Len(t, app.stages.resolved, 1)
	assert.Empty(t, app.stages.unread)
	assert.Empty(t, app.stages.undelivered)
	assert.LessOrEqual(t, len(app.stages.retries), maxRetries)
	assert.EqualValues(t, 40_000, app.Totals().StagesCompleted)
}

// Tasks of an attempt that has failed go on, and fail later: the attempt counts once, with what is told of it last.
func TestTasksFailAfterTheirStage(t *testing.T) {
	app := NewApplication(Key{ID: "app"})
	app.FollowEndings(true, false)
	attempt := &spark.Stage{ID: 0, Status: spark.StatusFailed, Tasks: 9, FailedTasks: 2, ExecutorRunTime: 100}
	app.ObserveStage(attempt, time.Time{})
	held := app.UndetailedStages()
	later := *attempt
	later.FailedTasks, later.ExecutorRunTime = 3, 120
	app.ObserveStage(&later, time.Time{})
	app.ObserveStage(&later, time.Time{})
	totals := app.Totals()
	assert.EqualValues(t, 3, totals.TasksFailed)
	assert.EqualValues(t, 120, totals.RunTime)
	assert.EqualValues(t, 1, totals.StagesFailed)
	require.Len(t, held, 1)
	assert.EqualValues(t, 3, held[0].FailedTasks, "its span tells the same")
}

// The History Server tells less of an attempt than the driver did whose tasks were lost with their executor.
func TestStagesSumsNeverFall(t *testing.T) {
	for _, status := range []string{spark.StatusActive, spark.StatusFailed} {
		app := NewApplication(Key{ID: "app"})
		live := &spark.Stage{ID: 3, Status: status, SubmissionTime: spark.Time{Time: time.Unix(100, 0)}, Tasks: 9, ActiveTasks: 2}
		for _, sum := range stageSums(live) {
			*sum = 100
		}
		app.ObserveStage(live, time.Unix(130, 0))
		past := *live
		past.Status, past.ActiveTasks, past.CompletionTime = spark.StatusFailed, 0, spark.Time{Time: time.Unix(140, 0)}
		for _, sum := range stageSums(&past) {
			*sum = 90
		}
		past.CompleteTasks = 110
		app.ObserveStage(&past, time.Unix(150, 0))

		ended := app.EndedStages(time.Second, 1)
		require.Len(t, ended, 1)
		for i, sum := range stageSums(&ended[0].Stage) {
			assert.GreaterOrEqual(t, *sum, int64(100), "sum %d of a stage that was %s", i, status)
		}
		assert.EqualValues(t, 110, ended[0].CompleteTasks)
		assert.Zero(t, ended[0].ActiveTasks)
	}
}
