// Package mfa adds a second factor to the sign-in of an application that keeps its users, its
// passwords and its sessions to itself. secondgate keeps one small sealed record for each user,
// and decides.
//
//	task                        calls
//	set up                      New, with a Config
//	sign in                     Manager.Session, then Begin, Send, Verify
//	sign in without a password  Manager.Passwordless, then Begin, Verify
//	ask again later             Session.StepUp, then Begin, Send, Verify
//	change factors              Session.ManageFactors for a Grant, then Enroll, Confirm,
//	                            Remove, Rename, NewRecoveryCodes
//	recover                     Session.SendRecoveryLink, OpenRecoveryLink, RequestSupport
//	remember a device           Session.RememberDevice, then Verify; Session.OnDevice, then Begin
//	show a security page        Manager.Overview
//	administer                  Manager.Admin, then Reset, Unlock, Enroll, Import,
//	                            SetPolicy, Report
//
// There is an example for each task.
//
// After the password is correct, [Session.Begin] says what is next: nothing (NextDone), a
// response to a challenge (NextVerify), or an enrolment (NextEnroll):
//
//	s := m.Session(user, sessionID)
//	ch, err := s.Begin(ctx)
//	d, err := s.Send(ctx, ch, "email") // where ch.Options say that the kind sends
//	v, err := s.Verify(ctx, ch, "email", secret.New(code))
//
// A [Verification] exists only with a nil error. Then give the session a new ID, and sign the
// user in. Package mfahttp does all of this over net/http, with pages.
//
// # What it promises
//
// Every decision is a function of the record, the request and the time, inside one
// read–decide–swap loop. The caller gets the outcome after the write that records it. So, in
// one process or a hundred, on any store that keeps its contract:
//
//   - An issued code, a recovery code, a time step and a challenge are each accepted once.
//   - With a limit of N, N failed attempts get a verdict before the lock. Parallel sessions,
//     resends, restarts and other ways in do not add one.
//   - Nothing changes a user's factors without a [Grant] that proves enough: an e-mail code does
//     not remove an authenticator app.
//   - A failed read, a lost record or a factor's panic never means that no second factor is
//     needed.
//   - No secret, code or full destination is in an error, in an event, or in the printed or
//     JSON form of any exported type, but for the JSON of a [User], which is the application's
//     own. What an application keeps is sealed.
//
// docs/threat-model.md says what it does not promise. Time comes from one [Clock]; a clock that
// steps back neither shortens a lock nor makes a code valid again. Package mfa/policy has what
// the users of each type must do, package mfa/factor what the author of a factor needs.
package mfa
