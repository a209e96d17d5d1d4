package main

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
)

// This file has what the owner can do to other users by the application's own API. The Manager
// calls authorize each time, so that a route that forgets to check permits nothing. The pages of
// administration are those of package mfahttp/admin.

// policyJSON is a policy as the API returns it. Every field is there, and Kinds names the kinds
// that an empty list stands for.
type policyJSON struct {
	Mode         policy.Mode `json:"mode"`
	Kinds        []string    `json:"kinds"`
	Default      string      `json:"default"`
	Implicit     []string    `json:"implicit"`
	KeepImplicit bool        `json:"keep_implicit"`
	// RememberDays is how long a device may be remembered. EnrollBy is when the time ends in
	// which users without a factor may sign in and enrol one. Both may be absent.
	RememberDays int       `json:"remember_days"`
	Passwordless bool      `json:"passwordless,omitempty"`
	EnrollBy     time.Time `json:"enroll_by,omitzero"`
}

type reasonKey struct{}

func reason(ctx context.Context) string {
	s, _ := ctx.Value(reasonKey{}).(string)
	return s
}

func (a *app) policies(ctx context.Context) (map[string]policy.Policy, error) {
	set := make(map[string]policy.Policy, len(userTypes))
	for _, t := range userTypes {
		p, err := a.manager.Policy(ctx, policy.Scope{Tenant: tenant, UserType: t})
		if err != nil {
			return nil, err
		}
		set[t] = p
	}
	return set, nil
}

// seededPolicy requires a second factor from every user: codes by e-mail, or another factor that
// the user enrols. A passkey signs in without the password.
func (a *app) seededPolicy() policy.Policy {
	return policy.Policy{Mode: policy.ModeRequired, Implicit: []string{"email"}, KeepImplicit: true,
		Passwordless: a.passkeys()}
}

// administrator is an owner whose recent proof suffices to act on other users.
type administrator struct {
	*account
	actor mfa.Actor
}

// adminAct is what an administrator does to a user.
type adminAct func(ctx context.Context, admin *administrator, target *account) error

// adminHandler serves a request in which an administrator acts on other users.
type adminHandler func(w http.ResponseWriter, r *http.Request, admin *administrator)

// requireActor calls next only for an owner whose recent proof suffices to act on other users.
// Otherwise the Handler redirects browsers to the step-up, and responds to programs with
// {"error":"step_up"}. The Manager checks the proof again at each act.
func (a *app) requireActor(user *account, next adminHandler) http.Handler {
	return a.gate.RequireActor(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor, err := a.gate.Actor(r)
		if err != nil {
			a.failPage(w, r, err)
			return
		}
		next(w, r, &administrator{user, actor})
	}))
}

func (a *app) setPolicy(
	ctx context.Context, admin *administrator, userType string, p policy.Policy,
) error {
	return a.manager.Admin(admin.actor, "").SetPolicy(ctx, policy.StoredPolicy{
		Scope: policy.Scope{Tenant: tenant, UserType: userType}, Policy: p,
	})
}

// reset does what the administration of package mfahttp/admin does.
func (a *app) reset(ctx context.Context, admin *administrator, target *account) error {
	by := a.manager.Admin(admin.actor, reason(ctx))
	err := a.around(ctx, by, "reset", target.subject(), func(ctx context.Context) error {
		return by.Reset(ctx, target.subject())
	})
	if err == nil {
		err = a.endOthers(ctx, target.ID) // a lost device, or an attacker, may be signed in
	}
	return err
}

func (a *app) unlock(ctx context.Context, admin *administrator, target *account) error {
	return a.manager.Admin(admin.actor, reason(ctx)).Unlock(ctx, target.subject())
}

func (a *app) apiGetPolicy(w http.ResponseWriter, r *http.Request, _ *account) {
	set, err := a.policies(r.Context())
	if err != nil {
		a.failAPI(w, r, err)
		return
	}
	out := make(map[string]policyJSON, len(set))
	for t, p := range set {
		if len(p.Kinds) == 0 {
			p.Kinds = a.kinds()
		}
		out[t] = policyJSON{Mode: p.Mode, Kinds: p.Kinds, Default: p.Default,
			Implicit: append([]string{}, p.Implicit...), KeepImplicit: p.KeepImplicit,
			RememberDays: int(p.Remember / (24 * time.Hour)), EnrollBy: p.EnrollBy,
			Passwordless: p.Passwordless}
	}
	writeJSON(w, http.StatusOK, map[string]any{"policies": out})
}

// apiPutPolicy accepts {"type","policy"}, or the body that apiGetPolicy returns. It replaces a
// policy as a whole. It refuses unknown members, because a misspelt restriction must not vanish.
// If it refuses one of several policies, it has set the ones before it.
func (a *app) apiPutPolicy(w http.ResponseWriter, r *http.Request, admin *administrator) {
	var body struct {
		Type     string
		Policy   json.RawMessage
		Policies map[string]json.RawMessage
	}
	err := readJSON(r, &body, true)
	if err == nil && (body.Type != "") != (body.Policies == nil) {
		err = errMalformed
	}
	set := body.Policies
	if body.Type != "" {
		set = map[string]json.RawMessage{body.Type: body.Policy}
	}
	parsed := make(map[string]policy.Policy, len(set))
	for t, raw := range set {
		p, perr := parsePolicy(raw)
		if perr != nil || !slices.Contains(userTypes[:], t) {
			err = errMalformed
		}
		parsed[t] = p
	}
	for _, t := range userTypes {
		if p, ok := parsed[t]; ok && err == nil {
			err = a.setPolicy(r.Context(), admin, t, p)
		}
	}
	if err != nil {
		a.failAPI(w, r, err)
		return
	}
	a.apiGetPolicy(w, r, admin.account)
}

func parsePolicy(raw json.RawMessage) (policy.Policy, error) {
	var p policyJSON
	if err := decodeJSON(raw, &p, true); err != nil {
		return policy.Policy{}, err
	}
	if p.Mode == "" || p.RememberDays < 0 || p.RememberDays > 90 {
		return policy.Policy{}, errMalformed
	}
	return policy.Policy{Mode: p.Mode, Kinds: p.Kinds, Default: p.Default, Implicit: p.Implicit,
		KeepImplicit: p.KeepImplicit,
		Remember:     time.Duration(p.RememberDays) * 24 * time.Hour, EnrollBy: p.EnrollBy,
		Passwordless: p.Passwordless}, nil
}

// actOnUser applies an act to the user whom the body names.
func (a *app) actOnUser(
	w http.ResponseWriter, r *http.Request, admin *administrator, act adminAct,
) {
	var body struct{ Username, Reason *string }
	err := readJSON(r, &body, false)
	if err == nil && body.Username == nil {
		err = errMalformed
	}
	var target *account
	if err == nil {
		target, err = a.users.byUsername(r.Context(), *body.Username)
	}
	if err == nil {
		ctx := r.Context()
		if body.Reason != nil {
			ctx = context.WithValue(ctx, reasonKey{}, *body.Reason)
		}
		err = act(ctx, admin, target)
	}
	if err != nil {
		a.failAPI(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"username": target.Username})
}

func (a *app) apiReset(w http.ResponseWriter, r *http.Request, admin *administrator) {
	a.actOnUser(w, r, admin, a.reset)
}

func (a *app) apiUnlock(w http.ResponseWriter, r *http.Request, admin *administrator) {
	a.actOnUser(w, r, admin, a.unlock)
}
