// Package email is the e-mail factor: a code of six digits sent to an address, and the
// confirmation of addresses by that code or by a link.
//
//	f, err := email.New(email.Config{Sender: sender, ServiceName: "Acme"})
//
// A code is random, good for ninety seconds, once, and for the challenge that asked for it. Sending
// again replaces it. Kept of it is a salted hash, in a record that is sealed. How often it is sent,
// and how often answers may be wrong, is the Manager's business.
//
// # How much it proves
//
// A mailbox is not a device: NIST SP 800-63B-4 section 3.1.3.1 does not allow e-mail as an
// out-of-band authenticator, and where passwords are reset by mail, password and code come to the
// same place. It is far better than a password alone, and everyone has it. So it never raises
// the assurance level above 1, and a policy can leave it out.
//
// # Addresses
//
// Internationalised domains work: ann@bücher.example is kept, compared and sent to as
// ann@xn--bcher-kva.example (UTS #46, IDNA 2008), and shown as a•••@bücher.example. The part
// before the @ is kept as it was typed. No message can be sent to an address with a quoted part
// or letters outside ASCII before the @ (SMTPUTF8 is not used), with an IP address or a single
// label after it (but see [Config].LocalDomains), or longer than 254 bytes. Such an address is
// refused when it is typed. As the address of record of a user it is an error,
// factor.ErrUndeliverable, and not a user without an address.
//
// An address is confirmed before it is used: by a code typed into the page that asked, or by a
// link to a page whose button confirms ([Config].ConfirmURL; opening the link does nothing, as
// mail scanners open links). A person whose address of record is confirmed has the factor
// without enrolling, where the policy says so. [SendConfirmations] mails links to many.
//
// # Texts
//
// Mails are in English, Dutch, Norwegian (Bokmål) or German by the person's locale, as plain text
// and as HTML that follows the reader's light or dark mode. They say what the code is for, and what
// to do if it was not asked for; the subject never holds the code, as lock screens show it.
// [Config].Compose replaces them, all or some.
//
// # Senders
//
// A [Sender] is one method. Package email/smtp has the one for production, mfatest.Outbox the
// one for tests. A [Message] prints as "[redacted]"; a sender that hands it to a queue encodes the
// fields, and treats what is in the queue as the secret it is.
package email
