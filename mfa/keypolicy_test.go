package mfa_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

var hardware = policy.Policy{Mode: policy.ModeRequired, Kinds: []string{"key"}, Hardware: true,
	Passwordless: true}

func requireReason(t *testing.T, err error, reason string) {
	t.Helper()
	var p *factor.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, reason, p.Reason)
	require.NotErrorIs(t, err, mfa.ErrUnavailable)
}

// A key that the policy does not allow is not enrolled. Nothing is counted, and the claim on its
// credential ends, so that it can be enrolled where it is allowed.
func TestKeyPolicy_RefusesAnEnrolment(t *testing.T) {
	r, k := keyRig(t)
	r.set(hardware)
	_, err := r.addKey(r.begin(ann).Grant, "soft")
	requireReason(t, err, "key_not_allowed")
	require.Equal(t, "direct", k.asked.Load().Attestation)
	require.Equal(t, mfa.NextEnroll, r.begin(ann).Next)
	c, err := r.addKey(r.begin(ann).Grant, "hard")
	require.NoError(t, err)
	require.Equal(t, []string{"hwk", "mfa"}, c.Verification.AMR)
	v, err := r.respondAs(r.begin(ann), "hard", "")
	require.NoError(t, err)
	require.Equal(t, []string{"hwk", "mfa"}, v.AMR)
	require.Empty(t, k.asked.Load().Attestation, "a sign-in proves nothing about the key")

	r.set(policy.Policy{Kinds: []string{"key"}})
	_, err = r.addKey(v.Grant, "soft")
	requireReason(t, err, "key_not_allowed") // a grant keeps the policy that it was issued under
	v, err = r.respondAs(r.begin(ann), "hard", "")
	require.NoError(t, err)
	_, err = r.addKey(v.Grant, "soft")
	require.NoError(t, err)
}

// A user whose keys the policy allows no more proves one of them, with the password, and enrols
// another. The key signs in by no other way.
func TestKeyPolicy_MakesAKeyAProofForAnotherOnly(t *testing.T) {
	r, _ := keyRig(t)
	r.withKey(ann, "soft")
	r.set(hardware)
	_, err := r.answer(r.open(), "soft", "", ann)
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	for _, purpose := range []string{"sign-in", "step-up"} {
		ch := r.beginFor(ann, purpose)
		require.Equal(t, []string{"key"}, kindsOf(ch), purpose)
		_, err = r.respondTo(withPurpose(r.Session(ann, binding), purpose), ch, "soft", "")
		var enrol *mfa.EnrollmentRequiredError
		require.ErrorAs(t, err, &enrol, purpose)
		require.Equal(t, []string{"key"}, enrol.Kinds)
		if purpose == "sign-in" {
			continue
		}
		_, err = r.addKey(enrol.Grant, "hard")
		require.NoError(t, err)
	}
	_, err = r.respondAs(r.begin(ann), "soft", "")
	require.ErrorIs(t, err, factor.ErrIncorrect)
	_, err = r.answer(r.open(), "hard", "", ann)
	require.NoError(t, err)
}

// Beside a factor that the policy allows, a key that it does not allow does not sign in. It is
// still what the user has: a change needs it.
func TestKeyPolicy_SignsInByWhatIsAllowed(t *testing.T) {
	r, _ := keyRig(t)
	r.enroll(r.withKey(ann, "soft").Grant, "app", "tulip")
	both := hardware
	both.Kinds, both.NoDowngrade = []string{"key", "app"}, true
	r.set(both)
	require.Equal(t, []string{"app"}, kindsOf(r.begin(ann)))
	require.Equal(t, []string{"key"}, kindsOf(r.beginFor(ann, "manage")))
	_, err := r.verify(r.begin(ann), "app", secret.New("tulip"))
	require.NoError(t, err)
}

// The last factor that the policy allows stays, and one that it does not allow can go.
func TestKeyPolicy_KeepsTheLastAllowedKey(t *testing.T) {
	r, _ := keyRig(t)
	soft := r.withKey(ann, "soft")
	hard, err := r.addKey(soft.Grant, "hard")
	require.NoError(t, err)
	r.set(hardware)
	v, err := r.respondTo(r.Session(ann, binding).ManageFactors(), r.beginFor(ann, "manage"),
		"hard", "")
	require.NoError(t, err)
	s := r.Session(ann, binding)
	require.ErrorIs(t, s.Remove(t.Context(), v.Grant, hard.Factor.ID), mfa.ErrLastFactor)
	require.NoError(t, s.Remove(t.Context(), v.Grant, soft.Factor.ID))
}

// A key on a model that is found to be unsafe satisfies no requirement. Where there is none, it
// goes on.
func TestKeyPolicy_TrustsNoUnsafeModel(t *testing.T) {
	r, k := keyRig(t)
	r.withKey(ann, "hard")
	id := "hard"
	k.unsafe.Store(&id)
	_, err := r.respondAs(r.begin(ann), "hard", "")
	require.NoError(t, err)
	for name, p := range map[string]policy.Policy{"hardware": hardware,
		"bound":     {Kinds: []string{"key"}, DeviceBound: true},
		"certified": {Kinds: []string{"key"}, Certified: "L1"}} {
		r.set(p)
		_, err = r.respondAs(r.begin(ann), "hard", "")
		var enrol *mfa.EnrollmentRequiredError
		require.ErrorAs(t, err, &enrol, name)
	}
	id = "unsafe"
	_, err = r.addKey(r.signIn(person(1)).Grant, "unsafe")
	requireReason(t, err, "key_compromised")
}
