package mfa_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/access"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

var noDowngrade = policy.Policy{Mode: policy.ModeRequired, Implicit: []string{"mail"},
	KeepImplicit: true, Passwordless: true, NoDowngrade: true, Remember: 30 * 24 * time.Hour}

// guarded is a rig where ann has a key and everything that is weaker: an app, a PIN, a mailbox,
// recovery codes and an access code.
func guarded(t *testing.T, p policy.Policy) (r *rig, accessCode secret.Text) {
	t.Helper()
	codes, err := access.New(access.Config{})
	require.NoError(t, err)
	r, _ = keyRig(t, func(c *mfa.Config) { c.Factors = append(c.Factors, codes) })
	r.withKey(ann, "k1")
	v, err := r.respondAs(r.begin(ann), "k1", "")
	require.NoError(t, err)
	g := v.Grant
	r.enroll(g, "app", "tulip")
	r.enroll(g, "pin", "4711")
	_, err = r.Session(ann, binding).NewRecoveryCodes(t.Context(), g)
	require.NoError(t, err)
	e, err := r.Admin(boss, "").Enroll(t.Context(), ann, mfa.EnrollRequest{Kind: "access"})
	require.NoError(t, err)
	r.set(p)
	return r, e.Prompt.Codes[0]
}

// Each purpose offers the key alone, and a correct response of every other kind is refused, also in
// a mode that would ask nothing. It is no failed attempt.
func TestNoDowngrade_AsksForTheKeyAlone(t *testing.T) {
	for _, mode := range []policy.Mode{policy.ModeRequired, policy.ModeOptional, policy.ModeOff} {
		p := noDowngrade
		p.Mode = mode
		r, code := guarded(t, p)
		for _, purpose := range []string{"sign-in", "step-up", "manage"} {
			ch := r.beginFor(ann, purpose)
			require.Equal(t, []string{"key"}, kindsOf(ch), "%s %s", mode, purpose)
			session := withPurpose(r.Session(ann, binding), purpose)
			for kind, response := range map[string]secret.Text{"app": secret.New("tulip"),
				"pin": secret.New("4711"), "mail": secret.New("000000"),
				"recovery": secret.New("a"), "access": code} {
				_, err := session.Verify(t.Context(), ch, kind, response)
				require.ErrorIs(t, err, mfa.ErrNotAvailable, "%s %s %s", mode, purpose, kind)
			}
			_, err := session.Send(t.Context(), ch, "mail")
			require.ErrorIs(t, err, mfa.ErrNotAvailable)
			v, err := r.respondTo(session, ch, "k1", "")
			require.NoError(t, err)
			require.Equal(t, "phr", v.ACR)
		}
	}
}

// Without the switch each of them signs the user in.
func TestNoDowngrade_OffPermitsEveryKind(t *testing.T) {
	p := noDowngrade
	p.NoDowngrade = false
	r, code := guarded(t, p)
	for kind, response := range map[string]secret.Text{"app": secret.New("tulip"),
		"pin": secret.New("4711"), "recovery": secret.New("a"), "access": code} {
		_, err := r.verify(r.begin(ann), kind, response)
		require.NoError(t, err, kind)
	}
}

// A device that was remembered by something weaker, or before the switch, signs nobody in, and none
// is remembered.
func TestNoDowngrade_RemembersNoDevice(t *testing.T) {
	off := noDowngrade
	off.NoDowngrade = false
	r, _ := guarded(t, off)
	device := r.onDevice(ann, "Laptop")
	require.Equal(t, mfa.NextDone, r.beginOn(ann, device).Next)
	r.set(noDowngrade)
	require.Equal(t, mfa.NextVerify, r.beginOn(ann, device).Next)
	v, err := r.respondTo(r.Session(ann, binding).RememberDevice("Laptop"), r.begin(ann), "k1", "")
	require.NoError(t, err)
	require.True(t, v.Device.IsZero())
	require.True(t, v.DeviceExpires.IsZero())
}

// The recovery that a mailed link begins is the way for a user who lost the key. Its replacement
// does not sign in before the hold ends, with the password or without, and the user is notified.
func TestNoDowngrade_RecoveryWaits(t *testing.T) {
	r, _ := guarded(t, noDowngrade)
	r.cfg.Notify = func(ctx context.Context, send func(context.Context) error) { _ = send(ctx) }
	r.Manager = r.another()
	ch, err := r.Session(ann, elsewhere).Recovery().OpenRecoveryLink(t.Context(), r.setupLink(ann))
	require.NoError(t, err)
	require.Equal(t, []string{"recovery", "access"}, kindsOf(ch))
	v, err := r.replaceBy(ch, secret.New("a"))
	require.NoError(t, err)
	require.Contains(t, v.EnrollKinds, "key")
	s := r.Session(ann, elsewhere)
	e, err := s.Enroll(t.Context(), v.Grant, mfa.EnrollRequest{Kind: "key"})
	require.NoError(t, err)
	r.mail.notices()
	c, err := s.Confirm(t.Context(), e, secret.New("k2 "+string(e.Prompt.Data)))
	require.NoError(t, err)
	require.True(t, c.Waits)
	require.Nil(t, c.Verification)
	require.Contains(t, r.mail.notices(), "recovery.replacement to "+ann.Email)

	_, err = r.respondAs(r.begin(ann), "k2", "")
	require.Error(t, err)
	_, err = r.answer(r.open(), "k2", "", ann)
	require.ErrorIs(t, err, mfa.ErrUnknownFactor)
	_, err = r.respondAs(r.begin(ann), "k1", "")
	require.NoError(t, err, "the key that is not lost signs in, and cancels the recovery")

	r.clock.Advance(24*time.Hour + time.Second)
	_, err = r.respondAs(r.begin(ann), "k2", "")
	require.NoError(t, err)
	_, err = r.answer(r.open(), "k2", "", ann)
	require.NoError(t, err)
}

// Failed attempts disable the key, which makes nothing weaker available.
func TestNoDowngrade_HoldsForADisabledKey(t *testing.T) {
	r, _ := guarded(t, noDowngrade)
	for disabled := false; !disabled; r.clock.Advance(time.Hour) {
		ch := r.begin(ann)
		_, err := r.respondAs(ch, "k9", "")
		require.Error(t, err)
		disabled = r.begin(ann).Options[0].Disabled
	}
	require.Equal(t, []string{"key"}, kindsOf(r.begin(ann)))
	_, err := r.verify(r.begin(ann), "app", secret.New("tulip"))
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
}

// A key whose own signature says that it has changed can no longer be proven, and does not count.
// Beside another key it responds as before.
func TestNoDowngrade_AnOutdatedKeyDoesNotCount(t *testing.T) {
	r, _ := guarded(t, noDowngrade)
	r.outdate("k1")
	require.Contains(t, kindsOf(r.begin(ann)), "app")
	_, err := r.respondAs(r.begin(ann), "k1", "")
	require.NoError(t, err)
	require.Equal(t, []string{"key"}, kindsOf(r.begin(ann)), "it responded, and counts again")
}

// A process that does not have the kind of a user's factor asks for nothing, since the factor may
// be a phishing-resistant one.
func TestNoDowngrade_RefusesAnUnknownKind(t *testing.T) {
	r, _ := guarded(t, noDowngrade)
	p := noDowngrade
	p.Passwordless = false
	other := newRig(t, func(c *mfa.Config) {
		c.Store, c.Keys = r.cfg.Store, r.cfg.Keys
		c.Policies = policyFunc(func() policy.Policy { return p })
	})
	_, err := other.Session(ann, binding).Begin(t.Context())
	require.ErrorIs(t, err, mfa.ErrKindNotConfigured)
}

// A user without a phishing-resistant factor, or one whom the policy does not allow it, is asked as
// before.
func TestNoDowngrade_IsForUsersWhoHaveAKey(t *testing.T) {
	r, _ := guarded(t, noDowngrade)
	r.enroll(r.begin(bea).Grant, "app", "rose")
	_, err := r.verify(r.begin(bea), "app", secret.New("rose"))
	require.NoError(t, err)
	r.setPolicy(policy.Policy{Mode: policy.ModeRequired, Kinds: []string{"app", "mail"}})
	require.Contains(t, kindsOf(r.begin(ann)), "app")
}
