package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"filippo.io/age"

	"github.com/secondgate/secondgate/exporting"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/passkey"
)

const moveOutName = "move-out"

// moveOutOptions say for whom the file is encrypted, and what goes into it.
type moveOutOptions struct {
	recipients, passphrase string
	plain                  bool
	cursor, rpID           string
}

func moveOutCommand() command {
	return command{name: moveOutName, arguments: "FILE", acts: true,
		does: "write the secrets of all users, to move them elsewhere",
		explains: "The file has every factor of every user, with the secrets of their apps. An " +
			"attacker who can read it signs in as each of them. It is encrypted in the format of " +
			"age, for -recipient or with -passphrase, unless -plain says that other programs " +
			"read it as it is. The command import reads it. Remembered devices, locks and used " +
			"codes do not move. The exit code is 3 if something stays behind.",
		flags: moveOutFlags, refuses: refuseMoveOut, run: moveOut, argument: []string{anyFile},
		values: map[string][]string{"passphrase": {anyFile}},
		examples: []string{
			"move-out -recipient age1... -rp-id example.com -by carol -reason \"new database\" " +
				"users.age",
			"move-out -plain -by carol -reason \"to another system\" users.jsonl"}}
}

func moveOutFlags(f *flag.FlagSet, c *call) {
	o := &c.leaving
	f.StringVar(&o.recipients, "recipient", "",
		"for whom the file is encrypted, as age-keygen says it: age1...; several with commas")
	f.StringVar(&o.passphrase, "passphrase", "",
		"file with the passphrase that the file is encrypted with, of 16 characters or more")
	f.BoolVar(&o.plain, "plain", false, "write the secrets so that everyone can read them")
	f.StringVar(&o.rpID, "rp-id", "",
		"domain of the passkeys, as passkey.Config.RPID has it; without it no passkey moves")
	f.StringVar(&o.cursor, "cursor", "", "where an earlier run stopped; it said so")
}

// refuseMoveOut refuses a file that is there, and flags that say for nobody, or in two ways, what
// it is encrypted with.
func refuseMoveOut(c *call) error {
	if _, err := os.Lstat(c.args[0]); err == nil {
		return fmt.Errorf("%s is there already", c.args[0])
	}
	if c.leaving.passphrase != "" && c.leaving.recipients == "" && !c.leaving.plain {
		return nil // its file is read once
	}
	_, err := c.leaving.sealFor()
	return err
}

// moveOut writes the factors of all users into a new file.
func moveOut(ctx context.Context, c *call) error {
	o := c.leaving
	to, err := o.sealFor()
	if err != nil {
		return err
	}
	path := c.args[0]
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	done, walk, err := c.writeUsers(ctx, file, to)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil || done.Users == 0 {
		// What was cut off is worth nothing, and has secrets.
		if err != nil {
			err = fmt.Errorf("no user was moved, and the file is removed; run it again: %w", err)
		}
		return errors.Join(walk, err, os.Remove(path), errNobody(done, walk, err))
	}
	return c.movedOut(path, done, walk)
}

// errNobody is for a store without users.
func errNobody(done exporting.Done, errs ...error) error {
	if errors.Join(errs...) != nil {
		return nil
	}
	return fmt.Errorf("there is nobody to move, and %d records could not be read",
		done.Unreadable)
}

// sealFor returns the recipients of the file, or none if it is to be plain.
func (o moveOutOptions) sealFor() (list []age.Recipient, err error) {
	ways := 0
	for _, chosen := range []bool{o.recipients != "", o.passphrase != "", o.plain} {
		if chosen {
			ways++
		}
	}
	if ways != 1 {
		return nil, fmt.Errorf("one of -recipient, -passphrase and -plain is required; %w",
			errUsage)
	}
	if o.passphrase != "" {
		passphrase, err := readPassphrase(o.passphrase)
		if err != nil {
			return nil, err
		}
		one, err := age.NewScryptRecipient(passphrase)
		if err != nil {
			return nil, err
		}
		one.SetWorkFactor(maxWork)
		return []age.Recipient{one}, nil
	}
	if o.plain {
		return nil, nil
	}
	for text := range strings.SplitSeq(o.recipients, ",") {
		some, err := age.ParseRecipients(strings.NewReader(strings.TrimSpace(text)))
		if err != nil {
			// It may be an identity, which is a secret.
			return nil, fmt.Errorf("-recipient has what is no recipient of age, age1...; %w",
				errUsage)
		}
		list = append(list, some...)
	}
	return list, nil
}

// writeUsers writes the file. An error of the store ends it as a whole file with a part of the
// users, and err is one of the file.
func (c *call) writeUsers(
	ctx context.Context, file io.Writer, to []age.Recipient,
) (done exporting.Done, walk, err error) {
	out := io.WriteCloser(unclosed{file})
	if len(to) > 0 {
		if out, err = age.Encrypt(file, to...); err != nil {
			return done, nil, err
		}
	}
	watched := &failing{Writer: out}
	shown := c.progress("users", 0)
	if c.logFile == "" {
		shown.overwriting = false // events go to the same terminal
	}
	done, walk = exporting.Write(ctx, c.admin(), watched, exporting.Options{
		Cursor: c.leaving.cursor, Page: func(d exporting.Done) {
			shown.show(d.Users)
			for _, e := range d.Unread {
				fmt.Fprintf(c.messages, "%v\n", e)
			}
		}})
	shown.end()
	if closed := out.Close(); watched.err == nil {
		return done, walk, closed
	}
	return done, nil, watched.err // which is what ended the walk, too
}

// failing keeps the error of a writer.
type failing struct {
	io.Writer
	err error
}

func (f *failing) Write(b []byte) (int, error) {
	n, err := f.Writer.Write(b)
	if err != nil {
		f.err = err
	}
	return n, err
}

// movedOut says what was written, and what was not.
func (c *call) movedOut(path string, done exporting.Done, walk error) error {
	if c.json {
		if err := writeJSON(c, map[string]any{"users": done.Users, "factors": done.Factors,
			"left": done.Left, "unreadable": done.Unreadable, "cursor": done.Cursor}); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(c.out, "%d users with %d factors are in %s.\n", done.Users, done.Factors, path)
	}
	warning := "The file " + path + " has their secrets, encrypted. Delete it when it is imported."
	if c.leaving.plain {
		warning = "WARNING: the file " + path + " has their SECRETS, NOT ENCRYPTED. An " +
			"attacker who reads it signs in as each of them. Delete it when it is imported, and its copies."
	}
	fmt.Fprintln(c.messages, warning)
	switch {
	case walk != nil:
		return fmt.Errorf("%w: %w; go on with -cursor %s and another file", errPartly, walk,
			done.Cursor)
	case done.Left > 0 || done.Unreadable > 0:
		return fmt.Errorf("%w: %d factors stay behind, and the lines of their users say why; %d "+
			"records could not be read", errPartly, done.Left, done.Unreadable)
	}
	return nil
}

const passkeyKind = "passkey"

// leavingKinds returns the kinds that leave the installation. A passkey moves out along with the
// domain it is for, or not at all.
func (c *call) leavingKinds(all []factor.Factor) ([]factor.Factor, error) {
	if c.leaving.rpID == "" && c.name != moveOutName {
		return all, nil
	}
	all = slices.DeleteFunc(all, func(f factor.Factor) bool { return f.Kind() == passkeyKind })
	if c.leaving.rpID == "" {
		return all, nil
	}
	passkeys, err := passkey.New(passkey.Config{RPID: c.leaving.rpID, RPName: "secondgate",
		Origins: []string{"https://" + c.leaving.rpID}})
	if err != nil {
		return nil, fmt.Errorf("%w; %w", err, errUsage)
	}
	return append(all, passkeys), nil
}
