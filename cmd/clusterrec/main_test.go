package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRecordInfoServe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "test.har.zst")
	out := recordOnce(t, file)
	assert.Contains(t, out, "application_1_0001  SPARK churn RUNNING/UNDEFINED\n")
	assert.Contains(t, out, "origins             rm\n")

	var again bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"info", file}, &again))
	assert.Equal(t, out, again.String())

	for _, args := range [][]string{{"serve", "--speed", "10", file}, {"serve", file, "--at", "0s"}} {
		ctx, cancel := context.WithCancel(t.Context())
		r, w := io.Pipe()
		done := make(chan error)
		go func() { done <- run(ctx, args, w) }()
		line, err := bufio.NewReader(r).ReadString('\n')
		require.NoError(t, err)
		url, ok := strings.CutPrefix(strings.TrimSpace(line), "rm ")
		require.True(t, ok, line)
		resp, err := http.Get(url + "/ws/v1/cluster/info")
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, "state of CLUSTER", string(body))
		http.DefaultClient.CloseIdleConnections()
		cancel()
		require.NoError(t, <-done)
	}
}

// recordOnce records a server until it was asked ten times and returns what the command says then.
func recordOnce(t *testing.T, file string) string {
	ctx, cancel := context.WithCancel(t.Context())
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ws/v1/cluster/info":
			if asked++; asked == 10 {
				cancel()
			}
			fmt.Fprint(w, "state of secret")
		case "/ws/v1/cluster/apps":
			fmt.Fprint(w, `{"apps":{"app":[{"id":"application_1_0001"}]}}`)
		case "/ws/v1/cluster/apps/application_1_0001":
			fmt.Fprint(w, `{"app":{"id":"application_1_0001","name":"churn","applicationType":"SPARK","state":"RUNNING","finalStatus":"UNDEFINED"}}`)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	var out bytes.Buffer
	require.NoError(t, run(ctx, []string{
		"record", "--out", file, "--origin", "rm=" + server.URL, "--interval", "1ms", "--replace", "secret=CLUSTER",
	}, &out))
	return out.String()
}

func TestErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "test.har.zst")
	recordOnce(t, file)
	none := filepath.Join(t.TempDir(), "none")
	var help bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"serve", "--help"}, &help))
	assert.Equal(t, usage, help.String())
	for want, args := range map[string][]string{
		"no command":                  {},
		"unknown command":             {"play"},
		"needs --out":                 {"record", "--origin", "rm=x"},
		"nothing but flags":           {"record", "--out", none, "x"},
		"not of the form":             {"record", "--out", none, "--origin", "rm"},
		"--interval must be positive": {"record", "--out", none, "--interval", "0s"},
		"no origins":                  {"record", "--out", none},
		"which recording":             {"info"},
		"none":                        {"info", none},
		"unexpected argument":         {"info", file, "more"},
		"--speed must be positive":    {"serve", "--speed", "0", file},
		"--listen":                    {"serve", "--listen", "nowhere", file},
		"not defined: -at-noon":       {"serve", "--at-noon", file},
		"parse error":                 {"serve", "--at", "noon", file},
		"before its first pass":       {"record", "--out", none, "--origin", "rm=http://127.0.0.1:1"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		assert.ErrorContains(t, run(ctx, args, io.Discard), want, args)
	}
}
