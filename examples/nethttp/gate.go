package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/questions"
	"github.com/secondgate/secondgate/seal"
)

// This file has all that secondgate needs from an application: where the session keeps values,
// which user makes a request, what happens once the second factor is verified, and how a password
// is verified before a phone number changes.

// The keys of the session's values. sessionLogin is set between the password and the choice of an
// account, sessionAccount once the first factor is verified, and sessionSignedIn once the sign-in
// is complete.
const (
	sessionLogin    = "login"
	sessionAccount  = "account"
	sessionSignedIn = "signed_in"
	sessionNotice   = "notice"
	// sessionRenamed says that the account's name has changed and no page has said so to the
	// browser's passkeys.
	sessionRenamed = "renamed"
	// sessionFirst is when the first factor was last verified.
	sessionFirst = "first_factor_at"
	// sessionChanges is how often the password had been changed when the session began.
	sessionChanges = "password_changes"
	// The user sees these of a session: its public ID, when it began (Unix ms), and the factors
	// that signed in.
	sessionID    = "id"
	sessionBegan = "began"
	sessionHow   = "how"
	// sessionChanged is set after a change of the sign-in methods, until the user has chosen
	// whether their other sessions end.
	sessionChanged = "changed"
	// sessionAddress is a change of the address that waits for its code.
	sessionAddress = "address"
)

// newGate makes the Handler, which serves the pages and the API of the second factor.
func (a *app) newGate(keys *seal.Keyring) (*mfahttp.Handler, error) {
	overlay, err := a.overlay()
	if err != nil {
		return nil, err
	}
	cfg := mfahttp.Config{
		Manager:        a.manager,
		Keys:           keys,
		Session:        session{a.sessions},
		Identify:       a.identify,
		Verified:       a.verified,
		Postponed:      a.postponed,
		SignOut:        a.signOut,
		Renew:          a.renew,
		Reauthenticate: reauthenticatePath,
		PasswordFor:    []string{"sms"},
		CheckPassword:  a.checkPassword,
		StoreAddress:   a.storeAddress,
		ExtendSession:  a.extendSession,
		Settings:       a.settings,
		History:        a.history.of,
		Nav:            a.nav,
		OfferPasskeys:  a.cfg.offerPasskeys,
		SetupLinks:     true,
		Support:        true,
		SecureCookies:  a.cfg.public.Scheme == "https",
		LoginURL:       "/login",
		HomeURL:        "/",
		ProductName:    organisation,
		Countries:      countries,
		Questions:      questions.Suggestions,
		Templates:      overlay,
		AllowedOrigins: []string{a.cfg.public.String()},
		Logger:         a.log,
		Clock:          a.clock,
	}
	if a.passkeys() {
		cfg.Account = a.byPasskey
	} else {
		a.log.Info(
			"there are no passkeys at this address; they need a domain and https, or localhost",
			"url", a.cfg.public.String())
	}
	return mfahttp.New(cfg)
}

// session adapts scs to mfahttp.
type session struct{ *scs.SessionManager }

func (s session) Get(ctx context.Context, key string) ([]byte, error) {
	return s.GetBytes(ctx, key), nil
}

func (s session) Put(ctx context.Context, key string, value []byte) error {
	s.SessionManager.Put(ctx, key, value)
	return nil
}

func (s session) Remove(ctx context.Context, key string) error {
	s.SessionManager.Remove(ctx, key)
	return nil
}

// visitor is the user who makes a request.
type visitor struct {
	*account    // nil before the first factor
	signedIn    bool
	firstFactor time.Time // when it was last verified; zero if unknown
}

func (a *app) visitor(r *http.Request) (visitor, error) {
	ctx := r.Context()
	id := a.sessions.GetString(ctx, sessionAccount)
	if id == "" {
		return visitor{}, nil
	}
	acct, err := a.users.byID(ctx, id)
	if errors.Is(err, errNoUser) {
		return visitor{}, nil
	}
	if err != nil {
		return visitor{}, err
	}
	if acct.changes != a.sessions.GetInt64(ctx, sessionChanges) {
		return visitor{}, nil // a later change of the password ended this session
	}
	v := visitor{account: acct, signedIn: a.sessions.GetBool(ctx, sessionSignedIn)}
	// A user who signed in without a password has none to change first.
	v.mustChange = acct.mustChange && strings.HasPrefix(a.sessions.GetString(ctx, sessionHow),
		byPassword)
	if s := a.sessions.GetString(ctx, sessionFirst); s != "" {
		if v.firstFactor, err = time.Parse(time.RFC3339Nano, s); err != nil {
			return visitor{}, err
		}
	}
	return v, nil
}

// identify implements mfahttp.Config.Identify.
func (a *app) identify(r *http.Request) (mfahttp.Identity, error) {
	v, err := a.visitor(r)
	if err != nil || v.account == nil {
		return mfahttp.Identity{}, err
	}
	return a.identity(r.Context(), v.account, v.firstFactor), nil
}

// identity describes an account in this session to the Handler.
func (a *app) identity(ctx context.Context, acct *account, since time.Time) mfahttp.Identity {
	return mfahttp.Identity{User: acct.subject(), SessionID: a.sessions.GetString(ctx, sessionID),
		SignedInAt: since, SessionEnds: a.sessionEnds(ctx)}
}

// verified implements mfahttp.Config.Verified.
func (a *app) verified(
	w http.ResponseWriter, r *http.Request, v *mfa.Verification,
) (string, error) {
	ctx := r.Context()
	if v.Passwordless {
		if err := a.usePasskeyAccount(ctx, v); err != nil {
			return "", err
		}
	}
	if v.Tenant != tenant || v.UserID != a.sessions.GetString(ctx, sessionAccount) {
		return "", errors.New("the verification belongs to another user than the session's")
	}
	if !a.sessions.GetBool(ctx, sessionSignedIn) {
		// Without a pass the sign-in is complete all the same; only the next one is slower.
		if acct, err := a.users.byID(ctx, v.UserID); err != nil {
			a.log.WarnContext(ctx, "cannot give a browser a pass", "error", err)
		} else {
			a.givePass(w, r, acct.login)
		}
		if !v.Passwordless {
			a.noteFactor(ctx, v.Kind)
		}
	}
	return a.sessions.GetString(ctx, sessionID), a.completeSignIn(ctx)
}

// postponed implements mfahttp.Config.Postponed.
func (a *app) postponed(w http.ResponseWriter, r *http.Request) (string, error) {
	ctx := r.Context()
	acct, err := a.users.byID(ctx, a.sessions.GetString(ctx, sessionAccount))
	if err != nil {
		return "", err
	}
	a.givePass(w, r, acct.login)
	return a.sessions.GetString(ctx, sessionID), a.completeSignIn(ctx)
}

// byPasskey implements mfahttp.Config.Account.
func (a *app) byPasskey(ctx context.Context, named mfa.User) (mfa.User, error) {
	acct, err := a.users.byID(ctx, named.ID)
	if errors.Is(err, errNoUser) {
		return mfa.User{}, mfa.ErrForbidden
	}
	if err != nil {
		return mfa.User{}, err
	}
	return acct.subject(), nil
}

// usePasskeyAccount does for a passkey what signIn does for a correct password: it makes the
// session the account's, and removes what an earlier user of this browser left in it.
func (a *app) usePasskeyAccount(ctx context.Context, v *mfa.Verification) error {
	acct, err := a.users.byID(ctx, v.UserID)
	if err == nil {
		err = a.sessions.Clear(ctx)
	}
	if err != nil {
		return err
	}
	a.enter(ctx, acct.ID, v.Kind, v.Time)
	a.sessions.Put(ctx, sessionChanges, acct.changes)
	return nil
}

// completeSignIn marks the session as signed in. It gets a new token, so that an attacker who
// knew the old one has no session.
func (a *app) completeSignIn(ctx context.Context) error {
	a.sessions.Put(ctx, sessionSignedIn, true)
	a.sessions.Remove(ctx, sessionLogin)
	return a.sessions.RenewToken(ctx)
}

// checkPassword implements mfahttp.Config.CheckPassword.
func (a *app) checkPassword(r *http.Request, password string) error {
	v, err := a.visitor(r)
	if err != nil {
		return err
	}
	if v.account == nil {
		return mfahttp.ErrPassword
	}
	hash, err := a.users.password(r.Context(), v.account)
	if err != nil {
		return err
	}
	err = a.guess(r.Context(), a.loginAttempt(r, v.login), hash, password)
	if errors.Is(err, errWrongPassword) {
		return mfahttp.ErrPassword
	}
	if seconds, ok := busy(err); ok {
		return &mfa.RateLimitError{RetryAfter: time.Duration(seconds) * time.Second}
	}
	return err
}

// renew implements mfahttp.Config.Renew.
func (a *app) renew(_ http.ResponseWriter, r *http.Request) error {
	return a.sessions.RenewToken(r.Context())
}

// signOut implements mfahttp.Config.SignOut.
func (a *app) signOut(_ http.ResponseWriter, r *http.Request) error {
	return a.sessions.Destroy(r.Context())
}

// authorize implements mfa.Config.Authorize. Only the owner may act on other users, by whichever
// page or route, and no program.
func (a *app) authorize(ctx context.Context, act mfa.AdminAction) error {
	if act.System {
		return errors.New("a program may not do this")
	}
	actor, err := a.users.byID(ctx, act.Actor)
	if err != nil {
		return err
	}
	// These are about all tenants, of which there is one here.
	everything := act.Tenant == "" && (act.Name == "report" || act.Name == "audit")
	if actor.Type != ownerType || act.Tenant != tenant && !everything {
		return errors.New("only the owner may do this")
	}
	return nil
}
