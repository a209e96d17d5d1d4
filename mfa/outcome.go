package mfa

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa/internal/record"
)

// result is what became of a response. The table is everything that can happen to one:
//
//	result                    counted  signs in  the caller gets
//	resultRefused             no       no        the error that says why: locked, disabled, ended …
//	resultIncorrect           yes      no        *AttemptError of factor.ErrIncorrect
//	resultReplayed            yes      no        *AttemptError of factor.ErrReplayed
//	resultFailed              yes      no        *AttemptError of ErrUnavailable: the factor failed
//	resultExpired             no       no        factor.ErrExpired: correct, and too late
//	resultUncounted           no       no        what the factor refuses, where nobody is known yet
//	resultVerified            clears   yes       the Verification
//	resultEnrollmentRequired  clears   no        *EnrollmentRequiredError
//	resultConfirmed           clears   if begun by a sign-in   the Confirmation
//	resultProven              no       no        how many more it takes to enable the kind
//	resultEnabled             clears   no        nothing more: the kind is enabled again
//
// "Counted" is a failed attempt; "clears" is a success, which ends the count of the kind.
type result uint8

const (
	resultRefused result = iota
	resultIncorrect
	resultReplayed
	resultFailed
	resultExpired
	resultUncounted
	resultVerified
	resultEnrollmentRequired
	resultConfirmed
	resultProven
	resultEnabled
)

// outcome is the result of one response with what belongs to it. decide makes it together with
// the new record. The events, the notices and what the caller is told are derived from it in
// conclude, after the record has been swapped, and nowhere else.
type outcome struct {
	result result
	// at is the record's time.
	at time.Time
	// err is what is refused, or what the factor says.
	err error
	// factorID is the instance that accepted the response.
	factorID string
	// status is how the kind stands after a failed attempt.
	status lockout.Status
	// verification, required and confirmation are what a correct response gives.
	verification *Verification
	required     *EnrollmentRequiredError
	confirmation *Confirmation
	confirmed    confirmed
	// remaining is how many more correct responses it takes to enable the kind.
	remaining int
	// remembered is the name of the device that is remembered from now on, or empty.
	remembered string
	// cloned says that the instance may have been copied.
	cloned bool
	// warned says that the user is notified of a failed attempt now, or of an instance that was
	// copied: that is limited, because an attacker may repeat it.
	warned bool
	// to is where the user is notified, as known before anything changed, and silent are the
	// events of which the user has been sent as many notices as a day has.
	to     []recipient
	silent []string
}

// confirmed is what a confirmed enrolment did.
type confirmed struct {
	event     string
	factorID  string
	name      string
	heldUntil time.Time
}

// conclude turns an outcome that has been committed into what the caller is told, and reports
// it. err is why there is none.
func (m *Manager) conclude(ctx context.Context, a *attempt, o outcome, err error) (outcome, error) {
	if err != nil {
		o = outcome{result: resultRefused, at: a.now, err: err}
	}
	m.emit(ctx, m.outcomeEvents(a, &o))
	return o, a.told(&o)
}

// countNotices counts the notices of an outcome in the record that is about to be written.
func (m *Manager) countNotices(r *record.Record, a *attempt, o *outcome) {
	if len(o.to) == 0 {
		return
	}
	for _, e := range m.outcomeEvents(a, o) {
		if e.notice != nil && noticed(r, e.notice, e).notice == nil {
			o.silent = append(o.silent, e.Name)
		}
	}
}

// told is the error that the caller gets.
func (a *attempt) told(o *outcome) error {
	switch o.result {
	case resultIncorrect, resultReplayed, resultFailed:
		return &AttemptError{Kind: a.factor.Kind(), Remaining: o.status.Remaining,
			LockedUntil: o.status.LockedUntil, Err: o.err}
	case resultEnrollmentRequired:
		return o.required
	default:
		return o.err
	}
}

// outcomeEvents are the events of an outcome. Those that the user is notified of carry a notice.
func (m *Manager) outcomeEvents(a *attempt, o *outcome) []Event {
	if m.cfg.Events == nil && m.cfg.Notify == nil {
		return nil
	}
	l := eventList{m: m, a: a, o: o}
	switch o.result {
	case resultRefused:
		l.refused()
	case resultIncorrect, resultReplayed, resultFailed, resultExpired, resultUncounted:
		l.failed()
	case resultVerified:
		l.verified(o.verification)
	case resultEnrollmentRequired:
		l.add("verify.success", func(e *Event) { e.Reason = "enrollment-required" })
	case resultConfirmed:
		l.confirmed()
	case resultProven:
		l.add("unlock.proof", func(e *Event) { e.Remaining = o.remaining })
	case resultEnabled:
		l.notify(l.add("lockout.unlocked", func(e *Event) { e.Remaining = 0 }), "")
	}
	if o.cloned {
		cloned := l.add("factor.cloned", nil)
		if o.result != resultUncounted || o.warned {
			l.notify(cloned, "")
		}
	}
	return l.events
}

// eventList collects the events of one outcome.
type eventList struct {
	m      *Manager
	a      *attempt
	o      *outcome
	events []Event
}

// add adds an event about the factor that the response was for.
func (l *eventList) add(name string, more func(*Event)) *Event {
	e := l.m.event(name, l.a.claims.Subject, l.o.at, nil)
	e.Kind, e.FactorID, e.Purpose = l.a.factor.Kind(), l.o.factorID, string(l.a.claims.Purpose)
	if more != nil {
		more(&e)
	}
	l.events = append(l.events, e)
	return &l.events[len(l.events)-1]
}

// notify makes an event one that the user is notified of; label names a factor or a device.
func (l *eventList) notify(e *Event, label string) {
	if len(l.o.to) > 0 && !slices.Contains(l.o.silent, e.Name) {
		e.notice = &notice{to: l.o.to, person: l.a.claims.Subject.FactorUser(), label: label}
	}
}

// refused is for a response that was not verified. Only a lock is worth an event: what was
// asked of a locked user.
func (l *eventList) refused() {
	var locked *LockedError
	if errors.As(l.o.err, &locked) {
		l.add("verify.locked", func(e *Event) { e.LockedUntil = locked.Until })
	}
}

// failed is for a response that the factor refused.
func (l *eventList) failed() {
	o, st := l.o, l.o.status
	name, counted := "verify.failure", o.result <= resultFailed
	if l.a.task == taskConfirm {
		name = "confirm.failure"
	}
	add := func(name string) *Event {
		return l.add(name, func(e *Event) {
			e.Reason = o.reason()
			if counted {
				e.Remaining, e.LockedUntil = st.Remaining, st.LockedUntil
			}
		})
	}
	switch first := add(name); {
	case !counted:
		return
	case !st.LockedUntil.IsZero():
		l.notify(add("lockout.locked"), "")
	case o.warned:
		l.notify(first, "")
	}
	if st.Disabled {
		e := add("lockout.disabled")
		if l.a.task == taskVerify { // in the others the kind was disabled before
			l.notify(e, "")
		}
	}
}

// reason distinguishes failed attempts in events.
func (o *outcome) reason() string {
	switch weight(o.err) {
	case weightReplayed:
		return "replayed"
	case weightExpired:
		return "expired"
	case weightFailed:
		return "failed"
	default:
		return "incorrect"
	}
}

// verified is for a response that signs in, or that proves presence.
func (l *eventList) verified(v *Verification) {
	add := func(name string) *Event {
		return l.add(name, func(e *Event) {
			e.FactorID, e.Purpose, e.Remaining = v.FactorID, v.Purpose, v.RecoveryCodesRemaining
		})
	}
	if first := add("verify.success"); v.Passwordless {
		first.Reason = "passwordless"
	}
	if isRecovery(l.a.factor) {
		l.notify(add("recovery.used"), "")
	}
	if v.RecoveryCodesRemaining >= 0 && v.RecoveryCodesRemaining <= recoveryLow {
		l.notify(add("recovery.low"), "")
	}
	if l.o.remembered != "" {
		l.notify(l.add("device.remembered", func(e *Event) { e.FactorID, e.Purpose = "", "" }), l.o.remembered)
	}
}

// confirmed is for an enrolment that took effect.
func (l *eventList) confirmed() {
	c := l.o.confirmed
	l.notify(l.add(c.event, func(e *Event) {
		e.FactorID, e.HeldUntil, e.Purpose = c.factorID, c.heldUntil, ""
	}), c.name)
	if v := l.o.confirmation.Verification; v != nil {
		l.verified(v)
	}
}
