// Command nethttp is the full demonstration of secondgate: the web application of an
// organisation, Acme, on net/http and an embedded SQLite database.
//
//	go run ./examples/nethttp
//
// Users sign in with a password and then with a second factor. One address has two accounts, and
// its user chooses one after the password. A passkey, or a Microsoft or Google account that the
// user has linked in the security settings, replaces the password. Users manage their own
// factors, change their address and password, and see and end their sessions.
//
// The owner sets the policy for each user type, resets and unlocks users, and sends verification
// links. Each of these acts requires a second factor that the owner verified minutes ago. Owners
// cannot act on their own account as administrators.
//
// In demonstration mode, which is the default, the program seeds users, shows mail and text
// messages on a page, and lets visitors move the clock forward to see codes expire and locks end.
// The home page has a tour of what there is to try. Its part about a portal needs examples/portal
// in another terminal.
//
// The records of secondgate can be in PostgreSQL, MySQL or Redis. Only a build with the tag
// "databases" has the drivers, so that the demonstration does not download and compile them:
//
//	go run -tags databases ./examples/nethttp -db postgres://user:password@host:5432/database
//
// Begin with assemble in app.go, which puts the parts together. gate.go has what secondgate needs
// from an application, and login.go has the sign-in. Any web application has the rest.
//
// With -demo=false the program has no demonstration routes. It then needs -smtp, and the first
// owner in ACME_OWNER_EMAIL and ACME_OWNER_PASSWORD. Sign-on reads its credentials from
// ACME_MICROSOFT_CLIENT_ID, ACME_MICROSOFT_CLIENT_SECRET, ACME_GOOGLE_CLIENT_ID and
// ACME_GOOGLE_CLIENT_SECRET. Register the -url with /sso/microsoft/callback and
// /sso/google/callback. A demonstration without credentials starts providers of its own, which
// sign in any visitor.
package main
