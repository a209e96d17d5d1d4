package sms_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
)

func TestNewHTTP_RefusesUnsafeConfigs(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*sms.HTTPConfig)
		want   string
	}{
		{"no URL", func(c *sms.HTTPConfig) { c.URL = "" }, "the URL is not one"},
		{"no host", func(c *sms.HTTPConfig) { c.URL = "https:///x" }, "the URL is not one"},
		{"port alone", func(c *sms.HTTPConfig) { c.URL = "https://:443/x" }, "the URL is not one"},
		{"opaque", func(c *sms.HTTPConfig) { c.URL = "mailto:hunter2" }, "the URL is not one"},
		{"broken", func(c *sms.HTTPConfig) {
			c.URL = "https://hunter2:%zz@x"
		}, "the URL is not one"},
		{"clear text", func(c *sms.HTTPConfig) { c.URL = "http://sms.example" }, "not https"},
		{"nearly loopback", func(c *sms.HTTPConfig) {
			c.URL = "http://localhost.example"
		}, "not https"},
		{"file", func(c *sms.HTTPConfig) { c.URL = "file://host/x" }, "not https"},
		{"file insecure", func(c *sms.HTTPConfig) {
			c.URL, c.InsecureHTTP = "file://host/x", true
		}, "not https"},
		{"credentials", func(c *sms.HTTPConfig) {
			c.URL = "https://u:hunter2@sms.example"
		}, "holds credentials"},
		{"query", func(c *sms.HTTPConfig) {
			c.URL = "https://sms.example/?key=hunter2"
		}, "put its parameters into Query"},
		{"fragment", func(c *sms.HTTPConfig) { c.URL = "https://sms.example/#x" }, "fragment"},
		{"GET", func(c *sms.HTTPConfig) { c.Method = "GET" }, "neither POST nor PUT"},
		{"no body", func(c *sms.HTTPConfig) { c.Form = nil }, "exactly one of Form and JSON"},
		{"two bodies", func(c *sms.HTTPConfig) {
			c.JSON = secret.New(`"{{to}}{{text}}"`)
		}, "exactly one of Form and JSON"},
		{"no text", func(c *sms.HTTPConfig) {
			c.Form = map[string]secret.Text{"to": secret.New("{{to}}")}
		}, "needs {{text}}"},
		{"no number", func(c *sms.HTTPConfig) {
			c.Form = map[string]secret.Text{"text": secret.New("{{text}}")}
		}, "{{to}} or {{digits}}"},
		{"text as a key", func(c *sms.HTTPConfig) {
			c.Form = map[string]secret.Text{"{{text}}": secret.New("{{to}}")}
		}, "in its values"},
		{"unknown placeholder", func(c *sms.HTTPConfig) {
			c.Form["x"] = secret.New("{{code}}")
		}, "a placeholder that is not"},
		{"no JSON", func(c *sms.HTTPConfig) {
			c.Form, c.JSON = nil, secret.New(`{"to":{{to}},"text":{{text}}}`)
		}, "not a JSON document"},
		{"two JSONs", func(c *sms.HTTPConfig) {
			c.Form, c.JSON = nil, secret.New(`"{{to}}" "{{text}}"`)
		}, "not a JSON document"},
		{"status", func(c *sms.HTTPConfig) { c.Statuses = []int{200, 302} }, "Statuses holds 302"},
		{"status below", func(c *sms.HTTPConfig) { c.Statuses = []int{199} }, "Statuses holds 199"},
		{"status above", func(c *sms.HTTPConfig) { c.Statuses = []int{300} }, "Statuses holds 300"},
		{"empty query", func(c *sms.HTTPConfig) { c.URL += "?" }, "holds a query"},
		{"opaque", func(c *sms.HTTPConfig) { c.URL = "https:sms.example" }, "URL is not one"},
		{"another machine", func(c *sms.HTTPConfig) { c.URL = "http://192.0.2.1/" }, "not https"},
		{"length", func(c *sms.HTTPConfig) {
			c.Header = map[string]secret.Text{"content-length": secret.New("3")}
		}, "leave it out"},
		{"encoding", func(c *sms.HTTPConfig) {
			c.Header = map[string]secret.Text{"Transfer-encoding": secret.New("chunked")}
		}, "leave it out"},
		{"pattern", func(c *sms.HTTPConfig) { c.SuccessPattern = "(" }, "SuccessPattern is not"},
		{"header value", func(c *sms.HTTPConfig) {
			c.Header = map[string]secret.Text{"X": secret.New("hunter2\r\nY: z")}
		}, "look for line breaks"},
		{"header name", func(c *sms.HTTPConfig) {
			c.Header = map[string]secret.Text{"X Y": secret.New("hunter2")}
		}, "look for line breaks"},
		{"host header", func(c *sms.HTTPConfig) {
			c.Header = map[string]secret.Text{"host": secret.New("x")}
		}, "leave it out"},
		{"two auths", func(c *sms.HTTPConfig) {
			c.Username, c.Header = "u", map[string]secret.Text{"authorization": secret.New(
				"Bearer s3cret")}
		}, "give one of them"},
		{"colon", func(c *sms.HTTPConfig) { c.Username = "u:hunter2" }, "holds a colon"},
		{"password alone", func(c *sms.HTTPConfig) {
			c.Password = secret.New("hunter2")
		}, "without a Username"},
		{"timeout", func(c *sms.HTTPConfig) {
			c.Timeout = time.Hour
		}, "Timeout is 1h0m0s, want up to 1m0s"},
		{"negative timeout", func(c *sms.HTTPConfig) { c.Timeout = -1 }, "Timeout is"},
	} {
		cfg := form("https://sms.example/send")
		c.change(&cfg)
		s, err := sms.NewHTTPSender(cfg)
		if err == nil || s != nil || !strings.HasPrefix(err.Error(), "sms: HTTPConfig: ") ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
			continue
		}
		requireQuiet(t, err)
	}
	for _, url := range []string{"http://localhost:1/x", "http://127.0.0.1/x", "http://127.8.8.8",
		"http://[::1]:8080/", "https://sms.example"} {
		if _, err := sms.NewHTTPSender(form(url)); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	cfg := form("https://sms.example/send")
	cfg.Timeout, cfg.Statuses = time.Minute, []int{200, 299}
	newHTTP(t, cfg)
	cfg = form("http://gateway.lan/send")
	cfg.InsecureHTTP = true
	newHTTP(t, cfg)
}

// No way of printing a configuration or a sender shows a secret.
func TestPrinting_ConfigsAndSendersShowNoSecret(t *testing.T) {
	cfg := form("https://sms.example/send")
	cfg.Form["key"] = secret.New("hunter2")
	cfg.Query = map[string]secret.Text{"key": secret.New("s3cret")}
	cfg.Header = map[string]secret.Text{"X": secret.New("Bearer s3cret")}
	cfg.Username, cfg.Password = "u", secret.New("hunter2")
	js := sms.HTTPConfig{URL: "https://sms.example",
		JSON: secret.New(`{"key":"hunter2","to":"{{to}}","text":"{{text}}"}`)}
	twilio := twilioConfig("")
	h, tw := newHTTP(t, cfg), newTwilio(t, twilio)
	for _, v := range []any{cfg, &cfg, js, h, *h, twilio, &twilio, tw, *tw,
		newFactor(t, config(h))} {
		for _, s := range []string{fmt.Sprintf("%v", v), fmt.Sprintf("%+v", v),
			fmt.Sprintf("%#v", v), fmt.Sprintf("%s", v), encoded(v), logged(v)} {
			for _, secret := range []string{"hunter2", "s3cret", "aHVudGVyM", "Bearer"} {
				if strings.Contains(s, secret) {
					t.Errorf("%T shows %q: %s", v, secret, s)
				}
			}
		}
	}
}
