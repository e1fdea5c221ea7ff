package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	amwebhook "github.com/prometheus/alertmanager/notify/webhook"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/output"
)

// groupWait is long enough for a busy machine to be killed before it is over.
const groupWait = 4 * time.Second

// notified is a webhook that remembers what it was sent, and when.
type notified struct {
	*httptest.Server
	mu       sync.Mutex
	messages []message
}

type message struct {
	amwebhook.Message
	at time.Time
}

// answering is how long people take to answer, so that what is written when they have is told from what was written
// when the distribution started.
const answering = 200 * time.Millisecond

func newNotified(t *testing.T) *notified {
	n := &notified{}
	n.Server = httptest.NewServer(n)
	t.Cleanup(n.Close)
	return n
}

func (n *notified) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m := message{at: time.Now()}
	if err := json.NewDecoder(r.Body).Decode(&m.Message); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	n.mu.Lock()
	n.messages = append(n.messages, m)
	n.mu.Unlock()
	time.Sleep(answering)
}

func (n *notified) all() []message {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.messages)
}

func (n *notified) eventually(t *testing.T, want ...string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		var got []string
		for _, m := range n.all() {
			got = append(got, m.Status)
		}
		assert.Equal(c, want, got)
	}, time.Minute, 20*time.Millisecond)
}

// messenger is the distribution with an OTLP receiver, an alert exporter and a file storage, to be killed.
type messenger struct {
	config, state, otlp string
	cmd                 *exec.Cmd
	output              output.Buffer
}

func newMessenger(t *testing.T) *messenger {
	dir := t.TempDir()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	m := &messenger{config: filepath.Join(dir, "collector.yaml"), state: filepath.Join(dir, "state"), otlp: listener.Addr().String()}
	require.NoError(t, listener.Close())
	require.NoError(t, os.Mkdir(m.state, 0o700))
	t.Cleanup(func() {
		m.kill()
		if t.Failed() {
			t.Logf("the distribution printed:\n%s", m.output.String())
		}
	})
	return m
}

// configure writes the configuration, of which the exporter's part is given.
func (m *messenger) configure(t *testing.T, alert string) {
	require.NoError(t, os.WriteFile(m.config, fmt.Appendf(nil, `
receivers:
  otlp: {protocols: {http: {endpoint: %q}}}
exporters:
  alert:%s
extensions:
  file_storage: {directory: %q}
  basicauth: {client_auth: {username: collector, password: s3cr3t}}
service:
  extensions: [file_storage, basicauth]
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [otlp], exporters: [alert]}
`, m.otlp, alert, m.state), 0o600))
}

func (m *messenger) start(t *testing.T) {
	m.cmd = exec.Command(distribution, "--config", m.config)
	m.cmd.Stdout, m.cmd.Stderr = &m.output, &m.output
	require.NoError(t, m.cmd.Start())
	require.Eventually(t, func() bool {
		connection, err := net.Dial("tcp", m.otlp)
		return err == nil && connection.Close() == nil
	}, time.Minute, 20*time.Millisecond, "the distribution does not listen")
}

// kill is kill -9.
func (m *messenger) kill() {
	if m.cmd != nil {
		_ = m.cmd.Process.Kill()
		_ = m.cmd.Wait()
		m.cmd = nil
	}
}

// say has the distribution accept the severity of a flag.
func (m *messenger) say(t *testing.T, severity int64) {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("spark.application.id", "application_1_0001")
	flag := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	flag.SetName("anomaly.severity")
	point := flag.SetEmptyGauge().DataPoints().AppendEmpty()
	point.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	point.SetIntValue(severity)
	point.Attributes().PutStr("anomaly.rule", "data_skew")
	body, err := pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto()
	require.NoError(t, err)
	response, err := http.Post("http://"+m.otlp+"/v1/metrics", "application/x-protobuf", bytes.NewReader(body))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
}

// written waits until the storage was written to after a time.
func (m *messenger) written(t *testing.T, after time.Time) {
	require.Eventually(t, func() bool {
		entries, err := os.ReadDir(m.state)
		if err != nil {
			return false
		}
		for _, entry := range entries {
			if info, err := entry.Info(); err == nil && info.ModTime().After(after) {
				return true
			}
		}
		return false
	}, time.Minute, 10*time.Millisecond, "it is not noted who was told")
}

// A flag that was accepted is told once, whenever the distribution is killed; and so is its end.
func TestKilledBetweenFlagAndNotification(t *testing.T) {
	for name, wait := range map[string]time.Duration{
		"at once": 0, "in the middle": groupWait / 2, "shortly before": groupWait - 200*time.Millisecond, "afterwards": -1,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			people := newNotified(t)
			m := newMessenger(t)
			m.configure(t, fmt.Sprintf(`
    storage: file_storage
    notify:
      config: |
        route: {receiver: people, group_wait: %s, group_interval: 1s, repeat_interval: 1h}
        receivers: [{name: people, webhook_configs: [{url: %q}]}]
`, groupWait, people.URL))
			m.start(t)
			m.say(t, 3)
			if wait >= 0 {
				time.Sleep(wait) // the instant of the kill
				m.kill()
				require.Empty(t, people.all(), "killed too late to show anything")
				m.start(t)
			}
			people.eventually(t, "firing") // though nobody has said it again
			m.written(t, people.all()[0].at.Add(answering/2))
			m.kill()

			m.start(t)
			m.say(t, 3)
			m.say(t, 0)
			people.eventually(t, "firing", "resolved") // and no second "firing" between them
		})
	}
}

// Alertmanagers behind a login are told the beginning and the end of a flag, all of them.
func TestAlertmanagersWithLogin(t *testing.T) {
	type posted struct {
		user, password string
		alerts         []struct {
			Labels           map[string]string `json:"labels"`
			StartsAt, EndsAt time.Time
		}
	}
	servers := [2]chan posted{make(chan posted, 10), make(chan posted, 10)}
	var endpoints [2]string
	for i := range servers {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var p posted
			p.user, p.password, _ = r.BasicAuth()
			if r.URL.Path != "/api/v2/alerts" || json.NewDecoder(r.Body).Decode(&p.alerts) != nil {
				http.NotFound(w, r)
				return
			}
			servers[i] <- p
		}))
		t.Cleanup(server.Close)
		endpoints[i] = server.URL
	}
	m := newMessenger(t)
	m.configure(t, fmt.Sprintf(`
    alertmanagers:
      endpoints: [%q, %q]
      auth: {authenticator: basicauth}
`, endpoints[0], endpoints[1]))
	m.start(t)
	begun := time.Now()
	m.say(t, 3)
	for _, server := range servers {
		p := <-server
		assert.Equal(t, "collector s3cr3t", p.user+" "+p.password)
		require.Len(t, p.alerts, 1)
		assert.Equal(t, "data_skew", p.alerts[0].Labels["alertname"])
		assert.WithinDuration(t, begun, p.alerts[0].StartsAt, 10*time.Second)
		assert.True(t, p.alerts[0].EndsAt.After(time.Now()), "fires")
	}
	m.say(t, 0)
	for _, server := range servers {
		p := <-server
		require.Len(t, p.alerts, 1)
		assert.False(t, p.alerts[0].EndsAt.After(time.Now()), "is over")
	}
}
