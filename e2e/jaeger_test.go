//go:build cluster

package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// jaeger is a real Jaeger server.
type jaeger struct {
	*process
	otlp, query string
}

func startJaeger(t *testing.T) *jaeger {
	out, err := exec.CommandContext(t.Context(), filepath.Join(root, "cluster", "jaeger")).Output()
	require.NoError(t, err, "cluster/jaeger")
	otlp, query := freeAddress(t), freeAddress(t)
	args := []string{"--collector.otlp.http.host-port=" + otlp, "--query.http-server.host-port=" + query}
	for _, other := range []string{"admin.http", "collector.grpc-server", "collector.http-server", "collector.otlp.grpc", "query.grpc-server"} {
		args = append(args, "--"+other+".host-port="+freeAddress(t))
	}
	j := &jaeger{process: startProcess(t, strings.TrimSpace(string(out)), args...), otlp: "http://" + otlp, query: "http://" + query}
	require.Eventually(t, func() bool {
		var answer any
		return getJSON(t.Context(), j.query+"/api/services", &answer) == nil
	}, time.Minute, 200*time.Millisecond, "Jaeger does not answer:\n%s", tail(j.output.String()))
	return j
}

// jaegerSpan is a span as Jaeger's query API gives it. Times are in µs.
type jaegerSpan struct {
	SpanID        string `json:"spanID"`
	OperationName string `json:"operationName"`
	References    []struct {
		RefType string `json:"refType"`
		SpanID  string `json:"spanID"`
	} `json:"references"`
	StartTime int64 `json:"startTime"`
	Duration  int64 `json:"duration"`
	Tags      []struct {
		Key   string `json:"key"`
		Value any    `json:"value"`
	} `json:"tags"`
}

func (s *jaegerSpan) tag(key string) string {
	for _, tag := range s.Tags {
		if tag.Key == key {
			return fmt.Sprint(tag.Value)
		}
	}
	return ""
}

func (s *jaegerSpan) parent() string {
	for _, r := range s.References {
		if r.RefType == "CHILD_OF" {
			return r.SpanID
		}
	}
	return ""
}

// trace returns the spans of a trace by their ids.
func (j *jaeger) trace(t *testing.T, id string) map[string]*jaegerSpan {
	var answer struct {
		Data []struct {
			Spans []*jaegerSpan `json:"spans"`
		} `json:"data"`
	}
	spans := map[string]*jaegerSpan{}
	if getJSON(t.Context(), j.query+"/api/traces/"+id, &answer) == nil {
		for _, trace := range answer.Data {
			for _, span := range trace.Spans {
				spans[span.SpanID] = span
			}
		}
	}
	return spans
}

// traceOf derives ids by the formula that the receiver's README shows.
type traceOf struct{ key string }

func (o traceOf) id() string { return digest("sparkmodel/1|trace|"+o.key, 16) }

func (o traceOf) span(kind string, id any) string {
	return digest(fmt.Sprintf("sparkmodel/1|span|%s|%s|%v", o.key, kind, id), 8)
}

func digest(text string, bytes int) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:bytes])
}

const sparkTime = "2006-01-02T15:04:05.000GMT"

func micros(t *testing.T, text string) int64 {
	at, err := time.Parse(sparkTime, text)
	require.NoError(t, err)
	return at.UnixMicro()
}

// The trace of a machine learning pipeline in a real Jaeger is what Spark's event log tells, as the History Server reads
// it: the tree, the times, and the figures of stages.
func TestPipelineInJaeger(t *testing.T) {
	j := startJaeger(t)
	startProcess(t, filepath.Join(root, "dist", "otelcol-sparkmodel"), "--config", filepath.Join(root, "config", "jaeger.yaml"),
		"--set", "receivers::sparkmodel::cluster_name=lab", "--set", "receivers::sparkmodel::collection_interval="+interval.String(),
		"--set", "receivers::sparkmodel::yarn::endpoints=["+lab.yarn()+"]", "--set", "receivers::sparkmodel::history::endpoint="+lab.history(),
		"--set", "exporters::otlp_http::endpoint="+j.otlp, "--set", "exporters::prometheus::endpoint="+freeAddress(t),
		"--set", "service::telemetry::metrics::level=none")
	ids := lab.submit(t, "ml_pipeline", "4", "--deploy-mode", "cluster", "--name", "churn").wait(t)
	id := ids[len(ids)-1]
	lab.truth(t, id)
	base := lab.history() + "/api/v1/applications/" + id + "/1"
	ours := traceOf{"lab|" + id + "|1"}

	var spans map[string]*jaegerSpan
	require.Eventually(t, func() bool {
		spans = j.trace(t, ours.id())
		return spans[ours.span("app", "")] != nil
	}, 90*time.Second, interval/4, "Jaeger has no span of the application")
	application := spans[ours.span("app", "")]
	assert.Equal(t, "spark.application", application.OperationName)
	assert.Empty(t, application.parent())

	var executions []struct {
		ID                          int
		SubmissionTime              string
		Duration                    int64
		SuccessJobIDs, FailedJobIDs []int
	}
	require.NoError(t, getJSON(t.Context(), base+"/sql?details=false&planDescription=false&length=1000", &executions))
	require.NotEmpty(t, executions)
	executionOf := map[int]int{}
	want := map[string]string{ours.span("app", ""): "spark.application"}
	for _, e := range executions {
		key := ours.span("sql", e.ID)
		want[key] = "spark.sql"
		span := spans[key]
		if !assert.NotNil(t, span, "SQL execution %d", e.ID) {
			continue
		}
		assert.Equal(t, application.SpanID, span.parent())
		assert.Equal(t, micros(t, e.SubmissionTime), span.StartTime)
		assert.Equal(t, e.Duration*1000, span.Duration)
		for _, job := range append(e.SuccessJobIDs, e.FailedJobIDs...) {
			executionOf[job] = e.ID
		}
	}
	var jobs []struct {
		JobID                          int
		Name                           string
		SubmissionTime, CompletionTime string
		StageIDs                       []int
	}
	require.NoError(t, getJSON(t.Context(), base+"/jobs", &jobs))
	require.NotEmpty(t, jobs)
	stagesOf := map[string][]int{}
	for _, job := range jobs {
		key := ours.span("job", job.JobID)
		want[key] = "spark.job"
		stagesOf[key] = job.StageIDs
		span := spans[key]
		if !assert.NotNil(t, span, "job %d", job.JobID) {
			continue
		}
		parent := application.SpanID
		if e, ok := executionOf[job.JobID]; ok {
			parent = ours.span("sql", e)
		}
		assert.Equal(t, parent, span.parent(), "job %d", job.JobID)
		assert.Equal(t, job.Name, span.tag("spark.job.name"))
		assert.Equal(t, micros(t, job.SubmissionTime), span.StartTime)
		assert.Equal(t, micros(t, job.CompletionTime)-micros(t, job.SubmissionTime), span.Duration)
	}
	var stages []struct {
		Status                                                                       string
		StageID, AttemptID                                                           int
		Name                                                                         string
		SubmissionTime, CompletionTime                                               string
		NumTasks, InputBytes, ShuffleWriteBytes, MemoryBytesSpilled, ExecutorRunTime float64
	}
	require.NoError(t, getJSON(t.Context(), base+"/stages?details=false", &stages))
	for _, s := range stages {
		if s.Status == "SKIPPED" {
			continue
		}
		key := ours.span("stage", fmt.Sprintf("%d.%d", s.StageID, s.AttemptID))
		want[key] = "spark.stage"
		span := spans[key]
		if !assert.NotNil(t, span, "stage %d", s.StageID) {
			continue
		}
		assert.Contains(t, stagesOf[span.parent()], s.StageID, "the parent of a stage is a job that lists it")
		assert.Equal(t, micros(t, s.SubmissionTime), span.StartTime)
		assert.Equal(t, micros(t, s.CompletionTime)-micros(t, s.SubmissionTime), span.Duration)
		assert.Equal(t, s.Name, span.tag("spark.stage.name"))
		for name, want := range map[string]float64{
			"spark.stage.tasks": s.NumTasks, "spark.stage.io.size.in": s.InputBytes,
			"spark.stage.shuffle.io.write.size": s.ShuffleWriteBytes, "spark.stage.memory.spilled": s.MemoryBytesSpilled,
		} {
			assert.Equal(t, want, figure(t, span.tag(name)), "%s of stage %d", name, s.StageID)
		}
		assert.InDelta(t, s.ExecutorRunTime/1e3, figure(t, span.tag("spark.stage.executor.run_time")), 1e-6)
	}
	for key, span := range spans {
		switch span.OperationName {
		case "spark.sql", "spark.job", "spark.stage":
			assert.Contains(t, want, key, "%s is not in the event log", span.OperationName)
		}
		if span.parent() != "" {
			assert.Contains(t, spans, span.parent(), "the parent of %s", span.OperationName)
		}
	}
	t.Logf("the trace:\n%s", render(spans))
}

func figure(t *testing.T, text string) (v float64) {
	_, err := fmt.Sscan(text, &v)
	require.NoError(t, err, "%q is no number", text)
	return v
}

// render shows a trace as Jaeger does: a line for each span, below its parent, in the order of their starts.
func render(spans map[string]*jaegerSpan) string {
	children := map[string][]*jaegerSpan{}
	for _, span := range spans {
		children[span.parent()] = append(children[span.parent()], span)
	}
	var out strings.Builder
	var show func(parent string, depth int, begin int64)
	show = func(parent string, depth int, begin int64) {
		list := children[parent]
		slices.SortFunc(list, func(x, y *jaegerSpan) int { return int(x.StartTime - y.StartTime) })
		for _, span := range list {
			if depth == 0 {
				begin = span.StartTime
			}
			what := span.OperationName
			for _, key := range []string{"spark.startup.phase", "spark.sql.description", "spark.job.name", "spark.stage.name", "spark.task.id"} {
				if value := span.tag(key); value != "" {
					what += " " + value
				}
			}
			seconds := func(micros int64) string { return fmt.Sprintf("%6.1f s", float64(micros)/1e6) }
			fmt.Fprintf(&out, "%s %s  %s%s\n", seconds(span.StartTime-begin), seconds(span.Duration), strings.Repeat("  ", depth), what)
			show(span.SpanID, depth+1, begin)
		}
	}
	show("", 0, 0)
	return out.String()
}
