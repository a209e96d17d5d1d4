package secondgate

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/secondgate/secondgate/internal/strictb64"
	"github.com/secondgate/secondgate/seal"
)

// Keys returns the keyring of an installation: [KeyFile], [KeyFromEnv], or a function of the
// application's own, such as one that asks a vault.
type Keys func() (*seal.Keyring, error)

// KeyFile reads the keys from a file, which it makes with a new key and mode 0600 on first use.
// Several processes may do so at once; all of them get the same key. The file has one key on a
// line, in base64; the first one seals, and those after it open what was sealed before a rotation.
//
// Keep the file out of the database's backup and out of version control, and back it up: without
// it no record can be read, and no user with a second factor gets in. A file that other users of
// the machine may read is refused.
func KeyFile(path string) Keys {
	return func() (*seal.Keyring, error) {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			if err := createKeyFile(path); err != nil {
				return nil, fmt.Errorf("secondgate: cannot make the key file: %w", err)
			}
			text, err = os.ReadFile(path)
		}
		if err != nil {
			return nil, fmt.Errorf("secondgate: cannot read the key file: %w", err)
		}
		if err := onlyOwnerReads(path); err != nil {
			return nil, err
		}
		return parseKeys(string(text), "the file "+path)
	}
}

// KeyFromEnv reads the keys from an environment variable: one or several in base64, with commas
// between them; the first one seals. Make a key with
//
//	head -c 32 /dev/urandom | base64
func KeyFromEnv(name string) Keys {
	return func() (*seal.Keyring, error) {
		text := os.Getenv(name)
		if strings.TrimSpace(text) == "" {
			return nil, fmt.Errorf("secondgate: the environment variable %s is not set: "+
				"give it the output of: head -c 32 /dev/urandom | base64", name)
		}
		return parseKeys(text, "the environment variable "+name)
	}
}

// createKeyFile makes a file with a new key, unless another process makes it first. The file
// appears with all its content, because a hard link does.
func createKeyFile(path string) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".secondgate-key-*") // has mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.WriteString(base64.StdEncoding.EncodeToString(seal.GenerateKey()) + "\n")
	if err == nil {
		err = tmp.Sync()
	}
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil // another process was first
}

// onlyOwnerReads refuses a file that its group or others may read, where there are such modes.
func onlyOwnerReads(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("secondgate: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("secondgate: other users may read the key file %s (mode %#o): "+
			"run chmod 600 on it", path, mode)
	}
	return nil
}

// parseKeys returns the keyring of a text. Its errors quote nothing of the text.
func parseKeys(text, from string) (*seal.Keyring, error) {
	var keys [][]byte
	for i, field := range strings.FieldsFunc(text, func(c rune) bool {
		return c == ',' || c == '\n' || c == '\r' || c == ' ' || c == '\t'
	}) {
		key, err := strictb64.DecodeStd(strings.TrimRight(field, "="))
		if err != nil || len(key) != seal.KeyLen {
			return nil, fmt.Errorf("secondgate: key %d of %s is not %d bytes in base64",
				i+1, from, seal.KeyLen)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("secondgate: there is no key in %s", from)
	}
	keyring, err := seal.NewKeyring(keys[0], keys[1:]...)
	if err != nil {
		return nil, fmt.Errorf("secondgate: %s: %w", from, err)
	}
	return keyring, nil
}
