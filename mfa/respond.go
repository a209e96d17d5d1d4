package mfa

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// This file is the way of one response: read the record, refuse or verify, decide, swap,
// conclude. Verifying a challenge, confirming an enrolment, enabling a disabled kind and signing
// in without a password are the same way with another task.

const maxResponse = 8192

// task is what a response is given for.
type task uint8

const (
	// taskVerify responds to a challenge.
	taskVerify task = iota + 1
	// taskConfirm confirms an enrolment, which also is a way out of a disabled kind.
	taskConfirm
	// taskUnlock enables a disabled kind by correct responses in a row.
	taskUnlock
	// taskPasswordless takes the place of the first factor too. Nobody has passed one, so an
	// incorrect response is not counted, and a correct one must verify the user by itself.
	taskPasswordless
)

// attempt is one response: what it is, for which challenge or enrolment, and when.
type attempt struct {
	task   task
	factor factor.Factor
	// claims are those of the challenge or the enrolment.
	claims *claims
	text   string // normalised
	// named is the identity that the response names, of a factor.Identifier where it matters:
	// only the instance that has it accepts.
	named []byte
	// remember is a name for the device, if it is to be remembered.
	remember string
	// opened is when the challenge or the enrolment was begun, and now is the clock.
	opened, now time.Time
}

// target is an instance and what was issued for it.
type target struct {
	*instance
	live *live
	// others are codes that were sent to the user and are for no target.
	others []live
}

// answer is what the factor says of a response: the target that accepts it, or a refusal.
type answer struct {
	target  target
	verdict *factor.Verdict
	refusal error
}

// normalize returns the response as the factor is given it. What it refuses could never be
// correct; it looks at no state, so that says nothing.
func (m *Manager) normalize(f factor.Factor, response secret.Text) (string, error) {
	s := response.Reveal()
	if s == "" || len(s) > maxResponse || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return "", fmt.Errorf("%w: a response has 1 to %d bytes of UTF-8 without NUL",
			factor.ErrMalformed, maxResponse)
	}
	return callNormalize(f, s)
}

// respond takes a response from the record to what the caller is told.
func (m *Manager) respond(ctx context.Context, a *attempt) (outcome, error) {
	if a.factor.Traits().Expensive {
		return m.respondExpensive(ctx, a)
	}
	var o outcome
	err := m.update(ctx, a.claims.Subject, a.now, func(r *record) (write bool, err error) {
		now := r.at(a.now)
		targets, err := m.admit(r, a, now)
		if err != nil {
			return false, err
		}
		said := m.ask(ctx, a, targets, now)
		if said.refusal != nil && ctx.Err() != nil {
			return false, unavailable(ctx.Err())
		}
		if o, write = m.decide(r, a, said, now); write {
			m.countNotices(r, a, &o)
		}
		return write, nil
	})
	return m.conclude(ctx, a, o, err)
}

// admit refuses what must not be verified: a locked user's response, one to a disabled kind, and
// one to what has ended. It returns what the response is to be verified against.
func (m *Manager) admit(r *record, a *attempt, now time.Time) ([]target, error) {
	st := m.cfg.Lockout.Status(r.Lockout, a.factor.Kind(), now)
	if !st.LockedUntil.IsZero() {
		return nil, &LockedError{Until: st.LockedUntil, RetryAfter: st.LockedUntil.Sub(now)}
	}
	targets, err := m.targets(r, a, now)
	if err != nil {
		return nil, err
	}
	switch {
	case a.task == taskUnlock && !st.Disabled:
		return nil, fmt.Errorf("%w: the kind is not disabled", ErrNotAvailable)
	case st.Disabled && a.task != taskConfirm && a.task != taskUnlock:
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

// targets are what a response is verified against, for its task.
func (m *Manager) targets(r *record, a *attempt, now time.Time) ([]target, error) {
	switch a.task {
	case taskConfirm:
		return m.confirmTargets(r, a, now)
	case taskPasswordless:
		return m.passwordlessTargets(r, a, now)
	case taskUnlock:
		if err := a.claims.answerable(r, now, m.cfg.ChallengeTTL); err != nil {
			return nil, err
		}
		if err := r.unlockSpaced(a.factor.Kind(), now); err != nil {
			return nil, err
		}
	default:
		if err := a.claims.answerable(r, now, m.cfg.ChallengeTTL); err != nil {
			return nil, err
		}
	}
	return m.challengeTargets(r, a.claims, a.factor)
}

// ask asks the factor about each target until one accepts. Of several refusals the heaviest is
// returned: a failure of the factor before replayed, before expired, before incorrect.
func (m *Manager) ask(ctx context.Context, a *attempt, targets []target, now time.Time) answer {
	refusal := error(factor.ErrIncorrect)
	for _, t := range targets {
		in := a.input(t)
		v, err := callVerify(ctx, a.factor, in)
		if err == nil && t.live != nil && !now.Before(in.Expires) {
			err = factor.ErrExpired // whatever the factor makes of it, and of a clock that went back
		}
		if err == nil {
			err = a.suffices(t, v)
		}
		if err == nil {
			return answer{target: t, verdict: v}
		}
		if weight(err) > weight(refusal) {
			refusal = err
		}
	}
	if weight(refusal) == weightIncorrect {
		refusal = m.recogniseCode(ctx, a, targets, refusal)
	}
	return answer{refusal: refusal}
}

// input is what the factor is asked about a target.
func (a *attempt) input(t target) factor.VerifyInput {
	in := factor.VerifyInput{User: a.claims.Subject.person(), State: t.State, Response: a.text,
		Opened: a.opened, Confirming: a.task == taskConfirm, Now: a.now}
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
			return errors.New("the factor accepted a response that names another instance")
		}
	}
	if a.task == taskPasswordless && !v.UserVerified {
		return fmt.Errorf("%w: it does not prove who holds the device", factor.ErrIncorrect)
	}
	return nil
}

// The weights of refusals: of several, the heaviest is returned.
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
