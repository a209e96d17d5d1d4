package main

import (
	"fmt"
	"log"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/sso"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

func main() {
	keys, err := seal.NewKeyring(seal.GenerateKey())
	if err != nil {
		log.Fatal(err)
	}
	factor, err := totp.New(totp.Config{Issuer: "Acme"})
	if err != nil {
		log.Fatal(err)
	}
	store := memory.New()
	manager, err := mfa.New(mfa.Config{
		Store: store, Keys: keys, Factors: []mfa.Factor{factor},
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = sso.New(sso.Config{
		Store:      store,
		Keys:       keys,
		URL:        "https://app.example/sso/",
		Providers:  []sso.Provider{sso.Google("client", mfa.NewSecret("secret"))},
		CheckGrant: manager.CheckGrant,
		CheckActor: manager.CheckActor,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("ok")
}
