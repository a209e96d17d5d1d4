// Package operating has what an operator's command does. docs/operating.md goes through it.
package operating

import (
	"context"
	"fmt"

	"github.com/secondgate/secondgate/mfa"
)

// Reencrypt seals every record with the first key, so that the others can be taken away. cursor is
// "" at first, and then what save was given last, for a walk that was stopped.
func Reencrypt(
	ctx context.Context, m *mfa.Manager, cursor string, save func(cursor string) error,
) error {
	unreadable := 0
	for p, err := range m.Reencrypt(ctx, cursor) {
		if err != nil {
			return err
		}
		unreadable += len(p.Unreadable)
		if err := save(p.Cursor); err != nil {
			return err
		}
	}
	if unreadable > 0 {
		return fmt.Errorf("%d records cannot be read with these keys: keep the old ones",
			unreadable)
	}
	return nil
}
