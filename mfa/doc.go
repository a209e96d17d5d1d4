// Package mfa adds a second factor to the sign-in of an application that keeps its users,
// its passwords and its sessions to itself. secondgate keeps one small sealed record for
// each person, and decides.
//
// # A sign-in
//
// A [Manager] is composed of a store, a keyring and factors:
//
//	m, err := mfa.New(mfa.Config{
//		Store:   memory.New(),
//		Keys:    keys, // seal.NewKeyring
//		Factors: []mfa.Factor{authenticator, codes},
//	})
//
// After the password is right, [Manager.Begin] says what is next: nothing ([Done]), a
// challenge to answer ([Verify]), or an enrolment ([Enroll]). [Manager.Send] sends a code
// where the kind chosen has one to send, and [Manager.Verify] judges the answer:
//
//	ch, err := m.Begin(ctx, mfa.BeginRequest{Subject: user, Binding: sessionID})
//	v, err := m.Verify(ctx, mfa.VerifyRequest{Challenge: ch.Token, Binding: sessionID, Kind: "totp", Response: mfa.NewSecret(code)})
//
// A [Verification] exists only with a nil error. Then renew the session's id, and let the
// person in. Package mfahttp does all of this over net/http, with pages.
//
// # Changing factors
//
// Nothing that changes a person's factors happens without a [Grant]: it comes from a fresh
// Verify, from an enrolment that the policy forces, or from a recovery, and is good for that
// person, in that session, for minutes. It reaches as far as what was proven: who has an
// authenticator app must prove the app to change it, an e-mail code does not do. With
// [Manager.Enroll] and [Manager.Confirm] a factor is added; until it is confirmed, nothing
// has changed.
//
// # What it promises
//
// Every decision is a pure function of the record, the request and the time, run inside
// one read–decide–swap loop, and an outcome is told only after the write that records it
// is committed. So, in one process or a hundred, on any store that keeps its contract:
//
//   - an issued code, a recovery code, a time step and a challenge are each good for one
//     success at most;
//   - with a limit of N, exactly N wrong answers get a verdict before the lock: parallel
//     sessions, resends, restarts and other ways in do not add one. (A right answer of an
//     expensive kind that is being judged while others lock the person is refused like
//     any other, and then fewer than N may have had one.)
//   - a failed read, a lost record, a panic of a factor never means that no second factor
//     is needed;
//   - no secret, code, token or full destination is in an error, an event, or the printed or
//     JSON form of any exported type.
//
// What it does not promise is in docs/threat-model.md.
//
// # Policies and profiles
//
// [Config].Policies says what the users of each type must do. Package mfa/policy has the
// policies, and the profiles: [Config].Profile holds the configuration, and each policy, to a
// standard. New refuses what breaks a row of it, and names the rows. [Manager.Audit] returns
// them as data, for any profile, before one is set. docs/standards.md has the rows.
//
// # Time
//
// Time comes from one [Clock], read once for each operation, to the millisecond. The record
// remembers the latest time it was written at, so that a clock that steps back neither
// shortens a lock nor revives a code. The other side of it: after a clock that ran far ahead,
// locks and codes of people who signed in meanwhile go by that time until an administrator
// unlocks them.
//
// # Writing a factor
//
// See package mfa/factor. A stranger's factor gets everything that a built-in one gets.
package mfa
