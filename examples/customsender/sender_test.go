package customsender_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/examples/customsender"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
)

var message = sms.Message{
	To:   "+31612345678",
	Text: "123456 is your code for Acme.\n@acme.example #123456",
	TTL:  90 * time.Second,
}

// gateway starts an SMS gateway and returns a sender for it.
func gateway(t *testing.T, timeout time.Duration, h http.HandlerFunc) *customsender.Sender {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	s, err := customsender.New(customsender.Config{
		URL: server.URL + "/v1/messages", Token: secret.New("the token"), Timeout: timeout,
	})
	require.NoError(t, err)
	return s
}

func TestSenderSend_PostsTheMessage(t *testing.T) {
	var got map[string]any
	s := gateway(t, 0, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer the token" || r.URL.Path != "/v1/messages" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_ = json.NewDecoder(r.Body).Decode(&got)
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write([]byte(`{"id": "m-1"}`))
	})
	require.NoError(t, s.Send(t.Context(), message))
	require.Equal(t, map[string]any{
		"to": message.To, "text": message.Text, "validity_seconds": 90.0}, got)
}

func TestSenderSend_SaysWhatFailed(t *testing.T) {
	for _, test := range []struct {
		name   string
		status int
		body   string
		want   sms.SendError
	}{
		{"accepted without an ID", 202, `{}`, sms.SendError{Reason: "reply"}},
		{"not JSON", 200, `<html>`, sms.SendError{Reason: "reply"}},
		{"redirect", 302, ``, sms.SendError{Reason: "reply"}},
		{"bad number", 400, `{"code": "invalid_number", "text": "+31612345678 is invalid"}`,
			sms.SendError{Reason: "number", Rejected: true, ProviderCode: "invalid_number"}},
		{"opted out", 400, `{"code": "opted_out"}`,
			sms.SendError{Reason: "blocked", Rejected: true, ProviderCode: "opted_out"}},
		{"no credit", 402, `{"code": "no_credit"}`,
			sms.SendError{Reason: "refused", ProviderCode: "no_credit"}},
		{"a code that quotes the number", 400, `{"code": "bad +31612345678"}`,
			sms.SendError{Reason: "refused"}},
		{"bad token", 401, ``, sms.SendError{Reason: "credentials"}},
		{"too many", 429, ``,
			sms.SendError{Reason: "rate", Temporary: true, RetryAfter: 7 * time.Second}},
		{"down", 503, ``, sms.SendError{Reason: "unavailable", Temporary: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var calls atomic.Int32
			s := gateway(t, 0, func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				w.Header().Set("Retry-After", "7")
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			})
			err := s.Send(t.Context(), message)
			got, ok := errors.AsType[*sms.SendError](err)
			require.True(t, ok, "%v", err)
			test.want.Code = test.status
			require.Equal(t, test.want, *got)
			require.EqualValues(t, 1, calls.Load(), "a sender does not retry")
			requireNothingSecret(t, err, s)
		})
	}
}

func TestSenderSend_HonoursTimeoutAndContext(t *testing.T) {
	release := make(chan struct{})
	s := gateway(t, 50*time.Millisecond, func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) })
	err := s.Send(t.Context(), message)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	e, ok := errors.AsType[*sms.SendError](err)
	require.True(t, ok)
	require.True(t, e.Temporary)
	require.Equal(t, "unreachable", e.Reason)
	_, quoted := errors.AsType[*url.Error](err)
	require.False(t, quoted, "the error quotes the URL")
	requireNothingSecret(t, err, s)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.Send(ctx, message), context.Canceled)
}

func requireNothingSecret(t *testing.T, values ...any) {
	t.Helper()
	for _, v := range values {
		text := fmt.Sprintf("%v %+v %#v", v, v, v)
		for _, secret := range []string{"31612345678", "123456", "the token", "127.0.0.1"} {
			require.False(t, strings.Contains(text, secret), text)
		}
	}
}

func TestNew_RefusesWhatIsNotSafe(t *testing.T) {
	for name, cfg := range map[string]customsender.Config{
		"no URL":     {Token: secret.New("t")},
		"no host":    {URL: "https://", Token: secret.New("t")},
		"plain HTTP": {URL: "http://sms.example/v1", Token: secret.New("t")},
		"no token":   {URL: "https://sms.example/v1"},
		"timeout":    {URL: "https://sms.example/v1", Token: secret.New("t"), Timeout: -1},
	} {
		_, err := customsender.New(cfg)
		require.Error(t, err, name)
	}
	_, err := customsender.New(customsender.Config{URL: "https://sms.example/v1",
		Token: secret.New("t")})
	require.NoError(t, err)
}
