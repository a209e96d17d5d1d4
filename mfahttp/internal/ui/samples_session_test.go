package ui_test

import "github.com/secondgate/secondgate/mfahttp/internal/ui"

// sessionEnds are pages that say when the application's session ends.
var sessionEnds = []sample{
	{"session-ends", func(f ui.Frame) ui.Page {
		f.SignedIn, f.SigningIn = true, false
		f.SessionEnds, f.ExtendReturn = 122, "/home"
		return ui.Own{Frame: f, Title: "Home", Body: "<p>Welcome.</p>"}
	}},
	{"verify-session-ends", func(f ui.Frame) ui.Page {
		f.SessionEnds = 60
		return ui.Verify{Frame: f, Option: ui.Option{Kind: "totp", FactorID: "t1"}}
	}},
}

// frame is what the samples share.
func frame(lang string) ui.Frame {
	return ui.Frame{Lang: lang, Base: "/mfa/", Product: "Acme", Account: "ann@example.com",
		SigningIn: true, Home: "/home", Login: "/login", Now: now}
}
