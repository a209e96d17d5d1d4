package sso

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/storage"
)

// Links returns the accounts that a user has linked, the oldest first. The caller decides who may
// see them.
func (s *Service) Links(ctx context.Context, user mfa.User) ([]Link, error) {
	if err := checkUser(user.Tenant, user.ID); err != nil {
		return nil, err
	}
	return s.links(ctx, user.Tenant, user.ID)
}

// Unlink removes the link with an ID at once. It needs a grant of the session, as linking does.
// mfa.ErrNotAvailable means that the user has no such link.
//
// Sessions that were opened with the account go on: end them where the application keeps
// them.
func (s *Service) Unlink(
	ctx context.Context, in mfa.Session, grant mfa.Grant, id string,
) error {
	user := in.User()
	if err := checkGrant(ctx, in, grant); err != nil {
		return err
	}
	provider, err := s.unlink(ctx, user.Tenant, user.ID, id)
	if err != nil {
		return err
	}
	s.emit(ctx, mfa.Event{Name: "sso.unlinked", Time: s.now(), UserID: user.ID,
		Tenant: user.Tenant, Kind: provider, FactorID: id})
	return nil
}

// checkGrant checks whether the grant permits changes to how the user signs in, now and in the
// session. Linking checks it at both ends: a user who can add a way to sign in needs no factor.
func checkGrant(ctx context.Context, in mfa.Session, grant mfa.Grant) error {
	user := in.User()
	if user.ID == "" || grant.IsZero() {
		return fmt.Errorf("%w: no user is signed in with a grant", mfa.ErrToken)
	}
	if err := checkUser(user.Tenant, user.ID); err != nil {
		return err
	}
	return in.Check(ctx, grant)
}

// unlink deletes the account's record, which decides, and then takes it off the list.
func (s *Service) unlink(
	ctx context.Context, tenant, subject, id string,
) (provider string, err error) {
	if len(id) != len(linkID("", "")) {
		return "", fmt.Errorf("%w: no such link", mfa.ErrNotAvailable)
	}
	key := linkPrefix + id
	err = s.records.Update(ctx, key, func(data []byte) (storage.Change, error) {
		var a account
		if data == nil {
			return storage.Change{}, fmt.Errorf("%w: no such link", mfa.ErrNotAvailable)
		}
		if err := s.open(sealLink, key, data, &a); err != nil {
			return storage.Change{}, err
		}
		if a.Tenant != tenant || a.Subject != subject {
			return storage.Change{}, fmt.Errorf("%w: no such link", mfa.ErrNotAvailable)
		}
		provider = a.Provider
		return storage.Change{Delete: true}, nil
	})
	if err != nil {
		return "", ours(err)
	}
	key = userKey(tenant, subject)
	err = s.records.Update(ctx, key, func(data []byte) (storage.Change, error) {
		ids, err := s.ids(key, data)
		if err != nil {
			return storage.Change{}, err
		}
		if !slices.Contains(ids, id) {
			return storage.Change{}, nil
		}
		// Not merely without id: the user may be linking it again at this moment.
		if ids, err = s.prune(ctx, tenant, subject, ids); err != nil {
			return storage.Change{}, err
		}
		if len(ids) == 0 {
			return storage.Change{Delete: true}, nil
		}
		return s.seal(sealUser, key, ids)
	})
	if err != nil {
		return "", unavailable(err)
	}
	return provider, nil
}

// Forget ends all links of a user, for an administrator who has made sure who asks, or for
// the application because it deletes the user. Administrators end their own links with
// Unlink. After an error some may be left: do it again.
func (s *Service) Forget(
	ctx context.Context, admin mfa.Admin, user mfa.User,
) error {
	if err := checkUser(user.Tenant, user.ID); err != nil {
		return err
	}
	if err := s.authorize(ctx, admin, user, mfa.AdminAction{Name: "forget",
		UserID: user.ID, Tenant: user.Tenant, UserType: user.UserType}); err != nil {
		return err
	}
	links, err := s.links(ctx, user.Tenant, user.ID)
	if err != nil {
		return err
	}
	for _, l := range links {
		if _, err := s.unlink(ctx, user.Tenant, user.ID, l.ID); err != nil &&
			!errors.Is(err, mfa.ErrNotAvailable) {
			return err
		}
	}
	s.emit(ctx, mfa.Event{Name: "sso.forgotten", Time: s.now(), UserID: user.ID,
		Tenant: user.Tenant, Actor: admin.Actor().Name(), Note: admin.Reason()})
	return nil
}
