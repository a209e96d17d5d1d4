package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/secret"
)

const (
	changePath = "/password"
	forgotPath = "/password/forgot"
	resetPath  = "/password/reset"
)

func (a *app) passwordRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET "+forgotPath, a.pageForgot)
	mux.HandleFunc("POST "+forgotPath, a.postForgot)
	mux.HandleFunc("GET "+resetPath, a.pageReset)
	mux.HandleFunc("POST "+resetPath, a.postReset)
	mux.HandleFunc("GET "+changePath, a.member(a.pageChange))
	mux.HandleFunc("POST "+changePath, a.member(a.postChange))
}

// provingPaths are the paths at which a user verifies a second factor again, which a change of
// the password requires.
var provingPaths = []string{"step-up", "verify", "send", "state"}

// ownPasswordFirst restricts a user whose password an administrator set: in the security settings
// they can only verify a second factor and sign out, until they have chosen a password.
func (a *app) ownPasswordFirst(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.Path, a.gate.URL())
		if !strings.HasPrefix(path, "static/") && path != "sign-out" &&
			!slices.Contains(provingPaths, strings.TrimPrefix(path, "api/")) {
			v, err := a.visitor(r)
			switch {
			case err != nil:
				a.failPage(w, r, err)
				return
			case v.account != nil && v.signedIn && v.mustChange && strings.HasPrefix(path, "api/"):
				fail(w, http.StatusForbidden, problem{Error: "password_change"})
				return
			case v.account != nil && v.signedIn && v.mustChange:
				http.Redirect(w, r, changePath, http.StatusSeeOther)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// explainPassword returns what the user can do about a password or an address that was refused,
// or "".
func explainPassword(err error) string {
	var p *factor.Problem
	if !errors.As(err, &p) {
		return ""
	}
	switch p.Reason {
	case "address_form":
		return "Enter an e-mail address, for example name@example.com."
	case "password_common":
		return "This password is easy to guess. Choose another, for example a few words that do " +
			"not belong together."
	case "password_repeated":
		return "This password repeats a short part. Choose another."
	case "password_personal":
		return "This password is little more than your name or ours. Choose another."
	case "password_same":
		return "This is your current password. Choose another."
	case "password_too_short":
		return "This password is too short."
	case "password_too_long":
		return "This password is too long."
	}
	return "This password has characters that cannot be used. Choose another."
}

// forgotView is the data of the page. Sent is the same whether or not a user has the address.
type forgotView struct {
	Address string
	Sent    bool
}

func (a *app) pageForgot(w http.ResponseWriter, r *http.Request) {
	a.show(w, r, 0, "Forgot your password?", view{Page: "forgot", Data: forgotView{}})
}

func (a *app) postForgot(w http.ResponseWriter, r *http.Request) {
	if err := parseForm(r); err != nil {
		a.failPage(w, r, err)
		return
	}
	address := r.PostForm.Get("email")
	err := a.resets.Forgot(a.inLanguage(r), password.ForgotRequest{Address: secret.New(address),
		Client: a.clientOf(r)})
	var over *mfa.RateLimitError
	switch problem := explainPassword(err); {
	case problem != "":
		a.show(w, r, http.StatusUnprocessableEntity, "Forgot your password?",
			view{Page: "forgot", Error: problem, Data: forgotView{}})
	case errors.As(err, &over):
		wait := max(1, int((over.RetryAfter+time.Minute-1)/time.Minute))
		w.Header().Set("Retry-After", strconv.Itoa(wait*60))
		a.show(w, r, http.StatusTooManyRequests, "Forgot your password?",
			view{Page: "forgot", Data: forgotView{},
				Error: "You requested too many links. The ones that were mailed are valid for " +
					"half an hour. Try again later."})
	case err != nil:
		a.failPage(w, r, err)
	default:
		a.show(w, r, 0, "Look into your mailbox", view{Page: "forgot",
			Data: forgotView{Address: strings.TrimSpace(address), Sent: true}})
	}
}

// newPasswordView is the data of the pages on which a user chooses a password.
type newPasswordView struct {
	Token, Username string // of a link
	MustChange      bool   // of a change
	Gone            bool   // the link is no longer valid
	Least           int
}

// pageReset shows the page of a link. It changes nothing, because mail scanners open links too.
func (a *app) pageReset(w http.ResponseWriter, r *http.Request) {
	a.showReset(w, r, 0, r.URL.Query().Get("token"), "")
}

func (a *app) showReset(w http.ResponseWriter, r *http.Request, status int, token, problem string) {
	acct, err := a.resets.CheckLink(r.Context(), secret.New(token))
	if errors.Is(err, password.ErrLink) {
		a.show(w, r, http.StatusGone, "This link is no longer valid",
			view{Page: "reset", Data: newPasswordView{Gone: true}})
		return
	}
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	a.show(w, r, status, "Choose a new password", view{Page: "reset", Error: problem,
		Data: newPasswordView{Token: token, Username: acct.Email, Least: least(acct.SecondFactor)}})
}

// least returns how many characters the rules require.
func least(secondFactor bool) int {
	if secondFactor {
		return 8
	}
	return 15
}

const notTwice = "The passwords do not match. Enter the new password twice."

func (a *app) postReset(w http.ResponseWriter, r *http.Request) {
	if err := parseForm(r); err != nil {
		a.failPage(w, r, err)
		return
	}
	token, chosen := r.PostForm.Get("token"), r.PostForm.Get("password")
	if chosen != r.PostForm.Get("again") {
		a.showReset(w, r, http.StatusUnprocessableEntity, token, notTwice)
		return
	}
	err := a.setByLink(r, token, chosen)
	if seconds, ok := busy(err); ok {
		a.showReset(w, r, http.StatusTooManyRequests, token, tooBusy(w, seconds))
		return
	}
	if problem := explainPassword(err); problem != "" || errors.Is(err, password.ErrLink) {
		a.showReset(w, r, http.StatusUnprocessableEntity, token, problem)
		return
	}
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	a.back(w, r, "/login", "Your password is set. Sign in with it.")
}

func (a *app) pageChange(w http.ResponseWriter, r *http.Request, user *account) {
	session, grant, err := a.ownGrant(r)
	if err == nil {
		err = unproven(session.CheckPasswordChange(r.Context(), grant))
	}
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	a.showChange(w, r, 0, user, "")
}

func (a *app) showChange(
	w http.ResponseWriter, r *http.Request, status int, user *account, problem string,
) {
	named := password.Account{ID: loginID(user.login), Tenant: tenant}
	acct, err := logins{a}.Get(r.Context(), named)
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	v := view{Page: "password", Error: problem, Data: newPasswordView{Username: user.Username,
		MustChange: user.mustChange, Least: least(acct.SecondFactor)}}
	if !user.mustChange {
		v.User = user // shows the navigation, which redirects back here until then
	}
	a.show(w, r, status, "Change your password", v)
}

func (a *app) postChange(w http.ResponseWriter, r *http.Request, user *account) {
	if err := parseForm(r); err != nil {
		a.failPage(w, r, err)
		return
	}
	chosen := r.PostForm.Get("password")
	if chosen != r.PostForm.Get("again") {
		a.showChange(w, r, http.StatusUnprocessableEntity, user, notTwice)
		return
	}
	err := a.changePassword(r, user, r.PostForm.Get("current"), chosen)
	if seconds, ok := busy(err); ok {
		a.showChange(w, r, http.StatusTooManyRequests, user, tooBusy(w, seconds))
		return
	}
	problem := explainPassword(err)
	switch {
	case problem != "":
		a.showChange(w, r, http.StatusUnprocessableEntity, user, problem)
		return
	case errors.Is(err, errWrongPassword):
		a.showChange(w, r, http.StatusUnprocessableEntity, user, "Wrong password.")
		return
	case err != nil:
		a.failPage(w, r, err)
		return
	}
	a.back(w, r, "/", "Password changed. You are signed out everywhere else.")
}

// postSetPassword sets a user's password on behalf of the owner.
func (a *app) postSetPassword(w http.ResponseWriter, r *http.Request, admin *administrator) {
	target, err := a.targetUser(r)
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	reason, err := statedReason(r)
	if err == nil {
		err = a.slowed(r.Context(), a.loginAttempt(r, admin.login),
			func(ctx context.Context) error {
				return a.resets.AdminSet(ctx, password.AdminRequest{Tenant: tenant,
					ID: loginID(target.login), Admin: a.manager.Admin(admin.actor, reason),
					Password: secret.New(r.PostForm.Get("password"))})
			})
	}
	problem := explainPassword(err)
	if seconds, ok := busy(err); ok {
		problem = tooBusy(w, seconds)
	}
	if problem == "" && err != nil {
		problem = explain(err)
	}
	switch {
	case problem != "":
		a.showAdminAccount(w, r, admin.account, target, problem)
	case err != nil:
		a.failPage(w, r, err)
	default:
		a.back(w, r, accountPath+"?id="+target.ID,
			"The password is set. Give it to this user alone.")
	}
}
