package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa"
)

func addKeyFlags(f *flag.FlagSet, c *call) {
	f.BoolVar(&c.standby, "standby", false,
		"add a key that opens and does not seal yet; keys promote puts it first")
}

// addKey makes a key and puts it first, or last with -standby.
func addKey(ctx context.Context, c *call) error {
	var added writtenKey
	next := "It seals. Restart all processes of the application, then run: secondgate rotate"
	err := c.changeKeys(ctx, func(keys []writtenKey) (_ []writtenKey, err error) {
		if added, err = c.newKey(ctx); err != nil {
			return nil, err
		}
		if c.standby {
			return append(keys, added), nil
		}
		return slices.Insert(keys, 0, added), nil
	})
	if c.standby {
		next = "It opens, and does not seal yet. Restart all processes of the application, " +
			"then run: secondgate keys promote " + added.id
	}
	return c.keyChanged(ctx, err, "keys.added", added.id, "Key "+added.id+" is added. "+next)
}

// promoteKey puts a key first.
func promoteKey(ctx context.Context, c *call) error {
	id := c.args[0]
	err := c.changeKeys(ctx, func(keys []writtenKey) ([]writtenKey, error) {
		at, err := findKey(keys, id)
		if err != nil {
			return nil, err
		}
		promoted := keys[at]
		return slices.Insert(slices.Delete(keys, at, at+1), 0, promoted), nil
	})
	return c.keyChanged(ctx, err, "keys.promoted", id, "Key "+id+" is first, and seals. Restart "+
		"all processes of the application, then run: secondgate rotate")
}

// retireKey removes a key under which no record is.
func retireKey(ctx context.Context, c *call) error {
	id := c.args[0]
	err := c.changeKeys(ctx, func(keys []writtenKey) ([]writtenKey, error) {
		at, err := findKey(keys, id)
		if err != nil {
			return nil, err
		}
		counts, err := c.countKeys(ctx)
		if err != nil {
			return nil, err
		}
		if err := retirable(id, at, counts[id]); err != nil {
			return nil, err
		}
		return slices.Delete(keys, at, at+1), nil
	})
	return c.keyChanged(ctx, err, "keys.retired", id, "Key "+id+" is retired. Restart all "+
		"processes of the application.")
}

// retirable refuses to retire a key that is needed.
func retirable(id string, at, records int) error {
	switch {
	case records > 0:
		return fmt.Errorf("key %s is in use: %d records are sealed with it. Run secondgate "+
			"rotate after another key is first, and retire it then. The application re-encrypts "+
			"the records of packages password and sso", id, records)
	case at == 0:
		return fmt.Errorf("key %s seals. Put another one first with secondgate keys add, or "+
			"with secondgate keys promote, and retire it then", id)
	}
	return nil
}

// findKey returns where a key is.
func findKey(keys []writtenKey, id string) (int, error) {
	at := slices.IndexFunc(keys, func(k writtenKey) bool { return k.id == id })
	if at < 0 {
		return 0, fmt.Errorf("there is no key %q; secondgate keys list has the IDs", id)
	}
	return at, nil
}

// changeKeys replaces the key file by one with other keys. Nobody else changes it meanwhile.
func (c *call) changeKeys(
	ctx context.Context, change func([]writtenKey) ([]writtenKey, error),
) error {
	if c.keyFile == "" {
		return errors.New("the keys are in the environment, which this command cannot change. " +
			"Change $" + keysVariable + " where it is set: the first key seals, commas separate " +
			"keys, and head -c 32 /dev/urandom | base64 makes one. Take a key away when " +
			"secondgate keys list counts 0 records under it")
	}
	path, err := filepath.EvalSymlinks(c.keyFile)
	if err != nil {
		return err
	}
	unlock, err := lockDirectory(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("cannot lock the directory of the key file: %w", err)
	}
	keys, err := c.writtenKeys(ctx)
	if err == nil {
		keys, err = change(keys)
	}
	if err == nil {
		err = replaceKeys(path, keys)
	}
	return errors.Join(err, unlock())
}

// replaceKeys writes a key file anew, for the owner of the old one alone.
func replaceKeys(path string, keys []writtenKey) error {
	var text strings.Builder
	for _, k := range keys {
		text.WriteString(k.line + "\n")
	}
	return writeBeside(path, text.String(), func(from, to string) error {
		if err := giveToOwnerOf(to, from); err != nil {
			return fmt.Errorf("cannot keep the owner of the key file: %w", err)
		}
		return os.Rename(from, to)
	})
}

// keyChanged makes the event of a change of the keys that was done, and says it.
func (c *call) keyChanged(ctx context.Context, err error, event, id, text string) error {
	if err != nil {
		return err
	}
	c.events(ctx, mfa.Event{Name: event, Time: time.Now(), Remaining: -1, Reason: id, Actor: c.by,
		Note: c.reason})
	if c.json {
		return writeJSON(c, map[string]string{"id": id, "done": c.name})
	}
	_, err = fmt.Fprintln(c.out, text)
	return err
}
