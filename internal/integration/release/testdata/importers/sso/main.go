package main

import (
	"fmt"
	"log"
	"net/http"

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
	service, err := sso.New(sso.Config{
		Store:     store,
		Keys:      keys,
		URL:       "https://app.example/sso/",
		Providers: []sso.Provider{sso.Google("client", secret.New("secret"))},
	})
	if err != nil {
		log.Fatal(err)
	}
	handler, err := service.Handler(sso.Hooks{
		Session: func(*http.Request) (mfa.Session, mfa.Grant, error) {
			return manager.Session(mfa.User{ID: "42"}, "session"), mfa.Grant{}, nil
		},
		SignedIn: func(http.ResponseWriter, *http.Request, *sso.SignIn) {},
		Linked:   func(http.ResponseWriter, *http.Request, *sso.Link) {},
		Unlinked: func(http.ResponseWriter, *http.Request) {},
		Failed:   func(http.ResponseWriter, *http.Request, error) {},
	})
	if err != nil || handler == nil {
		log.Fatal(err)
	}
	fmt.Println("ok")
}
