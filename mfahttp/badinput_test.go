package mfahttp_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfatest"
)

func TestAPI_RefusesMalformedBodies(t *testing.T) {
	t.Parallel() // its server closes half a second after a body that it refused
	s := newSite(t, nil)
	p := s.browser("ann")
	p.login()
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	code := s.mail.last().Code
	send := func(body string, header map[string]string) *response {
		return p.do("POST", "/mfa/api/verify", body, header)
	}
	right := `{"kind":"email","code":"` + code + `"}`
	for _, test := range []struct {
		name, body, contentType string
		status                  int
		code                    string
	}{
		{"empty", "", "application/json", 400, "malformed"},
		{"null", "null", "application/json", 400, "malformed"},
		{"array", "[]", "application/json", 400, "malformed"},
		{"cut", right[:20], "application/json", 400, "malformed"},
		{"two values", right + right, "application/json", 400, "malformed"},
		{"number for a code", `{"kind":"email","code":200001}`, "application/json", 400,
			"malformed"},
		{"no code", `{"kind":"email"}`, "application/json", 400, "malformed"},
		{"letters", `{"kind":"email","code":"abcdef"}`, "application/json", 400, "malformed"},
		{"Arabic digits", `{"kind":"email","code":"٢٠٠٠٠١"}`, "application/json", 400, "malformed"},
		{"NUL", `{"kind":"email","code":"20000\u0000"}`, "application/json", 400, "malformed"},
		{"not UTF-8", "{\"kind\":\"email\",\"code\":\"\xff\"}", "application/json", 400,
			"malformed"},
		{"no kind", `{"code":"123456"}`, "application/json", 400, "malformed"},
		{"unknown kind", `{"kind":"carrier-pigeon","code":"123456"}`, "application/json", 409,
			"not_available"},
		{"kind not enrolled", `{"kind":"totp","code":"123456"}`, "application/json", 409,
			"not_available"},
		{"long kind", `{"kind":"` + strings.Repeat("k", 33) + `","code":"123456"}`,
			"application/json", 400, "malformed"},
		{"purpose of others", `{"kind":"email","code":"123456","purpose":"manage"}`,
			"application/json", 403, "forbidden"},
		{"unknown purpose", `{"kind":"email","code":"123456","purpose":"x"}`, "application/json",
			400, "malformed"},
		{"long code", `{"kind":"email","code":"` + strings.Repeat("1", 5000) + `"}`,
			"application/json", 400, "malformed"},
		{"1 MiB", `{"kind":"email","code":"` + strings.Repeat("1", 1<<20) + `"}`,
			"application/json", 413, "too_large"},
		{"text/plain", right, "text/plain", 415, "media_type"},
		{"form", right, "application/x-www-form-urlencoded", 415, "media_type"},
		{"no type", right, "", 415, "media_type"},
		{"JSON with charset", right, "application/json; charset=utf-8", 200, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			send(test.body, map[string]string{"Content-Type": test.contentType}).is(t, test.status,
				test.code)
		})
	}
}

// A body whose length is not announced is cut off all the same.
func TestAPI_BoundsAChunkedBody(t *testing.T) {
	t.Parallel() // its server closes half a second after a body that it refused
	s := newSite(t, nil)
	p := s.browser("ann")
	p.login()
	body := struct{ *strings.Reader }{strings.NewReader(`{"x":"` + strings.Repeat("1", 1<<20) +
		`"}`)}
	req, err := http.NewRequest("POST", s.srv.URL+"/mfa/api/verify", body)
	must(t, err)
	req.ContentLength = -1
	req.Header.Set("Content-Type", "application/json")
	resp, err := p.client.Do(req)
	must(t, err)
	resp.Body.Close()
	if resp.StatusCode != 413 {
		t.Fatal(resp.Status)
	}
}

func TestHandler_RefusesCrossSitePosts(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann")
	p.login()
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	right := `{"kind":"email","code":"` + s.mail.last().Code + `"}`
	evil := map[string]map[string]string{
		"fetch":          {"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"},
		"sibling domain": {"Content-Type": "application/json", "Sec-Fetch-Site": "same-site"},
		"old browser":    {"Content-Type": "application/json", "Origin": "https://evil.example"},
		"sandboxed":      {"Content-Type": "application/json", "Origin": "null"},
		"plain form":     {"Content-Type": "text/plain", "Sec-Fetch-Site": "cross-site"},
	}
	for name, header := range evil {
		p.do("POST", "/mfa/api/verify", right, header).is(t, 403, "forbidden")
		p.do("POST", "/mfa/api/send", `{"kind":"email"}`, header).is(t, 403, "forbidden")
		if a := p.do("POST", "/mfa/verify", "kind=email&code="+s.mail.last().Code,
			header); a.StatusCode != 403 {
			t.Errorf("%s: form: %d", name, a.StatusCode)
		}
	}
	if len(s.verified) != 0 || s.mail.count() != 1 {
		t.Fatal("a cross-site request had an effect")
	}
	// It was the site and nothing else that was refused.
	p.do("POST", "/mfa/api/verify", right, map[string]string{"Content-Type": "application/json",
		"Origin": s.srv.URL}).is(t, 200, "")
}

func TestAllowedOrigins_MayCallTheAPI(t *testing.T) {
	s := newSite(t, func(c *mfahttp.Config) {
		c.AllowedOrigins = []string{"https://app.example.com"}
	})
	p := s.browser("ann")
	p.login()
	p.do("POST", "/mfa/api/send", `{"kind":"email"}`,
		map[string]string{"Content-Type": "application/json",
			"Sec-Fetch-Site": "cross-site", "Origin": "https://app.example.com"}).is(t, 200, "")
}

func TestHandler_RefusesOtherMethodsAndPaths(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	for path, allow := range map[string]string{
		"verify": "POST", "send": "POST", "enroll": "GET, HEAD, POST", "enroll/resend": "POST",
		"confirm": "POST", "step-up": "POST",
		"recovery-codes": "POST", "state": "GET, HEAD", "factors": "GET, HEAD",
		"factors/x": "DELETE, PATCH", "openapi.json": "GET, HEAD",
	} {
		a := p.api("PUT", path, nil).is(t, 405, "method_not_allowed")
		if a.Header.Get("Allow") != allow {
			t.Errorf("%s: Allow: %s, want %s", path, a.Header.Get("Allow"), allow)
		}
		if allow == "POST" {
			p.api("GET", path, nil).is(t, 405, "method_not_allowed")
		}
	}
	p.api("GET", "nonsense", nil).is(t, 404, "not_found")
	if a := p.get("/mfa/nonsense"); a.StatusCode != 404 {
		t.Fatal(a.StatusCode)
	}
}

// Whatever fails, nobody gets in, and what failed is not told.
func TestHandler_OutagesLetNobodyIn(t *testing.T) {
	secret := errors.New("dial tcp 10.0.0.7: secret detail")
	t.Run("store", func(t *testing.T) {
		s := newSite(t, nil)
		p := s.browser("ann")
		p.login()
		p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
		code := s.mail.last().Code
		for _, f := range []mfatest.Fault{{Before: secret}, {After: secret}} {
			s.store.Inject(mfatest.OpSwap, 100, f)
			p.api("POST", "verify", m{"kind": "email", "code": code}).is(t, 503, "unavailable")
			s.store.Heal()
		}
		if len(s.verified) != 0 || p.get("/home").StatusCode == 200 {
			t.Fatal("somebody was let in")
		}
		if !strings.Contains(s.log.String(), "POST /mfa/api/verify") {
			t.Fatal("not logged: " + s.log.String())
		}
	})
	t.Run("sender", func(t *testing.T) {
		s := newSite(t, nil)
		s.mail.fail = secret
		p := s.browser("ann")
		p.login()
		a := p.api("POST", "send", m{"kind": "email"}).is(t, 503, "unavailable")
		if strings.Contains(a.Text, "secret") {
			t.Fatal(a.Text)
		}
		// The sender may have quoted the message, so the log has the Manager's words.
		logged := s.log.String()
		if !strings.Contains(logged, "the email factor could not send") ||
			strings.Contains(logged, "secret") {
			t.Fatal(logged)
		}
	})
	t.Run("factor", func(t *testing.T) {
		s := newSite(t, nil)
		s.browser("ann").signIn().enroll("100001")
		p := s.browser("ann")
		p.login()
		a := p.api("POST", "verify", m{"kind": "totp", "code": "000666"}).is(t, 503, "unavailable")
		if a.JSON["attempts_left"] != 4.0 {
			t.Fatal(a.Text)
		}
	})
	t.Run("Identify", func(t *testing.T) {
		s := newSite(t, nil)
		p := s.browser("ann").signIn()
		s.identifyErr = secret
		p.api("GET", "factors", nil).is(t, 503, "unavailable")
		p.do("GET", "/home", "", nil).is(t, 503, "unavailable")
		if a := p.get("/home"); a.StatusCode != 503 || strings.Contains(a.Text, "secret") {
			t.Fatal(a.StatusCode, a.Text)
		}
	})
	t.Run("Verified", func(t *testing.T) {
		s := newSite(t, nil)
		p := s.browser("ann")
		p.login()
		p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
		s.verifyErr = secret
		p.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code}).is(t, 503,
			"unavailable")
		s.verifyErr = nil
		p.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code}).is(t, 401,
			"expired")
		if len(s.verified) != 1 || p.get("/home").StatusCode == 200 {
			t.Fatal("the hook's refusal was not the end of it")
		}
	})
}

// A session that changes hands keeps nothing of whom it belonged to.
func TestSession_KeepsNothingOfAnotherUser(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	id := p.enroll("100001")
	p.user = "bob"
	p.login()
	if st := p.api("GET", "state", nil).is(t, 200, ""); strings.Contains(st.Text, "totp") {
		t.Fatal(st.Text)
	}
	p.api("POST", "enroll", m{"kind": "totp"}).is(t, 403, "forbidden")
	p.api("DELETE", "factors/"+id, nil).is(t, 403, "forbidden")

	// Nor does a sign-in that begins again have what an earlier one had.
	again := s.browser("carl").signIn()
	again.login()
	again.api("POST", "enroll", m{"kind": "totp"}).is(t, 403, "forbidden")

	// Even if the application swaps the user in a session without calling Begin.
	swap := func(from, to string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, values := range s.sessions {
			if values["user"] == from {
				values["user"] = to
			}
		}
	}
	q := s.browser("dora").signIn()
	e := q.api("POST", "enroll", m{"kind": "totp"}).is(t, 200, "")
	q.api("POST", "step-up", m{"purpose": "step-up"}).is(t, 200, "")
	swap("dora", "eve")
	q.api("GET", "factors", nil).is(t, 403, "forbidden")
	q.api("POST", "enroll", m{"kind": "totp"}).is(t, 401, "expired")
	q.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"], "code": "100001"}).is(t, 401,
		"expired")
	q.api("POST", "send", m{"kind": "email", "purpose": "step-up"}).is(t, 403, "forbidden")
}

func TestNew_RefusesInvalidConfigs(t *testing.T) {
	good := newSite(t, nil)
	for name, change := range map[string]func(*mfahttp.Config){
		"Manager":       func(c *mfahttp.Config) { c.Manager = nil },
		"Session":       func(c *mfahttp.Config) { c.Session = nil },
		"Identify":      func(c *mfahttp.Config) { c.Identify = nil },
		"Keys":          func(c *mfahttp.Config) { c.Session = nil },
		"CheckPassword": func(c *mfahttp.Config) { c.PasswordFor = []string{"sms"} },
		"BasePath":      func(c *mfahttp.Config) { c.BasePath = "/mfa" },
		"LoginURL":      func(c *mfahttp.Config) { c.LoginURL = "https://example.com/login" },
		"HomeURL":       func(c *mfahttp.Config) { c.HomeURL = "//example.com" },
		"AllowedOrigins": func(c *mfahttp.Config) {
			c.AllowedOrigins = []string{"app.example.com"}
		},
	} {
		c := mfahttp.Config{Manager: good.m, Session: good,
			Identify: func(*http.Request) (mfahttp.Identity, error) {
				return mfahttp.Identity{}, nil
			},
			Verified: func(http.ResponseWriter, *http.Request, *mfa.Verification) (string, error) {
				return "", nil
			}}
		if _, err := mfahttp.New(c); err != nil {
			t.Fatal(err)
		}
		change(&c)
		if _, err := mfahttp.New(c); err == nil || !strings.Contains(err.Error(), "Config."+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
