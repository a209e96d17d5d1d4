package ui_test

import (
	"html"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// square and moon are icons, for light and for dark backgrounds.
const (
	square = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZp" +
		"ZXdCb3g9IjAgMCAyNCAyNCI+PHBhdGggZD0iTTQgNGgxNnYxNkg0eiIvPjwvc3ZnPg=="
	moon = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZp" +
		"ZXdCb3g9IjAgMCAyNCAyNCI+PGNpcmNsZSBjeD0iMTIiIGN5PSIxMiIgcj0iOSIvPjwvc3ZnPg=="
)

// passkeys are those that a user tells apart by what keeps them.
var passkeys = []ui.Factor{
	{ID: "k1", Kind: "passkey", Name: "Laptop", Kept: "synced", Provider: "Google Password Manager",
		IconLight: square, IconDark: moon, Created: now},
	{ID: "k2", Kind: "passkey", Name: "YubiKey 5 Series", Provider: "YubiKey 5 Series",
		Kept: "device", Created: now},
	{ID: "k3", Kind: "passkey", Kept: "device", Created: now, IconDark: moon},
}

// offers are the pages that offer a passkey. In a browser without passkeys they go on, which here
// is to a place on the same page, so that the browser of the tests looks at them.
var offers = []sample{
	{"offer", func(f ui.Frame) ui.Page { return ui.Offer{Frame: f, Direct: true, To: "#main"} }},
	{"offer-here", func(f ui.Frame) ui.Page {
		return ui.Offer{Frame: f, Direct: true, Here: true, To: "#main", Passkeys: "{}"}
	}},
	{"offer-password", func(f ui.Frame) ui.Page { return ui.Offer{Frame: f, To: "#main"} }},
}

// The provider is shown beside a name that the user chose, and once if it is the name.
func TestFactors_ShowAPasskeysProvider(t *testing.T) {
	r := newUI(t)
	page := html.UnescapeString(render(t, r, ui.Factors{Frame: ui.Frame{Lang: "en"},
		Factors: passkeys}))
	require.Contains(t, page, "Google Password Manager</span>\u00a0· Synchronised")
	require.Equal(t, 1, strings.Count(page, "YubiKey 5 Series</span>"))
	require.Contains(t, page, `sg-on-light" src="`+square)
	require.Contains(t, page, `sg-on-dark" src="`+moon)
	require.Contains(t, page, `sg-on-light" src="`+moon, "one icon serves on both")
}
