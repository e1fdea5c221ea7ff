// Package recording takes and replays the life of a Spark and Hadoop cluster as its REST endpoints answered it: [Record]
// asks a cluster's servers over and over, and a [Player] answers the same requests as the servers did at any moment of
// that time. A recording is a zstd-compressed HAR 1.2 file whose pages are the servers; the HAR types are this package's
// own because those of chromedp/cdproto read a body as text but write it as base64, so that nothing survives a round trip.
package recording

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A Recording is what a cluster's servers answered over time.
type Recording struct {
	origins map[string]string
	passes  []time.Time
	answers []Answer
}

// An Answer is what a server said to one request, from At until the next Answer to the same request.
type Answer struct {
	Origin string
	URL    string // path and query, relative to the origin's base URL
	At     time.Time
	Took   time.Duration
	Status int // 0 when the server did not answer
	Header http.Header
	Body   string // decoded: the Content-Encoding header says whether the server compressed it
	Sent   int64  // bytes of the body on the wire
	Err    string // why Status is 0
}

// A Target is what a request asks for, whatever the order and the escapes of its query.
type Target struct {
	Origin string
	Key    string
}

// Start returns the first moment at which the recording has an answer to everything that was asked for then.
func (r *Recording) Start() time.Time { return r.passes[0] }

// End returns the last moment of the recording.
func (r *Recording) End() time.Time { return r.passes[len(r.passes)-1] }

// Origins returns the names of the recorded servers.
func (r *Recording) Origins() []string { return slices.Sorted(maps.Keys(r.origins)) }

// Answers returns all answers, oldest first.
func (r *Recording) Answers() []Answer { return r.answers }

// Target returns what the answer was given to.
func (a *Answer) Target() Target {
	u, err := url.Parse(a.URL)
	if err != nil {
		return Target{a.Origin, a.URL}
	}
	return Target{a.Origin, key(u)}
}

// sameAs reports whether b says nothing that a did not.
func (a *Answer) sameAs(b *Answer) bool {
	return a.Status == b.Status && a.Body == b.Body && maps.EqualFunc(significant(a.Header), significant(b.Header), slices.Equal)
}

// significant returns the headers without those that every answer has anew: its time, and Spark's nonce for scripts.
func significant(h http.Header) http.Header {
	h = maps.Clone(h)
	h.Del("Date")
	h.Del("Expires")
	h.Del("Content-Security-Policy")
	return h
}

// perClient are the query parameters whose values differ from one client to the next and are therefore no part of a key.
var perClient = []string{"finishedTimeBegin", "startedTimeBegin"}

// key returns the path and the query in the one form that all equivalent requests share: some servers send from an address
// without a slash at its end to the one with it.
func key(u *url.URL) string {
	query := u.Query()
	for _, name := range perClient {
		query.Del(name)
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(query)) {
		for _, value := range query[name] {
			pairs = append(pairs, name+"="+value)
		}
	}
	path := strings.TrimSuffix(u.Path, "/")
	if len(pairs) == 0 {
		return path
	}
	return path + "?" + strings.Join(pairs, "&")
}

// check sorts the answers and refuses what cannot be replayed.
func (r *Recording) check() error {
	if len(r.answers) == 0 {
		return errors.New("it has no entries")
	}
	slices.SortStableFunc(r.answers, func(a, b Answer) int { return a.At.Compare(b.At) })
	for _, a := range r.answers {
		if _, ok := r.origins[a.Origin]; !ok {
			return fmt.Errorf("entry %s belongs to no page: pageref %q", a.URL, a.Origin)
		}
		if a.Status != 0 && (a.Status < 200 || a.Status > 599) {
			return fmt.Errorf("entry %s has the impossible status %d", a.URL, a.Status)
		}
	}
	if !slices.IsSortedFunc(r.passes, time.Time.Compare) {
		return errors.New("its passes are out of order")
	}
	if len(r.passes) == 0 {
		for _, a := range r.answers {
			r.passes = append(r.passes, a.At)
		}
	}
	return nil
}

// pass returns the end of the last complete pass over the cluster at t, and false before the first.
func (r *Recording) pass(t time.Time) (time.Time, bool) {
	i, found := slices.BinarySearchFunc(r.passes, t, time.Time.Compare)
	if found {
		return t, true
	}
	if i == 0 {
		return time.Time{}, false
	}
	return r.passes[i-1], true
}
