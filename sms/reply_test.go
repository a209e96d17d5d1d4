package sms_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
)

// body is the body of a reply, which ends with an error, and knows whether it was closed.
type body struct {
	io.Reader
	end    error
	closed bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF { //nolint:errorlint // a strings.Reader returns it as it is
		err = b.end
	}
	return n, err
}

func (b *body) Close() error { b.closed = true; return nil }

// replying sends a message to a provider with this reply.
func replying(t *testing.T, cfg sms.HTTPConfig, status int, b *body) error {
	t.Helper()
	cfg.URL = "https://sms.example"
	cfg.Client = &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Body: b}, nil
	})}
	err := newHTTP(t, cfg).Send(t.Context(), message)
	require.True(t, b.closed, "a body that stays open keeps its connection")
	require.Nil(t, cfg.Client.CheckRedirect, "the application's client stays as it is")
	return err
}

func whole(text string) *body { return &body{Reader: strings.NewReader(text), end: io.EOF} }

// What was not read whole proves nothing.
func TestHTTP_ReplyThatBreaksOffIsNoSuccess(t *testing.T) {
	cfg := form("")
	cfg.SuccessPattern = "(?s:queued.*)"
	long := "queued" + strings.Repeat(".", 64<<10-6)
	require.NoError(t, replying(t, cfg, 200, whole("queued")))
	require.NoError(t, replying(t, cfg, 200, whole(long)))
	for name, b := range map[string]*body{"too long": whole(long + "."),
		"broken off": {Reader: strings.NewReader("queued"), end: errors.New("reset")}} {
		e := sendError(t, replying(t, cfg, 200, b))
		require.Equal(t, "reply", e.Reason, name)
	}
}

func TestHTTP_OnlyStatusesOfSuccessAreOne(t *testing.T) {
	for status, want := range map[int]string{101: "reply", 199: "reply", 300: "reply"} {
		require.Equal(t, want, sendError(t, replying(t, form(""), status, whole(""))).Reason)
	}
	cfg := form("")
	cfg.Statuses = []int{201}
	for status, want := range map[int]string{200: "refused", 299: "refused", 300: "reply"} {
		require.Equal(t, want, sendError(t, replying(t, cfg, status, whole(""))).Reason, status)
	}
}

// A path that leads nowhere finds nothing, though nothing is asked of the value.
func TestHTTP_FindsValuesByTheirPath(t *testing.T) {
	const reply = `{"sent": true, "list": ["a", {"id": 7}], "text": "x", "": "hidden"}`
	for path, want := range map[string]bool{"sent": true, "list.0": true, "list.1.id": true,
		"list.first": false, "list.-1": false, "list.2": false, "text.0": false, "list": false,
		"sent.x": false, "list.1": false, "no": false} {
		cfg := form("")
		cfg.SuccessField = path
		err := replying(t, cfg, 200, whole(reply))
		require.Equal(t, want, err == nil, "%s: %v", path, err)
	}
	cfg := form("")
	cfg.SuccessField, cfg.SuccessPattern = "sent", "true"
	require.NoError(t, replying(t, cfg, 200, whole(reply)))
	require.Empty(t, sendError(t, replying(t, form(""), 400, whole(reply))).ProviderCode)
}

// A provider's code is printed unless it could be a code or number of ours.
func TestHTTP_ReportsCodesThatQuoteNothing(t *testing.T) {
	cfg := form("")
	cfg.CodeField = "code"
	for code, shown := range map[string]bool{
		"E-4_a.z": true, "azAZ09": true, strings.Repeat("e", 32): true, "61": true, "123": true,
		strings.Repeat("e", 33): false, "": false, "E:4": false, "E{4": false, "E[4": false,
		"E`4": false, "E@4": false, "E/4": false,
		"6123": false, "61234": false, "acme.example": false, "987654": false, "98765": true,
	} {
		want := ""
		if shown {
			want = code
		}
		e := sendError(t, replying(t, cfg, 400, whole(`{"code": "`+code+`"}`)))
		require.Equal(t, want, e.ProviderCode, code)
	}
}

func TestHTTP_SaysThatTheBodyIsJSON(t *testing.T) {
	p := newProvider(t, says(200, ""))
	s := newHTTP(t, sms.HTTPConfig{URL: p.URL,
		JSON: secret.New(`{"to": "{{to}}", "text": "{{text}}"}`)})
	require.NoError(t, s.Send(t.Context(), message))
	require.Equal(t, "application/json", p.got()[0].header.Get("Content-Type"))
}
