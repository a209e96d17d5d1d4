package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/secondgate/secondgate/trail"
)

func trailInitFlags(f *flag.FlagSet, c *call) {
	trailFlags(f, c)
	trailKeyFlag(f, c)
	jsonFlag(f, c)
}

func trailVerifyFlags(f *flag.FlagSet, c *call) {
	trailFlags(f, c)
	trailOriginFlag(f, c)
	f.StringVar(&c.trailing.public, "public", "", "public key of the audit trail; required")
	f.StringVar(&c.trailing.anchor, "anchor", "",
		"file with a checkpoint of before, which was kept elsewhere")
	f.BoolVar(&c.trailing.compare, "compare", false,
		"also compare each user's record in the store with the trail; needs -store and -keys")
	f.StringVar(&c.store, "store", "", "URL of the store; defaults to $SECONDGATE_STORE")
	keysFlag(f, c)
	jsonFlag(f, c)
}

func trailRestoredFlags(f *flag.FlagSet, c *call) {
	trailInitFlags(f, c)
	trailOriginFlag(f, c)
	logFlag(f, c)
	f.StringVar(&c.trailing.backup, "backup", "",
		"time at which the backup was made, such as 2026-11-28T03:00:00Z; required")
}

func trailShowFlags(f *flag.FlagSet, c *call) {
	trailFlags(f, c)
	f.StringVar(&c.trailing.user, "user", "", "ID of the user whose entries are shown")
	f.StringVar(&c.tenant, "tenant", "", "tenant of the user")
	jsonFlag(f, c)
}

func trailEraseFlags(f *flag.FlagSet, c *call) {
	trailFlags(f, c)
	trailOriginFlag(f, c)
	trailKeyFlag(f, c)
	logFlag(f, c)
	f.StringVar(&c.tenant, "tenant", "", "tenant of the user")
	jsonFlag(f, c)
}

// initialiseTrail makes the key and the table of an audit trail, and writes the public key.
func initialiseTrail(ctx context.Context, c *call) error {
	o := c.trailing
	if o.where == "" || o.keyFile == "" {
		return fmt.Errorf("trail init needs -trail and -trail-key; %w", errUsage)
	}
	if err := makeTrailKey(o.keyFile); err != nil {
		return err
	}
	key, err := readTrailKey(o.keyFile)
	if err != nil {
		return err
	}
	if err := makeTrailLog(ctx, o.where); err != nil {
		return fmt.Errorf("the key file %s is ready, and the audit trail is not; run trail init "+
			"again: %w", o.keyFile, err)
	}
	public := base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
	if c.json {
		return writeJSON(c, map[string]string{"public": public})
	}
	_, err = fmt.Fprintln(c.out, public)
	return err
}

func makeTrailLog(ctx context.Context, where string) error {
	d, isDatabase, err := openTrailDatabase(where, true)
	switch {
	case err != nil:
		return err
	case !isDatabase:
		_, err := trail.OpenFile(where)
		return err
	}
	table, err := trail.NewTable(d.db, d.dialect)
	if err == nil {
		err = table.Migrate(ctx)
	}
	return errors.Join(err, d.close())
}

// verifyTrail verifies all entries. What is wrong with them is a finding and no failure.
func verifyTrail(ctx context.Context, c *call) error {
	result, records, err := c.trailing.verified(ctx)
	var stored []storedRecord
	if err == nil {
		stored, err = c.compare(ctx, records)
	}
	var broken *trail.BrokenError
	if errors.As(err, &broken) {
		if c.json {
			err = writeJSON(c, map[string]any{"seq": broken.Seq, "problem": broken.Problem})
		} else {
			_, err = fmt.Fprintf(c.out, "Entry %d: %s.\n", broken.Seq, broken.Problem)
		}
		return errors.Join(fmt.Errorf("%w: the audit trail does not verify", errFound), err)
	}
	if err != nil {
		return err
	}
	findings := errors.Join(records.finding(), findingOf(stored))
	if c.json {
		all := map[string]any{"entries": result.Entries, "erased": result.Erased,
			"newest": moment(result.Newest), "checkpoint": result.Checkpoint,
			"older_records": append([]older{}, records.found...)}
		if c.trailing.compare {
			all["stored_records"] = stored
		}
		return errors.Join(writeJSON(c, all), findings)
	}
	return errors.Join(showVerified(c, result), records.show(c.out),
		showStored(c, result, records, stored), findings)
}

// showVerified says what verifies, and what to keep of it.
func showVerified(c *call, r *trail.Result) (err error) {
	if r.Entries == 0 {
		_, err = fmt.Fprintln(c.out, "The audit trail has no entry. If it had any, all were removed.")
		return err
	}
	_, err = fmt.Fprintf(c.out, "%d entries verify; %d of them have no personal part. The newest "+
		"was made at %s.\nKeep this checkpoint elsewhere; -anchor compares the trail with it.\n\n%s",
		r.Entries, r.Erased, r.Newest.Format(time.RFC3339), r.Checkpoint)
	return err
}

// verified verifies all entries, and returns what they say of the users' records.
func (o trailOptions) verified(ctx context.Context) (*trail.Result, *olderRecords, error) {
	with, err := o.verification()
	if err != nil {
		return nil, nil, err
	}
	records, err := o.records(ctx)
	if err != nil {
		return nil, nil, err
	}
	entries, err := o.entries(ctx)
	if err != nil {
		return nil, nil, err
	}
	result, err := trail.Verify(records.watch(entries), with)
	return result, records, err
}

// records goes through the trail for the first time.
func (o trailOptions) records(ctx context.Context) (*olderRecords, error) {
	entries, err := o.entries(ctx)
	if err != nil {
		return nil, err
	}
	return newOlderRecords(entries)
}

// noteRestore writes into the audit trail that a backup was restored.
func noteRestore(ctx context.Context, c *call) error {
	made, err := time.Parse(time.RFC3339, c.trailing.backup)
	if err != nil || c.trailing.where == "" {
		return fmt.Errorf("trail restored needs -trail, and -backup with a time such as "+
			"2026-11-28T03:00:00Z; %w", errUsage)
	}
	if made.After(time.Now()) {
		return fmt.Errorf("-backup is in the future: trail verify would accept every older record "+
			"until then; %w", errUsage)
	}
	if err := c.actOnTrail(ctx, func() error { return nil }); err != nil {
		return err
	}
	if c.json {
		return writeJSON(c, map[string]string{"backup": made.UTC().Format(time.RFC3339)})
	}
	_, err = fmt.Fprintf(c.out, "The audit trail says that the backup of %s was restored.\n",
		made.UTC().Format(time.RFC3339))
	return err
}

func (o trailOptions) verification() (trail.Verification, error) {
	public, err := base64.StdEncoding.DecodeString(o.public)
	if err != nil || len(public) != ed25519.PublicKeySize || o.origin == "" {
		return trail.Verification{}, fmt.Errorf("trail verify needs -public, as trail init wrote "+
			"it, and -trail-origin; %w", errUsage)
	}
	with := trail.Verification{Key: public, Origin: o.origin}
	if o.anchor != "" {
		if err := checkReadable(o.anchor); err != nil {
			return trail.Verification{}, err
		}
		text, err := os.ReadFile(o.anchor)
		if err != nil {
			return trail.Verification{}, err
		}
		// A checkpoint begins with its origin. The whole output of trail verify is an anchor too.
		anchor, begin := string(text), o.origin+"\n"
		if _, behind, ok := strings.Cut(anchor, "\n"+begin); ok {
			anchor = begin + behind
		}
		with.Anchors = []string{anchor}
	}
	return with, nil
}

// showTrail shows the entries about a user, or all.
func showTrail(ctx context.Context, c *call) error {
	entries, err := c.trailing.entries(ctx)
	if err != nil {
		return err
	}
	none := "The audit trail has no entries."
	if c.trailing.user != "" {
		none = fmt.Sprintf("The audit trail has no entries about the user %q in the tenant %q.",
			c.trailing.user, c.tenant)
	}
	t := c.table(none, "TIME", "EVENT", "USER", "TENANT", "KIND", "REASON", "ACTOR", "NOTE", "FROM")
	for e, err := range entries {
		if err != nil {
			return err
		}
		fact, who, err := e.Read()
		switch {
		case err != nil:
			return err
		case c.trailing.user != "" && (who.User != c.trailing.user || who.Tenant != c.tenant):
			continue
		case c.json:
			if err := writeJSON(c, e); err != nil {
				return err
			}
			continue
		}
		t.row(fact.Time.Format(time.RFC3339), fact.Event, who.User, who.Tenant, fact.Kind,
			fact.Reason, who.Actor, who.Note, who.Address)
	}
	if c.json {
		return nil
	}
	return t.flush()
}

// eraseFromTrail removes a user from the trail. The event of the act does not name the user, as
// its operator and its reason would be erased with the user's entries otherwise.
func eraseFromTrail(ctx context.Context, c *call) error {
	if c.trailing.where == "" {
		return errNoTrail
	}
	entries := 0
	if err := c.actOnTrail(ctx, func() (err error) {
		if entries, err = c.countEntries(ctx); err != nil {
			return err
		}
		return c.trail.Erase(ctx, c.subject())
	}); err != nil {
		return err
	}
	if c.json {
		return writeJSON(c, map[string]any{"id": c.args[0], "tenant": c.tenant, "done": c.name,
			"entries": entries})
	}
	_, err := fmt.Fprintf(c.out, "%d entries about %s have no personal part now.\n", entries,
		c.args[0])
	return err
}

// actOnTrail opens the audit trail and the log, and does an act on the trail after its event.
func (c *call) actOnTrail(ctx context.Context, do func() error) error {
	log, err := c.openLog()
	if err != nil {
		return err
	}
	endTrail, err := c.openTrail(ctx, c.logger(log))
	if err == nil {
		err = c.announce(ctx)
	}
	if err == nil {
		err = errors.Join(do(), c.logLost())
	}
	return errors.Join(err, endTrail(), log.Close())
}

// countEntries counts what the trail says about the user.
func (c *call) countEntries(ctx context.Context) (n int, err error) {
	for _, err := range c.trail.History(ctx, c.subject()) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}
