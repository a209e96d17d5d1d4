package totp_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/totp"
)

func TestURI(t *testing.T) {
	const account = "ann+x&y=z#?%@example.com"
	for _, issuer := range []string{"Acme", "My Co", "A&B=C+D#", "A&digits=8&secret=A", "Ünï", "100% real?/", "日本"} {
		f := newFactor(t, func(c *totp.Config) { c.Issuer = issuer })
		out, u := enroll(t, f, factor.EnrollInput{User: factor.User{ID: "42", Account: account}})
		uri := out.Prompt.URI.Reveal()
		require.NotContains(t, uri, "+", "apps print a plus")
		require.NotContains(t, uri, " ")
		require.Equal(t, "otpauth", u.Scheme)
		require.Equal(t, "totp", u.Host)
		require.Equal(t, "/"+issuer+":"+account, u.Path)
		require.Equal(t, url.Values{"secret": {out.Prompt.Secret.Reveal()}, "issuer": {issuer}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"}}, u.Query())
		require.Len(t, u.Query().Get("secret"), 32, "160 bits")
		k, err := otp.NewKeyFromURL(uri)
		require.NoError(t, err)
		require.Equal(t, issuer, k.Issuer())
		require.Equal(t, account, k.AccountName())
	}
	for a, n := range map[totp.Algorithm]int{totp.SHA256: 52, totp.SHA512: 103} {
		out, u := enroll(t, newFactor(t, func(c *totp.Config) { c.Algorithm, c.Digits, c.Period = a, 8, time.Minute }), factor.EnrollInput{User: factor.User{ID: "42"}})
		require.Len(t, u.Query().Get("secret"), n, "as long as the hash's output, without padding")
		require.NotContains(t, out.Prompt.URI.Reveal()[strings.Index(out.Prompt.URI.Reveal(), "secret="):], "==")
		require.Equal(t, a.String(), u.Query().Get("algorithm"))
		require.Equal(t, "8", u.Query().Get("digits"))
		require.Equal(t, "60", u.Query().Get("period"))
	}
}

// Golden, so that a change is seen by who makes it: apps are particular.
func TestURIToTheLetter(t *testing.T) {
	f := newFactor(t, func(c *totp.Config) { c.Issuer = "My Co & Söhne" })
	out, _ := enroll(t, f, factor.EnrollInput{User: factor.User{ID: "42", Account: "ann+x@example.com"}, Name: "phone",
		Params: map[string]factor.Secret{"secret": factor.NewSecret("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")}})
	require.Equal(t, "otpauth://totp/My%20Co%20%26%20S%C3%B6hne:ann%2Bx%40example.com%20%28phone%29"+
		"?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=My%20Co%20%26%20S%C3%B6hne&algorithm=SHA1&digits=6&period=30", out.Prompt.URI.Reveal())
}

// Apps overwrite an entry with the same issuer and account.
func TestLabelsAreUnique(t *testing.T) {
	f := newFactor(t)
	p := factor.User{ID: "42", Account: "ann@example.com"}
	labels := map[string]bool{}
	var have []factor.Instance
	long := strings.Repeat("n", 64)
	for _, c := range [][2]string{
		{"", "ann@example.com"}, {"", "ann@example.com (2)"}, {"", "ann@example.com (3)"},
		{"phone", "ann@example.com (phone)"}, {"phone", "ann@example.com (phone 2)"}, {"PHONE", "ann@example.com (PHONE 3)"},
		{"tablet: new", "ann@example.com (tablet new)"}, {"tablet:\u202e new", "ann@example.com (tablet new 2)"},
		{long, "ann@example.com (" + long + ")"}, {long, "ann@example.com (" + long + " 2)"}, {long + "more", "ann@example.com (" + long + " 3)"},
	} {
		out, u := enroll(t, f, factor.EnrollInput{User: p, Name: c[0], Existing: have})
		require.Equal(t, "/Acme:"+c[1], u.Path)
		require.False(t, labels[u.Path], u.Path)
		labels[u.Path] = true
		have = append(have, factor.Instance{Name: "renamed since", State: out.State})
	}
}

func TestAccountNames(t *testing.T) {
	for _, c := range []struct{ id, account, want string }{
		{"42", "", "42"},
		{"4:2", " :\n", "4 2"},
		{":", "\x00", "account"},
		{"42", "a\xffb", "a b"},
		{"42", "a:b\u0085c\u200f", "a b c"},
		{"42", "  two   spaces ", "two spaces"},
		{"42", strings.Repeat("é", 100), strings.Repeat("é", 64)},
		{"42", "x" + strings.Repeat("é", 100), "x" + strings.Repeat("é", 63)},
	} {
		_, u := enroll(t, newFactor(t), factor.EnrollInput{User: factor.User{ID: c.id, Account: c.account}})
		require.Equal(t, "/Acme:"+c.want, u.Path)
		require.Equal(t, 1, strings.Count(u.Path, ":"))
	}
}

// The longest of everything still makes a QR code.
func TestLongestURI(t *testing.T) {
	f := newFactor(t, func(c *totp.Config) { c.Issuer = strings.Repeat("日", 21) })
	out, _ := enroll(t, f, factor.EnrollInput{User: factor.User{Account: strings.Repeat("日", 1<<16)}, Name: strings.Repeat("日", 1<<16),
		Params: map[string]factor.Secret{"secret": factor.NewSecret(strings.Repeat("A", 205)), "period": factor.NewSecret("120"), "digits": factor.NewSecret("8"), "algorithm": factor.NewSecret("SHA512")}})
	require.NotEmpty(t, out.Prompt.PNG.Reveal())
	require.Less(t, len(out.Prompt.URI.Reveal()), 1400)
}

func TestImport(t *testing.T) {
	f := newFactor(t)
	const plain = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for _, secret := range []string{plain, strings.ToLower(plain), " GEZD GNBV gy3t-QOJQ\tGEZDGNBVGY3TQOJQ\n", plain + "======", "GEZD\u00a0" + plain[4:]} {
		out, u := enroll(t, f, factor.EnrollInput{Params: map[string]factor.Secret{"secret": factor.NewSecret(secret)}, User: factor.User{ID: "42"}})
		require.Equal(t, plain, u.Query().Get("secret"))
		_, err := at(f, out.State, 59, "287082")
		require.NoError(t, err)
		_, err = f.Enroll(t.Context(), factor.EnrollInput{Params: map[string]factor.Secret{"secret": factor.NewSecret(plain)}, Existing: []factor.Instance{{State: out.State}}})
		require.Equal(t, "secret_duplicate", reason(err))
	}
	for _, c := range []struct {
		params    map[string]factor.Secret
		algorithm totp.Algorithm
		digits    int
		period    int
	}{
		{map[string]factor.Secret{"secret": factor.NewSecret(plain)}, totp.SHA1, 6, 30},
		{map[string]factor.Secret{"secret": factor.NewSecret(plain), "algorithm": factor.Secret{}, "digits": factor.Secret{}, "period": factor.Secret{}}, totp.SHA1, 6, 30},
		{map[string]factor.Secret{"secret": factor.NewSecret(plain), "algorithm": factor.NewSecret("sha-256"), "digits": factor.NewSecret("8"), "period": factor.NewSecret("60")}, totp.SHA256, 8, 60},
		{map[string]factor.Secret{"secret": factor.NewSecret(plain), "algorithm": factor.NewSecret("SHA512"), "digits": factor.NewSecret("7"), "period": factor.NewSecret("15")}, totp.SHA512, 7, 15},
		{map[string]factor.Secret{"secret": factor.NewSecret(plain), "algorithm": factor.NewSecret("Sha1"), "digits": factor.NewSecret("6"), "period": factor.NewSecret("120")}, totp.SHA1, 6, 120},
		{map[string]factor.Secret{"secret": factor.Secret{}}, totp.SHA1, 6, 30},
		{nil, totp.SHA1, 6, 30},
	} {
		_, algorithm, digits, period, err := totp.Imported(f, c.params)
		require.NoError(t, err)
		require.Equal(t, []any{c.algorithm, c.digits, c.period}, []any{algorithm, digits, period}, c)
	}
	// What is imported is judged by its own digits and period, whatever the Config.
	out, _ := enroll(t, f, factor.EnrollInput{Params: map[string]factor.Secret{"secret": factor.NewSecret(plain), "digits": factor.NewSecret("8"), "period": factor.NewSecret("60")}, User: factor.User{ID: "42"}})
	_, err := at(f, out.State, 119, "94287082")
	require.NoError(t, err)
}

func TestRefusedImports(t *testing.T) {
	f := newFactor(t)
	secret := "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for name, p := range map[string]map[string]factor.Secret{
		"80 bits":     map[string]factor.Secret{"secret": factor.NewSecret("GEZDGNBVGY3TQOJQ")},
		"15 bytes":    map[string]factor.Secret{"secret": factor.NewSecret(strings.Repeat("A", 24))},
		"129 bytes":   map[string]factor.Secret{"secret": factor.NewSecret(strings.Repeat("A", 207))},
		"megabyte":    map[string]factor.Secret{"secret": factor.NewSecret(strings.Repeat("A", 1<<20))},
		"no base32":   map[string]factor.Secret{"secret": factor.NewSecret(secret[:31] + "1")},
		"spaces":      map[string]factor.Secret{"secret": factor.NewSecret("   ")},
		"padding":     map[string]factor.Secret{"secret": factor.NewSecret("====")},
		"padded":      map[string]factor.Secret{"secret": factor.NewSecret(secret[:16] + "==" + secret[16:])},
		"1 too many":  map[string]factor.Secret{"secret": factor.NewSecret(secret + "A")},
		"3 too many":  map[string]factor.Secret{"secret": factor.NewSecret(secret + "AAA")},
		"2 missing":   map[string]factor.Secret{"secret": factor.NewSecret(secret + secret[:6])},
		"full width":  map[string]factor.Secret{"secret": factor.NewSecret(strings.Repeat("Ａ", 32))},
		"long s":      map[string]factor.Secret{"secret": factor.NewSecret(secret[:31] + "ſ")},
		"NUL":         map[string]factor.Secret{"secret": factor.NewSecret(secret + "\x00")},
		"UTF-8":       map[string]factor.Secret{"secret": factor.NewSecret(secret + "\xff")},
		"5 digits":    map[string]factor.Secret{"secret": factor.NewSecret(secret), "digits": factor.NewSecret("5")},
		"9 digits":    map[string]factor.Secret{"secret": factor.NewSecret(secret), "digits": factor.NewSecret("9")},
		"0 digits":    map[string]factor.Secret{"secret": factor.NewSecret(secret), "digits": factor.NewSecret("0")},
		"six digits":  map[string]factor.Secret{"secret": factor.NewSecret(secret), "digits": factor.NewSecret("six")},
		"121 s":       map[string]factor.Secret{"secret": factor.NewSecret(secret), "period": factor.NewSecret("121")},
		"14 s":        map[string]factor.Secret{"secret": factor.NewSecret(secret), "period": factor.NewSecret("14")},
		"0 s":         map[string]factor.Secret{"secret": factor.NewSecret(secret), "period": factor.NewSecret("0")},
		"negative":    map[string]factor.Secret{"secret": factor.NewSecret(secret), "period": factor.NewSecret("-30")},
		"overflow":    map[string]factor.Secret{"secret": factor.NewSecret(secret), "period": factor.NewSecret("99999999999999999999")},
		"overflowing": map[string]factor.Secret{"secret": factor.NewSecret(secret), "period": factor.NewSecret("18446744103")},
		"MD5":         map[string]factor.Secret{"secret": factor.NewSecret(secret), "algorithm": factor.NewSecret("MD5")},
		"steam":       map[string]factor.Secret{"secret": factor.NewSecret(secret), "algorithm": factor.NewSecret("unknown")},
		"no secret":   map[string]factor.Secret{"digits": factor.NewSecret("8")},
		"nor here":    map[string]factor.Secret{"secret": factor.Secret{}, "algorithm": factor.NewSecret("SHA256")},
	} {
		_, err := f.Enroll(t.Context(), factor.EnrollInput{Params: p, User: factor.User{ID: "42"}})
		require.Equal(t, "secret_form", reason(err), name)
		require.NotContains(t, err.Error(), "GEZD")
	}
	// HMAC fills keys up with zeros: another text, the same codes.
	for first, second := range map[string]string{secret: secret + "AAAAAAAA", secret + "AAAAAAAA": secret} {
		out, _ := enroll(t, f, factor.EnrollInput{Params: map[string]factor.Secret{"secret": factor.NewSecret(first)}, User: factor.User{ID: "42"}})
		_, err := f.Enroll(t.Context(), factor.EnrollInput{Params: map[string]factor.Secret{"secret": factor.NewSecret(second)}, Existing: []factor.Instance{{State: out.State}}})
		require.Equal(t, "secret_duplicate", reason(err))
	}
	_, err := f.Enroll(t.Context(), factor.EnrollInput{Existing: []factor.Instance{{State: []byte("damaged")}}})
	require.Error(t, err, "what cannot be read cannot be compared")
	require.Empty(t, reason(err), "and it is not the person's fault")
}

func TestEachSecretIsNew(t *testing.T) {
	f, seen := newFactor(t), map[string]bool{}
	for range 20 {
		out, _ := enroll(t, f, factor.EnrollInput{User: factor.User{ID: "42"}})
		require.False(t, seen[out.Prompt.Secret.Reveal()])
		seen[out.Prompt.Secret.Reveal()] = true
		require.Len(t, out.State, 39)
		require.EqualValues(t, -1, totp.Last(out.State))
	}
}

// The code that confirms an enrolment does not sign in.
func TestConfirmingUsesTheCode(t *testing.T) {
	f := newFactor(t)
	out, _ := enroll(t, f, factor.EnrollInput{User: factor.User{ID: "42"}})
	in := factor.VerifyInput{State: out.State, Response: totp.Code(out.State, somewhere), Now: time.Unix(somewhere*30, 0), Confirming: true}
	next, err := judge(f, in)
	require.NoError(t, err)
	in.State, in.Confirming = next, false
	_, err = judge(f, in)
	require.ErrorIs(t, err, factor.ErrReplayed)
}

func TestNothingPrintsASecret(t *testing.T) {
	out, u := enroll(t, newFactor(t), factor.EnrollInput{User: factor.User{ID: "42"}})
	encoded, err := json.Marshal(out.Prompt)
	require.NoError(t, err)
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s", out.Prompt, out.Prompt, out.Prompt, out.Prompt), string(encoded)} {
		require.NotContains(t, text, u.Query().Get("secret"))
		require.NotContains(t, text, "svg ")
		require.NotContains(t, text, "otpauth")
	}
}
