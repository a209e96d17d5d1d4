package mfa

import (
	"bytes"
	"errors"
	"time"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa/factor"
)

// This file decides what a response does to the record. It reads no clock and no store, and
// calls nobody: what the factor says of the response is an input.

// decide changes the record by what the factor says of a response, and returns the outcome.
// write says whether the record is to be written.
func (m *Manager) decide(r *record, a *attempt, said answer, now time.Time) (o outcome, write bool) {
	switch {
	case said.refusal == nil:
		return m.accept(r, a, said, now), true
	case a.task == taskPasswordless:
		return m.refuseUncounted(r, a, said.refusal, now)
	case weight(said.refusal) == weightExpired:
		return outcome{result: resultExpired, at: now, err: said.refusal}, false
	}
	var st lockout.Status
	r.Lockout, st = m.cfg.Lockout.Fail(r.Lockout, a.factor.Kind(), now)
	return m.refuseCounted(r, a, said.refusal, st, now), true
}

// refuseCounted is the outcome of a failed attempt that has been counted.
func (m *Manager) refuseCounted(
	r *record, a *attempt, refusal error, st lockout.Status, now time.Time,
) outcome {
	o := outcome{result: resultIncorrect, at: now, err: refusal, status: st,
		cloned: errors.Is(refusal, errCloned), to: m.recipients(r, a.claims.Subject)}
	switch weight(refusal) {
	case weightReplayed:
		o.result = resultReplayed
	case weightFailed:
		o.result, o.err = resultFailed, unavailable(refusal)
	}
	kind := a.factor.Kind()
	delete(r.Proofs, kind)
	signIn := a.claims.Purpose == purposeSignIn && a.task != taskConfirm
	if st.LockedUntil.IsZero() && signIn && r.Lockout.Kinds[kind].Streak >= warnAfter {
		o.warned = m.warn(r, now)
	}
	return o
}

// refuseUncounted is the outcome of an incorrect response that is not counted. Nothing keeps it
// from being given again, so the user is notified of a copied instance once a day at most.
func (m *Manager) refuseUncounted(
	r *record, a *attempt, refusal error, now time.Time,
) (o outcome, write bool) {
	o = outcome{result: resultUncounted, at: now, err: refusal,
		cloned: errors.Is(refusal, errCloned)}
	if weight(refusal) == weightFailed {
		o.err = unavailable(refusal)
	}
	if o.cloned {
		o.warned, o.to = m.warn(r, now), m.recipients(r, a.claims.Subject)
	}
	return o, o.warned
}

// accept changes the record by a correct response.
func (m *Manager) accept(r *record, a *attempt, said answer, now time.Time) (o outcome) {
	t, v, kind := said.target, said.verdict, a.factor.Kind()
	if v.State != nil {
		t.State = bytes.Clone(v.State)
	}
	t.Used = now.UnixMilli()
	if a.task != taskUnlock {
		r.Lockout = m.cfg.Lockout.Succeed(r.Lockout, kind, now)
	}
	switch a.task {
	case taskConfirm:
		o = m.acceptConfirm(r, a, t, now)
	case taskUnlock:
		o = m.acceptUnlock(r, a, now)
	case taskPasswordless:
		o = m.acceptPasswordless(r, a, t, now)
	default:
		o = m.acceptVerify(r, a, t, now)
	}
	o.at, o.factorID = now, t.ID
	if o.cloned = v.Cloned; o.cloned && o.to == nil {
		o.to = m.recipients(r, a.claims.Subject)
	}
	if id := t.ID; v.Ended && id != "" {
		m.endFactors(r, func(in instance) bool { return in.ID == id })
	}
	return o
}

// acceptVerify is a correct response to a challenge.
func (m *Manager) acceptVerify(r *record, a *attempt, t target, now time.Time) (o outcome) {
	c := a.claims
	r.spend(c.ID, c.Issued)
	delete(r.Live, a.factor.Kind())
	recovery := isRecovery(a.factor)
	if recovery {
		r.Devices = nil // a user who recovers may have lost them
	} else {
		r.Setup, r.Recovering = nil, nil // what was said to be lost is not
	}
	if m.restricted(r, c, t.instance) {
		o.result, o.required = resultEnrollmentRequired, m.enrollmentRequired(r, c, t.instance, now)
		return o
	}
	o.result, o.verification = resultVerified, m.verification(r, c, t.instance, now)
	if !recovery && m.remember(r, c, a.remember, o.verification, now) {
		o.remembered = a.remember
	}
	if o.remembered != "" || o.verification.RecoveryCodesRemaining >= 0 || recovery {
		o.to = m.recipients(r, c.Subject)
	}
	return o
}

// acceptPasswordless is a correct response in place of both factors.
func (m *Manager) acceptPasswordless(r *record, a *attempt, t target, now time.Time) outcome {
	r.spend(a.claims.ID, a.claims.Issued)
	r.Setup, r.Recovering = nil, nil
	v := m.verification(r, a.claims, t.instance, now)
	v.Passwordless = true
	return outcome{result: resultVerified, verification: v}
}

// acceptConfirm is the response of a new factor, which takes effect.
func (m *Manager) acceptConfirm(r *record, a *attempt, t target, now time.Time) outcome {
	p := r.pendingByID(t.ID)
	allowed, _ := m.permitsConfirm(r, a.claims, p) // admit has asked
	return m.confirm(r, a.claims, *p, allowed, now)
}

// acceptUnlock is one of the correct responses in a row that enable a disabled kind.
func (m *Manager) acceptUnlock(r *record, a *attempt, now time.Time) outcome {
	kind := a.factor.Kind()
	delete(r.Live, kind)
	p := r.Proofs[kind]
	if now.UnixMilli() >= p.Last+proofWindow.Milliseconds() {
		p.Count = 0
	}
	p.Count, p.Last = p.Count+1, now.UnixMilli()
	if p.Count < proofsNeeded {
		if r.Proofs == nil {
			r.Proofs = make(map[string]unlockProofs)
		}
		r.Proofs[kind] = p
		return outcome{result: resultProven, remaining: proofsNeeded - p.Count}
	}
	delete(r.Proofs, kind)
	r.Lockout = m.cfg.Lockout.Succeed(r.Lockout, kind, now)
	return outcome{result: resultEnabled, to: m.recipients(r, a.claims.Subject)}
}

// isRecovery says whether a factor is a recovery kind.
func isRecovery(f factor.Factor) bool { return f.Traits().Recovery }
