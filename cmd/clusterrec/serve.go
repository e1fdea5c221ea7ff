package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/internal/recording"
)

func serve(ctx context.Context, args []string, out io.Writer) error {
	flags := newFlags("serve")
	speed := flags.Float64("speed", 1, "1 is real time, 10 ten times faster")
	from := flags.Duration("from", 0, "where to begin, after the recording's start")
	at := flags.Duration("at", -1, "where to stand still, after the recording's start")
	listen := flags.String("listen", "127.0.0.1:0", "the address to listen on; a port other than 0 is the first origin's, and the others follow")
	file, err := parseFlags(flags, args)
	if err != nil {
		return err
	}
	if *speed <= 0 {
		return fmt.Errorf("--speed must be positive, not %g: --at stands still", *speed)
	}
	addr, err := net.ResolveTCPAddr("tcp", *listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	rec, err := recording.Load(file)
	if err != nil {
		return err
	}
	options := recording.PlayerOptions{Speed: *speed, From: rec.Start().Add(*from)}
	if *at >= 0 {
		options = recording.PlayerOptions{From: rec.Start().Add(*at)}
	}

	listeners := map[string]net.Listener{}
	defer func() {
		for _, l := range listeners {
			l.Close()
		}
	}()
	for _, origin := range rec.Origins() {
		l, err := net.ListenTCP("tcp", addr)
		if err != nil {
			return err
		}
		listeners[origin] = l
		if addr.Port != 0 {
			addr.Port++
		}
		fmt.Fprintf(out, "%s http://%s\n", origin, l.Addr())
	}
	return serveAll(ctx, recording.NewPlayer(rec, options), listeners)
}

// serveAll answers for every origin until ctx ends or a server fails.
func serveAll(ctx context.Context, player *recording.Player, listeners map[string]net.Listener) error {
	g, ctx := errgroup.WithContext(ctx)
	for origin, l := range listeners {
		server := &http.Server{Handler: player.Handler(origin), ReadHeaderTimeout: 10 * time.Second}
		g.Go(func() error {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
		g.Go(func() error {
			<-ctx.Done()
			return server.Close()
		})
	}
	return g.Wait()
}
