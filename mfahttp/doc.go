// Package mfahttp puts a second factor into a web application on net/http: middleware,
// ready pages and a JSON API.
//
// # Quick start
//
// Put a [Handler] around the application and tell it which user makes a request, in which
// session, and since when.
//
//	h, err := mfahttp.New(mfahttp.Config{Manager: manager, Keys: keys, LoginURL: "/login",
//		Identify: func(r *http.Request) (mfahttp.Identity, error) {
//			… // from the application's own session
//		}})
//	http.ListenAndServe(addr, h.Require(mux))
//
// Require asks a user who has passed the first factor for the second one, wherever the policy
// requires it. Everything else, from the code field to the security settings, happens under
// /mfa/. The application changes neither its sign-in nor its sessions. An application that guards
// its pages one by one mounts the Handler at /mfa/.
//
//	mux.Handle("/account/delete", h.RequireRecent(5*time.Minute)(deleteAccount))
//
// RequireLevel also decides by what was proven: an assurance level, a phishing-resistant factor, or
// one of some kinds.
//
// A user who has no second factor can set one up for a few minutes after the first factor was
// given (Identity.SignedInAt). Later the Handler redirects the user to Config.Reauthenticate.
//
// # Pages
//
// Pages work without JavaScript, respond to every post with a redirect, and can be replaced
// file by file (Config.Templates). A page of the application's own gets the same frame by
// [Handler.Render]. A third-party factor looks like a built-in one with a [Kind].
//
// # JSON API
//
// Single-page applications use BasePath+"api/", which can do what the pages can: state, send,
// verify, enroll, confirm, factors and others. [OpenAPI] describes each route, and docs/api.md
// the sequences. Errors are {"error": code} with "attempts_left", "retry_after" or "reason" where
// they apply. A failed attempt is 401 "incorrect" with the number of attempts remaining. The
// attempt that uses up the last one is reported like any other, with 0 remaining. Every later
// response, correct or not, is 429 "locked" until retry_after seconds have passed. A code that is
// correct and expired, or that another code has superseded, is 401 "expired" with the reason
// "response_expired". It is not counted, and a new code may be sent. Without that reason
// "expired" means that the challenge or the enrolment has ended. A kind whose option or enrolment
// says "polled" is approved on another device: show the "data" of send, and post to api/verify or
// api/confirm with the code "" every few seconds, as long as the response is 202 "pending". A
// change that requires a recent proof is 403 "step_up": post to api/step-up, verify, and repeat
// it. 403 "reauthenticate" means that the application must ask for the first factor again. 403
// "on_hold" means that a recovery has to wait. After a correct response of a kind that the policy
// no longer allows, the API returns next "enroll" and the kinds to enrol, and does not sign the
// user in.
//
// # gRPC and Connect
//
// A handler of Connect, and a gRPC server that net/http serves, go inside Require and
// RequireRecent like any other handler: their clients get an error of their own protocol, and no
// redirect. A native gRPC server asks [Handler.Check]. Clients pass the second factor by the JSON
// API in the same session of the application.
//
// # Administration
//
// [Handler.Actor] returns the mfa.Actor for a user who acts on other users, and
// [Handler.RequireActor] redirects a user who has proven too little to the step-up and back. Use
// them for every act of an administrator.
//
// # What it keeps, and where
//
// The Handler keeps whether the sign-in is complete, by what and when the user last verified, the
// challenges and enrolments under way, and the grant to change factors. They lie in cookies of
// the user's browser, 4 KB at most together. Each is sealed by Config.Keys for its purpose, its
// user and the application's session ID, and is worthless in another session, for another user
// and under another name. They end with the application's session.
//
// With Config.Session they lie in the application's own session instead, under keys that begin
// with "secondgate.". What a page shows after a redirect, such as recovery codes and the prompt of
// an enrolment, is then encrypted under a key that only the user's browser holds. A recovery by a
// mailed link is tied to the browser by a cookie.
//
// No value is ever in a page, a URL or a response but in these cookies.
//
// # Promises
//
//   - Nothing is sent, changed or confirmed by GET or HEAD, and no code that was sent is made
//     worthless by one.
//   - Requests that change anything are refused if they come from another origin
//     (http.CrossOriginProtection), API requests also if they are not application/json.
//   - Config.Verified is called once for each correct response. A recovery by a mailed link is no
//     sign-in: Config.Renew is called for it. Config.Postponed is called once for each enrolment
//     that a user puts off.
//   - No response promises what could not be kept: a failure of Config.Session is reported as
//     "unavailable", and nobody is signed in by it.
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
