package totp_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/totp"
)

// somewhere is a step in the year 2017 whose neighbours have other codes than it.
const somewhere = 50_000_000

// A code is accepted for ninety seconds: from the step before its own to the one after.
func TestVerify_AcceptsACodeForNinetySeconds(t *testing.T) {
	code := totp.Code(fresh(), somewhere)
	accepted := time.Unix((somewhere-1)*30, 0)
	for _, c := range []struct {
		after time.Duration
		ok    bool
	}{
		{-time.Nanosecond, false}, {0, true}, {30 * time.Second, true}, {60 * time.Second, true},
		{89*time.Second + 999*time.Millisecond, true}, {90*time.Second - time.Nanosecond, true},
		{90 * time.Second, false},
	} {
		_, err := verify(newFactor(t), factor.VerifyInput{State: fresh(),
			Response: secret.New(code),
			Now:      accepted.Add(c.after)})
		require.Equal(t, c.ok, err == nil, "%s: %v", c.after, err)
	}
	// Strict: while the app shows it, thirty seconds.
	shown := time.Unix(somewhere*30, 0)
	for after, ok := range map[time.Duration]bool{-time.Nanosecond: false, 0: true,
		30*time.Second - time.Nanosecond: true, 30 * time.Second: false} {
		_, err := verify(newFactor(t, strict), factor.VerifyInput{State: fresh(),
			Response: secret.New(code),
			Now:      shown.Add(after)})
		require.Equal(t, ok, err == nil, "%s: %v", after, err)
	}
}

// RFC 6238 section 6: drift is bounded forward and backward.
func TestVerify_BoundsTheDrift(t *testing.T) {
	for _, period := range []time.Duration{15 * time.Second, 30 * time.Second, 60 * time.Second,
		120 * time.Second} {
		state := totp.State(seeds[totp.SHA1], totp.SHA1, 6, period, -1)
		now := somewhere * int64(period/time.Second)
		for skew := int64(-2); skew <= 2; skew++ {
			code := totp.Code(state, somewhere+skew)
			_, err := at(newFactor(t), state, now, code)
			require.Equal(t, skew >= -1 && skew <= 1, err == nil, "%s, skew %d", period, skew)
			_, err = at(newFactor(t, strict), state, now, code)
			require.Equal(t, skew == 0, err == nil, "%s, skew %d, strict", period, skew)
		}
	}
}

func TestVerify_EntryGraceCountsFromTheOpening(t *testing.T) {
	f, opened := newFactor(t, grace(3*time.Minute)), time.Unix(somewhere*30+7, 0)
	respond := func(state []byte, skew int64, opened time.Time, after time.Duration) ([]byte,
		error) {
		return verify(f, factor.VerifyInput{State: state,
			Response: secret.New(totp.Code(fresh(), somewhere+
				skew)), Opened: opened, Now: opened.Add(after)})
	}
	for _, c := range []struct {
		skew  int64
		after time.Duration
		ok    bool
		why   string
	}{
		{0, 0, true, "at once"},
		{0, 3*time.Minute - time.Nanosecond, true, "to the end of the grace"},
		{0, 3 * time.Minute, false, "not at its end"},
		{0, time.Hour, false, "nor later"},
		{-1, 2 * time.Minute, true, "the step before was valid at the opening"},
		{1, 2 * time.Minute, true, "and so was the one after"},
		{-2, 2 * time.Minute, false, "what was old at the opening stays old"},
		{2, 3*time.Minute - time.Nanosecond, false, "neither valid at the opening nor now"},
		{4, 2 * time.Minute, true, "what is valid now"},
		{6, 2 * time.Minute, false, "what is not yet valid"},
	} {
		_, err := respond(fresh(), c.skew, opened, c.after)
		require.Equal(t, c.ok, err == nil, "%s: skew %d after %s: %v", c.why, c.skew, c.after, err)
	}

	next, err := respond(fresh(), 0, opened, 2*time.Minute)
	require.NoError(t, err)
	_, err = respond(next, 0, opened, 2*time.Minute)
	require.ErrorIs(t, err, factor.ErrReplayed, "grace is no second use")
	_, err = respond(usedAt(somewhere+3), 0, opened, 2*time.Minute)
	require.ErrorIs(t, err, factor.ErrReplayed, "nor a way behind a step accepted before")

	in := factor.VerifyInput{State: fresh(), Response: secret.New(totp.Code(fresh(), somewhere)),
		Opened: opened.Add(time.Hour), Now: opened.Add(2 * time.Minute)}
	_, err = verify(f, in)
	require.ErrorIs(t, err, factor.ErrIncorrect, "a prompt of the future gives no grace")
	in.Opened = time.Time{}
	_, err = verify(f, in)
	require.ErrorIs(t, err, factor.ErrIncorrect, "nor does one of no known time")
	in.Opened = opened
	_, err = verify(newFactor(t), in)
	require.ErrorIs(t, err, factor.ErrIncorrect, "by default there is none")
}

// twin is a step whose code is also that of the next one.
const twin = 910737

func TestVerify_EqualCodesInAdjacentSteps(t *testing.T) {
	code, f := totp.Code(fresh(), twin), newFactor(t)
	require.Equal(t, code, totp.Code(fresh(), twin+1))
	next, err := at(f, usedAt(twin), (twin+1)*30, code)
	require.NoError(t, err, "the earlier step was used; the later one was not")
	require.EqualValues(t, twin+1, totp.Last(next))
	for _, now := range []int64{twin, twin + 1} {
		next, err = at(f, fresh(), now*30, code)
		require.NoError(t, err)
		for _, again := range []int64{twin, twin + 1, twin + 2} {
			_, err = at(f, next, again*30, code)
			require.ErrorIs(t, err, factor.ErrReplayed, "the same digits do not work twice")
		}
	}
	_, err = at(f, usedAt(twin+1), (twin+1)*30, code)
	require.ErrorIs(t, err, factor.ErrReplayed)
}

// Whatever codes come at whatever times, Verify does what this much plainer reading of the
// rules does: the steps valid now or at the opening, the latest of the correct ones, none that is
// not later than the last.
func TestVerify_AgreesWithTheOracle(t *testing.T) {
	const lifetime = 90
	rapid.Check(t, func(rt *rapid.T) {
		skew, seconds := int64(1), rapid.SampledFrom([]int64{0, 0, 1, 60, 90, 300}).Draw(rt,
			"grace")
		f := newFactor(t, grace(time.Duration(seconds)*time.Second))
		if rapid.Bool().Draw(rt, "strict") {
			f, skew = newFactor(t, grace(time.Duration(seconds)*time.Second), strict), 0
		}
		state, last, accepted := fresh(), int64(-1), map[int64]bool{}
		// The steps around twin have equal codes among them.
		clock := rapid.Int64Range((twin-5)*30, (twin+5)*30)
		for range rapid.IntRange(1, 30).Draw(rt, "responses") {
			now := clock.Draw(rt, "now")
			opened := now - rapid.Int64Range(-30, 4*lifetime).Draw(rt, "open for")
			code := totp.Code(fresh(), now/30+rapid.Int64Range(-9, 3).Draw(rt, "step"))
			want, verdict := int64(-1), error(factor.ErrIncorrect)
			for step := now/30 - 20; step <= now/30+3; step++ {
				valid := abs(step-now/30) <= skew ||
					opened <= now && now-opened < seconds && abs(step-opened/30) <= skew
				if !valid || totp.Code(fresh(), step) != code {
					continue
				}
				if step > last {
					want, verdict = step, nil
				} else if verdict != nil {
					verdict = factor.ErrReplayed
				}
			}
			next, err := verify(f, factor.VerifyInput{State: state, Response: secret.New(code),
				Now: time.Unix(now, 0), Opened: time.Unix(opened, 0)})
			if !errors.Is(err, verdict) {
				rt.Fatalf("%v, want %v", err, verdict)
			}
			if err != nil {
				continue
			}
			if got := totp.Last(next); got != want || accepted[got] {
				rt.Fatalf("accepted step %d, want %d", got, want)
			}
			state, last, accepted[want] = next, want, true
		}
	})
}

func abs(n int64) int64 { return max(n, -n) }

// A clock that stepped back revives nothing.
func TestVerify_AcceptsNoUsedCodeWhenTheClockStepsBack(t *testing.T) {
	f := newFactor(t)
	next, err := at(f, fresh(), somewhere*30, totp.Code(fresh(), somewhere))
	require.NoError(t, err)
	for back := int64(0); back < 3; back++ {
		_, err := at(f, next, (somewhere-back)*30, totp.Code(fresh(), somewhere-back))
		require.ErrorIs(t, err, factor.ErrReplayed)
	}
}

func TestVerify_AtAbsurdTimes(t *testing.T) {
	for _, f := range []*totp.Factor{newFactor(t), newFactor(t, strict),
		newFactor(t, grace(time.Minute))} {
		for _, now := range []time.Time{{}, time.Unix(-1<<40, 0), time.Unix(-1, 999_999_999),
			time.Unix(1<<40, 0),
			time.Unix(math.MaxInt64, 0), time.Unix(math.MinInt64, 0)} {
			for _, opened := range []time.Time{{}, now, now.Add(-time.Second),
				time.Unix(math.MaxInt64, 0), time.Unix(math.MinInt64, 0)} {
				_, err := verify(f, factor.VerifyInput{State: fresh(),
					Response: secret.New("000001"), Now: now,
					Opened: opened})
				require.ErrorIs(t, err, factor.ErrIncorrect)
			}
		}
		_, err := at(f, fresh(), -1, totp.Code(fresh(), 0))
		require.ErrorIs(t, err, factor.ErrIncorrect,
			"there is no step before the epoch, nor one next to it")
		_, err = at(f, fresh(), 0, totp.Code(fresh(), -1))
		require.ErrorIs(t, err, factor.ErrIncorrect, "the counter does not wrap around")
		_, err = at(f, fresh(), 0, totp.Code(fresh(), 0))
		require.NoError(t, err)
	}
}

// The Manager normalises; a caller that does not is refused.
func TestNormalize_RefusesWhatIsNoCode(t *testing.T) {
	f := newFactor(t)
	code := totp.Code(fresh(), somewhere)
	for _, response := range []string{"", code[:5], code + "0", "0" + code, " " + code, code[:3] +
		" " + code[3:], code[:5] + "\x00",
		"１２３４５６", strings.Repeat(code, 1<<18)} {
		_, err := at(f, fresh(), somewhere*30, response)
		require.ErrorIs(t, err, factor.ErrIncorrect, "%.20q", response)
	}
}

// A damaged state is no state: not one with a guessable secret, and none that was used less.
func TestVerify_RefusesDamagedStates(t *testing.T) {
	with := func(i int, b byte) []byte {
		s := fresh()
		s[i] = b
		return s
	}
	for name, state := range map[string][]byte{
		"none": nil, "no secret": fresh()[:19], "15 bytes of secret": fresh()[:34],
		"129 bytes": append(fresh(), make([]byte, 109)...),
		"version 0": with(0, 0), "version 2": with(0, 2), "algorithm 3": with(1, 0x36),
		"5 digits": with(1, 5), "9 digits": with(1, 9),
		"14 s": with(2, 14), "121 s": with(2, 121), "last step": with(3, 0x80),
	} {
		_, err := at(newFactor(t), state, somewhere*30, totp.Code(fresh(), somewhere))
		require.EqualError(t, err, "totp: the stored state is not readable", name)
	}
	for name, state := range map[string][]byte{"16 bytes of secret": fresh()[:35],
		"128 bytes": append(fresh(), make([]byte, 108)...)} {
		_, err := at(newFactor(t), state, somewhere*30, totp.Code(state, somewhere))
		require.NoError(t, err, name)
	}
}

func TestNormalize_IgnoresSpacesAndHyphens(t *testing.T) {
	f := newFactor(t)
	for in, want := range map[string]string{
		"123456": "123456", " 123 456 ": "123456", "123-456\r\n": "123456", "1234567": "1234567",
		"12345678":     "12345678",
		"123\u00a0456": "123456", "123\u202f456": "123456", "123\u2013456": "123456",
		"0 0 0 0 0 0": "000000", "１２３４５６": "123456", "١٢٣٤٥٦": "123456",
	} {
		got, err := f.Normalize(in)
		require.NoError(t, err, "%q", in)
		require.Equal(t, want, got)
	}
	for _, in := range []string{"", " ", "-", "abcdef", "12345a", "①②③④⑤⑥", "123\x00456",
		"\xff23456", "123456\xff", "+123456", "12345",
		"123456789", "0x1234", "12345\u00b2", "123.456", strings.Repeat(" ", 512) + "123456",
		strings.Repeat("1", 1<<20), strings.Repeat("\u00a0", 1<<19)} {
		_, err := f.Normalize(in)
		require.Equal(t, "code_form", reason(err), "%.20q", in)
		require.LessOrEqual(t, len(err.Error()), 80, "nothing typed is in it")
	}
}
