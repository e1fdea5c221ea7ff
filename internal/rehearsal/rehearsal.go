// Package rehearsal replays a recorded cluster through the built distribution and hands over what it flags. The demo
// and the measurement of the rules' quality stand on it.
package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
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
	polls     chan struct{} // tells that a poll was judged, where the collector sets the speed
	over      chan struct{} // is closed once there were enough polls at the end of the recording
	beyond    atomic.Int64  // how far the polls are beyond the end of the recording, in ns
	folder    string        // of the judge's socket
	collector *exec.Cmd
	ended     chan error
	servers   []*http.Server
	serving   sync.WaitGroup
}

// Options of a rehearsal.
type Options struct {
	// Collector is the distribution to run, Config its configuration, and Settings more of it, as --config takes them.
	Collector, Config string
	Settings          []string
	// Recording is what to replay.
	Recording *recording.Recording
	// Speed is how many times faster than it was. With 0 the recording moves on by Poll whenever a poll has been judged,
	// however long that took: what is flagged then does not depend on the machine. It needs a Config that sends what it
	// read by way of REHEARSAL_RELAY.
	Speed float64
	// Log is where the distribution writes what goes wrong.
	Log io.Writer
	// Told is handed every point of a flag, with the time on the recording's time line.
	Told func(Flag)
	// Notified is handed every notification that is sent to DEMO_WEBHOOK, if a Config has one sent there.
	Notified func(at time.Time, message amwebhook.Message)
}

// Start begins a rehearsal, which ends by Stop.
func Start(ctx context.Context, o Options) (*Rehearsal, error) {
	folder, err := os.MkdirTemp("", "rehearsal")
	if err != nil {
		return nil, err
	}
	r := &Rehearsal{
		Player: recording.NewPlayer(o.Recording, recording.PlayerOptions{Speed: o.Speed}),
		speed:  o.Speed, ended: make(chan error, 1), polls: make(chan struct{}, 1), over: make(chan struct{}), folder: folder,
	}
	socket := filepath.Join(folder, "judge")
	yarn, err := r.serve(r.Player.Handler(recording.ResourceManager))
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	history, err := r.serve(r.Player.Handler(recording.History))
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	sink, err := r.serve(&sink{now: r.now, told: o.Told})
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	webhook, err := r.serve(&webhook{now: r.Player.Now, notified: o.Notified})
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	relay, err := r.serve(newRelay(r.now, socket, r.polled))
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	args := []string{"--config", o.Config}
	for _, setting := range o.Settings {
		args = append(args, "--config", setting)
	}
	interval := lockstep
	if o.Speed > 0 {
		interval = time.Duration(float64(Poll) / o.Speed)
	}
	r.collector = exec.CommandContext(ctx, o.Collector, args...)
	r.collector.Cancel = func() error { return r.collector.Process.Signal(os.Interrupt) }
	r.collector.WaitDelay = 10 * time.Second
	r.collector.Stdout, r.collector.Stderr = o.Log, o.Log
	r.collector.Env = append(os.Environ(),
		"DEMO_YARN="+yarn, "DEMO_HISTORY="+history, "DEMO_SINK="+sink, "DEMO_WEBHOOK="+webhook,
		"REHEARSAL_RELAY="+relay, "REHEARSAL_JUDGE="+socket, "DEMO_INTERVAL="+interval.String())
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

const (
	// settling is how many polls the collector is given after the end of the recording to say that flags are over.
	settling = 10
	// lockstep is the collection interval where the collector sets the speed: long enough for it to read in the
	// background what it does between two polls.
	lockstep = 100 * time.Millisecond
	// patience is how long a poll may take then.
	patience = time.Minute
)

// now is the time on the recording's time line, and on beyond its end where the collector sets the speed.
func (r *Rehearsal) now() time.Time { return r.Player.Now().Add(time.Duration(r.beyond.Load())) }

// polled is called after each poll; where the collector sets the speed, it moves the recording on.
func (r *Rehearsal) polled() {
	if r.speed > 0 {
		return
	}
	if r.Player.Remaining() == 0 && r.beyond.Add(int64(Poll)) == int64(settling*Poll) {
		close(r.over)
	}
	r.Player.Seek(r.Player.Now().Add(Poll))
	select {
	case r.polls <- struct{}{}:
	default:
	}
}

// WaitForEnd waits until the recording is over. It fails if the collector ends before.
func (r *Rehearsal) WaitForEnd(ctx context.Context) error {
	if r.speed == 0 {
		return r.settle(ctx)
	}
	left := r.Player.Remaining() + time.Duration(settling*float64(Poll)/r.speed)
	select {
	case err := <-r.ended:
		r.ended <- err
		return r.collectorEnded(ctx, err)
	case <-time.After(left):
		return nil
	}
}

// settle waits until there were enough polls at the end of the recording.
func (r *Rehearsal) settle(ctx context.Context) error {
	for {
		select {
		case <-r.over:
			return nil
		case <-r.polls:
		case err := <-r.ended:
			r.ended <- err
			return r.collectorEnded(ctx, err)
		case <-time.After(patience):
			return fmt.Errorf("the collector has not polled for %s", patience)
		}
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
	return fmt.Errorf("the collector ended by itself: %w", err)
}

// Stop ends the collector and the replay.
func (r *Rehearsal) Stop() error {
	_ = r.collector.Process.Signal(os.Interrupt) // it may have ended
	r.ended <- <-r.ended
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
	return errors.Join(append(errs, os.RemoveAll(r.folder))...)
}
