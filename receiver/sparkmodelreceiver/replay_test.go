package sparkmodelreceiver

import (
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/pmetrictest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/recording"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/spark"
)

var update = flag.Bool("update", false, "write the golden files anew")

const step = 10 * time.Second

// replay is a recorded cluster that a receiver reads, poll by poll.
type replay struct {
	*recording.Player
	rec      *recording.Recording
	receiver *sparkModelReceiver
	sink     consumertest.MetricsSink
	history  string
}

func newReplay(t testing.TB, name string, changes ...func(*Config)) *replay {
	rec := loaded(t, name)
	p := &replay{rec: rec, Player: recording.NewPlayer(rec, recording.PlayerOptions{})}
	serve := func(origin string) string {
		server := httptest.NewServer(p.Handler(origin))
		t.Cleanup(server.Close)
		return server.URL
	}
	p.history = serve(recording.History)

	cfg := createDefaultConfig().(*Config)
	cfg.ClusterName = "lab"
	cfg.ControllerConfig.CollectionInterval = 5 * time.Millisecond
	cfg.YARN.GetOrInsertDefault().Endpoints = []string{serve(recording.ResourceManager)}
	cfg.History.GetOrInsertDefault().ClientConfig.Endpoint = p.history
	for _, change := range changes {
		change(cfg)
	}
	r, err := newSparkModelReceiver(receivertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	r.metrics, r.reader.Metrics = &p.sink, true
	r.now = p.Now
	r.metrics = &p.sink
	require.NoError(t, r.connect(t.Context(), componenttest.NewNopHost()))
	p.receiver = r
	t.Cleanup(func() {
		r.watched.closers.Wait()
		r.servers.shutdown()
		http.DefaultClient.CloseIdleConnections()
	})
	return p
}

// play polls every ten seconds of the recording, and then until every application has been followed to its end.
func (p *replay) play(t *testing.T) {
	for at := p.rec.Start(); at.Before(p.rec.End()); at = at.Add(step) {
		p.Seek(at)
		p.receiver.poll(t.Context())
	}
	p.Seek(p.rec.End())
	require.Eventually(t, func() bool {
		p.receiver.poll(t.Context())
		return p.receiver.watched.count() == 0
	}, time.Minute, time.Millisecond, "applications are still watched at the end of the recording")
}

// get reads an answer of the recorded History Server.
func (p *replay) get(t *testing.T, path string, v any) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.history+"/api/v1/applications"+path, http.NoBody)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { assert.NoError(t, resp.Body.Close()) }()
	require.Equal(t, http.StatusOK, resp.StatusCode, path)
	require.NoError(t, json.NewDecoder(resp.Body).Decode(v))
}

// lastValues returns the last value of every series of every application, as "id metric dimension".
func lastValues(t *testing.T, all []pmetric.Metrics) map[string]float64 {
	values := map[string]float64{}
	for _, md := range all {
		for _, rm := range md.ResourceMetrics().All() {
			id, _ := rm.Resource().Attributes().Get("spark.application.id")
			for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
				for _, dp := range numbers(m).All() {
					if dp.Flags().NoRecordedValue() {
						continue
					}
					key := strings.TrimSpace(id.Str() + " " + m.Name() + " " + dimensions(dp.Attributes()))
					value := dp.DoubleValue() + float64(dp.IntValue())
					if m.Type() == pmetric.MetricTypeSum && m.Sum().IsMonotonic() {
						assert.GreaterOrEqual(t, value, values[key], "%s shrinks", key)
					}
					values[key] = value
				}
			}
		}
	}
	return values
}

func numbers(m pmetric.Metric) pmetric.NumberDataPointSlice {
	if m.Type() == pmetric.MetricTypeSum {
		return m.Sum().DataPoints()
	}
	return m.Gauge().DataPoints()
}

func dimensions(attributes pcommon.Map) string {
	var parts []string
	for _, v := range attributes.All() {
		parts = append(parts, v.AsString())
	}
	return strings.Join(parts, " ")
}

// applicationsIn is how many Spark applications ended in a recording.
var applicationsIn = map[string]int{"spark-4.3.0": 11, "spark-3.5.9": 6, "hadoop-3.5.0": 2}

// A whole recorded life of a cluster: what the receiver says in the end is what Spark's history says.
func TestReplayEqualsHistory(t *testing.T) {
	for _, name := range []string{"spark-4.3.0", "spark-3.5.9", "hadoop-3.5.0"} {
		t.Run(name, func(t *testing.T) {
			p := newReplay(t, name)
			p.play(t)
			assert.Empty(t, p.Misses(), "requests that no recorded server answered")
			assertNoProperty(t, p.sink.AllMetrics())
			assertTimesAddUp(t, p.sink.AllMetrics())
			assert.Equal(t, applicationsIn[name], p.equalsHistory(t))
		})
	}
}

// equalsHistory compares the last figures of all applications that have ended with the History Server's, and returns how
// many these are.
func (p *replay) equalsHistory(t *testing.T) int {
	values := lastValues(t, p.sink.AllMetrics())

	var applications []struct {
		ID       string
		Attempts []struct {
			AttemptID string
			Completed bool
			EndTime   spark.Time
		}
	}
	p.get(t, "", &applications)
	compared := 0
	for _, app := range applications {
		if _, ours := values[app.ID+" spark.application.duration"]; !ours || !app.Attempts[0].Completed {
			continue // it was over before the recording began, or was not by its end
		}
		compared++
		path := "/" + app.ID
		if a := app.Attempts[0].AttemptID; a != "" {
			path += "/" + a
		}
		var stages []struct {
			Status                                           string
			NumCompleteTasks, NumFailedTasks, NumKilledTasks float64
			InputBytes, OutputBytes                          float64
			ShuffleReadBytes, ShuffleWriteBytes              float64
			ShuffleReadRecords, ShuffleWriteRecords          float64
			MemoryBytesSpilled, DiskBytesSpilled             float64
			ExecutorRunTime, ExecutorCPUTime, JVMGCTime      float64
		}
		p.get(t, path+"/stages?details=false", &stages)
		want := map[string]float64{}
		for _, s := range stages {
			want["task.result completed"] += s.NumCompleteTasks
			want["task.result failed"] += s.NumFailedTasks
			want["task.result killed"] += s.NumKilledTasks
			want["io.size in"] += s.InputBytes
			want["io.size out"] += s.OutputBytes
			want["shuffle.io.size in"] += s.ShuffleReadBytes
			want["shuffle.io.size out"] += s.ShuffleWriteBytes
			want["shuffle.io.records in"] += s.ShuffleReadRecords
			want["shuffle.io.records out"] += s.ShuffleWriteRecords
			want["spill.size memory"] += s.MemoryBytesSpilled
			want["spill.size disk"] += s.DiskBytesSpilled
			want["executor.run_time"] += s.ExecutorRunTime / 1e3
			want["executor.cpu_time"] += s.ExecutorCPUTime / 1e9
			want["jvm_gc_time"] += s.JVMGCTime / 1e3
			switch s.Status {
			case "COMPLETE":
				want["stage.result completed"]++
			case "FAILED":
				want["stage.result failed"]++
			}
		}
		var jobs []struct{ Status string }
		p.get(t, path+"/jobs", &jobs)
		for _, j := range jobs {
			switch j.Status {
			case "SUCCEEDED":
				want["job.result succeeded"]++
			case "FAILED":
				want["job.result failed"]++
			}
		}
		var executions []struct{ Status string }
		p.get(t, path+"/sql?details=false&planDescription=false&offset=0&length=1000", &executions)
		for _, e := range executions {
			if e.Status == "FAILED" {
				want["sql.result failed"]++
			} else {
				want["sql.result completed"]++
			}
		}
		var executors []spark.Executor
		p.get(t, path+"/allexecutors", &executors)
		assertCoreTime(t, values, app.ID, executors, app.Attempts[0].EndTime.Time)
		// What tasks on a lost executor had done by their last heartbeat is in the driver's figures, but not in
		// the event log that the History Server reads.
		lossy := values[app.ID+" spark.application.executor.lost exit"] > 0
		for name, value := range want {
			got := values[app.ID+" spark.application."+name]
			if lossy && got > value {
				continue
			}
			assert.InDelta(t, value, got, 1e-6, "%s of %s", name, app.ID)
		}
	}
	return compared
}

// The History Server alone: every application that ended, once, and equal to what it says.
func TestReplayHistoryAlone(t *testing.T) {
	for _, name := range []string{"spark-4.3.0", "spark-3.5.9"} {
		t.Run(name, func(t *testing.T) {
			p := newReplay(t, name, func(cfg *Config) {
				cfg.YARN = configoptional.Default(YARNConfig{})
				cfg.History.Get().Lookback = time.Second // what had ended before was not recorded
			})
			p.play(t)
			assert.Empty(t, p.Misses(), "requests that no recorded server answered")
			assert.GreaterOrEqual(t, p.equalsHistory(t), applicationsIn[name])
			read := map[string]int{}
			for target, traffic := range p.Requests() {
				if id, found := strings.CutSuffix(target.Key, "/environment"); found {
					read[id] += traffic.Requests
				}
			}
			for id, n := range read {
				assert.Equal(t, 1, n, "%s is read once", id)
			}
		})
	}
}

// assertTimesAddUp checks at every poll that what a run was at adds up to its duration; to the longest one, as the resource
// manager may tell only later that the run had ended.
func assertTimesAddUp(t *testing.T, all []pmetric.Metrics) {
	checked, longest := 0, map[string]float64{}
	for _, md := range all {
		for _, rm := range md.ResourceMetrics().All() {
			id, _ := rm.Resource().Attributes().Get("spark.application.id")
			sums := map[string]float64{}
			for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
				for _, dp := range numbers(m).All() {
					if !dp.Flags().NoRecordedValue() {
						sums[m.Name()] += dp.DoubleValue()
					}
				}
			}
			if wall, ok := sums["spark.application.wall.time"]; ok && wall > 0 {
				checked++
				longest[id.Str()] = max(longest[id.Str()], sums["spark.application.duration"])
				assert.InDelta(t, longest[id.Str()], wall, 1e-6, id.Str())
			}
		}
	}
	assert.NotZero(t, checked)
}

// assertCoreTime checks that what cores were held for adds up to what the executors held by the History Server.
func assertCoreTime(t *testing.T, values map[string]float64, id string, executors []spark.Executor, end time.Time) {
	var sum, held, cores float64
	for _, activity := range []string{"computing", "gc", "shuffle_write", "fetch_wait", "deserializing", "serializing", "scheduling", "wasted", "idle"} {
		v, ok := values[id+" spark.application.core.time "+activity]
		assert.True(t, ok, "%s of %s", activity, id)
		assert.GreaterOrEqual(t, v, 0.)
		sum += v
	}
	for i := range executors {
		e := &executors[i]
		until := e.RemoveTime.Time
		if until.IsZero() {
			until = end
		}
		held += float64(e.TotalCores) * until.Sub(e.AddTime.Time).Seconds()
		cores += float64(e.TotalCores)
	}
	assert.InDelta(t, held, sum, 4*cores, "%s: YARN sees the end up to some seconds after Spark", id)
	assert.GreaterOrEqual(t, sum, held-0.1, id)
}

// The poll that tells most, in full. Without a History Server, whose last word on what has ended comes when it comes.
func TestReplayGolden(t *testing.T) {
	for _, name := range []string{"spark-4.3.0", "spark-3.5.9", "hadoop-3.5.0"} {
		t.Run(name, func(t *testing.T) {
			p := newReplay(t, name, func(c *Config) { c.History = configoptional.None[HistoryConfig]() })
			got := pmetric.NewMetrics()
			for at := p.rec.Start(); at.Before(p.rec.End()); at = at.Add(step) {
				p.sink.Reset()
				p.Seek(at)
				p.receiver.poll(t.Context())
				p.receiver.watched.closers.Wait()
				require.Len(t, p.sink.AllMetrics(), 1)
				now := p.sink.AllMetrics()[0]
				now.ResourceMetrics().RemoveIf(isStale)
				if names(now) > names(got) {
					got = now
				}
			}
			file := filepath.Join("testdata", "golden", name+".yaml")
			if *update {
				require.NoError(t, golden.WriteMetrics(t, file, got, golden.SkipMetricTimestampNormalization()))
			}
			want, err := golden.ReadMetrics(file)
			require.NoError(t, err)
			require.NoError(t, pmetrictest.CompareMetrics(want, got,
				pmetrictest.IgnoreResourceMetricsOrder(), pmetrictest.IgnoreMetricsOrder(), pmetrictest.IgnoreMetricDataPointsOrder()))
		})
	}
}

// isStale tells whether a resource only ends its series: its description has changed.
func isStale(rm pmetric.ResourceMetrics) bool {
	points := numbers(rm.ScopeMetrics().At(0).Metrics().At(0))
	return points.Len() > 0 && points.At(0).Flags().NoRecordedValue()
}

// names is how many metrics there are.
func names(md pmetric.Metrics) int {
	distinct := map[string]struct{}{}
	for _, rm := range md.ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			distinct[m.Name()] = struct{}{}
		}
	}
	return len(distinct)
}

// What a poll costs where nothing has happened since the one before.
func TestReplayRequests(t *testing.T) {
	p := newReplay(t, "hadoop-3.5.0")
	p.play(t)
	before := total(p.Requests())
	p.receiver.poll(t.Context())
	assert.Equal(t, 6, total(p.Requests())-before, "requests of a poll of an idle cluster")
}

func total(requests map[recording.Target]recording.Traffic) (n int) {
	for _, traffic := range requests {
		n += traffic.Requests
	}
	return n
}

// assertNoProperty checks that Spark properties stay where they are: they can hold secrets.
func assertNoProperty(t *testing.T, all []pmetric.Metrics) {
	marshaler := pmetric.JSONMarshaler{}
	for _, md := range all {
		text, err := marshaler.MarshalMetrics(md)
		require.NoError(t, err)
		for _, property := range []string{"spark.yarn.jars", "spark.eventLog", "spark.app.submitTime", "/spark-logs"} {
			require.NotContains(t, string(text), property)
		}
	}
}

// A consumer that refuses data gets the last figures of an ended stage again.
func TestRefusedDataIsSentAgain(t *testing.T) {
	refused := newReplay(t, "hadoop-3.5.0")
	n := 0
	refused.receiver.metrics = refusing{every: 2, n: &n, next: &refused.sink}
	refused.play(t)
	accepted := newReplay(t, "hadoop-3.5.0")
	accepted.play(t)
	want := endedStages(accepted.sink.AllMetrics())
	require.NotEmpty(t, want)
	assert.Equal(t, want, endedStages(refused.sink.AllMetrics()))
}

func endedStages(all []pmetric.Metrics) map[string]struct{} {
	ended := map[string]struct{}{}
	for _, md := range all {
		for _, rm := range md.ResourceMetrics().All() {
			id, _ := rm.Resource().Attributes().Get("spark.application.id")
			for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
				if m.Name() != "spark.stage.status" {
					continue
				}
				for _, dp := range m.Sum().DataPoints().All() {
					state, _ := dp.Attributes().Get("spark.stage.state")
					stage, _ := dp.Attributes().Get("spark.stage.id")
					if state.Str() == "complete" && dp.IntValue() == 1 {
						ended[id.Str()+" "+strconv.FormatInt(stage.Int(), 10)] = struct{}{}
					}
				}
			}
		}
	}
	return ended
}

type refusing struct {
	every int
	n     *int
	next  *consumertest.MetricsSink
	consumertest.Consumer
}

var errRefused = http.ErrServerClosed

func (r refusing) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	*r.n++
	if *r.n%r.every == 0 {
		return errRefused
	}
	return r.next.ConsumeMetrics(ctx, md)
}

// A poll of a recorded cluster in which one application runs, the replaying server's work included.
func BenchmarkPoll(b *testing.B) {
	p := newReplay(b, "spark-4.3.0")
	p.Seek(p.rec.Start().Add(6 * step))
	p.receiver.poll(b.Context())
	b.ReportAllocs()
	for b.Loop() {
		p.receiver.poll(b.Context())
		p.sink.Reset()
	}
}
