package mfa

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
)

// Audit holds the configuration, and every policy that the Manager can see, to a profile, be
// it the one of Config.Profile or another, and returns what it finds, rows that are broken
// first. It changes nothing. Policies of StoredPolicies are read from the store, which must
// be a storage.Lister (otherwise the error wraps errors.ErrUnsupported); those of an
// application's own PolicySource are judged when they are used, and one finding says so. An
// error means that nothing is known, never that nothing was found. The caller has made sure
// that who asks may see it.
func (m *Manager) Audit(ctx context.Context, profile Profile) ([]Finding, error) {
	profile, err := profile.known()
	if err != nil {
		return nil, err
	}
	a := m.audit(profile)
	if stored, ok := m.cfg.Policies.(storedPolicies); ok {
		for page, err := range m.pages(ctx, "", policyKey("")) {
			if err != nil {
				return nil, err
			}
			for _, e := range page.entries {
				set, err := m.openPolicies(e.Key, e.Record.Data)
				if err != nil {
					return nil, unavailable(err)
				}
				for _, userType := range slices.Sorted(maps.Keys(set)) {
					a.policy(set[userType], fmt.Sprintf("policy of user type %q of tenant %q", userType, e.Key[len(policyKey("")):]))
				}
			}
		}
		_, ok = fixed(stored.PolicySource)
		a.unseen(!ok)
	} else {
		_, ok = fixed(m.cfg.Policies)
		a.unseen(!ok)
	}
	slices.SortStableFunc(a.found, func(x, y Finding) int {
		switch {
		case x.Advice == y.Advice:
			return 0
		case y.Advice:
			return -1
		default:
			return 1
		}
	})
	return a.found, nil
}

// fixed are the policies of a source that can be seen beforehand, the one for all others
// included: without it those get the zero Policy, which must meet the profile too.
func fixed(s PolicySource) (map[string]Policy, bool) {
	switch s := s.(type) {
	case staticPolicies:
		all := map[string]Policy{"": {}}
		maps.Copy(all, s)
		return all, true
	case storedPolicies:
		return fixed(s.PolicySource)
	default:
		return nil, false
	}
}

// audit judges what is known without the store.
func (m *Manager) audit(profile Profile) *audit {
	a := &audit{Manager: m, profile: profile, now: m.now()}
	a.settings()
	for _, kind := range m.kinds {
		if m.factors[kind].Traits().Class == factor.ClassRecovery {
			a.recovery(kind)
		}
	}
	policies, _ := fixed(m.cfg.Policies)
	for _, userType := range slices.Sorted(maps.Keys(policies)) {
		where := fmt.Sprintf("policy of user type %q", userType)
		if userType == "" {
			where = "policy of all other user types"
		}
		a.policy(policies[userType], where)
	}
	return a
}

// meets is the error of a policy that breaks Config.Profile.
func (m *Manager) meets(p Policy) error {
	if m.cfg.Profile == DefaultProfile {
		return nil // it refuses nothing, and this is asked at every sign-in
	}
	a := &audit{Manager: m, profile: m.cfg.Profile, now: m.now()}
	a.policy(p, "policy")
	return broken(a.profile, a.found)
}

// audit is one walk over a configuration.
type audit struct {
	*Manager
	profile Profile
	now     time.Time
	found   []Finding
}

// rows names the requirement that one fault breaks under each profile, "" for none. Under
// the default profile it is advice.
type rows struct{ plain, nist, l2, l3 string }

func (a *audit) row(r rows) string {
	switch a.profile {
	case NISTAAL2:
		return r.nist
	case ASVSL2:
		return r.l2
	case ASVSL3:
		return r.l3
	default:
		return r.plain
	}
}

func (a *audit) find(r rows, where, problem, remedy string) {
	a.add(Finding{Row: a.row(r), Where: where, Problem: problem, Remedy: remedy, Advice: a.profile == DefaultProfile})
}

func (a *audit) advise(r rows, where, problem, remedy string) {
	a.add(Finding{Row: a.row(r), Where: where, Problem: problem, Remedy: remedy, Advice: true})
}

func (a *audit) add(f Finding) {
	// Two policies that allow a kind do not make its settings wrong twice.
	if f.Row != "" && !slices.Contains(a.found, f) {
		a.found = append(a.found, f)
	}
}

func (a *audit) unseen(is bool) {
	if is {
		a.advise(rows{"A-2", "A-2", "A-2", "A-2"}, "Config.Policies", "the policies come from the application and cannot be seen beforehand",
			"set Config.Profile, so that each is judged when it is used")
	}
}

// settings judges what is the same for everybody.
func (a *audit) settings() {
	c := a.cfg
	told := c.Notices != nil && slices.ContainsFunc(a.kinds, func(k string) bool {
		_, ok := a.factors[k].(factor.Notifier)
		return ok
	})
	switch r := (rows{"N-37", "N-37", "", "A-7"}); {
	case told:
	case c.Events == nil || c.Notices != nil:
		a.find(r, "Config.Notices", "nobody tells people of what happens to their second factor",
			"set Notices, and have a factor that can tell, such as e-mail (a policy may forbid it for signing in)")
	default:
		a.advise(r, "Config.Notices", "the library tells nobody of what happens to their second factor",
			"set Notices, or see to it that Events does")
	}
	if c.Events == nil {
		a.find(rows{"A-30", "", "A-30", "A-30"}, "Config.Events", "answers and changes are not logged", "set Events, for example to SlogEvents")
	}
	if c.Sends.PerPerson < 0 {
		a.find(rows{"A-32", "", "A-32", "A-32"}, "Config.Sends", "codes are sent to a person without a limit", "set PerPerson to zero, for the default, or more")
	}
	if c.LinkTTL > 24*time.Hour {
		a.find(rows{"N-34", "N-34", "A-9", "A-9"}, "Config.LinkTTL", fmt.Sprintf("a link is good for %s", c.LinkTTL), "set at most 24 hours")
	}
	if c.Lockout.Tries > 10 {
		a.advise(rows{"O-10", "O-10", "O-10", "O-10"}, "Config.Lockout", fmt.Sprintf("it takes %d wrong answers to lock", c.Lockout.Tries), "set Tries to 5 to 10")
	}
}

// digits6 is what six decimal digits have, to the rounding.
const digits6 = 19.9

// recovery judges a kind that is there for every policy.
func (a *audit) recovery(kind string) {
	t := a.factors[kind].Traits()
	s := t.Settings
	switch {
	case s.PersonalFacts:
		a.find(rows{"N-2", "N-2", "A-10", "A-10"}, kind, "answers about a person's life are known to others or can be found out",
			"leave this factor out, and give people recovery codes")
	case t.AdminOnly:
		if s.Bits < digits6 {
			a.find(rows{"N-34", "N-34", "A-16", "A-16"}, kind, "codes are too easy to guess, or the factor does not state how hard they are",
				"use at least six digits from a cryptographic source; see factor.Settings")
		}
		if s.Lifetime <= 0 || s.Lifetime > 24*time.Hour {
			a.find(rows{"N-34", "N-34", "A-9", "A-9"}, kind, "an issued code can be good for longer than 24 hours, or the factor does not state how long",
				"let codes be good for at most 24 hours; see factor.Settings")
		}
	case s.Bits < 64:
		a.find(rows{"N-33", "N-33", "A-16", "A-16"}, kind, "codes are easier to guess than 64 bits, or the factor does not state how hard they are",
			"make codes of at least 64 bits; see factor.Settings")
	case s.Bits < 112 && !s.SlowHash:
		a.find(rows{"", "N-12", "A-14", "A-14"}, kind, fmt.Sprintf("codes of %.0f bits are kept without a password hash", s.Bits),
			"make codes of 112 bits or more (fewer of them, if that is too much paper)")
	}
}

// policy judges a policy, and the kinds that it lets people sign in with.
func (a *audit) policy(p Policy, where string) {
	if p.Mode == Off || p.Mode == Optional {
		a.find(rows{"", "N-3", "A-4", "A-4"}, where, fmt.Sprintf("mode %q lets people in with one factor", p.Mode), "set Mode to Required")
	} else if p.EnrollBy.After(a.now) {
		a.find(rows{"", "N-3", "A-4", "A-4"}, where, "until EnrollBy people get in with one factor", "end the time of grace before this profile begins")
	}
	if p.Remember > 0 {
		a.find(rows{"", "N-40", "", ""}, where, "a remembered device gets in without a second factor", "set Remember to zero")
	}
	if p.MaxAge > 24*time.Hour {
		a.advise(rows{"N-5", "N-5", "N-5", "N-5"}, where, fmt.Sprintf("a verification %s old counts as fresh", p.MaxAge), "set MaxAge to at most 24 hours")
	}
	resistant, other, possession := false, false, false
	telephone := ""
	for _, kind := range a.enrollable(p.Kinds) {
		t := a.factors[kind].Traits()
		s := t.Settings
		resistant = resistant || t.Effective() == factor.LevelPhishingResistant
		possession = possession || t.Class == factor.ClassPossession
		switch {
		case s.Telephone:
			telephone = kind
		case t.Class == factor.ClassPossession && !s.Mail:
			other = true
		}
		a.kind(kind, where)
	}
	if !resistant {
		a.find(rows{"", "N-4", "", ""}, where, "no kind on offer is phishing-resistant", "offer one, such as a passkey")
	}
	if telephone != "" && !other {
		a.find(rows{"N-19", "N-19", "A-20", ""}, where, telephone+" is on offer without an alternative that is not the telephone or a mailbox",
			"offer one more kind, such as an authenticator app")
	}
	if !possession {
		a.find(rows{"N-1", "", "", ""}, where, "only knowledge is asked for, which beside a password is still one factor",
			"offer something that people have, such as an authenticator app")
	}
}

// kind judges one kind that people sign in with.
func (a *audit) kind(kind, where string) {
	t := a.factors[kind].Traits()
	s := t.Settings
	drop := "leave " + kind + " out of Kinds"
	if t.Class == factor.ClassKnowledge {
		a.find(rows{"", "N-1", "A-4", "A-4"}, where, kind+" is knowledge, as the password is: together still one factor", drop)
		if s.MinLength < 8 {
			a.find(rows{"", "N-6", "A-3", "A-3"}, kind, "it may be shorter than eight characters, or the factor does not state its length", "set its least length to 8")
		}
		return
	}
	if t.Effective() != factor.LevelPhishingResistant {
		a.find(rows{"", "", "", "A-4"}, where, kind+" is not phishing-resistant", drop)
	} else if !s.Hardware {
		a.find(rows{"", "", "", "A-4"}, where, kind+" may be kept in software, or the factor does not state that it cannot be", drop)
	}
	switch {
	case s.Mail:
		a.find(rows{"", "N-13", "A-6", "A-6"}, where, kind+" reaches a mailbox, which is not something that a person has", drop)
	case t.Effective() < factor.LevelStrong:
		a.find(rows{"", "N-3", "", ""}, where, kind+" does not prove possession well enough for level 2", drop)
	}
	if s.Telephone {
		a.find(rows{"", "", "", "A-20"}, where, kind+" goes over the telephone network", drop)
		if !s.AsksBefore {
			a.advise(rows{"", "N-19", "", ""}, kind, "nothing looks for a swapped SIM or a ported number before a code goes out, nor for Voice over IP (N-14)",
				"ask the provider about the number before each message (sms.Config.Check)")
		}
	}
	if t.Effective() == factor.LevelPhishingResistant {
		return
	}
	_, issues := a.factors[kind].(factor.Challenger)
	if s.Bits < digits6 {
		guess := rows{"", "N-20", "A-16", "A-16"}
		if issues {
			guess.nist = "N-17"
		}
		a.find(guess, kind, "codes are shorter than six digits, or the factor does not state how hard they are to guess", "use six digits or more; see factor.Settings")
	}
	switch {
	case issues && (s.Lifetime <= 0 || s.Lifetime > 10*time.Minute):
		a.find(rows{"", "N-15", "A-17", "A-17"}, kind, "a code can be good for longer than 10 minutes, or the factor does not state how long", "let codes be good for at most 10 minutes; see factor.Settings")
	case !issues && (s.Lifetime <= 0 || s.Lifetime > 30*time.Second):
		a.find(rows{"", "", "A-17", "A-17"}, kind, "a code is good for longer than 30 seconds, or the factor does not state how long", "accept the present step of 30 s only (totp.Config.Strict), without a grace; see factor.Settings")
	}
	if !issues && s.Step > 2*time.Minute {
		a.find(rows{"", "N-20", "", ""}, kind, fmt.Sprintf("the code changes every %s", s.Step), "let it change every two minutes at least")
	}
}
