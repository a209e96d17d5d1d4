// Package password is the first factor for applications that would rather not write it: it
// hashes passwords, says which are good enough, and lets people who forgot theirs choose
// another.
//
//	hasher, err := password.NewHasher(password.HasherConfig{})
//	hash, err := hasher.Hash(ctx, typed)       // keep it with the person
//	err = hasher.Verify(ctx, hash, typed)      // nil, or ErrIncorrect
//
// The application keeps its users. The parts stand on their own: a [Hasher] needs nothing
// else, [Rules] neither, and a [Manager], which resets and changes passwords, reads and
// writes users through [Accounts], an interface of three methods.
//
// # Hashes
//
// They are PHC strings of argon2id, or of PBKDF2 where FIPS 140-3 is asked for, and hold
// their parameters: when those of the configuration change, [Hasher.NeedsRehash] says so at
// the next sign-in, when the password is at hand. No more are computed at once than there are
// processors, as each takes 19 MiB. Where there is no such person a sign-in verifies against
// the empty hash, which takes as long as any other. Package throttle limits how often a
// password may be wrong: the application calls Verify and Change within its Do.
//
// # A forgotten password
//
//	err = m.Forgot(ctx, password.ForgotRequest{Address: typed, Client: ip}) // always the same page
//	account, err := m.CheckLink(ctx, token)                                 // GET: shows the form, changes nothing
//	err = m.Reset(ctx, password.ResetRequest{Token: token, Password: typed}) // POST
//
// Whether an address has an account cannot be told from the answer or its time, because it
// is looked up after the answer: Forgot counts the request and hands all other work to
// Config.Later. (It can be told by who reads the mailbox, and where people sign up.)
//
// A link is good once and for thirty minutes, and void as soon as the password or the
// address has changed in any way. Kept of it is a hash, in a sealed record. Whoever uses it
// has shown that they read the mailbox and no more: they are signed in nowhere, every session
// and every remembered device ends, and the sign-in asks for the second factor as before. So
// a mailbox that was taken over is not enough, unless the second factor is a code by mail.
//
// # Events
//
// Config.Events is told, with Event.Kind "password":
//
//	password.link-sent      a link was mailed
//	password.link-nobody    a link was asked for, for an address without an account
//	password.link-failed    a link could not be mailed
//	password.budget         a link was asked for too often; of an account where that is known
//	password.reset          a link was used, and the password set
//	password.changed        a person changed their password
//	password.admin-set      an administrator (Actor) set a person's password
//	password.notice-sent    a person was told of one of these three, which is Event.Reason
//	password.notice-failed  a person could not be told
package password
