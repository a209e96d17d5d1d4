package mfa_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// Nothing is sent for a kind that makes its codes itself.
func TestSend_OfAKindThatSendsNothing(t *testing.T) {
	r := newRig(t)
	r.withApp(ann, "tulip")
	ch := r.begin(ann)
	_, err := r.Session(ann, binding).Send(t.Context(), ch, "app")
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
}

// The event of a rate limit is for nothing else that keeps a message back.
func TestSend_IsLimitedByLimitsAlone(t *testing.T) {
	r := newRig(t)
	ch := r.begin(ann)
	r.store.Inject(mfatest.OpSwap, -1, mfatest.Fault{Before: errors.New("down")})
	_, err := r.Session(ann, binding).Send(t.Context(), ch, "mail")
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.NotContains(t, r.eventNames(), "send.limited")
}

// masking is a sender that shows where it sends, keeps what it was asked, and may send no code.
type masking struct {
	*sent
	asked    atomic.Pointer[factor.IssueInput]
	wordless bool
	issuing  func()
}

func (s *masking) Enroll(
	ctx context.Context, in factor.EnrollInput,
) (*factor.EnrollOutput, error) {
	out, err := s.sent.Enroll(ctx, in)
	if err == nil {
		out.MaskedDestination = string(out.State[:1]) + "•••"
	}
	return out, err
}

func (s *masking) Issue(ctx context.Context, in factor.IssueInput) (*factor.Issue, error) {
	s.asked.Store(&in)
	if s.issuing != nil {
		s.issuing()
	}
	is, err := s.sent.Issue(ctx, in)
	if s.wordless && err == nil {
		is.Payload = secret.Text{}
	}
	return is, err
}

func maskingRig(t *testing.T, change ...func(*mfa.Config)) (*rig, *masking) {
	k := &masking{}
	return newRig(t, append([]func(*mfa.Config){func(c *mfa.Config) {
		k.sent = c.Factors[1].(*sent)
		c.Factors[1] = k
	}}, change...)...), k
}

// A message without a code, such as a question on the user's phone, is sent, and charged, as any
// other.
func TestSend_OfAMessageWithoutACode(t *testing.T) {
	r, k := maskingRig(t, func(c *mfa.Config) { c.RateLimits.PerUser = 1 })
	k.wordless = true
	ch := r.begin(ann)
	r.send(ch)
	require.Equal(t, 1, r.mail.sent)
	_, err := r.Session(ann, binding).Send(t.Context(), ch, "mail")
	_, limited := errors.AsType[*mfa.RateLimitError](err)
	require.True(t, limited, "got %v", err)
	require.Equal(t, 1, r.mail.sent)
}

// A factor is shown the user's instances only if they share a challenge, and only for one: a new
// instance is not one of them.
func TestSend_ShowsInstancesThatShareAChallenge(t *testing.T) {
	r, k := maskingRig(t)
	r.signIn(ann)
	require.Empty(t, k.asked.Load().Instances)

	s, key := keyRig(t)
	c := s.withKey(ann, "k1")
	_, _ = s.beginKey(c.Grant, "k2")
	require.True(t, key.asked.Load().Confirming)
	require.Empty(t, key.asked.Load().Instances)
}

// SendFirst says where the message went that was sent before, which may be another of the user's
// addresses.
func TestSendFirst_SaysWhereItWasSent(t *testing.T) {
	r, _ := maskingRig(t)
	g := r.signIn(ann).Grant
	ids := map[string]string{}
	for _, address := range []string{"b@example.com", "c@example.com"} {
		e, err := r.begun(g, "mail", address)
		require.NoError(t, err)
		c, err := r.Session(ann, binding).Confirm(t.Context(), e, r.mail.code(address))
		require.NoError(t, err)
		ids[address], g = c.Factor.ID, c.Grant
	}
	s, ch := r.Session(ann, binding), r.begin(ann)
	_, err := s.SendTo(t.Context(), ch, mfa.Option{Kind: "mail", FactorID: ids["b@example.com"]})
	require.NoError(t, err)
	d, err := s.SendFirst(t.Context(), ch, mfa.Option{Kind: "mail",
		FactorID: ids["c@example.com"]})
	require.NoError(t, err)
	require.Equal(t, "b•••", d.MaskedDestination)
}

// Another code is sent for an enrolment that is pending, and for none that has ended.
func TestResend_OfAnEnrolmentThatHasEnded(t *testing.T) {
	r := newRig(t)
	e, err := r.begun(r.signIn(ann).Grant, "mail", "second@example.com")
	require.NoError(t, err)
	s := r.Session(ann, binding)
	_, err = s.Confirm(t.Context(), e, r.mail.code("second@example.com"))
	require.NoError(t, err)
	_, err = s.Resend(t.Context(), e)
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
}

// An enrolment that the user confirms while another code is made for it gets no other code.
func TestResend_OfAnEnrolmentThatEndsMeanwhile(t *testing.T) {
	r := newRig(t)
	e, err := r.begun(r.signIn(ann).Grant, "mail", "second@example.com")
	require.NoError(t, err)
	s := r.Session(ann, binding)
	before := r.mail.sent
	r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Run: func(ctx context.Context, _ string) {
		_, err := s.Confirm(ctx, e, r.mail.code("second@example.com"))
		require.NoError(t, err)
	}})
	_, err = s.Resend(t.Context(), e)
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	require.Equal(t, before, r.mail.sent)
}

// A verification link is sent to a user who has enrolled. Without a record their factors are lost,
// and the link would begin anew.
func TestSendVerificationLink_ToAUserWhoHasEnrolled(t *testing.T) {
	r := newRig(t)
	r.withApp(ann, "tulip")
	u := enrolled(ann)
	u.EmailVerified = false
	_, err := r.Admin(boss, "").SendVerificationLink(t.Context(), u)
	require.NoError(t, err)
	lost := enrolled(person(1))
	lost.EmailVerified = false
	_, err = r.Admin(boss, "").SendVerificationLink(t.Context(), lost)
	require.ErrorIs(t, err, mfa.ErrRecordMissing)
}

// An address that can be sent to again ends the pause between two events about it.
func TestSend_EndsAWarningAboutTheAddress(t *testing.T) {
	r := newRig(t)
	bad := ann
	bad.Email = "ann@nowhere" // see sent.Implied
	warn := func() {
		_, err := r.Session(bad, binding).Begin(t.Context())
		require.ErrorIs(t, err, factor.ErrUndeliverable)
	}
	warn()
	n := len(r.eventNames())
	warn()
	require.Len(t, r.eventNames(), n, "one event a day")
	r.signIn(ann)
	r.clock.Advance(time.Hour)
	r.events = nil
	warn()
	require.Len(t, r.eventNames(), 1)
}

// No code goes to an address that the user has replaced while it was made.
func TestSend_OfAFactorThatChangesMeanwhile(t *testing.T) {
	r, k := maskingRig(t)
	g := r.withApp(ann, "word").Grant
	s := r.Session(ann, binding)
	own, err := s.Enroll(t.Context(), g, mfa.EnrollRequest{Kind: "mail"})
	require.NoError(t, err)
	c, err := s.Confirm(t.Context(), own, r.mail.code(ann.Email))
	require.NoError(t, err)
	e, err := r.changeAddress(c.Grant)
	require.NoError(t, err)
	ch, before := r.begin(ann), r.mail.sent
	k.issuing = func() {
		k.issuing = nil
		_, err := s.ConfirmAddress(t.Context(), e, r.mail.code(annsNext), stored)
		require.NoError(t, err)
	}
	_, err = s.Send(t.Context(), ch, "mail")
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.Equal(t, before, r.mail.sent)
}
