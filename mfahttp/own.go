package mfahttp

import (
	"fmt"
	"net/http"

	"github.com/secondgate/secondgate/mfa"
)

// This file is for handlers of the application, and of package mfahttp/admin, that want what the
// Handler does for its own pages.

// Protect serves next with the headers of the Handler's own pages. It refuses requests of another
// origin that change something, unless Config.AllowedOrigins has it, and bodies of more than 64
// KiB. It does not ask who makes the request; that is for Require and RequireActor, inside of it.
func (h *Handler) Protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.protect(w, r, h.deny, next.ServeHTTP)
	})
}

func (h *Handler) protect(
	w http.ResponseWriter, r *http.Request, fail func(v *visit, err error), next http.HandlerFunc,
) {
	secure(w.Header())
	if err := h.cross.Check(r); err != nil {
		h.logCrossOrigin(r)
		fail(h.visit(w, r, fail), errCrossOrigin)
		return
	}
	if r.Body != nil {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	}
	next(w, r)
}

// Viewer returns the Actor for the signed-in user who makes the request, for what administrators
// read: mfa.Admin.SupportCases, Report, Preview and Allowed ask for no fresh proof. Every act
// refuses it; see [Handler.Actor]. Viewer returns mfa.ErrForbidden if no user is signed in.
func (h *Handler) Viewer(r *http.Request) (mfa.Actor, error) {
	v := h.visit(nil, r, nil)
	if err := v.identify(); err != nil {
		return mfa.Actor{}, unavailable(err)
	}
	if v.mustBeSignedIn() != nil {
		return mfa.Actor{}, fmt.Errorf("%w: no user is signed in", mfa.ErrForbidden)
	}
	return v.handle(purposeManage).Actor(mfa.Grant{}), nil
}

// Language returns the language that the Handler's pages have for the request, such as "en", for a
// page of the application's own: the frame and the body of a page are in one language.
func (h *Handler) Language(r *http.Request) string {
	v := h.visit(nil, r, nil)
	v.recognise()
	return v.lang()
}

// Deny writes the response to an error of the Handler or of package mfa as RequireActor does: a
// page for a browser that navigates, and JSON with the codes of the API for other clients. It
// shows nothing of the error's text.
func (h *Handler) Deny(w http.ResponseWriter, r *http.Request, err error) {
	v := h.visit(w, r, h.deny)
	v.recognise()
	h.deny(v, err)
}
