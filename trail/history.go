package trail

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa"
)

// History returns what the trail says about a user, in order. An entry whose personal part does not
// match its hash, or that is about another user, is left out. An attacker who can write to the log
// can replace the hash, too: [Verify] finds that, and History does not.
func (t *Trail) History(ctx context.Context, user mfa.User) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for e, err := range t.cfg.Log.About(ctx, subject(user.ID, user)) {
			if (err != nil || e.isAbout(user)) && !yield(e, err) {
				return
			}
		}
	}
}

// Newest returns the newest events about a user that were written, the latest first, at most limit
// of them. It is for the History of the Config of mfahttp and of mfahttp/admin:
//
//	pages, err := admin.New(admin.Config{History: audit.Newest, …})
//
// An event has what the trail keeps of it, which is all but Remaining: that is -1. Entries of
// earlier versions have no HeldUntil, Approver and ExceptionEnds. Events that Erase removed are
// gone. In a [Table] Newest reads limit entries; of a [File] it reads all entries, so that a table
// is better for pages of users.
func (t *Trail) Newest(ctx context.Context, user mfa.User, limit int) ([]mfa.Event, error) {
	entries, err := t.newest(ctx, user, max(limit, 0))
	if err != nil {
		return nil, err
	}
	var list []mfa.Event
	for _, e := range entries {
		event, err := e.event()
		if err != nil {
			return nil, err
		}
		list = append(list, event)
	}
	return list, nil
}

// newest returns the newest entries about a user, the latest first.
func (t *Trail) newest(ctx context.Context, user mfa.User, limit int) ([]Entry, error) {
	if table, ok := t.cfg.Log.(*Table); ok {
		list, err := table.newest(ctx, subject(user.ID, user), limit)
		return slices.DeleteFunc(list, func(e Entry) bool { return !e.isAbout(user) }), err
	}
	var newest []Entry
	for e, err := range t.History(ctx, user) {
		if err != nil {
			return nil, err
		}
		newest = append(newest, e)
		if len(newest) > 2*limit {
			newest = slices.Clone(newest[len(newest)-limit:])
		}
	}
	slices.Reverse(newest)
	return newest[:min(len(newest), limit)], nil
}

// event returns the event of an entry.
func (e *Entry) event() (mfa.Event, error) {
	f, p, err := e.Read()
	out := mfa.Event{Name: f.Event, Time: f.Time, Kind: f.Kind, Purpose: f.Purpose,
		Reason: f.Reason, UserID: p.User, Tenant: p.Tenant, UserType: p.UserType,
		FactorID: p.FactorID, Write: p.Write, Actor: p.Actor, Note: p.Note, Approver: p.Approver,
		Remaining: -1, LockedUntil: instant(f.LockedUntil), HeldUntil: instant(f.HeldUntil),
		ExceptionEnds: instant(f.ExceptionEnds)}
	return out, err
}

// instant undoes known.
func instant(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
