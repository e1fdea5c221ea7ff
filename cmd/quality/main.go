// Command quality replays recordings through the built distribution and holds what is flagged against what was
// injected: a table of hits, misses and false flags by rule, and the same as JSON.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"text/tabwriter"

	"go.yaml.in/yaml/v3"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/rehearsal"
)

func main() {
	collector := flag.String("collector", "dist/otelcol-sparkmodel", "the distribution to run")
	config := flag.String("config", "config/demo.yaml", "its configuration")
	expected := flag.String("expected", "testdata/expected.yaml", "what each application must be flagged for")
	speed := flag.Float64("speed", 40, "how many times faster than it was")
	out := flag.String("json", "dist/quality.json", "where the figures go as JSON")
	flag.Parse()
	recordings := flag.Args()
	if len(recordings) == 0 {
		recordings, _ = filepath.Glob("testdata/recordings/spark-*.har.zst") // the pattern is well formed
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *collector, *config, *expected, recordings, *speed, *out); err != nil {
		fmt.Fprintln(os.Stderr, "quality:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, collector, config, expected string, recordings []string, speed float64, out string) error {
	text, err := os.ReadFile(expected)
	if err != nil {
		return err
	}
	var expectations map[string]expectation
	if err := yaml.Unmarshal(text, &expectations); err != nil {
		return fmt.Errorf("%s: %w", expected, err)
	}
	var total tally
	for _, name := range recordings {
		flagged, err := replay(ctx, rehearsal.Options{Collector: collector, Config: config, Recording: name, Speed: speed})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		total.add(filepath.Base(name), expectations, flagged)
	}
	total.write(os.Stdout)
	figures, err := json.MarshalIndent(map[string]any{"rules": total.figures()}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(out, append(figures, '\n'), 0o600)
}

// replay returns the rules that were flagged, by the name of the application.
func replay(ctx context.Context, o rehearsal.Options) (map[string]map[string]struct{}, error) {
	var mu sync.Mutex
	flagged := map[string]map[string]struct{}{}
	o.Told = func(f rehearsal.Flag) {
		mu.Lock()
		defer mu.Unlock()
		if f.Severity == 0 || f.Name == "" {
			return
		}
		if flagged[f.Name] == nil {
			flagged[f.Name] = map[string]struct{}{}
		}
		flagged[f.Name][f.Rule] = struct{}{}
	}
	r, err := rehearsal.Start(ctx, o)
	if err != nil {
		return nil, err
	}
	err = r.WaitForEnd(ctx)
	if stopped := r.Stop(); err == nil {
		err = stopped
	}
	return flagged, err
}

// expectation is what an application must and may be flagged for; any other flag is false.
type expectation struct {
	Must []string `yaml:"must"`
	May  []string `yaml:"may"`
}

// count is how a rule did.
type count struct {
	Hits   int `json:"hits"`
	Misses int `json:"misses"`
	False  int `json:"false"`
}

// tally sums up over recordings.
type tally struct {
	runs   int
	rules  map[string]*count
	faults []string
}

func (t *tally) rule(name string) *count {
	if t.rules == nil {
		t.rules = map[string]*count{}
	}
	if t.rules[name] == nil {
		t.rules[name] = &count{}
	}
	return t.rules[name]
}

func (t *tally) add(recording string, expectations map[string]expectation, flagged map[string]map[string]struct{}) {
	for name, e := range expectations {
		t.runs++
		for _, rule := range e.Must {
			if _, ok := flagged[name][rule]; ok {
				t.rule(rule).Hits++
			} else {
				t.rule(rule).Misses++
				t.faults = append(t.faults, fmt.Sprintf("missed  %s: %s in %s", rule, name, recording))
			}
		}
		for rule := range flagged[name] {
			if !slices.Contains(e.Must, rule) && !slices.Contains(e.May, rule) {
				t.rule(rule).False++
				t.faults = append(t.faults, fmt.Sprintf("false   %s: %s in %s", rule, name, recording))
			}
		}
	}
}

// figures are precision and recall over all rules, and each rule's counts.
func (t *tally) figures() map[string]any {
	var all count
	for _, c := range t.rules {
		all.Hits += c.Hits
		all.Misses += c.Misses
		all.False += c.False
	}
	return map[string]any{
		"runs": t.runs, "by_rule": t.rules,
		"precision": ratio(all.Hits, all.Hits+all.False), "recall": ratio(all.Hits, all.Hits+all.Misses),
	}
}

func ratio(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}

func (t *tally) write(out io.Writer) {
	names := make([]string, 0, len(t.rules))
	for name := range t.rules {
		names = append(names, name)
	}
	slices.Sort(names)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "rule\thits\tmisses\tfalse flags")
	for _, name := range names {
		c := t.rules[name]
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\n", name, c.Hits, c.Misses, c.False)
	}
	_ = table.Flush()
	figures := t.figures()
	fmt.Fprintf(out, "%d runs, precision %.2f, recall %.2f\n", t.runs, figures["precision"], figures["recall"])
	slices.Sort(t.faults)
	for _, fault := range t.faults {
		fmt.Fprintln(out, fault)
	}
}
