package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/texts"
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

// The pages of the application follow the rules for texts of those of the library, such as the form
// of address.
func TestTexts_FollowTheRulesOfTheirLanguage(t *testing.T) {
	all, err := readWords()
	require.NoError(t, err)
	for lang, words := range all {
		for rule, broken := range textstest.Rules(lang) {
			for english, text := range words {
				require.Empty(t, broken(text), "%s: %s: %s", lang, rule, english)
			}
		}
	}
}

// accepting is a browser of a language.
type accepting struct{ lang string }

func (a accepting) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("Accept-Language", a.lang)
	return http.DefaultTransport.RoundTrip(r)
}

// onLibraryPages are the texts that the application adds to pages of mfahttp: the templates that
// are put into them, and what Go files say there.
func onLibraryPages(t *testing.T) (list []string) {
	for _, name := range []string{"settings-above.html", "settings.html"} {
		b, err := os.ReadFile("templates/" + name)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`\bt "([^"]+)"`).FindAllStringSubmatch(string(b), -1) {
			list = append(list, m[1])
		}
	}
	return append(list, "Home", "Security", "Administration", "Outbox", // places
		"Password and sign-on", "Set a password that the user replaces at the next sign-in.",
		"Set a password, or unlink the accounts that the user signs on with.", // adminLinks
		"Account unlinked. You can no longer sign in with it.",
		"%s sign-on is active: you can sign in with %s.") // on the settings
}

// The application has texts in every language of the library, also those that it adds to mfahttp's
// pages.
func TestTexts_AreInTheLanguagesOfTheLibrary(t *testing.T) {
	all, err := readWords()
	require.NoError(t, err)
	require.ElementsMatch(t, texts.Tags(), append(slices.Collect(maps.Keys(all)), inEnglish))
	needed := onLibraryPages(t)
	for _, tag := range texts.Tags() {
		b, err := os.ReadFile("overlay/texts/" + tag + ".json")
		require.NoError(t, err)
		require.True(t, json.Valid(b), tag)
		for _, english := range needed {
			require.True(t, tag == inEnglish || all[tag][english] != "", "%s: %s", tag, english)
		}
	}
}

// The templates and their style suit a page from right to left: a time keeps the order of its
// parts beside Arabic words, a list has the language's own comma, and no side is left or right.
func TestTemplates_SuitBothDirections(t *testing.T) {
	times := 0
	for _, pattern := range []string{"templates/*.html", "assets/*.css"} {
		names, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, names)
		for _, name := range names {
			b, err := os.ReadFile(name)
			require.NoError(t, err)
			source := string(b)
			require.Equal(t, strings.Count(source, "<time "),
				strings.Count(source, `<time dir="auto" `), name)
			times += strings.Count(source, "<time ")
			require.NotContains(t, source, ", {{end}}", name)
			require.NotRegexp(t, `(?:[-:] ?)(?:left|right)\b`, source, name)
		}
	}
	require.Positive(t, times)
	require.Equal(t, "، ", comma("ar"))
	require.Equal(t, "、", comma("ja"))
	require.Equal(t, ", ", comma("he"))
}

func TestKeepHyphens_LeavesAddresses(t *testing.T) {
	require.Equal(t, "Your e\u2011mail, a sign\u2011in, well-known jo-an@acme.example /a-b",
		keepHyphens("Your e-mail, a sign-in, well-known jo-an@acme.example /a-b"))
}

// One language at a time: every page that a user walks through is in the language of the browser.
func TestPages_AreInOneLanguage(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	languages := []string{"nl", "ar", "ja", "fr"} // French has spaces that do not break
	if os.Getenv("SECONDGATE_LONG") != "" {
		languages = slices.DeleteFunc(texts.Tags(), func(tag string) bool {
			return tag == inEnglish
		})
	}
	for _, lang := range languages {
		t.Run(lang, func(t *testing.T) { walkIn(t, s, lang) })
	}
}

// walkIn walks the pages in a language.
func walkIn(t *testing.T, s *server, lang string) {
	p, err := newPages()
	require.NoError(t, err)
	outbox, err := os.ReadFile("overlay/texts/" + lang + ".json")
	require.NoError(t, err)
	var overlay map[string]string
	require.NoError(t, json.Unmarshal(outbox, &overlay))
	values := append(slices.Collect(maps.Values(overlay)), "Acme",
		"Anna de Vries", "Robin Meyer", "Olivia Berg", "UTC", "Go-http-client",
		"Robin", "Browser",
		"robin-demo-password", "anna-demo-password", "Microsoft", "Google", "anna@acme.example",
		"robin@acme.example", "a•••@acme.example", "olivia@acme.example", "anna",
		"olivia", demoTenant)
	strange := textstest.Strange(lang, append(spoken(p.words[lang]), values...)...)
	// page checks a page.
	page := func(c *client, status int, path string) string {
		t.Helper()
		text := c.get(status, path).text
		require.Contains(t, text, `<html lang="`+lang+`" dir="`+texts.Get(lang).Direction()+`"`,
			path)
		for _, s := range textstest.Visible(text) {
			if len(s.Text) > 1 { // the initial of a name
				require.Empty(t, strange(s.Text), "%s %s: %s", path, s.Where, s.Text)
			}
		}
		return text
	}
	c := s.client(t)
	c.Transport = accepting{lang}
	page(c, 200, "/password/forgot")
	page(c, 410, "/password/reset?token=x")
	c.forgotIn(lang)
	c.to(c.post(303, "/login", url.Values{"username": {"anna"},
		"password": {"anna-demo-password"}}), "/mfa/")
	c.post(303, "/mfa/send", url.Values{"kind": {"email"}})
	code := c.mailed("anna@acme.example")
	page(c, 200, "/mfa/verify?kind=email")
	require.Equal(t, said(lang, "mail.code.subject"), c.last("anna@acme.example").Subject)
	c.to(c.post(303, "/mfa/verify", url.Values{"kind": {"email"}, "code": {code}}), "/")
	page(c, 200, "/mfa/factors")
	for _, path := range []string{"/", "/sessions", "/password", "/email", "/reauthenticate"} {
		page(c, 200, path)
	}
	page(c, 404, "/nowhere")
	page(c, 400, "/sso/google/callback?state=x&code=y")
	page(c, 403, "/admin/mfa/")
	require.Contains(t, page(c, 200, "/"), plain(p.words[lang].text("Welcome")))
	owner := s.client(t)
	owner.Transport = accepting{lang}
	owner.signIn("olivia")
	page(owner, 200, "/admin/mfa/policies")
	require.Contains(t, page(owner, 200, "/admin/mfa/cases"),
		plain(p.say(lang, "Sign-on")), "a link of the application")
	owner.post(303, "/admin/sign-on/activate", url.Values{"provider": {"microsoft"},
		"organization": {demoTenant}, "reason": {"x"}})
	require.Contains(t, page(owner, 200, "/admin/sign-on"), strings.Split(
		p.words[lang].text("Activated %s by %s"), "%s")[0])
	page(owner, 200, "/admin/account?id=acct-anna")
	page(owner, 200, "/admin/account?id=acct-olivia")
}

// said is a text of a mail of the library.
func said(lang, key string) string { return texts.Get(lang).Say(key, "service", organisation) }

// forgotIn requests a link by mail, which is in the language of the page.
func (c *client) forgotIn(lang string) {
	c.t.Helper()
	c.post(200, "/password/forgot", url.Values{"email": {"anna@acme.example"}})
	c.mails(1, "anna@acme.example", said(lang, "mail.password.reset.link.text"))
}

// spoken are the parts of texts around their values.
func spoken(w words) (list []string) {
	for _, text := range w {
		list = append(list, verbs.Split(plain(text), -1)...)
	}
	return list
}

// plain is a text as the client reads it in pages.
func plain(text string) string { return strings.ReplaceAll(text, "\u2011", "-") }

// A notice about what a signed-in user did is in the language of the page. An attacker who knows
// the password alone does not choose the language of the notice that warns of them.
func TestNotices_AreInTheLanguageOfASignedInUser(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	c.Transport = accepting{"nl"}
	c.password("ben")
	code := c.send("email", "ben@acme.example")
	require.Equal(t, said("nl", "mail.code.subject"), c.last("ben@acme.example").Subject)
	for range 5 {
		_, err := c.try("POST", "/mfa/api/verify", obj{"kind": "email",
			"code": wrong(code)})
		require.NoError(t, err)
	}
	c.mails(1, "ben@acme.example", said("en", "mail.not-you"))

	c = s.client(t)
	c.Transport = accepting{"nl"}
	c.signIn("carla")
	c.post(303, "/mfa/enroll/pin", url.Values{"pin": {"739162"}, "pin2": {"739162"}})
	c.mails(1, "carla@acme.example", said("nl", "mail.not-you"))
}
