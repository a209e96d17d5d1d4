package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/secondgate/secondgate/importing"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

const importName = "import"

type importOptions struct {
	format, columns, form, tenant string
	oldKeys                       string
	opening                       sealOptions
	dryRun                        bool
	parallel                      int
}

var importFormats = []string{"json", "csv", "auth0", "authboss", "authelia", "better-auth",
	"django", "fortify", "google", "keycloak", "kratos", "nextcloud", "supabase"}

func importFlags(f *flag.FlagSet, c *call) {
	o := &c.moving
	f.StringVar(&o.format, "format", "json",
		strings.Join(importFormats, ", ")+"; google is the URI of the QR code in a file")
	f.StringVar(&o.columns, "columns", "",
		"the columns of a csv: id=NAME, and tenant, account, secret, algorithm, digits, period, "+
			"codes, hashes, address or number, with commas between them")
	f.StringVar(&o.form, "code-form", "",
		"how the codes behind the hashes of a csv were written, such as xxxxx-xxxxx")
	f.StringVar(&o.oldKeys, "old-keys", "",
		"file with the keys of the other system, one on a line: what it encrypts secrets with")
	f.StringVar(&o.tenant, "tenant", "",
		"tenant of all users; one for whom the file names another tenant is not imported")
	o.opening.flags(f)
	f.BoolVar(&o.dryRun, "dry-run", false, "check everything and change nothing")
	f.IntVar(&o.parallel, "parallel", 64, "how many users are imported at once")
}

// refuseImport refuses flags and a file with which no user could be imported.
func refuseImport(c *call) error {
	o := c.moving
	switch {
	case o.parallel < 1 || o.parallel > 256:
		return fmt.Errorf("-parallel is 1 to 256; %w", errUsage)
	case !slices.Contains(importFormats, o.format):
		return fmt.Errorf("there is no format %q; %w", o.format, errUsage)
	case o.format != "csv" && o.columns != "":
		return fmt.Errorf("-columns is for -format csv; %w", errUsage)
	case o.format == "csv":
		if _, err := o.columnsOf(); err != nil {
			return err
		}
	}
	if c.args[0] == "-" {
		return nil
	}
	info, err := os.Stat(c.args[0])
	if err == nil && info.IsDir() {
		return fmt.Errorf("%s is a directory and no file", c.args[0])
	}
	return err
}

// importUsers imports the users of a file, and writes a line for each. "-" is standard input.
func importUsers(ctx context.Context, c *call) error {
	file := os.Stdin
	if c.args[0] != "-" {
		var err error
		if file, err = os.Open(c.args[0]); err != nil {
			return err
		}
		defer file.Close()
	}
	from := &source{Reader: file}
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		from.size = info.Size()
	}
	plain, err := c.moving.opening.open(from)
	if err != nil {
		return err
	}
	users, err := c.moving.reader(plain)
	if err != nil {
		return err
	}
	if e, ok := c.opened.engine.(sqlEngine); ok {
		e.db.SetMaxOpenConns(importConnections)
	}
	sealing, err := c.sealingKey(ctx)
	if err != nil {
		return err
	}
	err = c.importAll(ctx, from, users)
	return errors.Join(err, c.keepSealingKey(context.WithoutCancel(ctx), sealing))
}

// source is the file of an import.
type source struct {
	io.Reader
	size int64 // or 0 if that is not known, as for a pipe
	read atomic.Int64
}

func (s *source) Read(b []byte) (int, error) {
	n, err := s.Reader.Read(b)
	s.read.Add(int64(n))
	return n, err
}

// estimate returns about how many users there are if so many of them are done, or 0.
func (s *source) estimate(done int) int {
	read := s.read.Load()
	if read == 0 || s.size == 0 {
		return 0
	}
	return int(float64(done) * float64(s.size) / float64(read))
}

// reader returns the reader for a format.
func (o importOptions) reader(r io.Reader) (importing.Users, error) {
	switch o.format {
	case "json":
		return importing.JSONLines(r), nil
	case "csv":
		columns, err := o.columnsOf()
		return importing.CSV(r, columns), err
	case "authboss":
		return importing.CSV(r, importing.Authboss()), nil
	case "authelia":
		return importing.CSV(r, importing.Authelia()), nil
	case "auth0":
		return importing.Auth0(r), nil
	case "keycloak":
		return importing.Keycloak(r), nil
	case "kratos":
		return importing.Kratos(r), nil
	case "django":
		return importing.Django(r), nil
	case "google":
		text, err := io.ReadAll(io.LimitReader(r, 64<<10))
		return importing.GoogleAuthenticator(string(text)), err
	}
	return o.encrypted(r)
}

// encrypted returns the reader for a format that may need the keys of the other system.
func (o importOptions) encrypted(r io.Reader) (importing.Users, error) {
	var keys []secret.Text
	if o.oldKeys != "" {
		text, err := readSecret(o.oldKeys)
		if err != nil {
			return nil, err
		}
		for key := range strings.SplitSeq(string(text), "\n") {
			if key = strings.TrimSpace(key); key != "" {
				keys = append(keys, secret.New(key))
			}
		}
	}
	switch o.format {
	case "better-auth":
		return importing.BetterAuth(r, keys...), nil
	case "fortify":
		return importing.Fortify(r, keys...), nil
	case "nextcloud":
		return importing.Nextcloud(r, keys...), nil
	case "supabase":
		return importing.Supabase(r, keys...), nil
	}
	return nil, fmt.Errorf("there is no format %q; %w", o.format, errUsage)
}

func (o importOptions) columnsOf() (importing.Columns, error) {
	c := importing.Columns{CodeForm: o.form}
	fields := map[string]*string{"id": &c.ID, "tenant": &c.Tenant, "account": &c.Account,
		"secret": &c.Secret, "algorithm": &c.Algorithm, "digits": &c.Digits, "period": &c.Period,
		"codes": &c.Codes, "hashes": &c.Hashes, "address": &c.Address, "number": &c.Number}
	for pair := range strings.SplitSeq(o.columns, ",") {
		name, column, ok := strings.Cut(pair, "=")
		field := fields[strings.TrimSpace(name)]
		if !ok || field == nil || *field != "" {
			return c, fmt.Errorf("-columns has %q, which is not NAME=COLUMN, or is there twice; %w",
				pair, errUsage)
		}
		*field = strings.TrimSpace(column)
	}
	return c, nil
}

// tenantOf returns the tenant of a user in the file. A file that was made for one tenant may
// name another, whose users are not in it by right.
func (o importOptions) tenantOf(u mfa.User) (string, error) {
	if o.tenant != "" && u.Tenant != "" && u.Tenant != o.tenant {
		return u.Tenant, fmt.Errorf("the file names the tenant %q, and -tenant another", u.Tenant)
	}
	return cmp.Or(u.Tenant, o.tenant), nil
}

// importAll imports users, several at once.
func (c *call) importAll(ctx context.Context, from *source, users importing.Users) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	// A user who is begun is imported to the end, also after an interrupt: of a write that is cut
	// off nobody knows whether it was done, and the audit trail would not have it.
	whole := context.WithoutCancel(ctx)
	todo, results := make(chan importing.User), make(chan importing.Result)
	lostBefore := newLostEvents(c)
	var workers sync.WaitGroup
	for range c.moving.parallel {
		workers.Go(func() {
			for u := range todo {
				results <- lostBefore.see(whole, importing.Import(whole, c.admin(), u,
					importing.Options{DryRun: c.moving.dryRun}))
			}
		})
	}
	go func() {
		n := 0
		for u, err := range users {
			n++
			if err == nil && ctx.Err() != nil {
				break
			}
			if err == nil && u.ID == "" {
				err = fmt.Errorf("the user at place %d has no ID", n)
			}
			if err == nil {
				u.Tenant, err = c.moving.tenantOf(u.User)
			}
			if err != nil {
				results <- importing.Result{User: u.User, NotMoved: u.NotMoved, Err: err}
				continue
			}
			todo <- u
		}
		close(todo)
		workers.Wait()
		close(results)
	}()
	counts, lost := c.collect(from, results, stop)
	if n := lostBefore.n; n > 0 {
		fmt.Fprintf(c.messages, "The audit trail lacked %d events of an import that was killed, and "+
			"has them now.\n", n)
	}
	return counts.summary(c, cmp.Or(lost, ctx.Err()))
}

// collect writes a line for each result, and says how far the import is. It stops the import once
// its lines are lost, because the operator does not learn then what was done.
func (c *call) collect(
	from *source, results <-chan importing.Result, stop func(),
) (counts tally, lost error) {
	shown := c.progress("users", 0)
	if c.logFile == "" || isTerminal(c.out) {
		// The line of an event or a user would go on behind the progress on the same terminal.
		shown.overwriting, shown.last = false, shown.began
	}
	for r := range results { // to the end, so that every user is accounted for
		counts.add(r)
		if lost == nil {
			if lost = c.writeResult(r); lost != nil {
				stop()
			}
		}
		shown.all = from.estimate(counts.all())
		shown.show(counts.all())
	}
	shown.end()
	return counts, lost
}

// tally counts results.
type tally struct{ imported, renew, skipped, failed int }

func (t *tally) add(r importing.Result) {
	switch {
	case r.Err != nil:
		t.failed++
	case r.Import.Skipped != "":
		t.skipped++
	default:
		t.imported++
		if len(r.Import.Renew) > 0 {
			t.renew++
		}
	}
}

// all returns how many results there are.
func (t *tally) all() int { return t.imported + t.skipped + t.failed }

func (t *tally) summary(c *call, interrupted error) error {
	did, none := "imported", "was imported"
	if c.moving.dryRun {
		did, none = "can be imported", "can be imported"
	}
	fmt.Fprintf(c.messages, "%d %s, %d of them to be renewed; %d skipped, %d failed\n", t.imported,
		did, t.renew, t.skipped, t.failed)
	switch {
	case t.imported+t.skipped == 0 && interrupted != nil:
		return fmt.Errorf("no user %s: %w; run it again from the start", none, interrupted)
	case t.imported+t.skipped == 0 && t.failed > 0:
		return fmt.Errorf("no user %s; the lines say why", none)
	case errors.Is(interrupted, context.Canceled):
		return fmt.Errorf("%w: interrupted; run it again from the start", errPartly)
	case interrupted != nil:
		return fmt.Errorf("%w: %w; run it again from the start", errPartly, interrupted)
	case t.failed > 0:
		return fmt.Errorf("%w: the lines say why; run it again for the users who failed", errPartly)
	}
	return nil
}

func (c *call) writeResult(r importing.Result) error {
	outcome := r.Outcome()
	if kinds, found := strings.CutPrefix(outcome, "imported "); found && c.moving.dryRun {
		outcome = "can be imported: " + kinds
	}
	if c.json {
		return writeJSON(c, map[string]string{"id": r.User.ID, "tenant": r.User.Tenant,
			"outcome": outcome})
	}
	id := r.User.ID
	if id == "" {
		id = "(the file)"
	}
	_, err := fmt.Fprintf(c.out, "%s\t%s\n", escaped(id, ""), escaped(outcome, ""))
	return err
}
