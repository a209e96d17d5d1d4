package decide

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
)

// This file decides which of a user's factors may respond to a challenge, and in which order
// they are offered.

// View is what a decision looks at: a user's record, what a token says, and the time.
type View struct {
	*Rules
	Record *record.Record
	Claims *token.Claims
	Now    time.Time
	// Vouched are the addresses that the application vouches for, as the factors read them.
	Vouched []Vouched
}

// Vouched is an address that the application vouches for. Err says that there is one and that
// it cannot be used; Instance has only its kind then.
type Vouched struct {
	Instance record.Instance
	Err      error
}

// Candidate is one instance that a response could be verified against.
type Candidate struct {
	*record.Instance
	// Own says that the user enrolled it; otherwise an address implies it.
	Own bool
}

// same reports whether two candidates respond with the same: an address that is implied and
// enrolled.
func (k Candidate) same(o Candidate) bool {
	return o.Kind == k.Kind && bytes.Equal(o.State, k.State)
}

// own returns the instances that the user enrolled, of the kinds that this process has, other
// than recovery kinds.
func (v View) own() []Candidate {
	list := make([]Candidate, 0, len(v.Record.Factors)+1)
	for i := range v.Record.Factors {
		in := &v.Record.Factors[i]
		if k, known := v.Kinds[in.Kind]; known && !in.Implicit && !k.Recovery {
			list = append(list, Candidate{in, true})
		}
	}
	return list
}

// Candidates returns the instances that may respond to a challenge with the view's claims.
//
// A user's own factors are a second factor whatever the policy says of them. Those that it
// allows may respond. If it allows none of them any more, each may, and then is a proof for
// enrolling an allowed kind only (see View.Restricted). An implied address responds for a user
// who has nothing of their own, or where the policy keeps it beside other factors. Under a policy
// with NoDowngrade a phishing-resistant factor excludes all others (see View.resistant).
func (v View) Candidates() ([]Candidate, error) {
	c := v.Claims
	if c.Purpose == token.PurposeRecover {
		return v.Recoveries(nil), nil
	}
	own := v.own()
	if c.NoDowngrade && v.hasUnknown(v.Record) {
		return nil, authority.ErrKindNotConfigured // it may be a phishing-resistant one
	}
	if list := v.resistant(own); len(list) > 0 {
		return list, nil
	}
	return v.candidatesOf(own)
}

// candidatesOf returns the candidates where none of the user's own factors excludes all others.
func (v View) candidatesOf(own []Candidate) ([]Candidate, error) {
	c := v.Claims
	list, settled, manage := own, v.settled(own), c.Purpose == token.PurposeManage
	switch {
	case (manage || !settled) && v.hasUnknown(v.Record):
		return nil, authority.ErrKindNotConfigured
	case manage && settled:
		list = v.strongest(own)
	case settled:
		list = v.allowedOf(own)
	}
	if len(own) == 0 || c.Keep && !manage && !v.impliedOff() {
		var err error
		if list, err = v.withImplied(list, len(own) == 0); err != nil {
			return nil, err
		}
	}
	if c.Purpose == token.PurposeSignIn {
		list = v.Recoveries(list)
	}
	return list, nil
}

// resistant returns those of the user's own factors that alone may respond, because a policy with
// NoDowngrade asks a user who has a phishing-resistant factor for nothing less. It returns none if
// others may respond too. A disabled kind counts, because an attacker can disable it by failed
// attempts. A replacement on hold neither counts nor responds, because it may be an attacker's. An
// outdated factor does not count, because it cannot be proven; only its own key made it outdated.
func (v View) resistant(own []Candidate) []Candidate {
	if !v.Claims.NoDowngrade {
		return nil
	}
	counts := false
	var list []Candidate
	for _, k := range own {
		if v.Kinds[k.Kind].Level < factor.LevelPhishingResistant || v.Record.Held(k.ID) ||
			!v.allowed(k.Instance) {
			continue
		}
		counts = counts || !v.Record.IsOutdated(k.ID)
		list = append(list, k)
	}
	if !counts {
		return nil
	}
	return list
}

// resists reports whether only a phishing-resistant factor may respond.
func (v View) resists() bool { return len(v.resistant(v.own())) > 0 }

// withImplied adds the implied addresses. It is an error that none of them can be sent to, if
// the user has nothing else to respond with.
func (v View) withImplied(list []Candidate, alone bool) ([]Candidate, error) {
	all, err := v.implied(list)
	signIn := v.Claims.Purpose == token.PurposeSignIn
	if err != nil && alone && (!signIn || len(v.Recoveries(nil)) == 0) {
		return nil, err
	}
	for _, k := range all[len(list):] {
		if !slices.ContainsFunc(list, k.same) {
			list = append(list, k)
		}
	}
	return list, nil
}

// impliedOff reports whether the user has turned the implied addresses off. That holds only while
// the user has something stronger to respond with.
func (v View) impliedOff() bool { return v.Record.NoImplied && v.CanTurnOffImplied() }

// TurnedOff returns the implied addresses that the user has turned off.
func (v View) TurnedOff() []Candidate {
	if !v.Claims.Keep || !v.impliedOff() {
		return nil
	}
	list, err := v.implied(nil)
	if err != nil {
		return nil // it cannot be used anyway
	}
	return list
}

// CanTurnOffImplied reports whether the user has a factor of their own that the policy allows, that
// is not on hold, disabled or outdated, and that is stronger than every kind that an address
// implies.
func (v View) CanTurnOffImplied() bool {
	need := factor.LevelWeak
	for _, kind := range v.Claims.Implicit {
		need = max(need, v.Kinds[kind].Level)
	}
	return slices.ContainsFunc(v.own(), func(k Candidate) bool {
		return v.Kinds[k.Kind].Level > need && !v.Record.Held(k.ID) &&
			v.allowed(k.Instance) && !v.status(k.Kind).Disabled &&
			!v.Record.IsOutdated(k.ID)
	})
}

// settled reports whether the policy allows one of the user's own factors. A replacement
// on hold does not count: it must not take the place of what the user had.
func (v View) settled(own []Candidate) bool {
	return slices.ContainsFunc(own, func(k Candidate) bool {
		return !v.Record.Held(k.ID) && v.allowed(k.Instance)
	})
}

// allowedOf returns those of list that the policy allows.
func (v View) allowedOf(list []Candidate) []Candidate {
	i := slices.IndexFunc(list, func(k Candidate) bool { return !v.allowed(k.Instance) })
	if i < 0 {
		return list
	}
	allowed := slices.Clone(list[:i])
	for _, k := range list[i:] {
		if v.allowed(k.Instance) {
			allowed = append(allowed, k)
		}
	}
	return allowed
}

// strongest returns the own factors that prove enough to change everything. While a
// replacement is on hold, every older factor may respond, because each of them may cancel it.
func (v View) strongest(own []Candidate) []Candidate {
	level := func(k Candidate) factor.Level {
		return v.ownFactor(k.Instance, v.Kinds[k.Kind], true).Needed()
	}
	need := authority.LevelRecovery
	for _, k := range own {
		if v.Record.Held(k.ID) {
			need = authority.LevelRecovery
			break
		}
		need = max(need, level(k))
	}
	return slices.DeleteFunc(own, func(k Candidate) bool { return level(k) < need })
}

// Recoveries adds the recovery kinds that may respond. Without a factor of the user's own there
// is nothing to recover, except by a code that an administrator has made. Security questions
// respond only after a mailed link, and only while there is no other recovery.
func (v View) Recoveries(list []Candidate) []Candidate {
	own, other, last := v.HasOwn(v.Record), false, false
	for i := range v.Record.Factors {
		in := &v.Record.Factors[i]
		if in.Implicit || !v.recovery(in) {
			continue
		}
		t := v.Kinds[in.Kind]
		if !own && !t.AdminOnly || t.LastResort && !v.Claims.Linked {
			continue
		}
		list = append(list, Candidate{in, true})
		other = other || !t.LastResort && (!t.Limited || in.Remaining > 0)
		last = last || t.LastResort
	}
	if other && last {
		list = slices.DeleteFunc(list, func(k Candidate) bool { return v.Kinds[k.Kind].LastResort })
	}
	return list
}

// implied adds the instances that a user has without having enrolled them: the address that the
// application vouches for, else one that a link verified. An error that is ErrUndeliverable means
// that there is such an address and that no message can be sent to it; nothing is added then.
func (v View) implied(list []Candidate) (_ []Candidate, err error) {
	before := len(list)
	for _, kind := range v.Claims.Implicit {
		if !v.Kinds[kind].Implies || !allows(v.Claims.Kinds, kind) {
			continue
		}
		i := slices.IndexFunc(v.Vouched, func(a Vouched) bool { return a.Instance.Kind == kind })
		switch {
		case i >= 0 && v.Vouched[i].Err != nil:
			err = v.Vouched[i].Err
			continue
		case i >= 0:
			list = append(list, Candidate{&v.Vouched[i].Instance, false})
			continue
		}
		for i := range v.Record.Factors {
			if in := &v.Record.Factors[i]; in.Implicit && in.Kind == kind {
				list = append(list, Candidate{in, false})
			}
		}
	}
	if len(list) > before {
		return list, nil
	}
	return list, err
}

// Restricted reports whether a response of an instance is a proof for enrolling an allowed kind
// only: the policy allows none of the user's own factors any more, and grace has ended.
func (v View) Restricted(in *record.Instance) bool {
	if v.Claims.Grace || in.Implicit || v.allowed(in) || v.recovery(in) {
		return false
	}
	return !v.settled(v.own())
}

// Option is a candidate as it is offered.
type Option struct {
	Candidate
	// Shared says that it stands for all of its kind, since whichever of them responds, it is
	// one way to respond.
	Shared bool
	// Default says that it is offered first.
	Default bool
	// Disabled says that the kind was disabled after too many failed attempts.
	Disabled bool
	// Renew says that it was imported, and is weaker than what the user can enrol.
	Renew bool
}

// Options orders candidates as they are offered: the kind that the user prefers first, then the
// default, then in the order of the configuration, the latest used of a kind first, and recovery
// kinds last.
func (v View) Options(list []Candidate, def string) []Option {
	slices.SortStableFunc(list, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(v.rank(a, def), v.rank(b, def)), cmp.Compare(b.Used, a.Used))
	})
	options := make([]Option, 0, len(list))
	for _, k := range list {
		if i := len(options) - 1; i >= 0 && options[i].Kind == k.Kind &&
			v.Kinds[k.Kind].SharedChallenge {
			options[i].Shared = true
			continue
		}
		options = append(options, Option{Candidate: k, Disabled: v.status(k.Kind).Disabled,
			Renew: v.Record.IsToRenew(k.ID)})
	}
	for i, o := range options {
		if !o.Disabled && !v.recovery(o.Instance) {
			options[i].Default = true
			break
		}
	}
	return options
}

// rank orders candidates: the lowest first.
func (v View) rank(k Candidate, def string) int {
	kind := v.Kinds[k.Kind]
	switch {
	case kind.Recovery:
		return kind.Order + 2000
	case k.Kind == v.Record.Preferred:
		return kind.Order - 2000
	case k.Own && k.Kind == def:
		return kind.Order - 1000
	case k.Own:
		return kind.Order
	case k.Kind == def:
		return kind.Order + 500
	default:
		return kind.Order + 1000
	}
}

// LockedUntil returns the end of a lock that leaves nothing of options to respond with, or zero.
func (v View) LockedUntil(options []Option) (until time.Time) {
	for i, o := range options {
		locked := v.status(o.Kind).LockedUntil
		if locked.IsZero() {
			return time.Time{}
		}
		if i == 0 || locked.Before(until) {
			until = locked
		}
	}
	return until
}

// LockedOut returns the end of a lock that leaves the user nothing to verify with, or zero. What
// would be a way around a lock, or would let an attacker annoy a locked user, asks it.
func (v View) LockedOut() (until time.Time, err error) {
	if until = v.status("").LockedUntil; !until.IsZero() {
		return until, nil
	}
	list, err := v.Candidates()
	if err != nil {
		return time.Time{}, err
	}
	return v.LockedUntil(v.Options(list, "")), nil
}
