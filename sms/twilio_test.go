package sms_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
)

const (
	accountSID = "AC00112233445566778899aabbccddeeff"
	keySID     = "SK00112233445566778899aabbccddeeff"
	serviceSID = "MG00112233445566778899aabbccddeeff"
)

func twilioConfig(url string) sms.TwilioConfig {
	return sms.TwilioConfig{AccountSID: accountSID, Secret: secret.New("hunter2"),
		From: "+15005550006", BaseURL: url}
}

func newTwilio(t testing.TB, cfg sms.TwilioConfig) *sms.Twilio {
	t.Helper()
	s, err := sms.NewTwilio(cfg)
	require.NoError(t, err)
	return s
}

const accepted = `{"sid": "SM00112233445566778899aabbccddeeff", "status": "queued", "error_code": null, "error_message": null}`

func TestTwilio_SendsTheMessage(t *testing.T) {
	const body = "Body=012345+is+your+%22code%22+%26+%7B%7Bto%7D%7D+f%C3%BCr+Acme%3D1%25%5C.%0A%40acme.example+%23012345"
	for _, c := range []struct {
		name   string
		change func(*sms.TwilioConfig)
		ttl    time.Duration
		auth   string
		body   string
	}{
		{"auth token", nil, 90 * time.Second,
			"Basic QUMwMDExMjIzMzQ0NTU2Njc3ODg5OWFhYmJjY2RkZWVmZjpodW50ZXIy",
			body + "&From=%2B15005550006&To=%2B31612345678&ValidityPeriod=90"},
		{"API key", func(c *sms.TwilioConfig) { c.KeySID = keySID }, 0,
			"Basic U0swMDExMjIzMzQ0NTU2Njc3ODg5OWFhYmJjY2RkZWVmZjpodW50ZXIy",
			body + "&From=%2B15005550006&To=%2B31612345678"},
		{"messaging service", func(c *sms.TwilioConfig) {
			c.From, c.MessagingServiceSID = "", serviceSID
		}, 24 * time.Hour,
			"Basic QUMwMDExMjIzMzQ0NTU2Njc3ODg5OWFhYmJjY2RkZWVmZjpodW50ZXIy",
			body + "&MessagingServiceSid=" + serviceSID +
				"&To=%2B31612345678&ValidityPeriod=36000"},
		{"name", func(c *sms.TwilioConfig) { c.From = "Acme Bank 1" }, 1500 * time.Millisecond,
			"Basic QUMwMDExMjIzMzQ0NTU2Njc3ODg5OWFhYmJjY2RkZWVmZjpodW50ZXIy",
			body + "&From=Acme+Bank+1&To=%2B31612345678&ValidityPeriod=1"},
		{"one second", nil, time.Second,
			"Basic QUMwMDExMjIzMzQ0NTU2Njc3ODg5OWFhYmJjY2RkZWVmZjpodW50ZXIy",
			body + "&From=%2B15005550006&To=%2B31612345678&ValidityPeriod=1"},
	} {
		p := newProvider(t, says(201, accepted))
		cfg := twilioConfig(p.URL)
		if c.change != nil {
			c.change(&cfg)
		}
		m := message
		m.TTL = c.ttl
		require.NoError(t, newTwilio(t, cfg).Send(context.Background(), m), c.name)
		require.Len(t, p.got(), 1, c.name)
		r := p.got()[0]
		require.Equal(t, "POST", r.method)
		require.Equal(t, "/2010-04-01/Accounts/"+accountSID+"/Messages.json", r.uri)
		require.Equal(t, c.auth, r.header.Get("Authorization"), c.name)
		require.Equal(t, "application/x-www-form-urlencoded", r.header.Get("Content-Type"))
		require.Equal(t, "application/json", r.header.Get("Accept"))
		require.Equal(t, c.body, r.body, c.name)
	}
}

func TestTwilio_Replies(t *testing.T) {
	says21211 :=
		`{"code":21211,"message":"The 'To' number +31612345678 is not a valid phone number.","more_info":"https://www.twilio.com/docs/errors/21211","status":400}`
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   string
		temp   bool
	}{
		{"200", 200, accepted, "", false},
		{"number", 400, says21211, "number, status 400, code 21211", false},
		{"opted out", 400, `{"code":21610,"message":"hunter2"}`, "blocked, status 400, code 21610",
			false},
		{"landline", 400, `{"code":21635}`, "number, status 400, code 21635", false},
		{"country", 403, `{"code":21408}`, "refused, status 403, code 21408", false},
		{"unknown code", 400, `{"code":29999}`, "refused, status 400, code 29999", false},
		{"credentials", 401, `{"code":20003,"message":"Authenticate"}`,
			"credentials, status 401, code 20003", false},
		{"credentials by their code", 400, `{"code":20003}`,
			"credentials, status 400, code 20003", false},
		{"suspended", 403, `{"code":20005}`, "credentials, status 403, code 20005", false},
		{"rate", 429, `{"code":20429}`, "rate, status 429, code 20429, retry after 3s", true},
		{"rate without a body", 429, ``, "rate, status 429, retry after 3s", true},
		{"rate by its code", 400, `{"code":14107}`, "rate, status 400, code 14107", true},
		{"down", 500, `<html>`, "unavailable, status 500, retry after 3s", true},
		{"away", 503, `{"code":20503}`, "unavailable, status 503, code 20503, retry after 3s",
			true},
		{"not Twilio", 200, `<html>please sign in to this network</html>`, "reply, status 200",
			false},
		{"nothing", 201, ``, "reply, status 201", false},
		{"no sid", 201, `{"status":"queued"}`, "reply, status 201", false},
		{"list", 201, `[]`, "reply, status 201", false},
		{"huge", 201, accepted + strings.Repeat(" ", 64<<10), "reply, status 201", false},
		{"other success", 202, accepted, "reply, status 202", false},
		{"failed at once", 201, `{"sid":"SM1","status":"failed","error_code":30008}`,
			"refused, status 201, code 30008", false},
		{"failed for the number", 201, `{"sid":"SM1","status":"undelivered","error_code":21614}`,
			"number, status 201, code 21614", false},
		{"code that is a number", 400, `{"code":31612345678}`, "refused, status 400", false},
		{"moved", 302, ``, "reply, status 302", false},
	} {
		p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
			if c.status >= 429 {
				w.Header().Set("Retry-After", "3")
			}
			if c.status == 302 {
				w.Header().Set("Location", "/elsewhere")
			}
			says(c.status, c.body)(w, r)
		})
		err := newTwilio(t, twilioConfig(p.URL)).Send(context.Background(), message)
		if c.want == "" {
			require.NoError(t, err, c.name)
			continue
		}
		if err == nil || said(err) != "sms: message not sent: "+c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
			continue
		}
		e := sendError(t, err)
		if e.Temporary != c.temp || e.Code != c.status {
			t.Errorf("%s: temporary %v, status %d", c.name, e.Temporary, e.Code)
		}
		aboutTheNumber := e.Reason == "number" || e.Reason == "blocked"
		require.Equal(t, aboutTheNumber, e.Rejected, "%s: rejected", c.name)
		require.Len(t, p.got(), 1, c.name)
	}
}

func TestTwilio_HonoursTheTimeout(t *testing.T) {
	p := newProvider(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	cfg := twilioConfig(p.URL)
	cfg.Timeout = 30 * time.Millisecond
	err := newTwilio(t, cfg).Send(context.Background(), message)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.True(t, sendError(t, err).Temporary)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, newTwilio(t, cfg).Send(ctx, message), context.Canceled)
}

func TestNewTwilio_RefusesUnsafeConfigs(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*sms.TwilioConfig)
		want   string
	}{
		{"no account", func(c *sms.TwilioConfig) { c.AccountSID = "" }, "AccountSID is not one"},
		{"key as account", func(c *sms.TwilioConfig) {
			c.AccountSID = keySID
		}, "AccountSID is not one"},
		{"path in account", func(c *sms.TwilioConfig) {
			c.AccountSID = "AC/../x"
		}, "AccountSID is not one"},
		{"account as key", func(c *sms.TwilioConfig) {
			c.KeySID = accountSID
		}, "KeySID is not one"},
		{"no secret", func(c *sms.TwilioConfig) { c.Secret = secret.Text{} }, "Secret is empty"},
		{"no sender", func(c *sms.TwilioConfig) { c.From = "" }, "exactly one of From"},
		{"two senders", func(c *sms.TwilioConfig) {
			c.MessagingServiceSID = serviceSID
		}, "exactly one of From"},
		{"service", func(c *sms.TwilioConfig) {
			c.From, c.MessagingServiceSID = "", "MG1"
		}, "MessagingServiceSID is not one"},
		{"long name", func(c *sms.TwilioConfig) { c.From = "Acme Bank 12" }, "From is neither"},
		{"digits", func(c *sms.TwilioConfig) { c.From = "15005550006" }, "From is neither"},
		{"name of spaces", func(c *sms.TwilioConfig) { c.From = "  " }, "From is neither"},
		{"clear text", func(c *sms.TwilioConfig) {
			c.BaseURL = "http://api.twilio.com"
		}, "BaseURL: the URL is not https"},
		{"credentials", func(c *sms.TwilioConfig) {
			c.BaseURL = "https://hunter2@api.twilio.com"
		}, "holds credentials"},
		{"timeout", func(c *sms.TwilioConfig) { c.Timeout = 2 * time.Minute }, "Timeout is"},
	} {
		cfg := twilioConfig("")
		c.change(&cfg)
		s, err := sms.NewTwilio(cfg)
		if err == nil || s != nil || !strings.HasPrefix(err.Error(), "sms: TwilioConfig: ") ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
			continue
		}
		requireQuiet(t, err)
	}
	for _, from := range []string{"+15005550006", "12345", "Acme", "7 eleven"} {
		cfg := twilioConfig("")
		cfg.From = from
		newTwilio(t, cfg)
	}
}
