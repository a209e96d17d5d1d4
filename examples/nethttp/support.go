package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

// This file has what the owner does for one user, each act with a reason that the log keeps, and
// the list of users who requested support.

func (a *app) supportRoutes(page func(string, func(http.ResponseWriter, *http.Request, *account)),
	change func(string, adminHandler)) {
	page("GET /admin/support", a.pageSupport)
	page("GET /admin/person", a.pageUser)
	page("GET /admin/report", a.pageReport)
	page("GET /admin/standards", a.pageAudit)
	change("POST /admin/support/close", a.postClose)
	change("POST /admin/access", a.postAccess)
	change("POST /admin/setup", a.postSetup)
	change("POST /admin/password", a.postSetPassword)
	change("POST /admin/invite", a.postInvite)
	change("POST /admin/stop", a.postStop)
}

type supportView struct {
	Cases []caseView
}

type caseView struct {
	account
	Time          time.Time
	From, Message string
}

// viewing returns the Actor of a user who reads something and changes nothing.
func (a *app) viewing(user *account) mfa.Actor {
	return a.manager.Session(user.subject(), "viewing").Actor(mfa.Grant{})
}

func (a *app) pageSupport(w http.ResponseWriter, r *http.Request, user *account) {
	list, err := a.manager.Admin(a.viewing(user), "").SupportCases(r.Context(), tenant)
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	var data supportView
	for _, c := range list {
		target, err := a.users.byID(r.Context(), c.UserID)
		if errors.Is(err, errNoUser) {
			continue // deleted since
		}
		if err != nil {
			a.failPage(w, r, err)
			return
		}
		data.Cases = append(data.Cases, caseView{*target, c.Time, c.From, c.Message})
	}
	a.show(w, r, 0, "Support", view{Page: "support", User: user, Data: data})
}

// userPage is the data of the page about one user.
type userPage struct {
	userView
	Links []linkView
	// Code is a new access code, which only this page shows.
	Code    string
	Expires time.Time
	Problem string
}

// targetUser finds the user that a form or a link names.
func (a *app) targetUser(r *http.Request) (*account, error) {
	return a.users.byUsername(r.Context(), r.FormValue("username"))
}

func (a *app) pageUser(w http.ResponseWriter, r *http.Request, user *account) {
	target, err := a.targetUser(r)
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	a.showUser(w, r, user, userPage{userView: a.describe(r.Context(), *target)})
}

func (a *app) showUser(w http.ResponseWriter, r *http.Request, user *account, p userPage) {
	p.Self = p.ID == user.ID
	status := 0
	if p.Problem != "" {
		status = http.StatusUnprocessableEntity
	}
	var err error
	if p.Links, _, err = a.linkViews(r.Context(), &p.account); err != nil {
		a.failPage(w, r, err)
		return
	}
	a.show(w, r, status, p.Name, view{Page: "user", User: user, Data: p})
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

// withReason returns the handle for an administrator who has stated a reason.
func (a *app) withReason(admin *administrator, r *http.Request) (mfa.Admin, error) {
	reason, err := statedReason(r)
	return a.manager.Admin(admin.actor, reason), err
}

// postAccess makes a temporary access code, and shows it once.
func (a *app) postAccess(w http.ResponseWriter, r *http.Request, admin *administrator) {
	target, err := a.targetUser(r)
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	p := userPage{userView: a.describe(r.Context(), *target)}
	handle, err := a.withReason(admin, r)
	if err == nil {
		var e *mfa.Enrollment
		e, err = handle.Enroll(r.Context(), target.subject(), mfa.EnrollRequest{Kind: "access",
			Params: map[string]secret.Text{"valid": secret.New(r.PostForm.Get("valid")),
				"uses": secret.New(r.PostForm.Get("uses"))}})
		if err == nil {
			p.Code, p.Expires = e.Prompt.Codes[0].Reveal(), e.Expires
		}
	}
	if err != nil {
		if p.Problem = explain(err); p.Problem == "" {
			a.failPage(w, r, err)
			return
		}
	}
	a.showUser(w, r, admin.account, p)
}

// postSetup mails a user a link to set up a new device.
func (a *app) postSetup(w http.ResponseWriter, r *http.Request, admin *administrator) {
	target, err := a.targetUser(r)
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	handle, err := a.withReason(admin, r)
	if err == nil {
		_, err = handle.SendRecoveryLink(r.Context(), target.subject())
	}
	if err != nil {
		if problem := explain(err); problem != "" {
			a.showUser(w, r, admin.account, userPage{userView: a.describe(r.Context(), *target),
				Problem: problem})
			return
		}
		a.failPage(w, r, err)
		return
	}
	a.back(w, r, "/admin", "A link to set up a new device is on its way to "+target.Name+".")
}

// explain returns what the owner can do about an error, or "".
func explain(err error) string {
	var limited *mfa.RateLimitError
	switch {
	case errors.Is(err, errReason):
		return "Enter a reason of up to 500 characters: how did you verify the user's identity?"
	case errors.Is(err, factor.ErrMalformed):
		return "Choose one of the options."
	case errors.Is(err, mfa.ErrNotAvailable):
		return "This user has no verified address."
	case errors.As(err, &limited):
		return "This user was sent too many messages in the last hour. Try again later."
	}
	return ""
}

func (a *app) postClose(w http.ResponseWriter, r *http.Request, admin *administrator) {
	target, err := a.targetUser(r)
	if err == nil {
		err = a.manager.Admin(admin.actor, "closed").CloseSupportCase(r.Context(), target.subject())
	}
	if err != nil && !errors.Is(err, mfa.ErrNotAvailable) { // closed in another tab
		a.failPage(w, r, err)
		return
	}
	a.back(w, r, "/admin/support", target.Name+" is off the list.")
}

// reportView counts the users who have enrolled, and lists those who have not.
type reportView struct {
	Groups []groupView
	// Missing lists the users who would have to enrol at their next sign-in.
	Missing []account
}

type groupView struct {
	Type                              string
	Users, Enrolled, Locked, Disabled int
	Kinds                             []string // "authenticator app: 3"
}

// pageReport reads the overview of each of the application's users, because only the application
// knows the users who have no record yet. Admin.Report counts the records in the store, which is
// faster for many users.
func (a *app) pageReport(w http.ResponseWriter, r *http.Request, user *account) {
	data, err := a.report(r.Context())
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	a.show(w, r, 0, "Who has enrolled", view{Page: "report", User: user, Data: data})
}

func (a *app) report(ctx context.Context) (*reportView, error) {
	all, err := a.users.all(ctx)
	if err != nil {
		return nil, err
	}
	data := &reportView{}
	groups := make(map[string]*group, len(userTypes))
	for _, t := range userTypes {
		groups[t] = &group{groupView: groupView{Type: t}, kinds: map[string]int{}}
	}
	for _, u := range all {
		o, err := a.manager.Overview(ctx, u.subject())
		if err != nil {
			return nil, err
		}
		groups[u.Type].count(o, a.clock.Now())
		if mustEnroll(o) {
			data.Missing = append(data.Missing, u)
		}
	}
	for _, t := range userTypes {
		data.Groups = append(data.Groups, groups[t].view(a.manager.Kinds()))
	}
	return data, nil
}

// group counts the users of one type.
type group struct {
	groupView
	kinds map[string]int // users with a factor of a kind
}

// count adds one user.
func (g *group) count(o *mfa.Overview, now time.Time) {
	g.Users++
	if slices.ContainsFunc(o.Factors, ownFactor) {
		g.Enrolled++
	}
	if o.LockedUntil.After(now) {
		g.Locked++
	}
	if slices.ContainsFunc(o.Factors, func(f mfa.FactorInfo) bool { return f.Disabled }) {
		g.Disabled++
	}
	seen := map[string]bool{}
	for _, f := range o.Factors {
		if !seen[f.Kind] {
			g.kinds[f.Kind]++
		}
		seen[f.Kind] = true
	}
}

// view returns the counts, with those of the kinds in the order of the list.
func (g *group) view(kinds []string) groupView {
	v := g.groupView
	for _, k := range kinds {
		if n := g.kinds[k]; n > 0 {
			v.Kinds = append(v.Kinds, fmt.Sprintf("%s: %d", kindName(k), n))
		}
	}
	return v
}

// ownFactor reports whether a user enrolled a factor themselves, to sign in with.
func ownFactor(f mfa.FactorInfo) bool { return !f.Recovery && !f.Implicit }

// mustEnroll reports whether a user would have to enrol a factor at the next sign-in: no factor
// of theirs signs in, and the policy requires one.
func mustEnroll(o *mfa.Overview) bool {
	signsIn := func(f mfa.FactorInfo) bool { return !f.Recovery }
	return o.Policy.Mode == policy.ModeRequired && !slices.ContainsFunc(o.Factors, signsIn)
}

// postInvite mails a link to every user who has to enrol.
func (a *app) postInvite(w http.ResponseWriter, r *http.Request, admin *administrator) {
	data, err := a.report(r.Context())
	if err == nil {
		err = a.confirmations.start(a.jobs, admin, data.Missing, a.invite)
	}
	if err != nil && !errors.Is(err, errRunning) {
		a.failPage(w, r, err)
		return
	}
	a.back(w, r, "/admin/confirmations", "")
}

// invite sends recovery links to a stream of users.
func (a *app) invite(
	ctx context.Context, actor mfa.Actor, users iter.Seq[mfa.User],
) iter.Seq[email.Confirmed] {
	return func(yield func(email.Confirmed) bool) {
		i := 0
		for s := range users {
			c := email.Confirmed{Index: i, User: s}
			if c.Err = ctx.Err(); c.Err == nil {
				c.Delivery, c.Err = a.manager.Admin(actor,
					"invitation to enrol").SendRecoveryLink(ctx, s)
			}
			i++
			if !yield(c) {
				return
			}
		}
	}
}

func (a *app) postStop(w http.ResponseWriter, r *http.Request, _ *administrator) {
	a.confirmations.halt()
	a.back(w, r, "/admin/confirmations", "")
}
