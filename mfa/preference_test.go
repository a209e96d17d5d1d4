package mfa_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

func kindsOf(ch *mfa.Challenge) (list []string) {
	for _, o := range ch.Options {
		list = append(list, o.Kind)
	}
	return list
}

// A user is asked first for the kind that they prefer, whatever the policy's default is, and as
// long as they have it.
func TestSessionPrefer_AsksForTheKindFirst(t *testing.T) {
	r := newRig(t)
	r.setPolicy(policy.Policy{Default: "app", Implicit: []string{"mail"}, KeepImplicit: true})
	g := r.withApp(ann, "word").Grant
	g = r.enroll(g, "pin", "1234").Grant
	s := r.Session(ann, binding)
	require.Equal(t, []string{"app", "pin", "mail"}, kindsOf(r.begin(ann))[:3])
	for _, kind := range []string{"pin", "mail"} {
		require.NoError(t, s.Prefer(t.Context(), g, kind))
		ch := r.begin(ann)
		require.Equal(t, kind, ch.Options[0].Kind)
		require.True(t, ch.Options[0].Default)
		o, err := r.Overview(t.Context(), ann)
		require.NoError(t, err)
		require.Equal(t, kind, o.Preferred)
	}
	require.NoError(t, s.Prefer(t.Context(), g, "pin"))
	require.NoError(t, s.Remove(t.Context(), g, r.id("pin")))
	require.Equal(t, "app", r.begin(ann).Options[0].Kind, "the kind is gone")
	require.NoError(t, s.Prefer(t.Context(), g, ""))
	for _, kind := range []string{"pin", "sms", "recovery", "nonsense"} {
		require.ErrorIs(t, s.Prefer(t.Context(), g, kind), mfa.ErrNotAvailable, kind)
	}
}

// A preference is a change to how the user signs in: it needs a fresh grant for the user and the
// session.
func TestSessionPrefer_NeedsAGrant(t *testing.T) {
	r := newRig(t)
	g := r.withApp(ann, "word").Grant
	for name, s := range map[string]mfa.Session{"another user": r.Session(newcomer, binding),
		"another session": r.Session(ann, "another")} {
		require.ErrorIs(t, s.Prefer(t.Context(), g, "app"), mfa.ErrToken, name)
		require.ErrorIs(t, s.UseImplied(t.Context(), g, false), mfa.ErrToken, name)
	}
	require.Error(t, r.Session(ann, binding).Prefer(t.Context(), mfa.Grant{}, "app"))
	weak := newRig(t)
	weak.setPolicy(policy.Policy{Implicit: []string{"mail"}, KeepImplicit: true})
	weak.withApp(ann, "word")
	v := weak.signInByMail(t)
	require.ErrorIs(t, weak.Session(ann, binding).UseImplied(t.Context(), v.Grant, false),
		mfa.ErrForbidden, "a code by mail changes nothing once there is an app")
}

// useImplied turns ann's address off and on.
func (r *rig) useImplied(list ...bool) {
	r.t.Helper()
	for _, use := range list {
		require.NoError(r.t, r.Session(ann, binding).UseImplied(r.t.Context(), r.grant, use))
	}
}

// signInByMail signs ann in by a code to her address of record.
func (r *rig) signInByMail(t *testing.T) *mfa.Verification {
	t.Helper()
	ch := r.begin(ann)
	_, err := r.of(ch).Send(t.Context(), ch, "mail")
	require.NoError(t, err)
	v, err := r.verify(ch, "mail", secret.New(r.mail.last[ann.Email]))
	require.NoError(t, err)
	return v
}

// A user turns off codes to the address of the account once they have something stronger. Without
// it the address is as before, so that no user is locked out by the choice.
func TestSessionUseImplied_TurnsTheAddressOff(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) {
		c.Notify = func(ctx context.Context, send func(context.Context) error) { _ = send(ctx) }
	})
	r.setPolicy(policy.Policy{Implicit: []string{"mail"}, KeepImplicit: true})
	g := r.withApp(ann, "word").Grant
	s := r.Session(ann, binding)
	_ = r.mail.notices()
	require.NoError(t, s.UseImplied(t.Context(), g, false))
	require.NoError(t, s.UseImplied(t.Context(), g, false), "twice is as once")
	require.Equal(t, []string{"implied.off to " + ann.Email}, r.mail.notices())
	ch := r.begin(ann)
	require.NotContains(t, kindsOf(ch), "mail")
	_, err := r.of(ch).Send(t.Context(), ch, "mail")
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	o, err := r.Overview(t.Context(), ann)
	require.NoError(t, err)
	require.True(t, o.ImpliedOff && o.CanTurnOffImplied)
	require.True(t, o.Factors[len(o.Factors)-1].TurnedOff)

	r.setPolicy(policy.Policy{Kinds: []string{"mail", "pin"}, Implicit: []string{"mail"},
		KeepImplicit: true})
	require.Contains(t, kindsOf(r.begin(ann)), "mail", "the app is no longer allowed")
	r.setPolicy(policy.Policy{Implicit: []string{"mail"}, KeepImplicit: true})
	require.NoError(t, s.UseImplied(t.Context(), g, true))
	require.Equal(t, []string{"implied.on to " + ann.Email}, r.mail.notices())
	require.Contains(t, kindsOf(r.begin(ann)), "mail")
	require.NoError(t, s.UseImplied(t.Context(), g, false))
	require.NoError(t, s.Remove(t.Context(), g, r.id("app")))
	require.Contains(t, kindsOf(r.begin(ann)), "mail", "there is nothing else")
}

// A PIN is no stronger than a code by mail.
func TestSessionUseImplied_NeedsSomethingStronger(t *testing.T) {
	r := newRig(t)
	r.setPolicy(policy.Policy{Implicit: []string{"mail"}, KeepImplicit: true})
	g := r.enroll(r.signInByMail(t).Grant, "pin", "1234").Grant
	require.ErrorIs(t, r.Session(ann, binding).UseImplied(t.Context(), g, false),
		mfa.ErrNotAvailable)
	require.NoError(t, r.Session(ann, binding).UseImplied(t.Context(), g, true), "as it is")
	o, err := r.Overview(t.Context(), ann)
	require.NoError(t, err)
	require.False(t, o.CanTurnOffImplied || o.ImpliedOff)
}

// What was allowed when the grant was made does not matter, but what the policy says now. What
// changes nothing is not written, and no event.
func TestSessionPrefer_GoesByThePolicyOfNow(t *testing.T) {
	r := newRig(t)
	r.setPolicy(policy.Policy{})
	g := r.setUp(ann, "app")
	s := r.Session(ann, binding)
	require.ErrorIs(t, s.Prefer(t.Context(), g, "mail"), mfa.ErrNotAvailable)
	require.NoError(t, s.UseImplied(t.Context(), g, true), "as it is")
	r.setPolicy(policy.Policy{Implicit: []string{"mail"}, KeepImplicit: true})
	for _, choose := range []func() error{
		func() error { return s.Prefer(t.Context(), g, "mail") },
		func() error { return s.UseImplied(t.Context(), g, false) },
	} {
		require.NoError(t, choose())
		writes, events := r.store.Calls(mfatest.OpSwap), r.eventNames()
		require.NoError(t, choose())
		require.Equal(t, writes, r.store.Calls(mfatest.OpSwap))
		require.Equal(t, events, r.eventNames())
	}
	require.ErrorIs(t, s.Prefer(t.Context(), g, "mail"), mfa.ErrNotAvailable, "it is turned off")
}

// Recovery codes are nothing to be asked for first, and a user with a factor that this process
// does not know cannot choose here.
func TestSessionPrefer_RefusesWhatIsNoChoice(t *testing.T) {
	r := newRig(t)
	g := r.withApp(ann, "word").Grant
	r.makeCodes(g)
	s := r.Session(ann, binding)
	require.ErrorIs(t, s.Prefer(t.Context(), g, "recovery"), mfa.ErrNotAvailable)
	require.NoError(t, s.Prefer(t.Context(), g, "app"))

	r = with(t, policy.Policy{})
	g = r.setUp(bea, "key")
	r.cfg.Factors = r.cfg.Factors[:4]
	err := r.another().Session(bea, binding).Prefer(t.Context(), g, "")
	require.ErrorIs(t, err, mfa.ErrKindNotConfigured)
}

// An address can be turned off only where the policy has one.
func TestOverview_OffersNoChoiceWithoutAnAddress(t *testing.T) {
	r := with(t, policy.Policy{KeepImplicit: true})
	r.setUp(bea, "app")
	o, err := r.Overview(t.Context(), bea)
	require.NoError(t, err)
	require.False(t, o.CanTurnOffImplied)
}
