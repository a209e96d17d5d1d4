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
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/totp"
)

func TestURI_HasEachParameter(t *testing.T) {
	const account = "ann+x&y=z#?%@example.com"
	for _, issuer := range []string{"Acme", "My Co", "A&B=C+D#", "A&digits=8&secret=A", "Ünï",
		"100% real?/", "日本"} {
		f := newFactor(t, func(c *totp.Config) { c.Issuer = issuer })
		out, u := enroll(t, f, factor.EnrollInput{User: factor.User{ID: "42", Account: account}})
		uri := out.Prompt.URI.Reveal()
		require.NotContains(t, uri, "+", "apps print a plus")
		require.NotContains(t, uri, " ")
		require.Equal(t, "otpauth", u.Scheme)
		require.Equal(t, "totp", u.Host)
		require.Equal(t, "/"+issuer+":"+account, u.Path)
		require.Equal(t, url.Values{"secret": {out.Prompt.Secret.Reveal()}, "issuer": {issuer},
			"algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"}}, u.Query())
		require.Len(t, u.Query().Get("secret"), 32, "160 bits")
		k, err := otp.NewKeyFromURL(uri)
		require.NoError(t, err)
		require.Equal(t, issuer, k.Issuer())
		require.Equal(t, account, k.AccountName())
	}
	for a, n := range map[totp.Algorithm]int{totp.SHA256: 52, totp.SHA512: 103} {
		out, u := enroll(t, newFactor(t, func(c *totp.Config) {
			c.Algorithm, c.Digits, c.Period = a, 8, time.Minute
		}), factor.EnrollInput{User: factor.User{ID: "42"}})
		require.Len(t, u.Query().Get("secret"), n, "as long as the hash's output, without padding")
		require.NotContains(t, out.Prompt.URI.Reveal()[strings.Index(out.Prompt.URI.Reveal(),
			"secret="):], "==")
		require.Equal(t, a.String(), u.Query().Get("algorithm"))
		require.Equal(t, "8", u.Query().Get("digits"))
		require.Equal(t, "60", u.Query().Get("period"))
	}
}

// Golden, so that a change is seen by who makes it: apps are particular.
func TestURI_ToTheLetter(t *testing.T) {
	f := newFactor(t, func(c *totp.Config) { c.Issuer = "My Co & Söhne" })
	out, _ := enroll(t, f, factor.EnrollInput{User: factor.User{ID: "42",
		Account: "ann+x@example.com"}, Name: "phone",
		Params: map[string]secret.Text{"secret": secret.New("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")}})
	require.Equal(t,
		"otpauth://totp/My%20Co%20%26%20S%C3%B6hne:ann%2Bx%40example.com%20%28phone%29"+
			"?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=My%20Co%20%26%20S%C3%B6hne&algorithm=SHA1&digits=6&period=30", out.Prompt.URI.Reveal())
}

// Apps overwrite an entry with the same issuer and account.
func TestURI_LabelsAreUnique(t *testing.T) {
	f := newFactor(t)
	p := factor.User{ID: "42", Account: "ann@example.com"}
	labels := map[string]bool{}
	var have []factor.EnrollOutput
	long := strings.Repeat("n", 64)
	for _, c := range [][2]string{
		{"", "ann@example.com"}, {"", "ann@example.com (2)"}, {"", "ann@example.com (3)"},
		{"phone", "ann@example.com (phone)"}, {"phone", "ann@example.com (phone 2)"},
		{"PHONE", "ann@example.com (PHONE 3)"},
		{"tablet: new", "ann@example.com (tablet new)"},
		{"tablet:\u202e new", "ann@example.com (tablet new 2)"},
		{long, "ann@example.com (" + long + ")"}, {long, "ann@example.com (" + long + " 2)"},
		{long + "more", "ann@example.com (" + long + " 3)"},
	} {
		out, u := enroll(t, f, factor.EnrollInput{User: p, Name: c[0], Existing: have})
		require.Equal(t, "/Acme:"+c[1], u.Path)
		require.False(t, labels[u.Path], u.Path)
		labels[u.Path] = true
		have = append(have, factor.EnrollOutput{Name: "renamed since", State: out.State})
	}
}

func TestURI_CleansAccountNames(t *testing.T) {
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
		_, u := enroll(t, newFactor(t), factor.EnrollInput{User: factor.User{ID: c.id,
			Account: c.account}})
		require.Equal(t, "/Acme:"+c.want, u.Path)
		require.Equal(t, 1, strings.Count(u.Path, ":"))
	}
}

// The longest of everything still makes a QR code.
func TestQR_HoldsTheLongestURI(t *testing.T) {
	f := newFactor(t, func(c *totp.Config) { c.Issuer = strings.Repeat("日", 21) })
	out, _ := enroll(t, f, factor.EnrollInput{User: factor.User{Account: strings.Repeat("日",
		1<<16)}, Name: strings.Repeat("日", 1<<16),
		Params: map[string]secret.Text{"secret": secret.New(strings.Repeat("A", 205)),
			"period": secret.New("120"), "digits": secret.New("8"),
			"algorithm": secret.New("SHA512")}})
	_, err := totp.QRSVG(out.Prompt.URI.Reveal())
	require.NoError(t, err)
	require.Less(t, len(out.Prompt.URI.Reveal()), 1400)
}

func TestEnroll_ImportsASecret(t *testing.T) {
	f := newFactor(t)
	const plain = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for _, key := range []string{plain, strings.ToLower(plain),
		" GEZD GNBV gy3t-QOJQ\tGEZDGNBVGY3TQOJQ\n", plain + "======", "GEZD\u00a0" + plain[4:]} {
		out, u := enroll(t, f, factor.EnrollInput{
			Params: map[string]secret.Text{"secret": secret.New(key)}, User: factor.User{ID: "42"}})
		require.Equal(t, plain, u.Query().Get("secret"))
		_, err := at(f, out.State, 59, "287082")
		require.NoError(t, err)
		_, err = f.Enroll(t.Context(), factor.EnrollInput{
			Params:   map[string]secret.Text{"secret": secret.New(plain)},
			Existing: []factor.EnrollOutput{{State: out.State}}})
		require.Equal(t, "secret_duplicate", reason(err))
	}
	for _, c := range []struct {
		params    map[string]secret.Text
		algorithm totp.Algorithm
		digits    int
		period    int
	}{
		{map[string]secret.Text{"secret": secret.New(plain)}, totp.SHA1, 6, 30},
		{map[string]secret.Text{"secret": secret.New(plain), "algorithm": secret.Text{},
			"digits": secret.Text{}, "period": secret.Text{}}, totp.SHA1, 6, 30},
		{map[string]secret.Text{"secret": secret.New(plain), "algorithm": secret.New("sha-256"),
			"digits": secret.New("8"), "period": secret.New("60")}, totp.SHA256, 8, 60},
		{map[string]secret.Text{"secret": secret.New(plain), "algorithm": secret.New("SHA512"),
			"digits": secret.New("7"), "period": secret.New("15")}, totp.SHA512, 7, 15},
		{map[string]secret.Text{"secret": secret.New(plain), "algorithm": secret.New("Sha1"),
			"digits": secret.New("6"), "period": secret.New("120")}, totp.SHA1, 6, 120},
		{map[string]secret.Text{"secret": secret.Text{}}, totp.SHA1, 6, 30},
		{nil, totp.SHA1, 6, 30},
	} {
		_, algorithm, digits, period, err := totp.Imported(f, c.params)
		require.NoError(t, err)
		require.Equal(t, []any{c.algorithm, c.digits, c.period}, []any{algorithm, digits, period},
			c)
	}
	// What is imported is verified by its own digits and period, whatever the Config.
	out, _ := enroll(t, f, factor.EnrollInput{
		Params: map[string]secret.Text{"secret": secret.New(plain), "digits": secret.New("8"),
			"period": secret.New("60")},
		User: factor.User{ID: "42"}})
	_, err := at(f, out.State, 119, "94287082")
	require.NoError(t, err)
}

// 128 bits are enough, and a secret has room for as many separators as characters.
func TestEnroll_TakesSecretsAtTheBounds(t *testing.T) {
	f := newFactor(t)
	out, _ := enroll(t, f, factor.EnrollInput{User: factor.User{ID: "42"},
		Params: map[string]secret.Text{"secret": secret.New(strings.Repeat("ab", 13))}})
	_, err := at(f, out.State, somewhere*30, totp.Code(out.State, somewhere))
	require.NoError(t, err)
	for n, want := range map[int]string{416: "", 417: "secret_form"} {
		_, err := f.Enroll(t.Context(), factor.EnrollInput{User: factor.User{ID: "42"},
			Params: map[string]secret.Text{"secret": secret.New(
				strings.Repeat("A", 205) + strings.Repeat(" ", n-205))}})
		require.Equal(t, want, reason(err), "%d characters", n)
	}
}

func TestEnroll_RefusesWeakImports(t *testing.T) {
	f := newFactor(t)
	key := "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for name, p := range map[string]map[string]secret.Text{
		"80 bits":   map[string]secret.Text{"secret": secret.New("GEZDGNBVGY3TQOJQ")},
		"15 bytes":  map[string]secret.Text{"secret": secret.New(strings.Repeat("A", 24))},
		"129 bytes": map[string]secret.Text{"secret": secret.New(strings.Repeat("A", 207))},
		"megabyte":  map[string]secret.Text{"secret": secret.New(strings.Repeat("A", 1<<20))},
		"no base32": map[string]secret.Text{"secret": secret.New(key[:31] + "1")},
		"spaces":    map[string]secret.Text{"secret": secret.New("   ")},
		"no base32 after enough of it": map[string]secret.Text{
			"secret": secret.New(key + "01898989")},
		"padding":    map[string]secret.Text{"secret": secret.New("====")},
		"padded":     map[string]secret.Text{"secret": secret.New(key[:16] + "==" + key[16:])},
		"1 too many": map[string]secret.Text{"secret": secret.New(key + "A")},
		"3 too many": map[string]secret.Text{"secret": secret.New(key + "AAA")},
		"2 missing":  map[string]secret.Text{"secret": secret.New(key + key[:6])},
		"full width": map[string]secret.Text{"secret": secret.New(strings.Repeat("Ａ", 32))},
		"long s":     map[string]secret.Text{"secret": secret.New(key[:31] + "ſ")},
		"NUL":        map[string]secret.Text{"secret": secret.New(key + "\x00")},
		"UTF-8":      map[string]secret.Text{"secret": secret.New(key + "\xff")},
		"5 digits":   map[string]secret.Text{"secret": secret.New(key), "digits": secret.New("5")},
		"9 digits":   map[string]secret.Text{"secret": secret.New(key), "digits": secret.New("9")},
		"0 digits":   map[string]secret.Text{"secret": secret.New(key), "digits": secret.New("0")},
		"six digits": map[string]secret.Text{"secret": secret.New(key),
			"digits": secret.New("six")},
		"121 s": map[string]secret.Text{"secret": secret.New(key),
			"period": secret.New("121")},
		"14 s": map[string]secret.Text{"secret": secret.New(key),
			"period": secret.New("14")},
		"0 s": map[string]secret.Text{"secret": secret.New(key), "period": secret.New("0")},
		"negative": map[string]secret.Text{"secret": secret.New(key),
			"period": secret.New("-30")},
		"overflow": map[string]secret.Text{"secret": secret.New(key),
			"period": secret.New("99999999999999999999")},
		"overflowing": map[string]secret.Text{"secret": secret.New(key),
			"period": secret.New("18446744103")},
		"MD5": map[string]secret.Text{"secret": secret.New(key),
			"algorithm": secret.New("MD5")},
		"steam": map[string]secret.Text{"secret": secret.New(key),
			"algorithm": secret.New("unknown")},
		"no secret": map[string]secret.Text{"digits": secret.New("8")},
		"nor here": map[string]secret.Text{"secret": secret.Text{},
			"algorithm": secret.New("SHA256")},
	} {
		_, err := f.Enroll(t.Context(), factor.EnrollInput{Params: p, User: factor.User{ID: "42"}})
		require.Equal(t, "secret_form", reason(err), name)
		require.NotContains(t, err.Error(), "GEZD")
	}
	// HMAC fills keys up with zeros: another text, the same codes.
	for first, second := range map[string]string{key: key + "AAAAAAAA", key + "AAAAAAAA": key} {
		out, _ := enroll(t, f, factor.EnrollInput{
			Params: map[string]secret.Text{"secret": secret.New(first)},
			User:   factor.User{ID: "42"}})
		_, err := f.Enroll(t.Context(), factor.EnrollInput{
			Params:   map[string]secret.Text{"secret": secret.New(second)},
			Existing: []factor.EnrollOutput{{State: out.State}}})
		require.Equal(t, "secret_duplicate", reason(err))
	}
	_, err := f.Enroll(t.Context(),
		factor.EnrollInput{Existing: []factor.EnrollOutput{{State: []byte("damaged")}}})
	require.Error(t, err, "what cannot be read cannot be compared")
	require.Empty(t, reason(err), "and it is not the user's fault")
}

func TestEnroll_MakesANewSecretEachTime(t *testing.T) {
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
func TestConfirm_UsesTheCode(t *testing.T) {
	f := newFactor(t)
	out, _ := enroll(t, f, factor.EnrollInput{User: factor.User{ID: "42"}})
	in := factor.VerifyInput{State: out.State,
		Response: secret.New(totp.Code(out.State, somewhere)),
		Now:      time.Unix(somewhere*30, 0), Confirming: true}
	next, err := verify(f, in)
	require.NoError(t, err)
	in.State, in.Confirming = next, false
	_, err = verify(f, in)
	require.ErrorIs(t, err, factor.ErrReplayed)
}

func TestPrinting_ShowsNoSecret(t *testing.T) {
	out, u := enroll(t, newFactor(t), factor.EnrollInput{User: factor.User{ID: "42"}})
	encoded, err := json.Marshal(out.Prompt)
	require.NoError(t, err)
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s", out.Prompt, out.Prompt, out.Prompt,
		out.Prompt), string(encoded)} {
		require.NotContains(t, text, u.Query().Get("secret"))
		require.NotContains(t, text, "svg ")
		require.NotContains(t, text, "otpauth")
	}
}
