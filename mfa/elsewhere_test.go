package mfa_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

// The mail is for the verified address of record, and has nothing that permits anything: no key,
// no code and no token.
func TestSendElsewhere_MailsNothingThatPermitsAnything(t *testing.T) {
	r := newRig(t)
	s := r.Session(ann, binding)
	e, err := s.Enroll(t.Context(), r.signIn(ann).Grant, mfa.EnrollRequest{Kind: "app",
		Params: map[string]secret.Text{"word": secret.New("the key")}})
	require.NoError(t, err)
	_ = r.mail.notices()
	d, err := s.SendElsewhere(t.Context(), e)
	require.NoError(t, err)
	require.Equal(t, "mail", d.Kind)
	require.Len(t, r.mail.told, 1)
	in := r.mail.told[0]
	require.Equal(t, "setup.elsewhere", in.Event)
	require.Equal(t, "app", in.Kind)
	require.Equal(t, ann.Email, string(in.State))
	require.True(t, in.Link.IsZero())
	require.True(t, in.Payload.IsZero())
	require.Contains(t, r.eventNames(), "send.success")

	unverified := ann
	unverified.EmailVerified = false
	_, err = r.Session(unverified, binding).SendElsewhere(t.Context(), e)
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	_, err = r.Session(ann, "another session").SendElsewhere(t.Context(), e)
	require.ErrorIs(t, err, mfa.ErrToken)
	r.clock.Advance(time.Hour)
	_, err = s.SendElsewhere(t.Context(), e)
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	require.Len(t, r.mail.told, 1)
}

func TestSendElsewhere_CountsAgainstTheUsersLimit(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) { c.RateLimits.PerUser = 3 })
	s := r.Session(ann, binding)
	e, err := s.Enroll(t.Context(), r.signIn(ann).Grant, mfa.EnrollRequest{Kind: "app",
		Params: map[string]secret.Text{"word": secret.New("the key")}})
	require.NoError(t, err)
	var limited *mfa.RateLimitError
	for range 4 {
		if _, err = s.SendElsewhere(t.Context(), e); err != nil {
			break
		}
	}
	require.ErrorAs(t, err, &limited)
	_, err = s.SendElsewhere(t.Context(), e)
	require.ErrorAs(t, err, &limited)
}
