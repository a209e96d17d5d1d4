// Package portal lets applications trust a user's verification at another application, the
// portal. Applications that do not trust the portal still ask for their own code.
//
// The portal has an [Issuer]. An application has a [Verifier], in the same process or in
// another. All that they share is the portal's URL. A sign-in takes three steps:
//
//	application  →  Verifier.Start      redirects to the portal with a nonce for this browser
//	portal       →  Issuer.Authorize    identifies the user, verifies them again if their last
//	                                    verification is too old or too weak, and sends them
//	                                    back with an assertion
//	application  →  Verifier.Callback   accepts the assertion, once
//
// # What an assertion is
//
// An assertion is a JWT (RFC 7519) of type "secondgate-assertion+jwt". A key of the portal's
// JWKS signs it with EdDSA (RFC 8037), for one audience. It is valid once, for 30 seconds. Its
// claims are iss, sub, aud, exp, nbf, iat, jti and nonce, and auth_time, amr and acr ("aal1" or
// "aal2", and "phr" for an application that asked for a phishing-resistant verification) as in
// OpenID Connect Core section 2. No other form is accepted, and no claim may be missing.
//
// # What each side can and cannot do
//
// An attacker who controls an application gets only that application's assertions: they name
// it as the audience, carry the nonce of a browser session that it started, and were used. The
// application cannot sign. An attacker who copies the URL of an assertion from a log has one
// that was used, and does not have the browser's session. An application asks for a maximum age
// or an assurance level, and checks in the assertion that the portal met it.
//
// The receiving side ensures that each assertion is used once. It keeps that in a
// [storage.Store] as 128 small records, whatever the traffic.
package portal
