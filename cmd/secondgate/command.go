package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/secondgate/secondgate/mfa"
)

// command is one command of the program.
type command struct {
	name, arguments, does string
	// examples are command lines without the name of the program and the flags of all commands.
	examples []string
	// user says that the argument is the ID of a user, and acts that the command changes something,
	// so that it needs an operator and a reason.
	user, acts bool
	flags      func(*flag.FlagSet, *call)
	run        func(context.Context, *call) error
}

func commands() []command {
	return []command{
		{name: "init", does: "make the key file and the table",
			examples: []string{"init"}, run: initialise},
		{name: "status", arguments: "USER", does: "show what a user has", user: true,
			examples: []string{"status ann", "status -json -tenant acme ann"}, run: status},
		{name: "unlock", arguments: "USER", does: "end the locks and counts of a user",
			user: true, acts: true, run: unlock,
			examples: []string{`unlock -by carol -reason "ticket 4711" ann`}},
		{name: "reset", arguments: "USER", does: "remove all factors of a user",
			user: true, acts: true, run: reset,
			examples: []string{`reset -by carol -reason "lost everything, passport seen" ann`}},
		{name: "access-code", arguments: "USER", does: "make a temporary access code",
			user: true, acts: true, flags: accessFlags, run: accessCode,
			examples: []string{`access-code -by carol -reason "lost phone" -valid 8h ann`}},
		{name: "delete", arguments: "USER", does: "delete everything stored of a user",
			user: true, acts: true, run: remove,
			examples: []string{`delete -by carol -reason "account closed" ann`}},
		{name: "report", does: "count users by tenant, user type and kind", run: showReport,
			examples: []string{"report", "report -json"}},
		{name: "rotate", does: "re-encrypt all records with the first key",
			examples: []string{"rotate"}, run: rotate},
		{name: "import", arguments: "FILE", does: "import users from another system", acts: true,
			flags: importFlags, run: importUsers, examples: []string{
				"import -format keycloak -dry-run -by carol -reason move realm.json",
				"import -format csv -columns id=email,secret=otp_secret -by carol -reason move " +
					"users.csv"}},
	}
}

// call is one call of a command.
type call struct {
	command
	store, keyFile, logFile string
	tenant, userType        string
	by, reason              string
	json                    bool
	args                    []string
	out, messages           io.Writer

	access accessOptions
	moving importOptions

	manager *mfa.Manager // set unless the command is init
}

func (c command) call(ctx context.Context, args []string, out, messages io.Writer) error {
	this := &call{command: c, out: out, messages: messages}
	flags := this.flagSet()
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return fmt.Errorf("%w; %w", err, errUsage)
	}
	this.args = flags.Args()
	// Here, and not as the defaults of the flags: their help would show a password.
	this.store = cmp.Or(this.store, os.Getenv("SECONDGATE_STORE"))
	this.keyFile = cmp.Or(this.keyFile, os.Getenv("SECONDGATE_KEY_FILE"))
	this.logFile = cmp.Or(this.logFile, os.Getenv("SECONDGATE_LOG"))
	if err := this.check(); err != nil {
		return err
	}
	if c.name == "init" {
		return c.run(ctx, this)
	}
	closeAll, err := this.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(c.run(ctx, this), closeAll())
}

// flagSet returns the flags of the command, which write their help to where output goes.
func (c *call) flagSet() *flag.FlagSet {
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&c.store, "store", "", "URL of the store; defaults to $SECONDGATE_STORE")
	f.StringVar(&c.keyFile, "keys", "",
		"file of the keys; defaults to $SECONDGATE_KEY_FILE; without either the keys are "+
			"$SECONDGATE_KEYS")
	if c.name != "init" {
		f.StringVar(&c.logFile, "log", "",
			"file to which the events of acts are appended as JSON lines; defaults to "+
				"$SECONDGATE_LOG, or to standard error")
		f.BoolVar(&c.json, "json", false, "write JSON for programs")
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
	f.Usage = func() { c.usage(f) }
	return f
}

func (c *call) usage(f *flag.FlagSet) {
	fmt.Fprintf(c.out, "secondgate %s [flags] %s\n\n  %s\n\nExamples:\n\n", c.name, c.arguments,
		c.does)
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
		return fmt.Errorf("%s takes %d arguments after the flags; %w", c.name, want, errUsage)
	case c.store == "":
		return fmt.Errorf("-store or $SECONDGATE_STORE is required; %w", errUsage)
	case c.acts && (c.by == "" || c.reason == ""):
		return fmt.Errorf("%s needs -by and -reason; %w", c.name, errUsage)
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
