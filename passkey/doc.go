// Package passkey is the WebAuthn factor: keys kept by a device, a password manager or a
// security key, which sign for one web site and for no other.
//
//	f, err := passkey.New(passkey.Config{RPID: "example.com", RPName: "Acme",
//		Origins: []string{"https://example.com"}})
//	m, err := mfa.New(mfa.Config{Factors: []factor.Factor{f}, …})
//
// Beside a password it is a factor like any other. Where policy.Policy.Passwordless is set it takes
// the password's place: Manager.Passwordless asks for any passkey of RPID, the answer says
// whose it is, and the device must have verified its owner, whatever [Config] says. A passkey
// that was made without such verification signs in beside a password only.
//
// # Ceremonies
//
// Prompt.Data of an enrolment, and of a Delivery of Session.Send, is the JSON of the options
// for navigator.credentials: {"publicKey": …}, for any of the person's passkeys. A page hands it on
// and posts what comes back:
//
//	// To sign in: parseRequestOptionsFromJSON and navigator.credentials.get.
//	const o = PublicKeyCredential.parseCreationOptionsFromJSON(data.publicKey);
//	const c = await navigator.credentials.create({publicKey: o});
//	const response = JSON.stringify(c); // for Confirm or Verify
//
// A ceremony is good for one answer: its challenge is 32 random bytes in the person's record,
// and goes in the same write that accepts the answer. What the browser signed a second time,
// or for another ceremony, session, person or site, is refused.
//
// # What is checked
//
// All that WebAuthn Level 3 asks of a relying party in sections 7.1 and 7.2: the type of the
// ceremony, the challenge, the exact origin, that no other site embedded the page, the hash of
// RPID, that a person was present and, where it is required, verified, the algorithm, the
// attestation statement if there is one, that the credential is among those that were asked
// for, the user handle, the signature, the backup flags, and the signature counter.
//
// A counter that does not rise is the only sign there is of an authenticator that was copied.
// It is the event factor.cloned, of which people are told, and refused unless [Config].OnClone
// lets it pass. Passkeys that are synchronised
// between devices have no counter, and it is never asked of them.
//
// # Promises
//
// What is signed for a forged site is worth nothing here, so that a person cannot be talked
// into passing it on. Nothing that is kept is a secret: only public keys. The user handle is 32
// random bytes, which say nothing about the person. No answer and no stored state makes this
// package panic, and none of its errors holds what a browser sent.
//
// What it cannot promise: which device holds a key, and whether somebody copied it out of a
// password manager. No attestation is asked for. Where this matters, do not offer passkeys.
//
// # Several passkeys
//
// A person's passkeys share one user handle, so that a browser shows one account,
// and a device on which there is one already is told not to make another.
//
// # Storage
//
// An instance's state is CBOR: the user handle, the credential's identifier, its public key,
// the counter, whether the person was verified at enrolment, the two backup flags, and the
// transports. It takes 170 to 500 bytes, and is sealed with the rest of the record.
package passkey
