package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"go.yaml.in/yaml/v3"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/recording"
)

// expectation is what an application must be flagged for, and may be for the reason given; any other flag is false.
type expectation struct {
	Must []string          `yaml:"must"`
	May  map[string]string `yaml:"may"`
	// Cluster is what the cluster must and may be flagged for because of it.
	Cluster struct {
		Must []string          `yaml:"must"`
		May  map[string]string `yaml:"may"`
	} `yaml:"cluster"`
}

// loadExpectations reads the expectations by kind of application, by recording, and by application in a recording.
func loadExpectations(file string) (map[string]expectation, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	var expected map[string]expectation
	if err := decoder.Decode(&expected); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return expected, nil
}

// count is how a rule did.
type count struct {
	Hits   int `json:"hits"`
	Misses int `json:"misses"`
	False  int `json:"false"`
}

// outcome is how one application, or a cluster, fared.
type outcome struct {
	recording, name       string
	hits, misses, allowed []string
	false                 []string
}

// tally sums up over recordings.
type tally struct {
	runs     int
	rules    map[string]*count
	outcomes []outcome
}

// add counts what was flagged in a recording.
func (t *tally) add(rec string, applications []recording.Application, expected map[string]expectation, flagged flags) error {
	peculiar := expected[rec]
	whole := expectation{Must: slices.Clone(peculiar.Cluster.Must), May: map[string]string{}}
	maps.Copy(whole.May, peculiar.Cluster.May)
	for _, app := range applications {
		if app.Type != "SPARK" {
			continue
		}
		e, ok := expected[rec+"/"+app.Name]
		if !ok {
			e, ok = expected[strings.TrimSuffix(app.Name, "_large")]
		}
		if !ok {
			return fmt.Errorf("there is no expectation for the application %s", app.Name)
		}
		may := map[string]string{}
		maps.Copy(may, peculiar.May)
		maps.Copy(may, e.May)
		t.runs++
		t.judge(rec, app.Name, expectation{Must: e.Must, May: may}, flagged[app.ID])
		whole.Must = append(whole.Must, e.Cluster.Must...)
		maps.Copy(whole.May, e.Cluster.May)
	}
	t.judge(rec, "(cluster)", whole, flagged[cluster])
	return nil
}

func (t *tally) judge(rec, name string, e expectation, flagged map[string]string) {
	o := outcome{recording: rec, name: name}
	for _, rule := range e.Must {
		if _, ok := flagged[rule]; ok {
			t.rule(rule).Hits++
			o.hits = append(o.hits, rule)
		} else {
			t.rule(rule).Misses++
			o.misses = append(o.misses, rule)
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(flagged)) {
		_, may := e.May[rule]
		_, caused := flagged[flagged[rule]]
		switch {
		case slices.Contains(e.Must, rule):
		case may || caused:
			o.allowed = append(o.allowed, rule)
		default:
			t.rule(rule).False++
			o.false = append(o.false, rule)
		}
	}
	t.outcomes = append(t.outcomes, o)
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

func (t *tally) all() (all count) {
	for _, c := range t.rules {
		all.Hits += c.Hits
		all.Misses += c.Misses
		all.False += c.False
	}
	return all
}

func (c count) precision() float64 { return ratio(c.Hits, c.Hits+c.False) }
func (c count) recall() float64    { return ratio(c.Hits, c.Hits+c.Misses) }

func ratio(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}

// figures are precision and recall over all rules, and each rule's counts.
func (t *tally) figures() map[string]any {
	all := t.all()
	return map[string]any{"runs": t.runs, "precision": all.precision(), "recall": all.recall(), "by_rule": t.rules}
}

// write writes the table by rule, and what is wrong.
func (t *tally) write(out io.Writer) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "rule\thits\tmisses\tfalse flags")
	for _, name := range slices.Sorted(maps.Keys(t.rules)) {
		c := t.rules[name]
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\n", name, c.Hits, c.Misses, c.False)
	}
	_ = table.Flush()
	all := t.all()
	fmt.Fprintf(out, "%d runs, precision %.2f, recall %.2f\n", t.runs, all.precision(), all.recall())
	for _, o := range t.outcomes {
		for _, rule := range o.misses {
			fmt.Fprintf(out, "missed  %s: %s in %s\n", rule, o.name, o.recording)
		}
		for _, rule := range o.false {
			fmt.Fprintf(out, "false   %s: %s in %s\n", rule, o.name, o.recording)
		}
	}
}

// markdown writes all tables as a page.
func (t *tally) markdown(out io.Writer) {
	all := t.all()
	fmt.Fprintf(out, `# What the rules find, and miss

Written by %[1]smake quality%[1]s: recordings of real Spark applications on a real YARN cluster (testdata/recordings) are replayed
through the built distribution, and what it flags is held against what was wrong with each application
(testdata/expected.yaml). Up to three applications at a time had two cores, in spark-busy with builds beside them, so
that load is part of the test.

%[2]d runs: precision %.2[3]f, recall %.2[4]f.

| Rule | Hits | Misses | False flags |
| --- | --- | --- | --- |
`, "`", t.runs, all.precision(), all.recall())
	for _, name := range slices.Sorted(maps.Keys(t.rules)) {
		c := t.rules[name]
		fmt.Fprintf(out, "| `%s` | %d | %d | %d |\n", name, c.Hits, c.Misses, c.False)
	}
	fmt.Fprint(out, `
An application whose name ends in "_large" is the second size of the same fault. What it may be flagged for as well, as a
consequence, is neither a hit nor false.

| Recording | Application | Found | Missed | Flagged as well | False |
| --- | --- | --- | --- | --- | --- |
`)
	for _, o := range t.outcomes {
		fmt.Fprintf(out, "| %s | %s |", o.recording, o.name)
		for _, rules := range [][]string{o.hits, o.misses, o.allowed, o.false} {
			fmt.Fprintf(out, " %s |", strings.Join(rules, ", "))
		}
		fmt.Fprintln(out)
	}
}
