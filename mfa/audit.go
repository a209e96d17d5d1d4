package mfa

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/mfa/policy"
)

// Audit compares the configuration, and every policy that the Manager can see, with a profile,
// which need not be Config.Profile. It returns what it finds: first the rows that are broken,
// then advice. It changes nothing.
//
// Policies of [policy.Stored] and exceptions from the second factor are read from the store. Where
// Config.Profile accepts exceptions, Audit reads every record as Report does, and findings name
// the users who have one; the store must be a storage.Lister, otherwise the error wraps
// errors.ErrUnsupported. The policies of an application's own Source are checked when they are
// used, and one finding says so. An error means that nothing is known, never that nothing was
// found. The application must make sure that the caller may see the findings.
func (m *Manager) Audit(ctx context.Context, profile policy.Profile) ([]policy.Finding, error) {
	stored, err := m.storedPolicies(ctx)
	if err != nil {
		return nil, err
	}
	setup := m.setup
	if err := m.readExceptions(ctx, &setup); err != nil {
		return nil, err
	}
	found, err := setup.Audit(profile, m.now(), stored...)
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

// readExceptions reads which users have an exception, where the profile accepts any.
func (m *Manager) readExceptions(ctx context.Context, into *policy.Setup) error {
	if !m.rules.Exceptions {
		return nil
	}
	into.Exceptions = make(map[string]map[string]time.Time)
	for found, err := range severalPages(m.pages(ctx, "", "p/"), pagesAtOnce, m.exceptionsIn) {
		if err != nil {
			return err
		}
		into.Unreadable += found.unreadable
		for s, ends := range found.ends {
			if into.Exceptions[s.Tenant] == nil {
				into.Exceptions[s.Tenant] = make(map[string]time.Time)
			}
			into.Exceptions[s.Tenant][s.ID] = ends
		}
	}
	return nil
}

// endsIn is when the exceptions in a page end.
type endsIn struct {
	ends       map[token.Subject]time.Time
	unreadable int
}

func (m *Manager) exceptionsIn(p page) (endsIn, error) {
	found := endsIn{ends: make(map[token.Subject]time.Time)}
	for _, e := range p.entries {
		tenant, ok := tenantOf(e.Key)
		r, err := m.open(e.Key, e.Record.Data)
		switch {
		case err != nil || !ok:
			found.unreadable++
		case r.Exception != nil && r.Exception.Epoch == r.Epoch && !m.rules.HasOwn(r):
			s := token.Subject{Tenant: tenant}
			s.ID = e.Key[len(s.Key()):]
			found.ends[s] = record.Instant(r.Exception.Ends)
		}
	}
	return found, nil
}
