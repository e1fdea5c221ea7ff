package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

// Passes of the recording: nothing runs; a job runs; ten jobs, that one among them, have finished since.
const (
	idle = iota
	busy
	finished
	passes
)

// polls is how many polls are measured: some read more than others, and after twelve all kinds have come.
const polls = 24

// interval is the time between two polls on the server's clock.
const interval = 10 * time.Second

// cost is what a poll costs on average.
type cost struct {
	Requests   float64       `json:"requests"`
	Bytes      float64       `json:"bytes"`
	CPU        time.Duration `json:"cpu"`
	Allocs     float64       `json:"allocs"`
	AllocBytes float64       `json:"alloc_bytes"`
	Points     int           `json:"points"`
}

// comparison holds costs by path ("plain", "gzip") and pass, ours and the peer's.
type comparison map[string][passes]struct{ Ours, Peer cost }

// compare measures both receivers on the same server in one run.
func compare(ctx context.Context) (comparison, error) {
	srv, err := startServer(ctx, "serve")
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	c := comparison{}
	for path, endpoint := range map[string]string{"plain": srv.Plain, "gzip": srv.Gzip} {
		us, err := measure(ctx, ours, srv, endpoint)
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", ours.name, path, err)
		}
		them, err := measure(ctx, peer, srv, endpoint)
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", peer.name, path, err)
		}
		both := c[path]
		for i := range both {
			both[i].Ours, both[i].Peer = us[i], them[i]
		}
		c[path] = both
	}
	return c, nil
}

func measure(ctx context.Context, s subject, srv *server, endpoint string) (costs [passes]cost, err error) {
	if err := srv.pass(ctx, idle, 0); err != nil {
		return costs, err
	}
	p, err := s.start(ctx, s.config(endpoint), false)
	if err != nil {
		return costs, err
	}
	defer func() { err = errors.Join(err, p.stop(ctx)) }()
	if costs[idle], err = p.measure(ctx, srv, idle, polls); err != nil {
		return costs, err
	}
	// In the first poll of a job it begins, which is not what is measured.
	if _, err = p.measure(ctx, srv, busy, 1); err != nil {
		return costs, err
	}
	if costs[busy], err = p.measure(ctx, srv, busy, polls); err != nil {
		return costs, err
	}
	costs[finished], err = p.measure(ctx, srv, finished, 1)
	return costs, err
}

// measure polls at one pass of the recording.
func (p *polled) measure(ctx context.Context, srv *server, pass, n int) (cost, error) {
	runtime.GC()
	var total use
	var wire traffic
	for range n {
		if err := srv.pass(ctx, pass, interval); err != nil {
			return cost{}, err
		}
		before := used()
		if err := p.poll(ctx); err != nil {
			return cost{}, err
		}
		u := used().since(before)
		total.cpu += u.cpu
		total.allocs += u.allocs
		total.bytes += u.bytes
		t, err := srv.traffic(ctx)
		if err != nil {
			return cost{}, err
		}
		wire.Requests += t.Requests
		wire.Bytes += t.Bytes
	}
	return cost{
		Requests: float64(wire.Requests) / float64(n), Bytes: float64(wire.Bytes) / float64(n), CPU: total.cpu / time.Duration(n),
		Allocs: float64(total.allocs) / float64(n), AllocBytes: float64(total.bytes) / float64(n), Points: p.points,
	}, nil
}
