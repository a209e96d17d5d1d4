package trail

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa"
)

// Erase removes whom the entries about a user name: the user, the addresses, and the actors and
// reasons of acts on the user. That the events happened stays, and so does an entry that says
// which were erased. Run must run. After an error call Erase again.
//
// ErrRewritten means that an entry under the user is not about the user, or has lost its personal
// part: an attacker who can write to the log would have the trail say that the entry was erased.
// Nothing is erased then.
func (t *Trail) Erase(ctx context.Context, user mfa.User) error {
	if user.ID == "" {
		return errors.New("trail: a user without an ID has no entries to erase")
	}
	if err := t.Flush(ctx); err != nil {
		return err
	}
	of := subject(user.ID, user)
	var runs [][2]int64
	for e, err := range t.cfg.Log.About(ctx, of) {
		if err != nil {
			return err
		}
		if !e.isAbout(user) {
			return fmt.Errorf("%w: entry %d is not about the user whose entries are to be erased",
				ErrRewritten, e.Seq)
		}
		if n := len(runs); n > 0 && runs[n-1][1] == e.Seq-1 {
			runs[n-1][1] = e.Seq
		} else {
			runs = append(runs, [2]int64{e.Seq, e.Seq})
		}
	}
	if len(runs) == 0 {
		return nil
	}
	for part := range slices.Chunk(runs, maxRuns) {
		if err := t.noteErased(ctx, part); err != nil {
			return err
		}
	}
	// The entry first: a personal part without one would look like an attacker's deletion.
	if err := t.Flush(ctx); err != nil {
		return err
	}
	return t.cfg.Log.Erase(ctx, of, runs[len(runs)-1][1])
}

// maxRuns bounds an entry trail.erased, so that the line of a File holds it however many events a
// user has caused.
const maxRuns = 10000

// noteErased queues the entry that says which entries are erased.
func (t *Trail) noteErased(ctx context.Context, runs [][2]int64) error {
	e, err := newEntry(Fact{Time: time.Now().UTC(), Event: "trail.erased", Erased: runs},
		Personal{})
	if err != nil {
		return err
	}
	select {
	case t.queue <- e:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
