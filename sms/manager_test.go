package sms_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
	"github.com/secondgate/secondgate/storage/memory"
)

const binding = "session"

var ann = mfa.User{ID: "ann", Locale: "nl"}

func newManager(
	t *testing.T, f *sms.Factor, clock mfa.Clock, events func(context.Context, mfa.Event),
) *mfa.Manager {
	t.Helper()
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	m, err := mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Factors: []factor.Factor{f},
		Clock: clock, Events: events})
	require.NoError(t, err)
	return m
}

func enrolment(t *testing.T, m *mfa.Manager, number string) (*mfa.Enrollment, error) {
	t.Helper()
	ch, err := m.Session(ann, binding).Begin(t.Context())
	require.NoError(t, err)
	return m.Session(ann, binding).Enroll(t.Context(), ch.Grant, mfa.EnrollRequest{Kind: sms.Kind,
		Params: map[string]secret.Text{"number": secret.New(number)}})
}

func code(m sms.Message) secret.Text { return secret.New(m.Text[:6]) }

// TestManager_SignsInByText walks a number through registration and sign-in, to the last moment of
// a code and past it.
func TestManager_SignsInByText(t *testing.T) {
	box := &outbox{}
	clock := mfatest.NewClock(now)
	m := newManager(t, newFactor(t, config(box)), clock, nil)

	e, err := enrolment(t, m, "+31 6 1234 5678")
	require.NoError(t, err)
	require.Equal(t, "+31 •••••5678", e.Prompt.MaskedDestination)
	require.Len(t, box.sent, 1)
	require.Contains(t, box.sent[0].Text, "is je code voor Acme")
	require.Equal(t, 90*time.Second, box.sent[0].TTL)
	_, err = m.Session(ann, binding).Confirm(t.Context(), e, code(box.sent[0]))
	require.NoError(t, err)

	for _, c := range []struct {
		after time.Duration
		want  error
	}{{90*time.Second - time.Millisecond, nil}, {90 * time.Second, factor.ErrExpired}} {
		ch, err := m.Session(ann, binding).Begin(t.Context())
		require.NoError(t, err)
		require.Equal(t, mfa.NextVerify, ch.Next)
		d, err := m.Session(ann, binding).Send(t.Context(), ch, sms.Kind)
		require.NoError(t, err)
		require.Equal(t, "+31 •••••5678", d.MaskedDestination)
		clock.Advance(c.after)
		v, err := m.Session(ann, binding).Verify(t.Context(), ch, sms.Kind,
			code(box.sent[len(box.sent)-1]))
		if c.want != nil {
			require.ErrorIs(t, err, c.want)
			continue
		}
		require.NoError(t, err)
		require.Contains(t, v.AMR, "sms")
		require.Equal(t, 2, v.AssuranceLevel)
	}
}

// A code that many send in at once is accepted once.
func TestManager_AcceptsACodeOnce(t *testing.T) {
	box := &outbox{}
	m := newManager(t, newFactor(t, config(box)), mfatest.NewClock(now), nil)
	e, err := enrolment(t, m, "+31612345678")
	require.NoError(t, err)
	_, err = m.Session(ann, binding).Confirm(t.Context(), e, code(box.sent[0]))
	require.NoError(t, err)
	ch, err := m.Session(ann, binding).Begin(t.Context())
	require.NoError(t, err)
	_, err = m.Session(ann, binding).Send(t.Context(), ch, sms.Kind)
	require.NoError(t, err)

	var successes atomic.Int32
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			_, err := m.Session(ann, binding).Verify(context.Background(), ch, sms.Kind,
				code(box.sent[1]))
			if err == nil {
				successes.Add(1)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, successes.Load())
}

// What the factor and the sender say can be found by the
// application, and none of it shows the number.
func TestManager_ReasonsShowNoNumber(t *testing.T) {
	box := &outbox{err: &sms.SendError{Reason: "number", Code: 400, ProviderCode: "21614"}}
	cfg := config(box)
	cfg.Allow = []string{"+31"}
	var events []mfa.Event
	m := newManager(t, newFactor(t, cfg), mfatest.NewClock(now),
		func(_ context.Context, e mfa.Event) {
			events = append(events, e)
		})

	_, err := enrolment(t, m, "+12015550123")
	var p *factor.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, "number_country", p.Reason)

	_, err = enrolment(t, m, "+31612345678")
	var s *sms.SendError
	require.ErrorAs(t, err, &s)
	require.Equal(t, "number", s.Reason)
	require.True(t, errors.Is(err, mfa.ErrUnavailable))
	for _, text := range []string{err.Error(), encoded(events), logged(events)} {
		if strings.Contains(text, "612345678") {
			t.Errorf("the number shows in %s", text)
		}
	}
}
