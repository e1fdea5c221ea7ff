package rest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type observed struct {
	mu       sync.Mutex
	outcomes []Outcome
	bytes    int64
	took     time.Duration
}

func (o *observed) observe(_ context.Context, made Observation) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.outcomes = append(o.outcomes, made.Outcome)
	o.bytes += made.Bytes
	o.took += made.Took
}

func newClient(t *testing.T, h http.HandlerFunc) (*Client, *observed) {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	var o observed
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	c, err := New(Options{
		Source: "yarn", Endpoint: server.URL, HTTP: &http.Client{Transport: transport},
		Timeout: 5 * time.Second, Concurrency: 2, Observe: o.observe,
	})
	require.NoError(t, err)
	return c, &o
}

func answer(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}
}

func TestGet(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 5, 0, time.UTC)
	c, o := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/a%2Fb/c", r.URL.EscapedPath())
		assert.Equal(t, "1", r.URL.Query().Get("x"))
		w.Header().Set("Date", now.Format(http.TimeFormat))
		answer("application/json;charset=utf-8", `{"n": 7} `)(w, r)
	})
	var v struct{ N int }
	date, err := c.Get(t.Context(), Request{Endpoint: "/x", Path: []string{"a/b", "c"}, Query: url.Values{"x": {"1"}}}, &v)
	require.NoError(t, err)
	assert.Equal(t, 7, v.N)
	assert.True(t, now.Equal(date))
	assert.Equal(t, []Outcome{OutcomeOK}, o.outcomes)
	assert.EqualValues(t, len(`{"n": 7} `), o.bytes)
}

func TestGetGzip(t *testing.T) {
	c, _ := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Contains(t, r.Header.Get("Accept-Encoding"), "gzip")
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, `[1,2]`)
		_ = z.Close()
	})
	var v []int
	_, err := c.Get(t.Context(), Request{}, &v)
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2}, v)
}

// Whatever a server answers ends in an error that names the source and the endpoint.
func TestGetFaults(t *testing.T) {
	for _, tt := range []struct {
		name    string
		handler http.HandlerFunc
		outcome Outcome
		want    string
	}{
		{"html with status 200", answer("text/html", "<html>\n<p>Spark is  starting up. Please wait...</html>"), OutcomeNotJSON, `the answer is "text/html", not JSON: <html> <p>Spark is starting up`},
		{"no content type", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			_, _ = io.WriteString(w, "x")
		}, OutcomeNotJSON, "not JSON"},
		{"truncated", answer("application/json", `{"n": 1`), OutcomeNotJSON, "unexpected EOF"},
		{"wrong type", answer("application/json", `{"n": "seven"}`), OutcomeNotJSON, "cannot unmarshal"},
		{"wrong shape", answer("application/json", `[]`), OutcomeNotJSON, "cannot unmarshal"},
		{"empty", answer("application/json", ""), OutcomeNotJSON, "EOF"},
		{"connection cut", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"n": 1,`)
		}, OutcomeNotJSON, "unexpected EOF"},
		{"redirect elsewhere", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://evil.example/secret", http.StatusFound)
		}, OutcomeRedirect, "status 302 redirects to http://evil.example/secret, which is not followed"},
		{"redirect to itself", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
		}, OutcomeRedirect, "status 307 redirects"},
		{"standby without a location", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Refresh", "3;url=http://elsewhere")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, OutcomeRedirect, "status 307 without a location"},
		{"not found", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "unknown job: 5", http.StatusNotFound) }, OutcomeNotFound, "status 404: unknown job: 5"},
		{"unauthorized", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "Authentication required", http.StatusUnauthorized)
		}, OutcomeStatus, "configure an authenticator"},
		{"forbidden", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }, OutcomeStatus, "the right to view"},
		{"server error with a large page", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, strings.Repeat("stack trace\n", 1e5))
		}, OutcomeStatus, "status 500: stack trace stack trace"},
		{"no content", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, OutcomeStatus, "status 204"},
		{"connection reset", func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = conn.Close()
			}
		}, OutcomeUnreachable, "no answer: EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, o := newClient(t, tt.handler)
			var v struct{ N int }
			_, err := c.Get(t.Context(), Request{Endpoint: "/x", Path: []string{"x"}}, &v)
			require.ErrorContains(t, err, tt.want)
			require.ErrorContains(t, err, "yarn: GET http://127.0.0.1:")
			assert.Less(t, len(err.Error()), 400)
			assert.Equal(t, []Outcome{tt.outcome}, o.outcomes)
			assert.Equal(t, tt.outcome == OutcomeNotFound, IsNotFound(err))
			assert.Equal(t, tt.outcome == OutcomeRedirect, IsRedirect(err))
		})
	}
}

func TestGetEndless(t *testing.T) {
	c, o := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"s": "`)
		for r.Context().Err() == nil {
			if _, err := w.Write(bytes.Repeat([]byte("x"), 1<<16)); err != nil {
				return
			}
		}
	})
	c.maxBytes = 1 << 20
	var v struct{}
	_, err := c.Get(t.Context(), Request{}, &v)
	require.ErrorIs(t, err, ErrTooLarge)
	assert.Equal(t, []Outcome{OutcomeTooLarge}, o.outcomes)
	assert.EqualValues(t, 1<<20, o.bytes)
}

// A page is read whatever its type, as far as its head reaches.
func TestPage(t *testing.T) {
	c, o := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "text/html", r.Header.Get("Accept"))
		answer("text/html", strings.Repeat("x", 2*MaxPage))(w, r)
	})
	page, err := c.Page(t.Context(), Request{Endpoint: "/app", Path: []string{"app"}, Slash: true})
	require.NoError(t, err)
	assert.Len(t, page, MaxPage)
	assert.Equal(t, []Outcome{OutcomeOK}, o.outcomes)
	assert.EqualValues(t, MaxPage, o.bytes)
}

func TestPageFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		outcome Outcome
	}{
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://evil.example/", http.StatusFound)
		}, OutcomeRedirect},
		"absent":  {http.NotFound, OutcomeNotFound},
		"failing": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, OutcomeStatus},
		"trickle": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "<html>")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, OutcomeUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			c, o := newClient(t, tt.handler)
			c.timeout = 100 * time.Millisecond
			_, err := c.Page(t.Context(), Request{Endpoint: "/app", Path: []string{"app"}})
			require.ErrorContains(t, err, "yarn: GET http://127.0.0.1:")
			assert.Equal(t, []Outcome{tt.outcome}, o.outcomes)
		})
	}
}

func TestGetTrickle(t *testing.T) {
	c, o := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"n": `)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	c.timeout = 50 * time.Millisecond
	var v struct{ N int }
	_, err := c.Get(t.Context(), Request{}, &v)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Len(t, o.outcomes, 1)
	assert.GreaterOrEqual(t, o.took, c.timeout, "reading the answer counts")
}

func TestGetCancelled(t *testing.T) {
	c, _ := newClient(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	_, err := c.Get(ctx, Request{}, &struct{}{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestPathsStayBelowTheBase(t *testing.T) {
	c, o := newClient(t, answer("application/json", "{}"))
	for _, bad := range []string{"", ".", ".."} {
		_, err := c.Get(t.Context(), Request{Endpoint: "/apps/{app}", Path: []string{"apps", bad, "x"}}, &struct{}{})
		require.ErrorContains(t, err, "no element of a path")
	}
	assert.Empty(t, o.outcomes)
}

func TestConcurrency(t *testing.T) {
	var now, most atomic.Int64
	release := make(chan struct{})
	c, _ := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		<-release
		now.Add(-1)
		answer("application/json", "{}")(w, r)
	})
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			_, err := c.Get(t.Context(), Request{}, &struct{}{})
			assert.NoError(t, err)
		})
	}
	require.Eventually(t, func() bool { return now.Load() == 2 }, 5*time.Second, time.Millisecond)
	close(release)
	wg.Wait()
	assert.EqualValues(t, 2, most.Load())
}

func TestParseEndpoint(t *testing.T) {
	for _, bad := range []string{"", "rm:8088", "localhost", "ftp://rm", "http://", "http://rm?x=1", "http://rm/#x", ":"} {
		_, err := ParseEndpoint(bad)
		assert.Error(t, err, bad)
	}
	u, err := ParseEndpoint("https://knox:8443/gateway/default/yarn")
	require.NoError(t, err)
	assert.Equal(t, "knox:8443", u.Host)
}

func TestFloat(t *testing.T) {
	var v struct{ A, B, C, D, E Float }
	require.NoError(t, json.Unmarshal([]byte(`{"A": 1.5, "B": "2", "C": "NaN", "D": null, "E": "Infinity"}`), &v))
	assert.EqualValues(t, 1.5, v.A)
	assert.EqualValues(t, 2, v.B)
	assert.False(t, v.C.Known())
	assert.True(t, math.IsNaN(float64(v.D)))
	assert.False(t, v.E.Known())
	require.Error(t, json.Unmarshal([]byte(`{"A": "a lot"}`), &v))
	require.Error(t, json.Unmarshal([]byte(`{"A": [1]}`), &v))
}
