// Command demo replays a recorded cluster through the built distribution and says in plain words what it flags.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/recording"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/rehearsal"
)

func main() {
	var o options
	flag.StringVar(&o.collector, "collector", "dist/otelcol-sparkmodel", "the distribution to run")
	flag.StringVar(&o.config, "config", "config/demo.yaml", "its configuration")
	flag.StringVar(&o.recording, "recording", "testdata/recordings/spark-4.3.0.har.zst", "the recording to replay")
	flag.Float64Var(&o.speed, "speed", 30, "how many times faster than it was")
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

func run(ctx context.Context, o options, out io.Writer) (err error) {
	rec, err := recording.Load(o.recording)
	if err != nil {
		return err
	}
	teller := newTeller(out)
	r, err := rehearsal.Start(ctx, rehearsal.Options{
		Collector: o.collector, Config: o.config, Recording: rec, Speed: o.speed, Log: os.Stderr, Told: teller.tell,
		Notified: teller.notified,
	})
	if err != nil {
		return err
	}
	defer func() {
		if stopped := r.Stop(); err == nil {
			err = stopped
		}
	}()
	teller.printf("Replaying %s of a real cluster, %g times as fast: YARN, with models that Spark trains and scores on it.\n", r.Duration().Round(time.Second), o.speed)
	teller.printf("What the collector flags, and whom it notifies, by the cluster's clock:\n\n")
	if err := r.WaitForEnd(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	teller.summarize()
	teller.printf(`
Look next at
  http://127.0.0.1:9464/metrics         everything that was read, as Prometheus scrapes it; anomaly_severity holds the flags
  config/yarn.yaml                      the configuration for your cluster: change three addresses
  config/alert.yaml                     who is told: also e-mail, webhooks, PagerDuty, your Alertmanager
  processor/anomalyprocessor/README.md  the rules, and how to write your own
`)
	if o.exit {
		return nil
	}
	teller.printf("\nStill serving. Ctrl-C ends it.\n")
	return r.Wait(ctx)
}
