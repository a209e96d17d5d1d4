package main

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/sqlstore"
	"github.com/secondgate/secondgate/trail"
)

// trailOptions say where the audit trail is.
type trailOptions struct {
	where, keyFile, origin string
	public, anchor         string // for trail verify
	compare                bool   // the store with the trail, which is only read
	user                   string // for trail show
	backup                 string // for trail restored
}

func trailFlags(f *flag.FlagSet, c *call) {
	f.StringVar(&c.trailing.where, "trail", "",
		"audit trail: a file, or the URL of an SQL database with its table; "+
			"defaults to $SECONDGATE_TRAIL")
}

func trailOriginFlag(f *flag.FlagSet, c *call) {
	f.StringVar(&c.trailing.origin, "trail-origin", "",
		"name of the audit trail in its checkpoints, such as acme.example/trail; defaults to "+
			"$SECONDGATE_TRAIL_ORIGIN")
}

func trailKeyFlag(f *flag.FlagSet, c *call) {
	f.StringVar(&c.trailing.keyFile, "trail-key", "",
		"file of the key that signs the audit trail; defaults to $SECONDGATE_TRAIL_KEY")
}

func (o *trailOptions) fromEnvironment() {
	o.where = cmp.Or(o.where, os.Getenv("SECONDGATE_TRAIL"))
	o.keyFile = cmp.Or(o.keyFile, os.Getenv("SECONDGATE_TRAIL_KEY"))
	o.origin = cmp.Or(o.origin, os.Getenv("SECONDGATE_TRAIL_ORIGIN"))
}

// trailDatabase is the database of an audit trail that is no file.
type trailDatabase struct {
	sqlEngine
	close func() error
}

// openTrailDatabase opens the database at a URL. ok is false for the path of a file. What is
// missing is an error unless create is set: an act would begin a second trail where nobody looks
// for it.
func openTrailDatabase(where string, create bool) (d trailDatabase, ok bool, err error) {
	scheme, rest, _ := strings.Cut(where, ":")
	path := where
	if scheme == "sqlite" {
		path = strings.TrimPrefix(rest, "//")
	}
	switch scheme {
	case "sqlite":
		d.dialect = sqlstore.SQLite
		if !create {
			err = refuseMissingTrail(path)
		}
		if err == nil {
			d.db, err = openDB("sqlite", sqlstore.SQLiteDSN(path))
		}
	case "postgres", "postgresql":
		d.dialect = sqlstore.PostgreSQL
		d.db, err = openDB("pgx", where)
	case "mysql", "mariadb":
		d.dialect = sqlstore.MySQL
		d.db, err = openTrailMySQL(where)
	default:
		if openers()[scheme] != nil {
			return d, false, fmt.Errorf("an audit trail is a file, or in SQLite, PostgreSQL, MySQL "+
				"or MariaDB; %w", errUsage)
		}
		if !create {
			err = refuseMissingTrail(path)
		}
		return d, false, err
	}
	if err != nil {
		return d, false, err
	}
	d.close = d.db.Close
	return d, true, nil
}

func openTrailMySQL(where string) (*sql.DB, error) {
	dsn, err := sqlstore.MySQLDSN(where)
	if err != nil {
		return nil, fmt.Errorf("%w; %w", err, errUsage)
	}
	return openDB("mysql", dsn)
}

// refuseMissingTrail refuses the path of an audit trail that is not there.
func refuseMissingTrail(path string) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no audit trail %s; trail init makes one", path)
	}
	return nil
}

// openTrailLog opens the log of entries for writing.
func openTrailLog(where string) (log trail.Log, closeLog func() error, err error) {
	d, isDatabase, err := openTrailDatabase(where, false)
	switch {
	case err != nil:
		return nil, nil, err
	case !isDatabase:
		file, err := trail.OpenFile(where)
		return file, func() error { return nil }, err
	}
	table, err := trail.NewTable(d.db, d.dialect)
	if err != nil {
		return nil, nil, errors.Join(err, d.close())
	}
	return table, d.close, nil
}

var errNoTrail = fmt.Errorf("-trail or $SECONDGATE_TRAIL is required; %w", errUsage)

var errNoOrigin = fmt.Errorf("an audit trail needs -trail-origin or $SECONDGATE_TRAIL_ORIGIN, its "+
	"name in trail.Config; %w", errUsage)

// entries returns all entries of the audit trail, and writes nothing.
func (o trailOptions) entries(ctx context.Context) (iter.Seq2[trail.Entry, error], error) {
	if o.where == "" {
		return nil, errNoTrail
	}
	d, isDatabase, err := openTrailDatabase(o.where, false)
	if err != nil {
		return nil, err
	}
	if !isDatabase {
		return trail.ReadFile(o.where), nil
	}
	table, err := trail.NewTable(d.db, d.dialect)
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	return func(yield func(trail.Entry, error) bool) {
		defer func() { _ = d.close() }()
		table.Read(ctx, 1)(yield)
	}, nil
}

// readTrailKey reads the private key, which has the form that writeTrailKey gives it.
func readTrailKey(path string) (ed25519.PrivateKey, error) {
	if path == "" {
		return nil, fmt.Errorf("-trail-key or $SECONDGATE_TRAIL_KEY is required; %w", errUsage)
	}
	text, err := readSecret(path)
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("%s has no key of an audit trail; trail init makes one", path)
	}
	return key, nil
}

// makeTrailKey writes a new private key into a file, unless it is there.
func makeTrailKey(path string) error {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return err
	}
	err = writeNew(path, base64.StdEncoding.EncodeToString(key)+"\n")
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// openTrail opens the audit trail, if there is one, and lets every event go to it and to a log.
// endTrail writes what it has not written. It is never nil.
func (c *call) openTrail(ctx context.Context, log *slog.Logger) (endTrail func() error, err error) {
	c.events = mfa.SlogEvents(log)
	none := func() error { return nil }
	o := c.trailing
	if o.where == "" || o.compare {
		return none, nil
	}
	if o.origin == "" {
		return none, errNoOrigin
	}
	key, err := readTrailKey(o.keyFile)
	if err != nil {
		return none, err
	}
	entries, closeLog, err := openTrailLog(o.where)
	if err != nil {
		return none, err
	}
	c.trail, err = trail.New(trail.Config{Log: entries, Key: secret.Bytes(key), Origin: o.origin,
		Logger: log})
	if err != nil {
		return closeLog, err
	}
	c.events = c.trail.Events(c.events)
	running, stop := context.WithCancel(context.WithoutCancel(ctx)) // to write what an act did
	ended := make(chan error, 1)
	go func() { ended <- c.trail.Run(running) }()
	return func() error {
		stop()
		lost := <-ended
		if lost != nil && c.announced {
			lost = fmt.Errorf("%w: the audit trail lacks events of what was done: %w. %s",
				errPartly, lost, c.whereEvents())
		}
		return errors.Join(lost, closeLog())
	}, nil
}

// whereEvents says where events are that the audit trail could not keep.
func (c *call) whereEvents() string {
	if c.name == importName {
		return "Run the import again when the trail can be written, which adds them"
	}
	if c.logFile == "" {
		return "They are among the messages above"
	}
	return "They are in the log " + c.logFile
}

// dryRun is the reason of an import that changes nothing.
const dryRun = "dry-run"

// announce makes an event of an act before it is done. An act that the audit trail cannot keep is
// refused.
func (c *call) announce(ctx context.Context) error {
	if !c.acts {
		return nil
	}
	e := mfa.Event{Name: "command." + strings.ReplaceAll(c.name, " ", "-"), Time: time.Now(),
		Remaining: -1, Actor: c.by, Note: c.reason}
	if c.user {
		e.UserID, e.Tenant, e.UserType = c.args[0], c.tenant, c.userType
	}
	if c.moving.dryRun {
		e.Reason = dryRun
	}
	if c.trailing.backup != "" {
		e.Reason = c.trailing.backup
	}
	c.events(ctx, e)
	if c.trail == nil {
		if err := c.log.lost(); err != nil {
			return fmt.Errorf("nothing was done, because the log of events cannot be written: %w",
				err)
		}
		return nil
	}
	if err := c.trail.Flush(ctx); err != nil && ctx.Err() != nil {
		return fmt.Errorf("nothing was done: %w", ctx.Err())
	} else if err != nil {
		return fmt.Errorf("nothing was done, because the audit trail cannot be written: %w", err)
	}
	c.announced = true
	return nil
}
