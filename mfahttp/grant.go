package mfahttp

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/secondgate/secondgate/mfa"
)

// ErrStepUp is what [Handler.Grant] returns for who is signed in and has to prove a factor
// before they may change how they sign in. [Handler.RequireGrant] sends them to do that.
var ErrStepUp = errStepUp

// Grant returns the grant by which the user who makes the request may change their factors now,
// and its session ID. An application that keeps more for a user than factors (linked accounts,
// keys of an API) guards it in the same way, with mfa.Session.Check. Both are secrets: they belong
// in no page, URL or log.
//
// The grant has been checked, and is zero for a visitor who is not signed in. ErrStepUp is
// returned for a signed-in user who verified too little, or too long ago, or has no factor yet;
// mfa.ErrFirstFactorRequired for one who has no factor and gave the first one too long ago. Any
// other error is a failure, and permits nothing either.
//
// Grant returns a session ID even without a grant, and makes one if the session has none. Begin
// replaces it, so that what one user began cannot end with another in the same browser.
func (h *Handler) Grant(r *http.Request) (grant mfa.Grant, binding string, err error) {
	v := &visit{h: h, r: r, now: h.clock()}
	if v.id, err = h.cfg.Identify(r); err != nil {
		return mfa.Grant{}, "", hookError("Identify", mfa.ErrUnavailable, err)
	}
	if v.signedIn() == nil {
		grant, err = v.checkedGrant()
	}
	return grant, v.binding(), err
}

// checkedGrant is a grant that is good now, and not merely by the session's own clock: a
// stronger factor may have been added since.
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

// Actor returns who makes the request as the Actor of an administrator's act, for
// mfa.Manager.Admin and for packages sso and password. The user has proven
// enough just now to act on somebody; the Manager checks it again at the act.
//
// ErrStepUp means that the user is signed in and has proven too little, or too long ago;
// [Handler.RequireActor] sends them to do it. mfa.ErrFirstFactorRequired means that the user
// has no second factor and gave the first one too long ago. mfa.ErrForbidden means that nobody
// is signed in. With any error the Actor may do nothing.
func (h *Handler) Actor(r *http.Request) (mfa.Actor, error) {
	id, err := h.cfg.Identify(r)
	if err != nil {
		return mfa.Actor{}, hookError("Identify", mfa.ErrUnavailable, err)
	}
	v := &visit{h: h, r: r, id: id, now: h.clock()}
	if v.signedIn() != nil {
		return mfa.Actor{}, fmt.Errorf("%w: nobody is signed in", mfa.ErrForbidden)
	}
	return v.actor()
}

// actor is who makes the visit, if they have proven enough to administer.
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

// RequireActor lets through a signed-in user who has proven enough to administer others; see
// [Handler.Actor]. Whether the user is an administrator is for the application to say. All
// others are answered as by RequireGrant.
func (h *Handler) RequireActor(next http.Handler) http.Handler {
	return h.requireProof(next, func(v *visit) error {
		_, err := v.actor()
		return err
	})
}

// RequireGrant lets through who is signed in and has a grant; see [Handler.Grant]. It is for
// pages on which people change how they sign in: unlike RequireRecent it wants a proof as
// strong as the strongest factor that the person has. Pages of others are redirected to that
// proof and back, or to enrol a factor where there is none; a form that was posted is not
// posted again, the person is returned to the page it was on. Programs get 403 and
// {"error":"step_up"}, as from the Handler's own API.
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
		switch err := check(v); {
		case err == nil:
			next.ServeHTTP(w, r)
		case errors.Is(err, errStepUp) && !errors.Is(err, errOnHold) && wantsPage(r):
			secure(w.Header())
			q := url.Values{"purpose": {purposeManage}, "return": {v.here()}}
			http.Redirect(w, r, h.cfg.BasePath+"step-up?"+q.Encode(), http.StatusSeeOther)
		default:
			h.deny(v, err)
		}
	})
}
