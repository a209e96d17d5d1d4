package mfa_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

// A recovery enrols a replacement of a kind that the policy allows, for a user whose own factor
// it no longer allows. Until the hold ends the replacement must not take the place of what the
// user had: the user still responds with it, and the one who recovered shuts nobody out.
func TestHold_TakesThePlaceOfNoBannedFactor(t *testing.T) {
	r := with(t, policy.Policy{})
	g := r.setUp(bea, "pin")
	_, err := r.Session(bea, binding).NewRecoveryCodes(t.Context(), g)
	require.NoError(t, err)
	r.setPolicy(policy.Policy{Mode: policy.ModeRequired, Kinds: []string{"app"}})

	v, err := r.verify(r.begin(bea), "recovery", secret.New("a"))
	require.NoError(t, err)
	c := r.enroll(v.Grant, "app", "thief")
	require.False(t, c.Factor.HeldUntil.IsZero())
	var kinds []string
	for _, o := range r.begin(bea).Options {
		kinds = append(kinds, o.Kind)
	}
	require.Contains(t, kinds, "pin", "what the user had still responds")
	_, err = r.verify(r.begin(bea), "pin", secret.New("bea pin"))
	var required *mfa.EnrollmentRequiredError
	require.ErrorAs(t, err, &required)
}
