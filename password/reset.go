package password

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/internal/quiet"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// ResetRequest sets a password by a link.
type ResetRequest struct {
	// Token is the link's token.
	Token secret.Text
	// Password is the new one.
	Password secret.Text
}

// CheckLink returns the account that a link is valid for, for the page that the link opens.
// It changes nothing, because mail scanners open links too. Show little of the account: its
// name, and its username for the user's password manager. ErrLink means that the link is not
// valid. An error that wraps mfa.ErrUnavailable means that the link could not be checked.
func (m *Manager) CheckLink(ctx context.Context, token secret.Text) (Account, error) {
	a, err := m.look(ctx, token.Reveal(), m.now())
	if err != nil {
		return Account{}, err
	}
	return *a, nil
}

// Reset sets the password of the account that a link is valid for. It uses up the link and all
// other links of the account, ends every session and every remembered device, and notifies the
// user by mail. It does not sign the user in. Send the user to the sign-in page, which asks for
// the new password and then for the second factor: a link proves only that the user reads the
// mailbox.
//
// A *factor.Problem (see [Rules.Check]) refuses the password, and the link stays valid.
// ErrLink means that the link is not valid. Reset uses up the link before it sets the password,
// so that of concurrent calls with one link at most one succeeds. After an error that wraps
// mfa.ErrUnavailable the link may be used up, and the password may have been set.
func (m *Manager) Reset(ctx context.Context, r ResetRequest) error {
	now := m.now()
	a, err := m.look(ctx, r.Token.Reveal(), now)
	if err != nil {
		return err
	}
	hash, err := m.newHash(ctx, a, r.Password)
	if err != nil {
		return err
	}
	if err := m.spend(ctx, r.Token.Reveal(), now); err != nil {
		return err
	}
	err = m.set(ctx, a, Update{Hash: hash, Old: a.Hash})
	if errors.Is(err, ErrChanged) || errors.Is(err, ErrNoAccount) {
		return ErrLink // it was changed in another way since, which voids links
	}
	if err != nil {
		return err
	}
	m.emit(ctx, "password.reset", a, now, nil)
	m.notify(ctx, a, Mail{Name: mailReset}, now)
	return nil
}

// ChangeRequest is a signed-in user's, for another password.
type ChangeRequest struct {
	Tenant, ID string
	// Session is the handle ([mfa.Manager.Session]) for the signed-in user, one of
	// Account.Users, in their session. Required. Grant comes from a verification of the user's
	// second factor minutes ago in that session. A user without a second factor needs no grant.
	Session mfa.Session
	Grant   mfa.Grant
	// Current is the present password, and Password the new one.
	Current, Password secret.Text
	// KeepSession goes to Update.
	KeepSession secret.Text
}

// Change gives a signed-in user another password. A user whose password an administrator set
// chooses their own with it too (Update.MustChange). Limit failed attempts at Current as at
// the sign-in, for example with package throttle: this package does not count them.
//
// The errors of [mfa.Session.Check] mean that the user has a second factor and has not
// proven it just now. Change has then not compared Current. ErrIncorrect means that Current is
// not the password. A *factor.Problem refuses the new one, for a reason of [Rules.Check] or
// because it is the current one (password_same). ErrChanged and ErrNoAccount are as in
// Accounts. After an error that wraps mfa.ErrUnavailable the password may have been changed.
func (m *Manager) Change(ctx context.Context, r ChangeRequest) error {
	now := m.now()
	a, err := m.get(ctx, r.Tenant, r.ID)
	if err != nil {
		return err
	}
	if !a.hasUser(r.Session.User()) {
		return fmt.Errorf("%w: the user does not sign in with this password", mfa.ErrForbidden)
	}
	if err := r.Session.CheckPasswordChange(ctx, r.Grant); err != nil {
		return err
	}
	if err := m.cfg.Hasher.Verify(ctx, a.Hash.Reveal(), r.Current); err != nil {
		return hashError(err)
	}
	// The user knows the current password, so that this reveals nothing to them.
	if same(r.Current, r.Password) {
		return &factor.Problem{Reason: "password_same",
			Detail: "choose another password than the current one"}
	}
	hash, err := m.newHash(ctx, a, r.Password)
	if err != nil {
		return err
	}
	if err := m.set(ctx, a, Update{Hash: hash, Old: a.Hash,
		KeepSession: r.KeepSession}); err != nil {
		return err
	}
	m.emit(ctx, "password.changed", a, now, nil)
	m.notify(ctx, a, Mail{Name: mailChanged}, now)
	return nil
}

// AdminRequest is an administrator's request to set another user's password.
type AdminRequest struct {
	Tenant, ID string
	// Admin is the handle ([mfa.Manager.Admin]) for the administrator. Required. Its reason goes
	// into the event.
	Admin mfa.Admin
	// Password is the new one. The rules are the same.
	Password secret.Text
}

// AdminSet sets a user's password for an administrator, if Config.Authorize allows it. The
// administrator must have verified the user's identity, and just proven their own second
// factor. Administrators change their own password with Change. AdminSet ends all sessions and
// remembered devices and notifies the user by mail. The user must sign in before Update.Expires
// and then choose another password (Update.MustChange).
//
// The errors are those of Change and of [mfa.Admin.Check].
func (m *Manager) AdminSet(ctx context.Context, r AdminRequest) error {
	now := m.now()
	if err := m.authorize(ctx, r); err != nil {
		return err
	}
	a, err := m.get(ctx, r.Tenant, r.ID)
	if err != nil {
		return err
	}
	for _, user := range a.users() {
		if err := r.Admin.Check(ctx, user); err != nil {
			return err
		}
	}
	hash, err := m.newHash(ctx, a, r.Password)
	if err != nil {
		return err
	}
	if err := m.set(ctx, a, Update{Hash: hash, Old: a.Hash, MustChange: true,
		Expires: now.Add(m.cfg.TemporaryTTL)}); err != nil {
		return err
	}
	m.emit(ctx, "password.admin-set", a, now, func(e *mfa.Event) {
		e.Actor, e.Note = r.Admin.Actor().Name(), r.Admin.Reason()
	})
	m.notify(ctx, a, Mail{Name: mailAdminSet}, now)
	return nil
}

// authorize asks whether the actor has proven enough, and then the application whether the
// password may be set.
func (m *Manager) authorize(ctx context.Context, r AdminRequest) error {
	actor := r.Admin.Actor()
	if actor.Name() == "" {
		return fmt.Errorf("%w: AdminRequest.Admin has no actor", factor.ErrMalformed)
	}
	if err := r.Admin.Check(ctx, mfa.User{}); err != nil {
		return err
	}
	if m.cfg.Authorize == nil {
		return mfa.ErrForbidden
	}
	err := m.cfg.Authorize(ctx, mfa.AdminAction{Name: "set-password", Actor: actor.Name(),
		ActorTenant: actor.Tenant(), System: actor.IsSystem(), Reason: r.Admin.Reason(),
		UserID: r.ID, Tenant: r.Tenant})
	if err != nil {
		text := fmt.Sprintf("%v: password.Config.Authorize refused%s", mfa.ErrForbidden,
			quiet.Text(err))
		return quiet.New(text, mfa.ErrForbidden, err)
	}
	return nil
}

func (m *Manager) get(ctx context.Context, tenant, id string) (*Account, error) {
	a, err := m.cfg.Accounts.Get(ctx, Account{ID: id, Tenant: tenant})
	switch {
	case errors.Is(err, ErrNoAccount):
		return nil, ErrNoAccount
	case err != nil:
		return nil, unavailable(err)
	case a.ID != id || a.Tenant != tenant:
		return nil, errors.New("password: Accounts.Get returned another account than it was " +
			"asked for")
	}
	return &a, a.sound()
}

// newHash holds a new password to the rules before it is hashed.
func (m *Manager) newHash(
	ctx context.Context, a *Account, password secret.Text,
) (secret.Text, error) {
	if err := m.cfg.Rules.Check(ctx, password, *a); err != nil {
		return secret.Text{}, err
	}
	hash, err := m.cfg.Hasher.Hash(ctx, password)
	return secret.New(hash), hashError(err)
}

// hashError wraps mfa.ErrUnavailable around an error that is neither a verdict nor a refusal.
func hashError(err error) error {
	if err == nil || errors.Is(err, ErrIncorrect) || errors.Is(err, factor.ErrMalformed) {
		return err
	}
	return unavailable(err)
}

func (m *Manager) set(ctx context.Context, a *Account, u Update) error {
	err := m.cfg.Accounts.SetPassword(ctx, *a, u)
	if err == nil || errors.Is(err, ErrChanged) || errors.Is(err, ErrNoAccount) {
		return err
	}
	return unavailable(err)
}

func same(a, b secret.Text) bool {
	x, errX := normalize(a)
	y, errY := normalize(b)
	return errX == nil && errY == nil && x == y
}

// notify mails the user what happened, outside the request.
func (m *Manager) notify(ctx context.Context, a *Account, mail Mail, now time.Time) {
	if a.Email == "" {
		return
	}
	m.cfg.Later(ctx, func(ctx context.Context) error {
		err := m.send(ctx, a, mail, now)
		name := "password.notice-sent"
		if err != nil {
			name = "password.notice-failed"
		}
		m.emit(ctx, name, a, m.now(), func(e *mfa.Event) { e.Reason = mail.Name })
		return err
	})
}
