// Command clusterrec records the life of a Spark and Hadoop cluster, serves a recording as if it were the cluster, and
// tells what a recording holds.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

const usage = `usage:
  clusterrec record --out FILE --origin NAME=URL [--origin ...] [--interval 1s] [--replace OLD=NEW ...]
      records until interrupted; NAME is rm, history, namenode, datanode or jobhistory
  clusterrec serve [--speed 1] [--from DURATION | --at DURATION] [--listen 127.0.0.1:0] FILE
      answers as the cluster did, until interrupted; --at freezes it
  clusterrec info FILE
      tells what a recording holds
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "clusterrec:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	commands := map[string]func(context.Context, []string, io.Writer) error{"record": record, "serve": serve, "info": info}
	if len(args) == 0 {
		return fmt.Errorf("no command\n%s", usage)
	}
	command := commands[args[0]]
	if command == nil {
		return fmt.Errorf("unknown command %q\n%s", args[0], usage)
	}
	err := command(ctx, args[1:], out)
	if errors.Is(err, flag.ErrHelp) {
		_, err = io.WriteString(out, usage)
	}
	return err
}

// newFlags returns a flag set that leaves it to run to tell of errors.
func newFlags(command string) *flag.FlagSet {
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}

// parseFlags accepts flags before and after the one positional argument, which is the recording's file.
func parseFlags(flags *flag.FlagSet, args []string) (string, error) {
	if err := flags.Parse(args); err != nil {
		return "", err
	}
	file := flags.Arg(0)
	if flags.NArg() > 1 {
		if err := flags.Parse(flags.Args()[1:]); err != nil {
			return "", err
		}
		if flags.NArg() > 0 {
			return "", fmt.Errorf("unexpected argument %q", flags.Arg(0))
		}
	}
	if file == "" {
		return "", errors.New("which recording? " + flags.Name() + " needs a file")
	}
	return file, nil
}

// pairs is a flag that may be given many times, as NAME=VALUE.
type pairs [][2]string

func (p *pairs) String() string { return fmt.Sprint([][2]string(*p)) }

func (p *pairs) Set(s string) error {
	name, value, ok := strings.Cut(s, "=")
	if !ok || name == "" {
		return fmt.Errorf("%q is not of the form NAME=VALUE", s)
	}
	*p = append(*p, [2]string{name, value})
	return nil
}
