package decide

import (
	"bytes"
	"cmp"
	"errors"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
)

// This file decides what a response does to the record.

// warnAfter is how many failed attempts in a row with one kind are worth a message, when no lock
// follows; fewer are typing errors.
const warnAfter = 3

// Decide changes the record by what the factor says of a response, and returns the outcome.
// write says whether the record is to be written.
func (v View) Decide(r *Response, said Said) (o Outcome, write bool) {
	switch {
	case said.Refusal == nil:
		return v.accept(r, said), true
	case r.Task == Passwordless:
		return v.refuseUncounted(said)
	case !v.counts(r, said.Refusal):
		o = v.uncounted(said.Refusal)
		o.Outdated = v.noteOutdated(said)
		return o, o.Outdated
	}
	var st lockout.Status
	v.Record.Lockout, st = v.Lockout.Fail(v.Record.Lockout, r.Kind, v.Now)
	return v.refuseCounted(r, said, st), true
}

// counts reports whether a refusal is a failed attempt. What is no guess is not counted: a
// response that is late, one that is not decided yet, and one that a polled factor could not
// verify, since the client that polls has typed nothing.
func (v View) counts(r *Response, refusal error) bool {
	switch WeightOf(refusal) {
	case WeightExpired, WeightPending:
		return false
	case WeightFailed:
		return !v.Kinds[r.Kind].Polled
	}
	return true
}

// noteOutdated notes that an enrolled instance has changed since it was enrolled, if the factor
// says so, and reports whether that is news.
func (v View) noteOutdated(said Said) bool {
	in := said.Target.Instance
	return errors.Is(said.Refusal, ErrOutdated) && in != nil && !in.Implicit &&
		v.Record.SetOutdated(in.ID, true)
}

// uncounted returns the outcome of a refusal that is no failed attempt.
func (v View) uncounted(refusal error) Outcome {
	o := Outcome{Result: Uncounted, At: v.Now, Err: refusal}
	switch WeightOf(refusal) {
	case WeightExpired:
		o.Result = Expired
	case WeightPending:
		o.Result = Pending
	}
	return o
}

// refuseCounted returns the outcome of a failed attempt that has been counted.
func (v View) refuseCounted(r *Response, said Said, st lockout.Status) Outcome {
	refusal := said.Refusal
	if v.Kinds[r.Kind].Polled {
		v.endIssued(r.Kind, said.Target.Code) // a denial is final
	}
	o := Outcome{Result: Incorrect, At: v.Now, Err: refusal, Status: st,
		Cloned: errors.Is(refusal, ErrCloned)}
	switch WeightOf(refusal) {
	case WeightReplayed:
		o.Result = Replayed
	case WeightFailed:
		o.Result = Failed
	}
	delete(v.Record.UnlockProofs, r.Kind)
	signIn := v.Claims.Purpose == token.PurposeSignIn && r.Task != Confirm
	if st.LockedUntil.IsZero() && signIn && v.Record.Lockout.Kinds[r.Kind].Streak >= warnAfter {
		o.Warned = v.Warn(v.Record, v.Now)
	}
	return o
}

// endIssued ends what was issued, if it is still there.
func (v View) endIssued(kind string, code *record.Code) {
	same := func(c *record.Code) bool {
		return c != nil && code != nil && c.Challenge == code.Challenge &&
			c.Issued == code.Issued && bytes.Equal(c.Keep, code.Keep)
	}
	if c, ok := v.Record.Codes[kind]; ok && same(&c) {
		delete(v.Record.Codes, kind)
	}
	for i := range v.Record.Pending {
		if p := &v.Record.Pending[i]; p.Instance.Kind == kind && same(p.Code) {
			p.Code = nil
		}
	}
}

// refuseUncounted returns the outcome of an incorrect response that is not counted. Nothing keeps
// it from being given again, so the user is notified of a copied instance once a day at most.
func (v View) refuseUncounted(said Said) (o Outcome, write bool) {
	o = Outcome{Result: Uncounted, At: v.Now, Err: said.Refusal,
		Cloned: errors.Is(said.Refusal, ErrCloned), Outdated: v.noteOutdated(said)}
	if o.Cloned {
		o.Warned = v.Warn(v.Record, v.Now)
	}
	return o, o.Warned || o.Outdated
}

// accept changes the record by a correct response.
func (v View) accept(r *Response, said Said) (o Outcome) {
	in := said.Target.Instance
	if said.Verdict.State != nil {
		in.State = bytes.Clone(said.Verdict.State)
	}
	in.Used, in.Remaining, in.Ends = v.Now.UnixMilli(), said.Remaining, said.Ends
	in.Key = said.Key
	v.Record.SetOutdated(in.ID, false)
	if r.Task != Unlock {
		v.Record.Lockout = v.Lockout.Succeed(v.Record.Lockout, r.Kind, v.Now)
	}
	switch r.Task {
	case Confirm:
		p := v.Record.PendingByID(in.ID)
		if err := cmp.Or(said.NotStored, v.refusedKey(in)); err != nil {
			v.Record.RemovePending(in.ID) // the code is used
			return v.refused(err)
		}
		v.nameUnnamed(p, said.Verdict.Name)
		allowed, _ := v.permitsConfirm(p) // Admit has asked
		o = v.confirm(*p, allowed)
	case Unlock:
		o = v.acceptUnlock(r.Kind)
	case Passwordless:
		o = v.acceptPasswordless(in)
	default:
		o = v.acceptVerify(r, in)
	}
	o.At, o.FactorID, o.Cloned = v.Now, in.ID, said.Verdict.Cloned
	if id := in.ID; said.Verdict.Ended && id != "" {
		v.EndFactors(v.Record, func(in record.Instance) bool { return in.ID == id })
	}
	return o
}

// acceptVerify accepts a correct response to a challenge.
func (v View) acceptVerify(r *Response, in *record.Instance) Outcome {
	rec, recovery := v.Record, v.Kinds[r.Kind].Recovery
	rec.Use(v.Claims.ID, v.Claims.Issued)
	delete(rec.Codes, r.Kind)
	if recovery {
		rec.Devices = nil // a user who recovers may have lost them
	} else {
		rec.RecoveryLink, rec.Recovery = nil, nil // what was said to be lost is not
	}
	if v.Restricted(in) {
		return Outcome{Result: EnrollmentRequired, Required: v.required(in)}
	}
	verified := v.verified(in)
	if r.Remember != nil && !recovery {
		v.remember(verified, *r.Remember)
	}
	return Outcome{Result: Verified, Verification: verified}
}

// acceptPasswordless accepts a correct response in place of both factors.
func (v View) acceptPasswordless(in *record.Instance) Outcome {
	v.Record.Use(v.Claims.ID, v.Claims.Issued)
	v.Record.RecoveryLink, v.Record.Recovery = nil, nil
	verified := v.verified(in)
	verified.Passwordless = true
	return Outcome{Result: Verified, Verification: verified}
}

// required returns what a correct response of a kind that the policy bans leads to.
func (v View) required(in *record.Instance) *Required {
	g := *v.Claims
	g.Epoch, g.Proof = v.Record.Epoch[:], v.proofBy(in)
	g.Forced = v.Claims.Purpose == token.PurposeSignIn
	v.Claims = &g
	return &Required{Grant: g, Kinds: v.EnrollableBy(g.Proof)}
}

// verified returns what the proof of an instance gives.
func (v View) verified(in *record.Instance) *Verification {
	out := &Verification{Instance: *in, Purpose: v.Claims.Purpose, Grant: *v.Claims,
		Renew: v.Record.IsToRenew(in.ID)}
	g := &out.Grant
	g.Epoch = v.Record.Epoch[:]
	if g.Proof.Origin == 0 { // confirming an enrolment keeps the proof of the grant that opened it
		g.Proof = v.proofBy(in)
	}
	if g.Proof.Origin == authority.OriginRecovery {
		v.Claims = g
		out.EnrollKinds = v.EnrollableBy(g.Proof)
	}
	out.CodesDue = !v.Claims.SkipCodes && v.asksForCodes(g.Proof)
	return out
}

// remember adds a device to the user's, if the policy that the challenge was begun under allows
// it.
func (v View) remember(to *Verification, d NewDevice) {
	if v.Claims.Remember <= 0 || d.Name == "" || v.resists() {
		return
	}
	added := record.Device{ID: d.ID, Name: d.Name, Created: v.Now.UnixMilli(),
		Expires: v.Now.UnixMilli() + v.Claims.Remember}
	added.SetSecret(d.Secret)
	v.Record.AddDevice(added)
	to.DeviceName, to.DeviceExpires = d.Name, record.Instant(added.Expires)
}
