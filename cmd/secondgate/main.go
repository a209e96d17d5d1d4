// Command secondgate operates an installation of secondgate: it shows what a user has, unlocks and
// resets users, makes access codes and mails recovery links, imports users from other systems,
// reports, and rotates keys. It works on the store of an application, beside the application.
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
	"slices"
	"strings"
	"syscall"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitPartly = 3
	exitFound  = 4
)

// exitCodes says what they mean, in the help and in the manual page.
var exitCodes = []struct {
	code  int
	means string
}{
	{exitDone, "everything was done"},
	{exitFailed, "nothing was done, or not to the end"},
	{exitUsage, "the command line is wrong; nothing was done"},
	{exitPartly, "a part was done; the messages say what was not"},
	{exitFound, "everything was looked at, and something was found that needs attention"},
}

// describes is the beginning of the help and of the manual page.
const describes = "The command works on the store of an application, beside the application. It " +
	"shows what a user has, unlocks and resets users, makes access codes, mails recovery links, " +
	"exports a user's own data, moves users in and out, looks for problems, rotates keys, and " +
	"verifies the audit trail. A " +
	"command that changes something needs an operator and a reason, and is an event with both."

// environment are the variables that stand for flags.
var environment = []struct{ name, means string }{
	{"SECONDGATE_STORE", "URL of the store, in place of -store."},
	{"SECONDGATE_KEY_FILE", "File of the keys, in place of -keys."},
	{"SECONDGATE_KEYS", "The keys themselves, in base64, where no key file is named."},
	{"SECONDGATE_VAULT", "URL of the vault that encrypts the file of the keys, in place of -vault."},
	{"SECONDGATE_VAULT_TOKEN", "Token for a transit engine, Google Cloud or Azure; defaults to $VAULT_TOKEN."},
	{"SECONDGATE_VAULT_PIN", "PIN of a hardware security module whose URL has no pin-source."},
	{"SECONDGATE_LOG", "File to which events are appended, in place of -log."},
	{"SECONDGATE_SMTP", "URL of the mail server, in place of -smtp."},
	{"SECONDGATE_SETUP_URL", "Page to which recovery links lead, in place of -setup-url."},
	{"SECONDGATE_SERVICE", "Name of the service in mails, in place of -service."},
	{"SECONDGATE_TRAIL", "The audit trail, in place of -trail."},
	{"SECONDGATE_TRAIL_KEY", "File of the key that signs it, in place of -trail-key."},
	{"SECONDGATE_TRAIL_ORIGIN", "Name of the audit trail, in place of -trail-origin."},
	{"NO_COLOR", "If it is set, no output has colours. Only a terminal is shown any."},
}

// storeURLs are examples of the URL of a store.
var storeURLs = []string{
	"sqlite:/var/lib/acme/acme.db",
	"postgres://user:password@host:5432/database",
	"mysql://user:password@host:3306/database",
	"redis://user:password@host:6379/0",
	"etcd://user:password@host:2379,host:2379/prefix",
	"nats://user:password@host:4222,host:4222/stream?replicas=3",
	"mongodb://user:password@host:27017,host:27017/database?replicaSet=name",
	"dynamodb://table?region=eu-central-1",
}

// errUsage is about the command line.
var errUsage = errors.New("see: secondgate help")

// errPartly is returned if something was done and something failed.
var errPartly = errors.New("not everything was done")

// errFound is returned if a command that looks for problems found one.
var errFound = errors.New("something needs attention")

func main() {
	// A write to a pipe that its reader closed is an error. Otherwise it ends the program at once,
	// after an act was done and before its event is in the audit trail.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the program at once: the first one may wait for a pipe or a statement.
	context.AfterFunc(ctx, stop)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run runs the command line and returns the exit code.
func run(ctx context.Context, args []string, out, messages io.Writer) int {
	written := &output{Writer: out}
	messages = printable{messages}
	err := dispatch(ctx, args, printable{written}, messages)
	if errors.Is(err, flag.ErrHelp) {
		err = nil
	}
	if lost := written.lost(); lost != nil && !errors.Is(err, lost) {
		err = errors.Join(err, lost)
	}
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(messages, "secondgate: %s\n", problem(ctx, err))
	switch {
	case errors.Is(err, errUsage):
		return exitUsage
	case errors.Is(err, errPartly):
		return exitPartly
	case errors.Is(err, errFound):
		return exitFound
	}
	return exitFailed
}

// problem returns the text of an error. An operator who interrupted a command reads that, and not
// that a context was cancelled.
func problem(ctx context.Context, err error) string {
	text := strings.TrimPrefix(err.Error(), "secondgate: ")
	if ctx.Err() == nil {
		return text
	}
	const interrupted = "interrupted"
	text = strings.ReplaceAll(text, context.Canceled.Error(), interrupted)
	if !strings.Contains(text, interrupted) {
		text = interrupted + ": " + text
	}
	return text
}

func dispatch(ctx context.Context, args []string, out, messages io.Writer) error {
	name := "help"
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	if name == "-h" || name == "-help" || name == "--help" || name == "help" && len(args) == 0 {
		return help(out)
	}
	if name == "help" {
		return dispatch(ctx, append(slices.Clone(args), "-help"), out, messages)
	}
	if name == completeName {
		return writeSuggestions(out, args)
	}
	var inGroup []string
	for _, c := range commands() {
		switch group, second, grouped := strings.Cut(c.name, " "); {
		case group != name:
		case !grouped:
			return c.call(ctx, args, out, messages)
		case len(args) > 0 && args[0] == second:
			return c.call(ctx, args[1:], out, messages)
		default:
			inGroup = append(inGroup, c.name)
		}
	}
	if len(inGroup) > 0 {
		return fmt.Errorf("the commands of %s are %s; %w", name, strings.Join(inGroup, ", "),
			errUsage)
	}
	return fmt.Errorf("there is no command %q; %w", name, errUsage)
}

func help(out io.Writer) error {
	fmt.Fprint(out, "secondgate operates an installation of secondgate.\n\n"+
		"  secondgate COMMAND [flags] [argument]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(out, "  %-24s %s\n", c.name+" "+c.arguments, c.does)
	}
	fmt.Fprint(out, "\n\"secondgate COMMAND -help\" has the flags and examples of a command.\n\n"+
		"The store is the database of the application:\n\n")
	for _, url := range storeURLs {
		fmt.Fprintf(out, "  %s\n", url)
	}
	fmt.Fprint(out, "\nThe file of the keys can be encrypted by a key in a vault:\n\n")
	for _, url := range vaultURLs {
		fmt.Fprintf(out, "  %s\n", url)
	}
	fmt.Fprint(out, "\nExit codes:\n\n")
	for _, e := range exitCodes {
		fmt.Fprintf(out, "  %d  %s\n", e.code, e.means)
	}
	return nil
}
