package mfa_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

// A link that verifies an address of a kind that this Manager does not have is refused. It stays
// valid for a Manager that has the kind.
func TestConfirmLink_OfAKindThatIsNotConfigured(t *testing.T) {
	r := newRig(t)
	s := ann
	s.EmailVerified = false
	_, err := r.Admin(boss, "").SendVerificationLink(t.Context(), s)
	require.NoError(t, err)
	link := secret.New(r.mail.link[ann.Email])
	all := r.cfg.Factors
	r.cfg.Factors = []factor.Factor{r.app, r.pin, codes{}}
	r.cfg.Policies = policy.Static(policy.Policy{Mode: policy.ModeRequired})
	other := r.another()
	before := dump(t, r.store)
	require.NotPanics(t, func() {
		_, err = other.ConfirmLink(t.Context(), link)
	})
	require.ErrorIs(t, err, mfa.ErrKindNotConfigured)
	require.Equal(t, before, dump(t, r.store))
	require.NotContains(t, r.eventNames(), "address.confirmed")

	r.cfg.Factors = all
	_, err = r.ConfirmLink(t.Context(), link)
	require.NoError(t, err)
}
