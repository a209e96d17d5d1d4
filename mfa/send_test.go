package mfa_test

import (
	"context"
	"errors"
	"strings"
	"sync"
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

func TestSendFirst_SendsOnceForAChallenge(t *testing.T) {
	r := newRig(t)
	s, ch := r.Session(ann, binding), r.begin(ann)
	to := mfa.Option{Kind: "mail"}
	first, err := s.SendFirst(t.Context(), ch, to)
	require.NoError(t, err)
	code := r.mail.code(ann.Email)
	var list sync.WaitGroup
	for range 8 { // a reload, and a second tab
		list.Go(func() {
			again, err := s.SendFirst(context.WithoutCancel(t.Context()), ch, to)
			if err != nil || again.MaskedDestination != first.MaskedDestination ||
				!again.Expires.Equal(first.Expires) {
				t.Errorf("got %v, %v", again, err)
			}
		})
	}
	list.Wait()
	require.Equal(t, 1, strings.Count(strings.Join(r.eventNames(), " "), "send.success"))

	r.clock.Advance(5 * time.Minute)
	again, err := s.SendFirst(t.Context(), ch, to)
	require.NoError(t, err)
	require.Equal(t, first.Expires, again.Expires, "one that has expired is sent by request alone")
	_, err = s.SendTo(t.Context(), ch, to)
	require.NoError(t, err)
	require.NotEqual(t, code, r.mail.code(ann.Email))

	next, err := s.SendFirst(t.Context(), r.begin(ann), to)
	require.NoError(t, err, "another challenge")
	require.True(t, next.Expires.After(first.Expires))
	require.Equal(t, 3, strings.Count(strings.Join(r.eventNames(), " "), "send.success"))
}

func TestSendFirst_OfManyAtOnceSendsOne(t *testing.T) {
	r := newRig(t)
	s, ch := r.Session(ann, binding), r.begin(ann)
	together(16, func(int) {
		if _, err := s.SendFirst(context.WithoutCancel(t.Context()), ch,
			mfa.Option{Kind: "mail"}); err != nil {
			t.Errorf("got %v", err)
		}
	})
	require.Equal(t, 1, strings.Count(strings.Join(r.eventNames(), " "), "send.success"))
}

func TestSendFirst_HonoursLimitsAndLocks(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) { c.RateLimits.PerUser = 2 })
	to := mfa.Option{Kind: "mail"}
	for range 2 {
		_, err := r.Session(ann, binding).SendFirst(t.Context(), r.begin(ann), to)
		require.NoError(t, err)
	}
	_, err := r.Session(ann, binding).SendFirst(t.Context(), r.begin(ann), to)
	var over *mfa.RateLimitError
	require.ErrorAs(t, err, &over)
}
