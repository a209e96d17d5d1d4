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
	// Token is of the link.
	Token secret.Text
	// Password is the new one.
	Password secret.Text
}

// CheckLink returns the account that a link is good for, for the page that it opens, and
// changes nothing: mail scanners open links too. Show little of the account: its name, say,
// and its username for the person's password manager. ErrLink means that the link is not
// good, an error wrapping mfa.ErrUnavailable that this could not be found out.
func (m *Manager) CheckLink(ctx context.Context, token secret.Text) (Account, error) {
	a, err := m.look(ctx, token.Reveal(), m.now())
	if err != nil {
		return Account{}, err
	}
	return *a, nil
}

// Reset sets the password of the account that a link is good for. The link and all others of
// the account are then spent, every session and remembered device has ended, and the person
// is told by mail. It signs nobody in: send them to the sign-in page, which asks for the new
// password and then for the second factor, as whoever reads the mailbox may not have it.
//
// A *factor.Problem (see [Rules.Check]) refuses the password, and the link stays good.
// ErrLink means that the link is not. After an error wrapping mfa.ErrUnavailable the password
// may have been set or not, and the link may be spent: of links and passwords at most one
// pair succeeds, however many try at once, so a link is spent first.
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
	m.tell(ctx, a, Mail{Name: mailReset}, now)
	return nil
}

// ChangeRequest is a signed-in user's, for another password.
type ChangeRequest struct {
	Tenant, ID string
	// User is who is signed in, one of Account.Users, in the session whose ID is Binding. Grant
	// is the user's own, from a verification of their second factor minutes ago in that session.
	// A user who has no second factor needs none.
	User    mfa.User
	Grant   mfa.Grant
	Binding string
	// Current is the present password, and Password the new one.
	Current, Password secret.Text
	// KeepSession goes to Update.
	KeepSession string
}

// Change gives a user who is signed in another password, and is how they choose their own
// after an administrator's (Update.MustChange). Limit how often Current may be wrong as at
// the sign-in, for example with package throttle; this package does not count.
//
// The errors of [mfa.Session.Check] mean that the user has a second factor and has not
// proven it just now; Current has then not been compared. ErrIncorrect means that Current is
// not the password; a *factor.Problem refuses the new one,
// for a reason of [Rules.Check] or because it is the present one (password_same). ErrChanged
// and ErrNoAccount are as in Accounts. After an error wrapping mfa.ErrUnavailable the password
// may have been changed or not.
func (m *Manager) Change(ctx context.Context, r ChangeRequest) error {
	now := m.now()
	a, err := m.get(ctx, r.Tenant, r.ID)
	if err != nil {
		return err
	}
	if !a.isOf(r.User) {
		return fmt.Errorf("%w: the user does not sign in with this password", mfa.ErrForbidden)
	}
	if err := m.cfg.CheckChange(ctx, r.User, r.Grant, r.Binding); err != nil {
		return err
	}
	if err := m.cfg.Hasher.Verify(ctx, a.Hash.Reveal(), r.Current); err != nil {
		return hashError(err)
	}
	// Both are known to be typed by who knows the present one, so this tells them nothing.
	if same(r.Current, r.Password) {
		return &factor.Problem{Reason: "password_same", Detail: "choose another password than the present one"}
	}
	hash, err := m.newHash(ctx, a, r.Password)
	if err != nil {
		return err
	}
	if err := m.set(ctx, a, Update{Hash: hash, Old: a.Hash, KeepSession: r.KeepSession}); err != nil {
		return err
	}
	m.emit(ctx, "password.changed", a, now, nil)
	m.tell(ctx, a, Mail{Name: mailChanged}, now)
	return nil
}

// AdminRequest is an administrator's, who sets the password of somebody else.
type AdminRequest struct {
	Tenant, ID string
	// Actor is required. Reason goes into the event.
	Actor  mfa.Actor
	Reason string
	// Password is the new one. The rules are the same.
	Password secret.Text
}

// AdminSet sets a user's password for an administrator who has made sure who asks for it, and
// who has just proven their own second factor, if Config.Authorize allows it. Administrators
// change their own with Change. All sessions and remembered devices end, the person
// is told by mail, and must choose another password at the next sign-in (Update.MustChange),
// which must come before Update.Expires.
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
		if err := m.cfg.CheckActor(ctx, r.Actor, user); err != nil {
			return err
		}
	}
	hash, err := m.newHash(ctx, a, r.Password)
	if err != nil {
		return err
	}
	if err := m.set(ctx, a, Update{Hash: hash, Old: a.Hash, MustChange: true, Expires: now.Add(m.cfg.TemporaryTTL)}); err != nil {
		return err
	}
	m.emit(ctx, "password.admin-set", a, now, func(e *mfa.Event) { e.Actor, e.Note = r.Actor.Name(), r.Reason })
	m.tell(ctx, a, Mail{Name: mailAdminSet}, now)
	return nil
}

// authorize asks whether the actor has proven enough, and then the application whether the
// password may be set.
func (m *Manager) authorize(ctx context.Context, r AdminRequest) error {
	if r.Actor.Name() == "" {
		return fmt.Errorf("%w: AdminRequest.Actor is empty", factor.ErrMalformed)
	}
	if err := m.cfg.CheckActor(ctx, r.Actor, mfa.User{}); err != nil {
		return err
	}
	if m.cfg.Authorize == nil {
		return mfa.ErrForbidden
	}
	err := m.cfg.Authorize(ctx, mfa.AdminAction{Name: "set-password", Actor: r.Actor.Name(),
		System: r.Actor.IsSystem(), Reason: r.Reason, UserID: r.ID, Tenant: r.Tenant})
	if err != nil {
		text := fmt.Sprintf("%v: password.Config.Authorize refused%s", mfa.ErrForbidden, quiet.Text(err))
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
		return nil, errors.New("password: Accounts.Get returned another account than it was asked for")
	}
	return &a, a.sound()
}

// newHash holds a new password to the rules before it is hashed.
func (m *Manager) newHash(ctx context.Context, a *Account, password secret.Text) (secret.Text, error) {
	if err := m.cfg.Rules.Check(ctx, password, *a); err != nil {
		return secret.Text{}, err
	}
	hash, err := m.cfg.Hasher.Hash(ctx, password)
	return secret.New(hash), hashError(err)
}

// hashError: what is neither a verdict nor a refusal is something that did not work.
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

// tell mails a person what happened, beside the request.
func (m *Manager) tell(ctx context.Context, a *Account, mail Mail, now time.Time) {
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
