package lockout_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/secondgate/secondgate/lockout"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func config(t testing.TB, c lockout.Config) lockout.Config {
	t.Helper()
	c, err := c.WithDefaults()
	require.NoError(t, err)
	return c
}

func TestConfig_Defaults(t *testing.T) {
	require.Equal(t, lockout.Config{Tries: 5, Total: 10, Wait: 3 * time.Minute, Growth: 1,
		MaxWait: time.Hour, DisableAfter: 100},
		config(t, lockout.Config{}))
}

func TestConfig_RefusesUnsafeLimits(t *testing.T) {
	for _, c := range []lockout.Config{{Tries: -1}, {Tries: 101}, {Tries: 6, Total: 5},
		{Total: 2000}, {Wait: time.Millisecond}, {Wait: 25 * time.Hour},
		{Growth: 0.5}, {Growth: 11}, {MaxWait: time.Second}, {DisableAfter: 101}, {DisableAfter: 4},
		{DisableAfter: -1}} {
		_, err := c.WithDefaults()
		require.Error(t, err, "%+v", c)
	}
}

func TestFail_LocksAtTheLimit(t *testing.T) {
	c := config(t, lockout.Config{})
	var s lockout.State
	var st lockout.Status
	for i := range 5 {
		require.Equal(t, 5-i, c.Status(s, "totp", t0).Remaining)
		s, st = c.Fail(s, "totp", t0)
	}
	require.Equal(t, t0.Add(3*time.Minute), st.LockedUntil)
	for _, kind := range []string{"totp", "email"} {
		require.False(t, c.Status(s, kind, t0.Add(179999*time.Millisecond)).LockedUntil.IsZero(),
			"every kind is locked")
		require.True(t, c.Status(s, kind, t0.Add(180*time.Second)).LockedUntil.IsZero())
	}
	require.Equal(t, 5, c.Status(s, "totp", t0.Add(180*time.Second)).Remaining)
}

func TestFail_WaitsGrow(t *testing.T) {
	c := config(t, lockout.Config{Tries: 1, Growth: 2, Wait: time.Minute, MaxWait: 5 * time.Minute})
	var s lockout.State
	now := t0
	for _, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute,
		5 * time.Minute, 5 * time.Minute} {
		var st lockout.Status
		s, st = c.Fail(s, "totp", now)
		require.Equal(t, want, st.LockedUntil.Sub(now))
		now = st.LockedUntil
	}
	s = c.Succeed(s, "totp", now)
	_, st := c.Fail(s, "totp", now)
	require.Equal(t, time.Minute, st.LockedUntil.Sub(now), "a success starts them over")
}

func TestFail_DisablesTheKind(t *testing.T) {
	c := config(t, lockout.Config{})
	var s lockout.State
	now := t0
	for i := range 100 {
		var st lockout.Status
		s, st = c.Fail(s, "totp", now)
		require.Equal(t, i == 99, st.Disabled, i)
		if !st.LockedUntil.IsZero() {
			now = st.LockedUntil
		}
	}
	require.True(t, c.Status(s, "totp", now.Add(1000*time.Hour)).Disabled)
	require.False(t, c.Status(s, "email", now).Disabled)
	require.True(t, c.Status(c.Succeed(s, "email", now), "totp", now).Disabled,
		"success clears no other kind")
	require.False(t, c.Status(lockout.Unlock(s, "totp"), "totp", now).Disabled)
	require.Equal(t, lockout.State{}, lockout.Unlock(s, ""))
}

// TestConfig_ChanceOfAGuesserIsBounded keeps the arithmetic of docs/threat-model.md (RFC 4226
// section 6): six digits, three steps accepted, five tries each three minutes until a hundred.
func TestConfig_ChanceOfAGuesserIsBounded(t *testing.T) {
	c := config(t, lockout.Config{})
	const perTry = 3.0 / 1e6
	require.InDelta(t, 0.0072, perTry*float64(c.Tries)*float64(24*time.Hour/c.Wait), 0.0001,
		"a flat lock: 0.7 % a day")
	require.InDelta(t, 0.0003, perTry*float64(c.DisableAfter), 0.00001,
		"with the stop: 0.03 % in all")
}

// Whatever the order of responses and pauses, no kind gets more verdicts than it may between
// two locks, none while locked, and none after the stop; and nothing is changed in place.
func TestState_Properties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, err := lockout.Config{Tries: rapid.IntRange(1, 6).Draw(t, "tries"),
			Total:        rapid.IntRange(6, 12).Draw(t, "total"),
			DisableAfter: rapid.IntRange(6, 20).Draw(t, "stop"), KindOnly: rapid.Bool().Draw(t,
				"kind only")}.WithDefaults()
		if err != nil {
			t.Fatal(err)
		}
		var s lockout.State
		now := t0
		streak := map[string]int{}
		run := map[string]int{} // verdicts since the last lock or success
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			kind := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "kind")
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 1000, 179999, 180000}).Draw(t,
				"pause")) * time.Millisecond)
			before := fmt.Sprint(s)
			st := c.Status(s, kind, now)
			if !st.LockedUntil.IsZero() {
				if !now.Before(st.LockedUntil) {
					t.Fatal("a lock that is over")
				}
				continue
			}
			if st.Disabled {
				if streak[kind] < c.DisableAfter {
					t.Fatal("disabled too early")
				}
				continue
			}
			if rapid.IntRange(0, 9).Draw(t, "correct") == 0 {
				next := c.Succeed(s, kind, now)
				streak[kind], run[kind] = 0, 0
				if fmt.Sprint(s) != before {
					t.Fatal("changed in place")
				}
				s = next
				continue
			}
			next, after := c.Fail(s, kind, now)
			if fmt.Sprint(s) != before {
				t.Fatal("changed in place")
			}
			s = next
			streak[kind]++
			if run[kind]++; run[kind] > c.Tries {
				t.Fatalf("%d verdicts without a lock", run[kind])
			}
			if !after.LockedUntil.IsZero() {
				run[kind] = 0
				if !c.Status(s, "never used", now).LockedUntil.IsZero() {
					clear(run) // every kind is locked
				}
			}
			if streak[kind] > c.DisableAfter {
				t.Fatal("a verdict after the stop")
			}
			if streak[kind] == c.DisableAfter && !c.Status(s, kind, now).Disabled {
				t.Fatal("not disabled")
			}
		}
	})
}

func ExampleConfig_Fail() {
	c, _ := lockout.Config{}.WithDefaults()
	var s lockout.State
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for range 5 {
		var st lockout.Status
		s, st = c.Fail(s, "totp", now)
		fmt.Println(st.Remaining, st.LockedUntil.IsZero())
	}
	fmt.Println(c.Status(s, "email", now).LockedUntil.Sub(now))
	// Output:
	// 4 true
	// 3 true
	// 2 true
	// 1 true
	// 0 false
	// 3m0s
}
