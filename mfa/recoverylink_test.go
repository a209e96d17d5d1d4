package mfa_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
)

// lettered is mail whose masked addresses are their first letters.
type lettered struct{ *sent }

func (m lettered) Implied(u factor.User) ([]byte, string, error) {
	state, _, err := m.sent.Implied(u)
	if state == nil {
		return nil, "", err
	}
	return state, u.Email[:1] + "•", err
}

// pager notifies users, and no address is one of it.
type pager struct {
	word
	told int
}

func (p *pager) Notify(context.Context, factor.Message) error {
	p.told++
	return nil
}

// A page says where a recovery link went: to the address of the account, or else to one that the
// user enrolled.
func TestSendRecoveryLink_SaysWhereItWent(t *testing.T) {
	paged := &pager{word: word{kind: "pager", traits: factor.Traits{Level: factor.LevelWeak}}}
	r := newRig(t, func(c *mfa.Config) {
		c.Factors[1] = lettered{c.Factors[1].(*sent)}
		c.Factors = append(c.Factors, paged)
		c.Policies = policy.Static(policy.Policy{})
	})
	g := r.setUp(ann, "pager")
	e, err := r.begun(g, "mail", "home@example.com")
	require.NoError(t, err)
	_, err = r.Session(ann, binding).Confirm(t.Context(), e, r.mail.code("home@example.com"))
	require.NoError(t, err)
	r.setUp(bea, "pager")
	for _, tc := range []struct {
		user   mfa.User
		masked string
		mails  int
	}{
		{ann, "a•", 2}, {mfa.User{ID: ann.ID, UserType: ann.UserType}, "h•", 1}, {bea, "", 0},
	} {
		paged.told, r.mail.told = 0, nil
		d, err := r.Admin(boss, "").SendRecoveryLink(t.Context(), tc.user)
		require.NoError(t, err)
		require.Equal(t, tc.masked, d.MaskedDestination)
		require.Equal(t, "pager", d.Kind, "the last that was reached")
		require.Len(t, r.mail.told, tc.mails)
		require.Equal(t, 1, paged.told)
	}
}
