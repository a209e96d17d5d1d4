package mfa

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/storage"
)

// Policy returns the policy of a user type of a tenant, with defaults filled in, and with what
// Config.Profile sets. It returns
// ErrUnavailable, and never a default, for a policy that cannot be read or that breaks
// Config.Profile.
func (m *Manager) Policy(ctx context.Context, scope policy.Scope) (policy.Policy, error) {
	p, err := m.policy(ctx, scope)
	if err != nil {
		return policy.Policy{}, unavailable(err)
	}
	p = m.setup.WithDefaults(p)
	if !m.setup.Profile.Strict() {
		return p, nil // it refuses nothing, and needs no clock
	}
	if err := m.setup.CheckProfile(p, m.now()); err != nil {
		return policy.Policy{}, unavailable(invalid(err))
	}
	return p, nil
}

// invalid returns an error of package policy as one of this package.
func invalid(err error) error { return fmt.Errorf("mfa: %w", err) }

func (m *Manager) policy(ctx context.Context, scope policy.Scope) (policy.Policy, error) {
	defaults, stored := m.setup.Stored()
	if !stored {
		return callPolicy(ctx, m.cfg.Policies, scope)
	}
	key := policyKey(scope.Tenant)
	rec, err := m.records.Get(ctx, key)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return policy.Policy{}, err
	}
	if err == nil {
		set, err := m.openPolicies(key, rec.Data)
		if err != nil {
			return policy.Policy{}, err
		}
		if p, ok := set[scope.UserType]; ok {
			return p, nil
		}
		if p, ok := set[""]; ok {
			return p, nil
		}
	}
	return callPolicy(ctx, defaults, scope)
}

func policyKey(tenant string) string { return "t/" + tenant }

const sealPolicy = "policy"

func (m *Manager) openPolicies(key string, data []byte) (map[string]policy.Policy, error) {
	plain, err := m.cfg.Keys.Open(sealPolicy, key, data)
	if err != nil {
		return nil, err
	}
	var set map[string]policy.Policy
	err = json.Unmarshal(plain, &set)
	return set, err
}

// SetPolicy changes the policy of one user type of one tenant at run time. With an empty
// UserType it changes the policy of all user types of the tenant that have none of their own.
// Config.Policies must come from [policy.Stored]. The change takes effect at the next sign-in
// of every user of that type, the actor included. A policy that cannot work, or that breaks
// Config.Profile, is refused with policy.ErrInvalid and a sentence that says why.
func (a Admin) SetPolicy(ctx context.Context, r policy.StoredPolicy) error {
	if err := a.actor.check(); err != nil {
		return err
	}
	m := a.m
	if _, ok := m.setup.Stored(); !ok {
		return configError("policies are fixed; use policy.Stored to change them at run time")
	}
	if err := (User{ID: "-", Tenant: r.Tenant, UserType: r.UserType}).check(); err != nil {
		return err
	}
	action := AdminAction{Name: "set-policy", Reason: a.reason, Tenant: r.Tenant,
		UserType: r.UserType}
	if err := m.authorize(ctx, a.actor, action); err != nil {
		return err
	}
	if err := m.setup.CheckPolicy(r.Policy, m.now()); err != nil {
		return invalid(err)
	}
	key := policyKey(r.Tenant)
	err := m.records.Update(ctx, key, func(data []byte) (storage.Change, error) {
		set := make(map[string]policy.Policy)
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
	m.emit(ctx, []Event{{Name: "admin.set-policy", Time: m.now(), Tenant: r.Tenant,
		UserType: r.UserType, Reason: string(r.Policy.Mode), Remaining: -1,
		Actor: a.actor.name, Note: a.reason}})
	return nil
}
