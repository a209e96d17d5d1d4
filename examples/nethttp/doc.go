// Command nethttp is the full demonstration of secondgate: the web application of an
// organisation, Acme, on net/http and an embedded SQLite database.
//
//	go run ./examples/nethttp
//
// People sign in with a password and then with a second factor; one address has two
// accounts, chosen after the password. Everyone manages their own factors; the owner sets
// the policy for each user type, resets and unlocks people and sends confirmations again.
// In demonstration mode, which is the default, people are seeded, mail and text messages
// are shown on a page, and the clock can be moved forward to see codes expire and locks end.
//
// Read main.go for how the pieces are put together, gate.go for what secondgate needs of
// an application, and login.go for a sign-in. Everything else is what any web application
// has. With -demo=false it is one without demonstration routes: give it -smtp, and the
// first owner in ACME_OWNER_EMAIL and ACME_OWNER_PASSWORD.
package main
