package mfa

import (
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
)

// This file decides authority: which change a proof permits. Every operation that changes how
// a user gets in, or what is asked of anybody, asks authority.permit and nothing else. The rule
// looks at what the user has and at what was proven. It never looks at what the policy or this
// process happens to offer today, except to say which kinds may be enrolled.

// origin says where a proof comes from.
type origin uint8

const (
	// originFirst is the application's first factor and nothing else.
	originFirst origin = iota + 1
	// originImplied is an address that the application vouches for, or that a link verified.
	originImplied
	// originOwn is a factor that the user enrolled.
	originOwn
	// originRecovery is a recovery code, security questions, an access code, or a replacement
	// that is still on hold.
	originRecovery
)

// levelRecovery is the zero Level, that of recovery kinds: it proves that the user may
// sign in, and little else.
const levelRecovery factor.Level = 0

// proof is what was proven for a grant. What is derived from a grant keeps its proof, so that
// an enrolment never makes a grant worth more than the one that opened it.
type proof struct {
	Origin origin       `cbor:"0,keyasint"`
	Level  factor.Level `cbor:"1,keyasint,omitempty"`
	// Time is when the weakest part was proven, in Unix milliseconds.
	Time int64 `cbor:"2,keyasint"`
	// Added are the IDs of the factors that this proof has enrolled. They do not raise what it
	// takes to go on: a first set-up of several factors is one set-up.
	Added []string `cbor:"3,keyasint,omitempty"`
}

// act is what somebody wants to do.
type act uint8

const (
	// actEnroll adds a factor that is not a recovery kind.
	actEnroll act = iota + 1
	// actEnrollRecovery makes recovery codes, or sets security questions.
	actEnrollRecovery
	// actRemove ends one factor.
	actRemove
	// actRename gives one factor another name.
	actRename
	// actManage is every other change to how the user gets in: remembered devices, linked
	// accounts, a password.
	actManage
	// actAdminister is an administrator's act on another user, or on a policy.
	actAdminister
)

// request is one act that authority decides.
type request struct {
	act act
	// kind is the kind to enrol; target is the ID of the factor to remove or rename.
	kind, target string
}

// ownFactor is a factor that the user enrolled, other than a recovery kind.
type ownFactor struct {
	id, kind string
	// level is meaningful only if known: this process has the kind.
	level factor.Level
	known bool
	// allowed says that the policy lets the user sign in with the kind.
	allowed bool
	// held says that a recovery enrolled it, and that its hold has not ended.
	held bool
}

// impliedAddress says whether the user has an address that serves as a factor without having
// been enrolled.
type impliedAddress uint8

const (
	impliedNone impliedAddress = iota
	impliedUsable
	// impliedUndeliverable is an address that no message can be sent to.
	impliedUndeliverable
)

// holding is what the user has.
type holding struct {
	own     []ownFactor
	implied impliedAddress
}

// permission is what authority.permit decided.
type permission struct {
	// hold says that what is enrolled must not change anything that was there before, until
	// the recovery hold ends.
	hold bool
}

// permit decides whether a proof permits a request. The proof is fresh; proof.expired is asked
// before, or on purpose not, as when an enrolment is confirmed that was begun in time.
func (h holding) permit(p proof, r request) (permission, error) {
	if h.unknown() {
		return permission{}, ErrKindNotConfigured
	}
	before := h.without(p.Added)
	switch {
	case len(before) == 0 && len(h.own) > 0 && !anyHeld(h.own):
		return permission{}, nil // the user had nothing, and this proof set up all there is
	case len(h.own) == 0:
		return permission{}, h.permitFirst(p, r)
	}
	switch p.Origin {
	case originOwn, originImplied:
		return permission{}, h.permitOwn(before, p, r)
	case originRecovery:
		return h.permitRecovery(before, p, r)
	default:
		return permission{}, ErrProofRequired
	}
}

// permitFirst is for a user who has no factor of their own.
func (h holding) permitFirst(p proof, r request) error {
	switch {
	case r.act == actEnrollRecovery:
		return ErrProofRequired // recovery codes come beside a factor of the user's own
	case p.Origin == originImplied, p.Origin == originOwn:
		return nil
	case r.act != actEnroll && r.act != actAdminister:
		return ErrProofRequired
	case p.Origin == originRecovery: // an access code: an administrator knows the user
		if r.act == actEnroll {
			return nil
		}
		return ErrProofRequired
	case h.implied == impliedUndeliverable:
		return factor.ErrUndeliverable
	case h.implied == impliedUsable:
		return ErrProofRequired // the address has to be proven
	default:
		return nil
	}
}

// permitOwn is for a proof by one of the factors that the user had before, or by an address that
// the policy keeps beside them, which counts for its level and no more.
func (h holding) permitOwn(before []ownFactor, p proof, r request) error {
	cancels := func(f ownFactor) bool {
		return f.held && f.id == r.target && r.act == actRemove && p.Origin == originOwn
	}
	switch allowed := anyAllowed(h.own); {
	case slices.ContainsFunc(before, cancels):
		return nil // any older factor cancels a recovery
	case !allowed && r.act == actEnroll && p.Origin == originOwn:
		return nil // the policy no longer allows what the user has: it is a proof for this only
	case !allowed || p.Level < highest(before):
		return ErrProofRequired
	default:
		return nil
	}
}

// permitRecovery is for a recovery by a user who has factors of their own.
func (h holding) permitRecovery(before []ownFactor, p proof, r request) (permission, error) {
	switch r.act {
	case actEnroll:
		if anyAllowed(before) && !slices.Contains(kindsOf(before), r.kind) {
			return permission{}, ErrProofRequired
		}
		return permission{hold: true}, nil
	case actRemove, actRename:
		for _, f := range h.own {
			if f.id == r.target && (f.held || slices.Contains(p.Added, f.id)) {
				return permission{}, nil
			}
		}
	}
	return permission{}, ErrProofRequired
}

// kindsOf are the kinds that a recovery may enrol: those that the user may have lost.
func kindsOf(before []ownFactor) (kinds []string) {
	for _, f := range before {
		if f.allowed && !f.held && !slices.Contains(kinds, f.kind) {
			kinds = append(kinds, f.kind)
		}
	}
	return kinds
}

// anyAllowed says whether the policy lets the user sign in with one of these. A replacement on
// hold does not count: it must not take the place of what the user had.
func anyAllowed(list []ownFactor) bool {
	return slices.ContainsFunc(list, func(f ownFactor) bool { return f.allowed && !f.held })
}

func anyHeld(list []ownFactor) bool {
	return slices.ContainsFunc(list, func(f ownFactor) bool { return f.held })
}

// unknown says that the user has a factor that this process knows nothing of, not even how
// strong it is.
func (h holding) unknown() bool {
	return slices.ContainsFunc(h.own, func(f ownFactor) bool { return !f.known })
}

// without are the user's own factors other than those named.
func (h holding) without(ids []string) (list []ownFactor) {
	for _, f := range h.own {
		if !slices.Contains(ids, f.id) {
			list = append(list, f)
		}
	}
	return list
}

// highest is the level that a user must prove to change everything. A replacement on hold does
// not raise it: it may be an attacker's, and the user's older factors cancel it.
func highest(list []ownFactor) (need factor.Level) {
	for _, f := range list {
		if !f.held {
			need = max(need, f.level)
		}
	}
	return need
}

// expired says whether a proof is too old to change anything. A first factor counts for as long
// as a challenge does, since a user who has just signed in may have to install an app.
func (p proof) expired(now time.Time, c *Config) bool {
	return now.UnixMilli() >= p.Time+p.ttl(c).Milliseconds()
}

func (p proof) ttl(c *Config) time.Duration {
	if p.Origin == originFirst {
		return c.ChallengeTTL
	}
	return c.GrantTTL
}
