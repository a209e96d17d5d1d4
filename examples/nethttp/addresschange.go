package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/secret"
)

// This file changes the e-mail address of an account. Passwords are reset there, and recovery
// links go there. So the user proves their strongest factor, and gives the password unless that
// was minutes ago. A code proves the new address before it counts, and the present one is
// notified.

const addressPath = "/email"

// passwordAge is how long a password counts as just given.
const passwordAge = 10 * time.Minute

// pendingAddress is a change that waits for its code.
type pendingAddress struct {
	Address    string
	Enrollment *mfa.Enrollment
}

var errAddressTaken = fmt.Errorf("accounts: %w", mfahttp.ErrAddressTaken)

// addressGrant returns the handle and the grant with which a user may change their address now.
func (a *app) addressGrant(r *http.Request) (mfa.Session, mfa.Grant, error) {
	v, err := a.visitor(r)
	if err != nil {
		return mfa.Session{}, mfa.Grant{}, err
	}
	session, grant, err := a.gate.Grant(r)
	if errors.Is(err, mfahttp.ErrStepUp) &&
		session.CheckPasswordChange(r.Context(), mfa.Grant{}) == nil {
		// The user has no factor and no verified address, so the password is all there is.
		var ch *mfa.Challenge
		if ch, err = session.FirstFactorAt(v.firstFactor).Begin(r.Context()); err == nil {
			grant = ch.Grant
		}
	}
	if err == nil && a.clock.Now().Sub(v.firstFactor) > passwordAge {
		err = mfa.ErrFirstFactorRequired
	}
	return session, grant, err
}

// startAddressChange sends a code to a new address.
func (a *app) startAddressChange(
	r *http.Request, session mfa.Session, grant mfa.Grant, typed string,
) error {
	e, err := session.ChangeAddress(r.Context(), grant, secret.New(strings.TrimSpace(typed)))
	if err != nil {
		return err
	}
	return a.keepAddress(r.Context(), &pendingAddress{Address: e.Address.Reveal(), Enrollment: e})
}

// keepAddress keeps a pending change in the session.
func (a *app) keepAddress(ctx context.Context, p *pendingAddress) error {
	b, err := json.Marshal(p)
	if err == nil {
		a.sessions.Put(ctx, sessionAddress, string(b))
	}
	return err
}

// changingAddress returns the pending change of the session, or nil.
func (a *app) changingAddress(ctx context.Context, session mfa.Session) *pendingAddress {
	p := new(pendingAddress)
	kept := a.sessions.GetString(ctx, sessionAddress)
	if kept == "" || json.Unmarshal([]byte(kept), p) != nil ||
		session.RestoreEnrollment(p.Enrollment) != nil ||
		!a.clock.Now().Before(p.Enrollment.Expires) {
		return nil
	}
	return p
}

// confirmAddress stores the new address if the code is correct. That another account has the
// address is said to a user who has just proven that the mailbox is theirs, and to no other.
func (a *app) confirmAddress(
	ctx context.Context, session mfa.Session, user *account, p *pendingAddress, code string,
) error {
	_, err := session.ConfirmAddress(ctx, p.Enrollment, secret.New(code),
		func(ctx context.Context) error { return a.users.setAddress(ctx, user, p.Address) })
	if err == nil || errors.Is(err, errAddressTaken) {
		a.sessions.Remove(ctx, sessionAddress) // the code is used
	}
	return err
}

// storeAddress implements mfahttp.Config.StoreAddress, for programs that use the API.
func (a *app) storeAddress(ctx context.Context, user mfa.User, address string) error {
	acct, err := a.users.byID(ctx, user.ID)
	if err == nil {
		err = a.users.setAddress(ctx, acct, address)
	}
	if err == nil {
		a.sessions.Put(ctx, sessionRenamed, true)
	}
	return err
}

// explainAddress returns what the user can do about an error, or "".
func explainAddress(err error) string {
	var (
		refused *factor.Problem
		limited *mfa.RateLimitError
		locked  *mfa.LockedError
	)
	switch {
	case errors.As(err, &refused) && refused.Reason == "address_duplicate":
		return "This is your e-mail address already."
	case errors.As(err, &refused) && refused.Reason != "code_form":
		return "Enter an e-mail address, for example name@example.com."
	case errors.Is(err, errAddressTaken):
		return "This address belongs to another account. Use another address."
	case errors.As(err, &limited), errors.As(err, &locked):
		return "Too many codes or attempts. Wait a few minutes and try again."
	case errors.Is(err, factor.ErrExpired):
		return "This code is no longer valid. Enter the code in the latest mail, or send " +
			"another one."
	case errors.Is(err, factor.ErrIncorrect), errors.Is(err, factor.ErrReplayed), refused != nil:
		return "Wrong code. Enter the code in the latest mail."
	}
	return ""
}
