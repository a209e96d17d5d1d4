// Package mfahttp puts a second factor into a web application on net/http: middleware,
// ready pages and a JSON API. It is the only package of secondgate that knows HTTP.
//
// # Quick start
//
// Mount a [Handler] and configure three functions: which user makes a request, where the session
// is, and what to do when a user has verified.
//
//	h, err := mfahttp.New(mfahttp.Config{
//		Manager:  manager,
//		Session:  session{scsManager},
//		Identify: func(r *http.Request) (mfahttp.Identity, error) { … },
//		Verified: func(w http.ResponseWriter, r *http.Request, v *mfa.Verification) error { … },
//	})
//	mux.Handle("/mfa/", h)
//	mux.Handle("/account/", h.Require(account))
//	mux.Handle("/account/delete", h.RequireRecent(5*time.Minute)(deleteAccount))
//
// Identity says which user makes a request, whether the sign-in is complete, and since when. A
// user who has no second factor can set one up for a few minutes after the first factor was given
// (Identity.SignedInAt). Later the Handler redirects the user to Config.Reauthenticate.
//
// After the password, call [Handler.Begin]. If it returns mfa.NextDone, sign the user in;
// otherwise redirect to [Handler.URL]. Everything else, from the code field to the security
// settings, happens there, and ends in Config.Verified.
//
// # Pages
//
// Pages work without JavaScript, respond to every post with a redirect, and can be replaced
// file by file (Config.Templates). A page of the application's own gets the same frame by
// [Handler.Render].
//
// # JSON API
//
// Single-page applications use BasePath+"api/", described by [OpenAPI]: state, send, verify,
// step-up, enroll, enroll/resend, confirm, factors, recovery-codes. Errors are {"error": code}
// with "attempts_left", "retry_after" or "reason" where they apply. A failed attempt is 401
// "incorrect" with the number of attempts remaining. The attempt that uses up the last one is
// reported like any other, with 0 remaining. Every later response, correct or not, is 429
// "locked" until retry_after seconds have passed. A code that is correct and expired, or that
// another code has superseded, is 401 "expired" with the reason "response_expired". It is not
// counted, and a new code may be sent. Without that reason "expired" means that the challenge or
// the enrolment has ended. A change that requires a recent proof is 403 "step_up": post to
// api/step-up, verify, and repeat it. 403 "reauthenticate" means that the application must ask
// for the first factor again. 403 "on_hold" means that a recovery has to wait. After a correct
// response of a kind that the policy no longer allows, the API returns next "enroll" and the
// kinds to enrol, and does not sign the user in.
//
// # Administration
//
// [Handler.Actor] returns the mfa.Actor for a user who acts on other users, and
// [Handler.RequireActor] redirects a user who has proven too little to the step-up and back. Use
// them for every act of an administrator.
//
// # What it keeps, and where
//
// Challenges, pending enrolments and grants are in the application's session, under keys
// that begin with "secondgate.", and never in a page, a URL or a response. Each names its
// user and is ignored for every other user. Each is bound to a random value in that session,
// so that a token that leaks is worthless in another one. A recovery by a
// mailed link is tied to the browser as well, by a cookie. The key of a
// new authenticator and recovery codes, which a page shows after a redirect, lie in the
// session encrypted under a key that only the user's browser holds.
//
// # Promises
//
//   - Nothing is sent, changed or confirmed by GET or HEAD, and no code that was sent is made
//     worthless by one.
//   - Requests that change anything are refused if they come from another origin
//     (http.CrossOriginProtection), API requests also if they are not application/json.
//   - Config.Verified is called once for each correct response, and nothing else signs in. A
//     recovery by a mailed link is no sign-in: Config.Renew is called for it.
//   - A session whose first factor was given long ago, or at an unknown time, cannot enrol a
//     first second factor.
//   - Redirects stay on this site.
//   - Texts that users read never come from an error's text. Logs contain no secret, and no URL
//     of a confirmation link.
//   - Every response has a strict Content-Security-Policy, no-store, nosniff and may not be
//     framed.
//
// It does not limit guesses of passwords, end a user's other sessions, or set CORS
// headers; these are the application's.
package mfahttp
