package pkcs11_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/pkcs11"
	"github.com/secondgate/secondgate/seal/envelope"
	"github.com/secondgate/secondgate/secret"
)

const library = "/usr/lib/softhsm/libsofthsm2.so"

// token makes a token in SoftHSM with two keys: one that stays in it, and one that does not.
func token(t *testing.T) pkcs11.Config {
	for _, program := range []string{"softhsm2-util", "pkcs11-tool"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("SECONDGATE_REQUIRE_TOOLS") != "" {
				t.Fatalf("%s is not installed; see scripts/tools.sh", program)
			}
			t.Skipf("%s is not installed", program)
		}
	}
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "tokens"), 0o700))
	config := filepath.Join(dir, "softhsm2.conf")
	require.NoError(t, os.WriteFile(config,
		[]byte("directories.tokendir = "+filepath.Join(dir, "tokens")+"\n"), 0o600))
	t.Setenv("SOFTHSM2_CONF", config)
	run := func(args ...string) {
		out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	run("softhsm2-util", "--init-token", "--free", "--label", "acme", "--pin", "1234",
		"--so-pin", "5678")
	make := []string{"pkcs11-tool", "--module", library, "--token-label", "acme", "--login",
		"--pin", "1234", "--keygen", "--key-type", "AES:32", "--id"}
	run(append(make, "01", "--label", "secondgate", "--sensitive")...)
	run(append(make, "02", "--label", "loose", "--extractable")...)
	return pkcs11.Config{Library: library, Token: "acme", Key: "secondgate",
		PIN: secret.New("1234")}
}

func TestModule_KeepsTheKeysOfAKeyring(t *testing.T) {
	cfg := token(t)
	m, err := pkcs11.Open(cfg)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, envelope.AddKey(t.Context(), path, m))
	old, err := envelope.Open(t.Context(), path, m)
	require.NoError(t, err)
	sealed := old.Seal("record", "ann", []byte("tulip"))
	require.NoError(t, envelope.AddKey(t.Context(), path, m))
	require.NoError(t, m.Close())

	m, err = pkcs11.Open(cfg) // the next process
	require.NoError(t, err)
	both, err := envelope.Open(t.Context(), path, m)
	require.NoError(t, err)
	plain, err := both.Open("record", "ann", sealed)
	require.NoError(t, err)
	require.Equal(t, "tulip", string(plain))
	require.True(t, both.Primary(sealed), "the first line seals")

	encrypted, err := m.Encrypt(t.Context(), []byte("key"))
	require.NoError(t, err)
	for i := range encrypted {
		bad := append([]byte(nil), encrypted...)
		bad[i] ^= 1
		_, err = m.Decrypt(t.Context(), bad)
		require.Error(t, err, i)
	}
	_, err = m.Decrypt(t.Context(), encrypted[:12])
	require.Error(t, err)
	require.NoError(t, m.Close())
	plain, err = both.Open("record", "ann", sealed)
	require.NoError(t, err, "a keyring works on without the module")
	require.Equal(t, "tulip", string(plain))
}

func TestOpen_RefusesWhatIsNotThere(t *testing.T) {
	good := token(t)
	for name, change := range map[string]func(*pkcs11.Config){
		"library":                  func(c *pkcs11.Config) { c.Library = "/nonexistent.so" },
		"token":                    func(c *pkcs11.Config) { c.Token = "other" },
		"key":                      func(c *pkcs11.Config) { c.Key = "other" },
		"PIN":                      func(c *pkcs11.Config) { c.PIN = secret.New("0000") },
		"key that can be read out": func(c *pkcs11.Config) { c.Key = "loose" },
	} {
		cfg := good
		change(&cfg)
		_, err := pkcs11.Open(cfg)
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "0000")
	}
	m, err := pkcs11.Open(good)
	require.NoError(t, err, "a refusal leaves the library as it was")
	require.NoError(t, m.Close())
}

// A Module that was closed, or never opened, encrypts and decrypts nothing. The library would end
// the process.
func TestModule_ReturnsErrorsAfterClose(t *testing.T) {
	m, err := pkcs11.Open(token(t))
	require.NoError(t, err)
	encrypted, err := m.Encrypt(t.Context(), []byte("key"))
	require.NoError(t, err)
	require.NoError(t, m.Close())
	for _, m := range []*pkcs11.Module{m, {}} {
		_, err = m.Encrypt(t.Context(), []byte("key"))
		require.ErrorContains(t, err, "closed")
		_, err = m.Decrypt(t.Context(), encrypted)
		require.ErrorContains(t, err, "closed")
		require.NoError(t, m.Close(), "a second Close, such as a deferred one, is no failure")
	}
}
