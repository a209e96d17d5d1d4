package mfa_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// The user is notified of requests for support once a day, however often they are made and
// closed in between, as long as the case is open.
func TestRequestSupport_NotifiesOnceADay(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) {
		c.Notify = func(ctx context.Context, send func(context.Context) error) { _ = send(ctx) }
	})
	r.withApp(ann, "word")
	_ = r.mail.notices()
	var told []string
	for range 5 {
		for range 10 {
			require.NoError(t, r.Session(ann, binding).RequestSupport(t.Context(), r.begin(ann),
				report.Case{}))
		}
		told = append(told, r.mail.notices()...)
		r.clock.Advance(5 * time.Hour)
	}
	require.Equal(t, []string{"support.requested to ann@example.com"}, told)
	r.clock.Advance(time.Hour)
	require.NoError(t, r.Session(ann, binding).RequestSupport(t.Context(), r.begin(ann),
		report.Case{}))
	require.Equal(t, told, r.mail.notices())
}

// A thousand challenges that are begun and abandoned send one notice and are a bounded number
// of writes, and do not end a challenge of the user's.
func TestAbandon_AThousandTimes(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) {
		c.Notify = func(ctx context.Context, send func(context.Context) error) { _ = send(ctx) }
	})
	r.withApp(ann, "word")
	_ = r.mail.notices()
	mine := r.begin(ann)
	r.clock.Advance(time.Second)
	writes := r.store.Calls(mfatest.OpSwap)
	for range 500 {
		ch := r.begin(ann)
		require.NoError(t, r.Session(ann, binding).Cancel(t.Context(), ch))
		_ = r.Session(ann, binding).Cancel(t.Context(), ch)
	}
	require.LessOrEqual(t, r.store.Calls(mfatest.OpSwap)-writes, 17)
	require.Len(t, r.mail.notices(), 1)
	_, err := r.verify(mine, "app", secret.New("word"))
	require.NoError(t, err)
	r.clock.Advance(time.Hour)
	ch := r.begin(ann)
	require.NoError(t, r.Session(ann, binding).Cancel(t.Context(), ch))
	err = r.Session(ann, binding).Cancel(t.Context(), ch)
	require.ErrorIs(t, err, mfa.ErrTokenExpired, "there is room again")
}
