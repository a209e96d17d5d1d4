package admin_test

import (
	"context"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/texts/textstest"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp/admin"
)

// pseudo adds a language of tests to the pages.
func pseudo() fs.FS {
	return fstest.MapFS{"texts/" + textstest.Pseudo + ".json": {
		Data: textstest.Overlay(textstest.Pseudo)}}
}

// named are the values that users and the application of the tests chose.
var named = []string{"Acme", "olivia@acme.example", "anna@acme.example", "a•••@acme.example",
	"Phone", "anna", "olivia", "Anna de Vries", "Olivia Berg", "acme",
	"Firefox on Windows", "My phone is gone <b>",
	"secondgate", "NIST SP 800-63B-4 AAL2", "NIST SP 800-63B-4 AAL3",
	"PCI DSS 4.0.1, 8.4 and 8.5", "OWASP ASVS 5.0 L2", "OWASP ASVS 5.0 L3"}

// One language at a time: every text of every page is in the language of the page. Codes of the
// log and findings of the audit are marked as what they are.
func TestPages_AreInThePseudoLanguage(t *testing.T) {
	s, _, factorID := stage(t, func(c *admin.Config) {
		c.History = func(context.Context, mfa.User, int) ([]mfa.Event, error) {
			return []mfa.Event{{Name: "factor.added", Kind: "totp", Time: time.Unix(1, 0)}}, nil
		}
	})
	olivia := s.administrator("acme", "olivia")
	for route := range pages {
		s.clock.Advance(time.Minute)
		olivia.proves()
		path, f := form(route, "anna", factorID)
		method, _, _ := strings.Cut(route, " ")
		if method != "GET" && !strings.HasSuffix(route, "preview") {
			continue
		}
		a := olivia.in(textstest.Pseudo, method, path, f)
		require.Equal(t, 200, a.StatusCode, route)
		require.Contains(t, a.Text, `<html lang="`+textstest.Pseudo+`" dir="ltr">`)
		for _, found := range textstest.Foreign(a.Text, named...) {
			t.Errorf("%s: %s", route, found)
		}
	}
}
