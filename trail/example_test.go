package trail_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/trail"
)

func Example() {
	dir, err := os.MkdirTemp("", "trail")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	public, key, err := ed25519.GenerateKey(nil) // once; keep it outside the database
	if err != nil {
		log.Fatal(err)
	}

	file, err := trail.OpenFile(filepath.Join(dir, "trail.jsonl"))
	if err != nil {
		log.Fatal(err)
	}
	var elsewhere []string
	audit, err := trail.New(trail.Config{Log: file, Key: secret.Bytes(key),
		Origin: "acme.example/trail",
		Anchor: func(_ context.Context, checkpoint string) error {
			elsewhere = append(elsewhere, checkpoint)
			return nil
		}})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	events := audit.Events(nil) // for mfa.Config.Events
	events(ctx, mfa.Event{Name: "admin.reset", UserID: "ann", Actor: "carol", Note: "ticket 4711"})
	stop()
	if err := audit.Run(ctx); err != nil { // in a goroutine; it ends with its context
		log.Fatal(err)
	}

	result, err := trail.Verify(file.Read(context.Background(), 1), trail.Verification{
		Key: public, Origin: "acme.example/trail", Anchors: elsewhere})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Entries)
	// Output:
	// 1
}
