// Package rehearsal replays a recorded cluster through the built distribution and hands over what it flags. The demo
// and the measurement of the rules' quality stand on it.
package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"time"

	amwebhook "github.com/prometheus/alertmanager/notify/webhook"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/recording"
)

// Poll is the collection interval on the recording's time line.
const Poll = 10 * time.Second

// Rehearsal is a recording that the distribution watches.
type Rehearsal struct {
	Player    *recording.Player
	speed     float64
	collector *exec.Cmd
	ended     chan error
	servers   []*http.Server
	serving   sync.WaitGroup
}

// Options of a rehearsal.
type Options struct {
	// Collector is the distribution to run, Config its configuration.
	Collector, Config string
	// Recording is the file to replay.
	Recording string
	// Speed is how many times faster than it was.
	Speed float64
	// Told is handed every point of a flag, with the time on the recording's time line.
	Told func(Flag)
	// Notified is handed every notification that is sent to DEMO_WEBHOOK, if a Config has one sent there.
	Notified func(at time.Time, message amwebhook.Message)
}

// Start begins a rehearsal, which ends by Stop.
func Start(ctx context.Context, o Options) (*Rehearsal, error) {
	rec, err := recording.Load(o.Recording)
	if err != nil {
		return nil, err
	}
	r := &Rehearsal{
		Player: recording.NewPlayer(rec, recording.PlayerOptions{Speed: o.Speed}),
		speed:  o.Speed, ended: make(chan error, 1),
	}
	yarn, err := r.serve(r.Player.Handler(recording.ResourceManager))
	if err != nil {
		return nil, err
	}
	history, err := r.serve(r.Player.Handler(recording.History))
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	sink, err := r.serve(&sink{now: r.Player.Now, told: o.Told})
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	webhook, err := r.serve(&webhook{now: r.Player.Now, notified: o.Notified})
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	r.collector = exec.CommandContext(ctx, o.Collector, "--config", o.Config)
	r.collector.Cancel = func() error { return r.collector.Process.Signal(os.Interrupt) }
	r.collector.WaitDelay = 10 * time.Second
	r.collector.Stdout, r.collector.Stderr = os.Stderr, os.Stderr
	r.collector.Env = append(os.Environ(),
		"DEMO_YARN="+yarn, "DEMO_HISTORY="+history, "DEMO_SINK="+sink, "DEMO_WEBHOOK="+webhook,
		"DEMO_INTERVAL="+time.Duration(float64(Poll)/o.Speed).String())
	if err := r.collector.Start(); err != nil {
		return nil, errors.Join(err, r.close())
	}
	go func() { r.ended <- r.collector.Wait() }()
	return r, nil
}

// Duration is how long the recorded time was.
func (r *Rehearsal) Duration() time.Duration {
	return time.Duration(float64(r.Player.Remaining()) * r.speed).Round(time.Second)
}

// settling is how many polls the collector is given after the end of the recording to say that flags are over.
const settling = 10

// WaitForEnd waits until the recording is over. It fails if the collector ends before.
func (r *Rehearsal) WaitForEnd(ctx context.Context) error {
	left := r.Player.Remaining() + time.Duration(settling*float64(Poll)/r.speed)
	select {
	case err := <-r.ended:
		r.ended <- err
		return r.collectorEnded(ctx, err)
	case <-time.After(left):
		return nil
	}
}

// Wait waits until the collector ends, which it does when ctx does.
func (r *Rehearsal) Wait(ctx context.Context) error {
	err := <-r.ended
	r.ended <- err
	return r.collectorEnded(ctx, err)
}

func (r *Rehearsal) collectorEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("the collector ended by itself; see its messages above: %w", err)
}

// Stop ends the collector and the replay.
func (r *Rehearsal) Stop() error {
	_ = r.collector.Process.Signal(os.Interrupt) // it may have ended
	<-r.ended
	return r.close()
}

// serve answers on a free port and returns the address.
func (r *Rehearsal) serve(h http.Handler) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	r.servers = append(r.servers, server)
	r.serving.Go(func() { _ = server.Serve(l) })
	return "http://" + l.Addr().String(), nil
}

func (r *Rehearsal) close() error {
	var errs []error
	for _, server := range r.servers {
		errs = append(errs, server.Close())
	}
	r.serving.Wait()
	return errors.Join(errs...)
}
