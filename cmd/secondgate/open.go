package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/secondgate/secondgate/access"
	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/pin"
	"github.com/secondgate/secondgate/questions"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/sms"
	"github.com/secondgate/secondgate/sms/phone"
	"github.com/secondgate/secondgate/totp"
)

// initialise makes the key file and the table, and leaves what is there.
func initialise(ctx context.Context, c *call) error {
	if c.keyFile == "" {
		return fmt.Errorf("init needs -keys, the file to make; %w", errUsage)
	}
	if err := c.makeKeys(ctx); err != nil {
		return err
	}
	store, err := openStore(ctx, c.store, toCreate)
	if err != nil {
		return fmt.Errorf("the key file %s is ready, and the store is not; run init again: %w",
			c.keyFile, err)
	}
	if c.json {
		return errors.Join(store.close(), writeJSON(c, map[string]string{"keys": c.keyFile}))
	}
	fmt.Fprintf(c.out, "The store and the key file %s are ready. Back up the key file apart from "+
		"the database.\n", c.keyFile)
	return store.close()
}

func initFlags(f *flag.FlagSet, c *call) {
	keysFlag(f, c)
	jsonFlag(f, c)
}

// open opens the keys, the store, the log and the audit trail, and returns what closes them.
func (c *call) open(ctx context.Context) (closeAll func() error, err error) {
	closeVault, err := c.openVault()
	if err != nil {
		return nil, err
	}
	keys, err := c.keyring(ctx)
	if err != nil {
		return nil, errors.Join(err, closeVault())
	}
	want := toWrite
	if c.reads || c.checking.replica {
		want = toRead
	}
	store, err := openStore(ctx, c.store, want)
	if err != nil {
		return nil, errors.Join(err, closeVault())
	}
	log, err := c.openLog()
	if err != nil {
		return nil, errors.Join(err, store.close(), closeVault())
	}
	c.opened, c.keys = store, keys
	records, endWrites := store.Store, func() {}
	if c.combines {
		records, endWrites = combine(store.Store)
	}
	endTrail, err := c.openTrail(ctx, c.logger(log))
	closeAll = func() error {
		endWrites()
		return errors.Join(endTrail(), log.Close(), store.close(), closeVault())
	}
	if err != nil {
		return nil, errors.Join(err, closeAll())
	}
	cfg := mfa.Config{Store: records, Keys: keys,
		Policies: policy.Stored(policy.Static(policy.Policy{})),
		Events:   c.events,
		// The operator has the keys and the database, so there is nothing to refuse.
		Authorize: func(context.Context, mfa.AdminAction) error { return nil }}
	if cfg.Factors, err = c.factors(); err == nil {
		c.manager, err = mfa.New(cfg)
	}
	if err != nil {
		return nil, errors.Join(err, closeAll())
	}
	return closeAll, nil
}

// factors returns the kinds that the command knows.
func (c *call) factors() ([]factor.Factor, error) {
	mail, err := c.mailing.config(c.mails)
	if err != nil {
		return nil, err
	}
	all, err := kinds(mail)
	if err != nil {
		return nil, err
	}
	if all, err = c.leavingKinds(all); err != nil {
		return nil, err
	}
	return c.auditing.configured(all)
}

// openLog opens the file for events.
func (c *call) openLog() (io.WriteCloser, error) {
	if c.logFile == "" {
		return unclosed{c.messages}, nil
	}
	return os.OpenFile(c.logFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
}

// logger returns the log of events that writes to a file.
func (c *call) logger(file io.Writer) *slog.Logger {
	c.log = &output{Writer: file}
	return slog.New(slog.NewJSONHandler(c.log, nil))
}

// logLost says that the log lacks events of what was done.
func (c *call) logLost() error {
	if err := c.log.lost(); c.acts && err != nil {
		err = fmt.Errorf("%w: the log of events is not whole: %w", errPartly, err)
		if c.trail != nil {
			err = fmt.Errorf("%w. The audit trail has the events", err)
		}
		return err
	}
	return nil
}

type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

// unsent and untexted are the senders of a command that sends nothing.
type (
	unsent   struct{}
	untexted struct{}
)

var errUnsent = errors.New("this command sends no messages")

func (unsent) Send(context.Context, email.Message) error { return errUnsent }
func (untexted) Send(context.Context, sms.Message) error { return errUnsent }

// kinds returns every kind of the library. The program verifies nothing, so that the settings of
// the application do not matter, but for those of mails where it sends one.
func kinds(mails email.Config) (list []factor.Factor, err error) {
	add := func(f factor.Factor, problem error) {
		list, err = append(list, f), errors.Join(err, problem)
	}
	app, problem := totp.New(totp.Config{Issuer: "secondgate"})
	add(app, problem)
	mail, problem := email.New(mails)
	add(mail, problem)
	text, problem := sms.New(sms.Config{Sender: untexted{}, ServiceName: "secondgate",
		Origin: sms.NoOrigin, Allow: []string{sms.AnyCountry}, Parse: phone.Parser{}.Parse})
	add(text, problem)
	number, problem := pin.New(pin.Config{})
	add(number, problem)
	asked, problem := questions.New(questions.Config{})
	add(asked, problem)
	codes, problem := recovery.New(recovery.Config{Imported: true})
	add(codes, problem)
	temporary, problem := access.New(access.Config{})
	add(temporary, problem)
	// A name that no site has. What a passkey is known by does not depend on it.
	passkeys, problem := passkey.New(passkey.Config{RPID: "secondgate.invalid",
		RPName: "secondgate", Origins: []string{"https://secondgate.invalid"}})
	add(passkeys, problem)
	return list, err
}
