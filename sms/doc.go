// Package sms is the factor that sends a code in a text message, with senders for Twilio
// and for any provider that has an HTTP interface.
//
// # Quick start
//
//	sender, err := sms.NewTwilio(sms.TwilioConfig{AccountSID: sid, Secret: secret.New(token), From: "+15005550006"})
//	…
//	f, err := sms.New(sms.Config{
//		Sender:      sender,
//		ServiceName: "Acme",
//		Origin:      "acme.example",                      // where the code will be typed
//		Allow:       []string{"+31", "+47"},              // the countries that are served
//		Parse:       phone.Parse,                         // national forms, from package sms/phone
//	})
//	…
//	m, err := mfa.New(mfa.Config{Factors: []factor.Factor{f, …}, …})
//
// A number is enrolled with the parameter "number", and "region" (ISO 3166-1, "NL") for
// numbers in national form; see [Factor.Enroll] for the reasons of refusal. It becomes
// good when the person has typed the code sent to it. From then on only its calling code
// and its last digits are shown.
//
// # Concepts
//
// A message says the code first, then the name of the service, how long the code is good
// and that nobody will ask for it, always in the same words, in English, Dutch, Norwegian
// or German by [factor.User].Locale. Its last line, "@acme.example #123456", binds the
// code to the site, so that a browser fills it in there and nowhere else
// (https://wicg.github.io/sms-one-time-codes/). A message is one segment of 160 GSM-7
// characters: [New] refuses a service name or host for which it would not be.
//
// # Restricted by NIST
//
// Success counts for assurance level 2 ([factor.LevelStrong]): NIST SP 800-63B-4 section
// 3.1.3 accepts a code over the telephone network beside a password for AAL2. It is
// however the one authenticator that section 3.2.9 calls restricted, because numbers are
// ported, SIM cards swapped and messages intercepted. Who must comply owes people four
// things that this package cannot give: another kind that is not restricted (such as
// totp), a notice of the risk, an assessment of it, and a plan to leave. OWASP ASVS 5.0
// allows it at level 2 on the same terms (6.6.1) and not at all at level 3: there,
// do not configure this factor.
//
// [Config].Check is where signals of a recent SIM swap or port, or of a number that is
// Voice over IP and so proves no device (section 3.1.3.1), can stop a message.
//
// # Toll fraud
//
// Whoever can make a server send messages to numbers of their choice can be paid for it
// by the operator of those numbers. [Config].Allow therefore has no default: name the
// calling codes that are served. Beside it stand the Manager's budgets for each person,
// destination and sender, and package sms/phone refuses premium-rate numbers.
//
// # Promises
//
// A code is made by crypto/rand, kept only as a hash that is bound to the number, good
// once and for [Config].TTL. No error of this package, and no way of printing its types,
// holds a number, a code or a credential. A nil error from a [Sender] means that the
// provider accepted the message, not that it arrived. A number proves who receives its
// messages today and is no identity: numbers are given to new people, and two people may
// share one.
package sms
