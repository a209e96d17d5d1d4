package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"github.com/secondgate/secondgate/seal/envelope"
	"github.com/secondgate/secondgate/secret"
)

// vaultTimeout bounds what a vault is asked for one key.
const vaultTimeout = 30 * time.Second

// vaultURLs are examples of the URL of a vault.
var vaultURLs = []string{
	"https://vault.example:8200/v1/transit/keys/secondgate",
	"pkcs11:token=acme;object=secondgate?module-path=/usr/lib/softhsm/libsofthsm2.so",
	"arn:aws:kms:eu-central-1:111122223333:key/ID?tenant=acme",
	"https://cloudkms.googleapis.com/v1/projects/P/locations/L/keyRings/R/cryptoKeys/K?tenant=acme",
	"https://acme.vault.azure.net/keys/secondgate?tenant=acme",
}

// errVaultURL quotes nothing of the URL, which may have a PIN in it.
var errVaultURL = fmt.Errorf("give the vault as %s; %w", strings.Join(vaultURLs, " or "), errUsage)

// openedVault is a vault with what closes it.
type openedVault struct {
	envelope.Vault
	close func() error
}

// openVault opens the vault at a URL. It is that of a key of a transit engine or of a cloud, as the
// API has it, an ARN, or a URI of RFC 7512.
func openVault(where string) (openedVault, error) {
	u, err := url.Parse(where)
	if err != nil {
		return openedVault{}, errVaultURL
	}
	switch u.Scheme {
	case "http", "https", "arn":
		v, err := overHTTP(u)
		return openedVault{bounded{v}, func() error { return nil }}, err
	case "pkcs11":
		key, err := parseModuleKey(u)
		if err != nil {
			return openedVault{}, err
		}
		return openModule(key)
	}
	return openedVault{}, errVaultURL
}

// overHTTP returns the vault of a URL or of an ARN.
func overHTTP(u *url.URL) (envelope.Vault, error) {
	if v, err := inCloud(u); v != nil || err != nil {
		return v, err
	}
	mount, name := path.Split(strings.TrimSuffix(u.Path, "/"))
	mount, ok := strings.CutSuffix(mount, "/keys/")
	if !ok || name == "" || mount == "" || u.RawQuery != "" || u.User != nil {
		return nil, errVaultURL
	}
	return envelope.Transit{URL: u.Scheme + "://" + u.Host + mount, Key: name,
		Token: vaultToken}, nil
}

// bounded is a vault that is asked for a bounded time.
type bounded struct{ envelope.Vault }

func (b bounded) Encrypt(ctx context.Context, key []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, vaultTimeout)
	defer cancel()
	return b.Vault.Encrypt(ctx, key)
}

func (b bounded) Decrypt(ctx context.Context, encrypted []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, vaultTimeout)
	defer cancel()
	return b.Vault.Decrypt(ctx, encrypted)
}

// vaultToken returns the token for a transit engine. The variable VAULT_TOKEN is that of the
// vaults' own programs.
func vaultToken(context.Context) (secret.Text, error) {
	token := cmp.Or(os.Getenv("SECONDGATE_VAULT_TOKEN"), os.Getenv("VAULT_TOKEN"))
	if token == "" {
		return secret.Text{}, errors.New("neither $SECONDGATE_VAULT_TOKEN nor $VAULT_TOKEN is set")
	}
	return secret.New(strings.TrimSpace(token)), nil
}

// moduleKey says where a key in a hardware security module is.
type moduleKey struct {
	library, token, label string
	pin                   secret.Text
}

// parseModuleKey reads a URI of RFC 7512. It takes no pin-value, which other users of the machine
// would see in the list of processes.
func parseModuleKey(u *url.URL) (k moduleKey, err error) {
	if k.token, k.label, err = labelsIn(u.Opaque); err != nil {
		return k, err
	}
	query, want := u.Query(), 1
	if query.Has("pin-source") {
		want = 2
	}
	if k.library = query.Get("module-path"); k.library == "" || len(query) != want {
		return k, errVaultURL
	}
	k.pin, err = readPIN(query.Get("pin-source"))
	return k, err
}

// labelsIn returns the labels of the token and of the key.
func labelsIn(path string) (token, label string, err error) {
	found := make(map[string]string)
	for attribute := range strings.SplitSeq(path, ";") {
		name, value, _ := strings.Cut(attribute, "=")
		if found[name], err = url.PathUnescape(value); err != nil {
			return "", "", errVaultURL
		}
	}
	token, label = found["token"], found["object"]
	if token == "" || label == "" || len(found) != 2 {
		return "", "", errVaultURL
	}
	return token, label, nil
}

// readPIN reads a PIN from a file, or from the environment if none is named.
func readPIN(source string) (secret.Text, error) {
	pin := os.Getenv("SECONDGATE_VAULT_PIN")
	if source != "" {
		text, err := readSecret(strings.TrimPrefix(source, "file:"))
		if err != nil {
			return secret.Text{}, fmt.Errorf("the PIN of the vault: %w", err)
		}
		pin = string(text)
	}
	if pin = strings.TrimSpace(pin); pin == "" {
		return secret.Text{}, fmt.Errorf("$SECONDGATE_VAULT_PIN has no PIN, and the URL of the "+
			"vault has no pin-source=file:PATH; %w", errUsage)
	}
	return secret.New(pin), nil
}
