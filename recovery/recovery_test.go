package recovery_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/secret"
)

type set struct {
	*recovery.Factor
	state []byte
	codes []string
}

func newSet(t interface {
	require.TestingT
	Helper()
}, cfg recovery.Config) *set {
	t.Helper()
	f, err := recovery.New(cfg)
	require.NoError(t, err)
	out, err := f.Enroll(context.Background(), factor.EnrollInput{})
	require.NoError(t, err)
	s := &set{Factor: f, state: out.State}
	for _, c := range out.Prompt.Codes {
		s.codes = append(s.codes, c.Reveal())
	}
	return s
}

func (s *set) try(response string) error {
	r, err := s.Normalize(response)
	if err != nil {
		return err
	}
	before := bytes.Clone(s.state)
	v, err := s.Verify(context.Background(), factor.VerifyInput{State: s.state,
		Response: secret.New(r)})
	if !bytes.Equal(before, s.state) {
		return errors.New("changed the state it was given")
	}
	if err == nil {
		s.state = v.State
	}
	return err
}

func TestVerify_AcceptsEachCodeOnce(t *testing.T) {
	s := newSet(t, recovery.Config{})
	require.Len(t, s.codes, 10)
	require.Equal(t, 10, s.Describe(s.state).Remaining)
	for i, c := range s.codes {
		require.Regexp(t, `^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$`, c)
		require.NoError(t, s.try(c))
		require.Equal(t, 9-i, s.Describe(s.state).Remaining)
		require.ErrorIs(t, s.try(c), factor.ErrReplayed)
	}
	require.ErrorIs(t, newSet(t, recovery.Config{}).try(s.codes[0]), factor.ErrIncorrect,
		"new codes end the old ones")
}

func TestNormalize_ReadsWhatUsersType(t *testing.T) {
	for _, change := range []func(string) string{
		strings.ToLower,
		func(c string) string { return strings.ReplaceAll(c, "-", "") },
		func(c string) string { return " " + strings.ReplaceAll(c, "-", " ") + " " },
		func(c string) string {
			return strings.ReplaceAll(strings.ReplaceAll(c, "0", "O"), "1", "l")
		},
		func(c string) string {
			return strings.ReplaceAll(strings.ReplaceAll(c, "0", "o"), "1", "I")
		},
	} {
		s := newSet(t, recovery.Config{Count: 16, Bits: 160})
		for _, c := range s.codes {
			require.NoError(t, s.try(change(c)), c)
		}
	}
	s := newSet(t, recovery.Config{})
	for _, bad := range []string{"", "-", "ABCU", "ÄBCD", "12\x0034", "①②③④",
		strings.Repeat("0", 33), strings.Repeat("0", 1<<20), "\xff"} {
		require.ErrorIs(t, s.try(bad), factor.ErrMalformed, "%.20q", bad)
	}
	require.ErrorIs(t, s.try(s.codes[0][:18]), factor.ErrIncorrect)
}

func TestFactor_SetOfOneLongCode(t *testing.T) {
	s := newSet(t, recovery.Config{Count: 1, Bits: 130})
	require.Len(t, s.codes, 1)
	require.GreaterOrEqual(t, len(strings.ReplaceAll(s.codes[0], "-", ""))*5, 130)
	require.NoError(t, s.try(s.codes[0]))
	require.Zero(t, s.Describe(s.state).Remaining)
}

// Any order of any codes: each is correct once.
func TestVerify_AcceptsCodesInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSet(t, recovery.Config{Count: rapid.IntRange(1, 16).Draw(t, "count")})
		used := map[int]bool{}
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(s.codes)-1), 1, 40).Draw(t,
			"order") {
			err := s.try(s.codes[i])
			switch {
			case used[i] && !errors.Is(err, factor.ErrReplayed):
				t.Fatalf("code %d again: %v", i, err)
			case !used[i] && err != nil:
				t.Fatalf("code %d: %v", i, err)
			}
			used[i] = true
			if s.Describe(s.state).Remaining != len(s.codes)-len(used) {
				t.Fatal("miscounted")
			}
		}
	})
}

func TestEnroll_CodesAreUniform(t *testing.T) {
	counts := map[rune]int{}
	n := 0
	for range 200 {
		for _, c := range newSet(t, recovery.Config{}).codes {
			for _, r := range strings.ReplaceAll(c, "-", "") {
				counts[r]++
				n++
			}
		}
	}
	require.Len(t, counts, 32)
	for r, c := range counts {
		require.InDelta(t, float64(n)/32, float64(c), float64(n)/32*0.2, "%c", r)
	}
}

// Neither the codes nor plain hashes of them are in what is stored.
func TestState_HoldsNoCode(t *testing.T) {
	s := newSet(t, recovery.Config{})
	require.LessOrEqual(t, len(s.state), 200)
	for _, c := range s.codes {
		require.NotContains(t, string(s.state), c)
		require.NotContains(t, string(s.state), strings.ReplaceAll(c, "-", "")[:8])
	}
}

// A damaged state gives an error that is not "incorrect", and has no codes.
func TestVerify_RefusesDamagedSets(t *testing.T) {
	s := newSet(t, recovery.Config{Count: 16})
	whole := bytes.Clone(s.state)
	damaged := map[string][]byte{"one more code": append(bytes.Clone(whole), whole[19:35]...),
		"another version": append([]byte{3}, whole[1:]...), "no code": whole[:19]}
	for n := range 19 {
		damaged[fmt.Sprint(n, " bytes")] = whole[:n]
	}
	for n := range 15 {
		damaged[fmt.Sprint("a part of a code: ", n+1)] = whole[:20+n]
		damaged[fmt.Sprint("a code and a part: ", n+1)] = whole[:36+n]
	}
	for name, state := range damaged {
		s.state = state
		err := s.try(s.codes[0])
		require.Error(t, err, name)
		require.NotErrorIs(t, err, factor.ErrIncorrect, name)
		require.Zero(t, s.Describe(state).Remaining, name)
	}
	s.state = whole
	require.NoError(t, s.try(s.codes[0]))
}

func TestNew_RefusesUnsafeConfigs(t *testing.T) {
	for _, c := range []recovery.Config{{Count: -1}, {Count: 17}, {Bits: 79}, {Bits: 161},
		{Bits: -1}} {
		_, err := recovery.New(c)
		require.Error(t, err, "%+v", c)
	}
}

func FuzzState(f *testing.F) {
	s := newSet(f, recovery.Config{})
	f.Add(s.state, s.codes[0])
	f.Add([]byte{}, "")
	f.Fuzz(func(t *testing.T, state []byte, response string) {
		if s.Describe(state).Remaining < 0 || s.Describe(state).Remaining > 16 {
			t.Fatal("miscounted")
		}
		r, err := s.Normalize(response)
		if err != nil {
			return
		}
		v, err := s.Verify(t.Context(), factor.VerifyInput{State: state, Response: secret.New(r)})
		if err == nil && s.Describe(v.State).Remaining != s.Describe(state).Remaining-1 {
			t.Fatal("a code was not used up")
		}
	})
}

func ExampleFactor_Normalize() {
	f, _ := recovery.New(recovery.Config{})
	s, _ := f.Normalize(" 7k2m-oil9 ")
	fmt.Println(s)
	// Output: 7K2M0119
}
