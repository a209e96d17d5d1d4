// Package swaps checks what stores are given for several swaps in one call.
package swaps

import (
	"fmt"

	"github.com/secondgate/secondgate/storage"
)

// Check checks the arguments of [storage.BatchSwapper]. The error wraps storage.ErrInvalid.
func Check(old []storage.Entry, next []storage.Record) error {
	if len(old) != len(next) {
		return fmt.Errorf("%w: %d records for %d", storage.ErrInvalid, len(next), len(old))
	}
	seen := make(map[string]bool, len(old))
	for i, e := range old {
		if err := storage.CheckSwap(e.Key, e.Record.Revision, next[i]); err != nil {
			return err
		}
		if seen[e.Key] {
			return fmt.Errorf("%w: a key that comes twice", storage.ErrInvalid)
		}
		seen[e.Key] = true
	}
	return nil
}
