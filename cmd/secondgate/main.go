// Command secondgate operates an installation of secondgate: it shows what a user has, unlocks and
// resets users, makes access codes, imports users from other systems, reports, and rotates keys. It
// works on the store of an application, beside the application.
//
//	secondgate help
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitPartly = 3
)

// errUsage is about the command line.
var errUsage = errors.New("see: secondgate help")

// errPartly is returned if something was done and something failed.
var errPartly = errors.New("not everything was done")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run runs the command line and returns the exit code.
func run(ctx context.Context, args []string, out, messages io.Writer) int {
	err := dispatch(ctx, args, out, messages)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return exitDone
	}
	fmt.Fprintf(messages, "secondgate: %v\n", err)
	switch {
	case errors.Is(err, errUsage):
		return exitUsage
	case errors.Is(err, errPartly):
		return exitPartly
	}
	return exitFailed
}

func dispatch(ctx context.Context, args []string, out, messages io.Writer) error {
	name := "help"
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	if name == "help" || name == "-h" || name == "-help" || name == "--help" {
		return help(out)
	}
	for _, c := range commands() {
		if c.name == name {
			return c.call(ctx, args, out, messages)
		}
	}
	return fmt.Errorf("there is no command %q; %w", name, errUsage)
}

func help(out io.Writer) error {
	_, err := fmt.Fprint(out, `secondgate operates an installation of secondgate.

  secondgate COMMAND [flags] [arguments]

`)
	for _, c := range commands() {
		fmt.Fprintf(out, "  %-24s %s\n", c.name+" "+c.arguments, c.does)
	}
	fmt.Fprint(out, `
"secondgate COMMAND -help" has the flags and examples of a command.

The store is the database of the application:

  sqlite:/var/lib/acme/acme.db
  postgres://user:password@host:5432/database
  mysql://user:password@host:3306/database
  redis://user:password@host:6379/0

Exit codes: 0 done, 1 failed, 2 wrong command line, 3 done in part (see the messages).
`)
	return err
}
