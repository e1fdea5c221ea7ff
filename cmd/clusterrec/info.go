package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/recording"
)

const largestShown = 10

func info(_ context.Context, args []string, out io.Writer) error {
	file, err := parseFlags(newFlags("info"), args)
	if err != nil {
		return err
	}
	rec, err := recording.Load(file)
	if err != nil {
		return err
	}
	return describe(out, file, rec)
}

func describe(out io.Writer, file string, rec *recording.Recording) error {
	stat, err := os.Stat(file)
	if err != nil {
		return err
	}
	bodies := 0
	for _, a := range rec.Answers() {
		bodies += len(a.Body)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "file\t%s, %d bytes\n", file, stat.Size())
	fmt.Fprintf(w, "time\t%s for %s\n", rec.Start().UTC().Format(time.RFC3339), rec.End().Sub(rec.Start()).Round(time.Millisecond))
	fmt.Fprintf(w, "origins\t%s\n", strings.Join(rec.Origins(), " "))
	fmt.Fprintf(w, "entries\t%d with %d bytes of bodies\n", len(rec.Answers()), bodies)
	for _, app := range rec.Applications() {
		fmt.Fprintf(w, "%s\t%s %s %s/%s\n", app.ID, app.Type, app.Name, app.State, app.FinalStatus)
	}
	fmt.Fprintln(w, "\nlargest") // ends the column
	for _, l := range largest(rec) {
		fmt.Fprintf(w, "%d bytes in %d answers\t%s %s\n", l.bytes, l.answers, l.Origin, l.Key)
	}
	return w.Flush()
}

type size struct {
	recording.Target
	answers, bytes int
}

// largest returns what takes the most room.
func largest(rec *recording.Recording) []size {
	sizes := map[recording.Target]size{}
	for _, a := range rec.Answers() {
		s := sizes[a.Target()]
		sizes[a.Target()] = size{a.Target(), s.answers + 1, s.bytes + len(a.Body)}
	}
	sorted := slices.SortedFunc(maps.Values(sizes), func(a, b size) int {
		return cmp.Or(cmp.Compare(b.bytes, a.bytes), cmp.Compare(a.Key, b.Key))
	})
	return sorted[:min(largestShown, len(sorted))]
}
