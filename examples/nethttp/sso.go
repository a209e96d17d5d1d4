package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sso"
	"github.com/secondgate/secondgate/sso/ssotest"
	"github.com/secondgate/secondgate/storage"
)

// This file has what package sso needs from an application: the providers, which user makes a
// request, and what happens once a user has signed on. The provider's account replaces the
// password. The sign-in then continues as in login.go.

const ssoPath = "/sso/"

// byProviderMFA is the provider's own second factor, if the owner accepts it in place of ours.
const byProviderMFA = "provider-mfa"

// newSignOn makes the sign-on service, or returns nil if no provider is configured.
func (a *app) newSignOn(
	ctx context.Context, env func(string) string, store storage.Store, keys *seal.Keyring,
	events func(context.Context, mfa.Event),
) (*sso.Service, error) {
	providers, err := a.signOnProviders(ctx, env)
	if err != nil || len(providers) == 0 {
		return nil, err
	}
	a.providers = providers
	service, err := sso.New(sso.Config{
		Store:     store,
		Keys:      keys,
		URL:       a.cfg.public.String() + ssoPath,
		Providers: providers,
		Authorize: a.authorize,
		Events: func(ctx context.Context, e mfa.Event) {
			events(ctx, e)
			if e.Name == "sso.refused" && e.Reason == "identity" {
				a.log.WarnContext(ctx, "a provider of sign-on, or an attacker in its place, "+
					"sent an invalid response", "provider", e.Kind)
			}
			a.noteChange(ctx, e)
			a.notifyOfLink(ctx, e)
		},
		Clock: a.clock,
	})
	if err != nil {
		return nil, fmt.Errorf("sign-on: %w", err)
	}
	return service, nil
}

// signOnProviders returns the providers that the environment has credentials for. A demonstration
// without credentials starts providers of its own. They sign in any visitor, so only this machine
// can reach them.
func (a *app) signOnProviders(
	ctx context.Context, env func(string) string,
) ([]sso.Provider, error) {
	var list []sso.Provider
	for _, p := range []struct {
		name string
		make func(string, secret.Text) sso.Provider
	}{{"MICROSOFT", sso.Microsoft}, {"GOOGLE", sso.Google}} {
		id, clientSecret := env("ACME_"+p.name+"_CLIENT_ID"), env("ACME_"+p.name+"_CLIENT_SECRET")
		if (id == "") != (clientSecret == "") {
			return nil, fmt.Errorf("of ACME_%[1]s_CLIENT_ID and ACME_%[1]s_CLIENT_SECRET one is "+
				"empty; set both, or neither", p.name)
		}
		if id != "" {
			list = append(list, p.make(id, secret.New(clientSecret)))
		}
	}
	host := a.cfg.public.Hostname()
	ip := net.ParseIP(host)
	if len(list) > 0 || !a.cfg.demo || a.cfg.public.Scheme != "http" ||
		host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return list, nil
	}
	return a.demoProviders(ctx)
}

// demoTenant is the tenant ID of Acme at the demonstration's Microsoft.
const demoTenant = "72f988bf-86f1-41af-91ab-2d7cd011db47"

// demoProviders starts the demonstration's providers.
func (a *app) demoProviders(ctx context.Context) ([]sso.Provider, error) {
	listener, err := a.listenAgain(ctx)
	if err != nil {
		return nil, fmt.Errorf("demonstration providers of sign-on: %w", err)
	}
	microsoft := func(n int, name, address, organization string, amr ...string) ssotest.User {
		return ssotest.User{Provider: "microsoft", Name: name, Email: address,
			Organization: organization, AMR: amr,
			ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", n)}
	}
	google := func(n int, name, address, organization string) ssotest.User {
		return ssotest.User{Provider: "google", Name: name, Email: address,
			Organization: organization, ID: fmt.Sprintf("1%020d", n)}
	}
	idp, err := ssotest.New(ssotest.Config{URL: "http://" + listener.Addr().String(),
		Clock: a.clock, Users: []ssotest.User{
			microsoft(1, "Anna de Vries", "anna@acme.example", demoTenant),
			microsoft(2, "Ben Carter, with Microsoft's second step", "ben@acme.example",
				demoTenant, "pwd", "mfa"),
			microsoft(3, "Olivia Berg, with Microsoft's second step", "olivia@acme.example",
				demoTenant, "pwd", "mfa"),
			microsoft(4, "Anna of another organisation", "anna@acme.example",
				"3c1b1a52-0d6c-4a25-9a0c-6a1d3b6e7f10"),
			google(1, "Anna de Vries", "anna@acme.example", "acme.example"),
			google(2, "Ben Carter", "ben@acme.example", "acme.example"),
			google(3, "Sam Visser", "sam@gmail.com", ""),
		}})
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	a.idp = &http.Server{Handler: idp, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = a.idp.Serve(listener) }() // until close
	return []sso.Provider{idp.Microsoft(), idp.Google()}, nil
}

// listenAgain listens at the address of an earlier run. A provider is known by its address: at
// another one, the accounts that users have linked would no longer sign in.
func (a *app) listenAgain(ctx context.Context) (net.Listener, error) {
	const setting = "demo_provider"
	var address string
	err := a.db.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = ?`,
		setting).Scan(&address)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	if address != "" {
		if listener, err := net.Listen("tcp", address); err == nil {
			return listener, nil
		}
		a.log.Warn("the demonstration's providers of sign-on are at another address than " +
			"before, and accounts that were linked have to be linked again")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	_, err = a.db.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT
		(name) DO UPDATE SET value = ?2`, setting, listener.Addr().String())
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// ssoRoutes adds the routes of sign-on. Linking and unlinking require a recent second factor.
func (a *app) ssoRoutes(mux *http.ServeMux) error {
	if a.signOn == nil {
		return nil
	}
	h, err := a.signOn.Handler(sso.Hooks{
		Session:  a.ownGrant,
		SignedIn: a.signedOn,
		Linked: func(w http.ResponseWriter, r *http.Request, l *sso.Link) {
			a.back(w, r, a.settingsPath(), a.pages.say(a.gate.Language(r),
				"%s sign-on is active: you can sign in with %s.", a.providerName(l.Provider),
				l.Account))
		},
		Unlinked: func(w http.ResponseWriter, r *http.Request) {
			a.back(w, r, a.settingsPath(), "Account unlinked. You can no longer sign in with it.")
		},
		Failed: a.signOnFailed,
	})
	if err != nil {
		return err
	}
	mux.Handle("POST "+ssoPath+"{provider}/sign-in", h)
	mux.Handle("GET "+ssoPath+"{provider}/callback", h)
	guarded := a.member(func(w http.ResponseWriter, r *http.Request, _ *account) {
		a.gate.RequireGrant(h).ServeHTTP(w, r)
	})
	mux.Handle("POST "+ssoPath+"{provider}/link", guarded)
	mux.Handle("POST "+ssoPath+"{provider}/unlink", guarded)
	return nil
}

func (a *app) settingsPath() string { return a.gate.URL() + "factors" }

// signedOn implements sso.Hooks.SignedIn. It does what signIn does for a correct password.
func (a *app) signedOn(w http.ResponseWriter, r *http.Request, in *sso.SignIn) {
	ctx := r.Context()
	acct, err := a.users.byID(ctx, in.SubjectID)
	if err == nil && in.Tenant != tenant {
		err = errNoUser
	}
	if errors.Is(err, errNoUser) {
		err = sso.ErrNotLinked // the user was deleted
	}
	if err == nil {
		err = errors.Join(a.sessions.Clear(ctx), a.sessions.RenewToken(ctx))
	}
	if err != nil {
		a.signOnFailed(w, r, err)
		return
	}
	a.sessions.Put(ctx, sessionChanges, acct.changes)
	out := &outcome{Next: string(mfa.NextDone)}
	if in.SecondFactor {
		a.givePass(w, r, acct.login)
		err = a.signInByProvider(w, r, acct, in)
	} else {
		out, err = a.beginSecondFactor(w, r, acct, in.Link.Provider)
	}
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	a.redirectNext(w, r, out)
}

// signInByProvider signs in a user by the provider's second factor. It is as recent as the
// provider says. If the provider does not say, it is not recent, and a step-up asks for ours.
func (a *app) signInByProvider(
	w http.ResponseWriter, r *http.Request, acct *account, in *sso.SignIn,
) error {
	ctx := r.Context()
	at := in.AuthTime
	if at.IsZero() {
		at = time.Unix(0, 0)
	}
	a.enter(ctx, acct.ID, in.Link.Provider, at)
	a.noteFactor(ctx, byProviderMFA)
	err := a.gate.CompleteSignIn(w, r, a.identity(ctx, acct, at), in.AuthTime)
	if err != nil {
		return err
	}
	return a.completeSignIn(ctx)
}

// providerName returns the name of a provider on pages.
func (a *app) providerName(id string) string {
	for _, p := range a.providers {
		if p.ID == id {
			return p.Name
		}
	}
	return id
}

// signOnProblem returns what the page of a failed sign-on says, in English, with %s for the name of
// the provider. The text is empty for an error that sign-on does not explain.
func signOnProblem(err error) (status int, text string) {
	switch {
	case errors.Is(err, sso.ErrCancelled):
		return http.StatusOK, "You did not sign in with %s. Nothing has changed."
	case errors.Is(err, sso.ErrFlow):
		return http.StatusBadRequest, "This sign-on was started in another browser, or has " +
			"expired. Start again."
	case errors.Is(err, mfa.ErrToken), errors.Is(err, mfa.ErrTokenExpired),
		errors.Is(err, mfa.ErrForbidden):
		return http.StatusForbidden, "It has been too long since you confirmed that it is you. " +
			"Start again."
	case errors.Is(err, sso.ErrNotActivated):
		return http.StatusForbidden, "Acme has not activated sign-on for this organisation. Sign " +
			"in as before, or ask the owner of Acme."
	case errors.Is(err, sso.ErrNotLinked):
		return http.StatusForbidden, "This %s account is not linked to any user here. Sign in " +
			"with your password, and activate %s sign-on in your security settings."
	case errors.Is(err, sso.ErrLinkedElsewhere):
		return http.StatusConflict, "This %s account is already linked to another user."
	case errors.Is(err, sso.ErrAddress):
		return http.StatusForbidden, "This %s account does not have the e-mail address that you " +
			"have here."
	case errors.Is(err, sso.ErrIdentity):
		return http.StatusForbidden, "The response of %s could not be verified, and you were not " +
			"signed in. Tell the owner of Acme if it happens again."
	case errors.Is(err, mfa.ErrNotAvailable):
		return http.StatusNotFound, "That linked account no longer exists, or you have linked " +
			"too many."
	case errors.Is(err, mfa.ErrUnavailable):
		return http.StatusServiceUnavailable, "%s cannot be reached at the moment. Try again, or " +
			"sign in with your password."
	}
	return 0, ""
}

// signOnFailed implements sso.Hooks.Failed.
func (a *app) signOnFailed(w http.ResponseWriter, r *http.Request, err error) {
	status, text := signOnProblem(err)
	if text == "" {
		a.failPage(w, r, err)
		return
	}
	if status == http.StatusServiceUnavailable {
		a.logFailure(r, status, err)
	}
	v, err := a.visitor(r)
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	data := map[string]any{"To": "/login", "Label": "Back to sign-in"}
	shown := view{Page: "signonfailed", Data: data}
	text = strings.ReplaceAll(a.pages.words[a.pageLanguage(r)].text(text), "%s",
		a.providerName(r.PathValue("provider")))
	if status == http.StatusOK {
		shown.Notice = text
	} else {
		shown.Error = text
	}
	if v.account != nil && v.signedIn {
		shown.User = v.account
		data["To"], data["Label"] = a.settingsPath(), "Back to security settings"
	}
	a.show(w, r, status, "Sign-on", shown)
}

// notifyOfLink mails a user whose linked accounts have changed.
func (a *app) notifyOfLink(ctx context.Context, e mfa.Event) {
	what := map[string]string{
		"sso.linked": "can sign in to Acme with a %s account that was linked to yours.",
		"sso.unlinked": "can no longer sign in to Acme with the %s account that was linked to " +
			"yours.",
		"sso.forgotten": "can no longer sign in to Acme with accounts of other providers%.0s: " +
			"an administrator has unlinked them all.",
	}[e.Name]
	if what == "" {
		return
	}
	text := "You " + fmt.Sprintf(what, a.providerName(e.Kind)) + "\n\nTime: " +
		e.Time.UTC().Format("2006-01-02 15:04 MST") +
		"\n\nIf this was not you, change your password, look at your security settings, and " +
		"tell the owner of Acme.\n"
	a.notify(ctx, func(ctx context.Context) error {
		acct, err := a.users.byID(ctx, e.UserID)
		if errors.Is(err, errNoUser) || err == nil && !acct.Confirmed {
			return nil
		}
		if err == nil {
			err = a.mail.Send(ctx, email.Message{To: acct.Email,
				Subject: "Acme: how you sign in has changed", Text: secret.New(text),
				HTML: secret.New("<p>" + strings.ReplaceAll(template.HTMLEscapeString(
					strings.TrimSpace(text)), "\n\n", "</p><p>") + "</p>")})
		}
		if err != nil {
			a.log.WarnContext(ctx, "cannot notify a user of a change", "subject", e.UserID, "event",
				e.Name, "error", err)
		}
		return err
	})
}

// linkableProviders returns the providers whose accounts users can link now.
func (a *app) linkableProviders(ctx context.Context) ([]sso.Provider, error) {
	if a.signOn == nil {
		return nil, nil
	}
	ids, err := a.signOn.Available(ctx, tenant)
	var list []sso.Provider
	for _, p := range a.providers {
		if slices.Contains(ids, p.ID) {
			list = append(list, p)
		}
	}
	return list, err
}
