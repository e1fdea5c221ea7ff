package recording

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	requestTimeout = 10 * time.Second
	maxConcurrent  = 8
	// perServer is how many requests one server gets at a time: a driver accepts hardly more connections, and what the
	// resource manager's proxy tries beyond waits a second for the kernel to try again.
	perServer = 2
	maxBody   = 64 << 20
	maxBodies = 512 << 20 // of one recording, so that it stays below maxFile
)

// The origins that can be recorded.
const (
	ResourceManager = "rm"
	History         = "history"
	NameNode        = "namenode"
	DataNode        = "datanode"
	JobHistory      = "jobhistory"
)

// Options say what Record asks and how often.
type Options struct {
	Origins  map[string]string // base URL by origin
	Interval time.Duration     // from pass to pass over the cluster; a second when 0
	Replace  *strings.Replacer // applied to URLs, headers and bodies, so that a recording names nothing of its machine; may be nil
}

// Record asks the servers for everything that a receiver reads, until ctx ends. A recording that grew too large ends
// early and comes with an error.
func Record(ctx context.Context, options Options) (*Recording, error) {
	r, err := newRecorder(options)
	if err != nil {
		return nil, err
	}
	defer r.client.CloseIdleConnections()
	if options.Interval == 0 {
		options.Interval = time.Second
	}
	ticker := time.NewTicker(options.Interval)
	defer ticker.Stop()

	c := newCrawler(r)
	for r.size < maxBodies {
		c.pass(ctx)
		if ctx.Err() != nil {
			return r.recording()
		}
		r.passes = append(r.passes, now())
		select {
		case <-ctx.Done():
			return r.recording()
		case <-ticker.C:
		}
	}
	rec, err := r.recording()
	return rec, errors.Join(err, fmt.Errorf("recording ended early: its answers exceed %d MiB", maxBodies>>20))
}

// A recorder asks servers and keeps what is new in their answers.
type recorder struct {
	bases   map[string]string
	replace *strings.Replacer
	client  *http.Client
	slots   chan struct{}
	passes  []time.Time

	mu      sync.Mutex
	answers []Answer
	last    map[Target]int // where in answers
	size    int
}

func newRecorder(options Options) (*recorder, error) {
	r := &recorder{
		bases:   map[string]string{},
		replace: options.Replace,
		client: &http.Client{
			Timeout:       requestTimeout,
			Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: maxConcurrent},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		slots: make(chan struct{}, maxConcurrent),
		last:  map[Target]int{},
	}
	if r.replace == nil {
		r.replace = strings.NewReplacer()
	}
	if len(options.Origins) == 0 {
		return nil, errors.New("no origins to record")
	}
	for origin, base := range options.Origins {
		if !slices.Contains([]string{ResourceManager, History, NameNode, DataNode, JobHistory}, origin) {
			return nil, fmt.Errorf("unknown origin %q", origin)
		}
		r.bases[origin] = strings.TrimRight(base, "/")
	}
	return r, nil
}

// now returns the time as a recording's file keeps it.
func now() time.Time { return time.Now().UTC().Round(0) }

// recording returns what the complete passes saw.
func (r *recorder) recording() (*Recording, error) {
	if len(r.passes) == 0 {
		return nil, errors.New("recording ended before its first pass over the cluster")
	}
	rec := &Recording{origins: map[string]string{}, passes: r.passes}
	for origin, base := range r.bases {
		rec.origins[origin] = r.replace.Replace(base)
	}
	for _, a := range r.answers {
		if !a.At.After(rec.End()) {
			rec.answers = append(rec.answers, a)
		}
	}
	return rec, rec.check()
}

// get asks for path and keeps the answer if it is a new one.
func (r *recorder) get(ctx context.Context, origin, path string) Answer {
	r.slots <- struct{}{}
	defer func() { <-r.slots }()

	a := Answer{Origin: origin, URL: r.replace.Replace(path), At: now()}
	a.ask(ctx, r.client, r.bases[origin]+path)
	a.Took = time.Since(a.At)
	if ctx.Err() != nil {
		return Answer{}
	}
	a.Err = r.replace.Replace(a.Err)
	a.Body = r.replace.Replace(a.Body)
	for _, values := range a.Header {
		for i := range values {
			values[i] = r.replace.Replace(values[i])
		}
	}
	r.keep(a)
	return a
}

func (r *recorder) keep(a Answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	target := a.Target()
	if i, ok := r.last[target]; ok && r.answers[i].sameAs(&a) {
		return
	}
	r.last[target] = len(r.answers)
	r.answers = append(r.answers, a)
	r.size += len(a.Body)
}

// all asks a server for several paths.
func (r *recorder) all(ctx context.Context, origin string, paths ...string) []Answer {
	answers := make([]Answer, len(paths))
	var g errgroup.Group
	g.SetLimit(perServer)
	for i, path := range paths {
		g.Go(func() error {
			answers[i] = r.get(ctx, origin, path)
			return nil
		})
	}
	_ = g.Wait()
	return answers
}

// latest returns the last answer to an earlier request.
func (r *recorder) latest(origin, path string) Answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, ok := r.last[Target{origin, path}]
	if !ok {
		return Answer{}
	}
	return r.answers[i]
}

// under returns the paths below prefix that have been asked for.
func (r *recorder) under(origin, prefix string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var paths []string
	for target, i := range r.last {
		if target.Origin == origin && strings.HasPrefix(r.answers[i].URL, prefix) {
			paths = append(paths, r.answers[i].URL)
		}
	}
	slices.Sort(paths)
	return paths
}

// ask fills in what the server says, or why it does not.
func (a *Answer) ask(ctx context.Context, client *http.Client, url string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		a.Err = err.Error()
		return
	}
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := client.Do(req)
	if err != nil {
		a.Err = err.Error()
		return
	}
	defer resp.Body.Close()
	body, sent, err := readBody(resp, maxBody)
	if err != nil {
		a.Err = err.Error()
		return
	}
	a.Status, a.Header, a.Body, a.Sent = resp.StatusCode, resp.Header, body, sent
	for _, name := range []string{"Connection", "Keep-Alive", "Proxy-Connection", "Upgrade", "Trailer"} {
		a.Header.Del(name)
	}
}

// readBody returns the decoded body and how many bytes it took on the wire.
func readBody(resp *http.Response, limit int64) (string, int64, error) {
	wire := &countingReader{r: resp.Body}
	var plain io.Reader = wire
	if resp.Header.Get("Content-Encoding") == "gzip" {
		zr, err := gzip.NewReader(wire)
		if err != nil {
			return "", 0, fmt.Errorf("decompressing: %w", err)
		}
		plain = zr
	}
	body, err := io.ReadAll(&cappedReader{r: plain, left: limit})
	if err != nil {
		return "", 0, fmt.Errorf("reading body: %w", err)
	}
	return string(body), wire.n, nil
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}
