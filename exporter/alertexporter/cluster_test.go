//go:build cluster

package alertexporter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/notify/webhook"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/freeport"
)

// away is how long a server is down.
const away = time.Minute

// script runs one of the scripts in cluster/ and returns what it prints.
func script(t *testing.T, name string, args ...string) string {
	command := exec.CommandContext(t.Context(), filepath.Join("..", "..", "cluster", name), args...)
	command.Stderr = t.Output()
	out, err := command.Output()
	require.NoError(t, err, name)
	return strings.TrimSpace(string(out))
}

func freeAddress(t *testing.T) string {
	address, err := freeport.Address()
	require.NoError(t, err)
	return address
}

// daemon is a server that is started and stopped.
type daemon struct {
	command func() *exec.Cmd
	process *exec.Cmd
}

func (d *daemon) start(t *testing.T, address string) {
	d.process = d.command()
	d.process.Stderr = t.Output()
	require.NoError(t, d.process.Start())
	require.Eventually(t, func() bool {
		connection, err := net.Dial("tcp", address)
		return err == nil && connection.Close() == nil
	}, time.Minute, 50*time.Millisecond, "%s does not listen", d.process.Path)
}

func (d *daemon) stop() {
	if d.process != nil {
		_ = d.process.Process.Signal(syscall.SIGTERM)
		_ = d.process.Wait()
		d.process = nil
	}
}

// inbox is a webhook that can be away.
type inbox struct {
	address  string
	server   *http.Server
	serving  sync.WaitGroup
	mu       sync.Mutex
	messages []webhook.Message
}

func newInbox(t *testing.T) *inbox {
	i := &inbox{address: freeAddress(t)}
	i.start(t)
	t.Cleanup(i.stop)
	return i
}

func (i *inbox) start(t *testing.T) {
	listener, err := net.Listen("tcp", i.address)
	require.NoError(t, err)
	i.server = &http.Server{Handler: i}
	i.serving.Go(func() { _ = i.server.Serve(listener) })
}

func (i *inbox) stop() {
	_ = i.server.Close()
	i.serving.Wait()
}

func (i *inbox) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var m webhook.Message
	if json.NewDecoder(r.Body).Decode(&m) == nil {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.messages = append(i.messages, m)
	}
}

// told says what was told: of each message which flags fire, and which are over.
func (i *inbox) told() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	var told []string
	for _, m := range i.messages {
		words := []string{}
		for _, a := range m.Alerts {
			words = append(words, a.Status+" "+a.Labels["alertname"])
		}
		told = append(told, strings.Join(words, ", "))
	}
	return told
}

func eventually(t *testing.T, what func() []string, want ...string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Equal(c, strings.Join(want, "\n"), strings.Join(what(), "\n"))
	}, time.Minute, 100*time.Millisecond)
}

var spilled = point{rule: "task_spill", severity: 2}

// pollFor says the points every five seconds while a server is away.
func (r *running) pollFor(duration time.Duration, points ...point) {
	for end := time.Now().Add(duration); time.Now().Before(end); time.Sleep(5 * time.Second) {
		r.say(points...)
	}
}

// A webhook that is away for a minute is told afterwards what has happened, once.
func TestRealWebhook(t *testing.T) {
	t.Parallel()
	people := newInbox(t)
	r := run(t, notifyConfig(quick+"receivers: [{name: people, webhook_configs: [{url: \"http://"+people.address+"\"}]}]"), nil, newDisk(), settings())
	r.say(skew)
	eventually(t, people.told, "firing task_skew")
	people.stop()
	r.pollFor(away, over(skew), spilled)
	people.start(t)
	eventually(t, people.told, "firing task_skew", "firing task_spill, resolved task_skew")
	r.say(over(spilled))
	eventually(t, people.told, "firing task_skew", "firing task_spill, resolved task_skew", "resolved task_spill")
}

// A mail server with TLS and a login that is away for a minute gets its mails afterwards, once.
func TestRealMailServer(t *testing.T) {
	t.Parallel()
	python := filepath.Join(script(t, "venv", "smtp"), "bin", "python")
	cert, key := certificate(t)
	maildir := filepath.Join(t.TempDir(), "mails")
	address := freeAddress(t)
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	server := &daemon{command: func() *exec.Cmd {
		return exec.Command(python, "testdata/smtp_server.py", port, cert, key, "ann", "s3cr3t", maildir)
	}}
	t.Cleanup(server.stop)
	subjects := func() []string {
		paths, err := filepath.Glob(filepath.Join(maildir, "new", "*"))
		require.NoError(t, err)
		subjects := make([]string, len(paths))
		for i, path := range paths { // the names begin with the time
			body, err := os.ReadFile(path)
			require.NoError(t, err)
			subjects[i], _ = readMail(t, body)
		}
		return subjects
	}

	server.start(t, address)
	r := run(t, notifyConfig(fmt.Sprintf(`%s
global:
  smtp_smarthost: %s
  smtp_from: collector@example.org
  smtp_auth_username: ann
  smtp_auth_password: s3cr3t
  smtp_tls_config: {ca_file: %s}
receivers:
- name: people
  email_configs: [{to: models@example.org, send_resolved: true}]
`, quick, address, cert)), nil, newDisk(), settings())
	const run = " (application_1700000000000_0007)"
	first := "[FIRING:1] churn 3: task_skew · costs 5m 12s" + run
	second := "[FIRING:1] churn 3: task_spill" + run
	r.say(skew)
	eventually(t, subjects, first)
	server.stop()
	r.pollFor(away, over(skew), spilled)
	server.start(t, address)
	eventually(t, subjects, first, second)
	r.say(over(spilled))
	eventually(t, subjects, first, second, "[RESOLVED] churn 3: task_spill"+run)
}

// Debian's Alertmanager shows what fires, and no longer what is over; it is away for a minute, and forgets its alerts.
func TestRealAlertmanager(t *testing.T) {
	t.Parallel()
	unpacked := script(t, "debian", "prometheus-alertmanager")
	people := newInbox(t)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "alertmanager.yml"), fmt.Appendf(nil, `
route: {receiver: people, group_by: [spark_application_id], group_wait: 2s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: people, webhook_configs: [{url: %q}]}]
`, "http://"+people.address), 0o600))
	address := freeAddress(t)
	server := &daemon{command: func() *exec.Cmd {
		// It reads its templates from /usr/share.
		return exec.Command("unshare", "--map-root-user", "--mount", "sh", "-c",
			`mount --rbind "$0/usr/share" /usr/share && exec "$0/usr/bin/prometheus-alertmanager" "$@"`, unpacked, "--config.file="+filepath.Join(dir, "alertmanager.yml"),
			"--storage.path="+dir, "--web.listen-address="+address, "--cluster.listen-address=", "--log.level=warn")
	}}
	t.Cleanup(server.stop)
	amtool := func() []string {
		out, err := exec.CommandContext(t.Context(), filepath.Join(unpacked, "usr", "bin", "amtool"), "--alertmanager.url=http://"+address, "--output=json", "alert", "query").Output()
		if err != nil {
			return []string{err.Error()}
		}
		var alerts []struct {
			Labels map[string]string `json:"labels"`
		}
		require.NoError(t, json.Unmarshal(out, &alerts))
		rules := []string{}
		for _, a := range alerts {
			rules = append(rules, a.Labels["alertname"])
		}
		return rules
	}

	server.start(t, address)
	cfg := createDefaultConfig().(*Config)
	cfg.Alertmanagers.GetOrInsertDefault().Endpoints = []string{"http://" + address}
	r := run(t, cfg, nil, newDisk(), settings())
	r.say(skew)
	eventually(t, amtool, "task_skew")
	eventually(t, people.told, "firing task_skew")
	server.stop()
	r.pollFor(away, over(skew), spilled)
	server.start(t, address)
	r.say(over(skew), spilled)
	eventually(t, amtool, "task_spill")
	eventually(t, people.told, "firing task_skew", "firing task_spill, resolved task_skew")
	r.say(over(spilled))
	eventually(t, amtool)
	eventually(t, people.told, "firing task_skew", "firing task_spill, resolved task_skew", "resolved task_spill")
}

// The mail of the golden files in a real browser: all of its words are to be seen, and nothing of it is markup.
func TestMailInABrowser(t *testing.T) {
	t.Parallel()
	browser := script(t, "browser")
	show := func(args ...string) []byte {
		mail, err := filepath.Abs("testdata/golden/email_firing.html")
		require.NoError(t, err)
		command := exec.CommandContext(t.Context(), browser, append(append([]string{
			"--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--user-data-dir=" + t.TempDir(), "--window-size=700,760",
		}, args...), "file://"+mail)...)
		out, err := command.Output()
		require.NoError(t, err)
		return out
	}
	page := string(show("--dump-dom"))
	assert.NotContains(t, page, "<script>", "the browser has no script to run")
	assert.Contains(t, page, "&lt;script&gt;alert(1)&lt;/script&gt;", "and shows it as text")

	shot := filepath.Join(t.TempDir(), "mail.png")
	show("--screenshot=" + shot)
	data, err := os.ReadFile(shot)
	require.NoError(t, err)
	picture, err := png.Decode(bytes.NewReader(data))
	require.NoError(t, err)
	colors := map[string]int{}
	for x := range picture.Bounds().Dx() {
		for y := range picture.Bounds().Dy() {
			red, green, blue, _ := picture.At(x, y).RGBA()
			colors[fmt.Sprintf("#%02x%02x%02x", red>>8, green>>8, blue>>8)]++
		}
	}
	for severity, color := range map[string]string{"critical": "#cf222e", "moderate": "#bf8700", "low": "#0969da"} {
		assert.Greater(t, colors[color], 100, "the flag that is %s is not to be seen", severity)
	}
}
