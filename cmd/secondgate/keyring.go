package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/seal/envelope"
)

// keyring reads the keys, and makes none: a new key could not read the records.
func (c *call) keyring(ctx context.Context) (*seal.Keyring, error) {
	if c.keyFile == "" {
		return secondgate.KeyFromEnv(keysVariable)()
	}
	if _, err := os.Stat(c.keyFile); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no key file %s; the command init makes one", c.keyFile)
	}
	if err := checkReadable(c.keyFile); err != nil {
		return nil, err
	}
	if c.vault.Vault != nil {
		return envelope.Open(ctx, c.keyFile, c.vault)
	}
	return secondgate.KeyFile(c.keyFile)()
}

// keysVariable has the keys where no file is named.
const keysVariable = "SECONDGATE_KEYS"

// openVault opens the vault, if there is one.
func (c *call) openVault() (closeVault func() error, err error) {
	if c.vaultURL == "" {
		return func() error { return nil }, nil
	}
	if c.keyFile == "" {
		return nil, fmt.Errorf("-vault needs -keys, the file of the keys that it encrypts; %w",
			errUsage)
	}
	c.vault, err = openVault(c.vaultURL)
	return c.vault.close, err
}

// makeKeys makes the key file with one key, unless it is there.
func (c *call) makeKeys(ctx context.Context) error {
	if err := checkReadable(c.keyFile); err != nil {
		return err
	}
	if c.vaultURL == "" {
		_, err := secondgate.KeyFile(c.keyFile)()
		return err
	}
	closeVault, err := c.openVault()
	if err != nil {
		return err
	}
	if _, err := os.Stat(c.keyFile); errors.Is(err, fs.ErrNotExist) {
		key, err := c.newKey(ctx)
		if err == nil {
			err = writeNew(c.keyFile, key.line+"\n")
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return errors.Join(err, closeVault())
		}
	}
	_, err = c.keyring(ctx)
	return errors.Join(err, closeVault())
}

// writtenKey is a key as the key file has it: in base64, encrypted by the vault if there is one.
type writtenKey struct{ line, id string }

// writtenKeys returns the keys of the file or the environment in their order.
func (c *call) writtenKeys(ctx context.Context) (list []writtenKey, err error) {
	text := []byte(os.Getenv(keysVariable))
	if c.keyFile != "" {
		if err = checkReadable(c.keyFile); err != nil {
			return nil, err
		}
		if text, err = os.ReadFile(c.keyFile); err != nil {
			return nil, err
		}
	}
	for _, line := range strings.Fields(strings.ReplaceAll(string(text), ",", " ")) {
		key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(line, "="))
		if err != nil {
			return nil, errors.New("the keys changed while they were read")
		}
		if c.vault.Vault != nil {
			if key, err = c.vault.Decrypt(ctx, key); err != nil {
				return nil, errors.Join(envelope.ErrVault, err)
			}
		}
		id, err := keyID(key)
		if err != nil {
			return nil, err
		}
		list = append(list, writtenKey{line, id})
	}
	return list, nil
}

// newKey makes a key.
func (c *call) newKey(ctx context.Context) (writtenKey, error) {
	key := seal.GenerateKey()
	id, err := keyID(key)
	if err != nil {
		return writtenKey{}, err
	}
	if c.vault.Vault != nil {
		if key, err = c.vault.Encrypt(ctx, key); err != nil {
			return writtenKey{}, errors.Join(envelope.ErrVault, err)
		}
	}
	return writtenKey{base64.StdEncoding.EncodeToString(key), id}, nil
}

// keyID returns the ID that records under a key have.
func keyID(key []byte) (string, error) {
	ring, err := seal.NewKeyring(key)
	if err != nil {
		return "", err
	}
	return keyIDOf(ring.Seal("key-id", "", nil)), nil
}

// keyIDOf returns the ID of the key that sealed a record, as the format of package seal has it.
func keyIDOf(sealed []byte) string {
	const version, idLen = 1, 8
	if len(sealed) < seal.Overhead || sealed[0] != version {
		return "not sealed"
	}
	return hex.EncodeToString(sealed[1 : 1+idLen])
}
