// Package totp is the authenticator-app factor: time-based one-time passwords of RFC 6238,
// as every authenticator app makes them.
//
//	f, err := totp.New(totp.Config{Issuer: "Acme"})
//	m, err := mfa.New(mfa.Config{Factors: []factor.Factor{f}, …})
//
// Enrolling makes a secret and shows it as a QR code, an otpauth URI and a key to type.
// Verifying accepts a code of the present time step, of the one before and of the next,
// ninety seconds in all, and only of a step later than the last one accepted.
//
// # Promises
//
// A step is accepted once and never after a later one (RFC 6238 section 5.2), so a code that an
// attacker reads over a shoulder is used already. The code that confirms an enrolment does not
// sign in. The step is part of the state that the Manager swaps, so that this holds for any number
// of processes. No response and no stored state makes this package panic, and none of its errors
// holds a code or a secret.
//
// The package cannot promise three things. An attacker can pass on at once a code that the user
// types into a forged page: use passkeys against that. The server has to keep the secret itself and
// not a hash of it. An attacker who copies the secret during enrolment has the codes as well.
//
// # Clocks
//
// The time is the Manager's. A clock that was ahead and is corrected leaves the last accepted step
// in the future: codes are refused as replayed until that step has passed, and none is accepted
// twice.
//
// # Compatibility
//
// Every app honours SHA1, six digits and thirty seconds. Several popular apps ignore other values
// in the URI without a word, and then show incorrect codes. A code confirms each enrolment, so
// users of these apps are not locked out, but cannot enrol. Apps also overwrite an entry whose
// issuer and account equal those of a new one, so the factor makes the label of each of a user's
// devices unique. Where one user has two accounts under one address, make mfa.User.Account
// different for each of them.
//
// # Moving from another system
//
// The parameter "secret" of an enrolment imports a base32 secret that another system made,
// with "algorithm", "digits" and "period" where they are not those of the [Config]. It passes
// the same checks, and is confirmed by a code, too. Secrets of 80 bits, which some old systems
// made, are below the minimum of RFC 4226 and are refused: their users scan a new code.
//
// # Storage
//
// An instance's state is a version byte, a byte of algorithm and digits, the period, eight
// bytes of the last accepted step plus one, eight bytes that stand for the label, and the
// secret: 39 bytes by default. It is sealed with the rest of the record.
package totp
