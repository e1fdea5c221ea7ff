// Command bench measures what the receiver costs: against apachesparkreceiver on one long-lived application, and on a
// fleet of a thousand. It reads recorded answers of real servers, which run in a process of their own. bench/record makes
// the recording anew.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
)

// Files, relative to the repository's root, where the command runs.
const (
	longLivedFile = "testdata/cost/long-lived.har.zst"
	clusterFile   = "testdata/recordings/hadoop-3.5.0.har.zst"
	driverFile    = "testdata/recordings/spark-4.3.0.har.zst"
	jsonFile      = "dist/bench.json"
	tablesFile    = "docs/benchmarks.md"
)

// commands by their name; without one everything is measured.
var commands = map[string]func(ctx context.Context, args []string) error{
	"":            bench,
	"record":      record,
	"serve":       serve,
	"serve-fleet": serveFleet,
	"watch-fleet": watchFleet,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	flag.Parse()
	command, ok := commands[flag.Arg(0)]
	if !ok {
		fmt.Fprintf(os.Stderr, "bench: there is no %q\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := command(ctx, flag.Args()[min(1, flag.NArg()):]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench measures everything, and fails where a target is missed.
func bench(ctx context.Context, _ []string) error {
	compared, err := compare(ctx)
	if err != nil {
		return err
	}
	fleet, err := measureFleet(ctx)
	if err != nil {
		return err
	}
	rules, err := benchmarks(ctx)
	if err != nil {
		return err
	}
	report := report{compared, fleet, rules, machine()}
	if err := report.write(); err != nil {
		return err
	}
	return errors.Join(report.missed()...)
}

// machine says what the figures were measured on.
func machine() string {
	return fmt.Sprintf("%d cores, %s/%s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}
