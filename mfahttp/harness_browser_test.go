package mfahttp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// browser is a browser, or a single-page application in one.
type browser struct {
	s      *site
	client *http.Client
	user   string
}

func (s *site) browser(user string) *browser {
	jar, err := cookiejar.New(nil)
	must(s.t, err)
	return &browser{s: s, user: user, client: &http.Client{Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}}}
}

// response is a response that has been read.
type response struct {
	*http.Response
	Text string
	JSON map[string]any
}

func (p *browser) do(method, path, body string, header map[string]string) *response {
	p.s.t.Helper()
	req, err := http.NewRequest(method, p.s.srv.URL+path, strings.NewReader(body))
	must(p.s.t, err)
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := p.client.Do(req)
	must(p.s.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(p.s.t, err)
	a := &response{Response: resp, Text: strings.ReplaceAll(string(b), "\u2011", "-")}
	_ = json.Unmarshal(b, &a.JSON)
	if code, ok := a.JSON["error"].(string); ok {
		codesSeen.Store(fmt.Sprintf("%d %s", a.StatusCode, code), true)
	}
	p.s.noSecrets(a)
	// Every response of the API to every test is as documented.
	if path, ok := documented(a); ok {
		contract().check(p.s.t, a, path)
	}
	return a
}

// noSecrets is asked of every response of every test: no session ID, token or grant that a
// session holds is ever in it.
func (s *site) noSecrets(a *response) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, values := range s.sessions {
		for key, v := range values {
			if !strings.HasPrefix(key, "secondgate.") {
				continue
			}
			for _, secret := range secretsOf(key, v) {
				if strings.Contains(a.Text, secret) || strings.Contains(a.Header.Get("Location"),
					secret) {
					s.t.Fatalf("%s is in the response to %s %s", key, a.Request.Method,
						a.Request.URL)
				}
			}
		}
	}
}

func secretsOf(key, value string) []string {
	if key == "secondgate.session" {
		return []string{value}
	}
	var found []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, x := range v {
				if str, ok := x.(string); ok && str != "" && (k == "Token" || k == "Grant") {
					found = append(found, str)
				}
				walk(x)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	var v any
	_ = json.Unmarshal([]byte(value), &v)
	walk(v)
	return found
}

var asJSON = map[string]string{"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}

func (p *browser) api(method, path string, body any) *response {
	p.s.t.Helper()
	b := ""
	switch v := body.(type) {
	case nil:
	case string:
		b = v
	default:
		j, err := json.Marshal(body)
		must(p.s.t, err)
		b = string(j)
	}
	return p.do(method, "/mfa/api/"+path, b, asJSON)
}

var asPage = map[string]string{"Accept": "text/html", "Sec-Fetch-Mode": "navigate",
	"Sec-Fetch-Site": "same-origin"}

func (p *browser) get(path string) *response {
	p.s.t.Helper()
	return p.do("GET", path, "", asPage)
}

func (p *browser) post(path string, form url.Values) *response {
	p.s.t.Helper()
	h := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	for k, v := range asPage {
		h[k] = v
	}
	return p.do("POST", path, form.Encode(), h)
}

func (p *browser) login() *response {
	p.s.t.Helper()
	a := p.post("/login", url.Values{"user": {p.user}})
	if a.StatusCode != 200 {
		p.s.t.Fatalf("login: %d %s", a.StatusCode, a.Text)
	}
	return a
}

// signIn signs in by the implicit e-mail factor.
func (p *browser) signIn() *browser {
	p.s.t.Helper()
	p.login()
	p.api("POST", "send", m{"kind": "email"}).is(p.s.t, 200, "")
	p.api("POST", "verify", m{"kind": "email", "code": p.s.mail.last().Code}).is(p.s.t, 200, "")
	return p
}

// enroll enrols an authenticator app through the API and returns its id.
func (p *browser) enroll(code string) string {
	p.s.t.Helper()
	e := p.api("POST", "enroll", m{"kind": "totp"}).is(p.s.t, 200, "")
	c := p.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"], "code": code}).is(p.s.t,
		200, "")
	return c.JSON["factor"].(map[string]any)["id"].(string)
}

// is checks status and error code.
func (a *response) is(t *testing.T, status int, code string) *response {
	t.Helper()
	got, _ := a.JSON["error"].(string)
	if a.StatusCode != status || got != code {
		t.Fatalf("%s %s: got %d %q, want %d %q: %s", a.Request.Method, a.Request.URL.Path,
			a.StatusCode, got, status, code, a.Text)
	}
	return a
}

// goes checks where a response leads. After a form a URL outside of the pages is reached by the
// page that goes on to it.
func (a *response) goes(t *testing.T, to string) *response {
	t.Helper()
	if got := a.leadsTo(); a.StatusCode != http.StatusSeeOther || got != to {
		t.Fatalf("%s %s: got %d to %q, want 303 to %q: %s", a.Request.Method, a.Request.URL,
			a.StatusCode, got, to, a.Text)
	}
	return a
}

func (a *response) leadsTo() string {
	to := a.Header.Get("Location")
	if u, err := url.Parse(to); err == nil && u.Path == "/mfa/continue" &&
		a.Request.Method == http.MethodPost {
		return u.Query().Get("to")
	}
	return to
}

// newRequest is a request in a session of its own, for Handler.Begin.
func newRequest(s *site) *http.Request {
	r := httptest.NewRequest("POST", "/login", nil)
	return r.WithContext(context.WithValue(r.Context(), sessionKey{},
		&holder{values: map[string]string{}}))
}

// copy returns a browser with copies of all cookies.
func (p *browser) copy() *browser {
	p.s.t.Helper()
	b := p.s.browser(p.user)
	u, err := url.Parse(p.s.srv.URL + "/mfa/")
	must(p.s.t, err)
	cookies := p.client.Jar.Cookies(u)
	for _, c := range cookies {
		c.Path = "/"
	}
	b.client.Jar.SetCookies(u, cookies)
	return b
}

// enrollmentLink returns the link of a mail that verifies a user's address.
func (s *site) enrollmentLink(user string) string {
	s.t.Helper()
	p := s.browser(user).signIn()
	p.api("POST", "enroll", m{"kind": "email", "address": user + "@other.example"}).is(s.t, 200, "")
	return s.mail.last().Link
}
