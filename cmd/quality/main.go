// Command quality replays recordings through the built distribution and holds what is flagged against what was injected:
// tables of hits, misses and false flags by rule and by application, as JSON for scripts and as Markdown for people.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/recording"
	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/rehearsal"
)

const usage = `usage: quality [flags] [RECORDING ...]
  Replays recordings, by default all in testdata/recordings, and counts what the rules find and miss.
`

type options struct {
	collector, config, rules, expected, json, markdown string
	recordings                                         []string
}

func main() {
	var o options
	flag.StringVar(&o.collector, "collector", "dist/otelcol-sparkmodel", "the distribution to run")
	flag.StringVar(&o.config, "config", "cmd/quality/collector.yaml", "its configuration")
	flag.StringVar(&o.rules, "rules", "", "a file with rules of your own to try")
	flag.StringVar(&o.expected, "expected", "testdata/expected.yaml", "what each application must be flagged for")
	flag.StringVar(&o.json, "json", "dist/quality.json", "where the figures go as JSON")
	flag.StringVar(&o.markdown, "markdown", "", "where the tables go as Markdown")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	flag.Parse()
	o.recordings = flag.Args()
	if len(o.recordings) == 0 {
		o.recordings, _ = filepath.Glob("testdata/recordings/*.har.zst") // the pattern is well formed
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "quality:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out io.Writer) error {
	expected, err := loadExpectations(o.expected)
	if err != nil {
		return err
	}
	var total tally
	for _, file := range o.recordings {
		rec, err := recording.Load(file)
		if err != nil {
			return err
		}
		flags, err := replay(ctx, o, rec)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		name, _, _ := strings.Cut(filepath.Base(file), ".har")
		if err := total.add(name, rec.Applications(), expected, flags); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	total.write(out)
	if err := o.writeJSON(&total); err != nil {
		return err
	}
	if o.markdown == "" {
		return nil
	}
	var text strings.Builder
	total.markdown(&text)
	return os.WriteFile(o.markdown, []byte(text.String()), 0o644) //nolint:gosec // it is to be read
}

// writeJSON puts the figures under "rules", beside what others have measured.
func (o options) writeJSON(total *tally) error {
	figures := map[string]any{}
	text, err := os.ReadFile(o.json)
	if err == nil {
		err = json.Unmarshal(text, &figures)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", o.json, err)
	}
	figures["rules"] = total.figures()
	if text, err = json.MarshalIndent(figures, "", "  "); err != nil {
		return err
	}
	return os.WriteFile(o.json, append(text, '\n'), 0o600)
}

// cluster is what flags are of that belong to no application.
const cluster = ""

// flags are the rules that were flagged, by the id of the application, each with the rule that it names as its cause.
type flags map[string]map[string]string

func (f flags) add(application, rule, cause string) {
	if f[application] == nil {
		f[application] = map[string]string{}
	}
	f[application][rule] = cause
}

// replay returns what is flagged in a recording.
func replay(ctx context.Context, o options, rec *recording.Recording) (flags, error) {
	var (
		mu      sync.Mutex
		log     strings.Builder // at its end it complains that it was ended
		flagged = flags{}
	)
	settings := rehearsal.Options{
		Collector: o.collector, Config: o.config, Recording: rec, Log: &log,
		Told: func(f rehearsal.Flag) {
			mu.Lock()
			defer mu.Unlock()
			if f.Severity > 0 {
				flagged.add(f.Application, f.Rule, f.Cause)
			}
		},
	}
	if o.rules != "" {
		file, err := filepath.Abs(o.rules)
		if err != nil {
			return nil, err
		}
		settings.Settings = append(settings.Settings, fmt.Sprintf("yaml:processors::anomaly::rules::files: [%q]", file))
	}
	r, err := rehearsal.Start(ctx, settings)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(r.WaitForEnd(ctx), r.Stop(), ctx.Err()); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, log.String())
	}
	return flagged, nil
}
