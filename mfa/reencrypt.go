package mfa

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage"
)

// pageSize is how many records are asked for at once.
const pageSize = 200

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
// It writes several records of a page at a time, from what the page has of them. It is safe beside
// live traffic and beside another Reencrypt, since every record is swapped on its condition;
// leaving the loop stops it after the page. After an error it has done a part of the page. When it
// has ended without an error and without unreadable records, no record needs an older key. Tokens
// that were handed out may, until Config.LinkTTL and the other lifetimes are over: only then take
// the key away.
// Records that other packages seal are re-encrypted by those packages.
//
// The Config.Store must be a storage.Lister; if it is none, the error wraps
// errors.ErrUnsupported. An error of the store wraps ErrUnavailable and ends the walk; one that
// wraps storage.ErrInvalid as well says that the cursor is no longer valid, as in a Redis that
// was restarted since: begin again with "", what is done already is passed over quickly.
func (m *Manager) Reencrypt(ctx context.Context, cursor string) iter.Seq2[report.Progress, error] {
	return func(yield func(report.Progress, error) bool) {
		p := report.Progress{Cursor: cursor}
		for page, err := range m.pages(ctx, cursor, "p/", "t/", "s/", "i/", "b/", "f/") {
			if err == nil {
				p.Unreadable = nil
				err = m.reencryptPage(ctx, page.entries, &p)
			}
			if err != nil {
				yield(p, err)
				return
			}
			p.Cursor = page.cursor
			if !yield(p, nil) {
				return
			}
		}
	}
}

// reencryptedAtOnce is how many records of a page are written at a time. A database commits
// several together, and has connections left for live traffic.
const reencryptedAtOnce = 8

// reencryptPage re-encrypts the records of a page. After an error the progress has none of it.
func (m *Manager) reencryptPage(
	ctx context.Context, page []storage.Entry, p *report.Progress,
) error {
	now := m.now()
	done, err := inParallel(reencryptedAtOnce, page, func(e storage.Entry) (reencryption, error) {
		return m.reencryptEntry(ctx, e, now)
	})
	if err != nil {
		return unavailable(err)
	}
	p.Records += len(page)
	for _, each := range done {
		switch each.what {
		case recordUnreadable:
			p.Unreadable = append(p.Unreadable, each.err)
		case recordReencrypted:
			p.Reencrypted++
		case recordRemoved:
			p.Removed++
		}
	}
	return nil
}

// inParallel returns what do returns for each of list, in its order. It calls do from several
// goroutines, which have ended when it returns. After an error it calls do no more. It panics if do
// does, so that the caller can recover.
func inParallel[T, R any](goroutines int, list []T, do func(T) (R, error)) ([]R, error) {
	type result struct {
		i     int
		value R
		err   error
	}
	results := make(chan result, len(list))
	var next atomic.Int64
	var panicked atomic.Pointer[any]
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					panicked.Store(&p)
				}
			}()
			for i := int(next.Add(1)) - 1; i < len(list); i = int(next.Add(1)) - 1 {
				value, err := do(list[i])
				if results <- (result{i, value, err}); err != nil {
					next.Store(int64(len(list)))
				}
			}
		})
	}
	wg.Wait()
	if p := panicked.Load(); p != nil {
		panic(*p)
	}
	close(results)
	values := make([]R, len(list))
	for r := range results {
		if r.err != nil {
			return nil, r.err
		}
		values[r.i] = r.value
	}
	return values, nil
}

// reencryptEntry re-encrypts or removes a record as the page has it. If it has changed since, it
// is read again.
func (m *Manager) reencryptEntry(
	ctx context.Context, e storage.Entry, now time.Time,
) (reencryption, error) {
	if e.Key[0] == 'i' && m.dropAbandoned(ctx, e, now) {
		return reencryption{what: recordRemoved}, nil
	}
	k := keptUnder(e.Key)
	if k.outlived == nil && m.cfg.Keys.Primary(e.Record.Data) {
		return reencryption{}, nil // nothing is to be done, now or after a write
	}
	return swap(ctx, m.records, e.Key, &e.Record,
		func(data []byte) (reencryption, storage.Change, error) {
			done, change := m.reencrypted(e.Key, data, k, now)
			return done, change, nil
		})
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

// page is a part of a walk, and the cursor of what comes after it.
type page struct {
	entries []storage.Entry
	cursor  string
}

// pages walks the records under several prefixes, one after the other, from a cursor: the
// prefix that the walk is in, and the store's own cursor in it.
func (m *Manager) pages(
	ctx context.Context, cursor string, prefixes ...string,
) iter.Seq2[page, error] {
	return func(yield func(page, error) bool) {
		lister, ok := m.cfg.Store.(storage.Lister)
		if !ok {
			yield(page{}, fmt.Errorf("mfa: the store %T cannot list its records: %w", m.cfg.Store,
				errors.ErrUnsupported))
			return
		}
		i := 0
		if cursor != "" {
			if i = slices.IndexFunc(prefixes, func(p string) bool {
				return strings.HasPrefix(cursor,
					p)
			}); i < 0 {
				yield(page{}, fmt.Errorf("%w: the cursor is not one of this walk",
					factor.ErrMalformed))
				return
			}
			cursor = cursor[len(prefixes[i]):]
		}
		for ; i < len(prefixes); i, cursor = i+1, "" {
			for {
				entries, next, err := lister.List(ctx, prefixes[i], storage.Cursor(cursor),
					pageSize)
				if err != nil {
					yield(page{}, unavailable(err))
					return
				}
				p := page{entries: entries}
				switch {
				case next != "":
					p.cursor = prefixes[i] + string(next)
				case i+1 < len(prefixes):
					p.cursor = prefixes[i+1]
				}
				if !yield(p, nil) {
					return
				}
				if cursor = string(next); next == "" {
					break
				}
			}
		}
	}
}
