package mfa

import (
	"context"
	"fmt"

	"github.com/secondgate/secondgate/mfa/factor"
)

// Actor is who performs an administrator's act: a user who has proven themselves in their own
// session ([UserActor]), or a program of the application ([System]). The zero Actor may do
// nothing.
type Actor struct {
	name    string
	system  bool
	user    User
	grant   Grant
	binding string
}

// UserActor returns the Actor for a user who administers others. The grant is the user's own,
// from a verification in the session named by binding that is minutes old, at the highest level
// that the user has; the Manager checks it at every act. Acts on oneself are refused: what users
// may do to themselves is what their own grant permits.
func UserActor(user User, grant Grant, binding string) Actor {
	return Actor{name: user.ID, user: user, grant: grant, binding: binding}
}

// System returns the Actor for a program of the application, such as a command or a nightly job,
// that acts for no user. The name goes into events. Never make one on behalf of a request.
func System(name string) Actor { return Actor{name: name, system: true} }

// Name returns who acts, as events name them: the user's ID or the program's name.
func (a Actor) Name() string { return a.name }

// IsSystem reports whether a program acts, and no user.
func (a Actor) IsSystem() bool { return a.system }

func (a Actor) check() error {
	if a.name == "" || len(a.name) > 256 {
		return fmt.Errorf("%w: an administrator's act needs an Actor with a name of at most 256 bytes", factor.ErrMalformed)
	}
	return nil
}

// CheckActor says whether an actor has proven enough to act on another user, or on a policy if
// about is zero, for a package that keeps more of a user than factors (linked accounts,
// passwords). It does not ask Config.Authorize, and it changes nothing. The errors are those of
// Reset.
func (m *Manager) CheckActor(ctx context.Context, a Actor, about User) error {
	key := ""
	if about.ID != "" {
		key = about.compact().key()
	}
	return m.proven(ctx, a, key)
}

// proven asks authority whether the actor may act on the user with the key given; an act on a
// policy has none.
func (m *Manager) proven(ctx context.Context, a Actor, key string) error {
	if err := a.check(); err != nil || a.system {
		return err
	}
	if err := a.user.check(); err != nil {
		return err
	}
	own := a.user.compact().key()
	if own == key {
		return fmt.Errorf("%w: administrators do not act on themselves", ErrForbidden)
	}
	c, err := m.openGrant(a.grant, a.binding)
	if err != nil {
		return err
	}
	if c.Subject.key() != own {
		return ErrToken
	}
	now := m.now()
	r, err := m.read(ctx, own)
	if err == nil && r == nil {
		r, err = m.unborn(ctx, own, now)
	}
	if err != nil {
		return err
	}
	_, err = m.permits(r, c, request{act: actAdminister}, r.at(now))
	return err
}
