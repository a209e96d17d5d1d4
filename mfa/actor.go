package mfa

import (
	"context"
	"fmt"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/authority"
)

// Actor is who performs an administrator's act: a user with a proof of their own, in their own
// session ([Session.Actor]), or a program of the application ([System]). The zero Actor may do
// nothing.
type Actor struct {
	name    string
	system  bool
	session Session
	grant   Grant
}

// Actor returns the Actor for a user who administers others. The grant is the user's own, from a
// verification in this session that is minutes old, at the highest level that the user has; the
// Manager checks it at every act. Acts on oneself are refused: users change what is theirs with
// their own grant.
func (s Session) Actor(g Grant) Actor { return Actor{name: s.user.ID, session: s, grant: g} }

// System returns the Actor for a program of the application, such as a command or a nightly job,
// that acts for no user. The name goes into events. Never make one on behalf of a request.
func System(name string) Actor { return Actor{name: name, system: true} }

// Name returns who acts, as events name them: the user's ID or the program's name.
func (a Actor) Name() string { return a.name }

// Tenant returns the tenant of the user who acts, which is empty for a program.
func (a Actor) Tenant() string { return a.session.user.Tenant }

// IsSystem reports whether a program acts, and no user.
func (a Actor) IsSystem() bool { return a.system }

func (a Actor) check() error {
	if a.name == "" || len(a.name) > 256 {
		return fmt.Errorf("%w: an administrator's act needs an Actor with a name of at most 256 "+
			"bytes", factor.ErrMalformed)
	}
	return nil
}

// Check says whether the actor has proven enough to act on a user, or on a policy for the zero
// User. It is for a package that keeps more of a user than factors, such as linked accounts and
// passwords. It does not ask Config.Authorize, and it changes nothing. The errors are those of
// Reset.
func (a Admin) Check(ctx context.Context, about User) error {
	key := ""
	if about.ID != "" {
		key = about.compact().Key()
	}
	return a.m.proven(ctx, a.actor, key)
}

// proven asks authority whether the actor may act on the user with the key given; an act on a
// policy has none.
func (m *Manager) proven(ctx context.Context, a Actor, key string) error {
	if err := a.check(); err != nil || a.system {
		return err
	}
	s := a.session
	s.m = m // the actor's own Manager may be another, over the same records
	if err := s.user.check(); err != nil {
		return err
	}
	own := s.user.compact().Key()
	if own == key {
		return fmt.Errorf("%w: administrators do not act on themselves", ErrForbidden)
	}
	c, err := s.openGrant(a.grant)
	if err != nil {
		return err
	}
	now := m.now()
	r, err := m.readOrNew(ctx, own, now)
	if err != nil {
		return err
	}
	_, err = m.view(r, c, r.At(now)).Permits(authority.Request{Act: authority.ActAdminister})
	return err
}
