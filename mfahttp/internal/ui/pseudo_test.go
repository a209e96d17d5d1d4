package ui_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/texts/textstest"
	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

func pseudoUI(t testing.TB) *ui.Renderer {
	t.Helper()
	r, err := ui.New(fstest.MapFS{
		"texts/" + textstest.Pseudo + ".json":   {Data: textstest.Overlay(textstest.Pseudo)},
		"texts/" + textstest.Mirrored + ".json": {Data: textstest.Overlay(textstest.Mirrored)},
	})
	require.NoError(t, err)
	return r
}

// named are the values of the samples that users and the application chose.
var named = []string{"Acme", "ann@example.com", "a•••@example.com", "Phone", "Work phone",
	"Ann’s phone", "Netherlands", "Norway", "Laptop", "Firefox, Linux", "Safari, iPhone",
	"Google Password Manager", "YubiKey 5 Series",
	"carrier-pigeon", "Which <street>?", "Which street?", "Which book?", "Which dish?", "Home",
	"Sign in",
	"Welcome.", "7KQ2-M9XD-4TRV-W8HP", "B3NC-6YJF-Z5GE-R2AK", "D8WM-P4VX-9QTH-3CNJ",
	"G6RB-K7ZF-2YED-A5QM", "H9TX-V3CP-8NWJ-F4KR", "JBSW", "Y3DP", "EHPK", "3PXP"}

// One language at a time: every text of every page is in the language of the page, also those
// that only scripts or screen readers have.
func TestPages_AreInOneLanguage(t *testing.T) {
	r := pseudoUI(t)
	for _, s := range samples() {
		page := render(t, r, s.make(frame(textstest.Pseudo)))
		for _, found := range textstest.Foreign(page, named...) {
			t.Errorf("%s: %s", s.name, found)
		}
	}
}

// A page says its language and its direction.
func TestPages_SayTheirDirection(t *testing.T) {
	r := pseudoUI(t)
	for _, s := range samples() {
		for tag, dir := range map[string]string{"en": "ltr", textstest.Pseudo: "ltr",
			textstest.Mirrored: "rtl"} {
			root := find(parse(t, render(t, r, s.make(frame(tag)))), "html")[0]
			require.Equal(t, tag, root.attrs["lang"])
			require.Equal(t, dir, root.attrs["dir"])
		}
	}
}

// A name turns no sentence around, whichever direction it and the page have.
func TestPages_IsolateNames(t *testing.T) {
	r := pseudoUI(t)
	for tag, name := range map[string]string{"en": "שם של מכשיר",
		textstest.Mirrored: "Ann's phone"} {
		f := ui.Frame{Lang: tag, Base: "/mfa/", Product: name, SignedIn: true, Account: name,
			Home: "/home", Login: "/login", Now: now}
		outside := f
		outside.SignedIn, outside.SigningIn = false, true
		o := ui.Option{Kind: "email", FactorID: "1", Name: name, MaskedDestination: name}
		sends := o
		sends.Sends = true
		factor := ui.Factor{ID: "1", Kind: "totp", Name: name, MaskedDestination: name,
			Created: now}
		held := factor
		held.HeldUntil = now.AddDate(0, 0, 1)
		for what, p := range map[string]ui.Page{
			"verify": ui.Verify{Frame: outside, Option: o, SentTo: name, Sent: true,
				Others: []ui.Option{sends, {Kind: "sms", MaskedDestination: name}}},
			"questions": ui.Verify{Frame: f, Option: ui.Option{Kind: "questions",
				Questions: []string{name, name, name}}},
			"send": ui.Verify{Frame: f, Option: sends},
			"app":  ui.Verify{Frame: f, Option: ui.Option{Kind: "totp"}},
			"enrollment": ui.Enrollment{Frame: f, ID: "1", Kind: "email", MaskedDestination: name,
				Sent: true},
			"factors": ui.Factors{Frame: f, Factors: []ui.Factor{factor, held},
				Devices: []ui.Device{{ID: "1", Name: name, Created: now, Expires: now}}},
			"remove": ui.Remove{Frame: f, Factor: factor},
			"cancel": ui.Remove{Frame: f, Factor: held},
			"codes":  ui.Recovery{Frame: f, Codes: []string{"1"}},
			"link":   ui.Link{Frame: f},
			"setup":  ui.Setup{Frame: f},
		} {
			page := render(t, r, p)
			require.Contains(t, page, strings.ReplaceAll(name, "'", "&#39;"), what)
			for _, found := range textstest.Loose(page, name) {
				t.Errorf("%s %s: %s", tag, what, found)
			}
		}
	}
}

// Codes, keys, addresses and numbers are read from left to right on every page.
func TestPages_KeepCodesLeftToRight(t *testing.T) {
	r := pseudoUI(t)
	f := frame(textstest.Mirrored)
	for what, p := range map[string]ui.Page{
		"code":     ui.Verify{Frame: f, Option: ui.Option{Kind: "totp"}},
		"recovery": ui.Verify{Frame: f, Option: ui.Option{Kind: "recovery"}},
		"address":  ui.Enroll{Frame: f, Kind: "email"},
		"number":   ui.Enroll{Frame: f, Kind: "sms"},
		"pin":      ui.Enroll{Frame: f, Kind: "pin"},
	} {
		for _, in := range find(parse(t, render(t, r, p)), "input") {
			if in.attrs["type"] != "hidden" && in.attrs["type"] != "checkbox" {
				require.Equal(t, "ltr", in.attrs["dir"], "%s %s", what, in.attrs["name"])
			}
		}
	}
	page := render(t, r, ui.Enrollment{Frame: f, ID: "1", Kind: "totp", Secret: "ABCDEFGH"})
	require.Regexp(t, `<code class="sg-key" id="key" dir="ltr"`, page)
	page = render(t, r, ui.Recovery{Frame: f, Codes: []string{"abcd-efgh"}})
	require.Regexp(t, `<ol class="sg-codes" id="recovery-codes" dir="ltr"`, page)
	page = render(t, r, ui.Enroll{Frame: f, Kind: "sms", Countries: []ui.Country{{Region: "NL",
		Name: "x", CallingCode: "31"}}})
	require.Contains(t, page, "x (\u2066&#43;31\u2069)")
}
