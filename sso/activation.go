package sso

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/storage"
)

const (
	sealActivations = "sso-activations"
	// maxActivations is how many organisations one tenant may activate.
	maxActivations = 100
)

// Activation permits users of one tenant of the application to sign on with accounts of one
// organisation.
type Activation struct {
	// Provider is the ID of the provider.
	Provider string
	// Organization is the Microsoft tenant ID, or the primary domain of a Google Workspace
	// ("gmail.com" for Gmail), or empty for a provider that has no organisations.
	Organization string
	// AcceptMFA accepts the provider's second factor in place of ours: a sign-on whose validated
	// token says that one was used (Provider.MFAMethods, MFAClasses) has SignIn.SecondFactor.
	// False, the zero value, means that ours is asked anyway. With true, the organisation's
	// administrators can switch the second factor off for their users.
	AcceptMFA bool
	// By and Since are set by Activate.
	By    string
	Since time.Time
}

// ActivationRequest is an administrator's, to activate or deactivate an organisation.
type ActivationRequest struct {
	// Admin is the handle ([mfa.Manager.Admin]) for the administrator, whose own proof it checks.
	// Required. Its reason is recorded in the event.
	Admin mfa.Admin
	// Tenant is the application's tenant, as in mfa.User.Tenant.
	Tenant     string
	Activation Activation
}

// activation is Activation in the tenant's record.
type activation struct {
	Provider     string `cbor:"0,keyasint"`
	Organization string `cbor:"1,keyasint,omitempty"`
	AcceptMFA    bool   `cbor:"2,keyasint,omitempty"`
	By           string `cbor:"3,keyasint"`
	Since        int64  `cbor:"4,keyasint"` // Unix seconds
}

func tenantKey(tenant string) string { return "sso/t/" + tenant }

// Activate lets users of a tenant link accounts of an organisation, and sign on with them.
// Activating again changes AcceptMFA. Activate calls Config.Authorize with the name
// "activate-sso". Authorize must be sure that the organisation belongs to the tenant, because its
// administrators can then act as every user of the tenant who has linked an account.
func (s *Service) Activate(ctx context.Context, r ActivationRequest) error {
	return s.setActivation(ctx, r, true)
}

// Deactivate refuses accounts of an organisation at once, linked or not. Links stay, and are
// valid again when the organisation is activated again. Sessions go on.
func (s *Service) Deactivate(ctx context.Context, r ActivationRequest) error {
	return s.setActivation(ctx, r, false)
}

func (s *Service) setActivation(ctx context.Context, r ActivationRequest, on bool) error {
	p := s.providers[r.Activation.Provider]
	if p == nil {
		return fmt.Errorf("%w: there is no provider %.40q", factor.ErrMalformed,
			r.Activation.Provider)
	}
	if err := checkTenant(r.Tenant); err != nil {
		return err
	}
	org, err := p.checkOrganization(r.Activation.Organization)
	if err != nil {
		return err
	}
	name, done := "activate-sso", "sso.activated"
	if !on {
		name, done = "deactivate-sso", "sso.deactivated"
	}
	if err := s.authorize(ctx, r.Admin, mfa.User{}, mfa.AdminAction{Name: name,
		Tenant: r.Tenant}); err != nil {
		return err
	}
	now, key := s.now(), tenantKey(r.Tenant)
	err = s.records.Update(ctx, key, func(data []byte) (storage.Change, error) {
		var set []activation
		if data != nil {
			if err := s.open(sealActivations, key, data, &set); err != nil {
				return storage.Change{}, err
			}
		}
		set = slices.DeleteFunc(set, func(a activation) bool {
			return a.Provider == p.ID && a.Organization == org
		})
		if on {
			if len(set) >= maxActivations {
				return storage.Change{}, fmt.Errorf("%w: there are %d activations already",
					mfa.ErrNotAvailable, maxActivations)
			}
			set = append(set, activation{Provider: p.ID, Organization: org,
				AcceptMFA: r.Activation.AcceptMFA, By: r.Admin.Actor().Name(), Since: now.Unix()})
		}
		if len(set) == 0 {
			return storage.Change{Delete: true}, nil
		}
		return s.seal(sealActivations, key, set)
	})
	if err != nil {
		return ours(err)
	}
	note := org
	if reason := r.Admin.Reason(); reason != "" {
		note += ": " + reason
	}
	s.emit(ctx, mfa.Event{Name: done, Time: now, Tenant: r.Tenant, Kind: p.ID,
		Actor: r.Admin.Actor().Name(), Note: note})
	return nil
}

// Activations returns what a tenant has activated, the oldest first.
func (s *Service) Activations(ctx context.Context, tenant string) ([]Activation, error) {
	set, err := s.activations(ctx, tenant)
	list := make([]Activation, len(set))
	for i, a := range set {
		list[i] = Activation{Provider: a.Provider, Organization: a.Organization,
			AcceptMFA: a.AcceptMFA, By: a.By, Since: time.Unix(a.Since, 0).UTC()}
	}
	return list, err
}

func (s *Service) activations(ctx context.Context, tenant string) (set []activation, err error) {
	if err := checkTenant(tenant); err != nil {
		return nil, err
	}
	err = s.get(ctx, sealActivations, tenantKey(tenant), &set)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	return set, err
}

// Available returns the IDs of the providers whose accounts users of a tenant may link, in the
// order of Config.Providers: those that are Open and those with an activation.
func (s *Service) Available(ctx context.Context, tenant string) ([]string, error) {
	set, err := s.activations(ctx, tenant)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, id := range s.order {
		if s.providers[id].Open || slices.ContainsFunc(set, func(a activation) bool {
			return a.Provider == id
		}) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// activated reports whether users of a tenant may use accounts of an organisation, and whether
// its second factor is accepted in place of ours. It is called at every sign-on.
func (s *Service) activated(
	ctx context.Context, tenant string, p *provider, organization string,
) (acceptMFA bool, err error) {
	set, err := s.activations(ctx, tenant)
	if err != nil {
		return false, err
	}
	for _, a := range set {
		if a.Provider == p.ID && a.Organization == organization {
			return a.AcceptMFA, nil
		}
	}
	if p.Open {
		return false, nil
	}
	return false, ErrNotActivated
}
