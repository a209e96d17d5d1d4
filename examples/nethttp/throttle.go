package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/password/throttle"
	"github.com/secondgate/secondgate/secret"
)

// This file limits guesses at passwords. Every password that the application verifies goes
// through slowed, wherever a user types it, and so does every new one that is hashed for a
// user with a link. A user who knows the password gets in, however many incorrect ones an
// attacker tries. None of it touches the counters of the second factor.

// slowed waits for the turn of an attempt, and then lets verify decide whether a password is
// correct. It turns password.ErrIncorrect into what the pages know.
func (a *app) slowed(
	ctx context.Context, at throttle.Attempt, verify func(context.Context) error,
) error {
	err := a.throttle.Do(ctx, at, verify)
	if errors.Is(err, password.ErrIncorrect) {
		return errWrongPassword
	}
	return err
}

// guess verifies a password against a hash. An empty hash is that of a name that does not exist.
func (a *app) guess(ctx context.Context, at throttle.Attempt, hash, typed string) error {
	return a.slowed(ctx, at, func(ctx context.Context) error {
		return a.passwords.Verify(ctx, hash, secret.New(typed))
	})
}

// nameAttempt is an attempt to sign in. It counts for the name as it was typed, whether or not
// there is such a login: two names that waited for each other would be known to be one
// login's. login is 0 if there is none.
func (a *app) nameAttempt(r *http.Request, name string, login int64) throttle.Attempt {
	return a.attempt(r, "name "+strings.ToLower(name), login)
}

// loginAttempt is an attempt by a user who is signed in.
func (a *app) loginAttempt(r *http.Request, login int64) throttle.Attempt {
	return a.attempt(r, "login "+loginID(login), login)
}

// linkAttempt is an attempt to choose a password by a link. There is nothing to guess, but a
// hash is computed, and many at once would keep sign-ins waiting.
func (a *app) linkAttempt(r *http.Request, token string) throttle.Attempt {
	sum := sha256.Sum256([]byte(token))
	return a.attempt(r, "link "+hex.EncodeToString(sum[:]), 0)
}

func (a *app) attempt(r *http.Request, name string, login int64) throttle.Attempt {
	at := throttle.Attempt{Name: name, Client: a.clientOf(r)}
	if login == 0 {
		return at
	}
	at.Account = loginID(login)
	if c, err := r.Cookie(a.passCookie(login)); err == nil && len(c.Value) < maxPass {
		at.Pass = secret.New(c.Value)
	}
	return at
}

const (
	maxPass = 512
	// maxPasses is for how many logins a browser keeps a pass.
	maxPasses  = 8
	passPrefix = "acme_pass_"
)

func (a *app) passPrefix() string {
	if a.cfg.public.Scheme == "https" {
		return "__Host-" + passPrefix
	}
	return passPrefix
}

// passCookie names the cookie for the pass of a login: several users share some browsers.
func (a *app) passCookie(login int64) string {
	sum := sha256.Sum256([]byte(loginID(login)))
	return a.passPrefix() + hex.EncodeToString(sum[:6])
}

// givePass gives the browser that completed a sign-in a new pass, which lets the next sign-in
// of this login skip the queues. It stays after a sign-out, and is no proof of anything.
func (a *app) givePass(w http.ResponseWriter, r *http.Request, login int64) {
	name := a.passCookie(login)
	others := 0
	for _, c := range r.Cookies() {
		if !strings.HasPrefix(c.Name, a.passPrefix()) || c.Name == name {
			continue
		}
		if others++; others >= maxPasses {
			a.setPass(w, c.Name, "", -1)
		}
	}
	pass, expires := a.throttle.NewPass(loginID(login))
	a.setPass(w, name, pass.Reveal(), int(time.Until(expires)/time.Second))
}

func (a *app) setPass(w http.ResponseWriter, name, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: a.cfg.public.Scheme == "https", SameSite: http.SameSiteLaxMode})
}

// busy returns in how many seconds to try again, if an attempt was refused for too many others.
func busy(err error) (seconds int, ok bool) {
	var e *throttle.BusyError
	if !errors.As(err, &e) {
		return 0, false
	}
	return int((e.RetryAfter + time.Second - 1) / time.Second), true
}

// tooBusy sets Retry-After and returns what a page says to a user who was refused.
func tooBusy(w http.ResponseWriter, seconds int) string {
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	return "Too many attempts at once. Wait a moment and try again."
}
