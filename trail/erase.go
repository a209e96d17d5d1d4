package trail

import (
	"bytes"
	"cmp"
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
// ErrRewritten means that an entry under the user is not as it was written: an attacker who can
// write to the log would have the trail say that an entry of another user was erased. Nothing is
// erased then.
//
// Erase reads every entry from the user's first one to the first checkpoint behind the last one,
// and hashes it. It keeps one at a time. So it takes as long as [Verify] does for that part of the
// trail, which is nearly all of it for an old user. A [File] is also read from its beginning, and
// written anew.
func (t *Trail) Erase(ctx context.Context, user mfa.User) error {
	if user.ID == "" {
		return errors.New("trail: a user without an ID has no entries to erase")
	}
	if err := t.Flush(ctx); err != nil {
		return err
	}
	of := subject(user.ID, user)
	runs, err := t.erasable(ctx, user, of)
	if err != nil {
		return err
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

// erasable returns the runs of entries about a user. Each is as it was written, because the key has
// signed a checkpoint behind the last one.
func (t *Trail) erasable(
	ctx context.Context, user mfa.User, of string,
) (runs [][2]int64, err error) {
	first, last, err := t.extent(ctx, user, of)
	if err != nil || first == 0 {
		return nil, err
	}
	before := Entry{Seq: first - 1, Hash: genesis()}
	for e, err := range t.cfg.Log.Read(ctx, max(first-1, 1)) {
		switch {
		case err != nil:
			return nil, err
		case e.Seq == first-1:
			before = e
			continue
		case e.Seq != before.Seq+1 || !bytes.Equal(e.Hash, e.chain(before.Hash)):
			return nil, fmt.Errorf("%w: entry %d was altered, or the one before was",
				ErrRewritten, e.Seq)
		case e.Subject == of && !e.isAbout(user):
			return nil, notAbout(e)
		case e.Subject == of:
			runs = withNumber(runs, e.Seq)
		}
		if e.Seq >= last && checks(t.public, t.cfg.Origin, &e) {
			return runs, nil
		}
		before = e
	}
	return nil, fmt.Errorf("%w: behind entry %d there is no checkpoint", ErrRewritten, last)
}

// extent returns the numbers of the first and the last entry about a user, or zeros.
func (t *Trail) extent(
	ctx context.Context, user mfa.User, of string,
) (first, last int64, err error) {
	for e, err := range t.cfg.Log.About(ctx, of) {
		if err != nil {
			return 0, 0, err
		}
		if !e.isAbout(user) {
			return 0, 0, notAbout(e)
		}
		first, last = cmp.Or(first, e.Seq), e.Seq
	}
	return first, last, nil
}

func notAbout(e Entry) error {
	return fmt.Errorf("%w: entry %d is not about the user whose entries are to be erased",
		ErrRewritten, e.Seq)
}

// withNumber adds a number to runs, each of which has a first and a last number.
func withNumber(runs [][2]int64, n int64) [][2]int64 {
	if end := len(runs) - 1; end >= 0 && runs[end][1] == n-1 {
		runs[end][1] = n
		return runs
	}
	return append(runs, [2]int64{n, n})
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
