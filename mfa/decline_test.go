package mfa_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
)

// What a user has declined is in the record, for every browser and process, and outlives a reset.
func TestDecline_IsRemembered(t *testing.T) {
	g := newRig(t)
	ctx := t.Context()
	s := g.Session(ann, "s-1")
	require.NoError(t, s.Decline(ctx, "app"))
	o, err := g.Overview(ctx, ann)
	require.NoError(t, err)
	require.Equal(t, map[string]time.Time{"app": g.clock.Now()}, o.Declined)

	g.clock.Advance(time.Hour)
	require.NoError(t, s.Decline(ctx, "app"))
	require.NoError(t, g.Admin(mfa.System("root"), "").Reset(ctx, ann))
	o, err = g.Overview(ctx, ann)
	require.NoError(t, err)
	require.Equal(t, map[string]time.Time{"app": g.clock.Now()}, o.Declined)

	require.NoError(t, s.Decline(ctx, "pin"))
	o, err = g.Overview(ctx, ann)
	require.NoError(t, err)
	require.Equal(t, map[string]time.Time{"app": g.clock.Now(), "pin": g.clock.Now()}, o.Declined)

	require.ErrorIs(t, s.Decline(ctx, "unknown"), mfa.ErrNotAvailable)
	lost := ann
	lost.ID, lost.Enrolled = "lost", true
	require.ErrorIs(t, g.Session(lost, "s-1").Decline(ctx, "app"), mfa.ErrRecordMissing)
}
