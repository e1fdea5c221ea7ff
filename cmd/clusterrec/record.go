package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/recording"
)

func record(ctx context.Context, args []string, out io.Writer) error {
	flags := newFlags("record")
	file := flags.String("out", "", "the file to write")
	interval := flags.Duration("interval", time.Second, "from one pass over the cluster to the next")
	var origins, replace pairs
	flags.Var(&origins, "origin", "a server to record, as NAME=URL; may be repeated")
	flags.Var(&replace, "replace", "what to write instead of what in URLs, headers and bodies, as OLD=NEW; may be repeated, the first that fits wins")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *file == "" || flags.NArg() > 0 {
		return errors.New("record needs --out FILE and nothing but flags")
	}
	if *interval <= 0 {
		return fmt.Errorf("--interval must be positive, not %s", *interval)
	}

	options := recording.Options{Origins: map[string]string{}, Interval: *interval}
	for _, origin := range origins {
		options.Origins[origin[0]] = origin[1]
	}
	var oldnew []string
	for _, r := range replace {
		oldnew = append(oldnew, r[0], r[1])
	}
	options.Replace = strings.NewReplacer(oldnew...)

	rec, err := recording.Record(ctx, options)
	if rec == nil {
		return err
	}
	if err := errors.Join(err, rec.Save(*file)); err != nil {
		return err
	}
	return describe(out, *file, rec)
}
