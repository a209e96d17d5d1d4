package envelope_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/seal/envelope"
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
