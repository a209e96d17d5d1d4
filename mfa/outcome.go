package mfa

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
)

// This file turns an outcome into the events, the notices and what the caller gets, after the
// swap that records it, and nowhere else. The table at decide.Result lists everything that can
// happen to a response.

// decision is an outcome with where the user is notified of it.
type decision struct {
	decide.Outcome
	// to are the destinations that were known before anything changed, and silent are the events
	// of which the user has been sent as many notices as a day has.
	to     []recipient
	silent []string
	// write is the number of the write that recorded the outcome, or 0 if nothing was written.
	write int64
	// factors is [Verification].Factors.
	factors []FactorInfo
}

// reply is what the caller gets for a response.
type reply struct {
	verification *Verification
	confirmation *Confirmation
	// remaining is how many more correct responses it takes to enable the kind.
	remaining int
}

// decided returns a decision, and counts its notices in the record if that is to be written.
func (m *Manager) decided(
	r *record.Record, a *attempt, o decide.Outcome, to []recipient, write bool,
) decision {
	d := decision{Outcome: o, to: to}
	if write {
		d.write = r.NextWrite(a.now)
	}
	if _, identifies := a.factor.(factor.Identifier); identifies && o.Verification != nil {
		d.factors = m.enrolledOf(r, a.Kind, o.At)
	}
	if !write || len(to) == 0 {
		return d
	}
	for _, e := range m.outcomeEvents(a, d) {
		if e.notice != nil && noticed(r, e.notice, e).notice == nil {
			d.silent = append(d.silent, e.Name)
		}
	}
	return d
}

// conclude turns a decision that has been committed into what the caller gets, and reports
// it. err is why there is none.
func (m *Manager) conclude(
	ctx context.Context, a *attempt, d decision, err error,
) (reply, error) {
	if err != nil {
		d = decision{Outcome: decide.Outcome{Result: decide.Refused, At: a.now, Err: err}}
	}
	m.emit(ctx, m.outcomeEvents(a, d))
	if err := m.outcomeError(a.Kind, a.claims.Subject, &d.Outcome); err != nil {
		return reply{}, err
	}
	r := m.reply(a, &d.Outcome)
	if r.verification != nil {
		r.verification.Factors = d.factors
	}
	return r, nil
}

// outcomeError returns the error that the caller gets.
func (m *Manager) outcomeError(kind string, s token.Subject, o *decide.Outcome) error {
	switch o.Result {
	case decide.Locked:
		return lockedUntil(o.LockedUntil, o.At)
	case decide.Disabled:
		return &DisabledError{Kind: kind}
	case decide.Incorrect, decide.Replayed, decide.Failed:
		e := &AttemptError{Kind: kind, Remaining: o.Status.Remaining,
			LockedUntil: o.Status.LockedUntil, Err: o.Err}
		if o.Result == decide.Failed {
			e.Err = unavailable(o.Err)
		}
		return e
	case decide.Uncounted:
		if decide.WeightOf(o.Err) == decide.WeightFailed {
			return unavailable(o.Err)
		}
		return o.Err
	case decide.EnrollmentRequired:
		e := &EnrollmentRequiredError{Kinds: o.Required.Kinds}
		e.Grant, e.GrantExpires = m.grant(o.Required.Grant)
		return e
	default:
		return o.Err
	}
}

// lockedUntil returns the error for a lock.
func lockedUntil(until, now time.Time) error {
	return &LockedError{Until: until, RetryAfter: until.Sub(now)}
}

// reply returns what an outcome that is no error gives the caller.
func (m *Manager) reply(a *attempt, o *decide.Outcome) reply {
	r := reply{remaining: o.Remaining}
	if o.Verification != nil {
		r.verification = m.verification(a.claims.Subject, o.Verification, o.At)
		if a.Remember != nil && o.Verification.DeviceName != "" {
			r.verification.Device = m.deviceToken(a.claims.Subject, a.Remember.ID,
				a.Remember.Secret)
		}
	}
	if c := o.Confirmation; c != nil {
		r.confirmation = &Confirmation{UserID: a.claims.Subject.ID, Tenant: a.claims.Subject.Tenant,
			Factor: m.info(c.Instance, !c.Instance.Implicit), Verification: r.verification,
			Waits: c.Waits, RecoveryCodesDue: c.CodesDue}
		r.confirmation.Factor.HeldUntil = c.HeldUntil
		if c.Grant != nil {
			r.confirmation.Grant, r.confirmation.GrantExpires = m.grant(*c.Grant)
		}
	}
	return r
}

// verification returns what the caller gets for a correct response.
func (m *Manager) verification(
	s token.Subject, d *decide.Verification, now time.Time,
) *Verification {
	in, t := d.Instance, m.rules.Kinds[d.Instance.Kind]
	v := &Verification{UserID: s.ID, Tenant: s.Tenant, UserType: s.UserType,
		Purpose: string(d.Purpose), Kind: in.Kind, FactorID: in.ID, Time: now,
		RecoveryCodesRemaining: m.codesRemaining(in), EnrollKinds: d.EnrollKinds,
		Passwordless: d.Passwordless, DeviceExpires: d.DeviceExpires,
		RecoveryCodesDue: d.CodesDue, RenewalDue: d.Renew}
	if amr := cmp.Or(in.Key.AMR, t.AMR); amr != "" {
		v.AMR = append(make([]string, 0, 2), amr)
	}
	if !t.Recovery && !t.Knowledge {
		v.AMR = append(v.AMR, "mfa")
	}
	v.AssuranceLevel, v.ACR = assuranceOf(t.Traits, d.Renew)
	v.Grant, v.GrantExpires = m.grant(d.Grant)
	return v
}

// assuranceOf returns the AssuranceLevel and the ACR of a verification by a factor. One that is to
// be renewed proves the lower level.
func assuranceOf(t factor.Traits, renew bool) (level int, acr string) {
	level = 1
	if !t.Recovery && !t.Knowledge && t.Level >= factor.LevelStrong && !renew {
		level = 2
	}
	if t.Level == factor.LevelPhishingResistant {
		acr = acrPhishingResistant
	}
	return level, acr
}

// acrPhishingResistant is a value of OpenID Connect EAP ACR Values 1.0 section 2.
const acrPhishingResistant = "phr"

// remaining returns how many responses of an instance remain, or -1 for one that does not run out.
func (m *Manager) remaining(in record.Instance) int {
	if !m.rules.Kinds[in.Kind].Limited {
		return -1
	}
	return in.Remaining
}

// codesRemaining returns how many recovery codes remain, or -1 for an instance of another kind.
func (m *Manager) codesRemaining(in record.Instance) int {
	if !m.rules.Kinds[in.Kind].RecoveryCodes() {
		return -1
	}
	return in.Remaining
}

// recoveryLow is how few recovery codes are few.
const recoveryLow = 3

// low reports whether few recovery codes remain, or none. remaining is -1 for another kind.
func low(remaining int) bool { return remaining >= 0 && remaining <= recoveryLow }

// grant returns a grant of what its claims' proof permits.
func (m *Manager) grant(c token.Claims) (Grant, time.Time) {
	c.ID, c.Pending = record.Random16(), ""
	return Grant{token.New(m.cfg.Keys, token.KindGrant, c)}, c.Proof.Expires(m.rules.Lifetimes)
}

// outcomeEvents returns the events of an outcome. Those that the user is notified of carry a
// notice.
func (m *Manager) outcomeEvents(a *attempt, d decision) []Event {
	if m.cfg.Events == nil && m.cfg.Notify == nil {
		return nil
	}
	about := d // allocated for events alone
	l := eventList{m: m, a: a, d: &about}
	switch d.Result {
	case decide.Locked:
		l.add("verify.locked", func(e *Event) { e.LockedUntil = d.LockedUntil })
	case decide.Incorrect, decide.Replayed, decide.Failed, decide.Expired, decide.Uncounted:
		l.failed()
	case decide.Verified:
		l.verified(d.Verification)
	case decide.EnrollmentRequired:
		l.add("verify.success", func(e *Event) { e.Reason = "enrollment-required" })
	case decide.Confirmed:
		l.confirmed(d.Confirmation)
	case decide.Proven:
		l.add("unlock.proof", func(e *Event) { e.Remaining = d.Remaining })
	case decide.Enabled:
		l.notify(l.add("lockout.unlocked", func(e *Event) { e.Remaining = 0 }), "")
	}
	if d.Outdated {
		l.add("factor.outdated", nil)
	}
	if d.Cloned {
		cloned := l.add("factor.cloned", nil)
		if d.Result != decide.Uncounted || d.Warned {
			l.notify(cloned, "")
		}
	}
	return l.events
}

// eventList collects the events of one outcome.
type eventList struct {
	m      *Manager
	a      *attempt
	d      *decision
	events []Event
}

// add adds an event about the factor that the response was for.
func (l *eventList) add(name string, more func(*Event)) *Event {
	e := l.m.event(name, l.a.claims.Subject, l.d.At, nil)
	e.Write = l.d.write
	e.Kind, e.FactorID, e.Purpose = l.a.Kind, l.d.FactorID, string(l.a.claims.Purpose)
	if more != nil {
		more(&e)
	}
	l.events = append(l.events, e)
	return &l.events[len(l.events)-1]
}

// notify makes an event one that the user is notified of; label names a factor or a device.
func (l *eventList) notify(e *Event, label string) {
	if len(l.d.to) > 0 && !slices.Contains(l.d.silent, e.Name) {
		e.notice = &notice{to: l.d.to, user: l.a.claims.Subject.FactorUser(), label: label}
		if l.a.Task == decide.Verify {
			e.notice.cause = causeOf(l.a.claims)
		}
	}
}

// failed is for a response that the factor refused.
func (l *eventList) failed() {
	d, st := l.d, l.d.Status
	name := "verify.failure"
	if l.a.Task == decide.Confirm {
		name = "confirm.failure"
	}
	add := func(name string) *Event {
		return l.add(name, func(e *Event) {
			e.Reason = reasonOf(d.Err)
			if d.Result.Counted() {
				e.Remaining, e.LockedUntil = st.Remaining, st.LockedUntil
			}
		})
	}
	switch first := add(name); {
	case !d.Result.Counted():
		return
	case !st.LockedUntil.IsZero():
		l.notify(add("lockout.locked"), "")
	case d.Warned:
		l.notify(first, "")
	}
	if st.Disabled {
		e := add("lockout.disabled")
		if l.a.Task == decide.Verify { // in the others the kind was disabled before
			l.notify(e, "")
		}
	}
}

// reasonOf distinguishes failed attempts in events.
func reasonOf(refusal error) string {
	switch decide.WeightOf(refusal) {
	case decide.WeightReplayed:
		return "replayed"
	case decide.WeightExpired:
		return "expired"
	case decide.WeightFailed:
		return "failed"
	default:
		return "incorrect"
	}
}

// verified is for a response that signs in, or that proves presence.
func (l *eventList) verified(v *decide.Verification) {
	remaining := l.m.codesRemaining(v.Instance)
	add := func(name string) *Event {
		return l.add(name, func(e *Event) {
			e.FactorID, e.Purpose, e.Remaining = v.Instance.ID, string(v.Purpose), remaining
		})
	}
	if first := add("verify.success"); v.Passwordless {
		first.Reason = "passwordless"
	}
	if l.m.rules.Kinds[l.a.Kind].Recovery {
		l.notify(add("recovery.used"), "")
	}
	if low(remaining) {
		l.notify(add("recovery.low"), "")
	}
	if v.DeviceName != "" {
		l.notify(l.add("device.remembered", func(e *Event) { e.FactorID, e.Purpose = "", "" }),
			v.DeviceName)
	}
}

// changeEvents are the events of enrolments that took effect.
var changeEvents = map[decide.Change]string{
	decide.Added:           "factor.added",
	decide.Replaced:        "factor.replaced",
	decide.AddressVerified: "address.confirmed",
	decide.AddressMoved:    "address.changed",
	decide.Regenerated:     "recovery.regenerated",
	decide.OnHold:          "recovery.replacement",
}

// confirmed is for an enrolment that took effect.
func (l *eventList) confirmed(c *decide.Confirmation) {
	l.notify(l.add(changeEvents[c.Change], func(e *Event) {
		e.FactorID, e.HeldUntil, e.Purpose = c.Instance.ID, c.HeldUntil, ""
	}), c.Instance.Name)
	if l.d.Verification != nil {
		l.verified(l.d.Verification)
	}
}
