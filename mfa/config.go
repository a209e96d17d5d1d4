package mfa

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfa/report"
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
	// Profile is the standard that the configuration and the policies must meet. Defaults to
	// none, which refuses nothing. Before you set a stricter one, [Manager.Audit] says what breaks
	// it.
	Profile policy.Profile
	// Lockout defaults to five failed attempts, ten over all kinds, three minutes, and disabling
	// at 100.
	Lockout lockout.Config
	// RateLimits defaults to 30 codes an hour for each user.
	RateLimits RateLimits
	// Authorize is asked before every act of an [Admin]. Its error refuses the act with
	// ErrForbidden. Nil refuses every act.
	Authorize func(ctx context.Context, a AdminAction) error
	// Events receives everything that happens, after it was recorded, in the caller's
	// goroutine. Nil receives nothing. See SlogEvents.
	Events func(ctx context.Context, e Event)
	// Calls is called before every call of a factor that may take time, and the function that it
	// returns after it, with the call's error in the words of this package. The factor is given
	// the context that Calls returns, which is the one that it was given or one made from it. A
	// response may be verified several times, once for each factor of its kind. Package otelmfa
	// measures these calls. Nil: none is reported.
	Calls func(ctx context.Context, c report.Call) (context.Context, func(error))
	// Notify notifies users, at every address known to be theirs, of what happened to their
	// second factor: a factor that was added, a lock, a reset. It is called in the caller's
	// goroutine after the fact was recorded, once for each message. It calls send now or later,
	// with a context of its own, and again after an error if it likes; nothing but events
	// depends on it. To send before the operation returns, which then takes as long as the mail
	// server does:
	//
	//	Notify: func(ctx context.Context, send func(context.Context) error) { _ = send(ctx) },
	//
	// Nil notifies no user.
	Notify func(ctx context.Context, send func(ctx context.Context) error)
	// Brand returns how the users of a tenant see the application: name, issuer, sender of mails,
	// colours, logo and texts. It is called for every message, enrolment and page, so it should
	// cache what it reads. Its ctx is the caller's, such as the request's. scope has the tenant
	// and the type of the user; it is zero for visitors of whom the application knows no tenant.
	// The zero Brand means what the factors and mfahttp are configured with. An error, or a Brand
	// that breaks [brand.Brand.Check], is ErrUnavailable, and nothing is sent or changed. Nil:
	// the zero Brand.
	Brand func(ctx context.Context, scope policy.Scope) (brand.Brand, error)
	// Clock defaults to the system's.
	Clock Clock
	// ChallengeTTL is how long a challenge is valid. Defaults to 15 minutes. Must be between 1
	// minute and 1 hour.
	ChallengeTTL time.Duration
	// GrantTTL is how long a grant is valid. Defaults to 5 minutes. Must be between 1 minute and
	// 1 hour.
	GrantTTL time.Duration
	// EnrollmentTTL is how long an enrolment may stay unconfirmed. Defaults to 15 minutes. Must
	// be between 1 minute and 1 hour.
	EnrollmentTTL time.Duration
	// RecentRecords is how many sealed records the process keeps from Begin to the Verify that
	// follows it, which then begins with a write and needs no read. That is so for kinds for which
	// nothing is sent or issued between the two, such as an authenticator app, and which are not
	// expensive to verify. A record is 2.5 KiB at most.
	// What that record refuses, and what another writer changed since, is decided again from the
	// store, so no limit and no single use depends on it. A correct response is accepted while the
	// store makes conditional writes, even if reads fail. Servers that share a user's requests
	// gain less, because the Verify has to come to the server that began. Defaults to 0: none.
	RecentRecords int
	// LinkTTL is how long a link that verifies an address is valid. Defaults to 24 hours, which
	// NIST SP 800-63B-4 section 4.2.1.2 allows for e-mail. Must be between 10 minutes and 7 days.
	LinkTTL time.Duration
}

// RateLimits bounds how many codes, links and requests for support are sent in any hour. Zero
// fields mean the default, negative ones no limit. The narrowest limit refuses first, and a
// refusal counts against no wider one.
type RateLimits struct {
	// PerUser defaults to 30 for each user.
	PerUser int
	// PerDestination counts what is sent to one address or number for all users. Defaults to
	// 20, and only while the destination is not verified: PerUser covers a verified one, and a
	// sign-in then needs no second write. If it is set, it counts everything.
	PerDestination int
	// PerKind counts what is sent by one kind, for all users of one tenant. Defaults to no
	// limit.
	PerKind int
}

// AdminAction is what an administrator wants to do, for Config.Authorize to permit.
type AdminAction struct {
	// Name is "reset", "remove", "unlock", "delete", "enroll", "import", "export", "set-policy",
	// "preview-policy", "send-verification-link", "send-recovery-link", "support-cases",
	// "close-support-case", "personal-data", "grant-exception", "end-exception", "exceptions" or
	// "report". It may also be what a package or the application passes to Admin.Allowed: package
	// mfahttp/admin says "list-users", "view-user", "view-policy", "audit" and "end-sessions".
	Name string
	// Actor is the user's ID or the program's name, as Actor.Name says, and System says that it
	// is a program. Reason goes into the event.
	Actor, Reason string
	System        bool
	// ActorTenant is the tenant of the user who acts, and empty for a program. A user with one ID
	// in several tenants may be an administrator of one of them alone.
	ActorTenant string
	// UserID is the user whom it is about, and empty for a policy or a list.
	UserID           string
	Tenant, UserType string
	// Approver and Ends are those of an exception, for "grant-exception".
	Approver string
	Ends     time.Time
}

// New returns a Manager for a configuration. It checks what can be checked without the store.
// Its errors match policy.ErrInvalid and say what to do.
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
		rules:   &decide.Rules{Kinds: make(map[string]decide.Kind)},
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
	if m.recent, err = newRecentRecords(cfg.RecentRecords); err != nil {
		return nil, err
	}
	m.rules.Lockout, m.rules.EnrollmentTTL = m.cfg.Lockout, m.cfg.EnrollmentTTL
	m.rules.Lifetimes = authority.Lifetimes{FirstFactor: m.cfg.ChallengeTTL, Grant: m.cfg.GrantTTL}
	m.rules.Notifies = cfg.Notify != nil
	m.rules.Exceptions = policy.Setup{Profile: cfg.Profile}.AcceptsExceptions()
	m.cfg.RateLimits = cfg.RateLimits.withDefaults()
	if m.cfg.Clock == nil {
		m.cfg.Clock = systemClock{}
	}
	if m.cfg.Policies == nil {
		m.cfg.Policies = policy.Static(policy.Policy{})
	}
	m.setup = policy.Setup{Factors: slices.Clone(cfg.Factors), Policies: m.cfg.Policies,
		Profile: cfg.Profile, Lockout: m.cfg.Lockout,
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
			return configError("Factors[%d] has kind %q; a kind is 1 to 32 of a-z, 0-9 and hyphen",
				i, kind)
		}
		if m.factors[kind] != nil {
			return configError("kind %q is configured twice", kind)
		}
		if problem := traitProblem(f); problem != "" {
			return configError("factor %q %s; see factor.Traits", kind, problem)
		}
		_, identifies := f.(factor.Identifier)
		m.identifying = m.identifying || identifies
		k := decide.Kind{Traits: f.Traits(), Order: i}
		_, k.Sends = f.(factor.Challenger)
		_, k.Implies = f.(factor.Implier)
		m.rules.Temporary = m.rules.Temporary || k.Temporary
		ordinary = ordinary || !k.Recovery
		m.factors[kind], m.rules.Kinds[kind] = f, k
		m.kinds = append(m.kinds, kind)
	}
	if !ordinary {
		return configError("Factors needs at least one that is not a recovery kind, such as " +
			"totp.New")
	}
	return nil
}

// traitProblem says which traits of a factor contradict each other, or returns "".
func traitProblem(f factor.Factor) string {
	t := f.Traits()
	_, describes := f.(factor.Describer)
	if problem := levelProblem(t); problem != "" {
		return problem
	}
	if problem := issueProblem(f); problem != "" {
		return problem
	}
	switch {
	case t.NoConfirmation && !t.Recovery:
		return "is enrolled without proof, which only recovery kinds may be"
	case t.AdminOnly && !t.NoConfirmation:
		return "is made by administrators, so it must be enrolled without proof"
	case t.LastResort && !t.Recovery:
		return "is a LastResort, so it must be a recovery kind"
	case (t.Limited || t.Temporary) && !describes:
		return "is Limited or Temporary and no factor.Describer"
	}
	return ""
}

// issueProblem says which traits are about issuing, for a factor that does not, or returns "".
func issueProblem(f factor.Factor) string {
	t := f.Traits()
	_, issues := f.(factor.Challenger)
	_, identifies := f.(factor.Identifier)
	switch {
	case t.SharedChallenge && !issues:
		return "shares challenges and issues none"
	case t.Polled && !issues:
		return "is Polled and issues nothing that a user could approve"
	case t.Polled && identifies:
		return "is Polled, so its responses cannot name an instance"
	}
	return ""
}

// levelProblem returns why traits cannot say what a success proves, or "".
func levelProblem(t factor.Traits) string {
	switch {
	case t.Recovery && (t.Level != 0 || t.Knowledge):
		return "is a recovery kind, which has no Level and no Knowledge"
	case !t.Recovery && (t.Level < factor.LevelWeak || t.Level > factor.LevelPhishingResistant):
		return "has no Level"
	case t.Knowledge && t.Level != factor.LevelWeak:
		return "is Knowledge, whose Level is LevelWeak"
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

// configurationError is an error about the Config, in words of this package. As every error
// about a configuration, it matches policy.ErrInvalid.
type configurationError struct{ text string }

func (e *configurationError) Error() string { return "mfa: " + e.text }

func (e *configurationError) Is(target error) bool { return target == policy.ErrInvalid }

func configError(format string, args ...any) error {
	return &configurationError{fmt.Sprintf(format, args...)}
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
