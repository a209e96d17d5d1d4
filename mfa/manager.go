package mfa

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/secondgate/secondgate/internal/keyed"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/storage"
)

// Manager composes factors, policy and lockout over a store. It is safe for concurrent
// use, holds no goroutine and nothing that must be closed.
type Manager struct {
	cfg     Config
	setup   policy.Setup  // what policies are checked against
	rules   *decide.Rules // what decisions need of the configuration
	factors map[string]factor.Factor
	kinds   []string // in the order of Config.Factors
	records *storage.Updater
	recent  *recentRecords
	// expensive lets this process verify one expensive response of a user at a time.
	expensive keyed.Mutex
	// identifying says that a factor's responses name their instances.
	identifying bool
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

// now reads the clock, once for each operation, to the millisecond.
func (m *Manager) now() time.Time { return m.cfg.Clock.Now().UTC().Truncate(time.Millisecond) }

// Kinds returns the kinds of the configured factors, in their order.
func (m *Manager) Kinds() []string { return slices.Clone(m.kinds) }

// Traits returns the traits of a kind, or none if no factor of the kind is configured. Pages read
// from them what the field for a response takes.
func (m *Manager) Traits(kind string) factor.Traits { return m.rules.Kinds[kind].Traits }

// read returns the user's record, or nil if there is none.
func (m *Manager) read(ctx context.Context, key string) (*record.Record, error) {
	r, _, err := m.readSealed(ctx, key)
	return r, err
}

// readSealed returns the user's record and its sealed form, or nil if there is none.
func (m *Manager) readSealed(
	ctx context.Context, key string,
) (*record.Record, storage.Record, error) {
	sealed, err := m.records.Get(ctx, key)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, storage.Record{}, nil
	}
	if err != nil {
		return nil, storage.Record{}, unavailable(err)
	}
	r, err := m.open(key, sealed.Data)
	if err == nil {
		m.rules.EndExpired(r, r.At(m.now()))
	}
	return r, sealed, err
}

// readOrNew returns the user's record, or what a user without one starts with.
func (m *Manager) readOrNew(
	ctx context.Context, key string, now time.Time,
) (*record.Record, error) {
	r, _, err := m.readSealedOrNew(ctx, key, now)
	return r, err
}

func (m *Manager) readSealedOrNew(
	ctx context.Context, key string, now time.Time,
) (*record.Record, storage.Record, error) {
	r, sealed, err := m.readSealed(ctx, key)
	if err == nil && r == nil {
		r, err = m.unborn(ctx, key, now)
	}
	return r, sealed, err
}

// update lets decide change the user's record, in one atomic step, and returns what decide
// returned last, which is committed. decide may run several times, each time with the newer
// record; it returns whether to write. Its error ends the update, nothing written.
func update[T any](
	ctx context.Context, m *Manager, s token.Subject, now time.Time,
	decide func(r *record.Record) (decided T, write bool, err error),
) (T, error) {
	w := writing{m, s, s.Key(), now}
	u, err := swap(ctx, m.records, w.key,
		func(data []byte) (updated[T], storage.Change, error) {
			return turn(ctx, w, data, decide)
		})
	return finish(ctx, w, u, err)
}

// writing says whose record an update writes, and when.
type writing struct {
	m   *Manager
	who token.Subject
	key string
	now time.Time
}

// turn is one turn of update: what decide makes of a sealed record.
func turn[T any](
	ctx context.Context, w writing, data []byte,
	decide func(r *record.Record) (decided T, write bool, err error),
) (u updated[T], change storage.Change, err error) {
	m := w.m
	r, err := m.recordFrom(ctx, w.key, data, w.now)
	if err != nil {
		return u, change, decidedError{err}
	}
	before, err := m.identities(r)
	if err != nil {
		return u, change, decidedError{err}
	}
	m.rules.EndExpired(r, r.At(w.now))
	var write bool
	if u.decided, write, err = decide(r); err != nil {
		return u, change, decidedError{err}
	}
	if !write {
		return u, change, nil
	}
	after, err := m.identities(r)
	if err != nil {
		return u, change, decidedError{err}
	}
	u.gone = m.claims(ctx, without(before, after))
	if r.Fresh {
		u.made = r
	}
	change, err = m.sealRecord(w.key, r, w.who.UserType, w.now)
	return u, change, err
}

// finish is what follows the last turn of update.
func finish[T any](
	ctx context.Context, w writing, u updated[T], err error,
) (T, error) {
	if err != nil {
		return u.decided, undecided(err)
	}
	w.m.release(ctx, u.gone)
	if u.made != nil {
		err = w.m.stillborn(ctx, w.key, u.made)
	}
	return u.decided, err
}

// updated is what one turn of update leads to.
type updated[T any] struct {
	decided T
	gone    map[string]identity // claims of instances that end
	made    *record.Record      // the user's first
}

// decidedError carries the error of a decision through the update loop, as it is.
type decidedError struct{ err error }

func (e decidedError) Error() string { return e.err.Error() }

// undecided returns the error of a decision as it is, and any other as one of the store.
func undecided(err error) error {
	if own, ok := errors.AsType[decidedError](err); ok {
		return own.err
	}
	return unavailable(err)
}

// swap is storage.Updater.Update for a change that has a result. It returns that of the turn
// which was committed, so that no turn leaves anything behind.
func swap[T any](
	ctx context.Context, u *storage.Updater, key string,
	change func(data []byte) (T, storage.Change, error),
) (last T, err error) {
	err = u.Update(ctx, key, func(data []byte) (c storage.Change, err error) {
		last, c, err = change(data)
		return c, err
	})
	return last, err
}

// recordFrom returns the record that data is, or what a user without one starts with.
func (m *Manager) recordFrom(
	ctx context.Context, key string, data []byte, now time.Time,
) (*record.Record, error) {
	if data == nil {
		return m.unborn(ctx, key, now)
	}
	return m.open(key, data)
}

// sealRecord returns the change that writes a record.
func (m *Manager) sealRecord(
	key string, r *record.Record, userType string, now time.Time,
) (storage.Change, error) {
	r.Writes = r.NextWrite(now)
	r.Tidy(r.At(now), m.cfg.ChallengeTTL)
	if string(r.UserType) != userType {
		r.UserType = []byte(userType)
	}
	plain, err := r.Encode()
	if err != nil {
		return storage.Change{}, err
	}
	return storage.Change{Data: m.cfg.Keys.Seal(sealUser, key, plain)}, nil
}

const sealUser = "record"

func (m *Manager) open(key string, data []byte) (*record.Record, error) {
	plain, err := m.cfg.Keys.Open(sealUser, key, data)
	if err != nil {
		return nil, unavailable(err)
	}
	r, err := record.Decode(plain)
	if err != nil {
		return nil, unavailable(err)
	}
	for i := range r.Factors {
		if err := m.describeInstance(&r.Factors[i]); err != nil {
			return nil, err
		}
	}
	for i := range r.Pending {
		if err := m.describeInstance(&r.Pending[i].Instance); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// describeInstance sets what decisions need of what a factor says about an instance.
func (m *Manager) describeInstance(in *record.Instance) error {
	f := m.factors[in.Kind]
	if f == nil {
		return nil
	}
	t := f.Traits()
	if !t.Limited && !t.Temporary && t.Level != factor.LevelPhishingResistant {
		return nil
	}
	d, err := describe(f, in.State)
	if err != nil {
		return err
	}
	in.Remaining, in.Ends = d.Remaining, d.Ends
	in.Key = record.Key{AMR: d.AMR, Certified: d.Certified, DeviceBound: d.DeviceBound,
		Hardware: d.Hardware, Compromised: d.Compromised}
	return nil
}

// view returns what a decision about a user's record looks at.
func (m *Manager) view(r *record.Record, c *token.Claims, now time.Time) decide.View {
	return decide.View{Rules: m.rules, Record: r, Claims: c, Now: now, Vouched: m.vouched(c)}
}

// vouched returns the addresses that the application vouches for, as the factors read them.
func (m *Manager) vouched(c *token.Claims) (list []decide.Vouched) {
	if !c.Subject.Confirmed {
		return nil
	}
	for _, kind := range c.Implicit {
		f, ok := m.factors[kind].(factor.Implier)
		if !ok || !(policy.Policy{Kinds: c.Kinds}).Allows(kind) {
			continue
		}
		state, masked, err := callImplied(f, c.Subject.FactorUser())
		if err != nil || state != nil {
			list = append(list, decide.Vouched{Err: err, Instance: record.Instance{Kind: kind,
				MaskedDestination: masked, State: state, Implicit: true}})
		}
	}
	return list
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
