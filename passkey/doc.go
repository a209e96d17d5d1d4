// Package passkey is the WebAuthn factor: keys kept by a device, a password manager or a
// security key, which sign for one web site and for no other.
//
//	f, err := passkey.New(passkey.Config{RPID: "example.com", RPName: "Acme",
//		Origins: []string{"https://example.com"}})
//	m, err := mfa.New(mfa.Config{Factors: []factor.Factor{f}, …})
//
// Beside a password it is a factor like any other. Where policy.Policy.Passwordless is set it
// takes the password's place. Manager.Passwordless then asks for any passkey of RPID, and the
// response names its user. The device must have verified the user, whatever [Config] says. A
// passkey that was made without such verification signs in beside a password only.
//
// # Ceremonies
//
// Prompt.Data of an enrolment, and of a Delivery of Session.Send, is the JSON of the options for
// navigator.credentials: {"publicKey": …}, for any of the user's passkeys. A page passes it to
// the browser and posts the result:
//
//	// To sign in: parseRequestOptionsFromJSON and navigator.credentials.get.
//	const o = PublicKeyCredential.parseCreationOptionsFromJSON(data.publicKey);
//	const c = await navigator.credentials.create({publicKey: o});
//	const response = JSON.stringify(c); // for Confirm or Verify
//
// A ceremony accepts one response. Its challenge is 32 random bytes in the user's record, and the
// write that accepts the response removes it. A response that the browser signed a second time,
// or for another ceremony, session, user or site, is refused.
//
// # What is checked
//
// Verify checks all that WebAuthn Level 3 asks of a relying party in sections 7.1 and 7.2: the
// type of the ceremony, the challenge, the exact origin, that no other site embedded the page,
// the hash of RPID, that a user was present and, where it is required, verified, the algorithm,
// the attestation statement if there is one, that the credential is among those that were asked
// for, the user handle, the signature, the backup flags, and the signature counter.
//
// A counter that does not rise is the only sign of an authenticator that was copied. The response
// is refused unless [Config].OnClone accepts it; the event is factor.cloned, and the user is
// notified. Passkeys that are synchronised between devices have no counter, and are not checked
// for one.
//
// A passkey whose backup-eligible flag is another one than at its enrolment is refused too: it may
// be copied between devices now, or no longer. Its manager changed it, so the response is not
// counted as a failed attempt, and the error has the reason "passkey_changed". An attacker without
// the key never sees it. The Manager marks the passkey as outdated (factor.Verdict.Outdated). The
// user signs in with another passkey, an authenticator app or SMS, and enrols the passkey anew. Its
// device is no longer asked not to make another, and the new passkey replaces the old one when the
// user confirms it. A user with nothing else that strong needs a recovery or an administrator.
//
// # Native apps
//
// An Android app is one of [Config].Origins, "android:apk-key-hash:…". Apps on Apple's systems use
// the origin of the web site.
//
// # Promises
//
// A response that is signed for a forged site is worthless here, so that an attacker cannot talk
// a user into passing it on. Nothing that is kept is a secret: only public keys. The user handle
// is 32 random bytes, which say nothing about the user, unless it was imported. No response and no
// stored state makes this package panic, and none of its errors contains what a browser sent.
//
// This package cannot promise which device holds a key, or that an attacker has not copied the
// key out of a password manager, unless an attestation proves it.
//
// # Attestation
//
// A policy that sets Hardware or Certified has browsers ask authenticators for an attestation
// (policy.Policy). [Config].Metadata has the manufacturers' certificates and what is known of each
// model, from the FIDO Metadata Service:
//
//	var list atomic.Pointer[passkey.Metadata]
//	cfg.Metadata = list.Load // of ParseMetadata, once before New and every day after that
//
// An attestation that a listed certificate signed proves the model of the authenticator. The list
// says what keeps the keys of the model, and which certification it has. The amr of such a passkey
// is "hwk" if hardware keeps it and it cannot be copied. It is "swk" if software keeps it, or if it
// says that it can be copied, as one that is synchronised does. Otherwise it is "pop".
//
// A new list takes effect at once. A passkey on a model that it calls revoked, retired or unsafe
// satisfies no requirement any more, and none is enrolled on such a model. A report about one batch
// counts for the whole model. FIDO2 authenticators are found by their AAGUID, and those of FIDO U2F
// by the key that attests them.
//
// Synchronised passkeys have no attestation as a rule. A browser may ask the user before it passes
// one on. Apple's and Google's own formats are verified against the roots of Apple and Google that
// this version of the library knows, and count if the list has the model as well.
//
// # Several passkeys
//
// A user's passkeys share one user handle, so that a browser shows one account. A device that has
// one already is asked not to make another, unless the one that it has is outdated.
//
// # Several domains
//
// A user has one passkey for a service on several domains, such as example.com and example.de.
// RPID is one of them, and the others are [Config].RelatedOrigins:
//
//	mux.Handle("/.well-known/webauthn", f.RelatedOrigins()) // on https://RPID
//
// # Without a prompt
//
// After a sign-in with a password that the browser keeps, some browsers make a passkey without a
// prompt (conditional create). The enrolment asks for it by the parameter "conditional", see
// [Factor.Enroll]. For this one response the flags for a present and a verified user may be unset.
// The first response of the passkey beside another factor says whether it has verified its user, as
// section 7.2 step 25 permits. Until then it signs in beside a password only.
//
// # Providers
//
// A device says at enrolment which provider keeps the passkey, by an AAGUID. [Config].Provider
// turns it into a [Provider], for the list of a user's passkeys and for the default name of a new
// one. Nothing proves it, so nothing is decided by it. [BundledProviders] has names and no icons.
// An application that wants icons, or newer names, fetches a list and reads it by [ParseProviders]:
//
//	var list atomic.Pointer[passkey.Providers]
//	cfg.Provider = func(aaguid string) passkey.Provider { return (*list.Load())[aaguid] }
//
// # Storage
//
// An instance's state is CBOR: the user handle, the credential's identifier, its public key, the
// counter, whether the user was verified at enrolment, the two backup flags, the transports, the
// AAGUID, whether it was made without a prompt and not used since, and whether its model was
// proven. It takes 170 to 520 bytes, and is sealed with the rest of the record.
package passkey
