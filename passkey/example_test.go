package passkey_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
)

// The sign-in page asks before it knows who is there. The Prompt.Data of the challenge
// goes to the browser, and what the browser returns to Verify; package mfahttp does both.
func Example() {
	passkeys, err := passkey.New(passkey.Config{
		RPID:    "example.com",
		RPName:  "Acme",
		Origins: []string{"https://www.example.com"},
	})
	if err != nil {
		panic(err)
	}
	keys, err := seal.NewKeyring(seal.GenerateKey())
	if err != nil {
		panic(err)
	}
	m, err := mfa.New(mfa.Config{
		Store: memory.New(), Keys: keys, Factors: []factor.Factor{passkeys},
		Policies: policy.Static(policy.Policy{Passwordless: true}),
	})
	if err != nil {
		panic(err)
	}
	browser := m.Passwordless("the browser's session ID")
	challenge, err := browser.Begin(context.Background(), "passkey")
	if err != nil {
		panic(err)
	}
	var options struct {
		PublicKey struct{ RPID, UserVerification string }
	}
	if err := json.Unmarshal(challenge.Prompt.Data, &options); err != nil {
		panic(err)
	}
	fmt.Println(options.PublicKey.RPID, options.PublicKey.UserVerification)

	response := secret.New("what the browser said")
	_, err = browser.Verify(context.Background(), challenge, response,
		func(_ context.Context, named mfa.User) (mfa.User, error) {
			return named, nil // with what else the application knows of the user
		})
	fmt.Println(err)
	// Output:
	// example.com required
	// mfa: the passkey factor refused the input (passkey_form)
}

// A service on two domains: the passkeys are for the first, and pages on the second use them too.
func ExampleFactor_RelatedOrigins() {
	f, err := passkey.New(passkey.Config{
		RPID:           "example.com",
		RPName:         "Acme",
		Origins:        []string{"https://www.example.com"},
		RelatedOrigins: []string{"https://www.example.de"},
	})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux() // of https://example.com
	mux.Handle("/.well-known/webauthn", f.RelatedOrigins())

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", "/.well-known/webauthn", nil))
	fmt.Println(w.Body)
	// Output: {"origins":["https://www.example.de"]}
}
