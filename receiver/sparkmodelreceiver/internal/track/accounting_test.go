package track

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
)

var dawn = time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)

func at(seconds float64) spark.Time {
	return spark.Time{Time: dawn.Add(time.Duration(seconds * float64(time.Second)))}
}

func TestStartup(t *testing.T) {
	phases := func(app *Application) map[Phase]float64 {
		m := map[Phase]float64{}
		for _, p := range app.Startup() {
			m[p.Phase] = p.Duration.Seconds()
		}
		return m
	}
	app := NewApplication(Key{ID: "a"})
	assert.Empty(t, app.Startup(), "nobody knows when it was submitted")
	app.Submitted, app.Now = dawn, at(4).Time
	assert.Equal(t, map[Phase]float64{PhaseQueue: 4}, phases(app))
	app.Allocate(Allocation{Launched: at(5).Time})
	app.Now = at(6).Time
	assert.Equal(t, map[Phase]float64{PhaseQueue: 5, PhaseDriver: 1}, phases(app))
	app.DriverStarted, app.Now = at(8).Time, at(9).Time
	app.ObserveAllExecutors([]spark.Executor{
		{ID: "driver", Active: true, AddTime: at(8)}, {ID: "2", AddTime: at(11), RemoveTime: at(12)}, {ID: "1", Active: true, AddTime: at(13)},
	})
	app.ListStages(nil, at(14).Time)
	app.ListJobs([]spark.Job{{ID: 0, Status: spark.StatusRunning, SubmissionTime: at(10), StageIDs: []int{0}}})
	app.Now = at(15).Time
	assert.Equal(t, map[Phase]float64{PhaseQueue: 5, PhaseDriver: 3, PhaseExecutor: 3, PhaseJob: 0, PhaseTask: 4}, phases(app),
		"a job that was submitted before there was an executor waits for it")
	app.ObserveStage(&spark.Stage{Status: spark.StatusActive, SubmissionTime: at(10), FirstTaskLaunched: at(11.5)}, at(15).Time)
	app.Now = at(30).Time
	assert.Equal(t, map[Phase]float64{PhaseQueue: 5, PhaseDriver: 3, PhaseExecutor: 3, PhaseJob: 0, PhaseTask: 0.5}, phases(app))

	client := NewApplication(Key{ID: "a"})
	client.Submitted, client.DriverStarted, client.Now = dawn, at(-3).Time, at(9).Time
	client.Allocate(Allocation{Launched: at(2).Time})
	assert.Equal(t, map[Phase]float64{PhaseQueue: 2, PhaseDriver: 0, PhaseExecutor: 7}, phases(client), "in client mode the driver is there first")

	late := NewApplication(Key{ID: "a"})
	late.Submitted, late.DriverStarted, late.Now = dawn, at(3).Time, at(9).Time
	late.ListJobs([]spark.Job{{ID: 7, Status: spark.StatusRunning, SubmissionTime: at(8)}})
	assert.Equal(t, map[Phase]float64{PhaseDriver: 3, PhaseExecutor: 6}, phases(late), "nobody knows the first job")
	_, ok := late.WallTime()
	assert.False(t, ok)
	jobs, _ := late.Evicted()
	assert.EqualValues(t, 7, jobs)
}

func TestCoverage(t *testing.T) {
	var c coverage
	for _, i := range [][2]float64{{10, 20}, {40, 50}, {20, 25}, {5, 8}, {7, 12}, {30, 30}, {60, 50}} {
		c.add(at(i[0]).Time, at(i[1]).Time)
	}
	assert.Len(t, c.intervals, 2)
	assert.Equal(t, 30*time.Second, c.until(at(100).Time, time.Time{}))
	assert.Equal(t, 10*time.Second, c.until(at(15).Time, time.Time{}))
	assert.Equal(t, 80*time.Second, c.until(at(100).Time, at(22).Time)-15*time.Second)
	assert.Equal(t, 20*time.Second, c.until(at(45).Time, at(44).Time)-5*time.Second)

	// However many there are, few are kept, and what they cover is right.
	var long coverage
	for i := range 10 * maxIntervals {
		long.add(at(float64(10*i)).Time, at(float64(10*i+3)).Time)
	}
	assert.LessOrEqual(t, len(long.intervals), maxIntervals)
	assert.Equal(t, 10*maxIntervals*3*time.Second, long.until(at(1e9).Time, time.Time{}))
}

// A run whose jobs and stages come and go at random is accounted for in full at every poll, no part ever shrinks, and
// who reads it in the end only says the same.
func TestAccountingAddsUp(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 11))
	for range 200 {
		jobs, stages, executors, end := randomRun(random)
		live := NewApplication(Key{ID: "a"})
		live.Submitted = dawn
		var before WallTime
		var coresBefore CoreTime
		for now := 1.0; now < end; now += 1 + random.Float64()*9 {
			observe(live, jobs, stages, executors, now)
			before, coresBefore = assertAddsUp(t, live, before, coresBefore)
		}
		live.Ended = at(end).Time
		observe(live, jobs, stages, executors, end)
		wall, cores := assertAddsUp(t, live, before, coresBefore)

		late := NewApplication(Key{ID: "a"})
		late.Submitted, late.Ended = dawn, live.Ended
		observe(late, jobs, stages, executors, end)
		lateWall, _ := late.WallTime()
		lateCores, _ := late.CoreTime()
		assert.Equal(t, lateWall, wall)
		assert.Equal(t, lateCores, cores)
	}
}

func assertAddsUp(t *testing.T, app *Application, before WallTime, coresBefore CoreTime) (WallTime, CoreTime) {
	wall, ok := app.WallTime()
	require.True(t, ok)
	var sum time.Duration
	for i, d := range wall {
		assert.GreaterOrEqual(t, d, before[i])
		sum += d
	}
	require.Equal(t, app.Duration(), sum)
	cores, ok := app.CoreTime()
	require.True(t, ok)
	var held int64
	for i, v := range cores {
		held += v
		if i != CoreIdle {
			assert.GreaterOrEqual(t, v, coresBefore[i])
		}
	}
	require.Equal(t, app.grantedCoreTime(), held)
	return wall, cores
}

// randomRun makes jobs of one stage each, whose tasks fill a part of the executors' cores.
func randomRun(random *rand.Rand) (jobs []spark.Job, stages []spark.Stage, executors []spark.Executor, end float64) {
	now := random.Float64() * 20
	for id := range 1 + random.IntN(20) {
		begin := now + random.Float64()*10
		launched := begin + random.Float64()*5
		done := launched + random.Float64()*30
		jobs = append(jobs, spark.Job{ID: id, StageIDs: []int{id}, SubmissionTime: at(begin), CompletionTime: at(done)})
		run := int64((done - launched) * 500)
		stages = append(stages, spark.Stage{
			ID: id, SubmissionTime: at(begin), FirstTaskLaunched: at(launched), CompletionTime: at(done),
			CompleteTasks: 8, FailedTasks: int64(random.IntN(3)), ExecutorRunTime: run, JVMGCTime: run * int64(random.IntN(3)) / 2,
			ShuffleWriteTime: run * 1e5, ShuffleFetchWaitTime: run / 3, ExecutorDeserializeTime: 3, ResultSerializationTime: 1,
		})
		if random.IntN(3) > 0 {
			now = done
		} else {
			now = launched // the next job runs at the same time
		}
		end = max(end, done)
	}
	for id := range 4 {
		executors = append(executors, spark.Executor{ID: string(rune('1' + id)), TotalCores: 8, AddTime: at(0.5)})
	}
	executors = append(executors, spark.Executor{ID: "5", TotalCores: 3, AddTime: at(0.7), RemoveTime: at(end / 2)})
	return jobs, stages, executors, end + random.Float64()*20
}

// observe tells an application what Spark would tell at a moment.
func observe(app *Application, jobs []spark.Job, stages []spark.Stage, executors []spark.Executor, now float64) {
	app.Now = at(now).Time
	begun := func(at spark.Time) bool { return !at.After(app.Now) }
	var listed []spark.Stage
	for _, s := range stages {
		switch {
		case !begun(s.SubmissionTime):
			continue
		case begun(s.CompletionTime):
			s.Status = spark.StatusComplete
		default:
			s = spark.Stage{ID: s.ID, Status: spark.StatusActive, SubmissionTime: s.SubmissionTime, FirstTaskLaunched: s.FirstTaskLaunched}
			if !begun(s.FirstTaskLaunched) {
				s.FirstTaskLaunched = spark.Time{}
			}
		}
		listed = append(listed, s)
	}
	app.ListStages(listed, app.Now)
	var running []spark.Job
	for _, j := range jobs {
		switch {
		case !begun(j.SubmissionTime):
			continue
		case begun(j.CompletionTime):
			j.Status = spark.StatusSucceeded
		default:
			j.Status, j.CompletionTime = spark.StatusRunning, spark.Time{}
		}
		running = append(running, j)
	}
	slices.Reverse(running)
	app.ListJobs(running)
	var all []spark.Executor
	for _, e := range executors {
		if e.Active = e.RemoveTime.IsZero() || !begun(e.RemoveTime); e.Active {
			e.RemoveTime = spark.Time{}
		}
		if begun(e.AddTime) {
			all = append(all, e)
		}
	}
	app.ObserveAllExecutors(all)
}

// What later answers take from a part of the time stays in it until the others have grown by as much.
func TestWallTimeNeverShrinks(t *testing.T) {
	now := WallTime{10, 20, 0, 0}
	for _, next := range []WallTime{{10, 25, 0, 5}, {10, 12, 0, 30}, {10, 12, 0, 48}, {10, 12, 0, 48}} {
		grown := now.grow(next)
		var sum, want time.Duration
		for i := range grown {
			assert.GreaterOrEqual(t, grown[i], now[i])
			sum += grown[i]
			want += next[i]
		}
		assert.Equal(t, want, sum)
		now = grown
	}
}

func TestPeakExecutors(t *testing.T) {
	app := NewApplication(Key{ID: "a"})
	app.ObserveAllExecutors([]spark.Executor{
		{ID: "driver", Active: true, AddTime: at(0)},
		{ID: "1", AddTime: at(1), RemoveTime: at(5)}, {ID: "2", AddTime: at(2), RemoveTime: at(9)}, {ID: "3", AddTime: at(4), RemoveTime: at(6)},
		{ID: "4", AddTime: at(9), Active: true},
	})
	assert.EqualValues(t, 3, app.PeakExecutors())
}

// A job that was running when the application was killed ran until then, whether or not its span was sent.
func TestJobsThatNeverEnded(t *testing.T) {
	app := NewApplication(Key{ID: "a"})
	app.FollowEndings(true, false)
	app.Submitted, app.Ended = dawn, at(50).Time
	observe(app, []spark.Job{{ID: 0, SubmissionTime: at(10), CompletionTime: at(99)}},
		[]spark.Stage{{ID: 0, SubmissionTime: at(10), FirstTaskLaunched: at(12), CompletionTime: at(99)}}, nil, 50)
	want := WallTime{WallStarting: 10 * time.Second, WallWaiting: 2 * time.Second, WallWorking: 38 * time.Second}
	wall, ok := app.WallTime()
	assert.True(t, ok)
	assert.Equal(t, want, wall)
	app.CloseEndings()
	app.timeline.reported = WallTime{}
	wall, _ = app.WallTime()
	assert.Equal(t, want, wall)
}

// Spark adds a task to its stage's run time when it ends; until then its cores are not idle all the same.
func TestTasksThatRunAreNotIdle(t *testing.T) {
	app := NewApplication(Key{ID: "a"})
	app.Submitted = dawn
	observe(app, nil, nil, []spark.Executor{{ID: "1", TotalCores: 4, AddTime: at(0)}}, 10)
	stage := spark.Stage{Status: spark.StatusActive, SubmissionTime: at(10), FirstTaskLaunched: at(10), ActiveTasks: 3}
	for now := 20.0; now <= 60; now += 10 {
		app.Now = at(now).Time
		app.ObserveStage(&stage, app.Now)
	}
	cores, ok := app.CoreTime()
	assert.True(t, ok)
	assert.Equal(t, CoreTime{CoreComputing: 150_000, CoreIdle: 90_000}, cores)

	stage.Status, stage.ActiveTasks, stage.CompleteTasks, stage.ExecutorRunTime, stage.CompletionTime = spark.StatusComplete, 0, 3, 120_000, at(60)
	app.ObserveStage(&stage, app.Now)
	cores, _ = app.CoreTime()
	assert.Equal(t, CoreTime{CoreComputing: 120_000, CoreIdle: 120_000}, cores, "what Spark says in the end is right")
}
