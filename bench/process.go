package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/recording"
)

// A server runs in a process of its own, so that what it uses is not counted as a receiver's.
type server struct {
	// Plain and Gzip are the addresses of the same answers, uncompressed as YARN's proxy gives them, and compressed.
	Plain, Gzip, Control string
	process              *exec.Cmd
}

// traffic is what went over the wire, headers included, in both directions.
type traffic struct{ Requests, Bytes int64 }

// startServer starts one of this command's servers.
func startServer(ctx context.Context, command string) (*server, error) {
	cmd := exec.CommandContext(ctx, os.Args[0], command)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{process: cmd}
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(s); err != nil {
		return nil, fmt.Errorf("%s did not start: %w", command, err)
	}
	return s, nil
}

func (s *server) stop() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

// pass moves the server to a pass of its recording, and its clock on by that much.
func (s *server) pass(ctx context.Context, n int, later time.Duration) error {
	_, err := s.control(ctx, fmt.Sprintf("?pass=%d&later=%d", n, later))
	return err
}

// traffic returns what went over the wire since it was last asked.
func (s *server) traffic(ctx context.Context) (traffic, error) { return s.control(ctx, "") }

func (s *server) control(ctx context.Context, query string) (traffic, error) {
	var t traffic
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Control+query, http.NoBody)
	if err != nil {
		return t, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return t, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return t, fmt.Errorf("%s: %s", s.Control+query, resp.Status)
	}
	return t, json.NewDecoder(resp.Body).Decode(&t)
}

// counter counts what goes over a listener's connections.
type counter struct {
	net.Listener
	requests, bytes atomic.Int64
}

func (c *counter) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	return countedConn{conn, c}, err
}

type countedConn struct {
	net.Conn
	c *counter
}

func (c countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.c.bytes.Add(int64(n))
	return n, err
}

func (c countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.c.bytes.Add(int64(n))
	return n, err
}

func (c *counter) take() traffic { return traffic{c.requests.Swap(0), c.bytes.Swap(0)} }

// listen serves a handler and counts what it serves.
func listen(h http.Handler) (string, *counter) {
	s := httptest.NewUnstartedServer(nil)
	c := &counter{Listener: s.Listener}
	s.Listener = c
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.requests.Add(1)
		h.ServeHTTP(w, r)
	})
	s.Start()
	return s.URL, c
}

func uncompressed(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Accept-Encoding")
		h.ServeHTTP(w, r)
	})
}

// serve plays the recording of the long-lived application.
func serve(ctx context.Context, _ []string) error {
	rec, err := recording.Load(longLivedFile)
	if err != nil {
		return err
	}
	player := recording.NewPlayer(rec, recording.PlayerOptions{})
	clock := &clock{next: player.Handler(recording.History), now: player.Now}
	plain, plainTraffic := listen(uncompressed(clock))
	gzip, gzipTraffic := listen(clock)
	control, _ := listen(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n, err := strconv.Atoi(r.FormValue("pass")); err == nil {
			player.Seek(rec.Passes()[n])
		}
		if later, err := strconv.ParseInt(r.FormValue("later"), 10, 64); err == nil {
			clock.ahead.Add(later)
		}
		if misses := player.Misses(); len(misses) > 0 {
			http.Error(w, fmt.Sprintf("not in the recording, run bench/record: %v", misses), http.StatusInternalServerError)
			fmt.Fprintln(os.Stderr, "not in the recording, run bench/record:", misses)
			return
		}
		a, b := plainTraffic.take(), gzipTraffic.take()
		_ = json.NewEncoder(w).Encode(traffic{a.Requests + b.Requests, a.Bytes + b.Bytes})
	}))
	return announce(ctx, server{Plain: plain, Gzip: gzip, Control: control})
}

// announce tells the process that started this one where it serves, and serves until it is ended.
func announce(ctx context.Context, s server) error {
	if err := json.NewEncoder(os.Stdout).Encode(s); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// clock moves a frozen player's time on.
type clock struct {
	next  http.Handler
	now   func() time.Time
	ahead atomic.Int64
}

func (c *clock) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	date := c.now().Add(time.Duration(c.ahead.Load())).UTC().Format(http.TimeFormat)
	c.next.ServeHTTP(dated{w, date}, r)
}

type dated struct {
	http.ResponseWriter
	date string
}

func (d dated) WriteHeader(status int) {
	d.Header().Set("Date", d.date)
	d.ResponseWriter.WriteHeader(status)
}
