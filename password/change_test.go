package password_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/secret"
)

func TestManagerChange_NeedsTheCurrentPassword(t *testing.T) {
	r := newRig(t, nil)
	change := func(current, next secret.Text) error {
		return r.Change(t.Context(), password.ChangeRequest{Tenant: "acme", ID: "1",
			Session: r.session("1"),
			Current: current, Password: next, KeepSession: secret.New("mine")})
	}
	require.ErrorIs(t, change(secret.New("wrong"), secret.New(newPassword)), password.ErrIncorrect)
	require.ErrorIs(t, change(secret.Text{}, secret.New(newPassword)), password.ErrIncorrect)
	requireReason(t, change(secret.New(oldPassword), secret.New(oldPassword)), "password_same")
	requireReason(t, change(secret.New(oldPassword), secret.New("short")), "password_too_short")
	require.NoError(t, change(secret.New(oldPassword), secret.New(newPassword)))
	require.True(t, r.signsIn("acme/1", secret.New(newPassword)))
	require.Equal(t, "mine", r.people.keep)
	require.NoError(t, r.work())
	m, _ := r.mails.Last()
	require.Equal(t, "Your password at Acme was changed", m.Subject)
	require.ErrorIs(t, r.Change(t.Context(), password.ChangeRequest{ID: "1",
		Current: secret.New(newPassword), Password: secret.New(oldPassword)}),
		password.ErrNoAccount, "of another tenant")
	r.people.change("acme/1", func(a *password.Account) { a.Hash = secret.Text{} })
	require.ErrorIs(t, change(secret.Text{}, secret.New(newPassword)), password.ErrIncorrect,
		"no password yet is no way to set one")
}

func TestManagerAdminSet_RequiresAnotherPassword(t *testing.T) {
	r := newRig(t, nil)
	set := func(actor string, s secret.Text) error {
		return r.AdminSet(t.Context(), password.AdminRequest{Tenant: "acme", ID: "1",
			Admin: r.second.Admin(mfa.System(actor), "ticket 7"), Password: s})
	}
	require.ErrorIs(t, set("olivia", secret.New(newPassword)), mfa.ErrForbidden)
	require.ErrorIs(t, set("", secret.New(newPassword)), factor.ErrMalformed)
	requireReason(t, set("admin", secret.New("acme1234")), "password_personal")
	require.True(t, r.signsIn("acme/1", secret.New(oldPassword)))
	require.NoError(t, set("admin", secret.New(newPassword)))
	require.True(t, r.signsIn("acme/1", secret.New(newPassword)))
	require.True(t, r.people.must["acme/1"])
	require.Equal(t, r.clock.Now().Add(72*time.Hour), r.people.expires)
	require.Equal(t, 1, r.people.ended["acme/1"])
	require.NoError(t, r.work())
	m, _ := r.mails.Last()
	require.Equal(t, "Your password at Acme was set by an administrator", m.Subject)
	require.NotContains(t, m.Text.Reveal(), newPassword)
	require.Equal(t, "password.admin-set", r.events[0].Name)
	require.Equal(t, "admin", r.events[0].Actor)
	require.Equal(t, "ticket 7", r.events[0].Note)

	require.NoError(t, r.Change(t.Context(), password.ChangeRequest{Tenant: "acme", ID: "1",
		Session: r.session("1"),
		Current: secret.New(newPassword), Password: secret.New("and now my very own")}))
	require.False(t, r.people.must["acme/1"])
	require.Zero(t, r.people.expires)

	said := errors.New("postgres://app:hunter2@db")
	r = newRig(t, func(c *password.Config) {
		c.Authorize = func(context.Context, mfa.AdminAction) error { return said }
	})
	err := set("admin", secret.New(newPassword))
	require.ErrorIs(t, err, mfa.ErrForbidden)
	require.ErrorIs(t, err, said)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), "hunter2",
		"what Authorize said")

	r = newRig(t, func(c *password.Config) { c.Authorize = nil })
	require.ErrorIs(t, set("admin", secret.New(newPassword)), mfa.ErrForbidden, "nil forbids")
}

// A user who has a second factor changes the password by it and by the present password.
func TestManagerChange_NeedsTheSecondFactor(t *testing.T) {
	r := newRig(t, nil)
	change := func(u mfa.User, g mfa.Grant, current secret.Text) error {
		return r.Change(t.Context(), password.ChangeRequest{Tenant: "acme", ID: "1",
			Session: r.second.Session(u, session), Grant: g, Current: current,
			Password: secret.New(newPassword)})
	}
	grant := r.enroll(user("1"))
	require.ErrorIs(t, change(user("1"), mfa.Grant{}, secret.New(oldPassword)), mfa.ErrToken)
	require.ErrorIs(t, change(mfa.User{}, grant, secret.New(oldPassword)), mfa.ErrForbidden,
		"no user")
	require.ErrorIs(t, r.Change(t.Context(), password.ChangeRequest{Tenant: "acme", ID: "1",
		Grant: grant, Current: secret.New(oldPassword), Password: secret.New(newPassword)}),
		mfa.ErrForbidden, "no session")
	require.ErrorIs(t, change(user("2"), r.enroll(user("2")), secret.New(oldPassword)),
		mfa.ErrForbidden, "another user")
	require.ErrorIs(t, change(user("1"), grant, secret.New("wrong")), password.ErrIncorrect,
		"the factor is not the password")
	r.clock.Advance(15 * time.Minute) // the proof of the enrolment is the first factor
	require.ErrorIs(t, change(user("1"), grant, secret.New(oldPassword)), mfa.ErrTokenExpired)
	require.True(t, r.signsIn("acme/1", secret.New(oldPassword)))
	require.NoError(t, change(user("1"), r.proves(user("1")), secret.New(oldPassword)))
	require.True(t, r.signsIn("acme/1", secret.New(newPassword)))
}

// An administrator proves their own second factor, and cannot set the password that they sign
// in with themselves, also where several users share it.
func TestManagerAdminSet_NeedsTheActorsProof(t *testing.T) {
	r := newRig(t, nil)
	r.cfg.Authorize = func(_ context.Context, a mfa.AdminAction) error {
		if a.ActorTenant != "acme" {
			return errors.New("of another tenant")
		}
		return nil
	}
	var err error
	r.Manager, err = password.New(r.cfg)
	require.NoError(t, err)
	r.people.change("acme/2", func(a *password.Account) {
		a.Users = []mfa.User{user("somebody"), user("admin")}
	})
	grant := r.enroll(user("admin"))
	set := func(account string, g mfa.Grant, sessionID string) error {
		return r.AdminSet(t.Context(), password.AdminRequest{Tenant: "acme", ID: account,
			Admin:    r.second.Admin(r.second.Session(user("admin"), sessionID).Actor(g), ""),
			Password: secret.New(newPassword)})
	}
	require.ErrorIs(t, r.AdminSet(t.Context(), password.AdminRequest{Tenant: "acme", ID: "1",
		Password: secret.New(newPassword)}), factor.ErrMalformed, "no administrator")
	require.ErrorIs(t, set("1", mfa.Grant{}, session), mfa.ErrToken)
	require.ErrorIs(t, set("1", grant, "another session"), mfa.ErrToken)
	require.ErrorIs(t, set("1", r.enroll(user("1")), session), mfa.ErrToken, "another user's proof")
	require.ErrorIs(t, set("2", grant, session), mfa.ErrForbidden, "their own password")
	require.ErrorIs(t, set("9", grant, session), password.ErrNoAccount)
	require.ErrorIs(t, set("9", mfa.Grant{}, session), mfa.ErrToken,
		"nobody learns which accounts there are")
	r.clock.Advance(15 * time.Minute)
	require.ErrorIs(t, set("1", grant, session), mfa.ErrTokenExpired)
	require.True(t, r.signsIn("acme/1", secret.New(oldPassword)))
	require.True(t, r.signsIn("acme/2", secret.New(oldPassword)))
	require.NoError(t, set("1", r.proves(user("admin")), session))
	require.True(t, r.signsIn("acme/1", secret.New(newPassword)))
}
