package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/texts/textstest"
)

var verbs = regexp.MustCompile(`%[sd]`)

// Every text of the pages for users is in every language, with the same values in the same order,
// and no language has a text that no page has.
func TestTexts_AreCompleteInEveryLanguage(t *testing.T) {
	var source strings.Builder
	needed := map[string]bool{}
	names, err := filepath.Glob("templates/*.html")
	require.NoError(t, err)
	goFiles, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range append(names, goFiles...) {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		// a text of a Go file may be in two parts
		source.WriteString(regexp.MustCompile(`"\s*\+\s*"`).ReplaceAllString(string(b), ""))
		for _, m := range regexp.MustCompile(`\bt "([^"]+)"`).FindAllStringSubmatch(string(b), -1) {
			if strings.HasSuffix(name, ".html") {
				needed[m[1]] = true
			}
		}
	}
	require.Greater(t, len(needed), 80)
	all, err := readWords()
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(all), 3)
	for lang, w := range all {
		for english := range needed {
			require.Contains(t, w, english, lang)
		}
		for english, text := range w {
			require.True(t, strings.Contains(source.String(), `"`+english+`"`),
				"%s: no page has the text %q", lang, english)
			require.Equal(t, verbs.FindAllString(english, -1), verbs.FindAllString(text, -1), lang)
			require.NotEmpty(t, strings.TrimSpace(text), lang)
			require.Contains(t, all["nl"], english, "%s has a text that nl has not", lang)
		}
		require.Len(t, w, len(all["nl"]), lang)
		b, err := os.ReadFile("overlay/texts/" + lang + ".json")
		require.NoError(t, err)
		require.True(t, json.Valid(b))
	}
}

// The pages of the application address the user as those of the library do.
func TestTexts_AddressUsersInOneForm(t *testing.T) {
	all, err := readWords()
	require.NoError(t, err)
	others := map[string]string{"de": "du|dich|dir|deine?[mnrs]?", "nl": "u|uw|uzelf"}
	for lang, words := range others {
		other := regexp.MustCompile(`(?i)(?:^|\PL)(?:` + words + `)(?:$|\PL)`)
		for english, text := range all[lang] {
			require.NotRegexp(t, other, text, "%s: %s", lang, english)
		}
	}
}

// accepting is a browser of a language.
type accepting struct{ lang string }

func (a accepting) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("Accept-Language", a.lang)
	return http.DefaultTransport.RoundTrip(r)
}

// One language at a time: every page that a user walks through is in the language of the browser.
func TestPages_AreInOneLanguage(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	all, err := readWords()
	require.NoError(t, err)
	lang := "nl"
	strange := textstest.Strange(lang, append(spoken(all[lang]), "Acme", "Demonstratie-postbus",
		"Anna de Vries", "Robin Meyer", "Olivia Berg", "UTC", "Go-http-client",
		"Robin", "Browser", "owner", "manager", "employee", "Manager", "Employee",
		"robin-demo-password", "anna-demo-password", "Microsoft", "Google", "anna@acme.example",
		"robin@acme.example", "a•••@acme.example", "olivia@acme.example", "anna",
		"olivia", demoTenant)...)
	check := func(c *client, status int, path string) {
		t.Helper()
		page := c.get(status, path).text
		require.Contains(t, page, `<html lang="`+lang+`" dir="ltr">`, path)
		for _, s := range textstest.Visible(page) {
			if len(s.Text) > 1 { // the initial of a name
				require.Empty(t, strange(s.Text), "%s %s: %s", path, s.Where, s.Text)
			}
		}
	}
	c := s.client(t)
	c.Transport = accepting{"nl"}
	for _, path := range []string{"/password/forgot", "/password/reset?token=x"} {
		status := 200
		if strings.Contains(path, "reset") {
			status = 410
		}
		check(c, status, path)
	}
	c.to(c.post(303, "/login", url.Values{"username": {"anna"},
		"password": {"anna-demo-password"}}), "/mfa/")
	c.post(303, "/mfa/send", url.Values{"kind": {"email"}})
	code := c.mailed("anna@acme.example")
	check(c, 200, "/mfa/verify?kind=email")
	c.to(c.post(303, "/mfa/verify", url.Values{"kind": {"email"}, "code": {code}}), "/")
	for _, path := range []string{"/", "/mfa/factors", "/sessions", "/password", "/email",
		"/reauthenticate"} {
		check(c, 200, path)
	}
	check(c, 404, "/nowhere")
	check(c, 400, "/sso/google/callback?state=x&code=y")
	check(c, 403, "/admin/mfa/")
	require.Contains(t, c.get(200, "/").text, all[lang]["Welcome"])
	owner := s.client(t)
	owner.Transport = accepting{"nl"}
	owner.signIn("olivia")
	owner.post(303, "/admin/sign-on/activate", url.Values{"provider": {"microsoft"},
		"organization": {demoTenant}, "reason": {"x"}})
	check(owner, 200, "/admin/sign-on")
	require.Contains(t, owner.get(200, "/admin/sign-on").text, "Geactiveerd op ")
	check(owner, 200, "/admin/account?id=acct-anna")
	check(owner, 200, "/admin/account?id=acct-olivia")
}

// spoken are the parts of texts around their values.
func spoken(w words) (list []string) {
	for _, text := range w {
		list = append(list, verbs.Split(text, -1)...)
	}
	return list
}
