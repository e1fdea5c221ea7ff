package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"text/template"
)

// report is what was measured, as a script and as a person read it.
type report struct {
	Compared comparison
	Fleet    fleetUse
	Rules    map[string]float64
	Machine  string
}

// ratios of what a poll of ours costs to what one of the peer's does.
type ratios struct{ Requests, Bytes, CPU, Allocs float64 }

func ratio(ours, peer cost) ratios {
	return ratios{ours.Requests, ours.Bytes / peer.Bytes, float64(ours.CPU) / float64(peer.CPU), ours.Allocs / peer.Allocs}
}

// worst returns the worst ratios of a steady poll, whether a job runs or not, and whether answers are compressed or not.
func (r *report) worst() (w ratios) {
	for _, path := range r.Compared {
		for _, pass := range []int{idle, busy} {
			x := ratio(path[pass].Ours, path[pass].Peer)
			w = ratios{max(w.Requests, x.Requests), max(w.Bytes, x.Bytes), max(w.CPU, x.CPU), max(w.Allocs, x.Allocs)}
		}
	}
	return w
}

// missed returns the targets that were missed.
func (r *report) missed() []error {
	var errs []error
	check := func(name string, value, most float64) {
		if value > most {
			errs = append(errs, fmt.Errorf("%s is %.3g, and must be at most %.3g", name, value, most))
		}
	}
	w := r.worst()
	check("requests of a steady poll", w.Requests, 8)
	check("bytes of a steady poll, ours / peer", w.Bytes, 0.05)
	check("CPU of a steady poll, ours / peer", w.CPU, 0.2)
	check("allocations of a steady poll, ours / peer", w.Allocs, 0.2)
	check("seconds of a poll of the fleet", r.Fleet.PollSeconds, 15)
	check("MiB for the fleet", r.Fleet.MaxRSS, 400)
	return errs
}

// write writes the figures for scripts, leaving those of others in the file, and the tables.
func (r *report) write() error {
	w := r.worst()
	figures := map[string]any{}
	text, err := os.ReadFile(jsonFile)
	if err == nil {
		err = json.Unmarshal(text, &figures)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	maps.Copy(figures, map[string]any{
		"receiver": map[string]any{"requests": w.Requests, "bytes_ratio": w.Bytes, "cpu_ratio": w.CPU, "allocs_ratio": w.Allocs},
		"fleet":    r.Fleet,
		"rules":    r.Rules,
	})
	if text, err = json.MarshalIndent(figures, "", "  "); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(jsonFile), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(jsonFile, append(text, '\n'), 0o644); err != nil {
		return err
	}
	var tables strings.Builder
	if err := page.Execute(&tables, r); err != nil {
		return err
	}
	fmt.Print(tables.String())
	if err := os.MkdirAll(filepath.Dir(tablesFile), 0o755); err != nil {
		return err
	}
	return os.WriteFile(tablesFile, []byte(tables.String()), 0o644)
}

// Rows are the rows of the comparison.
func (r *report) Rows() []map[string]any {
	var rows []map[string]any
	for _, pass := range []struct {
		n    int
		name string
	}{{idle, "nothing runs"}, {busy, "a job runs"}, {finished, "ten jobs have finished"}} {
		for _, path := range []struct{ key, name string }{{"plain", "uncompressed"}, {"gzip", "gzip"}} {
			both := r.Compared[path.key][pass.n]
			x := ratio(both.Ours, both.Peer)
			rows = append(rows, map[string]any{"Pass": pass.name, "Path": path.name, "Ours": both.Ours, "Peer": both.Peer, "Ratio": x})
		}
	}
	return rows
}

var page = template.Must(template.New("").Funcs(template.FuncMap{
	"kb":      func(bytes float64) string { return fmt.Sprintf("%.1f", bytes/1000) },
	"ms":      func(c cost) string { return fmt.Sprintf("%.1f", float64(c.CPU.Microseconds())/1000) },
	"percent": func(r float64) string { return fmt.Sprintf("%.1f %%", 100*r) },
	"count":   func(f float64) string { return fmt.Sprintf("%.0f", f) },
	"one":     func(f float64) string { return fmt.Sprintf("%.1f", f) },
}).Parse(`# Benchmarks

Written by ` + "`make bench`" + `, on {{.Machine}}. The ratios count; times are of one run on one machine.

## A poll of a long-lived application, against apachesparkreceiver v0.144.0

1,000 ended jobs, 1,000 stages and 100 executors, as a Spark 4.3.0 History Server answers for a generated event log of an
application that has not ended. Both receivers read the same server in one run, with their defaults; bytes are all that
goes over the wire, headers and requests included. YARN's proxy never compresses; a driver that is read directly does.

| since the last poll | answers | requests | peer's | KB | peer's | | CPU ms | peer's | | allocations | peer's | | points | peer's |
|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
{{range .Rows}}| {{.Pass}} | {{.Path}} | {{one .Ours.Requests}} | {{one .Peer.Requests}} | {{kb .Ours.Bytes}} | {{kb .Peer.Bytes}} | {{percent .Ratio.Bytes}} | {{ms .Ours}} | {{ms .Peer}} | {{percent .Ratio.CPU}} | {{count .Ours.Allocs}} | {{count .Peer.Allocs}} | {{percent .Ratio.Allocs}} | {{.Ours.Points}} | {{.Peer.Points}} |
{{end}}
The first poll of an application reads everything once, as each of the peer's does. A hundred executors are listed in
every fifth poll while a job runs, and in every sixth while none does; the averages include those polls.

## A fleet

{{.Fleet.Applications}} applications with {{.Fleet.Executors}} executors each behind one resource manager's proxy, every one with a stage that runs; the
receiver in a process of its own, on two cores that it shares with the server.

| | |
|---|--:|
| the first poll, which reads everything | {{one .Fleet.FirstSeconds}} s |
| the slowest of the polls after it | {{one .Fleet.PollSeconds}} s |
| most memory resident | {{count .Fleet.MaxRSS}} MiB |
| data points per poll | {{.Fleet.Points}} |
| batches per poll | {{.Fleet.Batches}} |

## Rules

The anomaly processor judges {{count (index .Rules "points_per_second_core")}} data points per second on one core where rules read one in ten, with {{one (index .Rules "allocs_per_passing_point")}} allocations for a point that no rule reads.
In turns with contrib's filter processor (v0.158.0), which has one OTTL condition to ask, it sees {{one (index .Rules "filter_processor_ratio")}} times as many points per second.
`))

// benchmarks runs the processor's benchmark.
func benchmarks(ctx context.Context) (map[string]float64, error) {
	matching, err := benchmark(ctx, "one_in_ten")
	if err != nil {
		return nil, err
	}
	passing, err := benchmark(ctx, "nothing_matches")
	if err != nil {
		return nil, err
	}
	ours, peer, err := measureFilter(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]float64{
		"points_per_second_core":   matching["points/s"],
		"allocs_per_passing_point": passing["allocs/op"] / passing["points/op"],
		"filter_processor_ratio":   ours / peer,
	}, nil
}

// benchmark runs one of the processor's benchmarks and returns its figures by unit.
func benchmark(ctx context.Context, name string) (map[string]float64, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "ConsumeMetrics/"+name, "-benchmem", "-cpu", "1", "./processor/anomalyprocessor")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	figures := map[string]float64{}
	for _, m := range benchFigure.FindAllStringSubmatch(string(out), -1) {
		if figures[m[2]], err = strconv.ParseFloat(m[1], 64); err != nil {
			return nil, err
		}
	}
	if figures["points/s"] == 0 || figures["points/op"] == 0 {
		return nil, fmt.Errorf("the processor's benchmark told no points: %s", out)
	}
	return figures, nil
}

// benchFigure is a figure of a benchmark's line, and its unit.
var benchFigure = regexp.MustCompile(`([0-9.e+]+) (\S+/(?:s|op))`)
