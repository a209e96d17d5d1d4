package mfahttp

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp/internal/ui"
	"github.com/secondgate/secondgate/secret"
)

// kindPasskey is the kind whose responses come from the browser and not from the keyboard.
const kindPasskey = "passkey"

// passwordlessCookie ties a challenge that has no user yet to a browser. The challenge is in no
// session, so that visitors who look at the sign-in page store nothing.
const passwordlessCookie browserCookie = "browser"

const browserLen = 26 // of rand.Text

// browser returns the value of the browser's cookie, or "".
func (v *visit) browser() string {
	if value := passwordlessCookie.of(v); len(value) == browserLen {
		return value
	}
	return ""
}

// mayPasswordless returns an error if the application does not offer it, or if the user is signed
// in.
func (v *visit) mayPasswordless() error {
	switch {
	case v.h.cfg.Account == nil:
		return errNotFound
	case v.signedIn:
		return mfa.ErrForbidden
	}
	return nil
}

func apiPasswordless(v *visit) error {
	if err := v.mayPasswordless(); err != nil {
		return err
	}
	if _, err := v.body(); err != nil {
		return err
	}
	sessionID := v.browser() // two tabs have one, and a challenge each
	if sessionID == "" {
		sessionID = rand.Text()
		passwordlessCookie.set(v, sessionID, 0)
	}
	ch, err := v.h.cfg.Manager.Passwordless(sessionID).Begin(v.r.Context(), kindPasskey)
	if err != nil {
		return err
	}
	token, err := ch.MarshalText()
	if err != nil {
		return err
	}
	body := map[string]any{"challenge": string(token), "data": json.RawMessage(ch.Prompt.Data)}
	v.expiry(body, ch.Expires)
	writeJSON(v.w, http.StatusOK, body)
	return nil
}

func apiPasswordlessVerify(v *visit) error {
	if err := v.mayPasswordless(); err != nil {
		return err
	}
	var challenge, code string
	if _, err := v.read(map[string]*string{"challenge": &challenge, "code": &code}); err != nil {
		return err
	}
	sessionID := v.browser()
	if sessionID == "" {
		return mfa.ErrToken
	}
	var ch mfa.Challenge
	if err := ch.UnmarshalText([]byte(challenge)); err != nil {
		return err
	}
	var who mfa.User
	ver, err := v.h.cfg.Manager.Passwordless(sessionID).Verify(v.r.Context(), &ch, secret.New(code),
		func(ctx context.Context, named mfa.User) (mfa.User, error) {
			s, err := v.h.cfg.Account(ctx, named)
			if err != nil && !errors.Is(err, mfa.ErrForbidden) {
				err = hookError("Account", mfa.ErrUnavailable, err)
			}
			who = s
			return s, err
		})
	if err != nil {
		return err
	}
	// This sign-in keeps nothing that the session held for another user's sign-in.
	v.forget()
	v.become(Identity{User: who})
	v.keepSessionID(sessionID) // the grant is tied to it
	passwordlessCookie.set(v, "", -1)
	if err := v.complete(ver, ver.Grant, false); err != nil {
		return err
	}
	v.owe(ver.RecoveryCodesDue)
	body := map[string]any{"next": mfa.NextDone, "purpose": ver.Purpose,
		"kind": ver.Kind, "recovery_due": ver.RecoveryCodesDue}
	if which := v.passkeyOffer(ver, code); which != "" {
		body["offer_passkey"] = which
	}
	describePasskeys(body, v.passkeySetAfter(ver))
	writeJSON(v.w, http.StatusOK, body)
	return nil
}

// PasswordlessForm returns a button for the application's sign-in page that signs in by passkey,
// in the language of the request; it needs [Config.Account]. After the sign-in the user goes to
// returnTo, a path on this site, or to HomeURL if it is "". Put the button into a page of
// [Handler.Render], whose stylesheet and Content-Security-Policy it is made for. If a field of
// the page has
//
//	autocomplete="username webauthn"
//
// the browser offers passkeys there, too. Without scripts, nothing of it is seen.
func (h *Handler) PasswordlessForm(r *http.Request, returnTo string) template.HTML {
	if h.cfg.Account == nil {
		return ""
	}
	to, ok := localURL(returnTo)
	if !ok {
		to = h.cfg.HomeURL
	}
	v := h.visit(nil, r, nil)
	v.recognise()
	var b bytes.Buffer
	if err := v.render(&b, ui.Passwordless{Frame: v.frame(nil), Return: to}); err != nil {
		h.log(r, problemOf(err), err)
		return "" // the page works without it
	}
	return template.HTML(b.String()) //nolint:gosec // rendered by html/template
}
