// Package envelope keeps the keys of a keyring in a file, encrypted by a key that never leaves a
// vault: a hardware security module, a transit engine, or the key service of a cloud.
//
//	keys, err := envelope.Open(ctx, "/etc/acme/secondgate.keys", vault)
//
// [AddKey] makes a key, has the vault encrypt it, and appends it to the file. [Open] has the vault
// decrypt all of them once, when a process starts, and the process keeps them in memory: sealing
// is as fast as with a plain key, and processes that run go on while the vault is down. A process
// that starts then gets [ErrVault] and no keyring, so that no user is signed in by it.
//
// The file alone opens nothing, so it may be in a backup. What can still read everything is a
// process that runs, and an attacker who may use the vault.
//
// Package pkcs11 has a vault for hardware security modules, and [Transit] is one for OpenBao and
// HashiCorp Vault. [AWSKMS], [GoogleKMS] and [AzureKeyVault] return one for a key in a cloud.
//
// The requests to a vault end with the context, and are not repeated. [RefusedError] says why a
// vault refused, and whether the same request may succeed later.
package envelope

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/secondgate/secondgate/internal/strictb64"
	"github.com/secondgate/secondgate/seal"
)

// ErrVault is returned if a vault cannot be reached or refuses. Keys that were opened before work
// on.
var ErrVault = errors.New("envelope: the vault did not decrypt or encrypt a key")

// Vault encrypts keys. What it returns for a key must be authentic: Decrypt of altered data is an
// error.
type Vault interface {
	// Encrypt returns a key of seal.KeyLen bytes in encrypted form.
	Encrypt(ctx context.Context, key []byte) ([]byte, error)
	// Decrypt returns the key of what Encrypt returned, also after a rotation in the vault.
	Decrypt(ctx context.Context, encrypted []byte) ([]byte, error)
}

// AddKey appends a new key to a file, which it makes with mode 0600 if it is missing. Restart all
// processes before you move the line to the top: the first key seals.
func AddKey(ctx context.Context, path string, v Vault) error {
	encrypted, err := v.Encrypt(ctx, seal.GenerateKey())
	if err != nil {
		return errors.Join(ErrVault, err)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("envelope: %w", err)
	}
	err = appendLine(file, base64.StdEncoding.EncodeToString(encrypted))
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("envelope: %w", err)
	}
	return nil
}

// appendLine appends a line to a file, also to one whose last line an editor left without an end:
// two keys on one line open nothing. A line that was not written whole is taken back.
func appendLine(file *os.File, line string) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if end := info.Size(); end > 0 {
		last := make([]byte, 1)
		if _, err := file.ReadAt(last, end-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			line = "\n" + line
		}
	}
	if _, err := file.WriteString(line + "\n"); err != nil {
		return errors.Join(err, file.Truncate(info.Size()))
	}
	return file.Sync()
}

// Open returns the keyring of a file. It makes no file and no key. ErrVault means that the vault
// decrypted not all of them; Open then returns no keyring, because one that lacks a key would take
// the records under it for damaged.
func Open(ctx context.Context, path string, v Vault) (*seal.Keyring, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("envelope: %w; AddKey makes a file", err)
	}
	var keys [][]byte
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		encrypted, err := strictb64.DecodeStd(strings.TrimRight(strings.TrimSpace(line), "="))
		if err != nil {
			return nil, fmt.Errorf("envelope: line %d of %s is no key of AddKey", i+1, path)
		}
		key, err := v.Decrypt(ctx, encrypted)
		if err != nil {
			return nil, errors.Join(ErrVault, fmt.Errorf("key %d of %s: %w", i+1, path, err))
		}
		keys = append(keys, key)
	}
	ring, err := seal.NewKeyring(keys[0], keys[1:]...)
	for _, key := range keys {
		clear(key)
	}
	return ring, err
}
