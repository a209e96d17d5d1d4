package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfahttp/admin"
)

// This file has what the owner does for one account beside the second factor, which package
// mfahttp/admin administers: setting the password, and unlinking accounts of providers.

const accountPath = "/admin/account"

func (a *app) adminRoutes(mux *http.ServeMux) {
	page := func(pattern string, next func(w http.ResponseWriter, r *http.Request, user *account)) {
		mux.Handle(pattern, a.member(func(w http.ResponseWriter, r *http.Request, user *account) {
			if user.Type != ownerType {
				a.showError(w, r, http.StatusForbidden)
				return
			}
			next(w, r, user)
		}))
	}
	// A step-up interrupts a change, and returns to the page whose form was posted.
	change := func(pattern string, next adminHandler) {
		page(pattern, func(w http.ResponseWriter, r *http.Request, user *account) {
			a.requireActor(user, func(w http.ResponseWriter, r *http.Request,
				admin *administrator) {
				if err := parseForm(r); err != nil {
					a.failPage(w, r, err)
					return
				}
				next(w, r, admin)
			}).ServeHTTP(w, r)
		})
	}
	mux.Handle("GET /admin", http.RedirectHandler(libraryPath, http.StatusSeeOther))
	page("GET "+accountPath, a.pageAdminAccount)
	change("POST /admin/password", a.postSetPassword)
	a.ssoAdminRoutes(page, change)
}

// adminLinks implements admin.Config.Links.
func (a *app) adminLinks(language string, user *mfa.User) []admin.Link {
	say := func(english string) string { return a.pages.say(language, english) }
	switch {
	case user != nil:
		about := "Set a password that the user replaces at the next sign-in."
		if a.signOn != nil {
			about = "Set a password, or unlink the accounts that the user signs on with."
		}
		return []admin.Link{{Name: say("Password and sign-on"), About: say(about),
			URL: accountPath + "?id=" + url.QueryEscape(user.ID)}}
	case a.signOn != nil:
		return []admin.Link{{Name: say("Sign-on"), URL: "/admin/sign-on"}}
	}
	return nil
}

// adminAccount is the data of the page about one account.
type adminAccount struct {
	account
	Self    bool // the administrator's own account, which they cannot act on
	Links   []linkView
	Problem string
}

// targetUser finds the user that a form or a link names.
func (a *app) targetUser(r *http.Request) (*account, error) {
	return a.users.byID(r.Context(), r.FormValue("id"))
}

func (a *app) pageAdminAccount(w http.ResponseWriter, r *http.Request, user *account) {
	target, err := a.targetUser(r)
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	a.showAdminAccount(w, r, user, target, "")
}

func (a *app) showAdminAccount(
	w http.ResponseWriter, r *http.Request, user, target *account, problem string,
) {
	p := adminAccount{account: *target, Self: target.ID == user.ID, Problem: problem}
	status := 0
	if problem != "" {
		status = http.StatusUnprocessableEntity
	}
	var err error
	if p.Links, _, err = a.linkViews(r.Context(), target); err != nil {
		a.failPage(w, r, err)
		return
	}
	a.show(w, r, status, "Password and sign-on", view{Page: "adminaccount", User: user, Data: p})
}

// errReason is returned for an act on another user without a reason.
var errReason = errors.New("a reason is needed")

// statedReason returns the reason that an administrator has typed.
func statedReason(r *http.Request) (string, error) {
	reason := strings.TrimSpace(r.PostForm.Get("reason"))
	if reason == "" || len(reason) > 500 {
		return "", errReason
	}
	return reason, nil
}

// explain returns what the owner can do about an error, or "".
func explain(err error) string {
	switch {
	case errors.Is(err, errReason):
		return "Enter a reason of up to 500 characters: how did you verify the user's identity?"
	case errors.Is(err, factor.ErrMalformed):
		return "Choose one of the options."
	}
	return ""
}

// postUnlink unlinks all accounts of a user with providers.
func (a *app) postUnlink(w http.ResponseWriter, r *http.Request, admin *administrator) {
	target, err := a.targetUser(r)
	reason := ""
	if err == nil {
		reason, err = statedReason(r)
	}
	if err == nil {
		err = a.unlinkAll(r.Context(), a.manager.Admin(admin.actor, reason), target.subject())
	}
	switch {
	case err == nil:
		a.back(w, r, accountPath+"?id="+target.ID, "The linked accounts are unlinked.")
	case target != nil && explain(err) != "":
		a.showAdminAccount(w, r, admin.account, target, explain(err))
	default:
		a.failPage(w, r, err)
	}
}

// unlinkAll unlinks all of a user's accounts with providers.
func (a *app) unlinkAll(ctx context.Context, by mfa.Admin, user mfa.User) error {
	if a.signOn == nil {
		return nil
	}
	if links, err := a.signOn.Links(ctx, user); err != nil || len(links) == 0 {
		return err // without links there is nothing to notify of
	}
	return a.signOn.Forget(ctx, by, user)
}

// back redirects to a page that shows a notice.
func (a *app) back(w http.ResponseWriter, r *http.Request, to, notice string) {
	if notice != "" {
		a.sessions.Put(r.Context(), sessionNotice, notice)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
