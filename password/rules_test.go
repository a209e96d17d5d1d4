package password_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/secret"
)

var olivia = password.Account{ID: "1", Email: "olivia.berg@acme.example", Name: "Olivia Berg",
	Words: []string{"olivia-b"}, SecondFactor: true}

func TestRules_RefuseWeakPasswords(t *testing.T) {
	r := password.Rules{Words: []string{"Acme", "go"}}
	for _, c := range []struct {
		password, reason string
	}{
		{"tulpenb", "password_too_short"},
		{"tulpenbo", ""},
		{"kæøå¥€ßü", ""},                              // eight characters
		{"e\u0301e\u0301iuxz!", "password_too_short"}, // seven, as é is one
		{"a lonely tram at night", ""},
		{"alllowercase letters", ""},
		{strings.Repeat("wxq7 ", 12) + "vjkr", ""}, // 64
		{strings.Repeat("ab3kd9!x", 128) + "zz", "password_too_long"},
		{"tab\tin here", "password_characters"},
		{"line\nbreak1", "password_characters"},
		{"\xff\xfe\xfd12345", "password_characters"},
		{"aaaaaaaa", "password_repeated"},
		{"abcabcabcabc", "password_repeated"},
		{"abababbbbaaa", "password_repeated"},
		{"password", "password_common"},
		{"PassWord", "password_common"},
		{"baseball", "password_common"},
		{"password12345678", "password_common"},
		{"dragon1111111", "password_common"},
		{"!!!!password", "password_common"},
		{"qwertyuiop12345", "password_common"},
		{"87654321", "password_common"},
		{"1qaz2wsx3edc4rfv", "password_common"},
		{"oliviaberg", "password_personal"},
		{"Olivia Berg 1984!", "password_personal"},
		{"olivia.berg@acme.example", "password_personal"},
		{"acme2026!", "password_personal"},
		{"acme olivia acme", "password_personal"},
		{"olivia likes herring", ""},
		{"go and see the otters", ""},
		{"dragonfly over water", ""},
	} {
		err := r.Check(t.Context(), secret.New(c.password), olivia)
		if c.reason == "" {
			require.NoError(t, err, c.password)
			continue
		}
		requireReason(t, err, c.reason)
		require.NotContains(t, err.Error(), c.password)
	}
}

func TestRules_BoundTheLength(t *testing.T) {
	alone := olivia
	alone.SecondFactor = false
	for _, c := range []struct {
		rules  password.Rules
		a      password.Account
		length int
	}{
		{password.Rules{}, olivia, 8}, {password.Rules{}, alone, 15},
		{password.Rules{MinLength: 12}, olivia, 12},
		{password.Rules{MinLength: 12}, alone, 15}, {password.Rules{MinLengthAlone: 20}, alone, 20},
		{password.Rules{MinLength: 1, MinLengthAlone: 1}, olivia, 8},
		{password.Rules{MinLength: 1, MinLengthAlone: 1}, alone, 15},
	} {
		const long = "wkzq7rdfj2mxc9hv5bnt3pls8yg"
		requireReason(t, c.rules.Check(t.Context(), secret.New(long[:c.length-1]), c.a),
			"password_too_short")
		require.NoError(t, c.rules.Check(t.Context(), secret.New(long[:c.length]), c.a))
	}
}

// ASVS 5.0 6.2.4: at least three thousand passwords that the length would let pass.
func TestRules_RefuseCommonPasswords(t *testing.T) {
	var r password.Rules
	for _, s := range []string{"12345678", "football", "iloveyou", "sunshine", "princess",
		"trustno1", "starwars", "whatever", "superman", "computer"} {
		require.Error(t, r.Check(t.Context(), secret.New(s), olivia), s)
	}
	long := 0
	for _, line := range password.CommonLines() {
		require.Equal(t, strings.ToLower(line), line)
		if utf8.RuneCountInString(line) >= 8 {
			long++
			require.Error(t, r.Check(t.Context(), secret.New(line), olivia), line)
		}
	}
	require.Greater(t, long, 3000)
}

func TestRules_CallRefuse(t *testing.T) {
	var seen secret.Text
	var answer error
	r := password.Rules{Refuse: func(_ context.Context, s secret.Text) error {
		seen = s
		return answer
	}}
	require.NoError(t, r.Check(t.Context(), secret.New("cafe\u0301 au lait"), olivia))
	require.Equal(t, secret.New("caf\u00e9 au lait"), seen, "in the form that is hashed")
	answer = &factor.Problem{Reason: "password_breached", Detail: "it has leaked"}
	requireReason(t, r.Check(t.Context(), secret.New("caf\u00e9 au lait"), olivia),
		"password_breached")
	answer = errors.New("no answer")
	require.ErrorIs(t, r.Check(t.Context(), secret.New("caf\u00e9 au lait"), olivia),
		mfa.ErrUnavailable)
	for _, answer = range []error{errors.New("no answer about caf\u00e9 au lait"),
		&factor.Problem{Reason: "password_breached", Detail: "caf\u00e9 au lait has leaked"}} {
		err := r.Check(t.Context(), secret.New("caf\u00e9 au lait"), olivia)
		require.ErrorIs(t, err, answer)
		require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), "lait", "what Refuse said")
	}
	seen = secret.Text{}
	require.Error(t, r.Check(t.Context(), secret.New("password"), olivia))
	require.Empty(t, seen, "asked only about what is good otherwise")
}

func FuzzCheck(f *testing.F) {
	r := password.Rules{Words: []string{"Acme"}}
	f.Add("password12345678", "Olivia", "o@acme.example")
	f.Add("\u1100\u1161\u11a8qwertz", "ß", "@")
	f.Fuzz(func(t *testing.T, s, name, address string) {
		a := password.Account{ID: "1", Name: name, Email: address, SecondFactor: true}
		err := r.Check(t.Context(), secret.New(s), a)
		if err == nil && (len(s) < 8 || len(s) > password.MaxBytes || !utf8.ValidString(s)) {
			t.Fatalf("%q is good", s)
		}
		if err != nil && !errors.Is(err, factor.ErrMalformed) {
			t.Fatal(err)
		}
	})
}
