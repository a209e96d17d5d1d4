package main

import (
	"html"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage/memory"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode) // prints no routes
	os.Exit(m.Run())
}

// The gate takes at most twelve lines, whatever the router.
func TestRouters_TakeAtMostTwelveLines(t *testing.T) {
	for _, name := range append(slices.Sorted(maps.Keys(routers)), "connect", "grpc") {
		text, err := os.ReadFile(name + ".go")
		require.NoError(t, err)
		inside, lines := false, 0
		for line := range strings.Lines(string(text)) {
			switch line = strings.TrimSpace(line); {
			case line == "// the gate":
				inside = true
			case line == "// end of the gate":
				inside = false
			case inside && line != "" && !strings.HasPrefix(line, "//"):
				lines++
			case !inside:
				require.NotRegexp(t, `\bgate\.|around\(`, line, "%s.go: outside of the gate", name)
			}
		}
		require.False(t, inside, name)
		require.NotZero(t, lines, name)
		require.LessOrEqual(t, lines, 12, name)
	}
}

// site is the application behind one router.
type site struct {
	url   string
	clock *mfatest.Clock
	mail  *mfatest.Outbox[email.Message]
}

// start serves the application at a clock that the test moves. The gate is the one that
// secondgate.New returns, built by hand for the sake of the clock.
func start(t *testing.T, serve func(net.Listener, *app, *secondgate.Gate) error) *site {
	t.Helper()
	s := &site{clock: mfatest.NewClock(time.Now()), mail: &mfatest.Outbox[email.Message]{}}
	a := newApp()
	a.now = s.clock.Now
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	codes, err := email.New(email.Config{Sender: s.mail, ServiceName: "Acme"})
	require.NoError(t, err)
	m, err := mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Clock: s.clock,
		Factors:  []factor.Factor{codes},
		Policies: policy.Static(policy.Policy{Implicit: []string{"email"}})})
	require.NoError(t, err)
	h, err := mfahttp.New(mfahttp.Config{Manager: m, Keys: keys, Clock: s.clock,
		LoginURL: "/login", Public: []string{"/public/"}, Identify: a.identify})
	require.NoError(t, err)
	s.url = "http://" + listen(t, func(l net.Listener) error {
		return serve(l, a, &secondgate.Gate{Handler: h, Manager: m})
	})
	return s
}

// listen serves on a free port until the test ends, and returns the address.
func listen(t *testing.T, serve func(net.Listener) error) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = serve(l)
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-ended
	})
	return l.Addr().String()
}

// browser follows redirects, and pages that go on by themselves.
type browser struct {
	t      *testing.T
	site   string
	client *http.Client
}

func newBrowser(t *testing.T, site string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{t, site, &http.Client{Jar: jar, Transport: transport}}
}

// goesOn is the head of a page that goes on by itself.
var goesOn = regexp.MustCompile(`http-equiv="refresh" content="0;url=([^"]*)"`)

// do requests a page, or posts a form, and returns where that ended.
func (b *browser) do(path string, form url.Values) (at, page string) {
	b.t.Helper()
	method, body := "GET", ""
	if form != nil {
		method, body = "POST", form.Encode()
	}
	r, err := http.NewRequest(method, b.site+path, strings.NewReader(body))
	require.NoError(b.t, err)
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a, err := b.client.Do(r)
	require.NoError(b.t, err)
	defer func() { _ = a.Body.Close() }()
	text, err := io.ReadAll(a.Body)
	require.NoError(b.t, err)
	if next := goesOn.FindStringSubmatch(string(text)); next != nil {
		return b.do(html.UnescapeString(next[1]), nil)
	}
	return a.Request.URL.RequestURI(), string(text)
}

// first returns the body of the first response, which a browser that is redirected does not show.
func (b *browser) first(path string) string {
	b.t.Helper()
	r, err := http.NewRequest("GET", b.site+path, nil)
	require.NoError(b.t, err)
	r.Header.Set("Accept", "text/html")
	stays := *b.client
	stays.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}
	a, err := stays.Do(r)
	require.NoError(b.t, err)
	defer func() { _ = a.Body.Close() }()
	require.Equal(b.t, http.StatusSeeOther, a.StatusCode)
	text, err := io.ReadAll(a.Body)
	require.NoError(b.t, err)
	return string(text)
}

var hidden = regexp.MustCompile(`type="hidden" name="([^"]+)" value="([^"]*)"`)

// byMail goes on from the page that offers a code by mail, and returns where the code leads.
func (b *browser) byMail(s *site, page string) (at, next string) {
	b.t.Helper()
	form := url.Values{}
	for _, field := range hidden.FindAllStringSubmatch(page, -1) {
		form.Set(field[1], html.UnescapeString(field[2]))
	}
	_, page = b.do("/mfa/send", form)
	require.Contains(b.t, page, `name="code"`)
	m, ok := s.mail.Last()
	require.True(b.t, ok)
	form.Set("code", regexp.MustCompile(`\b\d{6}\b`).FindString(m.Text.Reveal()))
	return b.do("/mfa/verify", form)
}

func TestRouters_SignIn(t *testing.T) {
	for name, serve := range routers {
		t.Run(name, func(t *testing.T) {
			s := start(t, serve)
			b := newBrowser(t, s.url)
			for _, path := range []string{"/", "/money", "/unknown"} {
				at, page := b.do(path, nil)
				at, _, _ = strings.Cut(at, "?") // of the page to return to
				require.Equal(t, "/login", at, "a visitor at %s", path)
				require.Contains(t, page, "Password")
			}
			at, page := b.do("/login", url.Values{"password": {"secret"}})
			require.Contains(t, at, "/mfa/verify")
			at, _ = b.do("/money", nil)
			require.Contains(t, at, "/mfa/verify", "the password alone is not enough")
			at, page = b.byMail(s, page)
			require.Equal(t, "/", at)
			require.Equal(t, "the home page", page)
			_, page = b.do("/mfa/factors", nil)
			require.Contains(t, page, "ann@example.com")
			sheet := regexp.MustCompile(`href="(/mfa/static/\w+/app.css)"`).FindStringSubmatch(page)
			require.NotNil(t, sheet, page)
			_, page = b.do(sheet[1], nil)
			require.Contains(t, page, "--sg-accent")

			_, page = b.do("/money", nil)
			require.Equal(t, "the money", page)
			s.clock.Advance(6 * time.Minute)
			require.NotContains(t, b.first("/money"), "the money", "beside the redirect")
			at, page = b.do("/money", nil)
			require.Contains(t, at, "/mfa/verify", "the verification is not recent")
			at, page = b.byMail(s, page)
			require.Equal(t, "/money", at)
			require.Equal(t, "the money", page)
		})
	}
}

// Routers read a path in different ways, and none of them serves a guarded page under a name that
// the gate takes for a public one.
func TestRouters_NoSpellingGoesAroundTheGate(t *testing.T) {
	for name, serve := range routers {
		t.Run(name, func(t *testing.T) {
			s := start(t, serve)
			visitor, half := newBrowser(t, s.url), newBrowser(t, s.url)
			half.do("/login", url.Values{"password": {"secret"}})
			for _, path := range []string{"//", "/.", "/?", "/login/..", "/login/%2e%2e",
				"/money", "//money", "/money/", "/MONEY", "/%6doney", "/public/../money",
				"/public/%2e%2e/money", "/public/..%2fmoney", "/public%2f..%2fmoney",
				"/public//../money", "/public/..;/money", "/login/../money", "/mfa/../money",
				"/mfa/%2e%2e/money", "/mfa/..%2fmoney", "/public/%5c../money"} {
				for _, b := range []*browser{visitor, half} {
					at, page := b.do(path, nil)
					require.NotContains(t, page, "the home page", "%s at %s", path, at)
					require.NotContains(t, page, "the money", "%s at %s", path, at)
				}
			}
		})
	}
}
