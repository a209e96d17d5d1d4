package mfa_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
)

// patient is a store that completes its writes also for a caller who has gone.
type patient struct{ *mfatest.FaultyStore }

func (s patient) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	return s.FaultyStore.Swap(context.WithoutCancel(ctx), key, old, next)
}

// A factor that refuses because the caller has gone has not verified the response, which is not
// counted. What it accepted, it has.
func TestVerify_CountsNothingForACallerWhoHasGone(t *testing.T) {
	for word, correct := range map[string]bool{"word": true, "wrong": false} {
		r := newRig(t)
		r.withApp(ann, "word")
		ch := r.begin(ann)
		r.cfg.Store = patient{r.store}
		ctx, cancel := context.WithCancel(t.Context())
		r.app.verify = func(factor.VerifyInput) { cancel() }
		v, err := r.another().Session(ann, binding).Verify(ctx, ch, "app", secret.New(word))
		require.Equal(t, correct, v != nil)
		if !correct {
			require.ErrorIs(t, err, mfa.ErrUnavailable)
		}
		require.Empty(t, r.record(ann).Lockout.Kinds)
	}
}

// A factor learns when what it issued was issued, and until when it is valid.
func TestVerify_SaysWhenTheCodeWasIssued(t *testing.T) {
	r := newApprovalRig(t)
	ch := r.begin(ann)
	r.clock.Advance(time.Minute)
	_, err := r.Session(ann, binding).Send(t.Context(), ch, "push")
	require.NoError(t, err)
	issued := r.clock.Now()
	r.clock.Advance(time.Second)
	_, err = r.verify(ch, "push", secret.New(""))
	require.ErrorIs(t, err, factor.ErrPending)
	in := r.push.asked[len(r.push.asked)-1]
	require.Equal(t, []time.Time{issued, issued.Add(90 * time.Second), issued.Add(time.Second)},
		[]time.Time{in.IssuedAt, in.Expires, in.Now})
}
