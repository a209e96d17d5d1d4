package mfa_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
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

// mute is mail that sends codes and no notices.
type mute struct{ factor.Challenger }

func (m mute) Implied(u factor.User) ([]byte, string, error) {
	return m.Challenger.(factor.Implier).Implied(u)
}

// Where nothing can be mailed, the caller gets an error, and no delivery.
func TestSendElsewhere_SaysThatNothingCanBeMailed(t *testing.T) {
	begun := func(r *rig) *mfa.Enrollment {
		e, err := r.begun(r.withApp(ann, "word").Grant, "app", "another")
		require.NoError(t, err)
		return e
	}
	r := newRig(t)
	e := begun(r)
	r.mail.fail = errors.New("mail server is down")
	d, err := r.Session(ann, binding).SendElsewhere(t.Context(), e)
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.Nil(t, d)
	require.Contains(t, r.eventNames(), "send.failed")
	r.mail.fail = nil
	d, err = r.Session(ann, binding).SendElsewhere(t.Context(), e)
	require.NoError(t, err)
	require.Equal(t, &mfa.Delivery{Kind: "mail", MaskedDestination: "•••"}, d)
	_, err = r.Session(at("ann@intranet"), binding).SendElsewhere(t.Context(), e)
	require.ErrorIs(t, err, factor.ErrUndeliverable)

	// A process without the kind, and one whose kind sends no notices.
	r.cfg.Policies = policy.Static(policy.Policy{})
	r.cfg.Factors = []factor.Factor{r.app, r.pin, codes{}}
	_, err = r.another().Session(ann, binding).SendElsewhere(t.Context(), e)
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	r.cfg.Factors = []factor.Factor{r.app, mute{r.mail}, r.pin, codes{}}
	_, err = r.another().Session(ann, binding).SendElsewhere(t.Context(), e)
	require.ErrorIs(t, err, mfa.ErrNotAvailable)

	// A user without an address, of whom the application says that it is verified.
	r = with(t, policy.Policy{})
	nowhere := mfa.User{ID: "nowhere", UserType: "employee", EmailVerified: true}
	e, err = r.Session(nowhere, binding).Enroll(t.Context(), r.begin(nowhere).Grant,
		words("app", "word")[0])
	require.NoError(t, err)
	_, err = r.Session(nowhere, binding).SendElsewhere(t.Context(), e)
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
}
