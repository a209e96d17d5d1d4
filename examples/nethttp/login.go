package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/secondgate/secondgate/mfa"
)

// outcome is what a sign-in needs next. The JSON API returns it, and the pages redirect by it.
type outcome struct {
	Next     string    `json:"next"` // "done", "account", "verify" or "enroll"
	Accounts []account `json:"accounts"`
	Options  []option  `json:"options"`
}

// option is a factor that may respond (next is "verify") or a kind to enrol (next is "enroll").
type option struct {
	Kind              string `json:"kind"`
	MaskedDestination string `json:"hint"`
	Default           bool   `json:"default"`
}

var errWrongPassword = errors.New("wrong password")

// errPasswordExpired is returned for a password that an administrator set and that has expired.
var errPasswordExpired = errors.New("the temporary password has expired")

var errNoLogin = errors.New("no password has been given in this session")

// signIn verifies the first factor and begins the second. errWrongPassword does not say whether
// the name exists.
func (a *app) signIn(w http.ResponseWriter, r *http.Request, name, typed string) (*outcome, error) {
	ctx := r.Context()
	if name = strings.TrimSpace(name); name == "" || len(name) > 254 || !utf8.ValidString(name) {
		return nil, errWrongPassword
	}
	login, hash, changes, until, err := a.users.login(ctx, name)
	if err != nil && !errors.Is(err, errNoUser) {
		return nil, err
	}
	if err := a.guess(ctx, a.nameAttempt(r, name, login), hash, typed); err != nil {
		return nil, err
	}
	if !until.IsZero() && !a.clock.Now().Before(until) {
		return nil, errPasswordExpired
	}
	// An earlier user of this browser leaves nothing in the session, and a token that an attacker
	// planted in the browser is replaced.
	if err := errors.Join(a.sessions.Clear(ctx), a.sessions.RenewToken(ctx)); err != nil {
		return nil, err
	}
	a.sessions.Put(ctx, sessionChanges, changes)
	now := a.clock.Now()
	a.rehash(ctx, login, hash, typed)
	accounts, err := a.users.byLogin(ctx, login, name)
	if err != nil {
		return nil, err
	}
	if len(accounts) > 1 {
		a.sessions.Put(ctx, sessionLogin, login)
		a.sessions.Put(ctx, sessionFirst, now.UTC().Format(time.RFC3339Nano))
		return &outcome{Next: "account", Accounts: accounts, Options: []option{}}, nil
	}
	if len(accounts) == 0 {
		return nil, errNoUser
	}
	return a.beginSecondFactor(w, r, &accounts[0], byPassword)
}

// choosingTime is how long after the password the user can choose an account. Without a limit, an
// attacker at an unattended screen could go on and set up the user's first second factor.
const choosingTime = 15 * time.Minute

// accountsToChoose returns the accounts of the login whose password was verified in this session.
func (a *app) accountsToChoose(ctx context.Context) ([]account, error) {
	login := a.sessions.GetInt64(ctx, sessionLogin)
	if login == 0 {
		return nil, errNoLogin
	}
	given, err := time.Parse(time.RFC3339Nano, a.sessions.GetString(ctx, sessionFirst))
	if err != nil || !a.clock.Now().Before(given.Add(choosingTime)) {
		a.sessions.Remove(ctx, sessionLogin)
		return nil, errNoLogin
	}
	accounts, err := a.users.byLogin(ctx, login, "")
	if err == nil && len(accounts) > 0 && accounts[0].changes != a.sessions.GetInt64(ctx,
		sessionChanges) {
		a.sessions.Remove(ctx, sessionLogin) // the password was changed since
		return nil, errNoLogin
	}
	return accounts, err
}

// choose continues the sign-in with one of the login's accounts.
func (a *app) choose(w http.ResponseWriter, r *http.Request, id string) (*outcome, error) {
	accounts, err := a.accountsToChoose(r.Context())
	if err != nil {
		return nil, err
	}
	for i := range accounts {
		if accounts[i].ID == id {
			return a.beginSecondFactor(w, r, &accounts[i], byPassword)
		}
	}
	return nil, errNoUser
}

// beginSecondFactor begins the second factor of an account whose first factor is verified.
func (a *app) beginSecondFactor(
	w http.ResponseWriter, r *http.Request, acct *account, by string,
) (*outcome, error) {
	ctx := r.Context()
	a.enter(ctx, acct.ID, by, a.clock.Now())
	ch, err := a.gate.Begin(w, r, a.identity(ctx, acct, a.clock.Now()))
	if err != nil {
		a.sessions.Remove(ctx, sessionAccount)
		return nil, err
	}
	out := &outcome{Next: string(ch.Next), Accounts: []account{}, Options: []option{}}
	switch ch.Next {
	case mfa.NextDone:
		if ch.Remembered {
			a.noteFactor(ctx, byDevice)
		}
		a.givePass(w, r, acct.login)
		return out, a.completeSignIn(ctx)
	case mfa.NextEnroll:
		for i, kind := range ch.Kinds {
			out.Options = append(out.Options, option{Kind: kind, Default: i == 0})
		}
	default:
		// Several devices of a kind are one option.
		seen := map[string]bool{}
		for _, o := range ch.Options {
			if !seen[o.Kind+"\x00"+o.MaskedDestination] {
				out.Options = append(out.Options, option{Kind: o.Kind,
					MaskedDestination: o.MaskedDestination,
					Default:           o.Default})
			}
			seen[o.Kind+"\x00"+o.MaskedDestination] = true
		}
	}
	return out, nil
}
