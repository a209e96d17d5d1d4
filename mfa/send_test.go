package mfa_test

import (
	"errors"
	"testing"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/stretchr/testify/require"
)

func TestSend_HonoursRateLimits(t *testing.T) {
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

func TestSend_FailsWhenTheSenderDoes(t *testing.T) {
	r := newRig(t)
	r.mail.fail = errors.New("provider is down")
	_, err := r.Session(ann, binding).Send(t.Context(), r.begin(ann), "mail")
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.Contains(t, r.eventNames(), "send.failed")
	r.mail.fail = nil
	r.signIn(ann)
}

// A code counts for the instance it went to, and the one used last is sent to unless
// another is asked for.
func TestSendTo_OneOfSeveralDestinations(t *testing.T) {
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
		_, err := r.Session(ann, binding).SendTo(t.Context(), ch, mfa.Option{Kind: "mail",
			FactorID: ids[address]})
		require.NoError(t, err)
		v, err := r.verify(ch, "mail", r.mail.code(address))
		require.NoError(t, err)
		require.Equal(t, ids[address], v.FactorID)
		r.clock.Advance(time.Second)

		before := r.mail.code(address)
		r.send(r.begin(ann))
		require.NotEqual(t, before, r.mail.code(address), "the one used last is sent to")
	}
	_, err := r.Session(ann, binding).SendTo(t.Context(), r.begin(ann), mfa.Option{Kind: "mail",
		FactorID: "nobody's"})
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
}
