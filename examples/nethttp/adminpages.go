package main

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa/policy"
)

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
	page("GET /admin", a.pageAdmin)
	change("POST /admin/policy", a.postPolicy)
	change("POST /admin/reset", a.postUser("reset", a.reset))
	change("POST /admin/sign-out", a.postUser("sign-out", a.signOutEverywhere))
	change("POST /admin/unlock", a.postUser("unlock", a.unlock))
	change("POST /admin/confirm", a.postUser("confirm",
		func(ctx context.Context, admin *administrator, target *account) error {
			_, err := a.sendConfirmation(ctx, admin, target)
			return err
		}))
	change("POST /admin/confirm-all", a.postConfirmAll)
	page("GET /admin/confirmations", a.pageConfirmations)
	a.supportRoutes(page, change)
	a.ssoAdminRoutes(page, change)
}

type adminView struct {
	Types []typeView
	// Passkeys reports whether this address supports passkeys.
	Passkeys bool
	Presets  []preset
	Users    []userView
	Query    string
	Waiting  int // users who requested support
}

type typeView struct {
	Type     string
	Preset   string // "" for a policy that the API set
	Remember int    // days
	EnrollBy string // a day, or ""
	// Passwordless reports whether a passkey signs in without the password.
	Passwordless bool
}

// rememberDays are the offered numbers of days for which a device is remembered.
var rememberDays = [...]int{0, 7, 14, 30, 90}

type userView struct {
	account
	Factors  []string
	Locked   time.Duration // remaining; 0 means not locked
	Disabled bool
	Broken   bool // the record cannot be read
	Self     bool // the administrator's own account, which they cannot act on
}

func (a *app) pageAdmin(w http.ResponseWriter, r *http.Request, user *account) {
	data := adminView{Presets: a.presets(), Passkeys: a.passkeys(),
		Query: strings.TrimSpace(r.URL.Query().Get("q"))}
	set, err := a.policies(r.Context())
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	for _, t := range userTypes {
		v := typeView{Type: t, Preset: a.presetOf(set[t]),
			Remember: int(set[t].Remember / (24 * time.Hour)), Passwordless: set[t].Passwordless}
		if by := set[t].EnrollBy; !by.IsZero() {
			v.EnrollBy = by.UTC().Format(time.DateOnly)
		}
		data.Types = append(data.Types, v)
	}
	if waiting, err := a.manager.Admin(a.viewing(user), "").SupportCases(r.Context(),
		tenant); err != nil {
		a.failPage(w, r, err)
		return
	} else {
		data.Waiting = len(waiting)
	}
	all, err := a.users.all(r.Context())
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	for _, u := range all {
		if q := strings.ToLower(data.Query); q != "" &&
			!strings.Contains(strings.ToLower(u.Name+" "+u.Username+" "+u.Email+" "+u.Type), q) {
			continue
		}
		v := a.describe(r.Context(), u)
		v.Self = u.ID == user.ID
		data.Users = append(data.Users, v)
	}
	a.show(w, r, 0, "Administration", view{Page: "admin", User: user, Data: data})
}

// describe returns what the owner may see of a user: the kinds of factors, and no addresses.
func (a *app) describe(ctx context.Context, u account) userView {
	v := userView{account: u}
	o, err := a.manager.Overview(ctx, u.subject())
	if err != nil {
		a.log.ErrorContext(ctx, "cannot read a user's factors", "subject", u.ID, "error", err)
		v.Broken = true
		return v
	}
	if left := o.LockedUntil.Sub(a.clock.Now()); !o.LockedUntil.IsZero() && left > 0 {
		v.Locked = max(time.Second, left.Round(time.Second))
	}
	for _, f := range o.Factors {
		name := kindName(f.Kind)
		v.Disabled = v.Disabled || f.Disabled
		if !slices.Contains(v.Factors, name) {
			v.Factors = append(v.Factors, name)
		}
	}
	return v
}

func (a *app) postPolicy(w http.ResponseWriter, r *http.Request, admin *administrator) {
	userType, id := r.PostForm.Get("type"), r.PostForm.Get("policy")
	i := slices.IndexFunc(a.presets(), func(p preset) bool { return p.ID == id })
	if !slices.Contains(userTypes[:], userType) || i < 0 {
		a.failPage(w, r, errMalformed)
		return
	}
	p := a.presets()[i].Policy
	p.Passwordless = r.PostForm.Get("passwordless") != "" && a.allowsPasskeys(p)
	days, err := strconv.Atoi(cmp.Or(r.PostForm.Get("remember"), "0"))
	if err != nil || !slices.Contains(rememberDays[:], days) {
		a.failPage(w, r, errMalformed)
		return
	}
	p.Remember = time.Duration(days) * 24 * time.Hour
	if day := r.PostForm.Get("enroll_by"); day != "" {
		if p.EnrollBy, err = time.Parse(time.DateOnly, day); err != nil {
			a.failPage(w, r, errMalformed)
			return
		}
	}
	if err := a.setPolicy(r.Context(), admin, userType, p); err != nil {
		a.failPage(w, r, err)
		return
	}
	a.back(w, r, "/admin", "The policy for "+userType+
		" accounts is saved. It applies from each user's next sign-in.")
}

// postUser applies an act to one user.
func (a *app) postUser(name string, act adminAct) adminHandler {
	return func(w http.ResponseWriter, r *http.Request, admin *administrator) {
		target, err := a.users.byUsername(r.Context(), r.PostForm.Get("username"))
		if err == nil {
			err = act(withReason(r), admin, target)
		}
		switch {
		case err == nil:
			a.back(w, r, "/admin", map[string]string{
				"reset": target.Name + " has been reset and sets up a second factor again at " +
					"the next sign-in.",
				"unlink":   "The accounts that " + target.Name + " had linked are unlinked.",
				"sign-out": target.Name + " is signed out everywhere.",
				"unlock":   target.Name + " is unlocked.",
				"confirm":  "A confirmation is on its way to " + target.Name + ".",
			}[name])
		case name == "confirm" && target != nil:
			a.back(w, r, "/admin", explainSend(err)+".")
		default:
			a.failPage(w, r, err)
		}
	}
}

func (a *app) postConfirmAll(w http.ResponseWriter, r *http.Request, admin *administrator) {
	all, err := a.users.all(r.Context())
	if err == nil {
		err = a.confirmations.start(a.jobs, admin, all, a.confirmAll)
	}
	// a second click shows the run that is under way
	if err != nil && !errors.Is(err, errRunning) {
		a.failPage(w, r, err)
		return
	}
	a.back(w, r, "/admin/confirmations", "")
}

// pageConfirmations shows the progress of a run. The Refresh header reloads it without a script.
func (a *app) pageConfirmations(w http.ResponseWriter, r *http.Request, user *account) {
	p := a.confirmations.progress()
	if p.Running {
		w.Header().Set("Refresh", "1")
	}
	a.show(w, r, 0, "Confirmations", view{Page: "confirmations", User: user, Data: p})
}

// back redirects to a page that shows a notice.
func (a *app) back(w http.ResponseWriter, r *http.Request, to, notice string) {
	if notice != "" {
		a.sessions.Put(r.Context(), sessionNotice, notice)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// preset is a policy that the administration page offers.
type preset struct {
	ID, Label string
	Policy    policy.Policy
}

// seededPolicy requires a second factor from every user: codes by e-mail, or another factor that
// the user enrols. A passkey signs in without the password.
func (a *app) seededPolicy() policy.Policy {
	return policy.Policy{Mode: policy.ModeRequired, Implicit: []string{"email"}, KeepImplicit: true,
		Passwordless: a.passkeys()}
}

func (a *app) allowsPasskeys(p policy.Policy) bool {
	return a.passkeys() && (len(p.Kinds) == 0 || slices.Contains(p.Kinds, "passkey"))
}

func (a *app) presets() []preset {
	possession := []string{"totp", "sms"}
	if a.passkeys() {
		possession = append([]string{"passkey"}, possession...)
	}
	return []preset{
		{"email", "Required, by e-mail unless they choose", a.seededPolicy()},
		{"enroll", "Required, a method they set up", policy.Policy{Mode: policy.ModeRequired}},
		{"totp", "Required, authenticator app", policy.Policy{Mode: policy.ModeRequired,
			Kinds: []string{"totp"}}},
		{"possession", "Required, something they have", policy.Policy{Mode: policy.ModeRequired,
			Kinds: possession}},
		{"optional", "Optional, for users who turn it on",
			policy.Policy{Mode: policy.ModeOptional}},
		{"off", "Off, the password alone", policy.Policy{Mode: policy.ModeOff}},
	}
}

// presetOf returns the ID of the preset that p equals, or "" for a policy that the API set.
func (a *app) presetOf(p policy.Policy) string {
	if slices.Equal(p.Kinds, a.kinds()) {
		p.Kinds = nil // the list names every kind
	}
	for _, c := range a.presets() {
		if cmp.Or(c.Policy.Mode, policy.ModeRequired) == p.Mode &&
			slices.Equal(c.Policy.Kinds, p.Kinds) && slices.Equal(c.Policy.Implicit, p.Implicit) &&
			c.Policy.KeepImplicit == p.KeepImplicit && p.Default == "" {
			return c.ID
		}
	}
	return ""
}
