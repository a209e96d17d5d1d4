package main

import (
	"bufio"
	"context"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// browser follows redirects and submits forms as a user does.
type browser struct {
	t *testing.T
	c *http.Client
	// the address and the text of the page that it shows
	at   *url.URL
	page string
}

// begin runs the three applications, and returns their addresses.
func begin(t *testing.T, args ...string) (portalURL, mailURL, filesURL string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, append([]string{"-portal", "127.0.0.1:0", "-mail", "127.0.0.1:0",
			"-files", "127.0.0.1:0"}, args...), w, io.Discard)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	lines := bufio.NewScanner(r)
	var urls []string
	for len(urls) < 3 && lines.Scan() {
		_, u, _ := strings.Cut(lines.Text(), " on ")
		urls = append(urls, u)
	}
	return urls[0], urls[1], urls[2]
}

// Every page of the three applications has the look of the library's pages, and leads to the other
// applications. The stylesheets come from the origin of the page.
func TestPages_ShareTheLook(t *testing.T) {
	portalURL, mailURL, filesURL := begin(t)
	styles := regexp.MustCompile(`<link rel="stylesheet" href="([^"]*)"`)
	check := func(b *browser, status int, u string) {
		t.Helper()
		require.Equal(t, status, b.get(u), u)
		require.Contains(t, b.page, `<body class="sg `, u)
		require.Contains(t, b.page, `lang="en"`, u)
		found := styles.FindAllStringSubmatch(b.page, -1)
		require.Len(t, found, 2, u)
		for _, s := range found {
			at, err := b.at.Parse(s[1])
			require.NoError(t, err)
			require.Equal(t, b.at.Host, at.Host)
			r, err := http.Get(at.String())
			require.NoError(t, err)
			require.NoError(t, r.Body.Close())
			require.Equal(t, 200, r.StatusCode, at)
			require.Contains(t, r.Header.Get("Content-Type"), "text/css")
		}
	}
	b := open(t)
	for _, base := range []string{portalURL, filesURL} {
		check(b, 200, base+"/login")
		require.Contains(t, b.page, mailURL)
		check(b, 200, base+"/outbox")
	}
	check(b, 200, mailURL+"/goodbye")
	check(b, 403, mailURL+"/callback?assertion=x&state=y")
	b.get(mailURL + "/")
	b.password("ann")
	b.code()
	for _, u := range []string{mailURL + "/", mailURL + "/delicate", portalURL + "/"} {
		check(b, 200, u)
		require.Contains(t, b.page, `<a href="`+filesURL+`"`)
	}
	require.Equal(t, 404, b.get(mailURL+"/mfa/factors"), "it has no second factor of its own")
}

// navigating requests pages, as a browser does.
type navigating struct{}

func (navigating) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("Accept", "text/html")
	return http.DefaultTransport.RoundTrip(r)
}

func open(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &browser{t: t, c: &http.Client{Jar: jar, Transport: navigating{}}}
}

func (b *browser) see(r *http.Response, err error) int {
	b.t.Helper()
	require.NoError(b.t, err)
	defer func() { _ = r.Body.Close() }()
	body, err := io.ReadAll(r.Body)
	require.NoError(b.t, err)
	b.at, b.page = r.Request.URL, string(body)
	if m := refresh.FindStringSubmatch(b.page); m != nil {
		next, err := b.at.Parse(html.UnescapeString(m[1]))
		require.NoError(b.t, err)
		return b.get(next.String())
	}
	return r.StatusCode
}

// refresh matches the tag by which a page redirects.
var refresh = regexp.MustCompile(`http-equiv="refresh" content="0;url=([^"]*)"`)

func (b *browser) get(u string) int { b.t.Helper(); return b.see(b.c.Get(u)) }

// post posts a form to a path of the site that the browser is at.
func (b *browser) post(path string, form url.Values) int {
	b.t.Helper()
	return b.see(b.c.PostForm(b.at.Scheme+"://"+b.at.Host+path, form))
}

// password signs in on the page that the browser is at.
func (b *browser) password(user string) {
	b.t.Helper()
	require.Equal(b.t, "/login", b.at.Path)
	require.Equal(b.t, 200, b.post("/login", url.Values{"username": {user},
		"password": {user + "-demo-password"}, "return": {b.at.Query().Get("return")}}))
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// code submits the code that the site mails.
func (b *browser) code() {
	b.t.Helper()
	require.Equal(b.t, "/mfa/verify", b.at.Path)
	q := b.at.Query()
	form := url.Values{"kind": {"email"}, "purpose": q["purpose"], "return": q["return"]}
	b.post("/mfa/send", form)
	other := open(b.t)
	other.get(b.at.Scheme + "://" + b.at.Host + "/outbox")
	form.Set("code", sixDigits.FindString(other.page))
	b.post("/mfa/verify", form)
}

// The application that trusts the portal accepts a user who has verified there. The other one
// requires its own code.
func TestPortal_SignsInToAnApplication(t *testing.T) {
	portalURL, mailURL, filesURL := begin(t)
	b := open(t)
	b.get(portalURL + "/status")
	require.JSONEq(t, `{"program":"examples/portal","signed_in":0}`, b.page)
	b.get(mailURL + "/")
	require.Equal(t, strings.TrimPrefix(portalURL, "http://"), b.at.Host, "to the portal")
	b.password("ann")
	b.code()
	require.Equal(t, mailURL+"/", b.at.String(), b.page)
	require.Contains(t, b.page, `<strong id="who" dir="auto">ann</strong>`)
	require.Contains(t, b.page, "pwd, otp")

	status := open(t)
	status.get(portalURL + "/status")
	require.JSONEq(t, `{"program":"examples/portal","signed_in":1}`, status.page)

	require.Equal(t, 200, b.post("/sign-out", nil))
	b.get(mailURL + "/")
	require.Equal(t, mailURL+"/", b.at.String())
	require.Contains(t, b.page, "ann", "the portal has a session: no code is required again")
	b.get(mailURL + "/delicate")
	require.Contains(t, b.page, "Here you may delete everything", "verified a moment ago")

	b.get(filesURL + "/")
	require.Equal(t, "/login", b.at.Path, "the files application requires its own sign-in")
	b.password("ann")
	b.code()
	require.Equal(t, filesURL+"/", b.at.String())
	require.Contains(t, b.page, "assurance level 1")

	// Another browser is not signed in.
	other := open(t)
	other.get(mailURL + "/")
	require.Equal(t, "/login", other.at.Path)
	other.password("ben")
	require.Equal(t, 403, other.get(mailURL+"/callback?assertion=x&state=y"))
	require.Contains(t, other.page, "Start again")
}
