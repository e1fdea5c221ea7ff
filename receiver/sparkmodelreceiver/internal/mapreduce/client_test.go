package mapreduce

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/resttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPaths(t *testing.T) {
	var paths []string
	server := resttest.New(t, "mapreduce", func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.String())
		resttest.Says(`{}`)(w, r)
	})
	running, history := Running(server, "application_1_0001"), History(server)
	_, err := running.Jobs(t.Context())
	require.NoError(t, err)
	_, err = running.Counters(t.Context(), "job_1_0001")
	require.NoError(t, err)
	_, now, err := history.FinishedSince(t.Context(), time.UnixMilli(1500))
	require.NoError(t, err)
	assert.False(t, now.IsZero())
	_, err = history.Job(t.Context(), "job_1_0001")
	require.NoError(t, err)
	_, err = history.Tasks(t.Context(), "job_1_0001")
	require.NoError(t, err)
	_, err = history.Job(t.Context(), "..")
	require.ErrorContains(t, err, "no element of a path")
	assert.Equal(t, []string{
		"/proxy/application_1_0001/ws/v1/mapreduce/jobs", "/proxy/application_1_0001/ws/v1/mapreduce/jobs/job_1_0001/counters",
		"/ws/v1/history/mapreduce/jobs?finishedTimeBegin=1500", "/ws/v1/history/mapreduce/jobs/job_1_0001", "/ws/v1/history/mapreduce/jobs/job_1_0001/tasks",
	}, paths)
}

func TestSummarize(t *testing.T) {
	var tasks []Task
	for i := range 20 {
		tasks = append(tasks, Task{Type: "MAP", State: "SUCCEEDED", ElapsedTime: int64(20-i) * 1000})
	}
	tasks = append(tasks,
		Task{Type: "REDUCE", State: "RUNNING", ElapsedTime: 3500, Progress: 25}, Task{Type: "REDUCE", State: "SCHEDULED", ElapsedTime: 9000},
		Task{Type: "REDUCE", State: "FAILED", ElapsedTime: 9000}, Task{Type: "REDUCE", State: "SUCCEEDED", ElapsedTime: -1})
	maps, reduces := Summarize(tasks, "MAP"), Summarize(tasks, "REDUCE")
	assert.Equal(t, &Quantiles{1, 6, 11, 16, 20, 20}, maps.Durations)
	assert.Nil(t, maps.Running)
	assert.Nil(t, reduces.Durations)
	assert.Equal(t, &Quantiles{3.5, 3.5, 3.5, 3.5, 3.5, 3.5}, reduces.Running)
	assert.Equal(t, &Quantiles{0.25, 0.25, 0.25, 0.25, 0.25, 0.25}, reduces.Progress)
}

func TestSelection(t *testing.T) {
	counters := []Counter{
		{Group: "TaskCounter", Name: "SPILLED_RECORDS"}, {Group: "TaskCounter", Name: "SPILLED_RECORDS_TOO"},
		{Group: "my counters", Name: "bad/rows"}, {Group: "FileSystemCounter", Name: "HDFS_BYTES_READ"},
	}
	names := func(list []Counter) (out []string) {
		for _, c := range list {
			out = append(out, c.Name)
		}
		return out
	}
	s, err := Select([]Match{{Group: "TaskCounter", Name: "SPILLED_RECORDS"}, {Group: "my.*"}})
	require.NoError(t, err)
	assert.Equal(t, []string{"SPILLED_RECORDS", "bad/rows"}, names(s.Of(counters, 9)))
	s, err = Select([]Match{{Name: ".*"}})
	require.NoError(t, err)
	assert.Equal(t, []string{"HDFS_BYTES_READ", "SPILLED_RECORDS"}, names(s.Of(counters, 2)))
	_, err = Select([]Match{{Name: "a"}, {}})
	require.ErrorContains(t, err, "[1]: give at least one of group, name")
	_, err = Select([]Match{{Group: "("}})
	require.ErrorContains(t, err, "[0]: error parsing regexp")
}

func TestShortGroup(t *testing.T) {
	assert.Equal(t, "TaskCounter", shortGroup("org.apache.hadoop.mapreduce.TaskCounter"))
	assert.Equal(t, "com.acme.Quality$Counter", shortGroup("com.acme.Quality$Counter"))
	assert.Equal(t, "Shuffle Errors", shortGroup("Shuffle Errors"))
}

// Whatever a server answers ends in values or in an error.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{"jobs":{"job":[{"id":"job_1_0001","state":"RUNNING","mapsTotal":4,"mapProgress":"NaN"}]}}`,
		`{"jobs":{}}`, `{"jobs":null}`, `{"job":{"avgMapTime":-1}}`,
		`{"jobCounters":{"counterGroup":[{"counterGroupName":"org.apache.hadoop.mapreduce.TaskCounter","counter":[{"name":"X","totalCounterValue":9223372036854775807}]}]}}`,
		`{"tasks":{"task":[{"type":"MAP","state":"SUCCEEDED","elapsedTime":5},{"type":"MAP","state":"RUNNING","progress":null}]}}`,
		`<html>`, ``,
	} {
		f.Add(seed)
	}
	body := ""
	server := resttest.New(f, "mapreduce", func(w http.ResponseWriter, r *http.Request) { resttest.Says(body)(w, r) })
	f.Fuzz(func(t *testing.T, answer string) {
		body = answer
		a := History(server)
		if jobs, err := a.Jobs(t.Context()); err == nil {
			for i := range jobs {
				_ = jobs[i].Application()
				_ = jobs[i].Tasks()
			}
		}
		_, _ = a.Job(t.Context(), "job_1_0001")
		counters, err := a.Counters(t.Context(), "job_1_0001")
		assert.True(t, err == nil || counters == nil)
		tasks, err := a.Tasks(t.Context(), "job_1_0001")
		if err == nil {
			for _, q := range []*Quantiles{Summarize(tasks, "MAP").Durations, Summarize(tasks, "REDUCE").Durations} {
				if q != nil {
					assert.LessOrEqual(t, q[0], q[5])
				}
			}
		}
	})
}
