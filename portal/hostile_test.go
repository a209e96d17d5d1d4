package portal_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/portal"
)

// A client who hangs up while the portal is asked does not have it asked again, and takes no keys
// away from others.
func TestKeys_FetchesGoOnWithoutTheirClient(t *testing.T) {
	w := newWorld(t)
	token := w.issue("mail", said())
	serve := w.jwks
	ctx, hangUp := context.WithCancel(t.Context())
	w.jwks = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		hangUp()
		serve.ServeHTTP(rw, r)
	})
	for range 5 {
		_, _ = w.v.Verify(ctx, w.change(func(_ map[string]any, h map[jose.HeaderKey]any) {
			h["kid"] = rand.Text()
		}), "nonce", portal.Need{})
	}
	_, err := w.verify(token)
	require.NoError(t, err)
	require.EqualValues(t, 1, w.fetches.Load())
}

// JSON has one character for all bytes that are no UTF-8, so that two users would be one.
func TestIssue_RefusesSubjectsThatJSONMakesEqual(t *testing.T) {
	w := newWorld(t)
	for _, subject := range []string{"ann\xff", "ann\xfe"} {
		a := said()
		a.Subject = subject
		_, err := w.issuer.Issue("mail", "nonce", a)
		require.ErrorIs(t, err, portal.ErrInvalid)
		_, err = w.issuer.Issue("mail", portal.Nonce(subject), said())
		require.ErrorIs(t, err, portal.ErrInvalid)
	}
}
