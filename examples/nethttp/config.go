package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// config is the parsed command line.
type config struct {
	addr, data, smtp, sms string
	// db is where secondgate's records are. "" means the application's own database.
	db string
	// public is the address under which browsers reach the server, or nil until it is known.
	public *url.URL
	// portal is where the demonstration looks for examples/portal.
	portal *url.URL
	demo   bool
	// questions offers security questions. Defaults to demo.
	questions bool
	// offerPasskeys is mfahttp.Config.OfferPasskeys.
	offerPasskeys time.Duration
	// sessionLife is how long a session lasts, unless its user extends it.
	sessionLife time.Duration
	// moreUsers is how many users without names of their own are seeded as well.
	moreUsers int
}

// given reports whether the command line has a flag.
func given(fs *flag.FlagSet, name string) (found bool) {
	fs.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

// parseFlags reads the command line. Each error says what to do.
func parseFlags(args []string, usage io.Writer) (config, error) {
	var c config
	fs := flag.NewFlagSet("nethttp", flag.ContinueOnError)
	fs.SetOutput(usage)
	fs.StringVar(&c.addr, "addr", "localhost:8080", "`HOST:PORT` to listen on; port 0 takes a "+
		"free one; browsers have passkeys on localhost, and on 127.0.0.1 they have none")
	fs.StringVar(&c.data, "data", "./data", "`directory` for the database and the key; made if "+
		"it is not there")
	fs.StringVar(&c.db, "db", "", "where secondgate keeps its records: a SQLite `file or URL`, "+
		"postgres://user:password@host:5432/database, "+
		"mysql://user:password@host:3306/database or redis://:password@host:6379/0; servers "+
		"need a build with -tags databases (default the application's own database in -data)")
	fs.StringVar(&c.smtp, "smtp", "", "`URL` of the mail server: "+
		"smtp://user:password@host:587?from=security@example.com, or smtps:// for TLS from the "+
		"first byte")
	fs.StringVar(&c.sms, "sms", "outbox", "`sender` of text messages: twilio, http or outbox; "+
		"credentials come from the environment")
	fs.BoolVar(&c.demo, "demo", true,
		"seed users and serve the outbox and the demonstration clock")
	fs.BoolVar(&c.questions, "questions", false, "offer security questions, for users who lose "+
		"a device and have no recovery codes (default as -demo)")
	fs.DurationVar(&c.offerPasskeys, "offer-passkeys", 0, "offer a passkey after a sign-in "+
		"without one, and again this `long` after a user has declined, such as 2160h")
	fs.DurationVar(&c.sessionLife, "session", 12*time.Hour, "how `long` a session lasts; "+
		"two minutes before it ends, the pages offer to stay signed in")
	fs.IntVar(&c.moreUsers, "people", 0, "how many `more` users to seed in demonstration mode, "+
		"for examples/load; at most 1000000")
	public := fs.String("url", "", "`URL` under which browsers reach this server, if a proxy "+
		"ends TLS before it: https://acme.example; "+
		"cookies are then Secure and HSTS is sent (default http://HOST:PORT)")
	portal := fs.String("portal", "http://127.0.0.1:8090", "`URL` at which the tour of the "+
		"demonstration looks for examples/portal")
	if err := fs.Parse(args); err != nil {
		return c, err
	}
	c.questions = c.questions || c.demo && !given(fs, "questions")
	if fs.NArg() > 0 {
		return c, fmt.Errorf("%q is not an option; options begin with a hyphen, see -help",
			fs.Arg(0))
	}
	if err := c.check(); err != nil {
		return c, err
	}
	var err error
	if c.public, err = parseAddress("url", *public); err != nil {
		return c, err
	}
	if c.portal, err = parseAddress("portal", *portal); err == nil && c.portal == nil {
		err = errors.New("-portal is empty; leave it out, or name the address of examples/portal")
	}
	return c, err
}

// check decides whether the values that need no parsing are possible.
func (c config) check() error {
	if _, _, err := net.SplitHostPort(c.addr); err != nil {
		return fmt.Errorf("-addr %q is not HOST:PORT; give it as localhost:8080, or "+
			"localhost:0 for any free port", c.addr)
	}
	if c.data == "" {
		return errors.New("-data is empty; name a directory, for example -data ./data")
	}
	if c.sessionLife < time.Minute {
		return fmt.Errorf("-session %s is less than a minute", c.sessionLife)
	}
	if c.moreUsers < 0 || c.moreUsers > 1_000_000 {
		return fmt.Errorf("-people %d is not a number from 0 to 1000000", c.moreUsers)
	}
	if !slices.Contains([]string{"twilio", "http", "outbox"}, c.sms) {
		return fmt.Errorf("-sms %q is unknown; it is twilio, http or outbox", c.sms)
	}
	return nil
}

// parseAddress parses the address of a server, which is the value of an option. It returns nil for
// "".
func parseAddress(option, address string) (*url.URL, error) {
	if address == "" {
		return nil, nil
	}
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return nil, fmt.Errorf("-%s %q is not an address without a path, "+
			"such as https://acme.example", option, address)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}
