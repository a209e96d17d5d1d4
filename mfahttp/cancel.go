package mfahttp

import (
	"context"
	"errors"

	"github.com/secondgate/secondgate/mfa"
)

// This file has the ways in which a user ends what was begun, for the pages and the API.

// signOut ends the session of the request. A sign-in that was not completed is cancelled.
func (v *visit) signOut() error {
	if v.id.User.ID == "" {
		return nil
	}
	if !v.signedIn {
		if err := v.h.Ended(v.r.Context(), v.raw); err != nil {
			v.h.log(v.r, problemOf(err), err) // the user is signed out even if the mail fails
		}
	}
	v.hide()
	v.forget()
	if out := v.h.cfg.SignOut; out != nil {
		if err := out(v.w, v.r); err != nil {
			return hookError("SignOut", err)
		}
	}
	return nil
}

// cancel ends a challenge that the user will not respond to. The recovery that a link began ends
// with its challenge, or with the grant that followed.
func (v *visit) cancel(p string) error {
	c, ok := v.pending(p)
	if !ok && p != purposeRecover {
		return v.absent(mfa.ErrTokenExpired)
	}
	if ok {
		if err := abandon(v.r.Context(), v.handle(p), c); err != nil {
			return err
		}
	}
	if p == purposeRecover {
		v.replaced()
		return nil
	}
	v.drop(keyChallenge + p)
	v.drop(keyCurrent)
	return nil
}

// cancelEnrollment forgets an enrolment that the user will not confirm.
func (v *visit) cancelEnrollment(id string) error {
	if _, ok := v.enrollment(id); !ok {
		return v.absent(mfa.ErrTokenExpired)
	}
	v.dropEnrollment(id)
	v.hide()
	return nil
}

// abandon cancels a challenge, unless it has ended by itself.
func abandon(ctx context.Context, s mfa.Session, c *pending) error {
	if c.Challenge == nil {
		return nil
	}
	err := s.Cancel(ctx, c.Challenge)
	if errors.Is(err, mfa.ErrToken) || errors.Is(err, mfa.ErrTokenExpired) ||
		errors.Is(err, mfa.ErrRecordMissing) {
		return nil // completed, or the user was removed
	}
	return err
}
