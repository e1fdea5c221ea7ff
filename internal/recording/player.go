package recording

import (
	"compress/gzip"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxMisses is how many different misses a player remembers; the rest count as Miss{}.
const maxMisses = 1000

// missHeader names, in a 404, what the recording has no answer to.
const missHeader = "Recording-Miss"

// PlayerOptions say how a recording is played.
type PlayerOptions struct {
	Speed float64          // 1 is real time, 10 ten times faster; 0 is frozen: only Seek moves the player
	From  time.Time        // where to begin; the recording's start when zero
	Clock func() time.Time // what drives the player; time.Now when nil
}

// A Player is a position on a recording's time line and answers as the servers did there.
type Player struct {
	rec     *Recording
	answers map[Target][]*Answer
	speed   float64
	clock   func() time.Time

	mu       sync.Mutex
	position time.Time // at the moment of moved
	moved    time.Time
	requests map[Target]Traffic
	misses   map[Miss]int
}

// Traffic counts what clients asked for and got.
type Traffic struct {
	Requests int
	Bytes    int64 // of bodies, as sent: compressed or not
}

// A Miss is a request that the recording has no answer to, or not yet at the player's position.
type Miss struct {
	Target
	NotYet bool
}

// NewPlayer returns a player that stands at the options' beginning and runs from now on.
func NewPlayer(rec *Recording, options PlayerOptions) *Player {
	p := &Player{
		rec:      rec,
		answers:  map[Target][]*Answer{},
		speed:    options.Speed,
		clock:    options.Clock,
		requests: map[Target]Traffic{},
		misses:   map[Miss]int{},
	}
	if p.clock == nil {
		p.clock = time.Now
	}
	for i := range rec.answers {
		target := rec.answers[i].Target()
		p.answers[target] = append(p.answers[target], &rec.answers[i])
	}
	if options.From.IsZero() {
		options.From = rec.Start()
	}
	p.Seek(options.From)
	return p
}

// Seek moves the player to t, or to the end of the recording that is nearest to it.
func (p *Player) Seek(t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.position, p.moved = p.clamp(t), p.clock()
}

// Now returns the player's position. It stays at the recording's end once there.
func (p *Player) Now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	elapsed := float64(p.clock().Sub(p.moved)) * p.speed
	return p.clamp(p.position.Add(time.Duration(min(elapsed, math.MaxInt64/2))))
}

// Remaining returns how long the player still runs by its clock: 0 at the end, for ever when frozen.
func (p *Player) Remaining() time.Duration {
	left := p.rec.End().Sub(p.Now())
	switch {
	case left == 0:
		return 0
	case p.speed == 0:
		return math.MaxInt64
	default:
		return time.Duration(min(math.Ceil(float64(left)/p.speed), math.MaxInt64/2))
	}
}

// Requests returns what was asked for so far and answered from the recording.
func (p *Player) Requests() map[Target]Traffic {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.requests)
}

// Misses returns what was asked for so far that the recording has no answer to.
func (p *Player) Misses() map[Miss]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.misses)
}

// Handler answers for one of the recorded servers.
func (p *Player) Handler(origin string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "only GET and HEAD are recorded", http.StatusMethodNotAllowed)
			return
		}
		target := Target{origin, key(r.URL)}
		now := p.Now()
		answer := p.at(target, now)
		if answer == nil {
			answer = p.queried(origin, r.URL, now)
		}
		w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
		switch {
		case answer == nil:
			p.miss(w, target)
		case answer.Status == 0:
			p.count(target, 0)
			panic(http.ErrAbortHandler)
		default:
			p.count(target, send(w, r, answer))
		}
	})
}

// at returns the last answer of the passes over the cluster that were complete at t.
func (p *Player) at(target Target, t time.Time) *Answer {
	pass, ok := p.rec.pass(t)
	if !ok {
		return nil
	}
	answers := p.answers[target]
	i, found := slices.BinarySearchFunc(answers, pass, func(a *Answer, t time.Time) int { return a.At.Compare(t) })
	if found {
		return answers[i]
	}
	if i == 0 {
		return nil
	}
	return answers[i-1]
}

func (p *Player) miss(w http.ResponseWriter, target Target) {
	miss := Miss{Target: target, NotYet: len(p.answers[target]) > 0}
	text := target.Key
	if miss.NotYet {
		text = "not yet: " + text
	}
	w.Header().Set(missHeader, text)
	http.Error(w, "not in the recording: "+text, http.StatusNotFound)

	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.misses[miss]; !known && len(p.misses) >= maxMisses {
		miss = Miss{}
	}
	p.misses[miss]++
}

func (p *Player) count(target Target, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	traffic := p.requests[target]
	traffic.Requests++
	traffic.Bytes += bytes
	p.requests[target] = traffic
}

func (p *Player) clamp(t time.Time) time.Time {
	if t.Before(p.rec.Start()) {
		return p.rec.Start()
	}
	if t.After(p.rec.End()) {
		return p.rec.End()
	}
	return t
}

// send writes the answer as the server did and returns the bytes of its body on the wire.
func send(w http.ResponseWriter, r *http.Request, a *Answer) int64 {
	header := w.Header()
	for name, values := range a.Header {
		if name != "Date" {
			header[name] = values
		}
	}
	if a.Header.Get("Content-Type") == "" {
		header["Content-Type"] = nil // net/http does not guess one then
	}
	header.Del("Content-Length")
	compress := a.Header.Get("Content-Encoding") == "gzip" && acceptsGzip(r.Header)
	if !compress {
		header.Del("Content-Encoding")
		if a.Header.Get("Content-Length") != "" {
			header.Set("Content-Length", strconv.Itoa(len(a.Body)))
		}
	}
	w.WriteHeader(a.Status)
	if r.Method == http.MethodHead {
		return 0
	}
	body := &counter{w: w}
	if compress {
		zw := gzip.NewWriter(body)
		_, _ = io.WriteString(zw, a.Body)
		_ = zw.Close()
	} else {
		_, _ = io.WriteString(body, a.Body)
	}
	return body.n
}

func acceptsGzip(h http.Header) bool {
	for _, value := range h.Values("Accept-Encoding") {
		for encoding := range strings.SplitSeq(value, ",") {
			name, weight, _ := strings.Cut(encoding, ";")
			if strings.TrimSpace(name) == "gzip" {
				q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
				return err != nil || q > 0
			}
		}
	}
	return false
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
