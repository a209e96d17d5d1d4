package sms_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
)

// provider is a fake that keeps the requests it gets.
type provider struct {
	*httptest.Server
	mu       sync.Mutex
	requests []request
	reply    http.HandlerFunc
}

type request struct {
	method, uri string
	header      http.Header
	body        string
}

func newProvider(t testing.TB, reply http.HandlerFunc) *provider {
	t.Helper()
	p := &provider{reply: reply}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		p.requests = append(p.requests, request{r.Method, r.RequestURI, r.Header, string(body)})
		p.mu.Unlock()
		p.reply(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *provider) got() []request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests
}

// says replies with a status and a body.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// message tries the escaping of every kind of body.
var message = sms.Message{To: "+31612345678", Text: "012345 is your \"code\" & {{to}} für " +
	"Acme=1%\\.\n@acme.example #012345", TTL: 90 * time.Second}

var secrets = []string{"612345678", "012345", "hunter2", "s3cret", "Basic ", "Bearer "}

// requireQuiet fails if an error shows something of the message or the credentials.
func requireQuiet(t testing.TB, err error) {
	t.Helper()
	for _, s := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err),
		encoded(err), logged(err)} {
		for _, secret := range secrets {
			if strings.Contains(s, secret) {
				t.Errorf("an error shows %q: %s", secret, s)
			}
		}
	}
}

func sendError(t testing.TB, err error) *sms.SendError {
	t.Helper()
	requireQuiet(t, err)
	e, ok := errors.AsType[*sms.SendError](err)
	if !ok {
		t.Fatalf("%v is no *SendError", err)
	}
	return e
}

func form(url string) sms.HTTPConfig {
	return sms.HTTPConfig{URL: url, Form: map[string]secret.Text{"to": secret.New("{{to}}"),
		"text": secret.New("{{text}}")}}
}

func newHTTP(t testing.TB, cfg sms.HTTPConfig) *sms.HTTPSender {
	t.Helper()
	s, err := sms.NewHTTPSender(cfg)
	require.NoError(t, err)
	return s
}

func TestHTTP_SendsAForm(t *testing.T) {
	p := newProvider(t, says(202, ""))
	s := newHTTP(t, sms.HTTPConfig{
		URL:      p.URL + "/v1/send",
		Query:    map[string]secret.Text{"key": secret.New("s3cret&x=1")},
		Header:   map[string]secret.Text{"x-api-key": secret.New("hunter2")},
		Username: "user", Password: secret.New("s3cret"),
		Form: map[string]secret.Text{"recipient": secret.New("{{digits}}"),
			"to": secret.New("{{to}}"), "body": secret.New("[{{text}}]"),
			"from": secret.New("Acme & Co")},
	})
	require.NoError(t, s.Send(context.Background(), message))
	require.Len(t, p.got(), 1)
	r := p.got()[0]
	require.Equal(t, "POST", r.method)
	require.Equal(t, "/v1/send?key=s3cret%26x%3D1", r.uri)
	require.Equal(t, "hunter2", r.header.Get("X-Api-Key"))
	require.Equal(t, "Basic dXNlcjpzM2NyZXQ=", r.header.Get("Authorization"))
	require.Equal(t, "application/x-www-form-urlencoded", r.header.Get("Content-Type"))
	require.Equal(t,
		"body=%5B012345+is+your+%22code%22+%26+%7B%7Bto%7D%7D+f%C3%BCr+Acme%3D1%25%5C.%0A%40acme.example+%23012345%5D"+
			"&from=Acme+%26+Co&recipient=31612345678&to=%2B31612345678", r.body)
}

func TestHTTP_SendsJSON(t *testing.T) {
	p := newProvider(t, says(200, `{"messages":[{"status":0}]}`))
	s := newHTTP(t, sms.HTTPConfig{
		URL:    p.URL,
		Method: "PUT",
		Header: map[string]secret.Text{"Authorization": secret.New("Bearer s3cret"),
			"content-type": secret.New("application/vnd.acme+json")},
		JSON: secret.New(
			`{"to": ["{{digits}}"], "text": "{{text}}", "n": 12345678901234567890, "test": false, "null": null, "nested": {"a<b": "+{{digits}}"}}`),
		SuccessField: "messages.0.status", SuccessPattern: "0",
	})
	require.NoError(t, s.Send(context.Background(), message))
	r := p.got()[0]
	require.Equal(t, "PUT", r.method)
	require.Equal(t, "/", r.uri)
	require.Equal(t, "Bearer s3cret", r.header.Get("Authorization"))
	require.Equal(t, []string{"application/vnd.acme+json"}, r.header.Values("Content-Type"))
	require.Equal(t,
		`{"n":12345678901234567890,"nested":{"a<b":"+31612345678"},"null":null,"test":false,`+
			`"text":"012345 is your \"code\" & {{to}} für Acme=1%\\.\n@acme.example #012345","to":["31612345678"]}`, r.body)
}

// What counts as sent, and what a refusal says.
func TestHTTP_DistinguishesSentFromRefused(t *testing.T) {
	field := func(c *sms.HTTPConfig) { c.SuccessField, c.SuccessPattern = "status", "0|queued" }
	code := func(c *sms.HTTPConfig) { c.CodeField = "error.code" }
	long := strings.Repeat(" ", 64<<10)
	for _, c := range []struct {
		name   string
		change func(*sms.HTTPConfig)
		status int
		body   string
		want   string // of the error; "" for success
	}{
		{"200", nil, 200, "", ""},
		{"299", nil, 299, "", ""},
		{"200 with a huge reply", nil, 200, long + long, ""},
		{"204", nil, 204, "", ""},
		{"status not among those", func(c *sms.HTTPConfig) {
			c.Statuses = []int{201}
		}, 200, "", "refused, status 200"},
		{"status among those", func(c *sms.HTTPConfig) {
			c.Statuses = []int{200, 201}
		}, 201, "", ""},
		{"field", field, 200, `{"status":"queued"}`, ""},
		{"field as a number", field, 200, `{"status":0}`, ""},
		{"field of another value", field, 200, `{"status":"0x"}`, "refused, status 200"},
		{"alternatives are bounded too", field, 200, `{"status":"xqueued"}`, "refused, status 200"},
		{"field missing", field, 200, `{"state":"0"}`, "refused, status 200"},
		{"field an object", field, 200, `{"status":{"status":"0"}}`, "refused, status 200"},
		{"field and 400", field, 400, `{"status":"0"}`, "refused, status 400"},
		{"no JSON", field, 200, `<html>0</html>`, "reply, status 200"},
		{"two documents", field, 200, `{"status":"0"}{"status":"1"}`, "reply, status 200"},
		{"nothing", field, 200, ``, "reply, status 200"},
		{"huge JSON", field, 200, `{"status":"0"}` + long, "reply, status 200"},
		{"deep JSON", field, 200, strings.Repeat("[", 60000), "reply, status 200"},
		{"field alone", func(c *sms.HTTPConfig) { c.SuccessField = "id" }, 200, `{"id":"x"}`, ""},
		{"field alone missing", func(c *sms.HTTPConfig) {
			c.SuccessField = "id"
		}, 200, `{}`, "refused, status 200"},
		{"pattern alone", func(c *sms.HTTPConfig) {
			c.SuccessPattern = "OK.*"
		}, 200, "OK 1\nid 2", ""},
		{"pattern alone, no match", func(c *sms.HTTPConfig) {
			c.SuccessPattern = "OK"
		}, 200, "NOK", "refused, status 200"},
		{"pattern for anything, huge reply", func(c *sms.HTTPConfig) {
			c.SuccessPattern = ".*"
		}, 200, long + long, "reply, status 200"},
		{"300", nil, 300, "", "reply, status 300"},
		{"400", nil, 400, "", "refused, status 400"},
		{"401", nil, 401, "hunter2", "credentials, status 401"},
		{"403", nil, 403, "", "credentials, status 403"},
		{"429", nil, 429, "", "rate, status 429, retry after 7s"},
		{"500", nil, 500, "", "unavailable, status 500, retry after 7s"},
		{"503", nil, 503, "", "unavailable, status 503, retry after 7s"},
		{"code", code, 400, `{"error":{"code":17}}`, "refused, status 400, code 17"},
		{"code in words", code, 400, `{"error":{"code":"NO_CREDIT"}}`,
			"refused, status 400, code NO_CREDIT"},
		{"code that quotes the number", code, 400, `{"error":{"code":"31612345678"}}`,
			"refused, status 400"},
		{"code that quotes a part of it", code, 400, `{"error":{"code":"12345"}}`,
			"refused, status 400"},
		{"code that quotes the code", code, 400, `{"error":{"code":"012345"}}`,
			"refused, status 400"},
		{"code that is some other's code", code, 400, `{"error":{"code":"x987654"}}`,
			"refused, status 400"},
		{"code that is a sentence", code, 400, `{"error":{"code":"no such user"}}`,
			"refused, status 400"},
		{"code too long", code, 400, `{"error":{"code":"` + strings.Repeat("x", 33) + `"}}`,
			"refused, status 400"},
	} {
		p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
			if c.status >= 429 {
				w.Header().Set("Retry-After", "7")
			}
			says(c.status, c.body)(w, r)
		})
		cfg := form(p.URL)
		if c.change != nil {
			c.change(&cfg)
		}
		err := newHTTP(t, cfg).Send(context.Background(), message)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err == nil || said(err) != "sms: message not sent: "+c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
			continue
		}
		if e := sendError(t, err); e.Code != c.status || e.Temporary != (c.status >= 429) {
			t.Errorf("%s: status %d, temporary %v", c.name, e.Code, e.Temporary)
		}
		if n := len(p.got()); n != 1 {
			t.Errorf("%s: %d requests", c.name, n)
		}
	}
}

// One sender serves many at once.
func TestHTTP_SendsInParallel(t *testing.T) {
	p := newProvider(t, says(200, ""))
	cfg := sms.HTTPConfig{URL: p.URL, JSON: secret.New(`{"to":"{{to}}","text":"{{text}}"}`)}
	s := newHTTP(t, cfg)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if err := s.Send(context.Background(), sms.Message{To: fmt.Sprintf("+316123456%02d", i),
				Text: "x"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	seen := make(map[string]bool)
	for _, r := range p.got() {
		seen[r.body] = true
	}
	require.Len(t, seen, 16)
}

// No reply of a provider makes a sender panic, show something, or take for
// sent what is not.
func FuzzHTTPReply(f *testing.F) {
	for _, body := range []string{`{"a":[{"b":"ok"}]}`, `{"a":[]}`, `{"a":{"0":{"b":"ok"}}}`, `[`,
		`{"a":[{"b":"012345"}]}`, "", "null"} {
		f.Add(200, body, "7")
	}
	f.Add(429, "", "Wed, 21 Oct 2026 07:28:00 GMT")
	f.Fuzz(func(t *testing.T, status int, body, retry string) {
		cfg := form("https://sms.example")
		cfg.SuccessField, cfg.SuccessPattern, cfg.CodeField = "a.0.b", "ok", "a.0.b"
		cfg.Client = &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response,
			error) {
			return &http.Response{StatusCode: status, Header: http.Header{"Retry-After": {retry}},
				Body: io.NopCloser(strings.NewReader(body))}, nil
		})}
		err := newHTTP(t, cfg).Send(context.Background(), message)
		if err != nil {
			e := sendError(t, err)
			if e.RetryAfter < 0 || e.RetryAfter > 24*time.Hour {
				t.Errorf("%q gives %s", retry, e.RetryAfter)
			}
		} else if status < 200 || status > 299 || !strings.Contains(body,
			"ok") && !strings.Contains(body, `\u`) {
			t.Errorf("%d %q is taken for success", status, body)
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func BenchmarkSend(b *testing.B) {
	p := newProvider(b, says(201, `{"sid":"SM1","status":"queued"}`))
	s := newHTTP(b, form(p.URL))
	const runs = 300
	start := time.Now()
	for range runs {
		r, err := http.Post(p.URL, "text/plain", strings.NewReader(message.Text))
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	bare := time.Since(start) / runs
	for b.Loop() {
		if err := s.Send(context.Background(), message); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(bare), "x-bare-post")
}

// said returns the text of err without whom it concerns, which the fields have.
func said(err error) string {
	return strings.NewReplacer(" (temporary)", "", " (rejected)", "").Replace(err.Error())
}
