// Package totp is the authenticator-app factor: time-based one-time passwords of RFC 6238,
// as every authenticator app makes them.
//
//	f, err := totp.New(totp.Config{Issuer: "Acme"})
//
// Enrolling makes a secret and shows it as a QR code, an otpauth URI and a key to type.
// Verifying accepts a code of the present time step, of the one before and of the next,
// ninety seconds in all, and only of a step later than the last one accepted: a code works
// once (RFC 6238 section 5.2), whoever read it over a shoulder.
//
// # Compatibility
//
// SHA1, six digits and thirty seconds are what every app honours. Several popular apps
// ignore other values in the URI without a word and then show wrong codes; since an
// enrolment is confirmed by a code, nobody is locked out by that, but they cannot enrol. Apps
// also overwrite an entry whose issuer and account equal those of a new one, so the label of
// each of a person's devices is made unique.
//
// # Moving from another system
//
// The parameter "secret" of an enrolment imports a base32 secret that another system made,
// with "algorithm", "digits" and "period" where they are not the defaults. It passes the
// same checks, and is confirmed by a code, too.
//
// # Storage
//
// An instance's state is a version byte, a byte of algorithm and digits, the period, the last
// accepted step, eight bytes that stand for the label, and the secret: 39 bytes by default.
// It is sealed with the rest of the record.
package totp
