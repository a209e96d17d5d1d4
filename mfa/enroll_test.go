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
)

func (r *rig) begun(g mfa.Grant, kind, value string) (*mfa.Enrollment, error) {
	return r.Enroll(r.t.Context(), mfa.EnrollRequest{Grant: g, Binding: binding, Kind: kind,
		Params: map[string]factor.Secret{"word": factor.NewSecret(value), "address": factor.NewSecret(value)}})
}

func TestPendingEnrolmentChangesNothing(t *testing.T) {
	r := newRig(t)
	g := r.withApp(ann, "tulip").Grant
	e, err := r.begun(g, "app", "rose")
	require.NoError(t, err)
	require.Equal(t, "rose", e.Prompt.Secret.Reveal())
	_, err = r.verify(r.begin(ann), "app", factor.NewSecret("rose"))
	require.ErrorIs(t, err, factor.ErrIncorrect)
	_, err = r.verify(r.begin(ann), "app", factor.NewSecret("tulip"))
	require.NoError(t, err)

	r.clock.Advance(15 * time.Minute)
	_, err = r.Confirm(t.Context(), mfa.ConfirmRequest{Token: e.Token, Binding: binding, Response: factor.NewSecret("rose")})
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
}

func TestConfirmWorksOnce(t *testing.T) {
	r := newRig(t)
	e, err := r.begun(r.signIn(ann).Grant, "app", "tulip")
	require.NoError(t, err)
	var wins atomic.Int32
	together(64, func(int) {
		_, err := r.Confirm(context.Background(), mfa.ConfirmRequest{Token: e.Token, Binding: binding, Response: factor.NewSecret("tulip")})
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
	_, err = r.Confirm(t.Context(), mfa.ConfirmRequest{Token: e.Token, Binding: binding, Response: first})
	require.ErrorIs(t, err, factor.ErrExpired)
	_, err = r.ResendEnrollment(t.Context(), e.Token, binding)
	require.NoError(t, err)
	_, err = r.Confirm(t.Context(), mfa.ConfirmRequest{Token: e.Token, Binding: binding, Response: first})
	requireUncounted(t, err)
	code := r.mail.code("second@example.com")
	_, err = r.Confirm(t.Context(), mfa.ConfirmRequest{Token: e.Token, Binding: binding, Response: code})
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
	require.ErrorIs(t, r.Remove(t.Context(), weak, binding, r.id("app")), mfa.ErrForbidden)
	_, err = r.RegenerateRecoveryCodes(t.Context(), weak, binding)
	require.ErrorIs(t, err, mfa.ErrForbidden)
	weak = r.signIn(ann).Grant
	require.ErrorIs(t, r.Rename(t.Context(), weak, binding, r.id("app"), "x"), mfa.ErrForbidden, "a later e-mail is no more than that")

	ch := r.beginFor(ann, mfa.PurposeManage)
	require.Len(t, ch.Options, 1, "managing asks for the strong kind only")
	require.NoError(t, r.Rename(t.Context(), strong, binding, r.id("app"), "My phone"))
	require.ErrorIs(t, r.Rename(t.Context(), strong, "another session", r.id("app"), "x"), mfa.ErrToken)
	o, err := r.Overview(t.Context(), ann)
	require.NoError(t, err)
	require.Equal(t, "My phone", o.Factors[0].Name)

	r.clock.Advance(5*time.Minute - time.Millisecond)
	require.NoError(t, r.Rename(t.Context(), strong, binding, r.id("app"), "Phone"))
	r.clock.Advance(time.Millisecond)
	require.ErrorIs(t, r.Rename(t.Context(), strong, binding, r.id("app"), "x"), mfa.ErrTokenExpired)
	require.ErrorIs(t, r.Rename(t.Context(), mfa.Grant{}, binding, r.id("app"), "x"), mfa.ErrToken)
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
	require.ErrorIs(t, r.Remove(t.Context(), g, binding, r.id("app")), mfa.ErrNotAvailable)
	_, err := r.verify(r.begin(ann), "app", factor.NewSecret("tulip"))
	require.NoError(t, err)
}

func TestFirstEnrolmentGrantOpensNothingElse(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) { c.Policies = policy.Static(policy.Policy{}) })
	thief, owner := r.begin(ann), r.begin(ann)
	require.Equal(t, mfa.NextEnroll, owner.Next)
	_, err := r.RegenerateRecoveryCodes(t.Context(), thief.Grant, binding)
	require.ErrorIs(t, err, mfa.ErrForbidden)
	pending, err := r.begun(thief.Grant, "pin", "1234")
	require.NoError(t, err)
	c := r.enroll(owner.Grant, "app", "tulip")
	require.NotNil(t, c.Verification)
	require.Equal(t, mfa.PurposeSignIn, c.Verification.Purpose)
	_, err = r.begun(thief.Grant, "pin", "1234")
	require.ErrorIs(t, err, mfa.ErrForbidden, "there is a factor now")
	_, err = r.Confirm(t.Context(), mfa.ConfirmRequest{Token: pending.Token, Binding: binding, Response: factor.NewSecret("1234")})
	require.ErrorIs(t, err, mfa.ErrForbidden, "and what was begun before is not confirmed either")
}

func TestRecovery(t *testing.T) {
	r := newRig(t)
	g := r.withApp(ann, "tulip").Grant
	e, err := r.RegenerateRecoveryCodes(t.Context(), g, binding)
	require.NoError(t, err)
	require.Len(t, e.Prompt.Codes, 5)
	require.NotNil(t, e.Confirmed)
	require.Empty(t, e.Confirmed.Grant)

	ch := r.begin(ann)
	require.Equal(t, "recovery", ch.Options[len(ch.Options)-1].Kind, "recovery comes last")
	v, err := r.verify(ch, "recovery", factor.NewSecret("b"))
	require.NoError(t, err)
	require.Equal(t, 4, v.RecoveryCodesRemaining)
	require.Equal(t, 1, v.AssuranceLevel)
	_, err = r.verify(r.begin(ann), "recovery", factor.NewSecret("b"))
	require.ErrorIs(t, err, factor.ErrIncorrect)

	// What it opens is the replacement of what was lost, and nothing else.
	require.ErrorIs(t, r.Remove(t.Context(), v.Grant, binding, r.id("app")), mfa.ErrForbidden)
	_, err = r.RegenerateRecoveryCodes(t.Context(), v.Grant, binding)
	require.ErrorIs(t, err, mfa.ErrForbidden)
	p, err := r.begun(v.Grant, "app", "rose")
	require.NoError(t, err)
	_, err = r.verify(r.begin(ann), "app", factor.NewSecret("tulip"))
	require.NoError(t, err, "the old device works until the new one is confirmed")
	_, err = r.Confirm(t.Context(), mfa.ConfirmRequest{Token: p.Token, Binding: binding, Response: factor.NewSecret("rose")})
	require.NoError(t, err)
	require.Contains(t, r.eventNames(), "recovery.replacement")
	_, err = r.verify(r.begin(ann), "app", factor.NewSecret("rose"))
	require.NoError(t, err)
	r.clock.Advance(24*time.Hour - time.Millisecond)
	_, err = r.verify(r.begin(ann), "app", factor.NewSecret("tulip"))
	require.ErrorIs(t, err, factor.ErrReplayed, "the old one is there until the hold ends")
	r.clock.Advance(time.Millisecond)
	_, err = r.verify(r.begin(ann), "app", factor.NewSecret("tulip"))
	require.ErrorIs(t, err, factor.ErrIncorrect, "and then stops")

	_, err = r.verify(r.begin(ann), "recovery", factor.NewSecret("a"))
	require.NoError(t, err)
	require.Contains(t, r.eventNames(), "recovery.low")
}

func TestReplaceFactorAsksForRecoveryOnly(t *testing.T) {
	r := newRig(t)
	g := r.withApp(ann, "tulip").Grant
	_, err := r.Begin(t.Context(), mfa.BeginRequest{User: ann, Binding: binding, Purpose: mfa.PurposeRecover})
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	_, err = r.RegenerateRecoveryCodes(t.Context(), g, binding)
	require.NoError(t, err)
	ch := r.beginFor(ann, mfa.PurposeRecover)
	require.Len(t, ch.Options, 1)
	require.Equal(t, factor.ClassRecovery, ch.Options[0].Class)
}

func TestSingleKindReplacesItself(t *testing.T) {
	r := newRig(t)
	g := r.enroll(r.signIn(ann).Grant, "pin", "first").Grant
	r.enroll(g, "pin", "second")
	_, err := r.verify(r.begin(ann), "pin", factor.NewSecret("first"))
	require.ErrorIs(t, err, factor.ErrIncorrect)
	_, err = r.verify(r.begin(ann), "pin", factor.NewSecret("second"))
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
	for _, w := range []factor.Secret{factor.NewSecret("a"), factor.NewSecret("c"), factor.NewSecret("e")} {
		_, err := r.verify(r.begin(ann), "app", w)
		require.NoError(t, err, "an answer is judged against all of the kind")
	}
	_, err = r.verify(r.begin(ann), "app", factor.NewSecret("wrong"))
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
	d, err := r.SendConfirmation(t.Context(), mfa.AdminRequest{User: s, Actor: mfa.System("root")})
	require.NoError(t, err)
	require.Equal(t, r.clock.Now().Add(24*time.Hour), d.Expires)
	require.Empty(t, r.mail.code(ann.Email), "no code that nobody could enter")
	link := mfa.LinkToken{Secret: factor.NewSecret(r.mail.link[ann.Email])}
	require.Equal(t, mfa.NextEnroll, r.begin(s).Next)

	r.clock.Advance(24*time.Hour - time.Millisecond)
	c, err := r.Confirm(t.Context(), mfa.ConfirmRequest{Link: link})
	require.NoError(t, err)
	require.Empty(t, c.Grant, "a link opens nothing")
	require.Equal(t, mfa.NextVerify, r.begin(s).Next, "the address is confirmed, so it is an implicit factor")
	_, err = r.Confirm(t.Context(), mfa.ConfirmRequest{Link: link})
	require.ErrorIs(t, err, mfa.ErrTokenExpired)

	// The address changes: the old one stays good until the new one is confirmed.
	s.Email = "new@example.com"
	_, err = r.SendConfirmation(t.Context(), mfa.AdminRequest{User: s, Actor: mfa.System("root")})
	require.NoError(t, err)
	r.send(r.begin(s))
	require.NotEmpty(t, r.mail.code(ann.Email))
	_, err = r.Confirm(t.Context(), mfa.ConfirmRequest{Link: mfa.LinkToken{Secret: factor.NewSecret(r.mail.link["new@example.com"])}})
	require.NoError(t, err)
	before := r.mail.code(ann.Email)
	r.send(r.begin(s))
	require.Equal(t, before, r.mail.code(ann.Email), "nothing goes to the old address any more")
	require.NotEmpty(t, r.mail.code("new@example.com"))

	late, err := r.SendConfirmation(t.Context(), mfa.AdminRequest{User: s, Actor: mfa.System("root")})
	require.NoError(t, err)
	r.clock.Set(late.Expires)
	_, err = r.Confirm(t.Context(), mfa.ConfirmRequest{Link: mfa.LinkToken{Secret: factor.NewSecret(r.mail.link["new@example.com"])}})
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
		_, err := r.Send(t.Context(), mfa.SendRequest{Challenge: ch.Token, Binding: binding, Kind: "mail"})
		var over *mfa.RateLimitError
		require.ErrorAs(t, err, &over)
		require.Equal(t, 58*time.Minute, over.RetryAfter)
		_, err = r.verify(ch, "mail", code)
		require.NoError(t, err, "a refused resend leaves the code before it good")
		r.clock.Advance(over.RetryAfter - time.Millisecond)
		_, err = r.Send(t.Context(), mfa.SendRequest{Challenge: r.begin(ann).Token, Binding: binding, Kind: "mail"})
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
		_, err := r.Send(t.Context(), mfa.SendRequest{Challenge: r.begin(twin).Token, Binding: binding, Kind: "mail"})
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
		_, err := r.Send(t.Context(), mfa.SendRequest{Challenge: r.begin(person(3)).Token, Binding: binding, Kind: "mail"})
		var over *mfa.RateLimitError
		require.ErrorAs(t, err, &over)
	})
}

func TestFailedDeliveryIsUnavailable(t *testing.T) {
	r := newRig(t)
	r.mail.fail = errors.New("provider is down")
	_, err := r.Send(t.Context(), mfa.SendRequest{Challenge: r.begin(ann).Token, Binding: binding, Kind: "mail"})
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.Contains(t, r.eventNames(), "send.failed")
	r.mail.fail = nil
	r.signIn(ann)
}

func TestOverviewHoldsNoSecret(t *testing.T) {
	r := newRig(t)
	g := r.withApp(ann, "tulip").Grant
	_, err := r.RegenerateRecoveryCodes(t.Context(), g, binding)
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
		c, err := r.Confirm(t.Context(), mfa.ConfirmRequest{Token: e.Token, Binding: binding, Response: r.mail.code(address)})
		require.NoError(t, err)
		ids[address], g = c.Factor.ID, c.Grant
		r.clock.Advance(time.Second)
	}
	for _, address := range []string{"b@example.com", "c@example.com", "b@example.com"} {
		ch := r.begin(ann)
		_, err := r.Send(t.Context(), mfa.SendRequest{Challenge: ch.Token, Binding: binding, Kind: "mail", FactorID: ids[address]})
		require.NoError(t, err)
		v, err := r.verify(ch, "mail", r.mail.code(address))
		require.NoError(t, err)
		require.Equal(t, ids[address], v.FactorID)
		r.clock.Advance(time.Second)

		before := r.mail.code(address)
		r.send(r.begin(ann))
		require.NotEqual(t, before, r.mail.code(address), "the one used last is sent to")
	}
	_, err := r.Send(t.Context(), mfa.SendRequest{Challenge: r.begin(ann).Token, Binding: binding, Kind: "mail", FactorID: "nobody's"})
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
	require.NoError(t, r.Rename(t.Context(), c.Grant, binding, r.id("app"), "still"))
	r.clock.Set(strong.GrantExpires)
	require.ErrorIs(t, r.Rename(t.Context(), c.Grant, binding, r.id("app"), "x"), mfa.ErrTokenExpired)

	v, err := r.verify(r.begin(ann), "app", factor.NewSecret("tulip"))
	require.NoError(t, err)
	e, err := r.begun(v.Grant, "pin", "654321")
	require.NoError(t, err)
	r.clock.Advance(6 * time.Minute) // the grant is over, the enrolment is not
	late, err := r.Confirm(t.Context(), mfa.ConfirmRequest{Token: e.Token, Binding: binding, Response: factor.NewSecret("654321")})
	require.NoError(t, err)
	require.ErrorIs(t, r.Rename(t.Context(), late.Grant, binding, r.id("app"), "x"), mfa.ErrTokenExpired)
}
