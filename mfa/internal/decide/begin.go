package decide

import (
	"errors"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/mfa/policy"
)

// ErrFirstFactorRequired refuses a first enrolment by a user who gave the first factor too long
// ago.
var ErrFirstFactorRequired = errors.New("mfa: the first factor was given too long ago")

// Next is what a user has to do.
type Next uint8

const (
	// Done means that nothing is asked.
	Done Next = iota + 1
	// Respond means that the user responds with one of the options.
	Respond
	// EnrollFirst means that the user enrols a first factor.
	EnrollFirst
)

// Opening is the beginning of a challenge.
type Opening struct {
	Next        Next
	Options     []Option
	LockedUntil time.Time
	// Grant is, for EnrollFirst, what the grant to enrol one of Kinds says.
	Grant token.Claims
	Kinds []string
	// EnrollBy is the end of a grace period, or zero.
	EnrollBy time.Time
	// Excepted says that an exception lets the user in (Done). The sign-in is to be noted with
	// View.UseException before it is reported.
	Excepted bool
	// ExceptionEnds is the end of an exception whose use has been noted, or zero.
	ExceptionEnds time.Time
	// Respite is, for EnrollFirst, how long the user may put it off.
	Respite Respite
}

// Begin decides what the user has to do under a policy. first is the proof of the first factor.
func (v View) Begin(p policy.Policy, first authority.Proof) (Opening, error) {
	own, c := v.HasOwn(v.Record), v.Claims
	if c.Purpose == token.PurposeSignIn && v.optional(p) {
		return Opening{Next: Done}, nil
	}
	list, err := v.Candidates()
	if err != nil {
		return Opening{}, err
	}
	options := v.Options(list, p.Default)
	switch {
	case v.hasOrdinary(options), c.Purpose == token.PurposeRecover && len(options) > 0,
		!own && len(options) > 0 && v.Holding().Implied == authority.ImpliedUndeliverable:
		return Opening{Next: Respond, Options: options, LockedUntil: v.LockedUntil(options)}, nil
	case own, c.Purpose == token.PurposeRecover, c.Purpose == token.PurposeStepUp:
		return Opening{}, ErrNotAvailable
	case c.Purpose == token.PurposeSignIn && c.Grace:
		return Opening{Next: Done, EnrollBy: p.EnrollBy}, nil
	case c.Purpose == token.PurposeSignIn && v.Excepted():
		return Opening{Next: Done, Excepted: true}, nil
	case first.Expired(v.Now, v.Lifetimes):
		return Opening{}, ErrFirstFactorRequired
	}
	grant := *c
	grant.Proof, grant.Forced = first, c.Purpose == token.PurposeSignIn
	o := Opening{Next: EnrollFirst, Grant: grant, Kinds: v.EnrollableBy(first)}
	if grant.Forced {
		o.Respite = v.Respite(p)
	}
	return o, nil
}

// optional reports whether a sign-in asks the user for nothing under a policy.
func (v View) optional(p policy.Policy) bool {
	optional := p.Mode == policy.ModeOff ||
		p.Mode == policy.ModeOptional && !v.HasOwn(v.Record)
	return optional && !v.resists()
}

// Preview returns what a sign-in would need under a policy: EnrollFirst also for a user whose own
// factors are a proof for enrolling an allowed kind and for nothing else.
func (v View) Preview(p policy.Policy) (Next, error) {
	o, err := v.Begin(p, authority.Proof{Origin: authority.OriginFirst,
		Time: v.Now.UnixMilli()})
	if err != nil {
		return 0, err
	}
	signsIn := func(k Option) bool { return !v.recovery(k.Instance) && !v.Restricted(k.Instance) }
	if o.Next == Respond && !slices.ContainsFunc(o.Options, signsIn) {
		return EnrollFirst, nil
	}
	return o.Next, nil
}

// hasOrdinary reports whether there is an option that is not a recovery kind.
func (v View) hasOrdinary(options []Option) bool {
	return slices.ContainsFunc(options, func(o Option) bool { return !v.recovery(o.Instance) })
}

// OpenRecovery uses the recovery link that the view's claims are for, and begins what it is for
// under next, the claims of the challenge. There may be no options.
func (v View) OpenRecovery(next *token.Claims) (Opening, error) {
	r := v.Record
	if r.Fresh {
		return Opening{}, token.ErrRecordMissing
	}
	if err := v.Claims.SameRecord(r); err != nil {
		return Opening{}, err
	}
	link := r.RecoveryLink
	if link == nil || link.ID != v.Claims.ID || v.Now.UnixMilli() >= link.Expires {
		return Opening{}, token.ErrExpired
	}
	r.RecoveryLink = nil
	v.Claims = next
	if !v.HasOwn(r) {
		// The link has proven an address that is known to be the user's.
		grant := *next
		grant.Proof = authority.Proof{Origin: authority.OriginImplied, Level: factor.LevelWeak,
			Time: v.Now.UnixMilli()}
		return Opening{Next: EnrollFirst, Grant: grant, Kinds: v.EnrollableBy(grant.Proof)}, nil
	}
	r.Recovery = &record.Recovery{ID: next.ID,
		Expires: v.Now.Add(v.Lifetimes.FirstFactor).UnixMilli()}
	options := v.Options(v.Recoveries(nil), "")
	return Opening{Next: Respond, Options: options, LockedUntil: v.LockedUntil(options)}, nil
}
