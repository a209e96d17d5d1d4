package policy

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
)

// digits6 is the number of bits that six decimal digits have, rounded down.
const digits6 = 19.9

func (a *audit) unseen() {
	a.advise(rows{"A-2", "A-2", "A-2", "A-2"}, "Config.Policies",
		"the policies come from the application and cannot be seen beforehand",
		"set Config.Profile, so that each policy is checked when it is used")
	a.adviseIn(ProfilePCIDSS4, "P-1", "Config.Policies",
		"the policies come from the application and cannot be seen beforehand",
		"set Config.Profile, so that each policy is checked when it is used")
}

// settings looks at what is the same for all users.
func (a *audit) settings() {
	a.notices()
	if !a.Events {
		a.find(rows{"A-30", "", "A-30", "A-30"}, "Config.Events",
			"responses and changes are not logged", "set Events, for example to SlogEvents")
	}
	if a.UnlimitedSends {
		a.find(rows{"A-32", "", "A-32", "A-32"}, "Config.RateLimits",
			"codes are sent to a user without a rate limit",
			"set PerUser to zero, for the default, or more")
	}
	if a.LinkTTL > 24*time.Hour {
		a.find(rows{"N-34", "N-34", "A-9", "A-9"}, "Config.LinkTTL",
			fmt.Sprintf("a link is valid for %s", a.LinkTTL), "set at most 24 hours")
	}
	if a.Lockout.Tries > 10 {
		a.advise(rows{"O-10", "O-10", "O-10", "O-10"}, "Config.Lockout",
			fmt.Sprintf("it takes %d failed attempts to lock", a.Lockout.Tries),
			"set Tries to 5 to 10")
	}
}

func (a *audit) notices() {
	able := slices.ContainsFunc(a.Factors, func(f factor.Factor) bool {
		_, ok := f.(factor.Notifier)
		return ok
	})
	switch r := (rows{"N-37", "N-37", "", "A-7"}); {
	case a.Notices && able:
	case a.Notices || !a.Events:
		a.find(r, "Config.Notify", "users are not notified of changes to their second factor",
			"set Notify, and configure a factor that can notify, such as e-mail "+
				"(a policy may forbid it for signing in)")
	default:
		a.advise(r, "Config.Notify",
			"the library does not notify users of changes to their second factor",
			"set Notify, or let the application notify users in Events")
	}
}

const describe = "; see factor.Settings"

// recovery looks at a recovery kind, which every policy allows.
func (a *audit) recovery(f factor.Factor) {
	kind, t, s := f.Kind(), f.Traits(), settingsOf(f)
	switch {
	case s.PersonalFacts:
		a.find(rows{"N-2", "N-2", "A-10", "A-10"}, kind,
			"others know, or can find out, the facts of a user's life that it asks for",
			"leave this factor out, and give users recovery codes")
		a.findIn(ProfilePCIDSS4, "P-5", kind,
			"it is knowledge, as the password is, and replaces what a user possesses",
			"leave this factor out, and give users recovery codes")
	case t.AdminOnly:
		if s.Bits < digits6 {
			a.find(rows{"N-34", "N-34", "A-16", "A-16"}, kind,
				"codes are too easy to guess, or the factor does not state how hard they are",
				"use at least six digits from a cryptographic source"+describe)
		}
		if s.Lifetime <= 0 || s.Lifetime > 24*time.Hour {
			a.find(rows{"N-34", "N-34", "A-9", "A-9"}, kind,
				"an access code can be valid for longer than 24 hours, "+
					"or the factor does not state how long",
				"let codes be valid for at most 24 hours"+describe)
		}
	case s.Bits < 64:
		a.find(rows{"N-33", "N-33", "A-16", "A-16"}, kind,
			"codes are easier to guess than 64 bits, or the factor does not state how hard they are",
			"make codes of at least 64 bits"+describe)
	case s.Bits < 112 && !s.SlowHash:
		a.find(rows{"", "N-12", "A-14", "A-14"}, kind,
			fmt.Sprintf("codes of %.0f bits are kept without a password hash", s.Bits),
			"make codes of 112 bits or more (fewer of them, if that is too much paper)")
	}
}

// policy looks at a policy, and at the kinds that users can sign in with under it.
func (a *audit) policy(p Policy, where string) {
	if p.Mode == ModeOff || p.Mode == ModeOptional {
		a.oneFactor(where, fmt.Sprintf("mode %q lets users sign in with one factor", p.Mode),
			"set Mode to ModeRequired")
	} else if p.EnrollBy.After(a.now) {
		a.oneFactor(where, "until EnrollBy, users can sign in with one factor",
			"let EnrollBy pass before you set this profile")
	} else if p.EnrollWithin > 0 || p.EnrollSkips > 0 {
		a.oneFactor(where,
			"users can postpone their enrolment, and sign in with one factor until then",
			"set EnrollWithin and EnrollSkips to zero")
	}
	if p.Remember > 0 {
		const problem = "a remembered device signs in without a second factor"
		a.find(rows{"", "N-40", "", ""}, where, problem, "set Remember to zero")
		a.findIn(ProfilePCIDSS4, "P-3", where, problem, "set Remember to zero")
	}
	if p.MaxAge > 12*time.Hour {
		a.adviseIn(ProfileNISTAAL3, "N-47", where,
			fmt.Sprintf("a verification that is %s old counts as recent", p.MaxAge),
			"set MaxAge to at most 12 hours")
	}
	if p.MaxAge > 24*time.Hour {
		a.advise(rows{"N-5", "N-5", "N-5", "N-5"}, where,
			fmt.Sprintf("a verification that is %s old counts as recent", p.MaxAge),
			"set MaxAge to at most 24 hours")
	}
	var signIn []factor.Factor
	for _, f := range a.Factors {
		if !f.Traits().Recovery && p.Allows(f.Kind()) {
			signIn = append(signIn, f)
			a.kind(f, p, where)
		}
	}
	a.mix(signIn, where)
	a.downgrade(signIn, p, where)
}

// oneFactor finds what lets users sign in with one factor.
func (a *audit) oneFactor(where, problem, remedy string) {
	a.find(rows{"", "N-3", "A-4", "A-4"}, where, problem, remedy)
	a.findIn(ProfilePCIDSS4, "P-1", where, problem, remedy)
}

// exceptions looks at the users who are excepted from the second factor.
func (a *audit) exceptions() {
	for _, tenant := range slices.Sorted(maps.Keys(a.Exceptions)) {
		a.excepted(a.Exceptions[tenant], fmt.Sprintf("users of tenant %q", tenant))
	}
	if n := a.Unreadable; n > 0 {
		a.lapsed("records", counted(n, "record", "records")+" cannot be read, and may have an "+
			"exception from the second factor", "find the key that is missing")
	}
}

func (a *audit) excepted(users map[string]time.Time, where string) {
	var inForce, expired []string
	var first time.Time
	for _, id := range slices.Sorted(maps.Keys(users)) {
		switch ends := users[id]; {
		case !ends.After(a.now):
			expired = append(expired, id)
		case len(inForce) == 0 || ends.Before(first):
			first = ends
			fallthrough
		default:
			inForce = append(inForce, id)
		}
	}
	if n := len(inForce); n > 0 {
		problem := fmt.Sprintf("%s without a second factor, by an exception: %s; "+
			"the first exception ends on %s", counted(n, "user signs in", "users sign in"),
			named(inForce), first.UTC().Format(time.DateOnly))
		a.find(rows{"P-4", "N-3", "A-4", "A-4"}, where, problem, "end the exceptions")
		a.adviseIn(ProfilePCIDSS4, "P-4", where, problem,
			"check that each one is still needed and approved")
	}
	if n := len(expired); n > 0 {
		a.lapsed(where, counted(n, "user has", "users have")+" an exception that has expired, "+
			"and no second factor yet: "+named(expired),
			"let them set up a factor at their next sign-in")
	}
}

// lapsed is advice under every profile.
func (a *audit) lapsed(where, problem, remedy string) {
	a.advise(rows{"P-4", "N-3", "A-4", "A-4"}, where, problem, remedy)
	a.adviseIn(ProfilePCIDSS4, "P-4", where, problem, remedy)
}

// counted returns a number with the words for one and for more.
func counted(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// mostNamed is how many users one finding names.
const mostNamed = 10

// named lists IDs, the first of them if there are many.
func named(ids []string) string {
	list := fmt.Sprintf("%q", ids[0])
	for _, id := range ids[1:min(len(ids), mostNamed)] {
		list += fmt.Sprintf(", %q", id)
	}
	if more := len(ids) - mostNamed; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list
}

// downgrade looks at what a user with a phishing-resistant factor may be asked for in its place.
func (a *audit) downgrade(kinds []factor.Factor, p Policy, where string) {
	resists := func(f factor.Factor) bool {
		return f.Traits().Level == factor.LevelPhishingResistant
	}
	recovers := func(f factor.Factor) bool { return f.Traits().Recovery }
	if p.NoDowngrade || !slices.ContainsFunc(kinds, resists) {
		return
	}
	if p.Remember > 0 || slices.ContainsFunc(a.Factors, recovers) ||
		slices.ContainsFunc(kinds, func(f factor.Factor) bool { return !resists(f) }) {
		a.advise(rows{plain: "A-2"}, where,
			"a phishing site can ask a user who has a phishing-resistant factor for less",
			"set NoDowngrade")
	}
}

// mix looks at the kinds of a policy together.
func (a *audit) mix(kinds []factor.Factor, where string) {
	resistant, other, possession := false, false, false
	telephone := ""
	for _, f := range kinds {
		t, s := f.Traits(), settingsOf(f)
		resistant = resistant || t.Level == factor.LevelPhishingResistant
		possession = possession || !t.Recovery && !t.Knowledge
		switch {
		case s.Telephone:
			telephone = f.Kind()
		case !t.Recovery && !t.Knowledge && !s.Mail:
			other = true
		}
	}
	if !resistant {
		a.find(rows{"", "N-4", "", ""}, where,
			"no kind on offer is phishing-resistant", "offer one, such as a passkey")
	}
	if telephone != "" && !other {
		a.find(rows{"N-19", "N-19", "A-20", ""}, where,
			telephone+" is on offer without an alternative that is not the telephone or a mailbox",
			"offer one more kind, such as an authenticator app")
	}
	if !possession {
		a.find(rows{"N-1", "", "", ""}, where,
			"only knowledge is asked for, which beside a password is still one factor",
			"offer something that users possess, such as an authenticator app")
	}
}

// kind looks at one kind that users sign in with.
func (a *audit) kind(f factor.Factor, p Policy, where string) {
	kind, t, s := f.Kind(), f.Traits(), settingsOf(f)
	drop := "leave " + kind + " out of Kinds"
	if t.Knowledge {
		a.find(rows{"", "N-1", "A-4", "A-4"}, where,
			kind+" is knowledge, as the password is: together still one factor", drop)
		a.findIn(ProfilePCIDSS4, "P-5", where,
			kind+" is knowledge, as the password is: together one type of factor", drop)
		if s.MinLength < 8 {
			a.find(rows{"", "N-6", "A-3", "A-3"}, kind,
				"it may be shorter than eight characters, or the factor does not state its length",
				"set its least length to 8")
		}
		return
	}
	resistant := t.Level == factor.LevelPhishingResistant
	if !resistant {
		a.find(rows{"", "", "", "A-4"}, where, kind+" is not phishing-resistant", drop)
		a.findIn(ProfileNISTAAL3, "N-44", where, kind+" is not phishing-resistant", drop)
	} else if !s.Hardware && !(p.Hardware && s.Attests) {
		a.find(rows{"", "", "", "A-4"}, where,
			kind+" may be kept in software, or the factor does not state that it cannot be",
			"set Hardware, with a factor that can verify it (passkey.Config.Metadata), or "+drop)
		a.findIn(ProfileNISTAAL3, "N-45", where,
			kind+" may have keys that can be copied, or the factor does not state that it cannot",
			"set Hardware, with a factor that can verify it (passkey.Config.Metadata), or "+drop)
	}
	switch {
	case s.Mail:
		a.find(rows{"", "N-13", "A-6", "A-6"}, where,
			kind+" reaches a mailbox, which is not something that a user possesses", drop)
	case t.Level < factor.LevelStrong:
		a.find(rows{"", "N-3", "", ""}, where,
			kind+" does not prove possession well enough for level 2", drop)
	}
	if s.Telephone {
		a.telephone(kind, where, drop, s)
	}
	if !resistant {
		a.code(f, s)
	}
}

func (a *audit) telephone(kind, where, drop string, s factor.Settings) {
	a.find(rows{"", "", "", "A-20"}, where, kind+" goes over the telephone network", drop)
	if !s.AsksBefore {
		a.advise(rows{"", "N-19", "", ""}, kind,
			"the application is not asked about a swapped SIM, a ported number or Voice over IP "+
				"(N-14) before a code is sent",
			"ask the provider about the number before each message (sms.Config.Check)")
	}
}

// code looks at how hard a code is to guess, and how long it is valid.
func (a *audit) code(f factor.Factor, s factor.Settings) {
	kind := f.Kind()
	_, sends := f.(factor.Challenger)
	if s.Bits < digits6 {
		guess := rows{"", "N-20", "A-16", "A-16"}
		if sends {
			guess = rows{"", "N-17", "A-16", "A-16"}
		}
		a.find(guess, kind, "codes are shorter than six digits, "+
			"or the factor does not state how hard they are to guess",
			"use six digits or more"+describe)
	}
	switch {
	case sends && (s.Lifetime <= 0 || s.Lifetime > 10*time.Minute):
		a.find(rows{"", "N-15", "A-17", "A-17"}, kind,
			"a code can be valid for longer than 10 minutes, or the factor does not state how long",
			"let codes be valid for at most 10 minutes"+describe)
	case !sends && (s.Lifetime <= 0 || s.Lifetime > 30*time.Second):
		a.find(rows{"", "", "A-17", "A-17"}, kind,
			"a code is valid for longer than 30 seconds, or the factor does not state how long",
			"accept the present step of 30 s only (totp.Config.Strict), without a grace"+describe)
	}
	if !sends && s.Step > 2*time.Minute {
		a.find(rows{"", "N-20", "", ""}, kind, fmt.Sprintf("the code changes every %s", s.Step),
			"let it change at least every two minutes")
	}
}

func settingsOf(f factor.Factor) factor.Settings { return f.Traits().Settings }
