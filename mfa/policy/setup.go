package policy

import (
	"slices"
	"time"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa/factor"
)

// Setup is what policies and profiles need to know of a configuration. mfa.New makes one of
// its Config. Most applications do not need it.
type Setup struct {
	// Factors are the configured kinds, in order of preference.
	Factors []factor.Factor
	// Policies defaults to Static(Policy{}).
	Policies Source
	// Profile is the standard that the configuration must meet. The zero Profile refuses nothing.
	Profile Profile
	// Lockout holds the limits for failed attempts, with defaults filled in.
	Lockout lockout.Config
	// LinkTTL is how long a confirmation link is valid.
	LinkTTL time.Duration
	// Notices says that users are notified of changes, and Events that the application
	// receives events.
	Notices, Events bool
	// UnlimitedSends says that codes are sent to a user without a rate limit.
	UnlimitedSends bool
	// Exceptions are the users who have an exception from the second factor, or had one and have
	// neither signed in nor set up a factor since: when it ends, by tenant and user ID. Unreadable
	// is how many records could not be read. Both are for Audit.
	Exceptions map[string]map[string]time.Time
	Unreadable int
}

// factor returns the factor of a kind, or nil.
func (s Setup) factor(kind string) factor.Factor {
	i := slices.IndexFunc(s.Factors, func(f factor.Factor) bool { return f.Kind() == kind })
	if i < 0 {
		return nil
	}
	return s.Factors[i]
}

func (s Setup) kinds() []string {
	list := make([]string, len(s.Factors))
	for i, f := range s.Factors {
		list[i] = f.Kind()
	}
	return list
}

// WithDefaults returns p with defaults in place of what is empty or not allowed, and with what the
// profile sets: every strict profile sets NoDowngrade.
func (s Setup) WithDefaults(p Policy) Policy {
	p = p.WithDefaults()
	p.NoDowngrade = p.NoDowngrade || s.Profile.Strict()
	return p
}

// Passwordless reports whether a kind can take the place of the first factor: it identifies
// the user, it is phishing-resistant, and an attacker's request costs nothing.
func (s Setup) Passwordless(kind string) bool {
	f, ok := s.factor(kind).(factor.Identifier)
	if !ok {
		return false
	}
	t := f.Traits()
	return !t.Recovery && !t.Knowledge && t.Level == factor.LevelPhishingResistant &&
		!t.Expensive && !t.Polled
}

// AcceptsRenewals reports whether the profile accepts imported factors that are weaker than what
// users enrol ([factor.EnrollOutput].Renew). No strict profile does: a secret of 80 bits is
// below the 112 of NIST SP 800-63B-4 section 3.1.4.1 and below the 128 of ASVS 5.0 11.2.3.
func (s Setup) AcceptsRenewals() bool {
	profile, err := s.Profile.check()
	return err == nil && !profile.Strict()
}

// AcceptsExceptions reports whether the profile accepts exceptions from the second factor for one
// user. PCI DSS 4.0.1 does in 8.5.1, with an approval and an end; the other strict profiles ask
// every user for two factors.
func (s Setup) AcceptsExceptions() bool {
	profile, err := s.Profile.check()
	return err == nil && (!profile.Strict() || profile == ProfilePCIDSS4)
}

// Check returns an error that wraps [ErrInvalid] if a policy that can be seen cannot work, if
// the profile does not exist, or if something breaks the profile.
func (s Setup) Check(now time.Time) error {
	if err := s.checkSource(s.Policies); err != nil {
		return err
	}
	profile, err := s.Profile.check()
	if err != nil {
		return err
	}
	a := s.audit(profile, now)
	a.all()
	return a.broken()
}

func (s Setup) checkSource(from Source) error {
	if defaults, ok := (Setup{Policies: from}).Stored(); ok {
		if defaults == nil {
			return invalidf("Stored needs defaults, such as Static(Policy{})")
		}
		return s.checkSource(defaults)
	}
	fixed, _ := from.(byUserType)
	for userType, p := range fixed {
		if problem := s.problem(p); problem != nil {
			return invalidf("policy of user type %q: %s", userType, problem.text)
		}
	}
	return nil
}

// CheckPolicy returns an error that wraps [ErrInvalid] if a policy cannot work with the
// configured factors, or breaks the profile.
func (s Setup) CheckPolicy(p Policy, now time.Time) error {
	if problem := s.problem(p); problem != nil {
		return problem
	}
	return s.CheckProfile(p, now)
}

// CheckProfile returns an error that wraps [ErrInvalid] if a policy breaks the profile. A
// Manager calls it when it uses a policy: Check cannot see what an application's own Source
// returns, nor what was stored before the profile was set.
func (s Setup) CheckProfile(p Policy, now time.Time) error {
	profile, err := s.Profile.check()
	if err != nil || !profile.Strict() {
		return err // the default profile refuses nothing, and every sign-in comes here
	}
	a := s.audit(profile, now)
	a.policy(p, "policy")
	return a.broken()
}

// problem says why a policy cannot work, or returns nil.
func (s Setup) problem(p Policy) *invalidError {
	checks := []func(Policy) *invalidError{s.checkKinds, s.checkAbilities, s.checkKeys,
		checkTimes}
	for _, check := range checks {
		if problem := check(p); problem != nil {
			return problem
		}
	}
	return nil
}

// checkKinds finds kinds that do not exist, or that leave the users nothing to enrol.
func (s Setup) checkKinds(p Policy) *invalidError {
	switch p.Mode {
	case "", ModeOff, ModeOptional, ModeRequired:
	default:
		return invalidf("mode %q is not off, optional or required", p.Mode)
	}
	ordinary := len(p.Kinds) == 0
	for _, k := range p.Kinds {
		f := s.factor(k)
		if f == nil {
			return invalidf("kind %q is not configured; there are %v", k, s.kinds())
		}
		ordinary = ordinary || !f.Traits().Recovery
	}
	if !ordinary {
		return invalidf("Kinds has recovery kinds only, so no user could enrol")
	}
	if p.Default != "" && (s.factor(p.Default) == nil || !p.Allows(p.Default)) {
		return invalidf("default kind %q is not among the kinds allowed", p.Default)
	}
	return nil
}

// checkAbilities finds kinds that cannot do what Implicit, Passwordless and NoDowngrade ask of
// them.
func (s Setup) checkAbilities(p Policy) *invalidError {
	for _, k := range p.Implicit {
		if _, ok := s.factor(k).(factor.Implier); !ok {
			return invalidf("kind %q cannot be implicit", k)
		}
	}
	able := func(k string) bool { return p.Allows(k) && s.Passwordless(k) }
	if p.Passwordless && !slices.ContainsFunc(s.kinds(), able) {
		return invalidf("Passwordless needs a kind that identifies users, such as passkey, " +
			"among the kinds allowed")
	}
	resists := func(f factor.Factor) bool {
		t := f.Traits()
		return p.Allows(f.Kind()) && !t.Recovery && t.Level == factor.LevelPhishingResistant
	}
	if p.NoDowngrade && !slices.ContainsFunc(s.Factors, resists) {
		return invalidf("NoDowngrade needs a phishing-resistant kind, such as passkey, " +
			"among the kinds allowed")
	}
	return nil
}

func checkTimes(p Policy) *invalidError {
	if p.MaxAge < 0 {
		return invalidf("MaxAge is negative")
	}
	if h := p.RecoveryHold; h != 0 && (h < minRecoveryHold || h > maxRecoveryHold) {
		return invalidf("RecoveryHold is %s, want 0 (the default, 24h) or %s to %s",
			h, minRecoveryHold, maxRecoveryHold)
	}
	if p.EnrollWithin < 0 || p.EnrollWithin > maxEnrollWithin {
		return invalidf("EnrollWithin is %s, want 0 (no time) to %s", p.EnrollWithin,
			maxEnrollWithin)
	}
	if p.EnrollSkips < 0 || p.EnrollSkips > maxEnrollSkips {
		return invalidf("EnrollSkips is %d, want 0 (never) to %d", p.EnrollSkips, maxEnrollSkips)
	}
	if p.Remember < 0 || p.Remember > maxRemember {
		return invalidf("Remember is %s, want 0 (never) to %s", p.Remember, maxRemember)
	}
	return nil
}
