// Package sso signs users on with accounts they have elsewhere: Microsoft Entra for the
// organisations that an administrator has activated, Google, and any other OpenID Connect
// provider. The account takes the place of the application's password. The second factor of
// package mfa comes after it as before, unless an administrator accepts the provider's.
//
// # Quick start
//
//	service, err := sso.New(sso.Config{
//		Store:     store,
//		Keys:      keys,
//		URL:       "https://app.example/sso/",
//		Providers: []sso.Provider{sso.Microsoft(clientID, secret), sso.Google(clientID, secret)},
//		Authorize: …, // may this administrator?
//	})
//	handler, err := service.Handler(sso.Hooks{
//		// The user who is signed in, and what they have proven: with mfahttp, Handler.Grant.
//		Session: func(r *http.Request) (mfa.Session, mfa.Grant, error) {
//			return manager.Session(user(r), sessionID(r)), grant(r), nil
//		},
//		SignedIn: …, Linked: …, Unlinked: …, Failed: …})
//	mux.Handle("/sso/", handler)
//
// On the sign-in page, a form that posts to /sso/microsoft/sign-in; in the security
// settings, one that posts to /sso/microsoft/link. SignedIn goes on with
// [mfa.Session.Begin], as the password's handler does, unless [SignIn.SecondFactor]. Register
// https://app.example/sso/microsoft/callback as redirect URI with Microsoft.
//
// # Concepts
//
// An account is an issuer and a subject ("iss" and "sub"; Microsoft: "tid" and "oid"), and a
// [Link] ties one account to one user. Only the user makes it, signed in and with a grant, so an
// address never decides who a user is. An attacker who takes over a mailbox, a domain or an
// address with the provider gains nothing by it.
//
// An [Activation] says that one tenant of the application trusts one organisation: a Microsoft
// tenant, a Google Workspace. Without one, Microsoft accounts are refused, and withdrawing it
// takes effect at the next sign-on. Google and other providers may be [Provider.Open] instead.
//
// # Promises
//
//   - A sign-on ends only in the browser that began it, and linking only in the session:
//     PKCE, state and nonce are in a sealed cookie.
//   - A sign-on is completed at most once, even if the provider accepts a code twice.
//   - A token is valid only with a signature by one of the provider's present keys, of an
//     algorithm that we choose, for this application, this sign-on and now. Microsoft's issuer is
//     its template filled with the token's "tid", and a key for one organisation signs for no
//     other.
//   - A provider's second factor counts only if the validated token says so and the
//     organisation's activation accepts it.
//   - If a provider or the store fails, no user is signed in.
//   - Nothing of a provider is kept but what a [Link] shows; access tokens are dropped.
//
// # Limits
//
// An administrator of an activated organisation can sign on as each of its users who has linked
// an account. Only our second factor prevents it, and AcceptMFA removes that. A lock of package
// mfa does not prevent a sign-on that our factor is not asked in. One account belongs to one
// user: a user with two accounts in the application links two elsewhere. Sessions are the
// application's, and so is ending them.
//
// # Events
//
//	sso.signed-in    a user signed on
//	sso.linked       an account was linked
//	sso.unlinked     a link was ended
//	sso.refused      a sign-on came back and was refused; Reason has why in one word
//	sso.activated    an organisation was activated, or its AcceptMFA changed
//	sso.deactivated  an activation was withdrawn
//	sso.forgotten    all links of a user were removed
//
// Reason is "flow", "cancelled", "identity", "address", "not-activated", "not-linked",
// "linked-elsewhere", "too-many", "configuration", "unavailable" or "other". "identity" is
// worth an alarm.
package sso
