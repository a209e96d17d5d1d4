// Command nethttp is the full demonstration of secondgate: the web application of an
// organisation, Acme, on net/http and an embedded SQLite database.
//
//	go run ./examples/nethttp
//
// People sign in with a password and then with a second factor; one address has two
// accounts, chosen after the password. Everyone manages their own factors; the owner sets
// the policy for each user type, resets and unlocks people and sends confirmations again, each
// time with a second factor that was proven minutes ago, and never on their own account.
// A passkey, or an account with Microsoft or Google that was linked in the security settings,
// takes the place of the password; people see and end their sessions.
// In demonstration mode, which is the default, people are seeded, mail and text messages
// are shown on a page, and the clock can be moved forward to see codes expire and locks end.
//
// The records of secondgate can be in PostgreSQL, MySQL or Redis. The drivers are in a build with
// the tag "databases" only, so that the demonstration does not download and compile them:
//
//	go run -tags databases ./examples/nethttp -db postgres://user:password@host:5432/database
//
// Read main.go for how the pieces are put together, gate.go for what secondgate needs of
// an application, and login.go for a sign-in. Everything else is what any web application
// has. With -demo=false it is one without demonstration routes: give it -smtp, and the
// first owner in ACME_OWNER_EMAIL and ACME_OWNER_PASSWORD. Sign-on takes its credentials from
// ACME_MICROSOFT_CLIENT_ID, ACME_MICROSOFT_CLIENT_SECRET, ACME_GOOGLE_CLIENT_ID and
// ACME_GOOGLE_CLIENT_SECRET; register the -url with /sso/microsoft/callback and
// /sso/google/callback. A demonstration without them has stand-ins, which sign anybody in.
package main
