package mfa_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// What a user writes has bounds, and what is longer changes nothing.
func TestRequestSupport_BoundsWhatUsersWrite(t *testing.T) {
	r := newRig(t)
	ch, writes := r.begin(ann), r.store.Calls(mfatest.OpSwap)
	long := strings.Repeat("m", 501)
	for _, c := range []report.Case{{From: long[:65]}, {Message: long}, {From: "\xff"},
		{Message: "\xff"}} {
		err := r.Session(ann, binding).RequestSupport(t.Context(), ch, c)
		require.ErrorIs(t, err, factor.ErrMalformed)
	}
	require.Equal(t, writes, r.store.Calls(mfatest.OpSwap))
	want := report.Case{From: long[:64], Message: long[:500]}
	require.NoError(t, r.Session(ann, binding).RequestSupport(t.Context(), ch, want))
	list, err := r.Admin(boss, "").SupportCases(t.Context(), "")
	require.NoError(t, err)
	want.UserID, want.UserType, want.Account, want.Time = ann.ID, ann.UserType, ann.Email, testStart
	require.Equal(t, []report.Case{want}, list)
	require.Equal(t, []string{"challenge.begun", "support.requested"}, r.eventNames())
}

// A request is refused for a challenge that is used, while a lock leaves nothing to verify with,
// and beyond the user's limit. A refusal writes nothing.
func TestRequestSupport_RefusesAndWritesNothing(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) { c.RateLimits.PerUser = 2 })
	r.withApp(ann, "word") // by mail, which is one message
	ask := func() error {
		return r.Session(ann, binding).RequestSupport(t.Context(), r.begin(ann), report.Case{})
	}
	require.NoError(t, ask())
	writes := r.store.Calls(mfatest.OpSwap)
	var limited *mfa.RateLimitError
	require.ErrorAs(t, ask(), &limited)
	require.Equal(t, 61*time.Minute, limited.RetryAfter, "limits count whole minutes")
	require.ErrorIs(t, r.Session(ann, binding).RequestSupport(t.Context(), nil, report.Case{}),
		mfa.ErrToken)
	require.Equal(t, writes, r.store.Calls(mfatest.OpSwap))
	r.clock.Advance(limited.RetryAfter)
	for range 5 {
		_, err := r.verify(r.begin(ann), "app", secret.New("wrong"))
		require.ErrorIs(t, err, factor.ErrIncorrect)
	}
	writes = r.store.Calls(mfatest.OpSwap)
	require.Equal(t, 3*time.Minute, requireLocked(t, ask()).RetryAfter)
	require.Equal(t, writes, r.store.Calls(mfatest.OpSwap))
	r.clock.Advance(3 * time.Minute)
	require.NoError(t, ask())
}

// The notice of a request comes again after 24 hours, to the millisecond, counted from the notice
// before and not from the request before.
func TestRequestSupport_NotifiesAfterADay(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) {
		c.Notify = func(ctx context.Context, send func(context.Context) error) { _ = send(ctx) }
	})
	ask := func() int {
		require.NoError(t, r.Session(ann, binding).RequestSupport(t.Context(), r.begin(ann),
			report.Case{}))
		return len(r.mail.notices())
	}
	require.Equal(t, 1, ask())
	r.clock.Advance(day - time.Millisecond)
	require.Equal(t, 0, ask())
	r.clock.Advance(time.Millisecond)
	require.Equal(t, 1, ask())
	require.Equal(t, 0, ask())
	require.NoError(t, r.Admin(boss, "").CloseSupportCase(t.Context(), ann))
	require.Equal(t, 1, ask(), "the case is a new one")
}

// Reading the list and closing no case write nothing, and the cases of others stay in their order.
func TestSupportCases_ChangesOnlyWhatItMust(t *testing.T) {
	r := newRig(t)
	admin := r.Admin(boss, "")
	writes := r.store.Calls(mfatest.OpSwap) + r.store.Calls(mfatest.OpDelete)
	list, err := admin.SupportCases(t.Context(), "")
	require.NoError(t, err)
	require.Empty(t, list)
	require.EqualError(t, admin.CloseSupportCase(t.Context(), ann),
		"mfa: not available to this user: the user is not on the list")
	require.Equal(t, writes, r.store.Calls(mfatest.OpSwap)+r.store.Calls(mfatest.OpDelete))
	for i := range 4 {
		require.NoError(t, r.Session(person(i), binding).RequestSupport(t.Context(),
			r.begin(person(i)), report.Case{}))
		r.clock.Advance(time.Second)
	}
	require.NoError(t, r.Session(person(1), binding).RequestSupport(t.Context(),
		r.begin(person(1)), report.Case{}))
	writes = r.store.Calls(mfatest.OpSwap)
	require.ErrorIs(t, admin.CloseSupportCase(t.Context(), ann), mfa.ErrNotAvailable)
	require.Equal(t, "[p1 p3 p2 p0]", r.waiting())
	require.Equal(t, writes, r.store.Calls(mfatest.OpSwap))
	require.NoError(t, admin.CloseSupportCase(t.Context(), person(3)))
	require.Equal(t, "[p1 p2 p0]", r.waiting())
}

// waiting is the users who ask for help, the latest first.
func (r *rig) waiting() string {
	r.t.Helper()
	list, err := r.Admin(boss, "").SupportCases(r.t.Context(), "")
	require.NoError(r.t, err)
	var ids []string
	for _, c := range list {
		ids = append(ids, c.UserID)
	}
	return fmt.Sprint(ids)
}
