package mfa

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/storage"
)

// This file is Config.RecentRecords. Begin keeps the sealed record that it read, and Verify decides
// on it, if the challenge says that no Begin has seen a newer one. Only a decision that is written
// holds: the condition of its write is that the record is still this one.

// seenLen is how much of a revision a challenge carries. A part is enough: that two revisions begin
// alike leads to a conflict, and so to a read.
const seenLen = 8

// recentRecords are the last records that Begin read. A nil one keeps none.
type recentRecords struct {
	most int
	mu   sync.Mutex
	kept map[string]recentRecord
	// order has the keys in the order in which they came, as a ring once it is full. A key whose
	// record was taken, or came again, stays until its place is needed.
	order []string
	next  int
}

type recentRecord struct {
	storage.Record
	place int // in order
}

func newRecentRecords(most int) (*recentRecords, error) {
	if most < 0 {
		return nil, configError("RecentRecords is %d, want 0 or more", most)
	}
	if most == 0 {
		return nil, nil
	}
	return &recentRecords{most: most, kept: make(map[string]recentRecord)}, nil
}

// keep keeps a user's record, in the place of the oldest if there are as many as there may be, and
// returns how a challenge names it.
func (c *recentRecords) keep(who token.Subject, sealed storage.Record) (seen string) {
	if c == nil || sealed.Revision == "" {
		return ""
	}
	key := who.Key()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept[key] = recentRecord{sealed, c.place(key)}
	return string(sealed.Revision[:min(seenLen, len(sealed.Revision))])
}

// place makes room for a key, and returns its place.
func (c *recentRecords) place(key string) int {
	if len(c.order) < c.most {
		c.order = append(c.order, key)
		return len(c.order) - 1
	}
	place := c.next
	if oldest := c.order[place]; c.kept[oldest].place == place {
		delete(c.kept, oldest)
	}
	c.order[place], c.next = key, (c.next+1)%c.most
	return place
}

// take returns the record that the challenge of a response names, and keeps it no longer. A kind
// that issues something, such as a code, has written another one since.
func (c *recentRecords) take(a *attempt) (sealed storage.Record, ok bool) {
	_, issues := a.factor.(factor.Challenger)
	if c == nil || issues || a.claims.Seen == "" {
		return storage.Record{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	key := a.claims.Subject.Key()
	kept := c.kept[key]
	if !strings.HasPrefix(string(kept.Revision), a.claims.Seen) {
		return storage.Record{}, false
	}
	delete(c.kept, key)
	return kept.Record, true
}

// errDecideAgain says that nothing was written, so that the decision has to begin with a read.
var errDecideAgain = errors.New("mfa: decide again")

// updateFrom is update with the record that Begin read. Its error is errDecideAgain if nothing was
// written.
func updateFrom[T any](
	ctx context.Context, m *Manager, sealed storage.Record, a *attempt,
	decide func(r *record.Record) (decided T, write bool, err error),
) (T, error) {
	w := writing{m, a.claims.Subject, a.claims.Subject.Key(), a.now}
	u, change, err := turn(ctx, w, sealed.Data, decide)
	if err != nil || change.Data == nil {
		return u.decided, errDecideAgain
	}
	committed, err := m.records.Commit(ctx, w.key, sealed, change)
	if err == nil && !committed {
		return u.decided, errDecideAgain
	}
	return finish(ctx, w, u, err)
}
