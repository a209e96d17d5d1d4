package mfahttp

import (
	"cmp"
	"errors"
	"net/http"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// This file lets a user put off an enrolment, where the policy gives time.

// postpone completes a sign-in that waits for an enrolment without one.
func (v *visit) postpone() error {
	c, ok := v.pending(purposeSignIn)
	switch {
	case !ok:
		return mfa.ErrTokenExpired
	case v.signedIn, v.replacing, c.Next != mfa.NextEnroll, c.Challenge == nil:
		return mfa.ErrNotAvailable
	}
	if err := v.handle(purposeSignIn).Postpone(v.r.Context(), c.Challenge); err != nil {
		return v.ended(c, err)
	}
	v.forget()
	if postponed := v.h.cfg.Postponed; postponed != nil {
		renewed, err := postponed(v.w, v.r)
		if err != nil {
			return hookError("Postponed", mfa.ErrUnavailable, err)
		}
		v.become(Identity{User: v.id.User, SessionID: cmp.Or(renewed, v.id.SessionID),
			SignedInAt: v.id.SignedInAt})
	}
	v.prove(proof{Postponed: true, Due: c.Challenge.PostponeUntil}, "", false)
	return nil
}

// postponed reports whether a session goes on in which the user has put off an enrolment. The
// last time that the policy permits it serves for the whole session.
func (v *visit) postponed(by *proof, p policy.Policy) bool {
	return by.Postponed && (p.EnrollSkips > 0 || p.EnrollWithin > 0) &&
		(by.Due.IsZero() || v.now.Before(by.Due))
}

// askedAgain is errStepUp if a user who was let in with nothing to verify has to do something now.
func (v *visit) askedAgain(by *proof, p policy.Policy) error {
	ch, err := v.ask(purposeSignIn, v.id.User)
	switch {
	case v.postponed(by, p) && (errors.Is(err, mfa.ErrFirstFactorRequired) ||
		err == nil && ch.Next == mfa.NextEnroll):
		return nil // there is still nothing to verify, and the enrolment can wait
	case err != nil:
		return err
	case ch.Next != mfa.NextDone:
		return errStepUp
	}
	return nil
}

// later returns how long the user may put off the enrolment that the sign-in waits for, or nil.
func (v *visit) later() *ui.Later {
	c, ok := v.pending(purposeSignIn)
	if !ok || v.signedIn || v.replacing || c.Challenge == nil {
		return nil
	}
	l := ui.Later{Until: c.Challenge.PostponeUntil, Times: c.Challenge.PostponesRemaining}
	if l == (ui.Later{}) {
		return nil
	}
	return &l
}

func postLater(v *visit) error {
	f, err := v.form()
	if err != nil {
		return err
	}
	if v.id.User.ID == "" {
		return v.redirect(v.h.cfg.LoginURL)
	}
	back := returnTo(f)
	if err := v.postpone(); err != nil {
		v.noteError("", err, nil)
		return v.redirect(v.at("enroll", "return", back))
	}
	return v.back(back)
}

func apiLater(v *visit) error {
	if _, err := v.body(); err != nil {
		return err
	}
	if err := v.postpone(); err != nil {
		return err
	}
	writeJSON(v.w, http.StatusOK, map[string]any{"next": mfa.NextDone})
	return nil
}

// describeLater writes how long the enrolment can wait.
func (v *visit) describeLater(body map[string]any) {
	l := v.later()
	if l == nil {
		return
	}
	later := map[string]any{}
	if !l.Until.IsZero() {
		later["until"] = l.Until.UTC().Format(time.RFC3339)
	}
	if l.Times > 0 {
		later["times"] = l.Times
	}
	body["later"] = later
}
