// Package sms is the factor that sends a code in a text message, with senders for Twilio
// and for any provider that has an HTTP interface.
//
// # Quick start
//
//	sender, err := sms.NewTwilio(sms.TwilioConfig{AccountSID: sid, Secret: secret.New(token),
//		From: "+15005550006"})
//	…
//	f, err := sms.New(sms.Config{
//		Sender:      sender,
//		ServiceName: "Acme",
//		Origin:      "acme.example",         // where the user types the code
//		Allow:       []string{"+31", "+47"}, // the countries to send to
//		Parse:       phone.Parse,            // national forms, from package sms/phone
//	})
//	…
//	m, err := mfa.New(mfa.Config{Factors: []factor.Factor{f, …}, …})
//
// A number is enrolled with the parameter "number", and "region" (ISO 3166-1, "NL") for
// numbers in national form; [Factor.Enroll] lists the reasons of a refusal. The number is verified
// when the user types the code that was sent to it. From then on only its calling code and its
// last digits are shown.
//
// # Concepts
//
// A message has the code first, then the name of the service, how long the code is valid, and
// that the service never asks for it. The words are always the same, in the language of
// [factor.User].Locale, or in English. Its last line, "@acme.example #123456", binds the
// code to the site, so that a browser fills it in there and nowhere else
// (https://wicg.github.io/sms-one-time-codes/). A message is one segment of 160 GSM-7
// characters: [New] refuses a service name or host for which it would not be.
//
// # Restricted by NIST
//
// Success counts for assurance level 2 ([factor.LevelStrong]): NIST SP 800-63B-4 section
// 3.1.3 accepts a code over the telephone network beside a password for AAL2. Section 3.2.9 calls
// such codes restricted, because attackers port numbers, swap SIM cards and intercept messages. An
// application that must comply owes its users four things that this package cannot provide:
// another kind that is not restricted (such as totp), a notice of the risk, an assessment of it,
// and a plan to replace the factor. OWASP ASVS 5.0 allows such codes at level 2 on the same terms
// (6.6.1) and forbids them at level 3: do not configure this factor there.
//
// [Config].Check can refuse a message because of a recent SIM swap or port, or because a number is
// Voice over IP and so proves no device (section 3.1.3.1).
//
// # Toll fraud
//
// An attacker who makes a server send messages to numbers of their choice can be paid for it by
// the operator of those numbers. [Config].Allow therefore has no default: name the calling codes
// that you serve. The Manager adds rate limits for each user, destination and kind, and package
// sms/phone refuses premium-rate numbers.
//
// # Promises
//
// A code comes from crypto/rand, and is kept only as a hash that is bound to the number. It is
// valid once, and for [Config].TTL. No error of this package, and no way of printing its types,
// shows a number, a code or a credential. A nil error of a [Sender] means that the provider
// accepted the message, not that it arrived. A number proves which user receives its messages
// today. It is no identity: operators give numbers to new users, and two users may share one.
package sms
