package mfatest

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// origin is the site that an application under test is served as. The certificate of package
// httptest is for this name.
const origin = "https://example.com"

// maxPages limits how many pages go on by themselves, one to the next.
const maxPages = 10

// Client is a browser without JavaScript that uses one application: it keeps cookies, and follows
// redirects and pages that go on by themselves. Make one with [NewClient].
type Client struct {
	// BasePath is where the application has the pages of the second factor. Defaults to "/mfa/".
	BasePath string

	http *http.Client
}

// Page is what a [Client] shows after it has followed redirects.
type Page struct {
	// Status is the HTTP status, such as 200.
	Status int
	// Path is the path and the query of the page. For a page of another site it is the whole URL:
	// the Client did not go there, and Status and Text are the last response before it.
	Path string
	// Text is the body.
	Text string
}

// NewClient serves an application over TLS as https://example.com, and returns a new browser that
// has no cookies. The server is closed when the test ends.
func NewClient(t testing.TB, app http.Handler) *Client {
	t.Helper()
	server := httptest.NewUnstartedServer(app)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that the end cuts off
	server.StartTLS()
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatalf("mfatest.NewClient: %v", err)
	}
	trusted := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
		}}
	t.Cleanup(transport.CloseIdleConnections)
	return &Client{BasePath: "/mfa/", http: &http.Client{Jar: jar, Transport: transport,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			switch {
			case r.URL.Scheme+"://"+r.URL.Host != origin:
				return http.ErrUseLastResponse
			case len(via) > maxPages:
				return fmt.Errorf("more than %d redirects", maxPages)
			}
			return nil
		}}}
}

// Get goes to a path of the application, such as "/account?tab=2", and returns the page that is
// shown at last. Links of the application as whole URLs work too.
func (c *Client) Get(t testing.TB, path string) Page {
	t.Helper()
	return c.open(t, http.MethodGet, path, nil)
}

// Post submits a form to a path of the application.
func (c *Client) Post(t testing.TB, path string, form url.Values) Page {
	t.Helper()
	return c.open(t, http.MethodPost, path, strings.NewReader(form.Encode()))
}

// goesOn is the head of a page that goes on by itself at once.
var goesOn = regexp.MustCompile(
	`<meta\s+http-equiv="refresh"\s+content="0;\s*url=([^"]*)"`)

// open requests a page, and what it goes on to.
func (c *Client) open(t testing.TB, method, path string, body io.Reader) Page {
	t.Helper()
	for range maxPages {
		header := http.Header{"Accept": {"text/html"}, "Sec-Fetch-Mode": {"navigate"}}
		if body != nil {
			header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		page, err := c.do(t, method, path, header, body)
		if err != nil {
			t.Fatalf("mfatest.Client: %s %s: %v", method, path, err)
		}
		next := goesOn.FindStringSubmatch(page.Text)
		if next == nil || strings.HasPrefix(page.Path, "http") {
			return page
		}
		here, errHere := url.Parse(origin + page.Path)
		on, err := url.Parse(html.UnescapeString(next[1]))
		if err = errors.Join(errHere, err); err != nil {
			t.Fatalf("mfatest.Client: %s goes on to what is no URL: %v", page.Path, err)
		}
		on = here.ResolveReference(on)
		if on.Scheme+"://"+on.Host != origin {
			page.Path = on.String()
			return page
		}
		method, path, body = http.MethodGet, on.RequestURI(), nil
	}
	t.Fatalf("mfatest.Client: more than %d pages go on by themselves, the last to %s", maxPages,
		path)
	return Page{}
}

// do makes one request, as a page of the application does, and follows redirects.
func (c *Client) do(
	t testing.TB, method, path string, header http.Header, body io.Reader,
) (page Page, err error) {
	target := strings.TrimPrefix(path, origin)
	if !strings.HasPrefix(target, "/") {
		return page, errors.New("this is not a path of the application")
	}
	r, err := http.NewRequestWithContext(t.Context(), method, origin+target, body)
	if err != nil {
		return page, err
	}
	r.Header = header
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if method != http.MethodGet {
		r.Header.Set("Origin", origin)
	}
	a, err := c.http.Do(r)
	if err != nil {
		return page, err
	}
	defer func() { _ = a.Body.Close() }()
	text, err := io.ReadAll(a.Body)
	page = Page{Status: a.StatusCode, Path: a.Request.URL.RequestURI(), Text: string(text)}
	if to, err := a.Location(); err == nil && a.StatusCode/100 == 3 &&
		to.Scheme+"://"+to.Host != origin {
		page.Path = to.String()
	}
	return page, err
}

// api calls the JSON API of the pages. The test fails if it refuses.
func (c *Client) api(t testing.TB, method, path string, body, into any) {
	t.Helper()
	header := http.Header{"Accept": {"application/json"}, "Sec-Fetch-Mode": {"cors"}}
	var sent io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatalf("mfatest.Client: %v", err)
		}
		header.Set("Content-Type", "application/json")
		sent = strings.NewReader(string(b))
	}
	path = c.BasePath + "api/" + path
	page, err := c.do(t, method, path, header, sent)
	switch {
	case err != nil:
		t.Fatalf("mfatest.Client: %s %s: %v", method, path, err)
	case page.Status == http.StatusUnauthorized && strings.HasSuffix(path, "/state"):
		t.Fatalf("mfatest.Client: no user has given the password in this browser: %s %s: 401 %s",
			method, path, strings.TrimSpace(page.Text))
	case page.Status != http.StatusOK:
		t.Fatalf("mfatest.Client: %s %s: %d %s", method, path, page.Status,
			strings.TrimSpace(page.Text))
	}
	if err := json.Unmarshal([]byte(page.Text), into); err != nil {
		t.Fatalf("mfatest.Client: %s %s: no JSON, so the pages are not at %s: %v", method, path,
			c.BasePath, err)
	}
}
