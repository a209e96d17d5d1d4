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
	page := func(pattern string, next func(w http.ResponseWriter, r *http.Request, who *account)) {
		mux.Handle(pattern, a.member(func(w http.ResponseWriter, r *http.Request, who *account) {
			if who.Type != ownerType {
				a.sorry(w, r, http.StatusForbidden)
				return
			}
			next(w, r, who)
		}))
	}
	// A step-up interrupts a change and returns to the page that it was posted from.
	change := func(pattern string, next acted) {
		page(pattern, func(w http.ResponseWriter, r *http.Request, who *account) {
			a.acting(who, func(w http.ResponseWriter, r *http.Request, who *administrator) {
				if err := parseForm(r); err != nil {
					a.failPage(w, r, err)
					return
				}
				next(w, r, who)
			}).ServeHTTP(w, r)
		})
	}
	page("GET /admin", a.pageAdmin)
	change("POST /admin/policy", a.postPolicy)
	change("POST /admin/reset", a.postPerson("reset", a.reset))
	change("POST /admin/sign-out", a.postPerson("sign-out", a.signOutEverywhere))
	change("POST /admin/unlock", a.postPerson("unlock", a.unlock))
	change("POST /admin/confirm", a.postPerson("confirm",
		func(ctx context.Context, who *administrator, whom *account) error {
			_, err := a.sendConfirmation(ctx, who, whom)
			return err
		}))
	change("POST /admin/confirm-all", a.postConfirmAll)
	page("GET /admin/confirmations", a.pageConfirmations)
	a.supportRoutes(page, change)
	a.ssoAdminRoutes(page, change)
}

type adminView struct {
	Types []typeView
	// Passkeys: there are some.
	Passkeys bool
	Presets  []preset
	People   []personView
	Query    string
	Waiting  int // people who have asked for help
}

type typeView struct {
	Type     string
	Preset   string // "" is a policy set by the API
	Remember int    // days
	EnrollBy string // a day, or ""
	// Passwordless: a passkey signs in by itself.
	Passwordless bool
}

// rememberDays are offered for how long a device may be remembered.
var rememberDays = [...]int{0, 7, 14, 30, 90}

type personView struct {
	account
	Factors []string
	Locked  time.Duration // left; 0 is not locked
	Stopped bool
	Broken  bool // the record cannot be read
	Self    bool // the one who looks at it, and cannot act on themselves
}

func (a *app) pageAdmin(w http.ResponseWriter, r *http.Request, who *account) {
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
	if waiting, err := a.manager.Admin(a.viewing(who), "").SupportCases(r.Context(),
		tenant); err != nil {
		a.failPage(w, r, err)
		return
	} else {
		data.Waiting = len(waiting)
	}
	all, err := a.people.all(r.Context())
	if err != nil {
		a.failPage(w, r, err)
		return
	}
	for _, p := range all {
		if q := strings.ToLower(data.Query); q != "" &&
			!strings.Contains(strings.ToLower(p.Name+" "+p.Username+" "+p.Email+" "+p.Type), q) {
			continue
		}
		v := a.describe(r.Context(), p)
		v.Self = p.ID == who.ID
		data.People = append(data.People, v)
	}
	a.show(w, r, 0, "Administration", view{Page: "admin", Who: who, Data: data})
}

// describe says what the owner may see of a person: which kinds, not which addresses.
func (a *app) describe(ctx context.Context, p account) personView {
	v := personView{account: p}
	o, err := a.manager.Overview(ctx, p.subject())
	if err != nil {
		a.log.ErrorContext(ctx, "cannot read what a person has", "subject", p.ID, "error", err)
		v.Broken = true
		return v
	}
	if left := o.LockedUntil.Sub(a.clock.Now()); !o.LockedUntil.IsZero() && left > 0 {
		v.Locked = max(time.Second, left.Round(time.Second))
	}
	for _, f := range o.Factors {
		name := kindName(f.Kind)
		v.Stopped = v.Stopped || f.Disabled
		if !slices.Contains(v.Factors, name) {
			v.Factors = append(v.Factors, name)
		}
	}
	return v
}

func (a *app) postPolicy(w http.ResponseWriter, r *http.Request, who *administrator) {
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
	if err := a.setPolicy(r.Context(), who, userType, p); err != nil {
		a.failPage(w, r, err)
		return
	}
	a.back(w, r, "/admin", "The policy for "+userType+
		" accounts is saved. It applies from each user's next sign-in.")
}

// postPerson applies an act to one person.
func (a *app) postPerson(name string, act act) acted {
	return func(w http.ResponseWriter, r *http.Request, who *administrator) {
		whom, err := a.people.byUsername(r.Context(), r.PostForm.Get("username"))
		if err == nil {
			err = act(withReason(r), who, whom)
		}
		switch {
		case err == nil:
			a.back(w, r, "/admin", map[string]string{
				"reset": whom.Name + " has been reset and sets up a second factor again at " +
					"the next sign-in.",
				"unlink":   "The accounts that " + whom.Name + " had linked are unlinked.",
				"sign-out": whom.Name + " is signed out everywhere.",
				"unlock":   whom.Name + " is unlocked.",
				"confirm":  "A confirmation is on its way to " + whom.Name + ".",
			}[name])
		case name == "confirm" && whom != nil:
			a.back(w, r, "/admin", explainSend(err)+".")
		default:
			a.failPage(w, r, err)
		}
	}
}

func (a *app) postConfirmAll(w http.ResponseWriter, r *http.Request, who *administrator) {
	all, err := a.people.all(r.Context())
	if err == nil {
		err = a.confirmations.start(a.jobs, who, all, a.confirmAll)
	}
	// a second click watches the run that is under way
	if err != nil && !errors.Is(err, errRunning) {
		a.failPage(w, r, err)
		return
	}
	a.back(w, r, "/admin/confirmations", "")
}

// pageConfirmations shows how far a run is. The header reloads it, without a script.
func (a *app) pageConfirmations(w http.ResponseWriter, r *http.Request, who *account) {
	p := a.confirmations.progress()
	if p.Running {
		w.Header().Set("Refresh", "1")
	}
	a.show(w, r, 0, "Confirmations", view{Page: "confirmations", Who: who, Data: p})
}

// back goes to a page that says what was done.
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

// seededPolicy asks everybody, by e-mail unless they choose better, and lets in by a passkey
// alone who has one.
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
		{"optional", "Optional, for who switches it on", policy.Policy{Mode: policy.ModeOptional}},
		{"off", "Off, the password alone", policy.Policy{Mode: policy.ModeOff}},
	}
}

// presetOf returns the preset that p is, or "" for one that was set by the API.
func (a *app) presetOf(p policy.Policy) string {
	if slices.Equal(p.Kinds, a.kinds()) {
		p.Kinds = nil // every kind, by name
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
