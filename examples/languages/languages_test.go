package languages_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/examples/languages"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage/memory"
)

func TestPages_AreInTheUsersLanguage(t *testing.T) {
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	outbox := &mfatest.Outbox[email.Message]{}
	locale := "ca-ES"
	h, err := languages.New(memory.New(), keys, outbox,
		func(*http.Request) (mfahttp.Identity, error) {
			return mfahttp.Identity{SessionID: locale, SignedInAt: time.Now(),
				User: mfa.User{ID: "ann", Email: "ann@example.com", EmailVerified: true,
					Locale: locale}}, nil
		})
	require.NoError(t, err)
	c := mfatest.NewClient(t, h.Require(http.NotFoundHandler()))
	page := c.Get(t, "/")
	require.Contains(t, page.Text, `lang="ca"`)
	require.Contains(t, page.Text, "Send code", "what is not translated is English")
	page = c.Post(t, "/mfa/send", url.Values{"kind": {"email"}})
	require.Contains(t, page.Text, "Consulteu el correu")
	require.Contains(t, page.Text, "Hem enviat un codi a")
	m, ok := outbox.Last()
	require.True(t, ok)
	require.Equal(t, "El codi per iniciar la sessió", m.Subject)
	require.Len(t, mfatest.Code(t, m.Text), 6)

	locale = "en-GB"
	c.Get(t, "/")
	page = c.Post(t, "/mfa/send", url.Values{"kind": {"email"}})
	require.Contains(t, page.Text, "Check your e\u2011mail")
	m, _ = outbox.Last()
	require.NotContains(t, m.Subject, "El codi")
}
