package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestRoutes_RefuseMalformedInput(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	big := strings.Repeat("x", 1<<20)
	for _, tc := range []struct {
		status int
		path   string
		body   any
	}{
		{400, "/api/login", ``}, {400, "/api/login", `null`}, {400, "/api/login", `[]`},
		{400, "/api/login", `{`},
		{400, "/api/login", `{"username":1,"password":2}`},
		{400, "/api/login", `{"username":"anna"}`},
		{400, "/api/login", "{\"username\":\"\xff\",\"password\":\"x\"}"},
		{400, "/api/login", `{"username":"a","password":"b"} {}`},
		{401, "/api/login", obj{"username": "anna", "password": ""}},
		{401, "/api/login", obj{"username": "", "password": "x"}},
		{401, "/api/login", obj{"username": "anna\x00", "password": "x"}},
		{401, "/api/login", obj{"username": "anna", "password": strings.Repeat("x", 1000)}},
		{401, "/api/login", obj{"username": strings.Repeat("x", 1000), "password": "x"}},
		{413, "/api/login", obj{"username": big, "password": "x"}},
		{413, "/login", url.Values{"username": {big}}},
		{400, "/demo/clock", obj{"advance": "-1s"}}, {400, "/demo/clock", obj{"advance": "soon"}},
		{400, "/demo/clock", obj{"advance": "1000000h"}}, {400, "/demo/clock", obj{}},
		{404, "/api/nothing", obj{}},
	} {
		if tc.path == "/login" {
			tc.path = "/login?api/"
		}
		a := c.post(tc.status, tc.path, tc.body)
		if tc.status != 413 && a.body["error"] == nil {
			t.Errorf("%s %.40v: no error: %.100s", tc.path, tc.body, a.text)
		}
	}
	if allow := c.get(405, "/api/login").header.Get("Allow"); allow != "POST" {
		t.Errorf("Allow: %s", allow)
	}
	c.get(405, "/logout")
}

func TestRoutes_RefuseOtherOrigins(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	for _, path := range []string{"/api/login", "/login", "/demo/clock", "/mfa/api/send", "/logout",
		"/admin/mfa/policies"} {
		req, err := http.NewRequest("POST", s.base+path, strings.NewReader(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 403 {
			t.Errorf("%s: status %d", path, resp.StatusCode)
		}
	}
}
