package mfa

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

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
	Factors []factor.Factor
	// Policies defaults to policy.Static(policy.Policy{}), which requires a second factor of
	// every user.
	Policies policy.Source
	// Profile is the standard that the configuration and the policies are held to. Defaults to
	// policy.ProfileDefault, which refuses nothing. Before you set a stricter one, Audit says
	// what breaks it.
	Profile policy.Profile
	// Lockout defaults to five tries, ten over all kinds, three minutes, stop at 100.
	Lockout lockout.Config
	// Sends defaults to 30 codes an hour for a person; see RateLimits.
	RateLimits RateLimits
	// Authorize is asked before everything an administrator does: Reset, Unlock, Issue,
	// SetPolicy, SendConfirmation, SendSetupLinkTo, Delete, and the list of support.
	// Nil refuses them all with ErrForbidden.
	Authorize func(ctx context.Context, a AdminAction) error
	// Events is told everything that happens, after it was recorded, in the caller's
	// goroutine. Nil means nobody. See SlogEvents.
	Events func(ctx context.Context, e Event)
	// Notices lets people be told, at every address known to be theirs, what happened to
	// their second factor: a factor that was added, a lock, a reset. It is called in the
	// caller's goroutine after the fact was recorded, once for each message, and calls tell
	// now or later, with a context of its own, and again after an error if it likes; nothing
	// but events depends on it. Nil tells nobody. See NoticesNow.
	Notify func(ctx context.Context, tell func(ctx context.Context) error)
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

// RateLimits bounds how many codes, links and requests for support are sent in any hour. Zero
// fields mean the default, negative ones no limit. The narrowest limit refuses first, and a
// refusal costs nothing of a wider one.
type RateLimits struct {
	// PerUser defaults to 30 for each person.
	PerUser int
	// PerDestination counts what goes to one address or number over all people. By
	// default 20, and only while the destination is not confirmed (a confirmed one is
	// covered by PerUser, and a sign-in then costs no second write); set, it counts all.
	PerDestination int
	// PerKind counts what goes out by one kind in all, for one tenant. Default: no limit.
	PerKind int
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
	UserID           string
	Tenant, UserType string
}

// New returns a Manager for a configuration. It checks what can be checked without the store,
// and its errors say what to do.
func New(cfg Config) (*Manager, error) {
	if cfg.Store == nil {
		return nil, configError("Store is nil; for a first try use storage/memory, " +
			"to keep anything storage/sqlstore")
	}
	if cfg.Keys == nil {
		return nil, configError("Keys is nil; make a keyring with seal.NewKeyring from a key " +
			"kept outside the database")
	}
	m := &Manager{cfg: cfg, factors: make(map[string]factor.Factor),
		records: storage.NewUpdater(cfg.Store)}
	if err := m.addFactors(cfg.Factors); err != nil {
		return nil, err
	}
	var err error
	if m.cfg.Lockout, err = cfg.Lockout.WithDefaults(); err != nil {
		return nil, configError("%v", err)
	}
	if err := m.cfg.checkLifetimes(); err != nil {
		return nil, err
	}
	m.cfg.RateLimits = cfg.RateLimits.withDefaults()
	if m.cfg.Clock == nil {
		m.cfg.Clock = systemClock{}
	}
	if m.cfg.Policies == nil {
		m.cfg.Policies = policy.Static(policy.Policy{})
	}
	m.setup = policy.Setup{Factors: slices.Clone(cfg.Factors), Policies: m.cfg.Policies,
		Profile: cmp.Or(cfg.Profile, policy.ProfileDefault), Lockout: m.cfg.Lockout,
		LinkTTL: m.cfg.LinkTTL, Notices: cfg.Notify != nil, Events: cfg.Events != nil,
		UnlimitedSends: m.cfg.RateLimits.PerUser < 0}
	if err := m.setup.Check(m.now()); err != nil {
		return nil, invalid(err)
	}
	return m, nil
}

// addFactors takes the configured factors.
func (m *Manager) addFactors(list []factor.Factor) error {
	ordinary := false
	for i, f := range list {
		if f == nil {
			return configError("Factors[%d] is nil", i)
		}
		kind := f.Kind()
		if !kindForm(kind) {
			return configError("Factors[%d] has kind %q; a kind is 1 to 32 of a-z, 0-9 and hyphen", i, kind)
		}
		if m.factors[kind] != nil {
			return configError("kind %q is configured twice", kind)
		}
		if problem := traitProblem(f); problem != "" {
			return configError("factor %q %s; see factor.Traits", kind, problem)
		}
		_, identifies := f.(factor.Identifier)
		m.identifying = m.identifying || identifies
		m.temporary = m.temporary || f.Traits().Temporary
		ordinary = ordinary || !isRecovery(f)
		m.factors[kind] = f
		m.kinds = append(m.kinds, kind)
	}
	if !ordinary {
		return configError("Factors needs at least one that is not a recovery kind, such as totp.New")
	}
	return nil
}

// traitProblem says which traits of a factor contradict each other, or returns "".
func traitProblem(f factor.Factor) string {
	t := f.Traits()
	_, describes := f.(factor.Describer)
	_, issues := f.(factor.Challenger)
	recovery := t.Class == factor.ClassRecovery
	switch {
	case t.Class < factor.ClassPossession || t.Class > factor.ClassRecovery:
		return "has no class"
	case t.NoConfirmation && !recovery:
		return "is enrolled without proof, which only recovery kinds may be"
	case t.AdminOnly && !t.NoConfirmation:
		return "is made by administrators, so it must be enrolled without proof"
	case t.LastResort && !recovery:
		return "is of last resort, so it must be of class Recovery"
	case (t.Limited || t.Temporary) && !describes:
		return "is Limited or Temporary and no factor.Describer"
	case t.SharedChallenge && !issues:
		return "shares challenges and issues none"
	}
	return ""
}

// checkLifetimes fills in how long things are valid, and refuses what is out of bounds.
func (c *Config) checkLifetimes() error {
	for _, d := range []struct {
		name             string
		value            *time.Duration
		def, least, most time.Duration
	}{
		{"ChallengeTTL", &c.ChallengeTTL, 15 * time.Minute, time.Minute, time.Hour},
		{"GrantTTL", &c.GrantTTL, 5 * time.Minute, time.Minute, time.Hour},
		{"EnrollmentTTL", &c.EnrollmentTTL, 15 * time.Minute, time.Minute, time.Hour},
		{"LinkTTL", &c.LinkTTL, 24 * time.Hour, 10 * time.Minute, 7 * 24 * time.Hour},
	} {
		if *d.value == 0 {
			*d.value = d.def
		}
		if *d.value < d.least || *d.value > d.most {
			return configError("%s is %s, want %s to %s", d.name, *d.value, d.least, d.most)
		}
	}
	return nil
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
