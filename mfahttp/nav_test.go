package mfahttp_test

import (
	"errors"
	"html/template"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp"
)

// The application's navigation is on every page of a signed-in user, also on those of the
// application's own, and on no other. A page is shown without it if it fails.
func TestNav_IsOnEveryPage(t *testing.T) {
	var failure error
	s := newSite(t, func(c *mfahttp.Config) {
		c.Nav = func(r *http.Request, _ string) (template.HTML, error) {
			return template.HTML(`<nav aria-label="Acme">` + r.URL.Path + `</nav>`), failure
		}
	})
	p := s.browser("ann")
	p.login()
	require.NotContains(t, p.get("/mfa/verify").page(t, 200).Text, "<nav")
	p.signIn()
	id := p.enroll("100001")
	for _, path := range []string{"factors", "enroll", "enroll/pin", "enroll/sms", "recovery-codes",
		"factors/" + id + "/remove", "nothing/here"} {
		require.Contains(t, p.get("/mfa/"+path).Text,
			`<div class="sg-nav"><nav aria-label="Acme">/mfa/`+path+`</nav></div>`)
	}
	own := p.handle(func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, s.h.Render(w, r, mfahttp.Page{Title: "Home", Body: "<p>Hello</p>"}))
	}, "GET", "", asPage)
	require.Contains(t, own.Text, `<nav aria-label="Acme">/own</nav>`)
	failure = errors.New("database down")
	own = p.handle(func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, s.h.Render(w, r, mfahttp.Page{Title: "Home", Body: "<p>Hello</p>"}))
	}, "GET", "", asPage)
	require.NotContains(t, own.Text, "<nav")
	require.Contains(t, own.Text, "Hello")
	require.Contains(t, s.log.String(), "Config.Nav failed")
}
