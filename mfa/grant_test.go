package mfa_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

func TestGrant_PermitsWhatWasProven(t *testing.T) {
	r := newRig(t)
	weak := r.signIn(ann).Grant
	strong := r.enroll(weak, "app", "tulip").Grant

	_, err := r.begun(weak, "pin", "1234")
	require.ErrorIs(t, err, mfa.ErrForbidden, "proven by e-mail only, now that there is an app")
	require.ErrorIs(t, r.Session(ann, binding).Remove(t.Context(), weak, r.id("app")),
		mfa.ErrForbidden)
	_, err = r.Session(ann, binding).NewRecoveryCodes(t.Context(), weak)
	require.ErrorIs(t, err, mfa.ErrForbidden)
	weak = r.signIn(ann).Grant
	require.ErrorIs(t, r.Session(ann, binding).Rename(t.Context(), weak,
		mfa.FactorInfo{ID: r.id("app"), Name: "x"}), mfa.ErrForbidden,
		"a later e-mail is no more than that")

	ch := r.beginFor(ann, "manage")
	require.Len(t, ch.Options, 1, "managing asks for the strong kind only")
	require.NoError(t, r.Session(ann, binding).Rename(t.Context(), strong,
		mfa.FactorInfo{ID: r.id("app"), Name: "My phone"}))
	require.ErrorIs(t, r.Session(ann, "another session").Rename(t.Context(), strong,
		mfa.FactorInfo{ID: r.id("app"), Name: "x"}), mfa.ErrToken)
	o, err := r.Overview(t.Context(), ann)
	require.NoError(t, err)
	require.Equal(t, "My phone", o.Factors[0].Name)

	r.clock.Advance(5*time.Minute - time.Millisecond)
	require.NoError(t, r.Session(ann, binding).Rename(t.Context(), strong,
		mfa.FactorInfo{ID: r.id("app"), Name: "Phone"}))
	r.clock.Advance(time.Millisecond)
	require.ErrorIs(t, r.Session(ann, binding).Rename(t.Context(), strong,
		mfa.FactorInfo{ID: r.id("app"), Name: "x"}), mfa.ErrTokenExpired)
	require.ErrorIs(t, r.Session(ann, binding).Rename(t.Context(), mfa.Grant{},
		mfa.FactorInfo{ID: r.id("app"), Name: "x"}), mfa.ErrToken)
}

func (r *rig) id(kind string) string {
	r.t.Helper()
	o, err := r.Overview(r.t.Context(), ann)
	require.NoError(r.t, err)
	for _, f := range o.Factors {
		if f.Kind == kind && f.ID != "" {
			return f.ID
		}
	}
	r.t.Fatalf("no %s", kind)
	return ""
}

func TestGrant_IsForOneUser(t *testing.T) {
	r := newRig(t)
	r.withApp(ann, "tulip")
	bob := person(1)
	g := r.withApp(bob, "rose").Grant
	require.ErrorIs(t, r.Session(bob, binding).Remove(t.Context(), g, r.id("app")),
		mfa.ErrNotAvailable)
	_, err := r.verify(r.begin(ann), "app", secret.New("tulip"))
	require.NoError(t, err)
}

func TestGrant_OfAFirstEnrolmentPermitsNothingElse(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) { c.Policies = policy.Static(policy.Policy{}) })
	thief, owner := r.begin(ann), r.begin(ann)
	require.Equal(t, mfa.NextEnroll, owner.Next)
	_, err := r.Session(ann, binding).NewRecoveryCodes(t.Context(), thief.Grant)
	require.ErrorIs(t, err, mfa.ErrForbidden)
	pending, err := r.begun(thief.Grant, "pin", "1234")
	require.NoError(t, err)
	c := r.enroll(owner.Grant, "app", "tulip")
	require.NotNil(t, c.Verification)
	require.Equal(t, "sign-in", c.Verification.Purpose)
	_, err = r.begun(thief.Grant, "pin", "1234")
	require.ErrorIs(t, err, mfa.ErrForbidden, "there is a factor now")
	_, err = r.Session(ann, binding).Confirm(t.Context(), pending, secret.New("1234"))
	require.ErrorIs(t, err, mfa.ErrForbidden, "and what was begun before is not confirmed either")
}

// Confirming a weaker factor takes nothing away from the stronger proof that opened the
// enrolment, and adds no time to it.
func TestGrant_KeepsTheStrongerProof(t *testing.T) {
	r := newRig(t)
	strong := r.withApp(ann, "tulip")
	r.clock.Advance(2 * time.Minute)
	c := r.enroll(strong.Grant, "pin", "123456")
	require.Equal(t, strong.GrantExpires, c.GrantExpires)
	require.NoError(t, r.Session(ann, binding).Rename(t.Context(), c.Grant,
		mfa.FactorInfo{ID: r.id("app"), Name: "still"}))
	r.clock.Set(strong.GrantExpires)
	require.ErrorIs(t, r.Session(ann, binding).Rename(t.Context(), c.Grant,
		mfa.FactorInfo{ID: r.id("app"), Name: "x"}), mfa.ErrTokenExpired)

	v, err := r.verify(r.begin(ann), "app", secret.New("tulip"))
	require.NoError(t, err)
	e, err := r.begun(v.Grant, "pin", "654321")
	require.NoError(t, err)
	r.clock.Advance(6 * time.Minute) // the grant is over, the enrolment is not
	late, err := r.Session(ann, binding).Confirm(t.Context(), e, secret.New("654321"))
	require.NoError(t, err)
	require.ErrorIs(t, r.Session(ann, binding).Rename(t.Context(), late.Grant,
		mfa.FactorInfo{ID: r.id("app"), Name: "x"}), mfa.ErrTokenExpired)
}

// A removal goes by what the policy implies now, and not by what it did when the grant was made.
func TestRemove_GoesByThePolicyOfNow(t *testing.T) {
	r := with(t, policy.Policy{})
	g, s := r.setUp(ann, "app"), r.Session(ann, binding)
	id := r.factorID(ann, "app")
	require.ErrorIs(t, s.Remove(t.Context(), g, id), mfa.ErrLastFactor)
	r.setPolicy(policy.Policy{Implicit: []string{"mail"}})
	require.NoError(t, s.Remove(t.Context(), g, id))
	require.Equal(t, []string{"mail"}, kindsOf(r.begin(ann)))
}
