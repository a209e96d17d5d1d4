package mfa

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/secondgate/secondgate/internal/keyed"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/storage"
)

// Manager composes factors, policy and lockout over a store. It is safe for concurrent
// use, holds no goroutine and nothing that must be closed.
type Manager struct {
	cfg     Config
	setup   policy.Setup // what policies are checked against
	factors map[string]factor.Factor
	kinds   []string // in the order of Config.Factors
	records *storage.Updater
	// expensive lets this process verify one expensive response of a user at a time.
	expensive keyed.Mutex
	// temporary says that one of the factors is Traits.Temporary.
	temporary bool
	// identifying says that a factor's responses name their instances.
	identifying bool
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

// now reads the clock, once for each operation, to the millisecond.
func (m *Manager) now() time.Time { return m.cfg.Clock.Now().UTC().Truncate(time.Millisecond) }

// lifetimes are how long proofs permit changes.
func (m *Manager) lifetimes() authority.Lifetimes {
	return authority.Lifetimes{FirstFactor: m.cfg.ChallengeTTL, Grant: m.cfg.GrantTTL}
}

// Kinds returns the kinds of the configured factors, in their order.
func (m *Manager) Kinds() []string { return slices.Clone(m.kinds) }

// read returns the user's record, or nil if there is none.
func (m *Manager) read(ctx context.Context, key string) (*record.Record, error) {
	rec, err := m.records.Get(ctx, key)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, unavailable(err)
	}
	r, err := m.open(key, rec.Data)
	if err == nil {
		m.end(r, r.At(m.now()))
	}
	return r, err
}

// end takes away what has ended by itself.
func (m *Manager) end(r *record.Record, now time.Time) {
	if len(r.Holds) > 0 {
		r.EndHolds(now)
	}
	if !m.temporary {
		return
	}
	over := func(in record.Instance) bool {
		f := m.factors[in.Kind]
		return f != nil && f.Traits().Temporary && !now.Before(describe(f, in.State).Ends)
	}
	if slices.ContainsFunc(r.Factors, over) {
		had := m.hasOwn(r)
		r.Factors = slices.DeleteFunc(r.Factors, over)
		if had && !m.hasOwn(r) {
			m.endRecovery(r)
		}
	}
}

// update lets decide change the user's record, in one atomic step. decide may run several
// times; it returns whether to write. Its error ends the update, nothing written. After a
// nil error what decide did last is committed.
func (m *Manager) update(ctx context.Context, s token.Subject, now time.Time, decide func(r *record.Record) (write bool, err error)) error {
	key := s.Key()
	var decided error
	var gone map[string]identity // claims of instances that end
	var made *record.Record      // the user's first
	err := m.records.Update(ctx, key, func(data []byte) (storage.Change, error) {
		gone, made = nil, nil
		var r *record.Record
		if data == nil {
			r, decided = m.unborn(ctx, key, now)
		} else {
			r, decided = m.open(key, data)
		}
		if decided != nil {
			return storage.Change{}, decided
		}
		before := m.identities(r)
		m.end(r, r.At(now))
		write, err := decide(r)
		if decided = err; err != nil || !write {
			return storage.Change{}, err
		}
		gone = m.claims(ctx, without(before, m.identities(r)))
		r.Tidy(r.At(now), m.cfg.ChallengeTTL)
		if string(r.UserType) != s.UserType {
			r.UserType = []byte(s.UserType)
		}
		if r.Fresh {
			made = r
		}
		plain, err := r.Encode()
		if err != nil {
			return storage.Change{}, err
		}
		return storage.Change{Data: m.cfg.Keys.Seal(sealRecord, key, plain)}, nil
	})
	if err != nil && err == decided { //nolint:errorlint // the very error decide returned
		return err
	}
	if err != nil {
		return unavailable(err)
	}
	m.release(ctx, gone)
	if made != nil {
		return m.stillborn(ctx, key, made)
	}
	return nil
}

const sealRecord = "record"

func (m *Manager) open(key string, data []byte) (*record.Record, error) {
	plain, err := m.cfg.Keys.Open(sealRecord, key, data)
	if err != nil {
		return nil, unavailable(err)
	}
	r, err := record.Decode(plain)
	if err != nil {
		return nil, unavailable(err)
	}
	return r, nil
}

// unavailable keeps the cause for errors.Is, and its text: it is for errors of the store, of
// ours, and of a context. What a factor says enters by calls.go.
func unavailable(err error) error {
	if errors.Is(err, ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

func (m *Manager) emit(ctx context.Context, events []Event) {
	for _, e := range events {
		n := e.notice
		if e.notice = nil; m.cfg.Events != nil {
			m.cfg.Events(ctx, e)
		}
		if n != nil && notifies(e.Name) {
			m.notifyUser(ctx, e, n)
		}
	}
}
