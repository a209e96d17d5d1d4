package mfa_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

func (r *rig) begun(g mfa.Grant, kind, value string) (*mfa.Enrollment, error) {
	return r.of(g).Enroll(r.t.Context(), g, mfa.EnrollRequest{Kind: kind,
		Params: map[string]secret.Text{"word": secret.New(value),
			"address": secret.New(value)}})
}

func TestEnroll_ChangesNothingUntilConfirmed(t *testing.T) {
	r := newRig(t)
	g := r.withApp(ann, "tulip").Grant
	e, err := r.begun(g, "app", "rose")
	require.NoError(t, err)
	require.Equal(t, "rose", e.Prompt.Secret.Reveal())
	_, err = r.verify(r.begin(ann), "app", secret.New("rose"))
	require.ErrorIs(t, err, factor.ErrIncorrect)
	_, err = r.verify(r.begin(ann), "app", secret.New("tulip"))
	require.NoError(t, err)

	r.clock.Advance(15 * time.Minute)
	_, err = r.Session(ann, binding).Confirm(t.Context(), e, secret.New("rose"))
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
}

func TestConfirm_WorksOnce(t *testing.T) {
	r := newRig(t)
	e, err := r.begun(r.signIn(ann).Grant, "app", "tulip")
	require.NoError(t, err)
	var wins atomic.Int32
	together(64, func(int) {
		_, err := r.Session(ann, binding).Confirm(context.Background(), e,
			secret.New("tulip"))
		if err == nil {
			wins.Add(1)
		} else if !errors.Is(err, mfa.ErrTokenExpired) {
			t.Errorf("got %v", err)
		}
	})
	require.EqualValues(t, 1, wins.Load())
	o, err := r.Overview(t.Context(), ann)
	require.NoError(t, err)
	require.Len(t, o.Factors, 2, "the app, and the implied address")
}

func TestEnroll_SendsTheFirstCode(t *testing.T) {
	r := newRig(t)
	e, err := r.begun(r.signIn(ann).Grant, "mail", "second@example.com")
	require.NoError(t, err)
	require.Equal(t, r.clock.Now().Add(90*time.Second), e.CodeExpires)
	first := r.mail.code("second@example.com")
	r.clock.Advance(2 * time.Minute)
	_, err = r.Session(ann, binding).Confirm(t.Context(), e, first)
	require.ErrorIs(t, err, factor.ErrExpired)
	_, err = r.Session(ann, binding).Resend(t.Context(), e)
	require.NoError(t, err)
	_, err = r.Session(ann, binding).Confirm(t.Context(), e, first)
	requireUncounted(t, err)
	code := r.mail.code("second@example.com")
	_, err = r.Session(ann, binding).Confirm(t.Context(), e, code)
	require.NoError(t, err)

	// The code that confirmed does not sign in.
	ch := r.begin(ann)
	_, err = r.verify(ch, "mail", code)
	require.ErrorIs(t, err, factor.ErrIncorrect)
}

func TestRecovery_EnrolsAReplacementOnly(t *testing.T) {
	r := newRig(t)
	g := r.withApp(ann, "tulip").Grant
	e, err := r.Session(ann, binding).NewRecoveryCodes(t.Context(), g)
	require.NoError(t, err)
	require.Len(t, e.Prompt.Codes, 5)
	require.NotNil(t, e.Confirmed)
	require.Empty(t, e.Confirmed.Grant)

	ch := r.begin(ann)
	require.Equal(t, "recovery", ch.Options[len(ch.Options)-1].Kind, "recovery comes last")
	v, err := r.verify(ch, "recovery", secret.New("b"))
	require.NoError(t, err)
	require.Equal(t, 4, v.RecoveryCodesRemaining)
	require.Equal(t, 1, v.AssuranceLevel)
	_, err = r.verify(r.begin(ann), "recovery", secret.New("b"))
	require.ErrorIs(t, err, factor.ErrIncorrect)

	// What it opens is the replacement of what was lost, and nothing else.
	require.ErrorIs(t, r.Session(ann, binding).Remove(t.Context(), v.Grant, r.id("app")),
		mfa.ErrForbidden)
	_, err = r.Session(ann, binding).NewRecoveryCodes(t.Context(), v.Grant)
	require.ErrorIs(t, err, mfa.ErrForbidden)
	p, err := r.begun(v.Grant, "app", "rose")
	require.NoError(t, err)
	_, err = r.verify(r.begin(ann), "app", secret.New("tulip"))
	require.NoError(t, err, "the old device works until the new one is confirmed")
	_, err = r.Session(ann, binding).Confirm(t.Context(), p, secret.New("rose"))
	require.NoError(t, err)
	require.Contains(t, r.eventNames(), "recovery.replacement")
	_, err = r.verify(r.begin(ann), "app", secret.New("rose"))
	require.NoError(t, err)
	r.clock.Advance(24*time.Hour - time.Millisecond)
	_, err = r.verify(r.begin(ann), "app", secret.New("tulip"))
	require.ErrorIs(t, err, factor.ErrReplayed, "the old one is there until the hold ends")
	r.clock.Advance(time.Millisecond)
	_, err = r.verify(r.begin(ann), "app", secret.New("tulip"))
	require.ErrorIs(t, err, factor.ErrIncorrect, "and then stops")

	_, err = r.verify(r.begin(ann), "recovery", secret.New("a"))
	require.NoError(t, err)
	require.Contains(t, r.eventNames(), "recovery.low")
}

func TestRecovery_OffersRecoveryKindsOnly(t *testing.T) {
	r := newRig(t)
	g := r.withApp(ann, "tulip").Grant
	_, err := r.Session(ann, binding).Recovery().Begin(t.Context())
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	_, err = r.Session(ann, binding).NewRecoveryCodes(t.Context(), g)
	require.NoError(t, err)
	ch := r.beginFor(ann, "replace")
	require.Len(t, ch.Options, 1)
	require.True(t, ch.Options[0].Recovery)
}

func TestConfirm_ReplacesTheOnlyOneOfItsKind(t *testing.T) {
	r := newRig(t)
	g := r.enroll(r.signIn(ann).Grant, "pin", "first").Grant
	r.enroll(g, "pin", "second")
	_, err := r.verify(r.begin(ann), "pin", secret.New("first"))
	require.ErrorIs(t, err, factor.ErrIncorrect)
	_, err = r.verify(r.begin(ann), "pin", secret.New("second"))
	require.NoError(t, err)
}

func TestEnroll_RefusesTheSixthOfAKind(t *testing.T) {
	r := newRig(t)
	g := r.signIn(ann).Grant
	for _, w := range []string{"a", "b", "c", "d", "e"} {
		g = r.enroll(g, "app", w).Grant
	}
	_, err := r.begun(g, "app", "f")
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	for _, w := range []secret.Text{secret.New("a"), secret.New("c"),
		secret.New("e")} {
		_, err := r.verify(r.begin(ann), "app", w)
		require.NoError(t, err, "an answer is judged against all of the kind")
	}
	_, err = r.verify(r.begin(ann), "app", secret.New("wrong"))
	require.Equal(t, 4, left(t, err), "and counts once")
}

func TestEnroll_RefusesKindsThatThePolicyBans(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) {
		c.Policies = policy.Static(policy.Policy{Kinds: []string{"mail", "app"},
			Implicit: []string{"mail"}})
	})
	_, err := r.begun(r.signIn(ann).Grant, "pin", "1234")
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
}

func TestConfirmLink_DoesNotSignIn(t *testing.T) {
	r := newRig(t)
	s := ann
	s.EmailVerified = false
	d, err := r.Admin(mfa.System("root"), "").SendVerificationLink(t.Context(), s)
	require.NoError(t, err)
	require.Equal(t, r.clock.Now().Add(24*time.Hour), d.Expires)
	require.Empty(t, r.mail.code(ann.Email), "no code that nobody could enter")
	link := secret.New(r.mail.link[ann.Email])
	require.Equal(t, mfa.NextEnroll, r.begin(s).Next)

	r.clock.Advance(24*time.Hour - time.Millisecond)
	c, err := r.ConfirmLink(t.Context(), link)
	require.NoError(t, err)
	require.Empty(t, c.Grant, "a link opens nothing")
	require.Equal(t, mfa.NextVerify, r.begin(s).Next,
		"the address is confirmed, so it is an implicit factor")
	_, err = r.ConfirmLink(t.Context(), link)
	require.ErrorIs(t, err, mfa.ErrTokenExpired)

	// The address changes: the old one stays good until the new one is confirmed.
	s.Email = "new@example.com"
	_, err = r.Admin(mfa.System("root"), "").SendVerificationLink(t.Context(), s)
	require.NoError(t, err)
	r.send(r.begin(s))
	require.NotEmpty(t, r.mail.code(ann.Email))
	_, err = r.ConfirmLink(t.Context(), secret.New(r.mail.link["new@example.com"]))
	require.NoError(t, err)
	before := r.mail.code(ann.Email)
	r.send(r.begin(s))
	require.Equal(t, before, r.mail.code(ann.Email), "nothing goes to the old address any more")
	require.NotEmpty(t, r.mail.code("new@example.com"))

	late, err := r.Admin(mfa.System("root"), "").SendVerificationLink(t.Context(), s)
	require.NoError(t, err)
	r.clock.Set(late.Expires)
	_, err = r.ConfirmLink(t.Context(), secret.New(r.mail.link["new@example.com"]))
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
}

func TestOverview_HoldsNoSecret(t *testing.T) {
	r := newRig(t)
	g := r.withApp(ann, "tulip").Grant
	_, err := r.Session(ann, binding).NewRecoveryCodes(t.Context(), g)
	require.NoError(t, err)
	o, err := r.Overview(t.Context(), ann)
	require.NoError(t, err)
	require.Equal(t, 5, o.RecoveryCodesRemaining)
	require.Equal(t, []string{"app", "recovery", "mail"}, []string{o.Factors[0].Kind,
		o.Factors[1].Kind, o.Factors[2].Kind})
	require.Equal(t, r.clock.Now(), o.Factors[0].Created)
	require.True(t, o.Factors[2].Implicit)
	require.True(t, strings.HasPrefix(o.Factors[0].Name, "My"))
}

// An enrolment says until when it can be confirmed and where its code went, and a code that is sent
// again says the same. The link in its message confirms it too.
func TestEnroll_SaysWhereTheCodeWent(t *testing.T) {
	r := newRig(t)
	s := r.Session(ann, binding)
	g := r.withApp(ann, "word").Grant
	for _, again := range []bool{false, true} {
		e, err := r.begun(g, "mail", "home@example.com")
		require.NoError(t, err)
		require.Equal(t, r.clock.Now().Add(15*time.Minute), e.Expires)
		require.Equal(t, "•••", e.Prompt.MaskedDestination)
		if again {
			d, err := s.Resend(t.Context(), e)
			require.NoError(t, err)
			require.Equal(t, &mfa.Delivery{Kind: "mail", MaskedDestination: "•••",
				Expires: r.clock.Now().Add(90 * time.Second)}, d)
		}
		c, err := r.ConfirmLink(t.Context(), secret.New(r.mail.link["home@example.com"]))
		require.NoError(t, err)
		require.Equal(t, "mail", c.Factor.Kind)
		require.NoError(t, s.Remove(t.Context(), g, c.Factor.ID))
	}
	e, err := r.begun(g, "app", "another")
	require.NoError(t, err)
	_, err = s.Resend(t.Context(), e)
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
}

// prompting sends codes, and shows something when it is enrolled.
type prompting struct{ *sent }

func (p prompting) Enroll(
	ctx context.Context, in factor.EnrollInput,
) (*factor.EnrollOutput, error) {
	out, err := p.sent.Enroll(ctx, in)
	if err == nil {
		out.Prompt.Data = []byte("shown")
	}
	return out, err
}

// What a factor shows when it is enrolled stays if its challenge shows nothing, and a factor is
// not asked for what the grant does not permit.
func TestEnroll_ShowsWhatTheFactorShows(t *testing.T) {
	post := &sent{kind: "post"}
	r := newRig(t, func(c *mfa.Config) { c.Factors = append(c.Factors, prompting{post}) })
	weak := r.signIn(ann).Grant
	g := r.withApp(ann, "word").Grant
	e, err := r.begun(g, "post", "home@example.com")
	require.NoError(t, err)
	require.Equal(t, []byte("shown"), e.Prompt.Data)
	_, err = r.Session(ann, binding).Enroll(t.Context(), weak, mfa.EnrollRequest{Kind: "app"})
	require.ErrorIs(t, err, mfa.ErrProofRequired, "and not that the word is missing")
}
