package secondgate_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/seal"
)

func failing(err error) secondgate.Keys {
	return func() (*seal.Keyring, error) { return nil, err }
}

// sealed is text that a keyring sealed, and opens whether another one opens it.
const purpose = seal.Purpose("test")

func opens(t *testing.T, keys *seal.Keyring, sealed []byte) bool {
	t.Helper()
	_, err := keys.Open(purpose, "", sealed)
	return err == nil
}

// Processes that start at once on a new machine have one key, in a file that others cannot read.
func TestKeyFile_IsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	rings := make([]*seal.Keyring, 16)
	var all sync.WaitGroup
	for i := range rings {
		all.Go(func() {
			keys, err := secondgate.KeyFile(path)()
			if err != nil {
				t.Error(err)
			}
			rings[i] = keys
		})
	}
	all.Wait()
	sealed := rings[0].Seal(purpose, "", []byte("x"))
	for _, keys := range rings {
		require.True(t, opens(t, keys, sealed))
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	if runtime.GOOS != "windows" {
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing else is left in the directory")
}

// A key put before another one seals, and the other one opens what it sealed.
func TestKeyFile_Rotates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	old, err := secondgate.KeyFile(path)()
	require.NoError(t, err)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	fresh := base64.StdEncoding.EncodeToString(seal.GenerateKey()) + "\n"
	require.NoError(t, os.WriteFile(path, append([]byte(fresh), text...), 0o600))
	both, err := secondgate.KeyFile(path)()
	require.NoError(t, err)
	require.True(t, opens(t, both, old.Seal(purpose, "", []byte("x"))))
	require.False(t, opens(t, old, both.Seal(purpose, "", []byte("x"))))
}

// An unusable file or variable is refused with a reason, which quotes nothing of it.
func TestKeys_Refused(t *testing.T) {
	key := base64.StdEncoding.EncodeToString(seal.GenerateKey())
	for name, c := range map[string]struct{ text, says string }{
		"empty":     {"", "no key"},
		"blank":     {" \n\n", "no key"},
		"short":     {key[:20], "key 1"},
		"second":    {key + "\nhunter2", "key 2"},
		"twice":     {key + "\n" + key, "twice"},
		"all zero":  {base64.StdEncoding.EncodeToString(make([]byte, 32)), "zero"},
		"no base64": {strings.Repeat("!", 43), "key 1"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key")
			require.NoError(t, os.WriteFile(path, []byte(c.text), 0o600))
			_, err := secondgate.KeyFile(path)()
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "hunter2")
			require.NotContains(t, err.Error(), key[:20])
			if strings.TrimSpace(c.text) == "" {
				c.says = "is not set"
			}
			t.Setenv("SECONDGATE_TEST_KEYS", c.text)
			_, err = secondgate.KeyFromEnv("SECONDGATE_TEST_KEYS")()
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
	_, err := secondgate.KeyFile(filepath.Join(t.TempDir(), "no", "such", "directory"))()
	require.ErrorContains(t, err, "cannot make the key file")
}

func TestKeyFile_RefusesAFileThatOthersRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no modes of files")
	}
	path := filepath.Join(t.TempDir(), "key")
	_, err := secondgate.KeyFile(path)()
	require.NoError(t, err)
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620} {
		require.NoError(t, os.Chmod(path, mode))
		_, err = secondgate.KeyFile(path)()
		require.ErrorContains(t, err, "chmod 600")
	}
}

func TestKeyFromEnv_TakesSeveralKeys(t *testing.T) {
	one, other := seal.GenerateKey(), seal.GenerateKey()
	t.Setenv("SECONDGATE_TEST_KEYS", base64.StdEncoding.EncodeToString(one)+","+
		base64.RawStdEncoding.EncodeToString(other))
	keys, err := secondgate.KeyFromEnv("SECONDGATE_TEST_KEYS")()
	require.NoError(t, err)
	older, err := seal.NewKeyring(other)
	require.NoError(t, err)
	require.True(t, opens(t, keys, older.Seal(purpose, "", []byte("x"))))
	require.False(t, opens(t, older, keys.Seal(purpose, "", []byte("x"))))
}
