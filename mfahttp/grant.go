package mfahttp

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/secondgate/secondgate/mfa"
)

// ErrStepUp is returned by [Handler.Grant] for a signed-in user who must verify a factor before
// changing how they sign in. [Handler.RequireGrant] redirects the user to that step-up. It is
// returned by [Handler.Check] for a user whose verification is too old.
var ErrStepUp = errStepUp

// Grant returns the Manager's handle for the user and the session of the request, and the grant
// that lets the user change their factors now. An application that keeps more than factors for a
// user (linked accounts, API keys) protects it in the same way, with mfa.Session.Check.
//
// The grant has been checked, and is zero for a visitor who is not signed in. Grant returns
// ErrStepUp for a signed-in user who verified too little or too long ago, or who has no factor
// yet. It returns mfa.ErrFirstFactorRequired for a user who has no factor and gave the first
// factor too long ago. Any other error is a failure. No error permits anything.
//
// Grant returns a handle even without a grant; it is the zero handle, which permits nothing, for a
// visitor who is not signed in. A sign-in starts another session, so that an operation that one
// user began cannot end with another user in the same browser.
func (h *Handler) Grant(r *http.Request) (s mfa.Session, grant mfa.Grant, err error) {
	v := h.visit(nil, r, nil)
	if err := v.identify(); err != nil {
		return mfa.Session{}, mfa.Grant{}, unavailable(err)
	}
	if v.mustBeSignedIn() == nil {
		grant, err = v.checkedGrant()
		s = v.handle(purposeManage)
	}
	if failed := v.flush(); failed != nil {
		return mfa.Session{}, mfa.Grant{}, failed
	}
	return s, grant, err
}

// checkedGrant returns a grant that the Manager accepts now. The session's own expiry is not
// enough: the user may have added a stronger factor since.
func (v *visit) checkedGrant() (mfa.Grant, error) {
	g, err := v.grant()
	if err == nil {
		err = v.refused(v.handle(purposeManage).Check(v.r.Context(), g))
	}
	if err != nil {
		return mfa.Grant{}, err
	}
	return g, nil
}

// Actor returns the Actor for the administrator who makes the request, for mfa.Manager.Admin and
// for packages sso and password. The user has just proven enough to act on other users. The
// Manager checks it again at the act.
//
// Actor returns ErrStepUp for a signed-in user who has proven too little or too long ago;
// [Handler.RequireActor] redirects the user to the step-up. It returns mfa.ErrFirstFactorRequired
// for a user who has no second factor and gave the first one too long ago, and mfa.ErrForbidden
// if no user is signed in. After an error the Actor permits nothing.
func (h *Handler) Actor(r *http.Request) (mfa.Actor, error) {
	v := h.visit(nil, r, nil)
	if err := v.identify(); err != nil {
		return mfa.Actor{}, unavailable(err)
	}
	if v.mustBeSignedIn() != nil {
		return mfa.Actor{}, fmt.Errorf("%w: no user is signed in", mfa.ErrForbidden)
	}
	a, err := v.actor()
	if failed := v.flush(); failed != nil {
		return mfa.Actor{}, failed
	}
	return a, err
}

// actor returns the Actor for the visit's user if the user has proven enough to administer
// others.
func (v *visit) actor() (mfa.Actor, error) {
	g, err := v.grant()
	if err != nil {
		return mfa.Actor{}, err
	}
	a := v.handle(purposeManage).Actor(g)
	if err := v.refused(v.h.cfg.Manager.Admin(a, "").Check(v.r.Context(), mfa.User{})); err != nil {
		return mfa.Actor{}, err
	}
	return a, nil
}

// RequireActor serves a signed-in user who has proven enough to administer others; see
// [Handler.Actor]. The application decides whether the user is an administrator. RequireActor
// treats all other requests as RequireGrant does.
func (h *Handler) RequireActor(next http.Handler) http.Handler {
	return h.requireProof(next, func(v *visit) error {
		_, err := v.actor()
		return err
	})
}

// RequireGrant serves a signed-in user who has a grant; see [Handler.Grant]. It protects pages on
// which users change how they sign in. Unlike RequireRecent it requires a proof as strong as the
// user's strongest factor. A browser without that proof is redirected to the step-up and back, or
// to the enrolment of a first factor. A posted form is not posted again: the user returns to the
// page with the form. Other clients get 403 and {"error":"step_up"}, as from the Handler's own
// API.
func (h *Handler) RequireGrant(next http.Handler) http.Handler {
	return h.requireProof(next, func(v *visit) error {
		_, err := v.checkedGrant()
		return err
	})
}

func (h *Handler) requireProof(next http.Handler, check func(v *visit) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, ok := h.guard(w, r)
		if !ok {
			return
		}
		err := check(v)
		if failed := v.flush(); failed != nil {
			err = failed
		}
		switch {
		case err == nil:
			next.ServeHTTP(w, r)
		case errors.Is(err, errStepUp) && !errors.Is(err, errOnHold) && wantsPage(r):
			secure(w.Header())
			q := url.Values{"purpose": {purposeManage}, "return": {v.here()}}
			http.Redirect(w, r, h.base()+"step-up?"+q.Encode(), http.StatusSeeOther)
		default:
			h.deny(v, err)
		}
	})
}
