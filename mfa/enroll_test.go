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
	return r.of(g).Enroll(r.t.Context(), g, mfa.EnrollRequest{Kind: kind, Params: map[string]secret.Text{"word": secret.New(value), "address": secret.New(value)}})
}

func TestPendingEnrolmentChangesNothing(t *testing.T) {
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

func TestConfirmWorksOnce(t *testing.T) {
	r := newRig(t)
	e, err := r.begun(r.signIn(ann).Grant, "app", "tulip")
	require.NoError(t, err)
	var wins atomic.Int32
	together(64, func(int) {
		_, err := r.Session(ann, binding).Confirm(context.Background(), e, secret.New("tulip"))
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

func TestSentEnrolment(t *testing.T) {
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

func TestGrantReachesAsFarAsItsProof(t *testing.T) {
	r := newRig(t)
	weak := r.signIn(ann).Grant
	strong := r.enroll(weak, "app", "tulip").Grant

	_, err := r.begun(weak, "pin", "1234")
	require.ErrorIs(t, err, mfa.ErrForbidden, "proven by e-mail only, now that there is an app")
	require.ErrorIs(t, r.Session(ann, binding).Remove(t.Context(), weak, r.id("app")), mfa.ErrForbidden)
	_, err = r.Session(ann, binding).NewRecoveryCodes(t.Context(), weak)
	require.ErrorIs(t, err, mfa.ErrForbidden)
	weak = r.signIn(ann).Grant
	require.ErrorIs(t, r.Session(ann, binding).Rename(t.Context(), weak, mfa.FactorInfo{ID: r.id("app"), Name: "x"}), mfa.ErrForbidden, "a later e-mail is no more than that")

	ch := r.beginFor(ann, "manage")
	require.Len(t, ch.Options, 1, "managing asks for the strong kind only")
	require.NoError(t, r.Session(ann, binding).Rename(t.Context(), strong, mfa.FactorInfo{ID: r.id("app"), Name: "My phone"}))
	require.ErrorIs(t, r.Session(ann, "another session").Rename(t.Context(), strong, mfa.FactorInfo{ID: r.id("app"), Name: "x"}), mfa.ErrToken)
	o, err := r.Overview(t.Context(), ann)
	require.NoError(t, err)
	require.Equal(t, "My phone", o.Factors[0].Name)

	r.clock.Advance(5*time.Minute - time.Millisecond)
	require.NoError(t, r.Session(ann, binding).Rename(t.Context(), strong, mfa.FactorInfo{ID: r.id("app"), Name: "Phone"}))
	r.clock.Advance(time.Millisecond)
	require.ErrorIs(t, r.Session(ann, binding).Rename(t.Context(), strong, mfa.FactorInfo{ID: r.id("app"), Name: "x"}), mfa.ErrTokenExpired)
	require.ErrorIs(t, r.Session(ann, binding).Rename(t.Context(), mfa.Grant{}, mfa.FactorInfo{ID: r.id("app"), Name: "x"}), mfa.ErrToken)
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

func TestAnothersGrantChangesOnlyTheirOwn(t *testing.T) {
	r := newRig(t)
	r.withApp(ann, "tulip")
	bob := person(1)
	g := r.withApp(bob, "rose").Grant
	require.ErrorIs(t, r.Session(bob, binding).Remove(t.Context(), g, r.id("app")), mfa.ErrNotAvailable)
	_, err := r.verify(r.begin(ann), "app", secret.New("tulip"))
	require.NoError(t, err)
}

func TestFirstEnrolmentGrantOpensNothingElse(t *testing.T) {
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

func TestRecovery(t *testing.T) {
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
	require.ErrorIs(t, r.Session(ann, binding).Remove(t.Context(), v.Grant, r.id("app")), mfa.ErrForbidden)
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

func TestReplaceFactorAsksForRecoveryOnly(t *testing.T) {
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

func TestSingleKindReplacesItself(t *testing.T) {
	r := newRig(t)
	g := r.enroll(r.signIn(ann).Grant, "pin", "first").Grant
	r.enroll(g, "pin", "second")
	_, err := r.verify(r.begin(ann), "pin", secret.New("first"))
	require.ErrorIs(t, err, factor.ErrIncorrect)
	_, err = r.verify(r.begin(ann), "pin", secret.New("second"))
	require.NoError(t, err)
}

func TestFiveOfAKindAndNotSix(t *testing.T) {
	r := newRig(t)
	g := r.signIn(ann).Grant
	for _, w := range []string{"a", "b", "c", "d", "e"} {
		g = r.enroll(g, "app", w).Grant
	}
	_, err := r.begun(g, "app", "f")
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	for _, w := range []secret.Text{secret.New("a"), secret.New("c"), secret.New("e")} {
		_, err := r.verify(r.begin(ann), "app", w)
		require.NoError(t, err, "an answer is judged against all of the kind")
	}
	_, err = r.verify(r.begin(ann), "app", secret.New("wrong"))
	require.Equal(t, 4, left(t, err), "and counts once")
}

func TestPolicyLimitsWhatMayBeEnrolled(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) {
		c.Policies = policy.Static(policy.Policy{Kinds: []string{"mail", "app"}, Implicit: []string{"mail"}})
	})
	_, err := r.begun(r.signIn(ann).Grant, "pin", "1234")
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
}

func TestConfirmationByLink(t *testing.T) {
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
	require.Equal(t, mfa.NextVerify, r.begin(s).Next, "the address is confirmed, so it is an implicit factor")
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

func TestSendBudgets(t *testing.T) {
	t.Run("per person", func(t *testing.T) {
		r := newRig(t, func(c *mfa.Config) { c.RateLimits.PerUser = 3 })
		ch := r.begin(ann)
		for range 3 {
			r.send(ch)
			r.clock.Advance(time.Minute)
		}
		code := r.mail.code(ann.Email)
		_, err := r.Session(ann, binding).Send(t.Context(), ch, "mail")
		var over *mfa.RateLimitError
		require.ErrorAs(t, err, &over)
		require.Equal(t, 58*time.Minute, over.RetryAfter)
		_, err = r.verify(ch, "mail", code)
		require.NoError(t, err, "a refused resend leaves the code before it good")
		r.clock.Advance(over.RetryAfter - time.Millisecond)
		_, err = r.Session(ann, binding).Send(t.Context(), r.begin(ann), "mail")
		require.ErrorAs(t, err, &over)
		r.clock.Advance(time.Millisecond)
		r.send(r.begin(ann))
	})
	t.Run("per destination", func(t *testing.T) {
		r := newRig(t, func(c *mfa.Config) { c.RateLimits.PerDestination = 2 })
		twin := ann
		twin.ID = "ann-2"
		r.send(r.begin(ann))
		r.send(r.begin(twin))
		_, err := r.Session(twin, binding).Send(t.Context(), r.begin(twin), "mail")
		var over *mfa.RateLimitError
		require.ErrorAs(t, err, &over)
		r.send(r.begin(person(1)))
		for key := range dump(t, r.store) {
			require.NotContains(t, key, "example.com", "a destination is in no key")
		}
	})
	t.Run("unconfirmed destination", func(t *testing.T) {
		r := newRig(t)
		for i := range 20 {
			_, err := r.begun(r.signIn(person(i)).Grant, "mail", "victim@example.com")
			require.NoError(t, err)
		}
		_, err := r.begun(r.signIn(person(99)).Grant, "mail", "victim@example.com")
		var over *mfa.RateLimitError
		require.ErrorAs(t, err, &over)
	})
	t.Run("per sender", func(t *testing.T) {
		r := newRig(t, func(c *mfa.Config) { c.RateLimits.PerKind = 2 })
		r.send(r.begin(person(1)))
		r.send(r.begin(person(2)))
		_, err := r.Session(person(3), binding).Send(t.Context(), r.begin(person(3)), "mail")
		var over *mfa.RateLimitError
		require.ErrorAs(t, err, &over)
	})
}

func TestFailedDeliveryIsUnavailable(t *testing.T) {
	r := newRig(t)
	r.mail.fail = errors.New("provider is down")
	_, err := r.Session(ann, binding).Send(t.Context(), r.begin(ann), "mail")
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.Contains(t, r.eventNames(), "send.failed")
	r.mail.fail = nil
	r.signIn(ann)
}

func TestOverviewHoldsNoSecret(t *testing.T) {
	r := newRig(t)
	g := r.withApp(ann, "tulip").Grant
	_, err := r.Session(ann, binding).NewRecoveryCodes(t.Context(), g)
	require.NoError(t, err)
	o, err := r.Overview(t.Context(), ann)
	require.NoError(t, err)
	require.Equal(t, 5, o.RecoveryCodesRemaining)
	require.Equal(t, []string{"app", "recovery", "mail"}, []string{o.Factors[0].Kind, o.Factors[1].Kind, o.Factors[2].Kind})
	require.Equal(t, r.clock.Now(), o.Factors[0].Created)
	require.True(t, o.Factors[2].Implicit)
	require.True(t, strings.HasPrefix(o.Factors[0].Name, "My"))
}

// A code counts for the instance it went to, and the one used last is sent to unless
// another is asked for.
func TestSeveralDestinations(t *testing.T) {
	r := newRig(t)
	g := r.signIn(ann).Grant
	ids := map[string]string{}
	for _, address := range []string{"b@example.com", "c@example.com"} {
		e, err := r.begun(g, "mail", address)
		require.NoError(t, err)
		c, err := r.Session(ann, binding).Confirm(t.Context(), e, r.mail.code(address))
		require.NoError(t, err)
		ids[address], g = c.Factor.ID, c.Grant
		r.clock.Advance(time.Second)
	}
	for _, address := range []string{"b@example.com", "c@example.com", "b@example.com"} {
		ch := r.begin(ann)
		_, err := r.Session(ann, binding).SendTo(t.Context(), ch, mfa.Option{Kind: "mail", FactorID: ids[address]})
		require.NoError(t, err)
		v, err := r.verify(ch, "mail", r.mail.code(address))
		require.NoError(t, err)
		require.Equal(t, ids[address], v.FactorID)
		r.clock.Advance(time.Second)

		before := r.mail.code(address)
		r.send(r.begin(ann))
		require.NotEqual(t, before, r.mail.code(address), "the one used last is sent to")
	}
	_, err := r.Session(ann, binding).SendTo(t.Context(), r.begin(ann), mfa.Option{Kind: "mail", FactorID: "nobody's"})
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
}

// Confirming a weaker factor takes nothing away from the stronger proof that opened the
// enrolment, and adds no time to it.
func TestGrantKeepsTheStrongerProof(t *testing.T) {
	r := newRig(t)
	strong := r.withApp(ann, "tulip")
	r.clock.Advance(2 * time.Minute)
	c := r.enroll(strong.Grant, "pin", "123456")
	require.Equal(t, strong.GrantExpires, c.GrantExpires)
	require.NoError(t, r.Session(ann, binding).Rename(t.Context(), c.Grant, mfa.FactorInfo{ID: r.id("app"), Name: "still"}))
	r.clock.Set(strong.GrantExpires)
	require.ErrorIs(t, r.Session(ann, binding).Rename(t.Context(), c.Grant, mfa.FactorInfo{ID: r.id("app"), Name: "x"}), mfa.ErrTokenExpired)

	v, err := r.verify(r.begin(ann), "app", secret.New("tulip"))
	require.NoError(t, err)
	e, err := r.begun(v.Grant, "pin", "654321")
	require.NoError(t, err)
	r.clock.Advance(6 * time.Minute) // the grant is over, the enrolment is not
	late, err := r.Session(ann, binding).Confirm(t.Context(), e, secret.New("654321"))
	require.NoError(t, err)
	require.ErrorIs(t, r.Session(ann, binding).Rename(t.Context(), late.Grant, mfa.FactorInfo{ID: r.id("app"), Name: "x"}), mfa.ErrTokenExpired)
}
