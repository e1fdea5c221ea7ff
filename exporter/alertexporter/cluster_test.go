//go:build cluster

package alertexporter

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/notify/webhook"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// debian is Debian's prometheus-alertmanager, run as a server of its own.
type debian struct {
	t       *testing.T
	dir     string
	address string
	process *exec.Cmd
}

// program returns the path of a program, and says how to get it.
func program(t *testing.T, name string) string {
	path, err := exec.LookPath(name)
	require.NoError(t, err, "apt-get install -y prometheus-alertmanager")
	return path
}

func newDebian(t *testing.T, webhook string) *debian {
	program(t, "amtool")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d := &debian{t: t, dir: t.TempDir(), address: listener.Addr().String()}
	require.NoError(t, listener.Close())
	require.NoError(t, os.WriteFile(filepath.Join(d.dir, "alertmanager.yml"), fmt.Appendf(nil, `
route: {receiver: people, group_by: [spark_application_id], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: people, webhook_configs: [{url: %q}]}]
`, webhook), 0o600))
	t.Cleanup(d.stop)
	return d
}

func (d *debian) start() {
	d.process = exec.Command(program(d.t, "prometheus-alertmanager"), "--config.file="+filepath.Join(d.dir, "alertmanager.yml"),
		"--storage.path="+d.dir, "--web.listen-address="+d.address, "--cluster.listen-address=")
	d.process.Stderr = d.t.Output()
	require.NoError(d.t, d.process.Start())
	require.Eventually(d.t, func() bool {
		response, err := http.Get("http://" + d.address + "/-/ready")
		if err != nil {
			return false
		}
		return response.Body.Close() == nil && response.StatusCode == http.StatusOK
	}, 20*time.Second, 50*time.Millisecond)
}

func (d *debian) stop() {
	if d.process != nil {
		_ = d.process.Process.Signal(syscall.SIGTERM)
		_ = d.process.Wait()
		d.process = nil
	}
}

// alerts are what amtool shows to fire.
func (d *debian) alerts() []string {
	out, err := exec.Command(program(d.t, "amtool"), "--alertmanager.url=http://"+d.address, "--output=json", "alert", "query").Output()
	if err != nil {
		return []string{err.Error()}
	}
	var alerts []struct {
		Labels map[string]string `json:"labels"`
	}
	require.NoError(d.t, json.Unmarshal(out, &alerts))
	rules := []string{}
	for _, a := range alerts {
		rules = append(rules, a.Labels["alertname"])
	}
	return rules
}

func (d *debian) eventually(want ...string) {
	d.t.Helper()
	require.EventuallyWithT(d.t, func(c *assert.CollectT) { assert.ElementsMatch(c, want, d.alerts()) }, 30*time.Second, 100*time.Millisecond)
}

func TestDebiansAlertmanager(t *testing.T) {
	messages := make(chan webhook.Message, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m webhook.Message
		if json.NewDecoder(r.Body).Decode(&m) == nil {
			messages <- m
		}
	}))
	t.Cleanup(receiver.Close)
	next := func() webhook.Message {
		select {
		case m := <-messages:
			return m
		case <-time.After(30 * time.Second):
			t.Fatal("no message")
			return webhook.Message{}
		}
	}
	d := newDebian(t, receiver.URL)
	cfg := createDefaultConfig().(*Config)
	cfg.Alertmanagers.GetOrInsertDefault().Endpoints = []string{"http://" + d.address}
	r := run(t, cfg, nil, newDisk(), settings())
	spill := point{rule: "task_spill", severity: 2}

	r.say(skew) // while nobody is there
	time.Sleep(time.Second)
	d.start()
	d.eventually("task_skew")
	m := next()
	require.Equal(t, "firing", m.Status)
	begun := m.Alerts[0].StartsAt

	d.stop()
	r.say(skew, spill)
	time.Sleep(time.Second)
	d.start() // it forgets alerts, and remembers whom it told
	r.say(skew, spill)
	d.eventually("task_skew", "task_spill")
	r.say(over(skew), spill)
	m = next()
	assert.Equal(t, "firing", m.Status)
	assert.NotEmpty(t, m.Alerts)

	r.say(over(spill))
	d.eventually()
	for m.Status != "resolved" {
		m = next()
	}
	for _, a := range m.Alerts {
		if a.Labels["alertname"] == "task_skew" {
			assert.True(t, begun.Equal(a.StartsAt))
		}
	}
	time.Sleep(3 * time.Second)
	assert.Empty(t, messages, "nothing is doubled")
}
