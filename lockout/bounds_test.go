package lockout_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/lockout"
)

func TestConfig_NamesTheFieldThatIsNotValid(t *testing.T) {
	for _, test := range []struct {
		c     lockout.Config
		field string
	}{
		{lockout.Config{Tries: 101}, "Tries is"}, {lockout.Config{Tries: -1}, "Tries is"},
		{lockout.Config{Total: 1001}, "Total is"}, {lockout.Config{Total: 4}, "Total is"},
		{lockout.Config{Wait: 24*time.Hour + 1}, "Wait is"},
		{lockout.Config{Wait: time.Second - 1}, "Wait is"},
		{lockout.Config{Growth: 10.5}, "Growth is"}, {lockout.Config{Growth: 0.5}, "Growth is"},
		{lockout.Config{MaxWait: 24*time.Hour + 1}, "MaxWait is"},
		{lockout.Config{MaxWait: 3*time.Minute - 1}, "MaxWait is"},
		{lockout.Config{DisableAfter: 101}, "DisableAfter is"},
		{lockout.Config{DisableAfter: 4}, "DisableAfter is"},
	} {
		_, err := test.c.WithDefaults()
		require.ErrorContains(t, err, "lockout: "+test.field, "%+v", test.c)
	}
}

func TestConfig_AcceptsItsBounds(t *testing.T) {
	for _, c := range []lockout.Config{{Tries: 1}, {Tries: 100}, {Total: 1000}, {Total: 5},
		{Wait: time.Second}, {Wait: 24 * time.Hour}, {Growth: 1}, {Growth: 10},
		{MaxWait: 3 * time.Minute}, {MaxWait: 24 * time.Hour}, {DisableAfter: 5},
		{DisableAfter: 100}} {
		config(t, c)
	}
}

// fails counts failed attempts at t0.
func fails(c lockout.Config, s lockout.State, kind string, times int) lockout.State {
	for range times {
		s, _ = c.Fail(s, kind, t0)
	}
	return s
}

func TestStatus_CountsWhatRemainsOverAllKinds(t *testing.T) {
	c := config(t, lockout.Config{})
	s := fails(c, fails(c, lockout.State{}, "a", 4), "b", 4)
	require.Equal(t, 1, c.Status(s, "a", t0).Remaining)
	require.Equal(t, 2, c.Status(s, "c", t0).Remaining)
}

func TestFail_KindOnlyLocksTheKindAtItsLimit(t *testing.T) {
	c := config(t, lockout.Config{KindOnly: true})
	s := fails(c, lockout.State{}, "a", 4)
	require.Zero(t, c.Status(s, "a", t0).LockedUntil)
	s = fails(c, s, "a", 1)
	require.NotZero(t, c.Status(s, "a", t0).LockedUntil)
	require.Zero(t, c.Status(s, "b", t0).LockedUntil)
}

func TestFail_KindOnlyLocksEverythingAtTheTotal(t *testing.T) {
	c := config(t, lockout.Config{KindOnly: true})
	s := fails(c, fails(c, lockout.State{}, "a", 5), "b", 4)
	require.Zero(t, c.Status(s, "c", t0).LockedUntil)
	s = fails(c, s, "b", 1)
	require.NotZero(t, c.Status(s, "c", t0).LockedUntil)
}

// A lock of everything and a lock of the kind that end together are one lock.
func TestGrowth_CountsTwoLocksThatEndTogetherOnce(t *testing.T) {
	c := config(t, lockout.Config{KindOnly: true, Growth: 2})
	s := fails(c, fails(c, lockout.State{}, "a", 5), "b", 5)
	_, wait, _ := lock(t, c, s, "a", t0.Add(c.Wait))
	require.Equal(t, 2*c.Wait, wait)
}

// The number of an earlier version is that of the kinds that have failed, and of no other.
func TestGrowth_OfAnEarlierVersionIsOfKindsThatFailed(t *testing.T) {
	c := config(t, lockout.Config{Growth: 2})
	old := lockout.State{Locks: 3,
		Kinds: map[string]lockout.Tally{"totp": {Streak: 15}, "email": {}}}
	_, wait, _ := lock(t, c, c.Succeed(old, "totp", t0), "email", t0)
	require.Equal(t, c.Wait, wait)
}

func TestSucceed_EndsNoLock(t *testing.T) {
	c := config(t, lockout.Config{})
	for _, s := range []lockout.State{fails(c, lockout.State{}, "a", 5),
		{LockedUntil: t0.Add(time.Minute).UnixMilli()}} {
		require.NotZero(t, c.Status(c.Succeed(s, "b", t0), "b", t0).LockedUntil)
	}
	require.Equal(t, lockout.State{}, c.Succeed(lockout.State{}, "a", t0))
}

func TestUnlock_ClearsOneKindAndCopies(t *testing.T) {
	c := config(t, lockout.Config{})
	s := fails(c, fails(c, lockout.State{}, "a", 2), "b", 2)
	before := fmt.Sprint(s)
	next := lockout.Unlock(s, "a")
	require.Equal(t, before, fmt.Sprint(s), "changed in place")
	require.Equal(t, 5, c.Status(next, "a", t0).Remaining)
	require.Equal(t, 3, c.Status(next, "b", t0).Remaining)
}

func TestTakeBack_KeepsALockThatItsAttemptDidNotCause(t *testing.T) {
	for _, only := range []bool{false, true} {
		c := config(t, lockout.Config{KindOnly: only})
		locked := fails(c, lockout.State{}, "pin", 5)
		after := fails(c, locked, "pin", 1)
		require.NotZero(t, c.Status(lockout.TakeBack(after, locked, after, "pin"), "pin",
			t0).LockedUntil, "it was there before")

		before := fails(c, lockout.State{}, "pin", 4)
		after = fails(c, before, "pin", 1)
		require.Zero(t, c.Status(lockout.TakeBack(after, before, after, "pin"), "pin",
			t0).LockedUntil, "the attempt caused it")
		since := lockout.State{}
		for range 5 {
			since, _ = c.Fail(since, "pin", t0.Add(time.Minute))
		}
		require.NotZero(t, c.Status(lockout.TakeBack(since, before, after, "pin"), "pin",
			t0.Add(time.Minute)).LockedUntil, "others caused it since")
	}
}

func TestTakeBack_LeavesDisabledWhatOthersDisabled(t *testing.T) {
	c := config(t, lockout.Config{})
	before := lockout.State{Kinds: map[string]lockout.Tally{"pin": {Streak: 99}}}
	after := fails(c, before, "pin", 1)
	since := fails(c, after, "pin", 1)
	require.True(t, c.Status(lockout.TakeBack(since, before, after, "pin"), "pin", t0).Disabled)

	before = lockout.State{Kinds: map[string]lockout.Tally{"pin": {Streak: 4}}}
	after = fails(c, before, "pin", 1)
	strict := config(t, lockout.Config{DisableAfter: 5})
	since = fails(strict, lockout.State{}, "pin", 5)
	require.True(t, c.Status(lockout.TakeBack(since, before, after, "pin"), "pin", t0).Disabled)
}
