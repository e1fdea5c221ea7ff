package alertexporter

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/alertmanager/notify/webhook"
	commoncfg "github.com/prometheus/common/config"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/exporter/alertexporter/internal/metadata"
)

// pipes is a network in memory, so that time stands still while somebody answers.
type pipes struct {
	connections chan net.Conn
	closed      chan struct{}
	once        sync.Once
}

func newPipes() *pipes {
	return &pipes{connections: make(chan net.Conn), closed: make(chan struct{})}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.connections:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (*pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.connections <- server:
		return client, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// message is what a webhook was told, and when.
type message struct {
	webhook.Message
	Path string
	At   time.Time
}

// people receive webhooks.
type people struct {
	pipes *pipes

	mu       sync.Mutex
	messages []message
	status   int
	requests int
	body     []byte // the last one
}

// newPeople must be called within a bubble.
func newPeople(t *testing.T) *people {
	p := &people{pipes: newPipes(), status: http.StatusOK}
	server := &http.Server{Handler: p, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = server.Serve(p.pipes) }()
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return p
}

func (p *people) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests++
	m := message{Path: r.URL.Path, At: time.Now()}
	p.body, _ = io.ReadAll(r.Body)
	if p.status == http.StatusOK && json.Unmarshal(p.body, &m.Message) == nil {
		p.messages = append(p.messages, m)
	}
	w.WriteHeader(p.status)
	_, _ = w.Write([]byte("ok")) // which Slack says
}

func (p *people) answer(status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status = status
}

// told returns what was told since it was last asked.
func (p *people) told() []message {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	messages := p.messages
	p.messages = nil
	return messages
}

// raw returns what was told last.
func (p *people) raw() []byte {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.body
}

// disk is a storage extension that outlives what uses it.
type disk struct {
	component.StartFunc
	component.ShutdownFunc
	mu     sync.Mutex
	values map[string][]byte
	fail   error
}

func newDisk() *disk { return &disk{values: map[string][]byte{}} }

// copy is what is found after a kill -9.
func (d *disk) copy() *disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	return &disk{values: maps.Clone(d.values)}
}

func (d *disk) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return d, nil
}

func (d *disk) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := d.Batch(ctx, op)
	return op.Value, err
}

func (d *disk) Set(ctx context.Context, key string, value []byte) error {
	return d.Batch(ctx, storage.SetOperation(key, value))
}

func (d *disk) Delete(ctx context.Context, key string) error {
	return d.Batch(ctx, storage.DeleteOperation(key))
}

func (d *disk) Batch(_ context.Context, ops ...*storage.Operation) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value = d.values[op.Key]
		case storage.Set:
			if d.fail != nil {
				return d.fail
			}
			d.values[op.Key] = op.Value
		case storage.Delete:
			delete(d.values, op.Key)
		}
	}
	return nil
}

func (*disk) Close(context.Context) error { return nil }

type host struct {
	extensions map[component.ID]component.Component
}

func (h host) GetExtensions() map[component.ID]component.Component { return h.extensions }

var diskID = component.MustNewID("disk")

// running is an exporter with its three signals.
type running struct {
	t       testing.TB
	metrics exporter.Metrics
	traces  exporter.Traces
	logs    exporter.Logs
	stop    func()
}

// notifyConfig is a configuration with defaults.
func notifyConfig(text string) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.Notify = configoptional.Some(NotifyConfig{Config: configopaque.String(text)})
	return cfg
}

const webhookConfig = `
receivers:
- name: people
  webhook_configs: [{url: http://people/}]
`

func run(t testing.TB, cfg *Config, p *people, d *disk, set exporter.Settings) *running {
	f := &factory{instances: map[*Config]*alertExporter{}}
	if p != nil {
		f.http = []commoncfg.HTTPClientOption{commoncfg.WithDialContextFunc(p.pipes.dial)}
	}
	h := host{}
	if d != nil {
		cfg.Storage = &diskID
		h.extensions = map[component.ID]component.Component{diskID: d}
	}
	ctx := context.Background()
	r := &running{t: t}
	var err error
	r.metrics, err = f.createMetrics(ctx, set, cfg)
	require.NoError(t, err)
	r.traces, err = f.createTraces(ctx, set, cfg)
	require.NoError(t, err)
	r.logs, err = f.createLogs(ctx, set, cfg)
	require.NoError(t, err)
	require.Len(t, f.instances, 1)
	signals := []component.Component{r.metrics, r.traces, r.logs}
	for _, s := range signals {
		require.NoError(t, s.Start(ctx, h))
	}
	r.stop = sync.OnceFunc(func() {
		for _, s := range signals {
			require.NoError(t, s.Shutdown(ctx))
		}
		require.Empty(t, f.instances)
	})
	t.Cleanup(r.stop)
	return r
}

func settings() exporter.Settings {
	return exportertest.NewNopSettings(metadata.Type)
}

func telemetrySettings(t testing.TB) (exporter.Settings, *componenttest.Telemetry) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
	set := settings()
	set.TelemetrySettings = tel.NewTelemetrySettings()
	return set, tel
}

// point is a flag as the anomaly processor says it.
type point struct {
	rule, stage, reason string
	cause               string
	severity            int64
	impact              float64
	application         string
}

func (p point) resource() map[string]any {
	application := p.application
	if application == "" {
		application = "application_1700000000000_0007"
	}
	return map[string]any{
		"service.name":                 "churn",
		"spark.cluster.name":           "prod",
		"spark.application.id":         application,
		"spark.application.attempt.id": "1",
		"spark.application.name":       "nightly training",
		"spark.model.name":             "churn",
		"spark.model.version":          "3",
		"spark.user.name":              "ann",
		"yarn.queue.name":              "root.ml",
	}
}

func (p point) entity() map[string]any {
	attributes := map[string]any{"anomaly.rule": p.rule}
	if p.stage != "" {
		attributes["spark.stage.id"] = p.stage
	}
	return attributes
}

func (p point) words() map[string]any {
	reason := p.reason
	if reason == "" {
		reason = "The slowest task took 312 s, the median 4 s."
	}
	words := map[string]any{
		"anomaly.reason": reason,
		"anomaly.advice": "Set spark.sql.adaptive.skewJoin.enabled=true.",
	}
	if p.cause != "" {
		words["anomaly.cause"] = p.cause
	}
	return words
}

func flags(points ...point) pmetric.Metrics {
	at := pcommon.NewTimestampFromTime(time.Now())
	md := pmetric.NewMetrics()
	for _, p := range points {
		rm := md.ResourceMetrics().AppendEmpty()
		_ = rm.Resource().Attributes().FromRaw(p.resource())
		metrics := rm.ScopeMetrics().AppendEmpty().Metrics()
		severity := metrics.AppendEmpty()
		severity.SetName("anomaly.severity")
		sp := severity.SetEmptyGauge().DataPoints().AppendEmpty()
		sp.SetTimestamp(at)
		sp.SetIntValue(p.severity)
		attributes := p.entity()
		maps.Copy(attributes, p.words())
		_ = sp.Attributes().FromRaw(attributes)
		impact := metrics.AppendEmpty()
		impact.SetName("anomaly.impact")
		ip := impact.SetEmptyGauge().DataPoints().AppendEmpty()
		ip.SetTimestamp(at)
		ip.SetDoubleValue(p.impact)
		_ = ip.Attributes().FromRaw(p.entity())
	}
	return md
}

func (r *running) say(points ...point) {
	require.NoError(r.t, r.metrics.ConsumeMetrics(context.Background(), flags(points...)))
}

// poll says the points every ten seconds for so long.
func (r *running) poll(duration time.Duration, points ...point) {
	for end := time.Now().Add(duration); time.Now().Before(end); time.Sleep(10 * time.Second) {
		r.say(points...)
	}
}
