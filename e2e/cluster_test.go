//go:build cluster

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/output"
)

// root is the repository, seen from the folder in which go test runs the tests.
const root = ".."

// cluster is a real one that cluster/up starts.
type cluster struct {
	// state is the folder that it is in.
	state string
	env   map[string]string
}

// startCluster starts a cluster of a kind in a folder, or takes the one that is up there.
func startCluster(ctx context.Context, state string, kind ...string) (*cluster, error) {
	state, err := filepath.Abs(state)
	if err != nil {
		return nil, err
	}
	c := &cluster{state: state, env: map[string]string{}}
	up := c.command(ctx, "up", kind...)
	up.Stdout, up.Stderr = os.Stderr, os.Stderr
	if err := up.Run(); err != nil {
		return nil, fmt.Errorf("cluster/up: %w", err)
	}
	file, err := os.Open(filepath.Join(state, "env"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	line := regexp.MustCompile(`^export (\w+)='(.*)'$`)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if m := line.FindStringSubmatch(lines.Text()); m != nil {
			c.env[m[1]] = m[2]
		}
	}
	return c, nil
}

// command is one of the scripts in cluster/, for this cluster.
func (c *cluster) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(root, "cluster", name), args...)
	cmd.Env = append(os.Environ(), "SPARKMODEL_CLUSTER="+c.state)
	return cmd
}

// down stops the cluster.
func (c *cluster) down() {
	down := c.command(context.Background(), "down")
	down.Stdout, down.Stderr = os.Stderr, os.Stderr
	if err := down.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "cluster/down:", err)
	}
}

func (c *cluster) yarn() string    { return c.env["YARN_RM_URL"] }
func (c *cluster) history() string { return c.env["SPARK_HISTORY_URL"] }

// daemon stops, starts, kills or activates one of the servers, also when the test is over.
func (c *cluster) daemon(t *testing.T, action, name string) {
	out, err := c.command(context.WithoutCancel(t.Context()), "daemon", action, name).CombinedOutput()
	require.NoError(t, err, "cluster/daemon %s %s: %s", action, name, out)
}

// submission is a submitted workload.
type submission struct {
	workload string
	version  string
	id       string
	cmd      *exec.Cmd
	output   *output.Buffer
	ended    chan struct{}
	err      error
}

var applicationLine = regexp.MustCompile(`(?m)^application_id=(application_\d+_\d+|app-\d+-\d+)$`)

// submit submits a workload and returns once YARN has accepted it.
func (c *cluster) submit(t *testing.T, workload, version string, options ...string) *submission {
	s := &submission{workload: workload, version: version, output: &output.Buffer{}, ended: make(chan struct{})}
	s.cmd = c.command(t.Context(), "submit", append([]string{workload, "--spark", version}, options...)...)
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(os.Interrupt) }
	s.cmd.WaitDelay = 20 * time.Second
	require.NoError(t, s.cmd.Start())
	go func() {
		defer close(s.ended)
		s.err = s.cmd.Wait()
	}()
	return s
}

// wait waits for the workload's end and returns the ids of its applications, the last one submitted last.
func (s *submission) wait(t *testing.T) []string {
	select {
	case <-s.ended:
	case <-time.After(5 * time.Minute):
		_ = s.cmd.Process.Kill()
		require.FailNow(t, "the workload did not end", "%s on Spark %s:\n%s", s.workload, s.version, tail(s.output.String()))
	}
	require.NoError(t, s.err, "%s on Spark %s:\n%s", s.workload, s.version, tail(s.output.String()))
	var ids []string
	for _, m := range applicationLine.FindAllStringSubmatch(s.output.String(), -1) {
		ids = append(ids, m[1])
	}
	require.NotEmpty(t, ids, tail(s.output.String()))
	return ids
}

// getJSON reads an answer of one of the servers.
func getJSON(ctx context.Context, url string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: status %d: %.200s", url, resp.StatusCode, body)
	}
	return json.Unmarshal(body, v)
}

// truth is what Spark's history and YARN say of an application that has ended.
type truth struct {
	TasksCompleted, TasksFailed, TasksKilled int64
	InputBytes, ShuffleRead, ShuffleWrite    int64
	MemorySpilled, DiskSpilled               int64
	RunTimeMS, GCTimeMS                      int64
	Stages                                   map[string]int64
	Jobs                                     map[string]int64
	FinalStatus                              string
	// Held asks what YARN says the application held, in core-seconds and MB-seconds: YARN goes on adding up for a
	// moment after the end.
	Held func() (vcores, memory float64)
}

// truth is what Spark's history and YARN say of an application, once the History Server knows its end.
func (c *cluster) truth(t *testing.T, id string) truth {
	out := c.past(t, id)
	yarn, err := c.yarnApplication(t.Context(), id)
	require.NoError(t, err)
	out.FinalStatus = yarn.FinalStatus
	out.Held = func() (vcores, memory float64) {
		if now, err := c.yarnApplication(t.Context(), id); err == nil {
			yarn = now
		}
		return yarn.VCoreSeconds, yarn.MemorySeconds
	}
	return out
}

// past waits until the History Server knows the end of an application, and sums up what it has.
func (c *cluster) past(t *testing.T, id string) truth {
	var app struct {
		Attempts []struct {
			AttemptID string `json:"attemptId"`
			Completed bool   `json:"completed"`
		} `json:"attempts"`
	}
	base := c.history() + "/api/v1/applications/" + id
	require.Eventually(t, func() bool {
		return getJSON(t.Context(), base, &app) == nil && len(app.Attempts) > 0 && app.Attempts[0].Completed
	}, time.Minute, 500*time.Millisecond, "the History Server does not show the end of %s", id)
	if a := app.Attempts[0].AttemptID; a != "" {
		base += "/" + a
	}

	var stages []struct {
		Status             string `json:"status"`
		CompleteTasks      int64  `json:"numCompleteTasks"`
		FailedTasks        int64  `json:"numFailedTasks"`
		KilledTasks        int64  `json:"numKilledTasks"`
		InputBytes         int64  `json:"inputBytes"`
		ShuffleReadBytes   int64  `json:"shuffleReadBytes"`
		ShuffleWriteBytes  int64  `json:"shuffleWriteBytes"`
		MemoryBytesSpilled int64  `json:"memoryBytesSpilled"`
		DiskBytesSpilled   int64  `json:"diskBytesSpilled"`
		ExecutorRunTime    int64  `json:"executorRunTime"`
		JVMGCTime          int64  `json:"jvmGcTime"`
	}
	require.NoError(t, getJSON(t.Context(), base+"/stages?details=false", &stages))
	out := truth{Stages: map[string]int64{}, Jobs: map[string]int64{}}
	for _, s := range stages {
		out.Stages[s.Status]++
		out.TasksCompleted += s.CompleteTasks
		out.TasksFailed += s.FailedTasks
		out.TasksKilled += s.KilledTasks
		out.InputBytes += s.InputBytes
		out.ShuffleRead += s.ShuffleReadBytes
		out.ShuffleWrite += s.ShuffleWriteBytes
		out.MemorySpilled += s.MemoryBytesSpilled
		out.DiskSpilled += s.DiskBytesSpilled
		out.RunTimeMS += s.ExecutorRunTime
		out.GCTimeMS += s.JVMGCTime
	}
	var jobs []struct {
		Status string `json:"status"`
	}
	require.NoError(t, getJSON(t.Context(), base+"/jobs", &jobs))
	for _, j := range jobs {
		out.Jobs[j.Status]++
	}
	return out
}

// yarnApplication is an application as YARN sees it. Memory is in MB.
type yarnApplication struct {
	VCoreSeconds  float64 `json:"vcoreSeconds"`
	MemorySeconds float64 `json:"memorySeconds"`
	FinalStatus   string  `json:"finalStatus"`
}

func (c *cluster) yarnApplication(ctx context.Context, id string) (yarnApplication, error) {
	var answer struct {
		App yarnApplication `json:"app"`
	}
	err := getJSON(ctx, c.yarn()+"/ws/v1/cluster/apps/"+id, &answer)
	return answer.App, err
}

// tail is the end of what a process printed, for failures.
func tail(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	lines = lines[max(0, len(lines)-20):]
	for i, line := range lines {
		lines[i] = line[:min(len(line), 300)]
	}
	return strings.Join(lines, "\n")
}
