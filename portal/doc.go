// Package portal lets a person who has verified at one application, the portal, be taken as
// verified by others that trust it, while all others go on asking for their own code.
//
// The portal has an [Issuer]. An application has a [Verifier], in the same process or in
// another; all that they share is the portal's URL. The road of a person is
//
//	application  →  Verifier.Start      redirects to the portal with a nonce of this browser
//	portal       →  Issuer.Authorize    asks who it is, and has them verify if that is too long ago
//	                                    or too weak; sends back with an assertion
//	application  →  Verifier.Callback   takes the assertion, once
//
// # What an assertion is
//
// A JWT (RFC 7519) of type "secondgate-assertion+jwt", signed with EdDSA (RFC 8037) by a key of
// the portal's JWKS, for one audience, good for 30 seconds, and once: its iss, sub, aud, exp, nbf,
// iat, jti, nonce, and auth_time, amr and acr ("aal1" or "aal2") as in OpenID Connect Core section
// 2. Nothing else is accepted, and no claim may be missing.
//
// # What each side can and cannot do
//
// An application that is broken into has assertions for itself only: they name it as the
// audience, carry the nonce of a browser session that it began, and were used. It cannot sign.
// Whoever copies the URL with an assertion out of a log has one that was used, and does not have
// the browser's session. An application asks for what it needs, a maximum age or an assurance
// level, and checks in the assertion that it got it: the portal is told, and not believed
// without saying so.
//
// Assertions are used once at the receiving side, which keeps that in a [storage.Store] as 128
// small records, whatever the traffic.
package portal
