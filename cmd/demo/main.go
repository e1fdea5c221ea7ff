// Command demo replays a recorded cluster through the built distribution and says in plain words what it flags.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/recording"
)

func main() {
	var o options
	flag.StringVar(&o.collector, "collector", "dist/otelcol-sparkmodel", "the distribution to run")
	flag.StringVar(&o.config, "config", "config/demo.yaml", "its configuration")
	flag.StringVar(&o.recording, "recording", "testdata/recordings/spark-4.3.0.har.zst", "the recording to replay")
	flag.Float64Var(&o.speed, "speed", 15, "how many times faster than it was")
	flag.BoolVar(&o.exit, "exit", false, "exit at the end of the recording instead of waiting for an interrupt")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

type options struct {
	collector, config, recording string
	speed                        float64
	exit                         bool
}

// poll is the collection interval on the recording's time line.
const poll = 10 * time.Second

func run(ctx context.Context, o options, out io.Writer) error {
	rec, err := recording.Load(o.recording)
	if err != nil {
		return err
	}
	player := recording.NewPlayer(rec, recording.PlayerOptions{Speed: o.speed})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	teller := newTeller(out, player.Now)
	var servers servers
	defer servers.stop()
	yarn, err := servers.start(player.Handler(recording.ResourceManager))
	if err != nil {
		return err
	}
	history, err := servers.start(player.Handler(recording.History))
	if err != nil {
		return err
	}
	sink, err := servers.start(teller)
	if err != nil {
		return err
	}

	fmt.Fprintf(out, "Replaying %s of a real cluster, %g times as fast: YARN, with models that Spark trains and scores on it.\n", rec.End().Sub(rec.Start()).Round(time.Second), o.speed)
	fmt.Fprintf(out, "What the collector flags, when it was so on the cluster's clock:\n\n")

	collector := exec.CommandContext(ctx, o.collector, "--config", o.config)
	collector.Cancel = func() error { return collector.Process.Signal(os.Interrupt) }
	collector.WaitDelay = 10 * time.Second
	collector.Stdout, collector.Stderr = os.Stderr, os.Stderr
	collector.Env = append(os.Environ(),
		"DEMO_YARN="+yarn, "DEMO_HISTORY="+history, "DEMO_SINK="+sink,
		"DEMO_INTERVAL="+time.Duration(float64(poll)/o.speed).String())
	if err := collector.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- collector.Wait() }()

	select {
	case err := <-ended:
		return stopped(ctx, err)
	case <-time.After(player.Remaining()):
	}
	teller.summarize()
	fmt.Fprint(out, `
Look next at
  http://127.0.0.1:9464/metrics         everything that was read, as Prometheus scrapes it; anomaly_severity holds the flags
  config/yarn.yaml                      the configuration for your cluster: change two addresses
  processor/anomalyprocessor/README.md  the rules, and how to write your own
`)
	if o.exit {
		return nil
	}
	fmt.Fprintln(out, "\nStill serving. Ctrl-C ends it.")
	return stopped(ctx, <-ended)
}

// stopped tells whether the collector ended because it was asked to.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("the collector ended by itself: %w", errors.Join(err, errors.New("see its messages above")))
}

// servers listen on this machine.
type servers struct {
	list []*http.Server
	done sync.WaitGroup
}

// start serves on a free port and returns the address.
func (s *servers) start(h http.Handler) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	s.list = append(s.list, server)
	s.done.Go(func() { _ = server.Serve(l) })
	return "http://" + l.Addr().String(), nil
}

func (s *servers) stop() {
	for _, server := range s.list {
		_ = server.Close()
	}
	s.done.Wait()
}
