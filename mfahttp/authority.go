package mfahttp

import (
	"errors"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa"
)

// In this file the Handler asks the Manager what a user has to prove, and turns a refusal into
// what the user can do about it.

// ask begins a challenge for a user. Only ask calls Begin. At a sign-in the Manager takes a zero
// time for now. Here a zero time means unknown, because an old session must not be allowed to
// enrol.
func (v *visit) ask(p string, s mfa.User) (*mfa.Challenge, error) {
	since := v.id.SignedInAt
	if since.IsZero() {
		since = time.Unix(0, 0)
	}
	handle := v.handleFor(s, p)
	if p == purposeSignIn && v.w != nil { // which takes the new token
		handle = handle.OnDevice(v.device(s))
	}
	ch, err := handle.FirstFactorAt(since).Begin(v.r.Context())
	if err == nil {
		v.setDevice(s, ch.Device, ch.DeviceExpires)
	}
	return ch, err
}

// hasAllowed reports whether the user has enrolled a factor that the policy allows.
func (v *visit) hasAllowed() (bool, error) {
	o, err := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(o.Factors, func(f mfa.FactorInfo) bool {
		return !f.Implicit && slices.Contains(o.Kinds, f.Kind)
	}), nil
}

// alsoBy adds a kind to the options of a challenge if the user has received it since, such as an
// access code. The challenge stays the same, so that codes sent for it stay valid and a recovery
// that a link began continues.
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
			c.Added, c.Options = append(c.Added, o), append(c.Options, o)
			v.keep(c)
			return nil
		}
	}
	return nil
}

// mustEnroll keeps the grant that follows a correct response of a kind that the policy no longer
// allows. It signs in no user, and the grant permits the enrolment of an allowed kind.
func (v *visit) mustEnroll(c *pending, e *mfa.EnrollmentRequiredError) {
	v.keepGrant(granted{Grant: e.Grant, Expires: e.GrantExpires, Kinds: e.Kinds})
	if c.Purpose != purposeSignIn { // the session goes on; only the grant was missing
		v.drop(keyChallenge + string(c.Purpose))
		v.drop(keyCurrent)
		return
	}
	v.keep(&pending{Who: c.Who, User: c.User, Purpose: c.Purpose, Next: mfa.NextEnroll,
		Kinds:   e.Kinds,
		Expires: e.GrantExpires, Banned: true})
}

// grant returns the session's grant. Without one it asks the Manager, which gives a grant to a
// signed-in user only if the user has no factor to verify. All other users step up.
func (v *visit) grant() (mfa.Grant, error) {
	if v.id.User.ID == "" {
		return mfa.Grant{}, errUnauthorized
	}
	if g, ok := v.liveGrant(); ok {
		return g, nil
	}
	if !v.signedIn {
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

// refused turns the Manager's refusal of a grant into an error that the user can act on.
func (v *visit) refused(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, mfa.ErrToken), errors.Is(err, mfa.ErrTokenExpired):
		v.drop(keyGrant)
		if !v.signedIn {
			return err
		}
		return errStepUp
	case errors.Is(err, mfa.ErrForbidden) && v.signedIn:
		if v.onHold() {
			return errOnHold
		}
		return errStepUp
	}
	return err
}

// onHold reports whether the session was proven by a recovery whose replacement is on hold.
// Another proof of the same kind would permit no more.
func (v *visit) onHold() bool {
	if g, ok := v.granted(); !ok || !g.Recovery {
		return false
	}
	o, err := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	return err == nil && slices.ContainsFunc(o.Factors, func(f mfa.FactorInfo) bool {
		return v.now.Before(f.HeldUntil)
	})
}
