package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/mfa"
)

// sealingKey returns the key of the file that seals what this command writes. Without a key file it
// returns none.
func (c *call) sealingKey(ctx context.Context) (writtenKey, error) {
	if c.keyFile == "" {
		return writtenKey{}, nil
	}
	keys, err := c.writtenKeys(ctx)
	if err != nil {
		return writtenKey{}, err
	}
	at, err := findKey(keys, keyIDOf(c.keys.Seal("key-id", "", nil)))
	if err != nil {
		return writtenKey{}, errors.New("the key file changed while it was read; run it again")
	}
	return keys[at], nil
}

// errKept ends a change of the key file that is not necessary.
var errKept = errors.New("the key is in the key file")

// keepSealingKey puts the key back into the file that sealed what this command has written, if it
// was retired meanwhile: no record had it then, and without it these records could not be read.
func (c *call) keepSealingKey(ctx context.Context, sealing writtenKey) error {
	if sealing.id == "" {
		return nil
	}
	retired := false
	err := c.changeKeys(ctx, func(keys []writtenKey) ([]writtenKey, error) {
		if _, err := findKey(keys, sealing.id); err == nil {
			return nil, errKept
		}
		retired = true
		return append(keys, sealing), nil
	})
	switch {
	case errors.Is(err, errKept):
		return nil
	case !retired: // such as while the vault is down
		fmt.Fprintf(c.messages, "Cannot see whether key %s, which sealed these users, is still in "+
			"the key file: %v\n", sealing.id, err)
		return nil
	case err != nil:
		return fmt.Errorf("key %s was retired while it sealed these users, and cannot be put "+
			"back into the key file. Put it back from a backup: %w", sealing.id, err)
	}
	c.events(ctx, mfa.Event{Name: "keys.added", Time: time.Now(), Remaining: -1,
		Reason: sealing.id, Actor: c.by, Note: c.reason})
	return fmt.Errorf("%w: key %s was retired while it sealed these users. It is in the key file "+
		"again, as the last. Run secondgate rotate, and retire it then", errPartly, sealing.id)
}
