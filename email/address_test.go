package email_test

import (
	"net/mail"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
)

func newFactor(t testing.TB) *email.Factor {
	t.Helper()
	f, err := email.New(email.Config{Sender: &mfatest.Outbox[email.Message]{}, ServiceName: "Acme"})
	require.NoError(t, err)
	return f
}

func TestAddresses(t *testing.T) {
	f := newFactor(t)
	longest := strings.Repeat("a", 64) + "@" + strings.Repeat(strings.Repeat("b", 62)+".", 3)
	for in, want := range map[string]string{
		"ann@example.com":           "ann@example.com a•••@example.com",
		"a@example.com":             "a@example.com •••@example.com",
		"ab@example.com":            "ab@example.com a•••@example.com",
		"éa@example.com":            "éa@example.com é•••@example.com",
		"é@example.com":             "é@example.com •••@example.com",
		"+a@example.com":            "+a@example.com •••@example.com",
		"ann+tag@sub.example.co.uk": "ann+tag@sub.example.co.uk a•••@sub.example.co.uk",
		" Ann@EXAMPLE.com\n":        "Ann@example.com A•••@example.com",
		"o'neil@xn--bcher-kva.de":   "o'neil@xn--bcher-kva.de o•••@xn--bcher-kva.de",
		longest[:254-3] + "co":      "",
		"ann@1and1.example":         "",
	} {
		out, err := f.Enroll(t.Context(), factor.EnrollInput{Params: factor.Params{"address": in}})
		require.NoError(t, err, in)
		if want != "" {
			require.Equal(t, want, string(out.State)+" "+out.Hint)
		}
		require.Equal(t, out.Hint, out.Prompt.Hint)
		require.Nil(t, out.Prompt.Data)
	}
	for _, in := range []string{"", " ", "ann", "ann@", "@example.com", "@", "ann@example", "ann@example.com.", "Ann <ann@example.com>", "<ann@example.com>",
		"ann@example.com, bob@example.com", "ann@example.com (Ann)", "a@b@example.com", "ann.@example.com", "a..b@example.com",
		"ann@example.com\r\nBcc: x@example.com", "ann@exam ple.com", "an n@example.com", "ann@-example.com", "ann@example-.com", "ann@exa_mple.com",
		"ann@[127.0.0.1]", "ann@127.0.0.1", "ann@example.1", "ann@example..com", "ann\x00@example.com", "ann\t@example.com", "\xff@example.com",
		"\"a b\"@example.com", "\"a\"@example.com", "a\u202enn@example.com", "a\u200bnn@example.com", "\ufeffann@example.com", "a\u00a0b@example.com",
		strings.Repeat("a", 65) + "@example.com", "a@" + strings.Repeat("b", 64) + ".com", longest[:254-2] + "co" + "m",
		"a@" + strings.Repeat("b.", 130) + "com", strings.Repeat("a", 1<<20), strings.Repeat("@", 1<<20)} {
		_, err := f.Enroll(t.Context(), factor.EnrollInput{Params: factor.Params{"address": in}})
		var p *factor.Problem
		require.ErrorAs(t, err, &p, "%.40q", in)
		require.Equal(t, "address_form", p.Reason)
		if len(in) > 3 && len(in) < 100 {
			require.NotContains(t, err.Error(), in)
		}
		state, _, err := f.Implied(factor.Person{Email: in})
		require.Nil(t, state)
		if in != "" {
			require.ErrorIs(t, err, factor.ErrUndeliverable)
		}
	}
	// An internationalised domain is refused with what to do about it.
	_, err := f.Enroll(t.Context(), factor.EnrollInput{Params: factor.Params{"address": "ann@bücher.de"}})
	require.ErrorContains(t, err, "xn--")
}

func TestEnroll(t *testing.T) {
	f := newFactor(t)
	person := factor.Person{Email: "ann@example.com"}
	out, err := f.Enroll(t.Context(), factor.EnrollInput{Person: person})
	require.NoError(t, err)
	require.Equal(t, "ann@example.com", string(out.State), "the address of record, unless another is given")
	out, err = f.Enroll(t.Context(), factor.EnrollInput{Person: person, Params: factor.Params{"address": "ann@home.example"},
		Existing: []factor.Instance{{State: []byte("ann@example.com")}}})
	require.NoError(t, err)
	require.Equal(t, "ann@home.example", string(out.State))
	_, err = f.Enroll(t.Context(), factor.EnrollInput{Params: factor.Params{"address": "ANN@example.com"},
		Existing: []factor.Instance{{State: []byte("bob@example.com")}, {State: []byte("ann@example.com")}}})
	var p *factor.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, "address_duplicate", p.Reason)
}

// Writing an address in another case is not a way around the budget of a destination.
func TestDestination(t *testing.T) {
	f := newFactor(t)
	one, err := f.Issue(t.Context(), factor.IssueInput{State: []byte("ann@example.com")})
	require.NoError(t, err)
	two, err := f.Issue(t.Context(), factor.IssueInput{State: []byte("ANN@example.com")})
	require.NoError(t, err)
	require.Equal(t, one.Destination.Reveal(), two.Destination.Reveal())
	require.NotContains(t, string(one.Keep), one.Payload.Reveal(), "a hash, not the code")
}

func TestMask(t *testing.T) {
	for in, want := range map[string]string{"": "•••", "nobody": "•••", "@": "•••@", "@example.com": "•••@example.com",
		"\u0301a@example.com": "•••@example.com", "\u202ea@example.com": "•••@example.com", "\xffa@example.com": "•••@example.com"} {
		require.Equal(t, want, email.Mask(in), "%q", in)
	}
}

func FuzzAddress(f *testing.F) {
	fac := newFactor(f)
	for _, s := range []string{"ann@example.com", "\"a\"@x.y\r\n", "a@b.c", "é@x.example", "Ann <ann@example.com>", "a@xn--a.example"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out, err := fac.Enroll(t.Context(), factor.EnrollInput{Params: factor.Params{"address": in}})
		if err != nil {
			return
		}
		state := string(out.State)
		if len(state) > 254 || strings.ContainsFunc(state, func(r rune) bool { return !unicode.IsPrint(r) || unicode.IsSpace(r) }) ||
			strings.ContainsAny(state, ",;<>\"") {
			t.Fatalf("accepted %q", in)
		}
		if a, err := mail.ParseAddress(state); err != nil || a.Address != state {
			t.Fatalf("accepted %q, which is not one bare address", in)
		}
		local, _, _ := strings.Cut(state, "@")
		if strings.Contains(out.Hint, local+"@") || !strings.Contains(out.Hint, "•••") {
			t.Fatalf("%q shows all of %q", out.Hint, state)
		}
		again, err := fac.Enroll(t.Context(), factor.EnrollInput{Params: factor.Params{"address": state}})
		if err != nil || string(again.State) != state {
			t.Fatalf("%q is not what it becomes", state)
		}
	})
}
