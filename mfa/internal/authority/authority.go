// Package authority decides which change a proof permits. Every operation that changes how a user
// signs in, or what is asked of any user, asks [Holding.Permit] and nothing else. The rule looks
// at what the user has and at what was proven. It never looks at what the policy or this process
// happens to offer today, except to say which kinds may be enrolled.
package authority

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
)

// The refusals. Package mfa exports them under the same names.
var (
	ErrForbidden     = errors.New("mfa: forbidden")
	ErrProofRequired = fmt.Errorf("%w: a stronger proof is required", ErrForbidden)
	// ErrKindNotConfigured is returned for a user who has a factor of a kind that this process
	// does not have.
	ErrKindNotConfigured = errors.New("mfa: the user has a factor of a kind that is not " +
		"configured here")
)

// Origin says where a proof comes from.
type Origin uint8

const (
	// OriginFirst is the application's first factor and nothing else.
	OriginFirst Origin = iota + 1
	// OriginImplied is an address that the application vouches for, or that a link verified.
	OriginImplied
	// OriginOwn is a factor that the user enrolled.
	OriginOwn
	// OriginRecovery is a recovery code, security questions, an access code, or a replacement
	// that is still on hold.
	OriginRecovery
)

// LevelRecovery is the zero Level, that of recovery kinds: it proves that the user may
// sign in, and little else.
const LevelRecovery factor.Level = 0

// Proof is what was proven for a grant. What is derived from a grant keeps its proof, so that
// an enrolment never makes a grant worth more than the one that opened it.
type Proof struct {
	Origin Origin       `cbor:"0,keyasint"`
	Level  factor.Level `cbor:"1,keyasint,omitempty"`
	// Time is when the weakest part was proven, in Unix milliseconds.
	Time int64 `cbor:"2,keyasint"`
	// Added are the IDs of the factors that this proof has enrolled. They do not raise what it
	// takes to go on: a first set-up of several factors is one set-up.
	Added []string `cbor:"3,keyasint,omitempty"`
}

// Act is a change that a user, or an administrator, asks for.
type Act uint8

const (
	// ActEnroll adds a factor that is not a recovery kind.
	ActEnroll Act = iota + 1
	// ActEnrollRecovery makes recovery codes, or sets security questions.
	ActEnrollRecovery
	// ActRemove ends one factor.
	ActRemove
	// ActRename gives one factor another name.
	ActRename
	// ActManage is every other change to how the user signs in: remembered devices, linked
	// accounts, a password.
	ActManage
	// ActMoveAddress puts another address in place of the address of record, to which codes and
	// recovery links go from then on.
	ActMoveAddress
	// ActAdminister is an administrator's act on another user, or on a policy.
	ActAdminister
)

// Request is one act that authority decides.
type Request struct {
	Act Act
	// kind is the kind to enrol; target is the ID of the factor to remove or rename.
	Kind, Target string
}

// OwnFactor is a factor that the user enrolled, other than a recovery kind.
type OwnFactor struct {
	ID, Kind string
	// Level is meaningful only if known: this process has the kind.
	Level factor.Level
	Known bool
	// Allowed says that the policy lets the user sign in with the kind.
	Allowed bool
	// Held says that a recovery enrolled it, and that its hold has not ended.
	Held bool
	// Outdated says that it has changed since the user enrolled it, and cannot be proven.
	Outdated bool
}

// Implied says whether the user has an address that serves as a factor without having
// been enrolled.
type Implied uint8

const (
	ImpliedNone Implied = iota
	ImpliedUsable
	// ImpliedUndeliverable is an address that no message can be sent to.
	ImpliedUndeliverable
)

// Holding is what the user has.
type Holding struct {
	Own     []OwnFactor
	Implied Implied
}

// Permission is what authority.permit decided.
type Permission struct {
	// Hold says that what is enrolled must not change anything that was there before, until
	// the recovery hold ends.
	Hold bool
}

// Permit decides whether a proof permits a request. The proof is fresh; proof.expired is asked
// before, or on purpose not, as when an enrolment is confirmed that was begun in time.
func (h Holding) Permit(p Proof, r Request) (Permission, error) {
	if h.unknown() {
		return Permission{}, ErrKindNotConfigured
	}
	before := h.without(p.Added)
	switch {
	case len(before) == 0 && len(h.Own) > 0 && !anyHeld(h.Own):
		return Permission{}, nil // the user had nothing, and this proof set up all there is
	case len(h.Own) == 0:
		return Permission{}, h.permitFirst(p, r)
	}
	switch p.Origin {
	case OriginOwn, OriginImplied:
		return Permission{}, h.permitOwn(before, p, r)
	case OriginRecovery:
		return h.permitRecovery(before, p, r)
	default:
		return Permission{}, ErrProofRequired
	}
}

// permitFirst is for a user who has no factor of their own.
func (h Holding) permitFirst(p Proof, r Request) error {
	switch {
	case r.Act == ActEnrollRecovery:
		return ErrProofRequired // recovery codes come beside a factor of the user's own
	case p.Origin == OriginImplied, p.Origin == OriginOwn:
		return nil
	case r.Act != ActEnroll && r.Act != ActMoveAddress && r.Act != ActAdminister:
		return ErrProofRequired
	case p.Origin == OriginRecovery: // an access code: an administrator knows the user
		if r.Act == ActEnroll {
			return nil
		}
		return ErrProofRequired
	case h.Implied == ImpliedUndeliverable:
		return factor.ErrUndeliverable
	case h.Implied == ImpliedUsable:
		return ErrProofRequired // the address has to be proven
	default:
		return nil
	}
}

// permitOwn is for a proof by one of the factors that the user had before, or by an address that
// the policy keeps beside them, which counts for its level and no more.
func (h Holding) permitOwn(before []OwnFactor, p Proof, r Request) error {
	cancels := func(f OwnFactor) bool {
		return f.Held && f.ID == r.Target && r.Act == ActRemove && p.Origin == OriginOwn
	}
	switch allowed := anyAllowed(h.Own); {
	case slices.ContainsFunc(before, cancels):
		return nil // any older factor cancels a recovery
	case !allowed && r.Act == ActEnroll && p.Origin == OriginOwn:
		return nil // the policy no longer allows what the user has: it is a proof for this only
	case !allowed || p.Level < highest(before):
		return ErrProofRequired
	default:
		return nil
	}
}

// permitRecovery is for a recovery by a user who has factors of their own.
func (h Holding) permitRecovery(before []OwnFactor, p Proof, r Request) (Permission, error) {
	switch r.Act {
	case ActEnroll:
		if anyAllowed(before) && !slices.Contains(kindsOf(before), r.Kind) {
			return Permission{}, ErrProofRequired
		}
		return Permission{Hold: true}, nil
	case ActRemove, ActRename:
		for _, f := range h.Own {
			if f.ID == r.Target && (f.Held || slices.Contains(p.Added, f.ID)) {
				return Permission{}, nil
			}
		}
	}
	return Permission{}, ErrProofRequired
}

// kindsOf are the kinds that a recovery may enrol: those that the user may have lost.
func kindsOf(before []OwnFactor) (kinds []string) {
	for _, f := range before {
		if f.Allowed && !f.Held && !slices.Contains(kinds, f.Kind) {
			kinds = append(kinds, f.Kind)
		}
	}
	return kinds
}

// anyAllowed says whether the policy lets the user sign in with one of these. A replacement on
// hold does not count: it must not take the place of what the user had.
func anyAllowed(list []OwnFactor) bool {
	return slices.ContainsFunc(list, func(f OwnFactor) bool { return f.Allowed && !f.Held })
}

func anyHeld(list []OwnFactor) bool {
	return slices.ContainsFunc(list, func(f OwnFactor) bool { return f.Held })
}

// unknown says that the user has a factor that this process knows nothing of, not even how
// strong it is.
func (h Holding) unknown() bool {
	return slices.ContainsFunc(h.Own, func(f OwnFactor) bool { return !f.Known })
}

// without are the user's own factors other than those named.
func (h Holding) without(ids []string) (list []OwnFactor) {
	for _, f := range h.Own {
		if !slices.Contains(ids, f.ID) {
			list = append(list, f)
		}
	}
	return list
}

// highest is the level that a user must prove to change everything. A replacement on hold does
// not raise it: it may be an attacker's, and the user's older factors cancel it.
func highest(list []OwnFactor) (need factor.Level) {
	for _, f := range list {
		if !f.Held {
			need = max(need, f.Needed())
		}
	}
	return need
}

// Needed is the level that a user must prove because they have the factor. One that is outdated
// cannot be proven until the user enrols it anew. A proof by another strong factor suffices for
// that; a code by mail or a PIN never does.
func (f OwnFactor) Needed() factor.Level {
	if f.Outdated {
		return min(f.Level, factor.LevelStrong)
	}
	return f.Level
}

// Lifetimes are how long proofs permit changes. A first factor counts for as long as a challenge
// does, since a user who has just signed in may have to install an app.
type Lifetimes struct{ FirstFactor, Grant time.Duration }

// Expires is when a proof is too old to change anything.
func (p Proof) Expires(l Lifetimes) time.Time {
	ttl := l.Grant
	if p.Origin == OriginFirst {
		ttl = l.FirstFactor
	}
	return time.UnixMilli(p.Time).Add(ttl).UTC()
}

// Expired reports whether a proof is too old to change anything.
func (p Proof) Expired(now time.Time, l Lifetimes) bool {
	return !now.Before(p.Expires(l))
}
