package envelope_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/seal/envelope"
	"github.com/secondgate/secondgate/secret"
)

// service stands for the key service of a cloud: its client has such a call for each method.
type service struct{ *seal.Keyring }

func (s service) Encrypt(_ context.Context, key []byte) ([]byte, error) {
	return s.Seal("key", "acme", key), nil
}

func (s service) Decrypt(_ context.Context, encrypted []byte) ([]byte, error) {
	return s.Keyring.Open("key", "acme", encrypted)
}

func Example_writeYourOwnVault() {
	root, err := seal.NewKeyring(seal.GenerateKey())
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "envelope")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()

	ctx, path, vault := context.Background(), filepath.Join(dir, "keys"), service{root}
	if err := envelope.AddKey(ctx, path, vault); err != nil {
		log.Fatal(err)
	}
	ring, err := envelope.Open(ctx, path, vault)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ring)
	// Output:
	// seal.Keyring(1 keys)
}

// token returns an access token of the process's account.
func token(context.Context) (secret.Text, error) { return secret.New("ya29.token"), nil }

func ExampleGoogleKMS() {
	vault, err := envelope.GoogleKMS(envelope.CloudKey{
		Name:    "projects/acme/locations/europe-west3/keyRings/mfa/cryptoKeys/secondgate",
		Context: map[string]string{"app": "shop", "tenant": "acme"},
	}, token)
	if err != nil {
		log.Fatal(err)
	}
	keys := func() (*seal.Keyring, error) { // for Keys in a secondgate.Config
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		return envelope.Open(ctx, "/etc/acme/secondgate.keys", vault)
	}
	_ = keys
}
