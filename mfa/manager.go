package mfa

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/secondgate/secondgate/internal/keyed"
	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage"
)

// Config configures a Manager.
type Config struct {
	// Store keeps the records. Required.
	Store storage.Store
	// Keys seal records and tokens. Required. See seal.NewKeyring.
	Keys *seal.Keyring
	// Factors are the kinds on offer, in order of preference. At least one that is not a
	// recovery kind is required.
	Factors []Factor
	// Policies defaults to policy.Static(policy.Policy{}), which requires a second factor of
	// every user.
	Policies policy.Source
	// Profile is the standard that the configuration and the policies are held to. Defaults to
	// policy.ProfileDefault, which refuses nothing. Before you set a stricter one, Audit says
	// what breaks it.
	Profile policy.Profile
	// Lockout defaults to five tries, ten over all kinds, three minutes, stop at 100.
	Lockout lockout.Config
	// Sends defaults to 30 codes an hour for a person; see SendBudget.
	Sends SendBudget
	// Authorize is asked before everything an administrator does: Reset, Unlock, Issue,
	// SetPolicy, SendConfirmation, SendSetupLinkTo, ForgetSubject, and the list of support.
	// Nil refuses them all with ErrForbidden.
	Authorize func(ctx context.Context, a AdminAction) error
	// Events is told everything that happens, after it was recorded, in the caller's
	// goroutine. Nil means nobody. See SlogEvents.
	Events func(ctx context.Context, e Event)
	// Notices lets people be told, at every address known to be theirs, what happened to
	// their second factor: a factor that was added, a lock, a reset. It is called in the
	// caller's goroutine after the fact was recorded, once for each message, and calls tell
	// now or later, with a context of its own, and again after an error if it likes; nothing
	// but events depends on it. Nil tells nobody. See NoticesNow. A user gets at most ten
	// notices of one event in 24 hours, at each address; the events go on.
	Notices func(ctx context.Context, tell func(ctx context.Context) error)
	// Clock defaults to the system's.
	Clock Clock
	// ChallengeTTL is how long a challenge may be answered; default 15 minutes, 1 minute
	// to 1 hour.
	ChallengeTTL time.Duration
	// GrantTTL is how long a grant opens what it opens; default 5 minutes, 1 minute to 1
	// hour.
	GrantTTL time.Duration
	// EnrollmentTTL is how long an enrolment may stay unconfirmed; default 15 minutes, 1
	// minute to 1 hour.
	EnrollmentTTL time.Duration
	// LinkTTL is how long a confirmation link is good; default 24 hours, 10 minutes to 7
	// days (NIST SP 800-63B-4 section 4.2.1.2 allows 24 hours for e-mail).
	LinkTTL time.Duration
}

// SendBudget bounds how many codes, links and requests for support are sent in any hour. Zero
// fields mean the default, negative ones no limit. The narrowest limit refuses first, and a
// refusal costs nothing of a wider one.
type SendBudget struct {
	// PerPerson defaults to 30 for each person.
	PerPerson int
	// PerDestination counts what goes to one address or number over all people. By
	// default 20, and only while the destination is not confirmed (a confirmed one is
	// covered by PerPerson, and a sign-in then costs no second write); set, it counts all.
	PerDestination int
	// PerSender counts what goes out by one kind in all, for one tenant. Default: no limit.
	PerSender int
}

// AdminAction is what an administrator wants to do.
type AdminAction struct {
	// Name is "reset", "unlock", "issue", "set-policy", "send-confirmation", "send-setup",
	// "forget", "list-support" or "close-support".
	Name string
	// Actor is who acts, as Actor.Name says; Reason goes into the event. System says that
	// a program acts, and no user.
	Actor, Reason string
	System        bool
	// SubjectID is whom it is about, "" for a policy.
	SubjectID        string
	Tenant, UserType string
}

// AdminRequest is an act of an administrator on one person.
type AdminRequest struct {
	Subject Subject
	// Actor is required. Reason is recorded in the event.
	Actor  Actor
	Reason string
}

// Manager composes factors, policy and lockout over a store. It is safe for concurrent
// use, holds no goroutine and nothing that must be closed.
type Manager struct {
	cfg     Config
	setup   policy.Setup // what policies are checked against
	factors map[string]Factor
	kinds   []string // in the order of Config.Factors
	records *storage.Updater
	// judging lets one expensive answer of a person at a time be judged in this process.
	judging keyed.Mutex
	// temporary says that one of the factors is Traits.Temporary.
	temporary bool
	// identifying: a factor's answers name their instances.
	identifying bool
}

// New checks the configuration as far as it can be checked without the store, and returns
// a Manager. Its errors wrap ErrConfig and say what to do.
func New(cfg Config) (*Manager, error) {
	if cfg.Store == nil {
		return nil, configError("Store is nil; for a first try use storage/memory, to keep anything storage/sqlstore")
	}
	if cfg.Keys == nil {
		return nil, configError("Keys is nil; make a keyring with seal.NewKeyring from a key kept outside the database")
	}
	m := &Manager{cfg: cfg, factors: make(map[string]Factor), records: storage.NewUpdater(cfg.Store)}
	ordinary := false
	for i, f := range cfg.Factors {
		if f == nil {
			return nil, configError("Factors[%d] is nil", i)
		}
		kind := f.Kind()
		if !kindForm(kind) {
			return nil, configError("Factors[%d] has kind %q; a kind is 1 to 32 of a-z, 0-9 and hyphen", i, kind)
		}
		if m.factors[kind] != nil {
			return nil, configError("kind %q is configured twice", kind)
		}
		t := f.Traits()
		if t.Class < factor.ClassPossession || t.Class > factor.ClassRecovery {
			return nil, configError("factor %q has no class; see factor.Traits", kind)
		}
		if t.NoConfirmation && t.Class != factor.ClassRecovery {
			return nil, configError("factor %q is enrolled without proof; only recovery kinds may be", kind)
		}
		if t.AdminOnly && !t.NoConfirmation {
			return nil, configError("factor %q is made by administrators, so it must be enrolled without proof; see factor.Traits", kind)
		}
		if t.LastResort && t.Class != factor.ClassRecovery {
			return nil, configError("factor %q is of last resort, so it must be of class Recovery; see factor.Traits", kind)
		}
		if _, describes := f.(factor.Describer); (t.Limited || t.Temporary) && !describes {
			return nil, configError("factor %q is Limited or Temporary and no factor.Describer; see factor.Traits", kind)
		}
		m.temporary = m.temporary || t.Temporary
		_, identifies := f.(factor.Identifier)
		m.identifying = m.identifying || identifies
		if _, issues := f.(factor.Challenger); t.SharedChallenge && !issues {
			return nil, configError("factor %q shares challenges and issues none; see factor.Traits", kind)
		}
		ordinary = ordinary || t.Class != factor.ClassRecovery
		m.factors[kind] = f
		m.kinds = append(m.kinds, kind)
	}
	if !ordinary {
		return nil, configError("Factors needs at least one that is not a recovery kind, such as totp.New")
	}
	var err error
	if m.cfg.Lockout, err = cfg.Lockout.WithDefaults(); err != nil {
		return nil, configError("%v", err)
	}
	for _, d := range []struct {
		name             string
		value            *time.Duration
		def, least, most time.Duration
	}{
		{"ChallengeTTL", &m.cfg.ChallengeTTL, 15 * time.Minute, time.Minute, time.Hour},
		{"GrantTTL", &m.cfg.GrantTTL, 5 * time.Minute, time.Minute, time.Hour},
		{"EnrollmentTTL", &m.cfg.EnrollmentTTL, 15 * time.Minute, time.Minute, time.Hour},
		{"LinkTTL", &m.cfg.LinkTTL, 24 * time.Hour, 10 * time.Minute, 7 * 24 * time.Hour},
	} {
		if *d.value == 0 {
			*d.value = d.def
		}
		if *d.value < d.least || *d.value > d.most {
			return nil, configError("%s is %s, want %s to %s", d.name, *d.value, d.least, d.most)
		}
	}
	m.cfg.Sends = cfg.Sends.withDefaults()
	if m.cfg.Clock == nil {
		m.cfg.Clock = systemClock{}
	}
	if m.cfg.Policies == nil {
		m.cfg.Policies = policy.Static(policy.Policy{})
	}
	m.setup = policy.Setup{Factors: slices.Clone(cfg.Factors), Policies: m.cfg.Policies,
		Profile: cmp.Or(cfg.Profile, policy.ProfileDefault), Lockout: m.cfg.Lockout, LinkTTL: m.cfg.LinkTTL,
		Notices: cfg.Notices != nil, Events: cfg.Events != nil,
		UnlimitedSends: m.cfg.Sends.PerPerson < 0}
	if err := m.setup.Check(m.now()); err != nil {
		return nil, invalid(err)
	}
	return m, nil
}

func configError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrConfig, fmt.Sprintf(format, args...))
}

func kindForm(kind string) bool {
	if kind == "" || len(kind) > 32 {
		return false
	}
	for _, c := range []byte(kind) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

// now reads the clock, once for each operation, to the millisecond.
func (m *Manager) now() time.Time { return m.cfg.Clock.Now().UTC().Truncate(time.Millisecond) }

// Kinds returns the kinds of the configured factors, in their order.
func (m *Manager) Kinds() []string { return slices.Clone(m.kinds) }

// read returns the person's record, or nil if there is none.
func (m *Manager) read(ctx context.Context, key string) (*record, error) {
	rec, err := m.records.Get(ctx, key)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, unavailable(err)
	}
	r, err := m.open(key, rec.Data)
	if err == nil {
		m.end(r, r.at(m.now()))
	}
	return r, err
}

// end takes away what has ended by itself.
func (m *Manager) end(r *record, now time.Time) {
	if len(r.Holds) > 0 {
		m.endHolds(r, now)
	}
	if !m.temporary {
		return
	}
	over := func(in instance) bool {
		f := m.factors[in.Kind]
		return f != nil && f.Traits().Temporary && !now.Before(describe(f, in.State).Ends)
	}
	if slices.ContainsFunc(r.Factors, over) {
		had := r.hasOwn(m)
		r.Factors = slices.DeleteFunc(r.Factors, over)
		if had && !r.hasOwn(m) {
			m.endRecovery(r)
		}
	}
}

// update lets decide change the person's record, in one atomic step. decide may run several
// times; it returns whether to write. Its error ends the update, nothing written. After a
// nil error what decide did last is committed.
func (m *Manager) update(ctx context.Context, s subject, now time.Time, decide func(r *record) (write bool, err error)) error {
	key := s.key()
	var decided error
	var gone map[string]identity // claims of instances that end
	var made *record             // the user's first
	err := m.records.Update(ctx, key, func(data []byte) (storage.Change, error) {
		gone, made = nil, nil
		var r *record
		if data == nil {
			r, decided = m.unborn(ctx, key, now)
		} else {
			r, decided = m.open(key, data)
		}
		if decided != nil {
			return storage.Change{}, decided
		}
		before := m.identities(r)
		m.end(r, r.at(now))
		write, err := decide(r)
		if decided = err; err != nil || !write {
			return storage.Change{}, err
		}
		gone = m.claims(ctx, without(before, m.identities(r)))
		r.tidy(r.at(now), m.cfg.ChallengeTTL)
		if string(r.UserType) != s.UserType {
			r.UserType = []byte(s.UserType)
		}
		if r.fresh {
			made = r
		}
		plain, err := r.encode()
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

func (m *Manager) open(key string, data []byte) (*record, error) {
	plain, err := m.cfg.Keys.Open(sealRecord, key, data)
	if err != nil {
		return nil, unavailable(err)
	}
	r, err := decodeRecord(plain)
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
			m.tellPerson(ctx, e, n)
		}
	}
}
