package main

import (
	"errors"
	"net/http"
	"net/url"
	"time"
)

// This file asks signed-in users for their password again. Users who set up their first second
// factor long after they signed in come here (mfahttp.Config.Reauthenticate), and so do owners
// without a second factor who act on others.

const reauthenticatePath = "/reauthenticate"

// reauthenticate verifies the password of a user who is signed in, and stores the time.
func (a *app) reauthenticate(r *http.Request, user *account, typed string) error {
	ctx := r.Context()
	hash, err := a.users.password(ctx, user)
	if err != nil {
		return err
	}
	if err := a.guess(ctx, a.loginAttempt(r, user.login), hash, typed); err != nil {
		return err
	}
	a.sessions.Put(ctx, sessionFirst, a.clock.Now().UTC().Format(time.RFC3339Nano))
	return a.sessions.RenewToken(ctx)
}

// apiReauthenticate accepts {"password"} from a user who is signed in.
func (a *app) apiReauthenticate(w http.ResponseWriter, r *http.Request) {
	v, err := a.visitor(r)
	if err == nil && (v.account == nil || !v.signedIn) {
		err = errNoLogin
	}
	var body struct{ Password *string }
	if err == nil {
		err = readJSON(r, &body, false)
	}
	if err == nil && body.Password == nil {
		err = errMalformed
	}
	if err == nil {
		err = a.reauthenticate(r, v.account, *body.Password)
	}
	a.writeEmpty(w, r, err)
}

func (a *app) pageReauthenticate(w http.ResponseWriter, r *http.Request, user *account) {
	a.showReauthenticate(w, r, 0, user, r.URL.Query().Get("return"), "")
}

func (a *app) showReauthenticate(
	w http.ResponseWriter, r *http.Request, status int, user *account, to, problem string,
) {
	a.show(w, r, status, "Confirm that it is you", view{Page: "reauthenticate", User: user,
		Error: problem,
		Data:  map[string]string{"Return": to}})
}

func (a *app) postReauthenticate(w http.ResponseWriter, r *http.Request, user *account) {
	if err := parseForm(r); err != nil {
		a.failPage(w, r, err)
		return
	}
	to := r.PostForm.Get("return")
	err := a.reauthenticate(r, user, r.PostForm.Get("password"))
	_, waits := busy(err)
	switch {
	case errors.Is(err, errWrongPassword):
		a.showReauthenticate(w, r, http.StatusUnauthorized, user, to, "Wrong password.")
	case waits:
		a.showReauthenticate(w, r, http.StatusTooManyRequests, user, to,
			"Too many attempts at once. Wait a moment and try again.")
	case err != nil:
		a.failPage(w, r, err)
	default:
		// The Handler redirects to pages of this site only.
		http.Redirect(w, r, a.gate.URL()+"?"+url.Values{"return": {to}}.Encode(),
			http.StatusSeeOther)
	}
}
