// Package decide has the decisions about one user's record: which factors may respond, what a
// response does, what an enrolment changes. Each is a function of values. It reads no store and no
// clock and calls no factor: what a factor says of a response or of an instance is an input.
//
// A decision changes the record that it is given, and returns an [Outcome]. Package mfa writes
// the record, and derives the events, the notices and the returned error from the outcome.
package decide

import (
	"errors"
	"slices"
	"time"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/policy"
)

// Refusals that package mfa exports under the same names.
var (
	ErrNotAvailable  = errors.New("mfa: not available to this user")
	ErrUnknownFactor = errors.New("mfa: no user has this factor")
)

// ErrCloned is inside the [factor.ErrReplayed] of an instance that seems to have been copied.
var ErrCloned = errors.New("mfa: the instance seems to have been copied")

// ErrOutdated is inside the [factor.ErrExpired] of an instance that responded in a form that it was
// not enrolled with.
var ErrOutdated = errors.New("mfa: the instance has changed since it was enrolled")

// Rules are what the decisions need of a configuration. They never change.
type Rules struct {
	// Kinds are the configured kinds of factor, by name.
	Kinds   map[string]Kind
	Lockout lockout.Config
	// Lifetimes.FirstFactor is also how long a challenge is valid.
	Lifetimes authority.Lifetimes
	// EnrollmentTTL is how long an enrolment may stay unconfirmed.
	EnrollmentTTL time.Duration
	// Notifies says that users are notified. Otherwise no user is warned.
	Notifies bool
	// Temporary says that instances of one of the kinds end by themselves.
	Temporary bool
	// Exceptions says that a user may be excepted from the second factor for a time.
	Exceptions bool
}

// Kind is what the decisions know of a configured kind of factor.
type Kind struct {
	factor.Traits
	// Order is the position in the configuration.
	Order int
	// Sends says that a challenge is issued before a response.
	Sends bool
	// Implies says that an address of the user can be a factor without having been enrolled.
	Implies bool
}

// recognised reports whether a superseded code of the kind is remembered, since a user may type it.
func (k Kind) recognised() bool { return k.Sends && !k.SharedChallenge && !k.Polled }

// recovery reports whether the kind of an instance is a recovery kind that this process has.
func (r *Rules) recovery(in *record.Instance) bool {
	k, known := r.Kinds[in.Kind]
	return known && k.Recovery
}

// HasOwn reports whether the user has enrolled a factor other than a recovery kind. A kind that
// this process does not know counts.
func (r *Rules) HasOwn(rec *record.Record) bool {
	return slices.ContainsFunc(rec.Factors, func(in record.Instance) bool {
		return !in.Implicit && !r.recovery(&in)
	})
}

// hasUnknown reports whether the user has a factor of a kind that this process does not know.
func (r *Rules) hasUnknown(rec *record.Record) bool {
	return slices.ContainsFunc(rec.Factors, func(in record.Instance) bool {
		_, known := r.Kinds[in.Kind]
		return !in.Implicit && !known
	})
}

// EndExpired ends what has ended by itself: holds, with the factors that they replace, and
// temporary instances.
func (r *Rules) EndExpired(rec *record.Record, now time.Time) {
	if len(rec.Holds) > 0 {
		rec.EndHolds(now)
	}
	if rec.Exception != nil && r.HasOwn(rec) {
		rec.Exception = nil
	}
	if !r.Temporary {
		return
	}
	expired := func(in record.Instance) bool {
		return r.Kinds[in.Kind].Temporary && !now.Before(in.Ends)
	}
	if slices.ContainsFunc(rec.Factors, expired) {
		had := r.HasOwn(rec)
		rec.Factors = slices.DeleteFunc(rec.Factors, expired)
		if had && !r.HasOwn(rec) {
			r.endRecovery(rec)
		}
	}
}

// EndFactors ends factors, and the recovery kinds when none of the user's own remains: what
// they recover is gone, and they must not give access to what is enrolled later.
func (r *Rules) EndFactors(rec *record.Record, gone func(record.Instance) bool) {
	had := r.HasOwn(rec)
	rec.RemoveFactors(gone)
	if had && !r.HasOwn(rec) {
		r.endRecovery(rec)
	}
}

// endRecovery ends the recovery kinds that the user has set up. Access codes stay: an
// administrator has made them, and they end by themselves.
func (r *Rules) endRecovery(rec *record.Record) {
	rec.RemoveFactors(func(in record.Instance) bool {
		return r.recovery(&in) && !r.Kinds[in.Kind].AdminOnly
	})
}

// Enrollable returns the kinds that a user may enrol under a policy's kinds, in the order of the
// configuration.
func (r *Rules) Enrollable(kinds []string) []string {
	list := make([]string, 0, len(r.Kinds))
	for name, k := range r.Kinds {
		if !k.Recovery && allows(kinds, name) {
			list = append(list, name)
		}
	}
	slices.SortFunc(list, func(a, b string) int { return r.Kinds[a].Order - r.Kinds[b].Order })
	if len(list) == 0 {
		return nil
	}
	return list
}

// warnEvery is how often a user is notified, at most, that an attacker may know their password.
const warnEvery = 24 * time.Hour

// Warn returns whether the user is to be notified now that an attacker may have their password, and
// remembers that in the record.
func (r *Rules) Warn(rec *record.Record, now time.Time) bool {
	if !r.Notifies || now.UnixMilli() < rec.Warned+warnEvery.Milliseconds() && rec.Warned != 0 {
		return false
	}
	rec.Warned = now.UnixMilli()
	return true
}

func allows(kinds []string, kind string) bool {
	return policy.Policy{Kinds: kinds}.Allows(kind)
}
