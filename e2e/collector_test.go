//go:build cluster

package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/freeport"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/output"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/rehearsal"
)

// process is a program that runs until its test ends.
type process struct {
	cmd    *exec.Cmd
	output output.Buffer
	ended  chan struct{}
}

func startProcess(t *testing.T, path string, args ...string) *process {
	p := &process{ended: make(chan struct{})}
	p.cmd = exec.Command(path, args...)
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		p.stop(t)
		if t.Failed() {
			t.Logf("%s printed last:\n%s", path, tail(p.output.String()))
		}
	})
	return p
}

func (p *process) stop(t *testing.T) {
	_ = p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		t.Errorf("%s did not end within 30 s of an interrupt", p.cmd.Path)
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// collector is the built distribution, with what it serves and what it sends.
type collector struct {
	*process
	metricsURL string
	sink       *sink
}

const (
	interval = 2 * time.Second
	// minStage is shorter than the default, as the workloads are shorter than people's.
	minStage = 3 * time.Second
)

// startCollector runs the distribution with the repository's configuration for YARN.
func startCollector(t *testing.T, c *cluster) *collector {
	return startCollectorOf(t, "yarn.yaml", "yarn::endpoints=["+c.yarn()+"]", "history::endpoint="+c.history())
}

// startCollectorOf runs the distribution with one of the repository's configurations, changed settings of its receiver,
// a Prometheus page and an OTLP receiver of the test's own.
func startCollectorOf(t *testing.T, config string, settings ...string) *collector {
	return startTracer(t, nil, config, settings...)
}

// startTracer is startCollectorOf with more arguments of the distribution.
func startTracer(t *testing.T, more []string, config string, settings ...string) *collector {
	s := newSink(t)
	page := freeAddress(t)
	args := append([]string{"--config", filepath.Join(root, "config", config)}, more...)
	for _, setting := range append(settings, "cluster_name=lab", "collection_interval="+interval.String(), "stages::min_duration="+minStage.String(), "driver_metrics_interval="+interval.String()) {
		args = append(args, "--set", "receivers::sparkmodel::"+setting)
	}
	p := startProcess(t, filepath.Join(root, "dist", "otelcol-sparkmodel"), append(args,
		"--set", "service::pipelines::metrics::exporters=[prometheus, otlp_http]",
		"--set", "exporters::prometheus::endpoint="+page,
		"--set", "exporters::prometheus::resource_to_telemetry_conversion::enabled=true",
		"--set", "exporters::otlp_http::endpoint="+s.url,
		"--set", "exporters::otlp_http::compression=none",
		"--set", "service::telemetry::logs::encoding=json",
		"--set", "service::telemetry::metrics::level=none",
	)...)
	require.Eventually(t, func() bool {
		resp, err := http.Get("http://" + page + "/metrics")
		if err != nil {
			return false
		}
		return resp.Body.Close() == nil
	}, time.Minute, 100*time.Millisecond, "the collector does not serve its page:\n%s", tail(p.output.String()))
	return &collector{process: p, metricsURL: "http://" + page + "/metrics", sink: s}
}

// logLines returns the messages about a source, with their levels.
func (c *collector) logLines(source string) []string {
	var lines []string
	for line := range strings.Lines(c.output.String()) {
		var entry struct {
			Level, Msg, Source string
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Source == source {
			lines = append(lines, entry.Level+" "+entry.Msg)
		}
	}
	return lines
}

func freeAddress(t *testing.T) string {
	address, err := freeport.Address()
	require.NoError(t, err)
	return address
}

// flagged is what was flagged of one application.
type flagged struct {
	// whileRunning holds, by rule, the reason of a flag that was up while the application ran.
	whileRunning map[string]string
	// up holds the flags that have not ended.
	up map[string]struct{}
	// ever holds the rules that were flagged at any time.
	ever map[string]struct{}
}

// sink is a generic OTLP receiver: it knows nothing of this project but the names of metrics and attributes.
type sink struct {
	url    string
	mu     sync.Mutex
	values map[string]float64
	// states holds each application's states, one after the other.
	states map[string][]string
	// totals holds the last point of each monotonic sum, and fell those sums that fell.
	totals map[string]total
	fell   []string
	spans  map[string]map[string]string
	flags  map[string]*flagged
}

// total is a point of a monotonic sum.
type total struct {
	start pcommon.Timestamp
	value float64
}

func newSink(t *testing.T) *sink {
	s := &sink{values: map[string]float64{}, states: map[string][]string{}, totals: map[string]total{}, spans: map[string]map[string]string{}, flags: map[string]*flagged{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		switch r.URL.Path {
		case "/v1/metrics":
			err = s.takeMetrics(body)
		case "/v1/traces":
			err = s.takeSpans(body)
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (s *sink) takeMetrics(body []byte) error {
	request := pmetricotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rm := range request.Metrics().ResourceMetrics().All() {
		s.resource(rm)
	}
	for _, f := range rehearsal.Flags(request.Metrics(), time.Now()) {
		s.flag(f)
	}
	return nil
}

// takeSpans keeps each span as JSON, by its application and its id.
func (s *sink) takeSpans(body []byte) error {
	request := ptraceotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rs := range request.Traces().ResourceSpans().All() {
		id := str(rs.Resource().Attributes(), "spark.application.id")
		if s.spans[id] == nil {
			s.spans[id] = map[string]string{}
		}
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				one := ptrace.NewTraces()
				span.CopyTo(one.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty())
				text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(one)
				if err != nil {
					return err
				}
				s.spans[id][span.Name()+" "+span.SpanID().String()] = string(text)
			}
		}
	}
	return nil
}

// spansOf returns the spans of an application, by name and id.
func (s *sink) spansOf(id string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.spans[id])
}

func (s *sink) resource(rm pmetric.ResourceMetrics) {
	id := cmp.Or(str(rm.Resource().Attributes(), "spark.application.id"), str(rm.Resource().Attributes(), "mapreduce.job.id"))
	for _, sm := range rm.ScopeMetrics().All() {
		for _, m := range sm.Metrics().All() {
			for _, dp := range points(m).All() {
				if dp.Flags().NoRecordedValue() {
					continue
				}
				s.point(id, m.Name(), dp)
				if m.Type() == pmetric.MetricTypeSum && m.Sum().IsMonotonic() {
					s.total(key(id, m.Name(), dp.Attributes()), total{dp.StartTimestamp(), number(dp)})
				}
			}
		}
	}
}

func (s *sink) point(id, name string, dp pmetric.NumberDataPoint) {
	if name == "spark.application.status" && dp.IntValue() == 1 {
		if state := str(dp.Attributes(), "spark.application.state"); state != last(s.states[id]) {
			s.states[id] = append(s.states[id], state)
		}
	}
	s.values[key(id, name, dp.Attributes())] = number(dp)
}

func (s *sink) total(series string, now total) {
	if before := s.totals[series]; before.start == now.start && before.value > now.value {
		s.fell = append(s.fell, fmt.Sprintf("%s: from %v to %v", series, before.value, now.value))
	}
	s.totals[series] = now
}

// takeFallen returns the totals that fell since it was last asked, although they did not begin anew.
func (s *sink) takeFallen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	fell := s.fell
	s.fell = nil
	return fell
}

func number(dp pmetric.NumberDataPoint) float64 {
	if dp.ValueType() == pmetric.NumberDataPointValueTypeInt {
		return float64(dp.IntValue())
	}
	return dp.DoubleValue()
}

func (s *sink) flag(f rehearsal.Flag) {
	of := s.flags[f.Application]
	if of == nil {
		of = &flagged{whileRunning: map[string]string{}, up: map[string]struct{}{}, ever: map[string]struct{}{}}
		s.flags[f.Application] = of
	}
	entity := f.Rule + " " + f.Subject
	if f.Severity == 0 {
		delete(of.up, entity)
		return
	}
	of.up[entity] = struct{}{}
	of.ever[f.Rule] = struct{}{}
	switch last(s.states[f.Application]) {
	case "accepted", "running":
		of.whileRunning[f.Rule] = f.Reason + " → " + f.Advice
	}
}

// value returns the last value of a series.
func (s *sink) value(id, name string, attributes ...string) (float64, bool) {
	m := pcommon.NewMap()
	for i := 0; i < len(attributes); i += 2 {
		m.PutStr(attributes[i], attributes[i+1])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.values[key(id, name, m)]
	return v, ok
}

func (s *sink) state(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return last(s.states[id])
}

// statesOf returns the states that an application went through.
func (s *sink) statesOf(id string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.states[id])
}

func last(states []string) string {
	if len(states) == 0 {
		return ""
	}
	return states[len(states)-1]
}

// flagsOf returns, by rule, what was flagged while an application ran, and how many of its flags are up.
func (s *sink) flagsOf(id string) (map[string]string, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.flags[id]
	if f == nil {
		return nil, 0
	}
	rules := map[string]string{}
	for rule, words := range f.whileRunning {
		rules[rule] = words
	}
	return rules, len(f.up)
}

func key(id, name string, attributes pcommon.Map) string {
	return id + " " + name + " " + fmt.Sprint(attributes.AsRaw())
}

func str(m pcommon.Map, name string) string {
	v, ok := m.Get(name)
	if !ok {
		return ""
	}
	return v.AsString()
}

func points(m pmetric.Metric) pmetric.NumberDataPointSlice {
	switch m.Type() {
	case pmetric.MetricTypeSum:
		return m.Sum().DataPoints()
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints()
	}
	return pmetric.NewNumberDataPointSlice()
}

// prometheus is a real Prometheus server that scrapes the collector's page.
type prometheus struct {
	*process
	url      string
	promtool string
}

func startPrometheus(t *testing.T, page string) *prometheus {
	out, err := exec.CommandContext(t.Context(), filepath.Join(root, "cluster", "debian"), "prometheus").Output()
	require.NoError(t, err, "cluster/debian prometheus")
	bin := filepath.Join(strings.TrimSpace(string(out)), "usr", "bin")
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	target := strings.TrimSuffix(strings.TrimPrefix(page, "http://"), "/metrics")
	require.NoError(t, os.WriteFile(config, []byte(fmt.Sprintf("global: {scrape_interval: 5s}\nscrape_configs: [{job_name: otelcol, honor_labels: true, static_configs: [{targets: [%q]}]}]\n", target)), 0o600))
	address := freeAddress(t)
	p := startProcess(t, filepath.Join(bin, "prometheus"), "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	server := &prometheus{process: p, url: "http://" + address, promtool: filepath.Join(bin, "promtool")}
	require.Eventually(t, func() bool {
		var answer any
		return getJSON(t.Context(), server.url+"/api/v1/status/buildinfo", &answer) == nil
	}, time.Minute, 200*time.Millisecond, "Prometheus does not answer:\n%s", tail(p.output.String()))
	return server
}

// query returns the only value that a query has.
func (p *prometheus) query(ctx context.Context, query string) (float64, error) {
	var answer struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := getJSON(ctx, p.url+"/api/v1/query?query="+url.QueryEscape(query), &answer); err != nil {
		return 0, err
	}
	if len(answer.Data.Result) != 1 {
		return 0, fmt.Errorf("%s has %d results, not one", query, len(answer.Data.Result))
	}
	var v float64
	_, err := fmt.Sscan(fmt.Sprint(answer.Data.Result[0].Value[1]), &v)
	return v, err
}
