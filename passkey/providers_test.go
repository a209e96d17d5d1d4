package passkey_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/secret"
)

const (
	google  = "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4"
	unknown = "01020304-0506-0708-0102-030405060708"
	svg     = "data:image/svg+xml;base64,PHN2Zy8+"
)

// model makes the authenticator one of a provider.
func (d *device) model(t testing.TB, aaguid string) *device {
	t.Helper()
	id, err := hex.DecodeString(strings.ReplaceAll(aaguid, "-", ""))
	require.NoError(t, err)
	require.Equal(t, 16, copy(d.auth.Aaguid[:], id))
	return d
}

func TestBundledProviders_NameWhatUsersHave(t *testing.T) {
	list := passkey.BundledProviders()
	require.Greater(t, len(list), 200)
	for aaguid, name := range map[string]string{google: "Google Password Manager",
		"fbfc3007-154e-4ecc-8c0b-6e020557d7bd": "Apple Passwords",
		"08987058-cadc-4b81-b6e1-30de50dcbe96": "Windows Hello",
		"bada5566-a7aa-401f-bd96-45619a55120d": "1Password",
		"d548826e-79b4-db40-a3d8-11116f7e8349": "Bitwarden"} {
		require.Equal(t, passkey.Provider{Name: name}, list[aaguid])
	}
	list[google] = passkey.Provider{Name: "Changed"}
	require.NotEqual(t, list, passkey.BundledProviders(), "the list is the caller's own")
}

func TestParseProviders_ReadsNamesAndIcons(t *testing.T) {
	list, err := passkey.ParseProviders([]byte(`{"` + strings.ToUpper(google) + `": "Google", "` +
		unknown + `": {"name": "Own", "icon_light": "` + svg + `", "icon_dark": null}}`))
	require.NoError(t, err)
	require.Equal(t, passkey.Providers{google: {Name: "Google"},
		unknown: {Name: "Own", IconLight: svg}}, list)
}

func TestParseProviders_RefusesOtherLists(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON": "-", "an array": "[]", "retired": "{}", "nothing": `{"": "Google"}`,
		"no AAGUID":     `{"google": "Google"}`,
		"short":         `{"ea9b8d66-4d01-1d21-3ce4-b6b48cb575": "Google"}`,
		"without lines": `{"ea9b8d664d011d213ce4b6b48cb575d4": "Google"}`,
		"a number":      `{"` + google + `": 1}`,
		"no name":       `{"` + google + `": {}}`,
		"a long name":   `{"` + google + `": "` + strings.Repeat("a", 257) + `"}`,
		"an address":    `{"` + google + `": {"name": "Own", "icon_dark": "https://example.com/i.svg"}}`,
		"a script":      `{"` + google + `": {"name": "Own", "icon_light": "javascript:alert(1)"}}`,
	} {
		_, err := passkey.ParseProviders([]byte(text))
		require.ErrorContains(t, err, "passkey: ", name)
	}
	_, err := passkey.ParseProviders([]byte("-"))
	require.ErrorContains(t, err, "is a JSON object")
	_, err = passkey.ParseProviders([]byte(`{"` + google + `": 1}`))
	require.ErrorContains(t, err, "neither a name nor an object")
}

func TestParseProviders_BoundsTheList(t *testing.T) {
	one := `{"` + google + `": "` + strings.Repeat("a", 256) + `"}`
	for n, valid := range map[int]bool{16 << 20: true, 16<<20 + 1: false} {
		_, err := passkey.ParseProviders([]byte(one + strings.Repeat(" ", n-len(one))))
		require.Equal(t, valid, err == nil, "%d bytes", n)
	}
	many := map[string]string{}
	for len(many) < 4096 {
		many[fmt.Sprintf("00000000-0000-0000-0000-%012x", len(many))] = "Own"
	}
	_, err := passkey.ParseProviders([]byte(asJSON(t, many)))
	require.NoError(t, err)
	many[google] = "Google"
	_, err = passkey.ParseProviders([]byte(asJSON(t, many)))
	require.ErrorContains(t, err, "1 to 4096 members")
}

// described is what Describe says of a new passkey.
func described(t *testing.T, f *passkey.Factor, d *device) map[string]any {
	t.Helper()
	var public map[string]any
	require.NoError(t, json.Unmarshal(f.Describe(enrolled(t, f, d)).Public, &public))
	return public
}

func TestDescribe_NamesTheProvider(t *testing.T) {
	f := newFactor(t)
	public := described(t, f, newDevice().model(t, google))
	require.Equal(t, google, public["aaguid"])
	require.Equal(t, map[string]any{"name": "Google Password Manager"}, public["provider"])

	public = described(t, f, newDevice().model(t, unknown))
	require.Equal(t, unknown, public["aaguid"])
	require.NotContains(t, public, "provider")

	public = described(t, f, newDevice().model(t, "00000000-0000-0000-0000-000000000000"))
	require.NotContains(t, public, "aaguid", "what a browser has removed is no model")
}

// An application refreshes the list while the program runs.
func TestDescribe_AsksTheApplicationForTheProvider(t *testing.T) {
	var list atomic.Pointer[passkey.Providers]
	list.Store(&passkey.Providers{google: {Name: "Before"}})
	f := newFactor(t, func(c *passkey.Config) {
		c.Provider = func(aaguid string) passkey.Provider { return (*list.Load())[aaguid] }
	})
	d := newDevice().model(t, google)
	require.Equal(t, map[string]any{"name": "Before"}, described(t, f, d)["provider"])
	list.Store(&passkey.Providers{google: {Name: "After", IconLight: svg}})
	require.Equal(t, map[string]any{"name": "After", "icon_light": svg},
		described(t, f, d)["provider"])
	list.Store(&passkey.Providers{google: {Name: "Evil", IconLight: "https://example.com/i.svg"}})
	require.NotContains(t, described(t, f, d), "provider", "nothing is fetched for an icon")
}

// A passkey without a model has no provider, whatever the application's list says of nothing.
func TestVerify_NamesNoPasskeyByNothingOrALink(t *testing.T) {
	for name, model := range map[string]string{"Own": "00000000-0000-0000-0000-000000000000",
		"evil.example": unknown} {
		f := newFactor(t, func(c *passkey.Config) {
			c.Provider = func(string) passkey.Provider { return passkey.Provider{Name: name} }
		})
		in, options := begun(t, f)
		in.Response = secret.New(newDevice().model(t, model).create(t, options))
		v, err := f.Verify(t.Context(), in)
		require.NoError(t, err)
		require.Empty(t, v.Name)
	}
}

// A user recognises a passkey by its default name: that of its provider, numbered.
func TestManager_NamesAPasskeyByItsProvider(t *testing.T) {
	w := newWorld(t)
	c := w.first(annSubject, newDevice().model(t, google))
	require.Equal(t, "Google Password Manager", c.Factor.Name)
	c, err := w.enrol(annSubject, c.Grant, newDevice().model(t, google))
	require.NoError(t, err)
	require.Equal(t, "Google Password Manager 2", c.Factor.Name)

	d := newDevice().model(t, google)
	e, err := w.Session(annSubject, session).Enroll(t.Context(), c.Grant,
		mfa.EnrollRequest{Kind: "passkey", Name: "Laptop"})
	require.NoError(t, err)
	c, err = w.Session(annSubject, session).Confirm(t.Context(), e,
		secret.New(d.create(t, e.Prompt.Data)))
	require.NoError(t, err)
	require.Equal(t, "Laptop", c.Factor.Name, "the user's own name stays")

	c, err = w.enrol(annSubject, c.Grant, newDevice().model(t, unknown))
	require.NoError(t, err)
	require.Equal(t, "Passkey", c.Factor.Name)
}

// A notice quotes the name of a new factor, so a provider's name is no link.
func TestManager_NamesNoPasskeyByALink(t *testing.T) {
	w := newWorld(t, func(c *passkey.Config) {
		c.Provider = func(string) passkey.Provider { return passkey.Provider{Name: "evil.example"} }
	})
	require.Equal(t, "Passkey", w.first(annSubject, newDevice().model(t, unknown)).Factor.Name)
}
