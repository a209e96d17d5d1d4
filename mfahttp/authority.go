package mfahttp

import (
	"errors"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa"
)

// This file is where the Handler asks the Manager what a user has to prove, and says what the
// user can do about a refusal.

// ask is the one place that asks the Manager what a user has to prove. The Manager takes a zero
// time at a sign-in for now; here it is unknown, or an old session would be given an enrolment.
func (v *visit) ask(p string, s mfa.User) (*mfa.Challenge, error) {
	since := v.id.SignedInAt
	if since.IsZero() {
		since = time.Unix(0, 0)
	}
	handle := v.handleFor(s, p)
	if p == purposeSignIn {
		handle = handle.OnDevice(device(v.r, s))
	}
	return handle.FirstFactorAt(since).Begin(v.r.Context())
}

// hasAllowed says whether the user has enrolled a factor that the policy allows.
func (v *visit) hasAllowed() (bool, error) {
	o, err := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(o.Factors, func(f mfa.FactorInfo) bool {
		return !f.Implicit && slices.Contains(o.Kinds, f.Kind)
	}), nil
}

// alsoBy adds a kind to what a challenge offers, if the user has been given it since, such as an
// access code. The challenge stays the same one, so that codes that were sent for it stay valid,
// and so that a recovery goes on that a link began.
func (v *visit) alsoBy(c *pending, kind string) error {
	ch, err := v.ask(c.Purpose, v.id.User)
	if errors.Is(err, mfa.ErrNotAvailable) {
		return nil // a recovery by nothing so far
	}
	if err != nil {
		return err
	}
	for _, o := range optionsOf(ch.Options) {
		if o.Kind == kind {
			o.Default = false
			c.Options = append(c.Options, o)
			v.keep(c)
			return nil
		}
	}
	return nil
}

// mustEnroll keeps what a correct response led to of a kind that the policy no longer allows:
// nobody is signed in, and the grant opens the enrolment of an allowed kind.
func (v *visit) mustEnroll(c *pending, e *mfa.EnrollmentRequiredError) {
	v.keepGrant(granted{Grant: e.Grant, Expires: e.GrantExpires, Kinds: e.Kinds})
	if c.Purpose != purposeSignIn { // the session goes on; only the grant was missing
		v.drop(keyChallenge + string(c.Purpose))
		v.drop(keyCurrent)
		return
	}
	v.keep(&pending{Who: c.Who, Purpose: c.Purpose, Next: mfa.NextEnroll, Kinds: e.Kinds,
		Expires: e.GrantExpires, Banned: true})
}

// grant returns the session's grant. Without one it asks for one, which the Manager gives
// to a signed-in person only where there is nothing yet to prove; all others step up.
func (v *visit) grant() (mfa.Grant, error) {
	if v.id.User.ID == "" {
		return mfa.Grant{}, errUnauthorized
	}
	if g, ok := v.liveGrant(); ok {
		return g, nil
	}
	if !v.id.SignedIn {
		if c, ok := v.pending(purposeSignIn); ok && c.Next == mfa.NextVerify {
			return mfa.Grant{}, mfa.ErrForbidden
		}
		return mfa.Grant{}, mfa.ErrTokenExpired
	}
	if c, ok := v.pending(purposeManage); ok && c.Next == mfa.NextVerify && len(c.Sent) > 0 {
		// another challenge would make the code that was sent worthless
		return mfa.Grant{}, errStepUp
	}
	ch, err := v.begin(purposeManage, v.id.User)
	if err != nil {
		return mfa.Grant{}, err
	}
	if ch.Next != mfa.NextEnroll {
		return mfa.Grant{}, errStepUp
	}
	return ch.Grant, nil
}

// refused turns what the Manager says of a grant into what the person can do about it.
func (v *visit) refused(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, mfa.ErrToken), errors.Is(err, mfa.ErrTokenExpired):
		v.drop(keyGrant)
		if !v.id.SignedIn {
			return err
		}
		return errStepUp
	case errors.Is(err, mfa.ErrForbidden) && v.id.SignedIn:
		if v.onHold() {
			return errOnHold
		}
		return errStepUp
	}
	return err
}

// onHold says whether the session was proven by a recovery whose replacement is on hold: another
// proof of the same kind would permit no more.
func (v *visit) onHold() bool {
	if g, ok := v.granted(); !ok || !g.Recovery {
		return false
	}
	o, err := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	return err == nil && slices.ContainsFunc(o.Factors, func(f mfa.FactorInfo) bool {
		return v.now.Before(f.HeldUntil)
	})
}
