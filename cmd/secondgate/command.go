package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/trail"
)

// command is one command of the program.
type command struct {
	name, arguments, does string
	// explains goes on where does ends, in whole sentences.
	explains string
	// examples are command lines without the name of the program and the flags of all commands.
	examples []string
	// user says that the argument is the ID of a user, and acts that the command changes something,
	// so that it needs an operator and a reason.
	user, acts bool
	// reads says that the command only reads the store, so that a replica is enough.
	reads bool
	// mails says that the command sends mail.
	mails bool
	// combines says that the command makes the writes of several users at once.
	combines bool
	// storeless says that the command opens nothing, and keyless that it opens the store itself.
	storeless, keyless bool
	// argument has the words that the argument can be, and values those of flags by their names.
	argument []string
	values   map[string][]string
	flags    func(*flag.FlagSet, *call)
	// refuses returns what is wrong with the flags, before anything is opened.
	refuses func(*call) error
	run     func(context.Context, *call) error
}

// call is one call of a command.
type call struct {
	command
	store, keyFile, logFile string
	vaultURL                string
	tenant, userType        string
	by, reason              string
	json                    bool
	args                    []string
	out, messages           io.Writer

	access   accessOptions
	auditing auditOptions
	checking checkOptions
	moving   importOptions
	leaving  moveOutOptions
	loading  loadOptions
	trailing trailOptions
	mailing  mailOptions
	standby  bool // for keys add

	opened    opened
	vault     openedVault // zero without -vault
	events    func(context.Context, mfa.Event)
	log       *output      // where events are logged
	trail     *trail.Trail // nil without -trail
	announced bool         // the audit trail has the event of the act, so that the act is done
	keys      *seal.Keyring
	manager   *mfa.Manager // nil if the command is storeless or keyless
}

func (c command) call(ctx context.Context, args []string, out, messages io.Writer) error {
	err := c.begin(ctx, args, out, messages)
	if errors.Is(err, errUsage) {
		return misused{err, c.name}
	}
	return err
}

// misused is an error about the command line of a command, and leads to the help of that command.
type misused struct {
	error
	name string
}

// Error implements error.
func (m misused) Error() string {
	return strings.ReplaceAll(m.error.Error(), errUsage.Error(), errUsage.Error()+" "+m.name)
}

// Unwrap returns the error without the name of the command.
func (m misused) Unwrap() error { return m.error }

// begin opens what the command needs, runs it, and closes all of it.
func (c command) begin(ctx context.Context, args []string, out, messages io.Writer) error {
	this := &call{command: c, out: out, messages: messages}
	flags := this.flagSet()
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			this.usage(flags)
			return err
		}
		return fmt.Errorf("%w; %w", err, errUsage)
	}
	this.args = flags.Args()
	// Here, and not as the defaults of the flags: their help would show a password.
	this.store = cmp.Or(this.store, os.Getenv("SECONDGATE_STORE"))
	this.keyFile = cmp.Or(this.keyFile, os.Getenv("SECONDGATE_KEY_FILE"))
	this.vaultURL = cmp.Or(this.vaultURL, os.Getenv("SECONDGATE_VAULT"))
	this.logFile = cmp.Or(this.logFile, os.Getenv("SECONDGATE_LOG"))
	this.trailing.fromEnvironment()
	if err := this.check(); err != nil {
		return err
	}
	if c.storeless || c.keyless {
		return this.unseen(c.run(ctx, this))
	}
	closeAll, err := this.open(ctx)
	if err != nil {
		return err
	}
	err = this.announce(ctx)
	if err == nil {
		err = errors.Join(c.run(ctx, this), this.logLost())
		err = this.unseen(err)
	}
	switch {
	case c.user && errors.Is(err, mfa.ErrRecordMissing):
		err = this.noRecord()
	case errors.Is(err, seal.ErrUnknownKey):
		err = fmt.Errorf("%w. The key that sealed it is not here; secondgate keys list has its ID",
			err)
	}
	return errors.Join(err, closeAll())
}

// unseen adds to the error of an output that was lost, such as by "| head -1", that the act itself
// was done.
func (c *call) unseen(err error) error {
	lost := outputOf(c.out).lost()
	if !c.acts || lost == nil || errors.Is(err, errPartly) || err != nil && !errors.Is(err, lost) {
		return err
	}
	return fmt.Errorf("%w. Only the output is lost: %s was done, and its events say what it did",
		lost, c.name)
}

// flagSet returns the flags of the command, which write nothing by themselves.
func (c *call) flagSet() *flag.FlagSet {
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	if !c.storeless {
		c.storeFlags(f)
	}
	if c.user {
		f.StringVar(&c.tenant, "tenant", "", "tenant of the user")
		f.StringVar(&c.userType, "type", "", "type of the user, which chooses the policy")
	}
	if c.acts {
		f.StringVar(&c.by, "by", "", "who acts, such as your name; required")
		f.StringVar(&c.reason, "reason", "", "why, such as a ticket; required")
	}
	if c.flags != nil {
		c.flags(f, c)
	}
	return f
}

// storeFlags are the flags of commands that open the store.
func (c *call) storeFlags(f *flag.FlagSet) {
	f.StringVar(&c.store, "store", "", "URL of the store; defaults to $SECONDGATE_STORE")
	if !c.keyless {
		keysFlag(f, c)
		logFlag(f, c)
		jsonFlag(f, c)
		trailFlags(f, c)
		trailOriginFlag(f, c)
		trailKeyFlag(f, c)
	}
}

func jsonFlag(f *flag.FlagSet, c *call) {
	f.BoolVar(&c.json, "json", false, "write JSON for programs")
}

func keysFlag(f *flag.FlagSet, c *call) {
	f.StringVar(&c.keyFile, "keys", "",
		"file of the keys; defaults to $SECONDGATE_KEY_FILE; without either the keys are "+
			"$SECONDGATE_KEYS")
	f.StringVar(&c.vaultURL, "vault", "",
		"URL of the vault whose key encrypts the file of the keys; defaults to $SECONDGATE_VAULT")
}

func logFlag(f *flag.FlagSet, c *call) {
	f.StringVar(&c.logFile, "log", "",
		"file to which the events of acts are appended as JSON lines; defaults to "+
			"$SECONDGATE_LOG, or to standard error")
}

func (c *call) usage(f *flag.FlagSet) {
	fmt.Fprintf(c.out, "secondgate %s [flags] %s\n\n  %s\n\n%s\n\nExamples:\n\n", c.name,
		c.arguments, c.does, c.explains)
	for _, e := range c.examples {
		fmt.Fprintf(c.out, "  secondgate %s\n", e)
	}
	fmt.Fprint(c.out, "\nFlags:\n\n")
	f.SetOutput(c.out)
	f.PrintDefaults()
	f.SetOutput(io.Discard)
}

// check refuses a command line before anything is opened.
func (c *call) check() error {
	want := 0
	if c.arguments != "" {
		want = 1
	}
	switch {
	case len(c.args) != want:
		return fmt.Errorf("%s takes %s; flags stand before it; %w", c.name,
			cmp.Or(c.arguments, "no argument"), errUsage)
	case c.store == "" && !c.storeless:
		return fmt.Errorf("-store or $SECONDGATE_STORE is required; %w", errUsage)
	case c.acts && (isBlank(c.by) || isBlank(c.reason)):
		return fmt.Errorf("%s needs -by and -reason; %w", c.name, errUsage)
	case c.user && isBlank(c.args[0]):
		return fmt.Errorf("%s needs the ID of a user; %w", c.name, errUsage)
	}
	if err := c.checkLengths(); err != nil {
		return err
	}
	if c.refuses != nil {
		return c.refuses(c)
	}
	return nil
}

// isBlank reports whether nobody can read a text.
func isBlank(text string) bool { return strings.TrimSpace(text) == "" }

// checkLengths refuses what the Manager would refuse later, when the audit trail has the act
// already.
func (c *call) checkLengths() error {
	user := ""
	if c.user {
		user = c.args[0]
	}
	for _, t := range []struct {
		name, value string
		most        int
	}{
		{"the ID of the user", user, 128}, {"-tenant", c.tenant, 64}, {"-type", c.userType, 64},
		{"-by", c.by, 256}, {"-reason", c.reason, 1024},
	} {
		if len(t.value) > t.most || !utf8.ValidString(t.value) {
			return fmt.Errorf("%s has at most %d bytes of UTF-8; %w", t.name, t.most, errUsage)
		}
	}
	return nil
}

// subject is the user whom the command is about. The operator says that there is one.
func (c *call) subject() mfa.User {
	return mfa.User{ID: c.args[0], Tenant: c.tenant, UserType: c.userType, Enrolled: true}
}

// admin returns the handle of the operator.
func (c *call) admin() mfa.Admin {
	by := c.by
	if by == "" {
		by = "secondgate"
	}
	return c.manager.Admin(mfa.System(by), c.reason)
}
