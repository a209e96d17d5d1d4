package mfahttp_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
)

type document struct {
	OpenAPI    string                          `json:"openapi"`
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas   map[string]m         `json:"schemas"`
		Responses map[string]operation `json:"responses"`
	} `json:"components"`
}

type operation struct {
	OperationID string                 `json:"operationId"`
	Ref         string                 `json:"$ref"`
	Responses   map[string]responseDoc `json:"responses"`
	Content     map[string]content     `json:"content"`
	RequestBody *responseDoc           `json:"requestBody"`
}

type responseDoc struct {
	Ref     string             `json:"$ref"`
	Content map[string]content `json:"content"`
}

type content struct {
	Schema m `json:"schema"`
}

func readDocument(t *testing.T) *document {
	t.Helper()
	var d document
	must(t, json.Unmarshal(mfahttp.OpenAPI(), &d))
	if d.OpenAPI != "3.1.0" {
		t.Fatal(d.OpenAPI)
	}
	return &d
}

// The document and the mux name the same operations.
func TestOpenAPI_ListsEveryRoute(t *testing.T) {
	d, s := readDocument(t), newSite(t, nil)
	var documented []string
	for path, operations := range d.Paths {
		for method := range operations {
			documented = append(documented, strings.ToUpper(method)+" /mfa"+path)
		}
	}
	var served []string
	for _, r := range mfahttp.Routes(s.h) {
		if strings.Contains(r, " /mfa/api/") {
			served = append(served, r)
		}
	}
	slices.Sort(documented)
	slices.Sort(served)
	if !slices.Equal(documented, served) {
		t.Fatalf("documented: %q\nserved: %q", documented, served)
	}
	if a := s.browser("").api("GET", "openapi.json", nil).is(t, 200,
		""); a.Text != string(mfahttp.OpenAPI()) {
		t.Fatal("served is not what is embedded")
	}
}

// An operation defines the parameters of its path, without which generators refuse the document.
func TestOpenAPI_DefinesPathParameters(t *testing.T) {
	var d struct {
		Paths map[string]map[string]struct {
			Parameters []struct {
				Name, In string
				Required bool
			}
		}
	}
	must(t, json.Unmarshal(mfahttp.OpenAPI(), &d))
	inPath := regexp.MustCompile(`\{(\w+)\}`)
	found := 0
	for path, operations := range d.Paths {
		for method, o := range operations {
			want, got := map[string]bool{}, map[string]bool{}
			for _, m := range inPath.FindAllStringSubmatch(path, -1) {
				want[m[1]], found = true, found+1
			}
			for _, p := range o.Parameters {
				if p.In == "path" {
					got[p.Name] = p.Required
				}
			}
			if !maps.Equal(want, got) {
				t.Errorf("%s %s has %v, and defines %v", method, path, want, got)
			}
		}
	}
	if found < 3 {
		t.Fatal(found)
	}
}

// Every reference leads somewhere, and every schema is used.
func TestOpenAPI_ReferencesResolve(t *testing.T) {
	d := readDocument(t)
	var all any
	must(t, json.Unmarshal(mfahttp.OpenAPI(), &all))
	used := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				used[ref] = true
			}
			for _, x := range v {
				walk(x)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(all)
	exists := map[string]bool{}
	for name := range d.Components.Schemas {
		exists["#/components/schemas/"+name] = true
	}
	for name := range d.Components.Responses {
		exists["#/components/responses/"+name] = true
	}
	if !maps.Equal(used, exists) {
		t.Fatalf("used: %v\nexist: %v", slices.Sorted(maps.Keys(used)),
			slices.Sorted(maps.Keys(exists)))
	}
}

// Real answers, good and bad, of every operation are as documented.
func TestOpenAPI_DescribesTheResponses(t *testing.T) {
	t.Parallel() // its server closes half a second after a body that it refused
	d, s := readDocument(t), newKeySite(t, func(c *mfahttp.Config) {
		c.SetupLinks, c.Support, c.History = true, true, unlockedBy("carol")
	})
	s.policy.Remember, s.policy.KeepImplicit = 24*time.Hour, true
	seen := map[string]bool{}
	p := s.browser("ann")
	call := func(method, path string, body any, status int) *response {
		t.Helper()
		a := p.api(method, strings.TrimPrefix(path, "/api/"), body)
		documented := path
		for _, list := range []string{"/api/factors/", "/api/devices/"} {
			if strings.HasPrefix(path, list) {
				documented = list + "{id}"
			}
		}
		documented, _, _ = strings.Cut(documented, "?")
		if a.StatusCode != status {
			t.Fatalf("%s %s: %d, want %d: %s", method, path, a.StatusCode, status, a.Text)
		}
		d.check(t, a, documented)
		if status == 200 {
			seen[method+" "+documented] = true
		}
		return a
	}
	call("GET", "/api/state", nil, 401)
	call("POST", "/api/verify", m{"kind": "email", "code": "123456"}, 401)
	call("GET", "/api/openapi.json", nil, 200)
	p.login()
	call("GET", "/api/state", nil, 200)
	call("POST", "/api/cancel", nil, 200)
	call("POST", "/api/cancel", m{"purpose": "replace"}, 400)
	call("POST", "/api/cancel", m{"purpose": "step-up"}, 403)
	call("GET", "/api/state?kind=email", nil, 200)
	call("POST", "/api/send", m{"kind": "email"}, 200)
	call("GET", "/api/state", nil, 200)
	call("POST", "/api/send", "[]", 400)
	call("POST", "/api/send", m{"kind": "pin"}, 409)
	call("POST", "/api/verify", m{"kind": "email", "code": "999999"}, 401)
	call("POST", "/api/verify", m{"kind": "email", "code": strings.Repeat("1", 70000)}, 413)
	call("GET", "/api/factors", nil, 403)
	call("GET", "/api/history", nil, 403)
	call("POST", "/api/verify", m{"kind": "email", "code": s.mail.last().Code}, 200)
	call("GET", "/api/factors", nil, 200)
	call("GET", "/api/history", nil, 200)
	call("POST", "/api/address", m{"address": "a@b"}, 400)
	move := call("POST", "/api/address", m{"address": "ann@new.example"}, 200).JSON["enrollment"]
	call("POST", "/api/address/confirm", m{"enrollment": move, "code": "000000"}, 401)
	call("POST", "/api/address/confirm", m{"enrollment": move, "code": s.mail.last().Code}, 200)
	call("GET", "/api/enroll", nil, 200)
	call("GET", "/api/countries?locale=nl", nil, 200)
	call("GET", "/api/questions", nil, 200)
	e := call("POST", "/api/enroll", m{"kind": "totp"}, 200)
	call("POST", "/api/enroll/cancel", m{"enrollment": e.JSON["enrollment"]}, 200)
	call("POST", "/api/enroll/cancel", m{"enrollment": e.JSON["enrollment"]}, 401)
	e = call("POST", "/api/enroll", m{"kind": "totp"}, 200)
	call("POST", "/api/confirm", m{"enrollment": e.JSON["enrollment"], "code": "000001"}, 401)
	call("POST", "/api/confirm", m{"enrollment": e.JSON["enrollment"], "code": "100001"}, 200)
	call("POST", "/api/enroll", m{"kind": "pin", "pin": "1"}, 400)
	call("POST", "/api/enroll", m{"kind": "recovery"}, 200)
	e = call("POST", "/api/enroll", m{"kind": "sms", "number": "+31612345678"}, 200)
	call("POST", "/api/enroll/elsewhere", m{"enrollment": e.JSON["enrollment"]}, 200)
	call("POST", "/api/enroll/resend", m{"enrollment": e.JSON["enrollment"]}, 200)
	id := call("POST", "/api/confirm", m{"enrollment": e.JSON["enrollment"],
		"code": s.text.last().Code}, 200).JSON["factor"].(m)["id"].(string)
	set := call("POST", "/api/recovery-codes", nil, 200).JSON["factor"]
	call("POST", "/api/recovery-codes/saved", m{}, 400)
	call("POST", "/api/recovery-codes/saved", m{"factor": id}, 409)
	call("POST", "/api/recovery-codes/saved", m{"factor": "none"}, 404)
	call("POST", "/api/recovery-codes/saved", m{"factor": set}, 200)
	call("PATCH", "/api/factors/"+id, m{"name": "n"}, 200)
	call("PATCH", "/api/factors/none", m{"name": "n"}, 404)
	call("DELETE", "/api/factors/"+id, nil, 403)
	call("GET", "/api/factors", nil, 200)
	call("DELETE", "/api/factors/"+id, m{"password": "correct horse"}, 200)
	call("POST", "/api/step-up", nil, 200)
	e = call("POST", "/api/enroll", m{"kind": "passkey"}, 200)
	key := call("POST", "/api/confirm", m{"enrollment": e.JSON["enrollment"], "code": "k1 " +
		e.JSON["data"].(string)}, 200).JSON["factor"].(m)["id"].(string)
	stranger := s.browser("")
	was := p
	p = stranger
	ch := call("POST", "/api/passwordless", nil, 200)
	call("POST", "/api/passwordless/verify", m{"challenge": ch.JSON["challenge"], "code": "none " +
		ch.JSON["data"].(string)}, 404)
	call("POST", "/api/passwordless/verify", m{"challenge": ch.JSON["challenge"],
		"code": "k1 wrong"}, 401)
	call("POST", "/api/passwordless/verify", m{"challenge": "x", "code": "k1 x"}, 401)
	call("POST", "/api/passwordless/verify", m{"challenge": 1}, 400)
	call("POST", "/api/passwordless/verify", m{"challenge": ch.JSON["challenge"], "code": "k1 " +
		ch.JSON["data"].(string)}, 200)
	call("POST", "/api/passwordless", nil, 403)
	p = was
	call("GET", "/api/factors", nil, 200)
	call("POST", "/api/decline", m{"kind": "totp"}, 200)
	call("POST", "/api/decline", m{"kind": 1}, 400)
	call("POST", "/api/preference", m{"kind": "totp"}, 200)
	call("POST", "/api/preference", m{"kind": 1}, 400)
	call("POST", "/api/implied", m{"use": false}, 200)
	call("POST", "/api/implied", m{}, 400)
	call("GET", "/api/factors", nil, 200)
	call("DELETE", "/api/factors/"+key, nil, 200)
	call("POST", "/api/step-up", nil, 200)
	for range 5 {
		call("POST", "/api/verify", m{"kind": "totp", "code": "000001"}, 401)
	}
	call("POST", "/api/verify", m{"kind": "totp", "code": "100009"}, 429)
	call("GET", "/api/state", nil, 200)
	call("GET", "/api/factors", nil, 200)
	call("POST", "/api/sign-out", nil, 200)

	p = s.browser("lin")
	call("POST", "/api/lost/link", nil, 401)
	call("GET", "/api/devices", nil, 401)
	p.signIn()
	call("GET", "/api/devices", nil, 200)
	call("POST", "/api/lost/link", nil, 401)
	p.enroll("100001")
	p.login()
	call("GET", "/api/devices", nil, 403)
	call("DELETE", "/api/devices", nil, 403)
	call("POST", "/api/verify", m{"kind": "totp", "code": "100002", "remember": "Phone"}, 200)
	device := call("GET", "/api/devices", nil, 200).JSON["devices"].([]any)[0].(m)["id"].(string)
	call("DELETE", "/api/devices/none", nil, 404)
	call("DELETE", "/api/devices/"+device, nil, 200)
	call("DELETE", "/api/devices", nil, 200)
	p.login()
	call("POST", "/api/lost/support", m{"message": strings.Repeat("x", 501)}, 400)
	call("POST", "/api/lost/support", m{"message": "My phone is gone."}, 200)
	call("POST", "/api/lost/link", nil, 200)
	call("POST", "/api/unlock", m{"kind": "totp", "code": "100003"}, 409)
	call("POST", "/api/setup", m{}, 400)
	call("POST", "/api/setup", m{"token": "x"}, 401)
	call("POST", "/api/setup", m{"token": s.mail.last().Link}, 200)
	call("POST", "/api/setup", m{"token": s.mail.last().Link}, 401)
	p = s.browser("max").disabled()
	call("POST", "/api/unlock", m{"kind": "totp", "code": "000001"}, 401)
	s.clock.Advance(3 * time.Minute)
	for i := range 3 {
		call("POST", "/api/unlock", m{"kind": "totp", "code": strconv.Itoa(100500 + i)}, 200)
		s.clock.Advance(time.Minute)
	}
	call("POST", "/api/confirm-link", m{"token": "x"}, 401)
	call("POST", "/api/confirm-link", m{"token": s.enrollmentLink("ada")}, 200)
	s.policy = policy.Policy{EnrollSkips: 1}
	p = s.browser("lee")
	p.login()
	call("GET", "/api/state", nil, 200)
	call("POST", "/api/later", nil, 200)
	for path, operations := range d.Paths {
		for method := range operations {
			if !seen[strings.ToUpper(method)+" "+path] {
				t.Errorf("%s %s was never answered well", method, path)
			}
		}
	}
}
