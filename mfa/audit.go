package mfa

import (
	"context"
	"maps"
	"slices"

	"github.com/secondgate/secondgate/mfa/policy"
)

// Audit compares the configuration, and every policy that the Manager can see, with a profile,
// which need not be Config.Profile. It returns what it finds: first the rows that are broken,
// then advice. It changes nothing.
//
// Policies of [policy.Stored] are read from the store, which must be a storage.Lister;
// otherwise the error wraps errors.ErrUnsupported. The policies of an application's own Source
// are checked when they are used, and one finding says so. An error means that nothing is
// known, never that nothing was found. The application must make sure that the caller may see
// the findings.
func (m *Manager) Audit(ctx context.Context, profile policy.Profile) ([]policy.Finding, error) {
	stored, err := m.storedPolicies(ctx)
	if err != nil {
		return nil, err
	}
	found, err := m.setup.Audit(profile, m.now(), stored...)
	if err != nil {
		return nil, invalid(err)
	}
	return found, nil
}

// storedPolicies reads every policy that SetPolicy stored.
func (m *Manager) storedPolicies(ctx context.Context) (list []policy.StoredPolicy, err error) {
	if _, ok := m.setup.Stored(); !ok {
		return nil, nil
	}
	prefix := policyKey("")
	for page, err := range m.pages(ctx, "", prefix) {
		if err != nil {
			return nil, err
		}
		for _, e := range page.entries {
			set, err := m.openPolicies(e.Key, e.Record.Data)
			if err != nil {
				return nil, unavailable(err)
			}
			for _, userType := range slices.Sorted(maps.Keys(set)) {
				scope := policy.Scope{Tenant: e.Key[len(prefix):], UserType: userType}
				list = append(list, policy.StoredPolicy{Scope: scope, Policy: set[userType]})
			}
		}
	}
	return list, nil
}
