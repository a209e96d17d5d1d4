// Package email is the e-mail factor: a code of six digits sent to an address, and the
// confirmation of addresses by that code or by a link.
//
//	f, err := email.New(email.Config{Sender: sender, ServiceName: "Acme"})
//
// A code is random. It is valid for ninety seconds, once, and for the challenge that requested it.
// The next code replaces it. The record keeps a salted hash of it, sealed. The Manager limits how
// often codes are sent, and counts failed attempts.
//
// # How much it proves
//
// A mailbox is not a device: NIST SP 800-63B-4 section 3.1.3.1 does not allow e-mail as an
// out-of-band authenticator. Where passwords are reset by mail, password and code come to the same
// place. A code by mail is far better than a password alone, and every user has an address. So the
// factor never raises the assurance level above 1, and a policy can leave it out.
//
// # Addresses
//
// Internationalised domains work: ann@bücher.example is kept, compared and sent to as
// ann@xn--bcher-kva.example (UTS #46, IDNA 2008), and shown as a•••@bücher.example. The part
// before the @ is kept as it was typed. Full-width characters are read as those of ASCII, and
// white space, invisible marks and "mailto:" around an address are dropped.
//
// Letters outside ASCII before the @ work where the mail system has SMTPUTF8 (RFC 6531). Where it
// has none, sending fails with a [*SendError] that is Rejected. Dots may stand anywhere, because
// carriers issued addresses such as ann..b@example.com; senders get those in quotes.
//
// No message can be sent to an address with another quoted part, with an IP address or a single
// label after the @ (but see [Config].LocalDomains), or longer than 254 bytes. Such an address is
// refused when it is typed. As the address of record of a user it gives factor.ErrUndeliverable:
// that user is never treated as one without an address.
//
// A user verifies an address before it is used: by a code, or by a link to a page with a button
// ([Config].ConfirmURL; opening the link does nothing, as mail scanners open links). A user with a
// verified address of record has the factor without enrolling, where the policy says so.
// [SendConfirmations] mails links to many users.
//
// # Texts
//
// Mails are in the language of the user's locale if the library has it, else in English, as plain
// text and as HTML that follows the reader's light or dark mode. They say what the code is for, and
// what a user who did not request it should do. The subject never holds the code, because lock
// screens show it. [Config].Compose replaces all or some of them.
//
// # Senders
//
// A [Sender] is one method. Package email/smtp has the one for production, mfatest.Outbox the
// one for tests. A [Message] prints as "[redacted]"; a sender that hands it to a queue encodes the
// fields, and treats what is in the queue as the secret it is.
package email
