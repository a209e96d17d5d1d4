package main

import (
	"fmt"
	"log"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage/memory"
)

func main() {
	keys, err := seal.NewKeyring(seal.GenerateKey())
	if err != nil {
		log.Fatal(err)
	}
	passkeys, err := passkey.New(passkey.Config{
		RPID: "example.com", RPName: "Acme", Origins: []string{"https://example.com"},
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = mfa.New(mfa.Config{
		Store: memory.New(), Keys: keys, Factors: []factor.Factor{passkeys},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("ok")
}
