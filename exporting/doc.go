// Package exporting moves users away: it writes the factors of all users of an installation, for
// another one, with another store and other keys, or for another system. Package importing reads
// what it writes.
//
//	admin := m.Admin(mfa.System("move"), "to the new database, ticket 4711")
//	done, err := exporting.Write(ctx, admin, file, exporting.Options{})
//
// The file has the secrets of every user in full, and an attacker who reads it can sign in as each
// of them. It is worth as much as the database and the keys together. Write it through something
// that encrypts, such as age.Encrypt of filippo.io/age, and delete it when it was imported. The
// command "secondgate move-out" does both.
//
// # Format
//
// The file has one JSON object on a line. The first line says what follows:
//
//	{"format":"secondgate export 1","exported":"2026-12-01T09:00:00Z"}
//
// Then there is one line for each user, as importing.JSONLines documents it, and the last line says
// that nothing was cut off:
//
//	{"end":"secondgate export 1","users":2}
//
// docs/importing.md describes each field.
package exporting
