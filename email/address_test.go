package email_test

import (
	"net/mail"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/internal/mailaddr"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

func newFactor(t testing.TB) *email.Factor {
	t.Helper()
	f, err := email.New(email.Config{Sender: &mfatest.Outbox[email.Message]{}, ServiceName: "Acme"})
	require.NoError(t, err)
	return f
}

func TestFactor_KeepsAddressesInOneForm(t *testing.T) {
	f := newFactor(t)
	for in, want := range map[string]string{
		"ann@example.com":           "ann@example.com a•••@example.com",
		"a@example.com":             "a@example.com •••@example.com",
		"ab@example.com":            "ab@example.com a•••@example.com",
		"+a@example.com":            "+a@example.com •••@example.com",
		"ann+tag@sub.example.co.uk": "ann+tag@sub.example.co.uk a•••@sub.example.co.uk",
		" Ann@EXAMPLE.com\n":        "Ann@example.com A•••@example.com",
		"ann@bücher.example":        "ann@xn--bcher-kva.example a•••@bücher.example",
		"ann@XN--BCHER-KVA.example": "ann@xn--bcher-kva.example a•••@bücher.example",
		"ann@例え。テスト":                "ann@xn--r8jz45g.xn--zckzah a•••@例え.テスト",
		"ann..b@example.com":        "ann..b@example.com a•••@example.com",
		"josé@example.com":          "josé@example.com j•••@example.com",
		"用户@example.com":            "用户@example.com 用•••@example.com",
	} {
		out, err := f.Enroll(t.Context(), enrolling(in))
		require.NoError(t, err, in)
		require.Equal(t, want, string(out.State)+" "+out.MaskedDestination)
		require.Equal(t, out.MaskedDestination, out.Prompt.MaskedDestination)
		require.Nil(t, out.Prompt.Data)
		state, masked, err := f.Implied(factor.User{Email: in})
		require.NoError(t, err, "an address of record is read as one that is typed")
		require.Equal(t, want, string(state)+" "+masked)
	}
	_, err := f.Enroll(t.Context(), factor.EnrollInput{
		Params:   map[string]secret.Text{"address": secret.New("ann@bücher.example")},
		Existing: []factor.EnrollOutput{{State: []byte("ann@xn--bcher-kva.example")}}})
	requireProblem(t, err, "address_duplicate")
}

func enrolling(address string) factor.EnrollInput {
	return factor.EnrollInput{Params: map[string]secret.Text{"address": secret.New(address)}}
}

func requireProblem(t *testing.T, err error, reason string) {
	t.Helper()
	var p *factor.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, reason, p.Reason)
}

// The reasons are in a table of their own, at internal/mailaddr. What is refused to a user who
// types it is, as an address of record, an error and never "has none".
func TestFactor_RefusesWhatCannotBeMailedTo(t *testing.T) {
	f := newFactor(t)
	for reason, list := range map[string][]string{
		"address_form": {" ", "ann", "ann@", "..@example.com", "Ann <ann@example.com>",
			"a,b@example.com",
			"ann@example.com, bob@example.com", "ann@example.com\r\nBcc: x@example.com",
			"a\u202enn@example.com"},
		"address_unsupported": {"ann@intranet", `"ann b"@example.com`, "ann@[192.0.2.1]",
			"ann@192.0.2.1",
			"ann@exa_mple.com", "ann@xn--a.example", strings.Repeat("a", 65) + "@example.com",
			strings.Repeat("a", 1<<20)},
	} {
		for _, in := range list {
			_, err := f.Enroll(t.Context(), enrolling(in))
			requireProblem(t, err, reason)
			require.NotContains(t, err.Error(), "ann", "%q", in)
			state, masked, err := f.Implied(factor.User{Email: in})
			require.ErrorIs(t, err, factor.ErrUndeliverable)
			requireProblem(t, err, reason)
			require.NotContains(t, err.Error(), "ann", "%q", in)
			require.Empty(t, string(state)+masked)
		}
	}
	state, _, err := f.Implied(factor.User{})
	require.NoError(t, err)
	require.Nil(t, state, "only a user without an address has none")
}

func TestConfig_LocalDomains(t *testing.T) {
	cfg := email.Config{Sender: &mfatest.Outbox[email.Message]{}, ServiceName: "Acme",
		LocalDomains: []string{"Intranet"}}
	f, err := email.New(cfg)
	require.NoError(t, err)
	out, err := f.Enroll(t.Context(), enrolling("ann@INTRANET"))
	require.NoError(t, err)
	require.Equal(t, "ann@intranet", string(out.State))
	_, err = f.Enroll(t.Context(), enrolling("ann@elsewhere"))
	requireProblem(t, err, "address_unsupported")
	for _, bad := range []string{"", "example.com", "a b", "[intranet]", "127"} {
		cfg.LocalDomains = []string{bad}
		_, err := email.New(cfg)
		require.ErrorContains(t, err, "LocalDomains[0]", bad)
	}
}

func TestEnroll_ChoosesTheAddress(t *testing.T) {
	f := newFactor(t)
	ann := factor.User{Email: "ann@example.com"}
	out, err := f.Enroll(t.Context(), factor.EnrollInput{User: ann})
	require.NoError(t, err)
	require.Equal(t, "ann@example.com", string(out.State),
		"the address of record, unless another is given")
	out, err = f.Enroll(t.Context(), factor.EnrollInput{User: ann,
		Params:   map[string]secret.Text{"address": secret.New("ann@home.example")},
		Existing: []factor.EnrollOutput{{State: []byte("ann@example.com")}}})
	require.NoError(t, err)
	require.Equal(t, "ann@home.example", string(out.State))
	_, err = f.Enroll(t.Context(), factor.EnrollInput{
		Params: map[string]secret.Text{"address": secret.New("ANN@example.com")},
		Existing: []factor.EnrollOutput{{State: []byte("bob@example.com")},
			{State: []byte("ann@example.com")}}})
	var p *factor.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, "address_duplicate", p.Reason)
}

// Writing an address in another case is not a way around the rate limit of a destination.
func TestDestination_IgnoresCase(t *testing.T) {
	f := newFactor(t)
	one, err := f.Issue(t.Context(), factor.IssueInput{State: []byte("ann@example.com")})
	require.NoError(t, err)
	two, err := f.Issue(t.Context(), factor.IssueInput{State: []byte("ANN@example.com")})
	require.NoError(t, err)
	require.Equal(t, one.Destination.Reveal(), two.Destination.Reveal())
	require.NotContains(t, string(one.Keep), one.Payload.Reveal(), "a hash, not the code")
	// The Kelvin sign is a k in lower case, and another mailbox.
	kelvin, err := f.Issue(t.Context(), factor.IssueInput{State: []byte("\u212aim@example.com")})
	require.NoError(t, err)
	kim, err := f.Issue(t.Context(), factor.IssueInput{State: []byte("kim@example.com")})
	require.NoError(t, err)
	require.NotEqual(t, kim.Destination.Reveal(), kelvin.Destination.Reveal())
}

func TestMask_HidesTheLocalPart(t *testing.T) {
	for in, want := range map[string]string{"": "•••", "nobody": "•••", "@": "•••@",
		"@example.com":        "•••@example.com",
		"\u0301a@example.com": "•••@example.com", "\u202ea@example.com": "•••@example.com",
		"\xffa@example.com":         "•••@example.com",
		"ann@xn--bcher-kva.example": "a•••@bücher.example",
		"ann@xn--a.example":         "a•••@xn--a.example"} {
		require.Equal(t, want, email.Mask(in), "%q", in)
	}
}

func FuzzAddress(f *testing.F) {
	fac := newFactor(f)
	for _, s := range []string{"ann@example.com", "\"a\"@x.y\r\n", "a@b.c", "é@x.example",
		"Ann <ann@example.com>", "a@xn--a.example", "ann..b@example.com", `"ann..b"@example.com`,
		"josé@bücher.example", "mailto:ann@example.com", "\u202aann@example.com\u202c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out, err := fac.Enroll(t.Context(), factor.EnrollInput{
			Params: map[string]secret.Text{"address": secret.New(in)}})
		if err != nil {
			return
		}
		state := string(out.State)
		if len(state) > 254 || strings.ContainsFunc(state, func(r rune) bool {
			return !unicode.IsPrint(r) || unicode.IsSpace(r)
		}) ||
			strings.ContainsAny(state, ",;<>\"") {
			t.Fatalf("accepted %q", in)
		}
		if a, err := mail.ParseAddress(mailaddr.Wire(state)); err != nil || a.Address != state {
			t.Fatalf("accepted %q, which is not one bare address", in)
		}
		local, _, _ := strings.Cut(state, "@")
		if strings.Contains(out.MaskedDestination, local+"@") ||
			!strings.Contains(out.MaskedDestination, "•••") {
			t.Fatalf("%q shows all of %q", out.MaskedDestination, state)
		}
		again, err := fac.Enroll(t.Context(), factor.EnrollInput{
			Params: map[string]secret.Text{"address": secret.New(state)}})
		if err != nil || string(again.State) != state {
			t.Fatalf("%q is not what it becomes", state)
		}
	})
}
