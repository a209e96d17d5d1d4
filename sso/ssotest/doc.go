// Package ssotest is an identity provider for tests and demonstrations of package sso. It has a
// sign-in page that lists made-up users and signs in the chosen one without a password, so it
// serves this machine only and New refuses any other address.
//
//	idp, err := ssotest.New(ssotest.Config{URL: "http://127.0.0.1:9000", Users: users})
//	go http.ListenAndServe("127.0.0.1:9000", idp)
//	service, err := sso.New(sso.Config{
//		Providers: []sso.Provider{idp.Microsoft(), idp.Google()}, …})
//
// One server plays three providers: Microsoft with its multi-tenant endpoint, Google, and a plain
// OpenID Connect provider. It requires of clients what real providers require: the client secret,
// a redirect URI on this machine, PKCE with S256, and codes that work once and within a minute. A
// test makes it misbehave with Config.Token and Config.ReuseCodes, and by [Server.RotateKey].
package ssotest
