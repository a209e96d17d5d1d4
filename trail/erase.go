package trail

import (
	"context"
	"time"

	"github.com/secondgate/secondgate/mfa"
)

// Erase removes whom the entries about a user name: the user, the addresses, and the actors and
// reasons of acts on the user. That the events happened stays, and so does an entry that says
// which were erased. Run must run. After an error call Erase again.
func (t *Trail) Erase(ctx context.Context, user mfa.User) error {
	if err := t.Flush(ctx); err != nil {
		return err
	}
	of := subject(user.ID, user)
	var runs [][2]int64
	for e, err := range t.cfg.Log.About(ctx, of) {
		if err != nil {
			return err
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
	e, err := newEntry(Fact{Time: time.Now().UTC(), Event: "trail.erased", Erased: runs},
		Personal{})
	if err != nil {
		return err
	}
	select {
	case t.queue <- e:
	case <-ctx.Done():
		return ctx.Err()
	}
	// The entry first: a personal part without one would look like an attacker's deletion.
	if err := t.Flush(ctx); err != nil {
		return err
	}
	return t.cfg.Log.Erase(ctx, of, runs[len(runs)-1][1])
}
