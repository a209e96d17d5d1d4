package operating_test

import (
	"encoding/base64"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/examples/operating"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

// start is the application as one process runs it, with the keys of a file as it is now.
func start(t *testing.T, store storage.Store, file, session string) (
	*mfatest.Client, *secondgate.Gate,
) {
	t.Helper()
	gate, err := secondgate.New(secondgate.Config{Store: store, Product: "Acme",
		Keys: secondgate.KeyFile(file), Logger: slog.New(slog.DiscardHandler),
		User: func(*http.Request) (secondgate.User, error) {
			return secondgate.User{ID: "ann", SessionID: session, SignedInAt: time.Now()}, nil
		}})
	require.NoError(t, err)
	return mfatest.NewClient(t, gate.Require(http.NotFoundHandler())), gate
}

// A user signs in before, during and after a rotation, with the same app.
func TestReencrypt_LetsTheOldKeyGo(t *testing.T) {
	store, file, app := memory.New(), t.TempDir()+"/key", new(mfatest.App)
	c, _ := start(t, store, file, "1")
	c.PassSecondFactor(t, app)
	old, err := os.ReadFile(file)
	require.NoError(t, err)

	// The new key comes second at first, so that no process meets what it cannot open.
	added := base64.StdEncoding.EncodeToString(seal.GenerateKey()) + "\n"
	require.NoError(t, os.WriteFile(file, []byte(string(old)+added), 0o600))
	start(t, store, file, "2")
	require.NoError(t, os.WriteFile(file, []byte(added+string(old)), 0o600))
	_, gate := start(t, store, file, "3")

	// Before the walk, the old key is needed.
	require.NoError(t, os.WriteFile(file, []byte(added), 0o600))
	c, without := start(t, store, file, "4")
	require.Equal(t, http.StatusServiceUnavailable, c.Get(t, "/").Status)
	err = operating.Reencrypt(t.Context(), without.Manager, "", func(string) error { return nil })
	require.ErrorContains(t, err, "keep the old ones")

	var cursors []string
	require.NoError(t, operating.Reencrypt(t.Context(), gate.Manager, "",
		func(cursor string) error {
			cursors = append(cursors, cursor)
			return nil
		}))
	require.NotEmpty(t, cursors)
	c, _ = start(t, store, file, "5")
	require.True(t, strings.HasPrefix(c.Get(t, "/").Path, "/mfa/verify"))
	c.PassSecondFactor(t, app)
	require.Equal(t, http.StatusNotFound, c.Get(t, "/").Status, "a page of the application")
}
