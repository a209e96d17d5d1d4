package main

import (
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"github.com/secondgate/secondgate/importing"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/trail"
)

// lostEvents finds the users whom an earlier import imported and whose event it did not keep,
// because it was killed after the write of the record and before that of the audit trail. The next
// import of the same users keeps these events.
type lostEvents struct {
	c     *call
	began time.Time // of this import

	read sync.Once
	err  error
	runs []importRun // earlier imports, in their order
	// seed and kept have the users with an event, and erased the times of those that no longer
	// name their user.
	seed   maphash.Seed
	kept   map[uint64]bool
	erased map[int64]bool

	mu sync.Mutex
	n  int // how many were found
}

// importRun is an import of an operator, as the audit trail has it.
type importRun struct {
	began      time.Time
	last       time.Time // the newest event of a user
	by, reason string
}

func newLostEvents(c *call) *lostEvents {
	return &lostEvents{c: c, began: time.Now(), seed: maphash.MakeSeed(),
		kept: make(map[uint64]bool), erased: make(map[int64]bool)}
}

// errTwice is for a user whom this import has imported already: what the file has of the user
// beside the first is lost.
var errTwice = errors.New("the user was imported after this run began: the file has the user " +
	"twice, or another import runs")

// see looks at the result of one user. It is called from several goroutines.
func (l *lostEvents) see(ctx context.Context, r importing.Result) importing.Result {
	if r.Err != nil || r.Import.Skipped == "" || r.Import.Imported.IsZero() {
		return r
	}
	// A record has milliseconds.
	if !r.Import.Imported.Before(l.began.Truncate(time.Millisecond)) {
		r.Err = errTwice
		return r
	}
	if l.c.trail == nil || l.c.moving.dryRun {
		return r
	}
	l.read.Do(func() { l.err = l.readTrail(ctx) })
	if l.err != nil {
		r.Err = l.err
		return r
	}
	run, lost := l.runOf(r.User, r.Import.Imported)
	if !lost {
		return r
	}
	l.mu.Lock()
	l.n++
	l.mu.Unlock()
	l.c.events(ctx, mfa.Event{Name: "admin.import", Time: r.Import.Imported, UserID: r.User.ID,
		Tenant: r.User.Tenant, UserType: r.User.UserType, Remaining: -1, Reason: "found-later",
		Actor: run.by, Note: run.reason})
	return r
}

// readTrail reads the imports of the audit trail. It is read once, and only if a user was imported
// before.
func (l *lostEvents) readTrail(ctx context.Context) error {
	entries, err := l.c.trailing.entries(ctx)
	if err != nil {
		return err
	}
	shown, n := l.c.progress("entries of the audit trail", 0), 0
	defer shown.end()
	for e, err := range entries {
		if err != nil {
			return err
		}
		if err := l.add(&e); err != nil {
			return err
		}
		n++
		shown.show(n)
	}
	return nil
}

// add adds one entry.
func (l *lostEvents) add(e *trail.Entry) error {
	fact, who, err := e.Read()
	switch {
	case err != nil:
		return err
	case fact.Event == "command.import" && fact.Reason != dryRun:
		l.runs = append(l.runs, importRun{fact.Time, fact.Time, who.Actor, who.Note})
	case fact.Event != "admin.import":
	case len(e.Personal) == 0:
		l.erased[fact.Time.UnixMilli()] = true
	default:
		l.kept[l.hash(mfa.User{ID: who.User, Tenant: who.Tenant})] = true
		for i := range slices.Backward(l.runs) {
			if run := &l.runs[i]; run.by == who.Actor && run.reason == who.Note {
				run.last = fact.Time
				break
			}
		}
	}
	return nil
}

func (l *lostEvents) hash(u mfa.User) uint64 {
	return maphash.Comparable(l.seed, account{u.ID, u.Tenant})
}

// lostWithin is how long before its end an import may have made an event that it did not keep: as
// long as a slow log takes for the events that wait in memory.
const lostWithin = 10 * time.Minute

// runOf returns the import that imported a user at a time. lost is false if the user's event is
// kept, or was erased, or if no import of this trail may have been the one.
func (l *lostEvents) runOf(u mfa.User, imported time.Time) (run importRun, lost bool) {
	if l.kept[l.hash(u)] || l.erased[imported.UnixMilli()] {
		return run, false
	}
	for _, run := range slices.Backward(l.runs) {
		if !imported.Before(run.began.Truncate(time.Millisecond)) {
			return run, imported.Before(run.last.Add(lostWithin))
		}
	}
	return run, false
}
