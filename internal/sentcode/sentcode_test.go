package sentcode_test

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/sentcode"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// Every digit is as likely as every other, in every place, and a leading zero is a digit.
func TestNew_IsUniform(t *testing.T) {
	const n = 20000
	var counts [sentcode.DefaultDigits][10]float64
	for range n {
		code := sentcode.New(sentcode.DefaultDigits)
		require.Len(t, code, sentcode.DefaultDigits)
		for i, c := range []byte(code) {
			counts[i][c-'0']++
		}
	}
	for place, digits := range counts {
		chi2 := 0.0
		for _, c := range digits {
			chi2 += math.Pow(c-n/10, 2) / (n / 10)
		}
		// 9 degrees of freedom: above 49.4 once in ten million uniform runs.
		require.Less(t, chi2, 49.4, "place %d: %v", place, digits)
	}
	for digits := sentcode.DefaultDigits; digits <= sentcode.MaxDigits; digits++ {
		require.Len(t, sentcode.New(digits), digits)
	}
}

func TestCheck_AcceptsTheCodeUntilItExpires(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	keep := sentcode.Keep("012345")
	for _, c := range []struct {
		name, response string
		issued         []byte
		at             time.Duration
		want           error
	}{
		{"correct", "012345", keep, 0, nil},
		{"just in time", "012345", keep, 90*time.Second - 1, nil},
		{"at the end", "012345", keep, 90 * time.Second, factor.ErrExpired},
		{"too late", "012345", keep, time.Hour, factor.ErrExpired},
		{"incorrect", "012346", keep, 0, factor.ErrIncorrect},
		{"incorrect and too late", "012346", keep, time.Hour, factor.ErrIncorrect},
		{"without the zero", "12345", keep, 0, factor.ErrIncorrect},
		{"longer", "0123450", keep, 0, factor.ErrIncorrect},
		{"nothing", "", keep, 0, factor.ErrIncorrect},
		{"nothing issued", "012345", nil, 0, factor.ErrIncorrect},
		{"nothing for nothing", "", nil, 0, factor.ErrIncorrect},
		{"cut short", "012345", keep[:len(keep)-1], 0, factor.ErrIncorrect},
		{"the salt alone", "012345", keep[:16], 0, factor.ErrIncorrect},
		{"too much", "012345", append(bytes.Clone(keep), 0), 0, factor.ErrIncorrect},
		{"another's", "012345", sentcode.Keep("543210"), 0, factor.ErrIncorrect},
	} {
		before := bytes.Clone(c.issued)
		err := sentcode.Check(factor.VerifyInput{Issued: c.issued, Response: secret.New(c.response),
			Now: now.Add(c.at), Expires: now.Add(90 * time.Second)})
		require.Equal(t, c.want, err, c.name)
		require.Equal(t, before, c.issued, "state is not changed in place")
	}
	for i := range keep {
		flipped := bytes.Clone(keep)
		flipped[i] ^= 1
		require.ErrorIs(t, sentcode.Check(factor.VerifyInput{Issued: flipped,
			Response: secret.New("012345"),
			Now:      now, Expires: now.Add(1)}), factor.ErrIncorrect)
	}
}

func TestKeep_EqualCodesLookUnequal(t *testing.T) {
	one, two := sentcode.Keep("012345"), sentcode.Keep("012345")
	require.NotEqual(t, one, two, "equal codes do not look equal")
	require.NotContains(t, string(one), "012345")
}

func TestNormalize_IgnoresSpacesAndHyphens(t *testing.T) {
	for in, want := range map[string]string{"012345": "012345", "012 345": "012345",
		" 012-345\t\n": "012345", "01\u00a02345": "012345"} {
		got, err := sentcode.Normalize(in)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, in := range []string{"", " ", "-", "12a456", "①②③④⑤⑥", "1234\x0056", "\xff",
		"+31", "1.5", strings.Repeat("1", 513), strings.Repeat("1", 1<<20)} {
		_, err := sentcode.Normalize(in)
		var p *factor.Problem
		require.ErrorAs(t, err, &p, "%.20q", in)
		require.Equal(t, "code_form", p.Reason)
	}
}

func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"012345", "012-345", "١", "\x00", " - ", "012\u202f345", "０１２３４５",
		"\u200f012345", "012–345\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out, err := sentcode.Normalize(in)
		if err != nil {
			return
		}
		if out == "" || len(out) > 64 || strings.Trim(out, "0123456789") != "" {
			t.Fatalf("%q became %q", in, out)
		}
		if again, err := sentcode.Normalize(out); err != nil || again != out {
			t.Fatalf("%q is not what it becomes", out)
		}
	})
}
