package ui_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// What users and applications typed is text wherever it stands.
func TestPages_EscapeHostileValues(t *testing.T) {
	const evil = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>{time}{n}javascript:alert(1)` + "\u202e"
	f := ui.Frame{Lang: evil, Base: "/mfa/", Product: evil, SignedIn: true, Account: evil,
		Home: "/home", Login: "/login", Now: now,
		Notice: &ui.Notice{Code: "malformed", Reason: evil, Kind: evil, Remaining: 3,
			Entered: map[string]string{"name": evil, "address": evil, "number": evil,
				"region": evil}}}
	outside := f
	outside.SignedIn, outside.SigningIn = false, true
	option := ui.Option{Kind: evil, FactorID: evil, Name: evil, MaskedDestination: evil}
	sends := option
	sends.Sends = true
	stopped := option
	stopped.Disabled = true
	factor := ui.Factor{ID: evil, Kind: evil, Name: evil, MaskedDestination: evil, Created: now}
	r := newUI(t)
	for name, p := range map[string]ui.Page{
		"verify": ui.Verify{Frame: f, Purpose: evil, Return: evil, Option: option,
			Others: []ui.Option{sends, stopped, {Kind: "sms", MaskedDestination: evil}},
			SentTo: evil},
		"send": ui.Verify{Frame: outside, Return: evil, Option: sends},
		"locked": ui.Verify{Frame: f, Purpose: evil, Return: evil, Option: option, Locked: true,
			SecondsRemaining: 9},
		"stopped": ui.Verify{Frame: f, Option: stopped},
		"choose": ui.Choose{Frame: f, Kinds: []ui.Choice{{Kind: evil},
			{Kind: evil, Direct: true}}, Return: evil},
		"enroll": ui.Enroll{Frame: f, Kind: evil, Return: evil, Password: true},
		"email":  ui.Enroll{Frame: f, Kind: "email", Return: evil},
		"sms": ui.Enroll{Frame: f, Kind: "sms",
			Countries: []ui.Country{{Region: evil, Name: evil, CallingCode: evil}}},
		"enrollment": ui.Enrollment{Frame: f, ID: evil, Kind: evil, MaskedDestination: evil,
			Secret: evil,
			URI:    "otpauth://" + evil, Return: evil},
		"other URI": ui.Enrollment{Frame: f, ID: evil, Kind: "totp", Secret: evil,
			URI: "javascript:alert(1)"},
		"sent": ui.Enrollment{Frame: f, ID: evil, Kind: evil, MaskedDestination: evil, Sent: true,
			SecondsRemaining: 9},
		"factors": ui.Factors{Frame: f, Factors: []ui.Factor{factor}},
		"remove":  ui.Remove{Frame: f, Factor: factor, Password: true},
		"codes":   ui.Recovery{Frame: f, Codes: []string{evil}},
		"link":    ui.Link{Frame: f, Token: evil},
		"error":   ui.Error{Frame: f, Code: evil, RetryAfter: 3},
		"page":    ui.Own{Frame: f, Title: evil},
	} {
		t.Run(name, func(t *testing.T) {
			page := render(t, r, p)
			list := parse(t, page)
			require.Len(t, find(list, "script"), 1, "ours")
			require.Empty(t, find(list, "img"))
			require.Equal(t, "en", find(list, "html")[0].attrs["lang"])
			checkCSP(t, list)
			for _, e := range list {
				require.False(t, strings.HasPrefix(e.attrs["href"], "javascript:"))
			}
		})
	}
}
