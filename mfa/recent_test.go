package mfa_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
)

// keeping keeps so many records from Begin to Verify.
func keeping(most int) func(*mfa.Config) {
	return func(c *mfa.Config) {
		c.RecentRecords, c.Policies = most, policy.Static(impliedMail)
	}
}

// accesses returns how many reads and writes something makes.
func (r *rig) accesses(do func()) []int {
	reads, writes := r.store.Calls(mfatest.OpGet), r.store.Calls(mfatest.OpSwap)
	do()
	return []int{r.store.Calls(mfatest.OpGet) - reads, r.store.Calls(mfatest.OpSwap) - writes}
}

// userNamed is a user like ann.
func userNamed(id string) mfa.User {
	u := ann
	u.ID, u.Email = id, id+"@example.com"
	return u
}

func TestRecentRecords_SaveTheReadOfVerify(t *testing.T) {
	for name, c := range map[string]struct {
		keep     int
		response string
		want     []int
	}{
		"none kept":           {0, "tulip", []int{1, 1}},
		"kept":                {10, "tulip", []int{0, 1}},
		"kept, and incorrect": {10, "rose", []int{0, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, keeping(c.keep))
			r.withApp(ann, "tulip")
			ch := r.begin(ann)
			require.Equal(t, c.want, r.accesses(func() {
				_, err := r.verify(ch, "app", secret.New(c.response))
				if c.response == "tulip" {
					require.NoError(t, err)
					return
				}
				require.Equal(t, 4, left(t, err))
			}))
			require.Equal(t, []int{1, 0}, r.accesses(func() { r.begin(ann) }), "Begin reads")
		})
	}
}

// What the record that Begin read does not permit is decided by the present one.
func TestRecentRecords_RefuseNothing(t *testing.T) {
	t.Run("unlocked by another process", func(t *testing.T) {
		r := newRig(t, keeping(10))
		r.withApp(ann, "tulip")
		for range 5 {
			_, err := r.verify(r.begin(ann), "app", secret.New("rose"))
			require.Error(t, err)
		}
		ch := r.begin(ann)
		require.False(t, ch.LockedUntil.IsZero())
		require.NoError(t, r.another().Admin(boss, "").Unlock(t.Context(), ann))
		_, err := r.verify(ch, "app", secret.New("tulip"))
		require.NoError(t, err)
	})
	t.Run("a reset by another process", func(t *testing.T) {
		r := newRig(t, keeping(10))
		r.withApp(ann, "tulip")
		ch := r.begin(ann)
		require.NoError(t, r.another().Admin(boss, "").Reset(t.Context(), ann))
		_, err := r.verify(ch, "app", secret.New("tulip"))
		require.ErrorIs(t, err, mfa.ErrTokenExpired)
	})
}

// A record that another process changed since Begin decides nothing: what it has used stays used,
// and what it has counted stays counted.
func TestRecentRecords_ConflictsAreDecidedByThePresentRecord(t *testing.T) {
	r := newRig(t, keeping(10))
	r.withApp(ann, "tulip")
	elsewhere := r.another()
	ch := r.begin(ann)
	there, err := elsewhere.Session(ann, "session-2").Begin(t.Context())
	require.NoError(t, err)
	_, err = elsewhere.Session(ann, "session-2").Verify(t.Context(), there, "app",
		secret.New("rose"))
	require.Equal(t, 4, left(t, err))
	_, err = r.verify(ch, "app", secret.New("lily"))
	require.Equal(t, 3, left(t, err), "the other process's attempt")

	ch = r.begin(ann)
	there, err = elsewhere.Session(ann, "session-2").Begin(t.Context())
	require.NoError(t, err)
	_, err = elsewhere.Session(ann, "session-2").Verify(t.Context(), there, "app",
		secret.New("tulip"))
	require.NoError(t, err)
	_, err = r.verify(ch, "app", secret.New("tulip"))
	require.ErrorAs(t, err, new(*mfa.AttemptError), "used by the other process")
}

// A challenge of another process has seen a newer record than this process keeps, so the response
// begins with a read and not with a conflict.
func TestRecentRecords_AreThoseTheChallengeSaw(t *testing.T) {
	r := newRig(t, keeping(10))
	r.app.once = false
	r.withApp(ann, "tulip")
	r.begin(ann)
	elsewhere := r.another()
	for range 2 {
		ch, err := elsewhere.Session(ann, binding).Begin(t.Context())
		require.NoError(t, err)
		_, err = elsewhere.Session(ann, binding).Verify(t.Context(), ch, "app",
			secret.New("tulip"))
		require.NoError(t, err)
	}
	ch, err := elsewhere.Session(ann, binding).Begin(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{1, 1}, r.accesses(func() {
		_, err := r.verify(ch, "app", secret.New("tulip"))
		require.NoError(t, err)
	}))
}

// A challenge is responded to once, whatever is kept.
func TestRecentRecords_AreUsedOnce(t *testing.T) {
	r := newRig(t, keeping(10))
	r.app.once = false
	r.withApp(ann, "tulip")
	ch := r.begin(ann)
	_, err := r.verify(ch, "app", secret.New("tulip"))
	require.NoError(t, err)
	_, err = r.verify(ch, "app", secret.New("tulip"))
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
}

// The newest records are kept, and no more than the configuration says.
func TestRecentRecords_AreBounded(t *testing.T) {
	r := newRig(t, keeping(2))
	r.app.once = false
	chs := make([]*mfa.Challenge, 4)
	for i := range chs {
		r.withApp(userNamed(fmt.Sprint("u", i)), "tulip")
	}
	begin := func(i int) { chs[i] = r.begin(userNamed(fmt.Sprint("u", i))) }
	reads := func(i int) int {
		return r.accesses(func() {
			r.clock.Advance(time.Second)
			_, err := r.verify(chs[i], "app", secret.New("tulip"))
			require.NoError(t, err)
		})[0]
	}
	for i := range 3 {
		begin(i)
	}
	require.Equal(t, []int{1, 0, 0}, []int{reads(0), reads(1), reads(2)})
	begin(1)
	begin(2)
	begin(1) // again, in its place
	require.Equal(t, []int{0, 0}, []int{reads(1), reads(2)})
	// The place that user 1 had before goes to user 3, and user 1 keeps the new one.
	begin(0)
	begin(1)
	require.Zero(t, reads(0))
	begin(3)
	require.Equal(t, []int{0, 0}, []int{reads(1), reads(3)})
}

func TestNew_RefusesLessThanNoRecentRecords(t *testing.T) {
	r := newRig(t)
	r.cfg.RecentRecords = -1
	_, err := mfa.New(r.cfg)
	require.ErrorIs(t, err, policy.ErrInvalid)
	require.ErrorContains(t, err, "RecentRecords is -1, want 0 or more")
}

// While reads fail, a correct response to a challenge of this process is accepted, an incorrect one
// is counted, and nothing else is decided. Whether a write was made that failed is not known: it is
// not decided again.
func TestRecentRecords_WhileTheStoreFails(t *testing.T) {
	down := errors.New("down")
	begun := func(t *testing.T) (*rig, *mfa.Challenge) {
		r := newRig(t, keeping(10))
		r.withApp(ann, "tulip")
		return r, r.begin(ann)
	}
	t.Run("reads", func(t *testing.T) {
		r, ch := begun(t)
		r.store.Inject(mfatest.OpGet, -1, mfatest.Fault{Before: down})
		_, err := r.verify(ch, "app", secret.New("tulip"))
		require.NoError(t, err)
		_, err = r.verify(ch, "app", secret.New("tulip"))
		require.ErrorIs(t, err, mfa.ErrUnavailable, "there is no second record")
		_, err = r.Session(ann, binding).Begin(t.Context())
		require.ErrorIs(t, err, mfa.ErrUnavailable)
	})
	t.Run("reads, and an incorrect response", func(t *testing.T) {
		r, ch := begun(t)
		r.store.Inject(mfatest.OpGet, -1, mfatest.Fault{Before: down})
		_, err := r.verify(ch, "app", secret.New("rose"))
		require.Equal(t, 4, left(t, err))
		_, err = r.verify(ch, "app", secret.New("rose"))
		require.ErrorIs(t, err, mfa.ErrUnavailable)
	})
	t.Run("reads, and a conflict", func(t *testing.T) {
		r, ch := begun(t)
		r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Before: storage.ErrConflict})
		r.store.Inject(mfatest.OpGet, -1, mfatest.Fault{Before: down})
		_, err := r.verify(ch, "app", secret.New("tulip"))
		require.ErrorIs(t, err, mfa.ErrUnavailable)
	})
	for name, fault := range map[string]mfatest.Fault{"writes": {Before: down},
		"replies to writes": {After: down}} {
		t.Run(name, func(t *testing.T) {
			r, ch := begun(t)
			r.store.Inject(mfatest.OpSwap, 1, fault)
			require.Equal(t, []int{0, 1}, r.accesses(func() {
				_, err := r.verify(ch, "app", secret.New("tulip"))
				require.ErrorIs(t, err, mfa.ErrUnavailable)
			}))
		})
	}
}
