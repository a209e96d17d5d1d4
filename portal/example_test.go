package portal_test

import (
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/portal"
)

func Example() {
	// yours is random, and kept outside the database
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	issuer, err := portal.NewIssuer(portal.IssuerConfig{
		URL:     "https://portal.example",
		Keys:    []portal.Key{{Private: key}},
		Clients: []portal.Client{{ID: "mail", ReturnURL: "https://mail.example/callback"}},
	})
	if err != nil {
		panic(err)
	}
	// Issuer.Authorize does this for a user who is signed in to the portal.
	assertion, err := issuer.Issue("mail", "the nonce of the browser's session", portal.Assertion{
		Subject: "ann", AuthTime: time.Now(), AMR: []string{"otp", "mfa"}, Level: 2})
	fmt.Println(len(assertion) > 300, err)
	// Output: true <nil>
}
