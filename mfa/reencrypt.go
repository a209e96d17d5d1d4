package mfa

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage"
)

// Reencrypt seals everything at rest with the primary key of Config.Keys, page by page, and
// yields its progress after each. It is for an operator's command after a key was put first:
//
//	for p, err := range m.Reencrypt(ctx, cursor) {
//		if err != nil {
//			return err // take it up again with p.Cursor
//		}
//		save(p.Cursor)
//	}
//
// It writes from what a page has of its records, in one call for the page if the Config.Store is a
// storage.BatchSwapper, and works on eight pages at a time. It is safe beside live traffic and
// beside another Reencrypt, since every record is swapped on its condition. Pages that were begun
// are finished when the caller leaves the loop, and after an error; the cursor is then that of the
// first page that is not done. When it has ended without an error and without unreadable records,
// no record needs an older key. Tokens that were handed out may, until Config.LinkTTL and the other
// lifetimes are over: only then take the key away.
// Records that other packages seal are re-encrypted by those packages.
//
// The Config.Store must be a storage.Lister; if it is none, the error wraps
// errors.ErrUnsupported. An error of the store wraps ErrUnavailable and ends the walk; one that
// wraps storage.ErrInvalid as well says that the cursor is no longer valid, as in a Redis that
// was restarted since: begin again with "", what is done already is passed over quickly.
func (m *Manager) Reencrypt(ctx context.Context, cursor string) iter.Seq2[report.Progress, error] {
	return func(yield func(report.Progress, error) bool) {
		p := report.Progress{Cursor: cursor}
		pages := m.pages(ctx, cursor, "p/", "t/", "s/", "i/", "b/", "f/")
		results := severalPages(pages, pagesAtOnce, func(p page) (reencryptedPage, error) {
			return m.reencryptPage(ctx, p)
		})
		for done, err := range results {
			if err == nil {
				done.addTo(&p)
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

// reencryptPage re-encrypts or removes the records of a page, as the page has them. One that has
// changed since is read again.
func (m *Manager) reencryptPage(ctx context.Context, p page) (reencryptedPage, error) {
	now, done := m.now(), make([]reencryption, len(p.entries))
	var entries []storage.Entry
	var places []int
	for i, e := range p.entries {
		if e.Key[0] == 'i' && m.dropAbandoned(ctx, e, now) {
			done[i].what = recordRemoved
			continue
		}
		if keptUnder(e.Key).outlived == nil && m.cfg.Keys.Primary(e.Record.Data) {
			continue // nothing is to be done, now or after a write
		}
		entries, places = append(entries, e), append(places, i)
	}
	decide := func(i int, data []byte) (storage.Change, error) {
		fate, change := m.reencrypted(entries[i].Key, data, keptUnder(entries[i].Key), now)
		done[places[i]] = fate
		return change, nil
	}
	if err := m.records.UpdateEach(ctx, entries, decide); err != nil {
		return reencryptedPage{}, unavailable(err)
	}
	return reencryptedPage{done, p.cursor}, nil
}

// reencryptedPage is what became of the records of a page, and the cursor of what comes after it.
type reencryptedPage struct {
	records []reencryption
	cursor  string
}

// addTo adds a page to the progress.
func (r reencryptedPage) addTo(p *report.Progress) {
	p.Cursor, p.Unreadable = r.cursor, nil
	p.Records += len(r.records)
	for _, each := range r.records {
		switch each.what {
		case recordUnreadable:
			p.Unreadable = append(p.Unreadable, each.err)
		case recordReencrypted:
			p.Reencrypted++
		case recordRemoved:
			p.Removed++
		}
	}
}

// keptRecord is what kind of record a key names.
type keptRecord struct {
	purpose seal.Purpose // of its seal
	// outlived says whether a record has outlived its use; nil for one that never does. err is
	// why it cannot be opened.
	outlived func(plain []byte, err error, now time.Time) bool
}

func keptUnder(key string) keptRecord {
	switch key[0] {
	case 't':
		return keptRecord{purpose: sealPolicy}
	case 's':
		return keptRecord{purpose: sealSupport}
	case 'i':
		return keptRecord{purpose: sealIdentity}
	case 'b':
		return keptRecord{sealBudget, func(plain []byte, err error, now time.Time) bool {
			return errors.Is(err, seal.ErrUnknownKey) || err == nil && budgetOver(plain, now)
		}}
	case 'f':
		return keptRecord{sealForgotten, func(plain []byte, err error, now time.Time) bool {
			return err == nil && tombstoneOver(plain, now)
		}}
	default:
		return keptRecord{purpose: sealUser}
	}
}

// reencryption is what became of one record.
type reencryption struct {
	what recordFate
	err  error // why it is unreadable
}

type recordFate uint8

const (
	recordUnchanged recordFate = iota
	recordReencrypted
	recordRemoved
	recordUnreadable
)

// reencrypted decides what becomes of a record.
func (m *Manager) reencrypted(
	key string, data []byte, k keptRecord, now time.Time,
) (reencryption, storage.Change) {
	if data == nil {
		return reencryption{}, storage.Change{}
	}
	plain, err := m.cfg.Keys.Open(k.purpose, key, data)
	switch {
	case k.outlived != nil && k.outlived(plain, err, now):
		return reencryption{what: recordRemoved}, storage.Change{Delete: true}
	case err != nil:
		return reencryption{recordUnreadable, fmt.Errorf("%q: %w", key, err)}, storage.Change{}
	case m.cfg.Keys.Primary(data):
		return reencryption{}, storage.Change{}
	}
	return reencryption{what: recordReencrypted},
		storage.Change{Data: m.cfg.Keys.Seal(k.purpose, key, plain)}
}

// dropAbandoned removes the claim of an identity that no user has, or is about to have. A kind
// that is not configured here may be elsewhere, and its claims stay.
func (m *Manager) dropAbandoned(ctx context.Context, e storage.Entry, now time.Time) bool {
	kind, _, _ := strings.Cut(strings.TrimPrefix(e.Key, "i/"), "/")
	if _, ok := m.factors[kind].(factor.Identifier); !ok {
		return false
	}
	i, err := m.openIdentity(e.Key, e.Record.Data)
	if err != nil || !m.abandoned(ctx, e.Key, i, now) {
		return false
	}
	dropped, err := m.disown(ctx, e.Key, token.Subject{}, i)
	return err == nil && dropped
}

// tombstoneOver reports that no token is left that a tombstone could decide about.
func tombstoneOver(plain []byte, now time.Time) bool {
	var t record.Tombstone
	return cbor.Unmarshal(plain, &t) == nil && t.Expired(now)
}

// budgetOver reports that nothing in a rate limit counts any more.
func budgetOver(plain []byte, now time.Time) bool {
	var log record.SendLog
	return cbor.Unmarshal(plain, &log) == nil && len(log.Since(now)) == 0
}
