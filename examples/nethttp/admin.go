package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
)

// What the owner can do, by the API and by the pages. Manager asks authorize each time, so
// that a route that forgets to check gives nothing away.

// policyJSON is a policy as the API shows it: every field is there, and Kinds names the
// kinds that an empty list stands for.
type policyJSON struct {
	Mode         policy.Mode `json:"mode"`
	Kinds        []string    `json:"kinds"`
	Default      string      `json:"default"`
	Implicit     []string    `json:"implicit"`
	KeepImplicit bool        `json:"keep_implicit"`
	// RememberDays is for how long a device may be remembered, EnrollBy the end of the time
	// that people who have no factor are given; both may be absent.
	RememberDays int       `json:"remember_days"`
	Passwordless bool      `json:"passwordless,omitempty"`
	EnrollBy     time.Time `json:"enroll_by,omitzero"`
}

type reasonKey struct{}

// withReason carries the reason that a form gives to where the act is done.
func withReason(r *http.Request) context.Context {
	return context.WithValue(r.Context(), reasonKey{}, r.PostFormValue("reason"))
}

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

// administrator is an owner who has proven enough, just now, to act on others.
type administrator struct {
	*account
	actor mfa.Actor
}

// act is what an administrator does to somebody.
type adminAct func(ctx context.Context, admin *administrator, target *account) error

// acted serves a request of an administrator who acts.
type adminHandler func(w http.ResponseWriter, r *http.Request, admin *administrator)

// acting serves an owner who has proven enough to act on others, and nobody else: the Handler
// sends pages to the step-up and answers programs {"error":"step_up"}. The Manager checks it again
// at each act.
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

func (a *app) reset(ctx context.Context, admin *administrator, target *account) error {
	// Whoever took the account over may have linked one of theirs, and would be the first to set
	// up a factor.
	err := a.unlinkAll(ctx, admin, target)
	if err == nil {
		err = a.manager.Admin(admin.actor, reason(ctx)).Reset(ctx, target.subject())
	}
	if err == nil {
		err = a.endOthers(ctx, target.ID) // what was lost, or taken over, may be signed in
	}
	return err
}

// signOutEverywhere ends every session of a person, and every device that is remembered.
func (a *app) signOutEverywhere(ctx context.Context, admin *administrator, target *account) error {
	if err := a.manager.Admin(admin.actor, "").Check(ctx, target.subject()); err != nil {
		return err
	}
	if err := a.authorize(ctx, mfa.AdminAction{Actor: admin.ID, Name: "sign-out", UserID: target.ID,
		Tenant: tenant}); err != nil {
		return errors.Join(mfa.ErrForbidden, err)
	}
	a.log.InfoContext(ctx, "admin.sign-out", "subject", target.ID, "actor", admin.ID, "note",
		reason(ctx))
	return errors.Join(a.manager.PasswordChanged(ctx, target.subject()),
		a.endOthers(ctx, target.ID))
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

// apiPutPolicy takes {"type","policy"} or what apiGetPolicy answers. A policy is replaced as a
// whole, and a member that is none is refused: a misspelt restriction must not vanish. Of
// several policies those before the one that is refused have been set.
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

// byName applies an act to the person whom the body names.
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
