//go:build cluster

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An executor dies: from its appearance in Spark's REST to the notification it takes at most one poll, group_wait and a
// second.
func TestSecondsToNotification(t *testing.T) {
	people := newNotified(t)
	config := filepath.Join(t.TempDir(), "collector.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `
receivers:
  sparkmodel:
    cluster_name: lab
    collection_interval: %s
    yarn: {endpoints: [%q]}
processors: {anomaly: }
exporters:
  alert:
    notify:
      config: |
        route: {receiver: people, group_wait: %s}
        receivers: [{name: people, webhook_configs: [{url: %q}]}]
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [sparkmodel], processors: [anomaly], exporters: [alert]}
`, interval, lab.yarn(), groupWait, people.URL), 0o600))
	startProcess(t, distribution, "--config", config)

	s := lab.submit(t, lossy, "4")
	var id string
	require.Eventually(t, func() bool {
		if m := applicationLine.FindStringSubmatch(s.output.String()); m != nil {
			id = m[1]
		}
		return id != ""
	}, 2*time.Minute, interval/4, "the workload is not accepted")
	var appeared time.Time
	require.Eventually(t, func() bool {
		var executors []struct {
			ID       string `json:"id"`
			IsActive bool   `json:"isActive"`
		}
		if getJSON(t.Context(), fmt.Sprintf("%s/proxy/%s/api/v1/applications/%s/allexecutors", lab.yarn(), id, id), &executors) != nil {
			return false // the driver is not there yet
		}
		for _, e := range executors {
			if e.ID != "driver" && !e.IsActive {
				appeared = time.Now()
				return true
			}
		}
		return false
	}, 2*time.Minute, 50*time.Millisecond, "Spark's REST does not show that an executor was lost")

	var arrived time.Time
	require.Eventually(t, func() bool {
		for _, m := range people.all() {
			for _, a := range m.Alerts {
				if a.Labels["alertname"] == "executor_lost" && a.Labels["spark_application_id"] == id {
					arrived = m.at
					return true
				}
			}
		}
		return false
	}, time.Minute, 20*time.Millisecond, "nobody is told of the lost executor")
	took := arrived.Sub(appeared)
	t.Logf("notified %.1f s after Spark's REST showed it; a poll is %s, group_wait %s", took.Seconds(), interval, groupWait)
	assert.LessOrEqual(t, took, interval+groupWait+time.Second)
	leaveFigure(t, "alert", map[string]float64{
		"seconds_to_notification": took.Seconds(), "poll_seconds": interval.Seconds(), "group_wait_seconds": groupWait.Seconds(),
	})
	s.wait(t)
}

// leaveFigure puts a part into dist/bench.json, beside what make bench leaves there.
func leaveFigure(t *testing.T, name string, figures any) {
	path := filepath.Join(root, "dist", "bench.json")
	parts := map[string]any{}
	data, err := os.ReadFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, &parts))
	}
	parts[name] = figures
	data, err = json.MarshalIndent(parts, "", "  ")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append(data, '\n'), 0o600))
}
