package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"log"
	"time"

	"github.com/secondgate/secondgate/portal"
)

func main() {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	issuer, err := portal.NewIssuer(portal.IssuerConfig{
		URL:     "https://portal.example",
		Keys:    []portal.Key{{Private: key}},
		Clients: []portal.Client{{ID: "mail", ReturnURL: "https://mail.example/callback"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = issuer.Issue("mail", "nonce", portal.Assertion{
		Subject: "ann", AuthTime: time.Now(), AMR: []string{"otp", "mfa"}, Level: 2,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("ok")
}
