package sparkmodelreceiver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/recording"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/discover"
)

func newJobs(t *testing.T, configure ...func(cfg *Config)) *hadoop {
	return newHadoop(t, "mapreduce-3.4.2", func(cfg *Config, serve func(string, ...func(http.Handler) http.Handler) string) {
		cfg.YARN.GetOrInsertDefault().Endpoints = []string{serve(recording.ResourceManager)}
		cfg.MapReduce.GetOrInsertDefault().ClientConfig.Endpoint = serve(recording.JobHistory)
		for _, f := range configure {
			f(cfg)
		}
	})
}

// play polls every ten seconds of the recording and on until no job is left, and returns the values of all series of
// each job, by poll.
func (h *hadoop) play(t *testing.T) map[string][]map[string]float64 {
	jobs := map[string][]map[string]float64{}
	for at := h.rec.Start(); at.Before(h.rec.End().Add((farewells + 1) * step)); at = at.Add(step) {
		h.player.Seek(at)
		for id, values := range jobsIn(h.emitted(t)) {
			jobs[id] = append(jobs[id], values)
		}
	}
	return jobs
}

func jobsIn(md pmetric.Metrics) map[string]map[string]float64 {
	jobs := map[string]map[string]float64{}
	for _, rm := range md.ResourceMetrics().All() {
		if id, ok := rm.Resource().Attributes().Get("mapreduce.job.id"); ok {
			one := pmetric.NewMetrics()
			rm.CopyTo(one.ResourceMetrics().AppendEmpty())
			jobs[id.Str()] = valuesOf(one)
		}
	}
	return jobs
}

// A recorded life of a cluster: each job is seen while it runs, and in the end it is what the JobHistory server says.
func TestMapReduceEqualsHistory(t *testing.T) {
	h := newJobs(t)
	jobs := h.play(t)
	assert.Len(t, jobs, 3)
	assert.Empty(t, h.player.Misses())
	assert.Empty(t, h.logs.All())
	requests := h.player.Requests()
	for id, polls := range jobs {
		ran, last := false, polls[len(polls)-1]
		for _, values := range polls[:len(polls)-farewells] {
			ran = ran || values["mapreduce.job.status running"] == 1
			assert.NotContains(t, values, "mapreduce.job.attempt.duration map", "only the JobHistory server tells")
		}
		assert.True(t, ran, "%s was not seen while it ran", id)
		for _, values := range polls[len(polls)-farewells:] {
			assert.Equal(t, last, values, "the last figures are emitted %d times", farewells)
		}

		base := "/ws/v1/history/mapreduce/jobs/" + id
		for _, path := range []string{base, base + "/counters", base + "/tasks"} {
			assert.Equal(t, 1, requests[recording.Target{Origin: recording.JobHistory, Key: path}].Requests, "%s is read once", path)
		}
		var job struct {
			Job struct {
				SubmitTime, StartTime, FinishTime, AvgMapTime, AvgShuffleTime, AvgMergeTime, AvgReduceTime float64
				SuccessfulMapAttempts, SuccessfulReduceAttempts, MapsTotal                                 float64
			}
		}
		h.says(t, base, &job)
		want := map[string]float64{
			"mapreduce.job.status succeeded":           1,
			"mapreduce.job.status running":             0,
			"mapreduce.job.duration":                   (job.Job.FinishTime - job.Job.StartTime) / 1e3,
			"mapreduce.job.wait.duration":              (job.Job.StartTime - job.Job.SubmitTime) / 1e3,
			"mapreduce.job.attempt.duration map":       job.Job.AvgMapTime / 1e3,
			"mapreduce.job.attempt.duration shuffle":   job.Job.AvgShuffleTime / 1e3,
			"mapreduce.job.attempt.duration merge":     job.Job.AvgMergeTime / 1e3,
			"mapreduce.job.attempt.duration reduce":    job.Job.AvgReduceTime / 1e3,
			"mapreduce.job.attempts map successful":    job.Job.SuccessfulMapAttempts,
			"mapreduce.job.attempts reduce successful": job.Job.SuccessfulReduceAttempts,
			"mapreduce.job.task.planned map":           job.Job.MapsTotal,
			"mapreduce.job.tasks map completed":        4,
			"mapreduce.job.tasks reduce completed":     1,
			"mapreduce.job.attempts map failed":        0,
			"mapreduce.job.attempts reduce killed":     0,
		}
		var tasks struct {
			Tasks struct {
				Task []struct {
					Type        string
					ElapsedTime float64
				}
			}
		}
		h.says(t, base+"/tasks", &tasks)
		for _, task := range tasks.Tasks.Task {
			longest := "mapreduce.job.task.duration " + strings.ToLower(task.Type) + " max"
			want[longest] = max(want[longest], task.ElapsedTime/1e3)
		}
		var counters struct {
			JobCounters struct {
				CounterGroup []struct {
					CounterGroupName string
					Counter          []struct {
						Name                                                   string
						TotalCounterValue, MapCounterValue, ReduceCounterValue float64
					}
				}
			}
		}
		h.says(t, base+"/counters", &counters)
		for _, group := range counters.JobCounters.CounterGroup {
			for _, c := range group.Counter {
				if strings.HasPrefix(c.Name, "HDFS_BYTES_") && !strings.HasSuffix(c.Name, "_EC") || c.Name == "SPILLED_RECORDS" || c.Name == "MB_MILLIS_MAPS" {
					key := "mapreduce.job.counter " + group.CounterGroupName[strings.LastIndexByte(group.CounterGroupName, '.')+1:] + " " + c.Name
					want[key+" total"] = c.TotalCounterValue
					if c.Name != "MB_MILLIS_MAPS" {
						want[key+" map"], want[key+" reduce"] = c.MapCounterValue, c.ReduceCounterValue
					}
				}
			}
		}
		assert.GreaterOrEqual(t, len(want), 15+2+4)
		for series, value := range want {
			got, ok := last[series]
			assert.True(t, ok, "%s of %s is missing", series, id)
			assert.InDelta(t, value, got, 1e-9, "%s of %s", series, id)
		}
		assert.NotContains(t, last, "mapreduce.job.counter JobCounter MB_MILLIS_MAPS map", "only the job as a whole has it")
	}
	assert.Empty(t, h.sources[1].(*mapReduceSource).ended)
}

// says reads an answer of the recorded JobHistory server.
func (h *hadoop) says(t *testing.T, path string, v any) {
	answers := h.rec.Answers()
	for i := len(answers) - 1; i >= 0; i-- {
		if a := &answers[i]; a.Origin == recording.JobHistory && a.URL == path && a.Status == http.StatusOK {
			require.NoError(t, json.Unmarshal([]byte(a.Body), v))
			return
		}
	}
	require.Fail(t, "not recorded", path)
}

// One poll while a job runs, and one after its end, in full.
func TestMapReduceGolden(t *testing.T) {
	h := newJobs(t)
	var running, ended pmetric.Metrics
	for at := h.rec.Start(); at.Before(h.rec.End()); at = at.Add(step) {
		h.player.Seek(at)
		md := h.emitted(t)
		md.ResourceMetrics().RemoveIf(func(rm pmetric.ResourceMetrics) bool {
			_, job := rm.Resource().Attributes().Get("mapreduce.job.id")
			return !job
		})
		for _, values := range jobsIn(md) {
			if _, read := values["mapreduce.job.task.running.duration map max"]; read && running == (pmetric.Metrics{}) {
				running = md
			}
			if values["mapreduce.job.status succeeded"] == 1 && ended == (pmetric.Metrics{}) {
				ended = md
			}
		}
	}
	require.NotEqual(t, pmetric.Metrics{}, running)
	require.NotEqual(t, pmetric.Metrics{}, ended)
	assertGolden(t, running, "mapreduce-running")
	assertGolden(t, ended, "mapreduce-ended")
}

// What a poll asks for where no job runs and none has ended: one request to YARN and one to the JobHistory server more
// than without MapReduce.
func TestMapReduceIdle(t *testing.T) {
	h := newJobs(t)
	h.play(t)
	before := total(h.player.Requests())
	h.emitted(t)
	assert.Equal(t, 6+2, total(h.player.Requests())-before)
}

// Jobs are chosen as applications are, and large ones keep their tasks to themselves.
func TestMapReduceSelection(t *testing.T) {
	none := newJobs(t, func(cfg *Config) { cfg.Applications.Exclude = []discover.Match{{Queue: `root\.etl\..*`}} })
	assert.Empty(t, none.play(t))
	for target := range none.player.Requests() {
		assert.NotContains(t, target.Key, "job_", "a job that is not watched is not asked for")
	}

	few := newJobs(t, func(cfg *Config) {
		cfg.Applications.Include = []discover.Match{{ID: ".*_0002"}}
		cfg.MapReduce.Get().MaxTasks = 4
		cfg.MapReduce.Get().Counters = nil
	})
	jobs := few.play(t)
	require.Len(t, jobs, 1)
	for target := range few.player.Requests() {
		assert.NotContains(t, target.Key, "/tasks", "the job has five")
		assert.NotContains(t, target.Key, "/counters")
	}
}

// Without a JobHistory server jobs are seen while they run; without YARN once they have ended.
func TestMapReduceHalves(t *testing.T) {
	running := newHadoop(t, "mapreduce-3.4.2", func(cfg *Config, serve func(string, ...func(http.Handler) http.Handler) string) {
		cfg.YARN.GetOrInsertDefault().Endpoints = []string{serve(recording.ResourceManager)}
		cfg.MapReduce.GetOrInsertDefault()
	})
	for id, polls := range running.play(t) {
		for _, values := range polls {
			assert.Zero(t, values["mapreduce.job.status killed"], id)
		}
	}
	ended := newHadoop(t, "mapreduce-3.4.2", func(cfg *Config, serve func(string, ...func(http.Handler) http.Handler) string) {
		cfg.MapReduce.GetOrInsertDefault().ClientConfig.Endpoint = serve(recording.JobHistory)
	})
	jobs := ended.play(t)
	require.Len(t, jobs, 3)
	for id, polls := range jobs {
		assert.Len(t, polls, farewells, id)
	}
}

// A JobHistory server that fails for one job tells of the others; the job is tried again, and at last told as listed.
func TestMapReduceFaults(t *testing.T) {
	broken := ""
	h := newHadoop(t, "mapreduce-3.4.2", func(cfg *Config, serve func(string, ...func(http.Handler) http.Handler) string) {
		cfg.MapReduce.GetOrInsertDefault().ClientConfig.Endpoint = serve(recording.JobHistory, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case broken == "list" && strings.HasSuffix(r.URL.Path, "/jobs"):
					w.Header().Set("Content-Type", "text/html")
					_, _ = w.Write([]byte("<html>JobHistory is starting</html>"))
				case broken == "one" && strings.Contains(r.URL.Path, "_0002"):
					http.Error(w, `{"RemoteException":{"message":"java.lang.Exception: Could not load history file"}}`, http.StatusInternalServerError)
				default:
					next.ServeHTTP(w, r)
				}
			})
		})
	})
	broken = "one"
	jobs := h.play(t)
	require.Len(t, jobs, 3)
	for id, polls := range jobs {
		assert.Equal(t, 1.0, polls[0]["mapreduce.job.status succeeded"], id)
		_, whole := polls[0]["mapreduce.job.attempt.duration map"]
		assert.Equal(t, !strings.HasSuffix(id, "_0002"), whole, id)
	}
	warnings := h.logs.FilterMessageSnippet("does not tell all of a MapReduce job").All()
	require.Len(t, warnings, 1)
	assert.Contains(t, warnings[0].ContextMap()["error"], "Could not load history file")

	broken = "list"
	h.emitted(t)
	h.emitted(t)
	assert.Len(t, h.logs.FilterMessageSnippet("can't be read").All(), 1, "said once")
	broken = ""
	h.emitted(t)
	assert.Len(t, h.logs.FilterMessageSnippet("can be read again").All(), 1)
}

// The end of a job waits for a pipeline that refuses it, and is not forgotten at a restart before it was accepted.
func TestMapReduceEndIsDelivered(t *testing.T) {
	h := newHadoop(t, "mapreduce-3.4.2", func(cfg *Config, serve func(string, ...func(http.Handler) http.Handler) string) {
		cfg.MapReduce.GetOrInsertDefault().ClientConfig.Endpoint = serve(recording.JobHistory)
	})
	n := 0
	h.metrics = refusing{every: 1, n: &n, next: h.sink}
	jobs := h.sources[0].(*mapReduceSource)
	h.poll(t.Context())
	h.player.Seek(h.rec.End())
	for range farewells + 2 {
		h.poll(t.Context())
	}
	require.Len(t, jobs.ended, 3)
	first := jobs.since()
	for _, job := range jobs.ended {
		assert.False(t, time.UnixMilli(job.FinishTime).Before(first), "a restart would miss it")
	}
	h.metrics = h.sink
	for range farewells {
		h.poll(t.Context())
	}
	assert.Empty(t, jobs.ended)
	assert.Len(t, jobs.over, 3)
	assert.True(t, jobs.since().After(first))
}

// A server that lists a thousand jobs at once is read a few at a time; the jobs are made up.
func TestMapReduceManyJobs(t *testing.T) {
	var read atomic.Int64
	h := newHadoop(t, "mapreduce-3.4.2", func(cfg *Config, serve func(string, ...func(http.Handler) http.Handler) string) {
		cfg.MapReduce.GetOrInsertDefault().MaxTasks = 0
		cfg.MapReduce.Get().Counters = nil
		cfg.MapReduce.Get().ClientConfig.Endpoint = serve(recording.JobHistory, func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				now := time.Now()
				if _, id, one := strings.Cut(r.URL.Path, "/jobs/"); one {
					read.Add(1)
					_, _ = fmt.Fprintf(w, `{"job":{"id":%q,"state":"SUCCEEDED","mapsTotal":1,"finishTime":%d}}`, id, now.UnixMilli())
					return
				}
				var list []string
				for i := range 1000 {
					list = append(list, fmt.Sprintf(`{"id":"job_1_%04d","state":"SUCCEEDED","finishTime":%d}`, i, now.UnixMilli()))
				}
				_, _ = fmt.Fprintf(w, `{"jobs":{"job":[%s]}}`, strings.Join(list, ","))
			})
		})
	})
	h.emitted(t)
	assert.Zero(t, read.Load(), "what ended before the first poll is not read")
	assert.Len(t, jobsIn(h.emitted(t)), endedPerPoll)
	assert.EqualValues(t, endedPerPoll, read.Load())
}
