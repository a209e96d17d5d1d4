package totp_test

import (
	"bytes"
	"encoding/base32"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/totp"
)

// Whatever bytes a state is, there is no panic, nothing is lost by decoding it, and a state
// that a correct code leaves can be read again.
func FuzzState(f *testing.F) {
	f.Add(fresh(), int64(59), "287082")
	f.Add(totp.State(seeds[totp.SHA512], totp.SHA512, 8, 2*time.Minute, 7), int64(1<<40),
		"12345678")
	f.Add([]byte{1}, int64(-1), "")
	fac := newFactor(f, grace(time.Minute))
	f.Fuzz(func(t *testing.T, state []byte, unix int64, response string) {
		again, err := totp.Decode(state)
		if err == nil && !bytes.Equal(state, again) {
			t.Fatalf("%x became %x", state, again)
		}
		next, refusal := at(fac, state, unix, response)
		if refusal != nil {
			return
		}
		if err != nil {
			t.Fatal("a code was correct for a state that cannot be read")
		}
		if totp.Last(next) <= totp.Last(state) {
			t.Fatalf("step %d after %d", totp.Last(next), totp.Last(state))
		}
	})
}

// What Normalize lets through is six to eight digits in the order they were typed, and
// normalising it again changes nothing.
func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"123 456", "123-456", "１２３４５６", "\u202f1\u00a023456", "12345\xff6",
		"\u200f123456",
		"١٢٣٤٥٦", "१२३४५६", "123–456\r\n", "\ufeff123\u00ad456"} {
		f.Add(s)
	}
	fac := newFactor(f)
	f.Fuzz(func(t *testing.T, typed string) {
		got, err := fac.Normalize(typed)
		if err != nil {
			if reason(err) != "code_form" || got != "" {
				t.Fatalf("%q, %v", got, err)
			}
			return
		}
		digits := 0
		for _, r := range typed {
			if unicode.IsDigit(r) {
				digits++
			}
		}
		if digits != len(got) || len(got) < 6 || len(got) > 8 ||
			strings.Trim(got, "0123456789") != "" {
			t.Fatalf("%q became %q", typed, got)
		}
		if again, err := fac.Normalize(got); err != nil || again != got {
			t.Fatalf("%q became %q, %v", got, again, err)
		}
	})
}

// What is imported is what was typed: nothing is dropped, made up or out of bounds.
func FuzzImport(f *testing.F) {
	f.Add("GEZD gnbv GY3TQOJQ-GEZDGNBVGY3TQOJQ====", "sha-256", "8", "60")
	f.Add(strings.Repeat("A", 26), "", "", "")
	f.Add("A=A", "SHA1", "0", "-1")
	fac := newFactor(f)
	f.Fuzz(func(t *testing.T, text, algorithm, digits, period string) {
		secret, a, d, p, err := totp.Imported(fac, map[string]secret.Text{
			"secret": secret.New(text), "algorithm": secret.New(algorithm),
			"digits": secret.New(digits), "period": secret.New(period)})
		if err != nil {
			if reason(err) != "secret_form" {
				t.Fatal(err)
			}
			return
		}
		if a > totp.SHA512 || d < 6 || d > 8 || p < 15 || p > 120 || len(secret) < 16 ||
			len(secret) > 128 {
			t.Fatalf("%d bytes, %s, %d digits, %d s", len(secret), a, d, p)
		}
		if digits != "" && mustAtoi(digits) != d || period != "" && mustAtoi(period) != p {
			t.Fatalf("%q digits, %q s became %d, %d", digits, period, d, p)
		}
		if text == "" {
			return
		}
		kept := strings.Map(func(r rune) rune {
			if strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", r) {
				return r
			}
			return -1
		}, strings.ToUpper(text))
		// The last character may hold bits beyond the last whole byte.
		if again := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret); len(
			again) != len(kept) || again[:len(again)-1] != kept[:len(kept)-1] {
			t.Fatalf("%q became %q", kept, again)
		}
	})
}

func mustAtoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// However a user and their devices are named, the URI has the label and five parameters,
// and two devices have two labels.
func FuzzLabel(f *testing.F) {
	f.Add("ann@example.com", "phone")
	f.Add("a:b&secret=x", "%3A\x00\u202e")
	f.Add(strings.Repeat("😀", 40), strings.Repeat("👩‍👩‍👧‍👦", 3))
	f.Add("\u200fדנה\u200e", `Ann's "phone"`)
	fac := newFactor(f)
	f.Fuzz(func(t *testing.T, account, device string) {
		in := factor.EnrollInput{User: factor.User{ID: "42", Account: account}, Name: device}
		first, u := enroll(t, fac, in)
		if strings.Count(u.Path, ":") != 1 || !strings.HasPrefix(u.Path, "/Acme:") ||
			len(u.Query()) != 5 || u.Fragment != "" {
			t.Fatal(u.Path)
		}
		for key, values := range u.Query() {
			if len(values) != 1 {
				t.Fatalf("%d times %s", len(values), key)
			}
		}
		in.Existing = []factor.EnrollOutput{{State: first.State}}
		if _, second := enroll(t, fac, in); strings.EqualFold(u.Path, second.Path) {
			t.Fatal(second.Path)
		}
	})
}
