package main

import (
	"fmt"
	"log"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/otelmfa"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

func main() {
	keys, err := seal.NewKeyring(seal.GenerateKey())
	if err != nil {
		log.Fatal(err)
	}
	app, err := totp.New(totp.Config{Issuer: "Acme"})
	if err != nil {
		log.Fatal(err)
	}
	telemetry, err := otelmfa.New(otelmfa.Config{})
	if err != nil {
		log.Fatal(err)
	}
	_, err = mfa.New(mfa.Config{Store: telemetry.Store(memory.New()), Keys: keys,
		Factors: []factor.Factor{app}, Events: telemetry.Events(nil),
		Calls: telemetry.Calls})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("ok")
}
