package storage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/secondgate/secondgate/internal/keyed"
)

// ErrContention is returned when other writers were faster, too many times in a row. Nothing was
// changed.
var ErrContention = errors.New("storage: too much contention on one record")

// maxConflicts bounds how often one update is decided anew. Writers in one process queue
// up and do not conflict, so this is about how many processes work on one user at once.
const maxConflicts = 100

// Change is what a decision makes of a record. The zero value leaves it alone.
type Change struct {
	// Data is the record's new content, 1 to MaxDataLen bytes; nil writes nothing.
	Data []byte
	// Delete removes the record; Data is then nil. Without a record it does nothing.
	Delete bool
}

// Updater runs the read–decide–swap loop against one Store: it is where a decision becomes
// atomic. Work on one key is queued inside the process, so that a burst for one user
// takes one decision at a time; the store's condition keeps it correct across processes.
// Make one with NewUpdater; it is safe for concurrent use.
type Updater struct {
	store Store
	turns keyed.Mutex
}

// NewUpdater returns an Updater of s.
func NewUpdater(s Store) *Updater { return &Updater{store: s} }

// Get is Store.Get with the limits checked, also those of the record.
func (u *Updater) Get(ctx context.Context, key string) (Record, error) {
	if err := CheckKey(key); err != nil {
		return Record{}, err
	}
	rec, err := u.store.Get(ctx, key)
	if err == nil {
		err = rec.whole()
	}
	return rec, err
}

// Update reads the record under key, lets decide say what becomes of it, and swaps; on a
// conflict it starts again from the read. decide is given nil when there is no record; it
// may be called many times and must have no effect outside; an error from it ends the
// update, nothing written, and is returned as it is.
//
// A nil error means that the change is committed. ErrContention means that nothing was
// changed, and so does a context's error before the write; after any other error of the
// store the change may or may not have been made, and the caller must not act as if it was.
func (u *Updater) Update(
	ctx context.Context, key string, decide func(data []byte) (Change, error),
) error {
	return u.update(ctx, key, nil, decide)
}

// Commit makes a change that was decided on a record which the caller has read before. committed is
// false, with a nil error, if the record is another one by now; nothing was changed then, and the
// caller decides again with Update. After any other error of the store the change may or may not
// have been made, as after one of Update.
func (u *Updater) Commit(
	ctx context.Context, key string, rec Record, change Change,
) (committed bool, err error) {
	if err := CheckKey(key); err != nil {
		return false, err
	}
	if err := rec.whole(); err != nil {
		return false, err
	}
	turn, err := u.turns.Lock(ctx, key)
	if err != nil {
		return false, err
	}
	defer turn.Unlock()
	return u.commit(ctx, key, rec, change)
}

func (u *Updater) update(
	ctx context.Context, key string, known *Record, decide func(data []byte) (Change, error),
) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	turn, err := u.turns.Lock(ctx, key)
	if err != nil {
		return err
	}
	defer turn.Unlock()
	for attempt := range maxConflicts {
		if attempt > 0 {
			if err := pause(ctx, attempt); err != nil {
				return err
			}
		}
		rec, err := u.present(ctx, key, known)
		if err != nil {
			return err
		}
		known = nil
		done, err := u.try(ctx, key, rec, decide)
		if done || err != nil {
			return err
		}
	}
	return ErrContention
}

// present returns the record that is known, or reads it. Without a record it is the zero value.
func (u *Updater) present(ctx context.Context, key string, known *Record) (Record, error) {
	rec, err := Record{}, error(nil)
	if known != nil {
		rec = *known
	} else if rec, err = u.store.Get(ctx, key); errors.Is(err, ErrNotFound) {
		return Record{}, nil
	}
	if err == nil {
		err = rec.whole()
	}
	return rec, err
}

// whole refuses a record that no Swap has written. Without data a decision would take it for no
// record, which reads as "this user has no second factor".
func (r Record) whole() error {
	if r.Revision == "" || len(r.Data) == 0 {
		return fmt.Errorf("%w: the store returned a record without a revision or without data",
			ErrInvalid)
	}
	return nil
}

// try is one turn of the loop; done is false after a conflict.
func (u *Updater) try(
	ctx context.Context, key string, rec Record, decide func([]byte) (Change, error),
) (done bool, err error) {
	change, err := decide(rec.Data)
	if err != nil {
		return false, err
	}
	return u.commit(ctx, key, rec, change)
}

// commit makes a change of a record; done is false after a conflict.
func (u *Updater) commit(
	ctx context.Context, key string, rec Record, change Change,
) (done bool, err error) {
	switch {
	case change.Delete && rec.Revision == "", !change.Delete && change.Data == nil:
		return true, nil
	case change.Delete:
		err = u.store.Delete(ctx, key, rec.Revision)
	default:
		next := Record{Revision: Revision(rand.Text()), Data: change.Data}
		if err = CheckSwap(key, rec.Revision, next); err == nil {
			err = u.store.Swap(ctx, key, rec.Revision, next)
		}
	}
	if errors.Is(err, ErrConflict) {
		return false, nil
	}
	return err == nil, err
}

// pause waits before another attempt: a random time of up to
// 1, 2, 4 … 64 ms, so that processes fall out of step.
func pause(ctx context.Context, attempt int) error {
	bound := time.Millisecond << min(attempt-1, 6)
	t := time.NewTimer(time.Duration(mathrand.Int64N(int64(bound))))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
