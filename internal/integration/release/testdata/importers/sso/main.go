package main

import (
	"context"
	"fmt"
	"log"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sso"
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
	store := memory.New()
	manager, err := mfa.New(mfa.Config{
		Store: store, Keys: keys, Factors: []factor.Factor{app},
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = sso.New(sso.Config{
		Store:     store,
		Keys:      keys,
		URL:       "https://app.example/sso/",
		Providers: []sso.Provider{sso.Google("client", secret.New("secret"))},
		CheckGrant: func(ctx context.Context, u mfa.User, g mfa.Grant, sessionID string) error {
			return manager.Session(u, sessionID).Check(ctx, g)
		},
		CheckActor: func(ctx context.Context, a mfa.Actor, about mfa.User) error {
			return manager.Admin(a, "").Check(ctx, about)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("ok")
}
