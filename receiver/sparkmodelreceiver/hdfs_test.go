package sparkmodelreceiver

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/pmetrictest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	logtest "go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/recording"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/metadata"
)

// hadoop is a receiver that a test polls by hand, reading a recording.
type hadoop struct {
	*sparkModelReceiver
	sink   *consumertest.MetricsSink
	logs   *logtest.ObservedLogs
	player *recording.Player
	rec    *recording.Recording
}

var recordings sync.Map

// loaded returns a recording, which is read from its file once: to unpack one takes longer than to play it.
func loaded(t testing.TB, name string) *recording.Recording {
	load, _ := recordings.LoadOrStore(name, sync.OnceValues(func() (*recording.Recording, error) {
		return recording.Load(filepath.Join("..", "..", "testdata", "recordings", name+".har.zst"))
	}))
	rec, err := load.(func() (*recording.Recording, error))()
	require.NoError(t, err)
	return rec
}

// newHadoop configures a receiver of a recording's servers: serve starts one of them, behind a handler if one is given.
func newHadoop(t testing.TB, name string, configure func(cfg *Config, serve func(origin string, wrap ...func(http.Handler) http.Handler) string)) *hadoop {
	return newHadoopWith(t, name, componenttest.NewNopTelemetrySettings(), configure)
}

func newHadoopWith(t testing.TB, name string, tel component.TelemetrySettings, configure func(cfg *Config, serve func(origin string, wrap ...func(http.Handler) http.Handler) string)) *hadoop {
	rec := loaded(t, name)
	core, logs := logtest.New(zap.InfoLevel)
	h := &hadoop{sink: &consumertest.MetricsSink{}, logs: logs, rec: rec, player: recording.NewPlayer(rec, recording.PlayerOptions{})}
	cfg := createDefaultConfig().(*Config)
	cfg.ClusterName = "lab"
	configure(cfg, func(origin string, wrap ...func(http.Handler) http.Handler) string {
		handler := h.player.Handler(origin)
		for _, w := range wrap {
			handler = w(handler)
		}
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		return server.URL
	})
	require.NoError(t, cfg.Validate())
	set := receivertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel
	set.Logger = zap.New(core)
	var err error
	h.sparkModelReceiver, err = newSparkModelReceiver(set, cfg)
	require.NoError(t, err)
	h.metrics, h.reader.Metrics, h.now = h.sink, true, h.player.Now
	require.NoError(t, h.connect(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() {
		h.watched.closers.Wait()
		h.servers.shutdown()
	})
	return h
}

// emitted polls once and returns what was sent downstream.
func (h *hadoop) emitted(t *testing.T) pmetric.Metrics {
	h.sink.Reset()
	h.poll(t.Context())
	all := pmetric.NewMetrics()
	for _, md := range h.sink.AllMetrics() {
		md.ResourceMetrics().MoveAndAppendTo(all.ResourceMetrics())
	}
	return all
}

// assertGolden compares metrics with a golden file. Names of servers, which are on another port each time, are given as
// pairs of what they are and what the file has.
func assertGolden(t *testing.T, got pmetric.Metrics, name string, replace ...string) {
	replacer := strings.NewReplacer(replace...)
	for _, rm := range got.ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			for _, dp := range numbers(m).All() {
				for _, attribute := range []string{"hdfs.namenode.name", "hdfs.datanode.name"} {
					if v, ok := dp.Attributes().Get(attribute); ok {
						dp.Attributes().PutStr(attribute, replacer.Replace(v.Str()))
					}
				}
			}
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
}

func hostOf(t *testing.T, endpoint string) string {
	u, err := url.Parse(endpoint)
	require.NoError(t, err)
	return u.Host
}

// A recorded NameNode and its DataNode, in full, and what a poll asks for.
func TestHDFSGolden(t *testing.T) {
	var nn string
	h := newHadoop(t, "mapreduce-3.4.2", func(cfg *Config, serve func(string, ...func(http.Handler) http.Handler) string) {
		nn = serve(recording.NameNode)
		cfg.HDFS.GetOrInsertDefault().NameNodes = []string{nn}
		cfg.HDFS.Get().DataNodes = []string{serve(recording.DataNode)}
	})
	h.player.Seek(h.rec.End())
	assertGolden(t, h.emitted(t), "hdfs-3.4.2", hostOf(t, nn), "namenode:9870")
	assert.Empty(t, h.player.Misses())
	requests, size := 0, int64(0)
	for _, traffic := range h.player.Requests() {
		requests += traffic.Requests
		size += traffic.Bytes
	}
	assert.Equal(t, 4+3, requests, "four of the NameNode, three of the DataNode")
	assert.Less(t, size, int64(25_000), "all of their beans are 675 kB")
}

// What docs/coverage.md promises is emitted of recorded servers.
func TestHDFSHasWhatDatadogHas(t *testing.T) {
	h := newHadoop(t, "mapreduce-3.4.2", func(cfg *Config, serve func(string, ...func(http.Handler) http.Handler) string) {
		cfg.HDFS.GetOrInsertDefault().NameNodes = []string{serve(recording.NameNode)}
		cfg.HDFS.Get().DataNodes = []string{serve(recording.DataNode)}
	})
	h.player.Seek(h.rec.End())
	series := map[string]int{}
	for _, rm := range h.emitted(t).ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			for _, dp := range numbers(m).All() {
				series[m.Name()]++
				for name, v := range dp.Attributes().All() {
					if strings.HasSuffix(name, ".state") || strings.HasSuffix(name, ".operation") {
						series[m.Name()+" "+v.AsString()]++
					}
				}
			}
		}
	}
	for _, row := range covered(t, "hdfs.") {
		switch theirs := row.theirs[0]; theirs {
		case "hdfs.namenode.max_objects", "hdfs.datanode.last_volume_failure_date":
			// Absent where there is no limit and no failure: TestHDFSLimits has both.
		default:
			assert.Positive(t, series[strings.Join(row.ours, " ")], "%s: %s", theirs, row.ours)
		}
	}
}

// editing changes what a recorded server says: to what a test can't make a real one say.
func editing(old ...string) func(http.Handler) http.Handler {
	replacer := strings.NewReplacer(old...)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			next.ServeHTTP(answer, r)
			w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
			w.WriteHeader(answer.Code)
			_, _ = w.Write([]byte(replacer.Replace(answer.Body.String())))
		})
	}
}

// valuesOf returns the value of every series, by "metric dimensions".
func valuesOf(md pmetric.Metrics) map[string]float64 {
	values := map[string]float64{}
	for _, rm := range md.ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			for _, dp := range numbers(m).All() {
				values[strings.TrimSpace(m.Name()+" "+dimensions(dp.Attributes()))] = dp.DoubleValue() + float64(dp.IntValue())
			}
		}
	}
	return values
}

// Limits and failures that the recorded servers did not have.
func TestHDFSLimits(t *testing.T) {
	h := newHadoop(t, "mapreduce-3.4.2", func(cfg *Config, serve func(string, ...func(http.Handler) http.Handler) string) {
		cfg.HDFS.GetOrInsertDefault().NameNodes = []string{serve(recording.NameNode, editing(`"MaxObjects":0`, `"MaxObjects":500`, `"Operational"`, `"safeMode"`))}
		cfg.HDFS.Get().DataNodes = []string{serve(recording.DataNode, editing(`"LastVolumeFailureDate":0`, `"LastVolumeFailureDate":1795533000000`))}
	})
	h.player.Seek(h.rec.End())
	values, found := valuesOf(h.emitted(t)), 0
	for series, v := range values {
		switch {
		case series == "hdfs.namenode.object.limit":
			assert.Equal(t, 500.0, v)
			found++
		case strings.HasPrefix(series, "hdfs.namenode.safemode "):
			assert.Equal(t, 1.0, v)
			found++
		case strings.HasPrefix(series, "hdfs.datanode.volume.last_failure.age "):
			assert.InDelta(t, float64(h.player.Now().UnixMilli()-1795533000000)/1000, v, 1e-3)
			found++
		}
	}
	assert.Equal(t, 3, found)
}

// Of two NameNodes the active one tells of the file system, whichever it is; one that is away takes nothing from the other,
// and is said once.
func TestHDFSHighAvailability(t *testing.T) {
	var mu sync.Mutex
	says := map[string]string{"first": "standby", "second": "active"}
	asked := map[string][]string{}
	server := func(name string) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				_, bean, _ := strings.Cut(r.URL.Query().Get("qry"), "name=")
				asked[name] = append(asked[name], bean)
				state := says[name]
				if state == "" {
					http.Error(w, "HTTP ERROR 500", http.StatusInternalServerError)
					return
				}
				capacity := map[string]string{"first": `"CapacityTotal":111`, "second": `"CapacityTotal":222`}[name]
				editing(`"tag.HAState":"active"`, `"tag.HAState":"`+state+`"`, `"CapacityTotal":`, capacity+`,"was":`)(next).ServeHTTP(w, r)
			})
		}
	}
	h := newHadoop(t, "mapreduce-3.4.2", func(cfg *Config, serve func(string, ...func(http.Handler) http.Handler) string) {
		cfg.HDFS.GetOrInsertDefault().NameNodes = []string{serve(recording.NameNode, server("first")), serve(recording.NameNode, server("second"))}
	})
	h.player.Seek(h.rec.End())
	state := func(md pmetric.Metrics) (capacity float64, states string) {
		values := valuesOf(md)
		for i := range h.servers.nameNodes {
			for _, state := range []string{"active", "standby"} {
				if values["hdfs.namenode.status "+h.servers.nameNodes[i].Address()+" "+state] == 1 {
					states += state + " "
				}
			}
		}
		return values["hdfs.namenode.capacity.limit"], states
	}

	capacity, states := state(h.emitted(t))
	assert.Equal(t, 222.0, capacity)
	assert.Equal(t, "standby active ", states)
	everything := []string{"FSNamesystem*", "JvmMetrics", "RpcActivityForPort*", "NameNodeInfo"}
	assert.Equal(t, everything, asked["first"], "the first time a standby tells when it was started")
	asked = map[string][]string{}
	h.emitted(t)
	assert.Equal(t, everything[:3], asked["first"])
	assert.Equal(t, everything, asked["second"])

	says = map[string]string{"first": "active", "second": ""} // a failover
	md := h.emitted(t)
	capacity, states = state(md)
	assert.Equal(t, 111.0, capacity)
	assert.Equal(t, "active ", states)
	h.emitted(t)
	require.Len(t, h.logs.FilterMessageSnippet("can't be read").All(), 1, "said once")
	assert.Contains(t, h.logs.All()[0].ContextMap()["error"], "hdfs: GET http://127.0.0.1:")

	says["second"] = "standby"
	_, states = state(h.emitted(t))
	assert.Equal(t, "active standby ", states)
	assert.Len(t, h.logs.FilterMessageSnippet("can be read again").All(), 1)

	says["first"] = "standby"
	md = h.emitted(t)
	capacity, states = state(md)
	assert.Equal(t, "standby standby ", states)
	assert.Zero(t, capacity, "what no active NameNode says is not said")
}

// Running totals begin with the process that counts them.
func TestHDFSStartTimes(t *testing.T) {
	h := newHadoop(t, "mapreduce-3.4.2", func(cfg *Config, serve func(string, ...func(http.Handler) http.Handler) string) {
		cfg.HDFS.GetOrInsertDefault().NameNodes = []string{serve(recording.NameNode, editing(`"NNStartedTimeInMillis":`, `"NNStartedTimeInMillis":1000,"was":`))}
		cfg.HDFS.Get().DataNodes = []string{serve(recording.DataNode, editing(`"DNStartedTimeInMillis":`, `"DNStartedTimeInMillis":2000,"was":`))}
	})
	h.player.Seek(h.rec.End())
	totals := 0
	for _, rm := range h.emitted(t).ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			if m.Type() != pmetric.MetricTypeSum || !m.Sum().IsMonotonic() {
				continue
			}
			for _, dp := range m.Sum().DataPoints().All() {
				want := int64(1)
				if strings.HasPrefix(m.Name(), "hdfs.datanode.") {
					want = 2
				}
				totals++
				assert.Equal(t, want, dp.StartTimestamp().AsTime().Unix(), m.Name())
			}
		}
	}
	assert.Greater(t, totals, 10)
}

// What no enabled metric needs is not asked for, and the DataNodes that the NameNode names are never asked.
func TestHDFSAsksForNoMore(t *testing.T) {
	h := newHadoop(t, "mapreduce-3.4.2", func(cfg *Config, serve func(string, ...func(http.Handler) http.Handler) string) {
		cfg.HDFS.GetOrInsertDefault().NameNodes = []string{serve(recording.NameNode)}
		m := &cfg.MetricsBuilderConfig.Metrics
		for _, enabled := range []*bool{
			&m.HdfsNamenodeJvmGcCount.Enabled, &m.HdfsNamenodeJvmGcTime.Enabled, &m.HdfsNamenodeJvmMemoryLimit.Enabled,
			&m.HdfsNamenodeJvmMemoryUsage.Enabled, &m.HdfsNamenodeJvmPauseTime.Enabled, &m.HdfsNamenodeJvmThreads.Enabled,
			&m.HdfsNamenodeRPCCalls.Enabled, &m.HdfsNamenodeRPCConnections.Enabled, &m.HdfsNamenodeRPCProcessingTime.Enabled,
			&m.HdfsNamenodeRPCQueueLength.Enabled, &m.HdfsNamenodeRPCQueueTime.Enabled,
		} {
			*enabled = false
		}
	})
	h.player.Seek(h.rec.End())
	values := valuesOf(h.emitted(t))
	var asked []string
	for target := range h.player.Requests() {
		asked = append(asked, target.Origin+" "+target.Key)
	}
	assert.ElementsMatch(t, []string{
		"namenode /jmx?qry=Hadoop:service=NameNode,name=FSNamesystem*", "namenode /jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo",
	}, asked)
	listed := 0
	for series := range values {
		if strings.HasPrefix(series, "hdfs.datanode.") {
			listed++
		}
	}
	assert.Equal(t, 6+7, listed, "state, and what the NameNode knows of a DataNode that is not configured")
}
