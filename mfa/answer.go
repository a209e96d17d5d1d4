package mfa

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa/factor"
)

const maxResponse = 8192

// attempt is one response on its road: read the record, refuse or judge, apply, swap, tell.
// Verifying a challenge and confirming an enrolment differ only in the two functions.
type attempt struct {
	factor  factor.Factor
	subject subject
	purpose purpose
	text    string // normalised
	opened  time.Time
	now     time.Time // the clock, read once
	// confirming an enrolment, which also is the way out of a stopped kind.
	confirming bool
	// unlocking a stopped kind by right answers, one of which does not clear its count.
	unlocking bool
	// named is the identity that the answer names, of a factor.Identifier where it matters:
	// only the instance that has it accepts.
	named []byte
	// uncounted: a wrong answer is not counted, and alone must verify the person, because
	// nobody has passed a first factor.
	uncounted bool
	// find refuses the answer without judging or counting it (an error), or returns what
	// it is to be judged against. now is the record's time.
	find func(r *record, now time.Time) ([]target, error)
	// accept makes of the record what a right answer makes of it.
	accept func(r *record, t target, v *factor.Verdict, now time.Time) []Event
}

// target is an instance and what was issued for it.
type target struct {
	*instance
	live *live
	// others are codes that were sent to the user and are for no target.
	others []live
}

// normalize returns the response as the factor is given it. What it refuses is no answer
// at all; it looks at no state, so that tells nothing.
func (m *Manager) normalize(f factor.Factor, response factor.Secret) (string, error) {
	s := response.Reveal()
	if s == "" || len(s) > maxResponse || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return "", fmt.Errorf("%w: an answer has 1 to %d bytes of UTF-8 without NUL", factor.ErrMalformed, maxResponse)
	}
	return callNormalize(f, s)
}

// judged is what became of an answer in one turn of the update loop; it counts only once
// the turn is committed.
type result struct {
	err    error
	events []Event
}

// take runs an answer to its end.
func (m *Manager) respond(ctx context.Context, a *attempt) error {
	if a.factor.Traits().Expensive {
		return m.respondExpensive(ctx, a)
	}
	var out result
	err := m.update(ctx, a.subject, a.now, func(r *record) (bool, error) {
		out = result{}
		now := r.at(a.now)
		targets, err := m.admit(r, a, now)
		if err != nil {
			return false, err
		}
		won, verdict, refusal := m.verifyTargets(ctx, a, targets, now)
		if refusal == nil {
			out.events = m.applyCorrect(r, a, won, verdict, now)
			return true, nil
		}
		switch {
		case ctx.Err() != nil:
			return false, unavailable(ctx.Err())
		case weight(refusal) == weightExpired && !a.uncounted:
			out = m.applyExpired(a, refusal, now)
			return false, nil
		case a.uncounted:
			var write bool
			out.events, write, out.err = m.applyUncounted(r, a, refusal, now)
			return write, nil
		}
		out.events, out.err = m.applyIncorrect(r, a, refusal, now)
		return true, nil
	})
	return m.tell(ctx, a, err, out)
}

// admit refuses what must not be judged: a locked person's answer, a stopped kind's, and
// what find refuses.
func (m *Manager) admit(r *record, a *attempt, now time.Time) ([]target, error) {
	st := m.cfg.Lockout.Status(r.Lockout, a.factor.Kind(), now)
	if !st.LockedUntil.IsZero() {
		return nil, &LockedError{Until: st.LockedUntil, RetryAfter: st.LockedUntil.Sub(now)}
	}
	targets, err := a.find(r, now)
	if err != nil {
		return nil, err
	}
	switch {
	case a.unlocking && !st.Disabled:
		return nil, fmt.Errorf("%w: the kind is not stopped", ErrNotAvailable)
	case st.Disabled && !a.confirming && !a.unlocking:
		return nil, &DisabledError{Kind: a.factor.Kind()}
	}
	if f, sends := a.factor.(factor.Challenger); sends && !f.Traits().SharedChallenge {
		others := r.others(f, targets, now)
		for i := range targets {
			targets[i].others = others
		}
	}
	return targets, nil
}

// judge asks the factor about each target until one accepts. The refusal that tells most
// is returned: replayed before expired before incorrect, and a failure of the factor
// before them all.
func (m *Manager) verifyTargets(ctx context.Context, a *attempt, targets []target, now time.Time) (won target, v *factor.Verdict, refusal error) {
	refusal = factor.ErrIncorrect
	for _, t := range targets {
		in := a.input(t)
		v, err := callVerify(ctx, a.factor, in)
		if err == nil && t.live != nil && !now.Before(in.Expires) {
			err = factor.ErrExpired // whatever the factor thinks of it, and of a clock that went back
		}
		if err == nil {
			err = a.suffices(t, v)
		}
		if err == nil {
			return t, v, nil
		}
		if weight(err) > weight(refusal) {
			refusal = err
		}
	}
	if weight(refusal) == weightIncorrect {
		refusal = m.recogniseCode(ctx, a, targets, refusal)
	}
	return target{}, nil, refusal
}

// input is what the factor is asked about a target.
func (a *attempt) input(t target) factor.VerifyInput {
	in := factor.VerifyInput{User: a.subject.person(), State: t.State, Response: a.text,
		Opened: a.opened, Confirming: a.confirming, Now: a.now}
	if t.live != nil {
		in.Issued = t.live.Keep
		in.IssuedAt = time.UnixMilli(t.live.Issued).UTC()
		in.Expires = time.UnixMilli(t.live.Expires).UTC()
	}
	return in
}

// suffices looks at a verdict with what the Manager knows and the factor does not.
func (a *attempt) suffices(t target, v *factor.Verdict) error {
	if a.named != nil {
		state := v.State
		if state == nil {
			state = t.State
		}
		if !bytes.Equal(a.factor.(factor.Identifier).Identity(state), a.named) {
			return errors.New("the factor accepted an answer that names another instance")
		}
	}
	if a.uncounted && !v.UserVerified {
		return fmt.Errorf("%w: it does not prove who holds the device", factor.ErrIncorrect)
	}
	return nil
}

// The weights of refusals: of several, the heaviest is told.
const (
	weightIncorrect = iota
	weightExpired
	weightReplayed
	weightFailed
)

func weight(err error) int {
	switch {
	case errors.Is(err, factor.ErrIncorrect):
		return weightIncorrect
	case errors.Is(err, factor.ErrExpired):
		return weightExpired
	case errors.Is(err, factor.ErrReplayed):
		return weightReplayed
	default:
		return weightFailed
	}
}

// right applies a right answer.
func (m *Manager) applyCorrect(r *record, a *attempt, t target, v *factor.Verdict, now time.Time) []Event {
	if v.State != nil {
		t.State = bytes.Clone(v.State)
	}
	t.Used = now.UnixMilli()
	if !a.unlocking {
		r.Lockout = m.cfg.Lockout.Succeed(r.Lockout, a.factor.Kind(), now)
	}
	events := a.accept(r, t, v, now)
	if v.Cloned {
		events = append(events, m.withNotice(r, a.subject, "", m.cloned(a, t.ID, now)))
	}
	if id := t.ID; v.Ended && id != "" {
		m.endFactors(r, func(in instance) bool { return in.ID == id })
	}
	return events
}

// cloned is the event of an answer by an instance that seems to have been copied.
func (m *Manager) cloned(a *attempt, id string, now time.Time) Event {
	return m.event("factor.cloned", a.subject, now, func(e *Event) {
		e.Kind, e.FactorID, e.Purpose = a.factor.Kind(), id, string(a.purpose)
	})
}

// wrong counts a refused answer.
func (m *Manager) applyIncorrect(r *record, a *attempt, refusal error, now time.Time) ([]Event, error) {
	var st lockout.Status
	r.Lockout, st = m.cfg.Lockout.Fail(r.Lockout, a.factor.Kind(), now)
	return m.refuse(r, a, refusal, st, now)
}

// refuse makes the error and the events of a refused answer that has been counted.
func (m *Manager) refuse(r *record, a *attempt, refusal error, st lockout.Status, now time.Time) ([]Event, error) {
	reason := "incorrect"
	switch weight(refusal) {
	case weightReplayed:
		reason = "replayed"
	case weightFailed:
		reason, refusal = "failed", unavailable(refusal)
	}
	kind := a.factor.Kind()
	delete(r.Proofs, kind)
	mk := func(name string) Event {
		return m.event(name, a.subject, now, func(e *Event) {
			e.Kind, e.Purpose, e.Reason, e.Remaining, e.LockedUntil = kind, string(a.purpose), reason, st.Remaining, st.LockedUntil
		})
	}
	name := "verify.failure"
	if a.confirming {
		name = "confirm.failure"
	}
	events := []Event{mk(name)}
	told := func(name string) Event { return m.withNotice(r, a.subject, "", mk(name)) }
	switch {
	case !st.LockedUntil.IsZero():
		events = append(events, told("lockout.locked"))
	case a.purpose == purposeSignIn && !a.confirming && r.Lockout.Kinds[kind].Streak >= warnAfter && m.warn(r, now):
		events[0] = told(name)
	}
	switch {
	case st.Disabled && (a.confirming || a.unlocking): // it was before
		events = append(events, mk("lockout.disabled"))
	case st.Disabled:
		events = append(events, told("lockout.disabled"))
	}
	if errors.Is(refusal, factor.ErrCloned) {
		events = append(events, m.withNotice(r, a.subject, "", m.cloned(a, "", now)))
	}
	return events, &AttemptError{Kind: kind, Remaining: st.Remaining, LockedUntil: st.LockedUntil, Err: refusal}
}

// tell gives the verdict, now that it is committed.
func (m *Manager) tell(ctx context.Context, a *attempt, err error, out result) error {
	if err == nil {
		m.emit(ctx, out.events)
		return out.err
	}
	var locked *LockedError
	if errors.As(err, &locked) {
		m.emit(ctx, []Event{m.event("verify.locked", a.subject, a.now, func(e *Event) {
			e.Kind, e.Purpose, e.LockedUntil = a.factor.Kind(), string(a.purpose), locked.Until
		})})
	}
	return err
}
