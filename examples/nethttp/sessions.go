package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"net/http"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp"
)

// This file has the sessions as their user sees them: how each began, and what ends it.

// What signs in besides the kinds of factors and the providers of sign-on.
const (
	byPassword = "password"
	byDevice   = "device" // a remembered one, in place of the second factor
)

func (a *app) sessionStore() sessionStore { return sessionStore{a.db, a.clock.Now} }

// withSession loads and stores the session of a request. The request's context then has a usedBy,
// which tells other functions that the context has a session.
func (a *app) withSession(next http.Handler) http.Handler {
	next = a.sessions.LoadAndSave(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		by := usedBy{device: mfahttp.DeviceName(r), client: a.clientOf(r)}
		fresh := a.newCookies(w, r)
		next.ServeHTTP(fresh, r.WithContext(context.WithValue(r.Context(), usedByKey{}, by)))
		fresh.dropKnown() // if the handler wrote nothing
	})
}

// enter makes the session one of an account whose first factor was verified at a time. It is not
// signed in yet.
func (a *app) enter(ctx context.Context, account, by string, at time.Time) {
	a.sessions.Remove(ctx, sessionSignedIn)
	a.sessions.Put(ctx, sessionAccount, account)
	a.sessions.Put(ctx, sessionID, rand.Text())
	a.sessions.Put(ctx, sessionBegan, a.clock.Now().UnixMilli())
	a.sessions.Put(ctx, sessionHow, by)
	a.sessions.Put(ctx, sessionFirst, at.UTC().Format(time.RFC3339Nano))
}

// noteFactor adds a factor to those that signed in to the session.
func (a *app) noteFactor(ctx context.Context, factor string) {
	a.sessions.Put(ctx, sessionHow, a.sessions.GetString(ctx, sessionHow)+howSeparator+factor)
}

// sessionEnds returns when the context's session ends, by the demonstration's clock: sessions
// expire by the system's.
func (a *app) sessionEnds(ctx context.Context) time.Time {
	return a.clock.Now().Add(time.Until(a.sessions.Deadline(ctx)))
}

// extensions is how often a user can extend a session (WCAG 2.2, 2.2.1). Then it ends.
const extensions = 10

// extendSession implements mfahttp.Config.ExtendSession.
func (a *app) extendSession(_ http.ResponseWriter, r *http.Request) (time.Time, error) {
	ctx, now := r.Context(), a.clock.Now()
	began := time.UnixMilli(a.sessions.GetInt64(ctx, sessionBegan))
	more := min(a.sessions.Lifetime, began.Add((extensions+1)*a.sessions.Lifetime).Sub(now))
	if now.Add(more).After(a.sessionEnds(ctx)) {
		a.sessions.SetDeadline(ctx, time.Now().Add(more))
	}
	return a.sessionEnds(ctx), nil
}

// ended returns a function that notifies the Handler of a session that ends during a sign-in.
func (a *app) ended(ctx context.Context) func(get func(string) []byte) error {
	return func(get func(string) []byte) error { return a.gate.Ended(ctx, get) }
}

// endOthers ends every session of an account except the context's own, if that is the account's.
func (a *app) endOthers(ctx context.Context, account string) error {
	id, _ := a.ownSession(ctx, account)
	// The sessions end whether or not the browser still waits for the response.
	ctx = context.WithoutCancel(ctx)
	return a.sessionStore().endOthers(ctx, account, id, a.ended(ctx))
}

// ownSession returns the public ID of the context's session, if it is the account's.
func (a *app) ownSession(ctx context.Context, account string) (id string, signedIn bool) {
	if _, ok := ctx.Value(usedByKey{}).(usedBy); !ok ||
		a.sessions.GetString(ctx, sessionAccount) != account {
		return "", false
	}
	return a.sessions.GetString(ctx, sessionID), a.sessions.GetBool(ctx, sessionSignedIn)
}

// noteChange ends the other sessions of a user whose sign-in methods have changed. Events call it,
// so that it sees every such change.
//
// A lost device may still be signed in, so replacing a factor ends the sessions in any case. For
// other changes the user chooses: the page asks after each, or the sessions end.
func (a *app) noteChange(ctx context.Context, e mfa.Event) {
	switch e.Name {
	case "factor.replaced", "recovery.replacement":
	case "factor.added", "factor.removed", "recovery.regenerated", "sso.linked", "sso.unlinked",
		"address.changed":
		wanted, err := a.users.endsSessions(context.WithoutCancel(ctx), e.UserID)
		if err != nil {
			a.log.ErrorContext(ctx, "cannot read whether sessions end; they end", "subject",
				e.UserID, "error", err)
			break
		}
		if !wanted {
			if _, signedIn := a.ownSession(ctx, e.UserID); signedIn {
				a.sessions.Put(ctx, sessionChanged, true)
			}
			return
		}
	default:
		return
	}
	if err := a.endOthers(ctx, e.UserID); err != nil {
		a.log.ErrorContext(ctx, "cannot end the sessions of a user whose sign-in methods changed",
			"subject", e.UserID, "error", err)
	}
}

// endsSessions reports whether a user wants their other sessions to end with every change of the
// sign-in methods.
func (u users) endsSessions(ctx context.Context, id string) (wanted bool, err error) {
	err = u.db.QueryRowContext(ctx, `SELECT end_sessions FROM preferences WHERE account = ?`,
		id).Scan(&wanted)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return wanted, err
}

func (u users) setEndsSessions(ctx context.Context, id string, wanted bool) error {
	_, err := u.db.ExecContext(ctx, `INSERT INTO preferences (account, end_sessions) VALUES (?1, ?2)
		ON CONFLICT (account) DO UPDATE SET end_sessions = ?2`, id, wanted)
	return err
}

// howNames returns the names of the factors that signed in to a session.
func (a *app) howNames(how []string) []string {
	names := make([]string, len(how))
	for i, h := range how {
		switch names[i] = a.providerName(kindName(h)); h {
		case byDevice:
			names[i] = "a remembered device"
		case byProviderMFA:
			names[i] = "its second step"
		}
	}
	return names
}
