// Package done says whether a context is done, and gives its error to what it ended.
package done

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Err returns the error of ctx if it is done, or nil. Clients give the deadline of a context to a
// socket, which may notice it before the context does, so a deadline that is past counts as well.
func Err(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, bounded := ctx.Deadline(); bounded && time.Until(deadline) <= 0 {
		return context.DeadlineExceeded
	}
	return nil
}

// With returns err with the error of ctx, if ctx is done: clients report that in words of their
// own.
func With(ctx context.Context, err error) error {
	ended := Err(ctx)
	if err == nil || ended == nil || errors.Is(err, ended) {
		return err
	}
	return fmt.Errorf("%w: %w", ended, err)
}
