package importing_test

import (
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/importing"
	"github.com/secondgate/secondgate/secret"
)

// A second factor that is not moved is said of its user, also of one who has no other: without it
// the user would sign in with the password alone, and nobody would know. A password is no second
// factor, and nothing is said of it.
func TestUsers_SayWhatIsLeftBehind(t *testing.T) {
	realm := func(credentials string) string {
		return `{"realm":"acme","users":[{"id":"ann","credentials":[` + credentials + `]}]}`
	}
	row := func(model, fields string) string {
		return `[{"model":"` + model + `","pk":1,"fields":{"user":"ann"` + fields + `}}]`
	}
	const identity = `{"id":"ann","credentials":{"password":{"config":{}},`
	for _, c := range []struct {
		open       func(io.Reader) importing.Users
		text, left string
	}{
		{importing.Keycloak, realm(`{"type":"webauthn","userLabel":"Key"}`), `the passkey "Key"`},
		{importing.Keycloak, realm(`{"type":"webauthn-passwordless","userLabel":"Laptop"}`),
			`the passkey "Laptop"`},
		{importing.Keycloak, realm(`{"type":"mobile-number"},{"type":"password"}`),
			`a credential of the type "mobile-number"`},
		{importing.Keycloak, realm(`{}`), `a credential of the type ""`},
		{importing.Keycloak, realm(`{"type":"password"},{"type":"password-history"}`), ""},
		{importing.Django, row("mfa.authenticator", `,"type":"webauthn"`),
			"a passkey or a security key"},
		{importing.Django, row("mfa.authenticator", `,"type":"other"`),
			`an authenticator of the type "other"`},
		{importing.Django, row("otp_totp.totpdevice", `,"key":"00","confirmed":false`),
			"an app that the user has not confirmed"},
		{importing.Django, row("otp_static.staticdevice", ""),
			"static tokens that the user has not confirmed"},
		{importing.Django, row("otp_hotp.hotpdevice", ""),
			`a device of the model "otp_hotp.hotpdevice"`},
		{importing.Django, row("two_factor.phonedevice", ""),
			`a device of the model "two_factor.phonedevice"`},
		{importing.Django, row("auth.user", "") + row("otp_static.staticdevice",
			`,"confirmed":true`), ""},
		{importing.Django, row("otp_static.staticdevice", "") +
			`[{"model":"otp_static.statictoken","fields":{"device":1,"token":"abcdefgh"}}]`,
			"static tokens that the user has not confirmed"},
		{importing.Kratos, identity + `"webauthn":{"identifiers":["ann"]}}}`,
			"without include_credential=webauthn"},
		{importing.Kratos, identity + `"passkey":{}}}`, "without include_credential=passkey"},
		{importing.Kratos, identity + `"lookup_secret":{}}}`,
			"without include_credential=lookup_secret"},
		{importing.Kratos, identity + `"oidc":{}}}`, ""},
	} {
		said := ""
		for u, err := range c.open(strings.NewReader(c.text)) {
			require.Equal(t, "ann", u.ID, c.text)
			require.Empty(t, u.Factors, c.text)
			said += strings.Join(u.NotMoved, ", ")
			if err != nil {
				said += err.Error()
			}
		}
		if c.left == "" {
			require.Empty(t, said, c.text)
			continue
		}
		require.Contains(t, said, c.left, c.text)
	}
}

// Static tokens whose device is not in the file are no user's, and are not left out in silence.
func TestDjango_NeedsTheDeviceOfStaticTokens(t *testing.T) {
	requireNoCodes(t, importing.Django,
		`[{"model":"otp_static.statictoken","fields":{"device":1,"token":"abcdefgh"}}]`)
}

// A recovery code that was used is not valid again because a file does not say so, and none is made
// of a seed that is missing: every visitor could compute it.
func TestUsers_NeedWhatSaysThatACodeWasUsed(t *testing.T) {
	const seed = `"seed":"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"`
	for _, data := range []string{`{}`, `null`, `{"used_mask":0}`, `{"seed":"","used_mask":0}`,
		`{"seed":null,"used_mask":0}`, `{"seed":"a1","used_mask":0}`, `{` + seed + `}`,
		`{` + seed + `,"used_mask":null}`, `{"seed":"Z0FBQUFBQm4=","used_mask":0}`} {
		requireNoCodes(t, importing.Django, `[{"model":"mfa.authenticator","pk":1,"fields":{`+
			`"user":7,"type":"recovery_codes","data":`+data+`}}]`)
	}
	nextcloud := sample{name: "nextcloud.jsonl"}.text(t)
	for _, used := range []string{"", `,"used":null`, `,"used":"no"`, `,"used":2`, `,"used":{}`} {
		text := regexp.MustCompile(`, *"used": *[^,}]*`).ReplaceAllString(nextcloud, used)
		require.NotEqual(t, nextcloud, text)
		requireNoCodes(t, func(r io.Reader) importing.Users {
			return importing.Nextcloud(r, secret.New(nextcloudKey))
		}, text)
	}
}

// requireNoCodes requires that a file has an error, and no user with recovery codes.
func requireNoCodes(t *testing.T, open func(io.Reader) importing.Users, text string) {
	t.Helper()
	var failed error
	for u, err := range open(strings.NewReader(text)) {
		if err != nil {
			failed = err
			continue
		}
		for _, f := range u.Factors {
			require.NotEqual(t, "recovery", f.Kind, text)
		}
	}
	require.Error(t, failed, text)
}
