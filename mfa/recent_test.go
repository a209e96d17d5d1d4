package mfa_test

import (
	"errors"
	"fmt"
	"testing"

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
	for name, keep := range map[string]int{"the other keeps some": 10, "the other keeps none": 0} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, keeping(10))
			r.app.once = false
			r.withApp(ann, "tulip")
			r.begin(ann)
			r.cfg.RecentRecords = keep
			elsewhere := r.another()
			ch, err := elsewhere.Session(ann, binding).Begin(t.Context())
			require.NoError(t, err)
			_, err = elsewhere.Session(ann, binding).Verify(t.Context(), ch, "app",
				secret.New("tulip"))
			require.NoError(t, err)
			ch, err = elsewhere.Session(ann, binding).Begin(t.Context())
			require.NoError(t, err)
			require.Equal(t, []int{1, 1}, r.accesses(func() {
				_, err := r.verify(ch, "app", secret.New("tulip"))
				require.NoError(t, err)
			}))
		})
	}
	t.Run("and this one keeps none", func(t *testing.T) {
		r := newRig(t, keeping(10))
		r.withApp(ann, "tulip")
		ch := r.begin(ann)
		r.cfg.RecentRecords = 0
		_, err := r.another().Session(ann, binding).Verify(t.Context(), ch, "app",
			secret.New("tulip"))
		require.NoError(t, err)
	})
}

// A code that is sent is in a record that Begin did not see.
func TestRecentRecords_ServeNoKindThatSends(t *testing.T) {
	r := newRig(t, keeping(10))
	r.withApp(ann, "tulip")
	ch := r.begin(ann)
	r.send(ch)
	require.Equal(t, []int{1, 1}, r.accesses(func() {
		_, err := r.verify(ch, "mail", r.mail.code(ann.Email))
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
	require.Equal(t, []int{1, 0}, r.accesses(func() {
		_, err = r.verify(ch, "app", secret.New("tulip"))
		require.ErrorIs(t, err, mfa.ErrTokenExpired)
	}), "no conflict")
}

// The newest records are kept, and no more than the configuration says.
func TestRecentRecords_AreBounded(t *testing.T) {
	r := newRig(t, keeping(2))
	r.app.once = false
	chs := make([]*mfa.Challenge, 7)
	for i := range chs {
		r.withApp(userNamed(fmt.Sprint("u", i)), "tulip")
	}
	begin := func(users ...int) {
		for _, i := range users {
			chs[i] = r.begin(userNamed(fmt.Sprint("u", i)))
		}
	}
	reads := func(users ...int) (list []int) {
		for _, i := range users {
			list = append(list, r.accesses(func() {
				_, err := r.verify(chs[i], "app", secret.New("tulip"))
				require.NoError(t, err)
			})[0])
		}
		return list
	}
	begin(0, 1, 2, 3, 4, 5, 6)
	require.Equal(t, []int{1, 1, 1, 1, 1, 0, 0}, reads(0, 1, 2, 3, 4, 5, 6))
	begin(1, 2, 1)
	require.Equal(t, []int{0, 0}, reads(1, 2), "that of one user takes one place")
	begin(1, 2, 1, 3)
	require.Equal(t, []int{0, 1, 0}, reads(1, 2, 3), "the oldest goes")
	begin(1)
	require.Equal(t, []int{0}, reads(1))
	begin(1, 3)
	require.Equal(t, []int{0, 0}, reads(1, 3), "a place that was given up is free")
	begin(1)
	r.begin(userNamed("newcomer"))
	r.begin(userNamed("another newcomer"))
	require.Equal(t, []int{0}, reads(1), "users without a record take no place")
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
