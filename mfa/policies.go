package mfa

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/storage"
)

// StaticPolicy is one policy for everybody. New checks it.
func StaticPolicy(p Policy) PolicySource { return staticPolicies{"": p} }

// StaticPolicies are policies by user type; the one under "" is for all others, and
// without it they get the zero Policy, which requires a factor. New checks them.
func StaticPolicies(byUserType map[string]Policy) PolicySource {
	s := make(staticPolicies, len(byUserType))
	for t, p := range byUserType {
		s[t] = p
	}
	return s
}

type staticPolicies map[string]Policy

func (s staticPolicies) Policy(_ context.Context, _, userType string) (Policy, error) {
	if p, ok := s[userType]; ok {
		return p, nil
	}
	return s[""], nil
}

func (s staticPolicies) check(m *Manager) error {
	for t, p := range s {
		if err := m.checkPolicy(p); err != nil {
			return configError("policy of user type %q: %v", t, err)
		}
	}
	return nil
}

// StoredPolicies are kept in the Manager's own store, one record for a tenant, where
// SetPolicy changes them at run time; what was never set comes from defaults. They cost
// Begin one more read, and a change takes effect with the next one.
func StoredPolicies(defaults PolicySource) PolicySource { return storedPolicies{defaults} }

type storedPolicies struct{ PolicySource }

func (s storedPolicies) check(m *Manager) error {
	if s.PolicySource == nil {
		return configError("StoredPolicies needs defaults, such as StaticPolicy(Policy{})")
	}
	if c, ok := s.PolicySource.(interface{ check(*Manager) error }); ok {
		return c.check(m)
	}
	return nil
}

// checkPolicy says what is wrong with a policy.
func (m *Manager) checkPolicy(p Policy) error {
	switch p.Mode {
	case "", Off, Optional, Required:
	default:
		return configError("mode %q is not off, optional or required", p.Mode)
	}
	ordinary := len(p.Kinds) == 0
	for _, k := range p.Kinds {
		f := m.factors[k]
		if f == nil {
			return configError("kind %q is not configured; there are %v", k, m.kinds)
		}
		ordinary = ordinary || f.Traits().Class != factor.ClassRecovery
	}
	if !ordinary {
		return configError("Kinds has recovery kinds only, so nobody could enrol")
	}
	if p.Default != "" && (m.factors[p.Default] == nil || !allows(p.Kinds, p.Default)) {
		return configError("default kind %q is not among the kinds allowed", p.Default)
	}
	for _, k := range p.Implicit {
		if _, ok := m.factors[k].(factor.Implicit); !ok {
			return configError("kind %q cannot be implicit", k)
		}
	}
	if p.Passwordless && !slices.ContainsFunc(m.kinds, func(k string) bool { return allows(p.Kinds, k) && m.passwordless(k) }) {
		return configError("Passwordless needs a kind that identifies people, such as passkey, among the kinds allowed")
	}
	if p.MaxAge < 0 {
		return configError("MaxAge is negative")
	}
	if p.RecoveryHold != 0 && (p.RecoveryHold < minRecoveryHold || p.RecoveryHold > maxRecoveryHold) {
		return configError("RecoveryHold is %s, want 0 (the default, 24h) or %s to %s",
			p.RecoveryHold, minRecoveryHold, maxRecoveryHold)
	}
	if p.Remember < 0 || p.Remember > maxRemember {
		return configError("Remember is %s, want 0 (never) to %s", p.Remember, maxRemember)
	}
	return nil
}

// Policy returns the policy of a user type, defaults filled in. A policy that cannot be read,
// or that breaks Config.Profile, is ErrUnavailable, never a default.
func (m *Manager) Policy(ctx context.Context, tenant, userType string) (Policy, error) {
	p, err := m.policy(ctx, tenant, userType)
	if err != nil {
		return Policy{}, unavailable(err)
	}
	switch p.Mode {
	case Off, Optional:
	default:
		p.Mode = Required // also what a source of the application's misspelt
	}
	if p.MaxAge <= 0 {
		p.MaxAge = defaultMaxAge
	}
	if p.RecoveryHold < minRecoveryHold || p.RecoveryHold > maxRecoveryHold {
		p.RecoveryHold = defaultRecoveryHold
	}
	// What New and SetPolicy could not see: an application's own source, and what was set
	// before the profile was.
	if err := m.meets(p); err != nil {
		return Policy{}, unavailable(err)
	}
	p.Kinds, p.Implicit = slices.Clone(p.Kinds), slices.Clone(p.Implicit)
	return p, nil
}

func (m *Manager) policy(ctx context.Context, tenant, userType string) (Policy, error) {
	stored, ok := m.cfg.Policies.(storedPolicies)
	if !ok {
		return m.cfg.Policies.Policy(ctx, tenant, userType)
	}
	key := policyKey(tenant)
	rec, err := m.records.Get(ctx, key)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return Policy{}, err
	}
	if err == nil {
		set, err := m.openPolicies(key, rec.Data)
		if err != nil {
			return Policy{}, err
		}
		if p, ok := set[userType]; ok {
			return p, nil
		}
		if p, ok := set[""]; ok {
			return p, nil
		}
	}
	return stored.Policy(ctx, tenant, userType)
}

func policyKey(tenant string) string { return "t/" + tenant }

const sealPolicy = "policy"

func (m *Manager) openPolicies(key string, data []byte) (map[string]Policy, error) {
	plain, err := m.cfg.Keys.Open(sealPolicy, key, data)
	if err != nil {
		return nil, err
	}
	var set map[string]Policy
	err = json.Unmarshal(plain, &set)
	return set, err
}

// SetPolicyRequest changes the policy of one user type of one tenant; with UserType "" the
// one of all user types of the tenant that have none of their own.
type SetPolicyRequest struct {
	// Actor is required. Reason is recorded in the event.
	Actor            Actor
	Reason           string
	Tenant, UserType string
	Policy           Policy
}

// SetPolicy changes a policy at run time; it needs StoredPolicies. It takes effect at the
// next sign-in of everyone of that type, the actor included. A policy that cannot work is
// refused with ErrConfig and a sentence that says why, and so is one that breaks
// Config.Profile.
func (m *Manager) SetPolicy(ctx context.Context, r SetPolicyRequest) error {
	if _, ok := m.cfg.Policies.(storedPolicies); !ok {
		return configError("policies are fixed; use StoredPolicies to change them at run time")
	}
	if err := (Subject{ID: "-", Tenant: r.Tenant, UserType: r.UserType}).check(); err != nil {
		return err
	}
	if err := m.authorize(ctx, r.Actor, AdminAction{Name: "set-policy", Reason: r.Reason, Tenant: r.Tenant, UserType: r.UserType}); err != nil {
		return err
	}
	if err := m.checkPolicy(r.Policy); err != nil {
		return err
	}
	if err := m.meets(r.Policy); err != nil {
		return err
	}
	key := policyKey(r.Tenant)
	err := m.records.Update(ctx, key, func(data []byte) (storage.Change, error) {
		set := make(map[string]Policy)
		if data != nil {
			var err error
			if set, err = m.openPolicies(key, data); err != nil {
				return storage.Change{}, err
			}
		}
		set[r.UserType] = r.Policy
		plain, err := json.Marshal(set)
		if err != nil {
			return storage.Change{}, err
		}
		return storage.Change{Data: m.cfg.Keys.Seal(sealPolicy, key, plain)}, nil
	})
	if err != nil {
		return unavailable(err)
	}
	m.emit(ctx, []Event{{Name: "admin.set-policy", Time: m.now(), Tenant: r.Tenant, UserType: r.UserType,
		Reason: string(r.Policy.Mode), Left: -1, Actor: r.Actor.name, Note: r.Reason}})
	return nil
}
