package lockout_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/secondgate/secondgate/lockout"
)

// lock fails in kind until a lock begins, and returns its length and its end.
func lock(t *testing.T, c lockout.Config, s lockout.State, kind string, now time.Time) (
	lockout.State, time.Duration, time.Time,
) {
	t.Helper()
	for range c.Tries {
		var st lockout.Status
		if s, st = c.Fail(s, kind, now); !st.LockedUntil.IsZero() {
			return s, st.LockedUntil.Sub(now), st.LockedUntil
		}
	}
	t.Fatal("no lock")
	return s, 0, now
}

// An attacker guesses at one kind while the user signs in with another, which must not make
// the attacker's waits short again.
func TestGrowth_SurvivesTheSuccessOfAnotherKind(t *testing.T) {
	c := config(t, lockout.Config{Growth: 4, MaxWait: 24 * time.Hour})
	var s lockout.State
	now, want := t0, c.Wait
	for i := range 6 {
		var wait time.Duration
		s, wait, now = lock(t, c, s, "totp", now)
		require.Equal(t, min(want, c.MaxWait), wait, "lock %d", i)
		s = c.Succeed(s, "email", now)
		want *= 4
	}
	s = c.Succeed(s, "totp", now)
	_, wait, _ := lock(t, c, s, "totp", now)
	require.Equal(t, c.Wait, wait, "the success of the kind itself starts over")
}

// A lock that several kinds caused together grows the next one, whichever of them succeeds.
func TestGrowth_CountsForEveryKindThatTookPart(t *testing.T) {
	c := config(t, lockout.Config{Growth: 2, MaxWait: 24 * time.Hour})
	for _, succeeds := range []string{"a", "b", "c"} {
		var s lockout.State
		var st lockout.Status
		for i := range 10 { // four, four and two
			s, st = c.Fail(s, []string{"a", "b", "a", "b", "a", "b", "a", "b", "c", "c"}[i], t0)
		}
		now := st.LockedUntil
		require.Equal(t, c.Wait, now.Sub(t0))
		s = c.Succeed(s, succeeds, now)
		for _, kind := range []string{"a", "b", "c"} {
			_, wait, _ := lock(t, c, s, kind, now)
			require.Equal(t, 2*c.Wait, wait, "%s after the success of %s", kind, succeeds)
		}
	}
}

func TestGrowth_KindsGuessedAtInTurnGrowTogether(t *testing.T) {
	c := config(t, lockout.Config{Growth: 2, MaxWait: 24 * time.Hour})
	var s lockout.State
	now, want := t0, c.Wait
	for i := range 6 {
		var wait time.Duration
		s, wait, now = lock(t, c, s, []string{"a", "b"}[i%2], now)
		require.Equal(t, want, wait, "lock %d", i)
		want *= 2
	}
}

func TestGrowth_OfAKindOnlyLockIsOfThatKind(t *testing.T) {
	c := config(t, lockout.Config{Growth: 2, KindOnly: true, MaxWait: 24 * time.Hour})
	var s lockout.State
	s, _, now := lock(t, c, s, "a", t0)
	s = c.Succeed(s, "b", now)
	s, wait, _ := lock(t, c, s, "b", now)
	require.Equal(t, c.Wait, wait)
	_, wait, _ = lock(t, c, s, "a", now)
	require.Equal(t, 2*c.Wait, wait)
}

// A state that an earlier version wrote has one number of locks for all kinds.
func TestGrowth_OfAnEarlierVersionsState(t *testing.T) {
	c := config(t, lockout.Config{Growth: 2, MaxWait: 24 * time.Hour})
	old, err := cbor.Marshal(map[int]any{2: 3, 0: map[string]any{
		"totp": map[int]any{1: 15}, "email": map[int]any{}}})
	require.NoError(t, err)
	var s lockout.State
	require.NoError(t, cbor.Unmarshal(old, &s))
	_, wait, _ := lock(t, c, s, "totp", t0)
	require.Equal(t, 8*c.Wait, wait)
	s = c.Succeed(s, "email", t0)
	require.Zero(t, s.Locks)
	_, wait, _ = lock(t, c, s, "totp", t0)
	require.Equal(t, 8*c.Wait, wait, "the success of another kind keeps it")
	_, wait, _ = lock(t, c, c.Succeed(s, "totp", t0), "totp", t0)
	require.Equal(t, c.Wait, wait)
}

// growthModel says how long a lock is in the most naive form: of each kind, how many locks
// it had a part in since its last success.
type growthModel struct {
	parts map[string]int
	tries map[string]int
	until time.Time
}

// TestGrowth_Properties checks every lock of everything against the model: only the success
// of a kind takes that kind's part in earlier locks away.
func TestGrowth_Properties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, err := lockout.Config{Growth: 2, MaxWait: 24 * time.Hour, Wait: time.Minute,
			Tries: rapid.IntRange(1, 4).Draw(t, "tries"),
			Total: rapid.IntRange(4, 8).Draw(t, "total")}.WithDefaults()
		if err != nil {
			t.Fatal(err)
		}
		m := growthModel{parts: map[string]int{}, tries: map[string]int{}}
		var s lockout.State
		now := t0
		for range rapid.IntRange(1, 150).Draw(t, "steps") {
			if !m.until.IsZero() {
				now = m.until
				m.end()
			}
			kind := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "kind")
			if rapid.IntRange(0, 4).Draw(t, "correct") == 0 {
				s = c.Succeed(s, kind, now)
				delete(m.parts, kind)
				delete(m.tries, kind)
				continue
			}
			before := s
			after, st := c.Fail(s, kind, now)
			if rapid.IntRange(0, 4).Draw(t, "take back") == 0 {
				s = lockout.TakeBack(after, before, after, kind)
				_, want := c.Fail(before, kind, now)
				if _, got := c.Fail(s, kind, now); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Fatalf("after it was taken back: %v, want %v", got, want)
				}
				continue
			}
			s = after
			if m.tries[kind]++; m.tries[kind] < c.Tries && m.total() < c.Total {
				continue
			}
			if got, want := st.LockedUntil.Sub(now), m.wait(c); got != want {
				t.Fatalf("a lock of %s, want %s: %+v", got, want, m)
			}
			m.until = st.LockedUntil
		}
	})
}

func (m *growthModel) total() (n int) {
	for _, tries := range m.tries {
		n += tries
	}
	return n
}

func (m *growthModel) most() (most int) {
	for _, n := range m.parts {
		most = max(most, n)
	}
	return most
}

func (m *growthModel) wait(c lockout.Config) time.Duration {
	return time.Duration(min(float64(c.Wait)*math.Pow(2, float64(m.most())), float64(c.MaxWait)))
}

func (m *growthModel) end() {
	most := m.most()
	for kind := range m.tries {
		m.parts[kind] = most + 1
	}
	clear(m.tries)
	m.until = time.Time{}
}

// What an attempt that is taken back counted is gone, and what others counted meanwhile stays.
func TestTakeBack_KeepsWhatOthersCounted(t *testing.T) {
	c := config(t, lockout.Config{})
	fail := func(s lockout.State, kind string, times int) lockout.State {
		for range times {
			s, _ = c.Fail(s, kind, t0)
		}
		return s
	}
	for _, test := range []struct {
		name              string
		before, meanwhile func(lockout.State) lockout.State
		want              func(lockout.State) lockout.State
	}{
		{"alone", nil, nil, nil},
		{"the one that locks", func(s lockout.State) lockout.State {
			return fail(s, "pin", 4)
		}, nil,
			func(s lockout.State) lockout.State { return fail(s, "pin", 4) }},
		{"another kind counted meanwhile", nil,
			func(s lockout.State) lockout.State { return fail(s, "app", 2) },
			func(s lockout.State) lockout.State { return fail(s, "app", 2) }},
		{"another kind locked meanwhile", nil,
			func(s lockout.State) lockout.State { return fail(s, "app", 5) },
			func(s lockout.State) lockout.State { return fail(s, "app", 5) }},
		{"cleared meanwhile", nil, func(s lockout.State) lockout.State {
			return lockout.Unlock(s, "")
		},
			func(lockout.State) lockout.State { return lockout.State{} }},
		{"succeeded meanwhile", func(s lockout.State) lockout.State { return fail(s, "pin", 3) },
			func(s lockout.State) lockout.State { return c.Succeed(s, "pin", t0) },
			func(lockout.State) lockout.State { return lockout.State{} }},
	} {
		same := func(s lockout.State) lockout.State { return s }
		or := func(f func(lockout.State) lockout.State) func(lockout.State) lockout.State {
			if f == nil {
				return same
			}
			return f
		}
		before := or(test.before)(lockout.State{})
		after, _ := c.Fail(before, "pin", t0)
		seen := or(test.meanwhile)(after)
		printed := fmt.Sprint(seen)
		got := lockout.TakeBack(seen, before, after, "pin")
		require.Equal(t, printed, fmt.Sprint(seen), "%s: changed in place", test.name)
		want := or(test.want)(lockout.State{}).Clone()
		require.Equal(t, want, got, test.name)
	}
	before := lockout.State{Kinds: map[string]lockout.Tally{"pin": {Streak: 99}}}
	after, st := c.Fail(before, "pin", t0)
	require.True(t, st.Disabled)
	require.False(t, c.Status(lockout.TakeBack(after, before, after, "pin"), "pin", t0).Disabled)
	// by an earlier, smaller DisableAfter
	before.Kinds["pin"] = lockout.Tally{Streak: 50, Disabled: true}
	after, _ = c.Fail(before, "pin", t0)
	require.True(t, c.Status(lockout.TakeBack(after, before, after, "pin"), "pin", t0).Disabled)
}
