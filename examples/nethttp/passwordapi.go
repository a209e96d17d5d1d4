package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/secret"
)

// apiForgot mails a link if a user has the address. The response is the same if no user has it.
func (a *app) apiForgot(w http.ResponseWriter, r *http.Request) {
	var body struct{ Email *string }
	err := readJSON(r, &body, false)
	if err == nil && body.Email == nil {
		err = errMalformed
	}
	if err == nil {
		err = a.resets.Forgot(a.inLanguage(r), password.ForgotRequest{
			Address: secret.New(*body.Email), Client: a.clientOf(r)})
	}
	if err != nil {
		a.failAPI(w, r, err)
		return
	}
	writeJSON(w, http.StatusAccepted, struct{}{})
}

// apiResetPassword sets the password of the user that a link belongs to. It signs no user in.
func (a *app) apiResetPassword(w http.ResponseWriter, r *http.Request) {
	var body struct{ Token, Password *string }
	err := readJSON(r, &body, false)
	if err == nil && (body.Token == nil || body.Password == nil) {
		err = errMalformed
	}
	if err == nil {
		err = a.setByLink(r, *body.Token, *body.Password)
	}
	if err != nil {
		a.failAPI(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, struct{}{})
}

// apiChangePassword changes the user's own password, also one that an administrator set.
func (a *app) apiChangePassword(w http.ResponseWriter, r *http.Request) {
	v, err := a.visitor(r)
	if err == nil && (v.account == nil || !v.signedIn) {
		err = errNoLogin
	}
	var body struct{ Current, Password *string }
	if err == nil {
		err = readJSON(r, &body, false)
	}
	if err == nil && (body.Current == nil || body.Password == nil) {
		err = errMalformed
	}
	if err == nil {
		err = a.changePassword(r, v.account, *body.Current, *body.Password)
	}
	if err != nil {
		a.failAPI(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, struct{}{})
}

// ownGrant implements sso.Hooks.Session. It returns the handle of the session and the
// grant of a recent proof in it, which may be empty.
func (a *app) ownGrant(r *http.Request) (mfa.Session, mfa.Grant, error) {
	session, grant, err := a.gate.Grant(r)
	if errors.Is(err, mfahttp.ErrStepUp) || errors.Is(err, mfa.ErrFirstFactorRequired) {
		err = nil
	}
	return session, grant, err
}

// unproven returns mfahttp.ErrStepUp for an error of package mfa that a step-up resolves.
func unproven(err error) error {
	for _, e := range []error{mfa.ErrToken, mfa.ErrTokenExpired, mfa.ErrProofRequired} {
		if errors.Is(err, e) {
			return mfahttp.ErrStepUp
		}
	}
	return err
}

// setByLink sets a password by a link, for the page and the API.
func (a *app) setByLink(r *http.Request, token, chosen string) error {
	err := a.slowed(a.inLanguage(r), a.linkAttempt(r, token), func(ctx context.Context) error {
		return a.resets.Reset(ctx, password.ResetRequest{Token: secret.New(token),
			Password: secret.New(chosen)})
	})
	if err != nil {
		return err
	}
	// Another user may have been signed in in this browser.
	return errors.Join(a.sessions.Clear(r.Context()), a.sessions.RenewToken(r.Context()))
}

// changePassword changes the password of the user who is signed in. All other sessions end. This
// one continues, because it stores the new count of changes.
func (a *app) changePassword(r *http.Request, user *account, current, chosen string) error {
	ctx := a.inLanguage(r)
	session, grant, err := a.ownGrant(r)
	if err != nil {
		return err
	}
	err = a.slowed(ctx, a.loginAttempt(r, user.login), func(ctx context.Context) error {
		return a.resets.Change(ctx, password.ChangeRequest{Tenant: tenant, ID: loginID(user.login),
			Session: session, Grant: grant, Current: secret.New(current),
			Password: secret.New(chosen)})
	})
	if err != nil {
		return unproven(err)
	}
	a.sessions.Put(ctx, sessionChanges, user.changes+1)
	a.sessions.Put(ctx, sessionFirst, a.clock.Now().UTC().Format(time.RFC3339Nano))
	return a.sessions.RenewToken(ctx)
}
