package cli_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/examples/cli"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/storage/memory"
)

// application has one user, with a mailbox or without any factor.
func application(t *testing.T, outbox *mfatest.Outbox[email.Message]) *httptest.Server {
	t.Helper()
	cfg := secondgate.Config{Store: memory.New(), Product: "Acme",
		Keys:   secondgate.KeyFile(t.TempDir() + "/key"),
		Logger: slog.New(slog.DiscardHandler),
		User: func(r *http.Request) (secondgate.User, error) {
			c, err := r.Cookie("session")
			if err != nil {
				return secondgate.User{}, nil
			}
			return secondgate.User{ID: "1", Email: "ann@example.com", EmailVerified: true,
				SessionID: c.Value, SignedInAt: time.Now()}, nil
		}}
	if outbox != nil {
		cfg.Mail = outbox
	}
	gate, err := secondgate.New(cfg)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("/login", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "a session", Path: "/"})
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "welcome")
	})
	s := httptest.NewServer(gate.Require(mux))
	t.Cleanup(s.Close)
	return s
}

// terminal is a user at a terminal who has given the password, and types the responses.
func terminal(t *testing.T, s *httptest.Server, responses ...func() string) (
	c *cli.Client, asked *[]string,
) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	asked = new([]string)
	c = &cli.Client{HTTP: &http.Client{Jar: jar}, API: s.URL + "/mfa/api/",
		Ask: func(question string) (string, error) {
			*asked = append(*asked, question)
			if len(responses) == 0 {
				return "", io.EOF
			}
			next := responses[0]
			responses = responses[1:]
			return next(), nil
		}}
	a, err := c.HTTP.Get(s.URL + "/login")
	require.NoError(t, err)
	require.NoError(t, a.Body.Close())
	return c, asked
}

func TestClientVerify_SignsInByMail(t *testing.T) {
	outbox := &mfatest.Outbox[email.Message]{}
	s := application(t, outbox)
	wrong := func() string { return "no code" }
	c, asked := terminal(t, s, wrong, func() string {
		m, ok := outbox.Last()
		require.True(t, ok)
		return mfatest.Code(t, m.Text)
	})
	a, err := c.HTTP.Get(s.URL + "/")
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, a.StatusCode)
	require.NoError(t, a.Body.Close())

	require.NoError(t, c.Verify(t.Context()))
	require.Equal(t, []string{"Code that was sent to a•••@example.com: ",
		"That was not correct. Again: "}, *asked)
	a, err = c.HTTP.Get(s.URL + "/")
	require.NoError(t, err)
	text, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	require.NoError(t, a.Body.Close())
	require.Equal(t, "welcome", string(text))
	require.NoError(t, c.Verify(t.Context()), "nothing is asked again")
	require.Len(t, *asked, 2)
}

func TestClientVerify_SaysHowLongALockLasts(t *testing.T) {
	s := application(t, &mfatest.Outbox[email.Message]{})
	wrong := func() string { return "000000" }
	c, asked := terminal(t, s, wrong, wrong, wrong, wrong, wrong, wrong)
	require.ErrorContains(t, c.Verify(t.Context()), "locked: try again in 3m0s")
	require.Contains(t, *asked, "That was not correct, 4 attempts remain: ")
}

func TestClientVerify_LeavesEnrolmentToTheBrowser(t *testing.T) {
	c, _ := terminal(t, application(t, nil))
	require.ErrorIs(t, c.Verify(t.Context()), cli.ErrEnroll)
	c, _ = terminal(t, application(t, &mfatest.Outbox[email.Message]{}))
	require.ErrorIs(t, c.Verify(t.Context()), io.EOF)
}
