// Package password is the first factor for applications that do not want to write their own.
// It hashes passwords, refuses passwords that are easy to guess, and lets users who forgot
// their password choose another.
//
//	hasher, err := password.NewHasher(password.HasherConfig{})
//	hash, err := hasher.Hash(ctx, typed)       // store it with the user
//	err = hasher.Verify(ctx, hash, typed)      // nil, or ErrIncorrect
//
// The application keeps its users. The parts are independent: a [Hasher] and [Rules] need
// nothing else. A [Manager], which resets and changes passwords, reads and writes users
// through [Accounts], an interface of three methods.
//
// # Hashes
//
// Hashes are PHC strings of argon2id, or of PBKDF2 where FIPS 140-3 is required. They hold
// their parameters. When the configuration's parameters change, [Hasher.NeedsRehash] reports
// it at the next sign-in, when the password is at hand. A Hasher computes at most one hash per
// processor at once, because each takes 19 MiB. If a sign-in names no existing user, verify the
// password against the empty hash, which takes as long as any other. Package throttle limits
// failed attempts: the application calls Verify and Change inside its Do.
//
// # A forgotten password
//
//	// Always the same page:
//	err = m.Forgot(ctx, password.ForgotRequest{Address: typed, Client: ip})
//	// GET, which shows the form and changes nothing:
//	account, err := m.CheckLink(ctx, token)
//	// POST:
//	err = m.Reset(ctx, password.ResetRequest{Token: token, Password: typed})
//
// Neither the response nor its time shows whether an address has an account. Forgot counts
// the request, responds, and leaves all other work to Config.Later. (An attacker who reads the
// mailbox learns it, and so does one who signs up with the address.)
//
// A link is valid once and for thirty minutes. It is void as soon as the password or the
// address has changed. The store keeps only a hash of it, in a sealed record. A user of a link
// has proven only that they read the mailbox. They are signed in nowhere, every session and
// every remembered device ends, and the sign-in asks for the second factor as before. An
// attacker who controls the mailbox needs the second factor too, unless that is a code by mail.
//
// # Events
//
// The Manager calls Config.Events with Event.Kind "password" and one of these names:
//
//	password.link-sent      a link was mailed
//	password.link-unknown   a link was requested for an address without an account
//	password.link-failed    a link could not be mailed
//	password.limited        a request for a link exceeded a rate limit
//	password.reset          a link was used, and the password set
//	password.changed        a user changed their password
//	password.admin-set      an administrator (Actor) set a user's password
//	password.notice-sent    a user was notified of one of these three, named in Event.Reason
//	password.notice-failed  a user could not be notified
package password
