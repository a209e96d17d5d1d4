package ui_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing/fstest"

	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// An application puts its own name on top and its colour on the buttons.
func ExampleNew() {
	r, err := ui.New(fstest.MapFS{
		"brand.html":       {Data: []byte(`<b>{{.Product}}</b> Bank`)},
		"static/theme.css": {Data: []byte(`:root { --sg-accent: #7a1fa2 }`)},
	})
	if err != nil {
		panic(err)
	}
	lang := r.Locale("nl-NL,nl;q=0.9,en;q=0.8", "")
	var page bytes.Buffer
	err = r.Render(&page, ui.Verify{
		Frame:  ui.Frame{Lang: lang, Base: "/mfa/", Product: "Acme"},
		Option: ui.Option{Kind: "totp"},
	})
	if err != nil {
		panic(err)
	}
	for line := range strings.Lines(page.String()) {
		if strings.Contains(line, "<h1>") || strings.Contains(line, "sg-brand") {
			fmt.Print(line)
		}
	}
	// Output:
	// <span class="sg-brand"><b>Acme</b> Bank</span>
	// <h1>Vul de code uit je authenticator‑app in</h1>
}
