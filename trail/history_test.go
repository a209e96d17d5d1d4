package trail_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
)

// The newest events about a user come back as they were, without those of others, the latest first.
func TestNewest_HasTheLatestEventsOfAUser(t *testing.T) {
	r := newRig(t)
	begun := time.Unix(1700000000, 0).UTC()
	event := func(i int) mfa.Event {
		return mfa.Event{Name: "lockout.locked", Kind: "totp", Purpose: "sign-in",
			Reason: "incorrect", UserID: "ann", Tenant: "acme", UserType: "staff", FactorID: "a",
			Write: int64(i), Actor: "carol", Note: "ticket", Remaining: -1,
			Time: begun.Add(time.Duration(i) * time.Second), LockedUntil: begun.Add(time.Hour)}
	}
	for i := range 7 {
		r.trail.Events(nil)(t.Context(), event(i))
		r.keep("bob")
	}
	r.trail.Events(nil)(t.Context(), mfa.Event{Name: "verify.success", UserID: "ann"})
	require.NoError(t, r.trail.Flush(t.Context()))

	ann := mfa.User{ID: "ann", Tenant: "acme"}
	newest := func(limit int) []mfa.Event {
		list, err := r.trail.Newest(t.Context(), ann, limit)
		require.NoError(t, err)
		return list
	}
	require.Equal(t, []mfa.Event{event(6), event(5), event(4)}, newest(3))
	require.Len(t, newest(100), 7, "another tenant has a user of that name")
	require.Empty(t, newest(0))
	require.Empty(t, newest(-1))
	require.NoError(t, r.trail.Erase(t.Context(), ann))
	require.Empty(t, newest(100), "what was erased")
}
