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
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/secret"
)

// This file has the steps of one response: read the record, refuse or verify, decide, swap,
// conclude. Verifying a challenge, confirming an enrolment, enabling a disabled kind and signing
// in without a password are the same way with another task.

const maxResponse = 8192

// attempt is one response: what it is, for which challenge or enrolment, and when.
type attempt struct {
	decide.Response
	factor factor.Factor
	// claims are those of the challenge or the enrolment.
	claims *token.Claims
	text   string // normalised
	// named is the identity that the response names, of a factor.Identifier where it matters:
	// only the instance that has it accepts.
	named []byte
	// missing is what a response that names its user is refused with if the user has no record. No
	// kind that signs in without a password is Expensive.
	missing error
	// store stores the address that a correct response verifies; nil where it moves none.
	store func(context.Context) error
	// opened is when the challenge or the enrolment was begun, and now is the clock.
	opened, now time.Time
}

// normalize returns the response as the factor is given it. What it refuses could never be
// correct; it looks at no state, so that says nothing.
func (m *Manager) normalize(f factor.Factor, response secret.Text) (string, error) {
	if f.Traits().Polled {
		return "", nil // whatever the client sent: what is not counted must hold no guess
	}
	s := response.Reveal()
	if s == "" || len(s) > maxResponse || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return "", fmt.Errorf("%w: a response has 1 to %d bytes of UTF-8 without NUL",
			factor.ErrMalformed, maxResponse)
	}
	return callNormalize(f, s)
}

// respond takes a response from the record to what the caller gets.
func (m *Manager) respond(ctx context.Context, a *attempt) (reply, error) {
	if a.factor.Traits().Expensive {
		return m.respondExpensive(ctx, a)
	}
	decide := func(r *record.Record) (decision, bool, error) {
		if r.Fresh && a.missing != nil {
			return decision{}, false, a.missing
		}
		v, response := m.viewOf(r, a)
		targets, refused := v.Admit(&response)
		if refused.Result != 0 {
			return decision{Outcome: refused}, false, nil
		}
		said := m.ask(ctx, a, targets, v.Now)
		if said.Refusal != nil && ctx.Err() != nil {
			return decision{}, false, unavailable(ctx.Err())
		}
		to := m.recipients(r, a.claims.Subject)
		o, write := v.Decide(&response, said)
		return m.decided(r, a, o, to, write), write, nil
	}
	if sealed, ok := m.recent.take(a); ok {
		d, err := updateFrom(ctx, m, sealed, a, decide)
		if !errors.Is(err, errDecideAgain) {
			return m.conclude(ctx, a, d, err)
		}
	}
	d, err := update(ctx, m, a.claims.Subject, a.now, decide)
	return m.conclude(ctx, a, d, err)
}

// viewOf returns what the decision about a response looks at.
func (m *Manager) viewOf(r *record.Record, a *attempt) (decide.View, decide.Response) {
	c, response := a.claims, a.Response
	if a.Task == decide.Passwordless {
		// The user was not known when the challenge was made.
		c, response.Named = decide.IssuedUnder(*c, r), namedInstances(r, a)
	}
	return m.view(r, c, r.At(a.now)), response
}

// ask asks the factor about each target until one accepts. Of several refusals the heaviest is
// returned: a failure of the factor before replayed, before expired, before incorrect, before
// pending.
func (m *Manager) ask(
	ctx context.Context, a *attempt, targets []decide.Target, now time.Time,
) decide.Said {
	said := decide.Said{Refusal: factor.ErrIncorrect}
	for i, t := range targets {
		in := a.input(t)
		v, err := m.callVerify(ctx, a.factor, in)
		if refusable(err) && t.Code != nil && !now.Before(in.Expires) {
			// whatever the factor makes of it, and of a clock that went back
			err = factor.ErrExpired
		}
		var accepted decide.Said
		if err == nil {
			accepted, err = m.accepted(a, t, v)
		}
		if err == nil {
			if a.store != nil {
				accepted.NotStored = callStore(ctx, a.store)
			}
			return accepted
		}
		if i == 0 || decide.WeightOf(err) > decide.WeightOf(said.Refusal) {
			said = decide.Said{Target: t, Refusal: err}
		}
	}
	if decide.WeightOf(said.Refusal) == decide.WeightIncorrect {
		said.Refusal = m.recogniseCode(ctx, a, targets, said.Refusal)
	}
	return said
}

// refusable says whether a response that is late is refused for that: one that would be accepted,
// and one that would go on waiting.
func refusable(err error) bool { return err == nil || errors.Is(err, factor.ErrPending) }

// accepted returns what the factor says when it accepts, and what it then says of the instance. A
// state that it cannot describe without a panic is not stored.
func (m *Manager) accepted(
	a *attempt, t decide.Target, v *factor.Verdict,
) (decide.Said, error) {
	after := record.Instance{Kind: t.Kind, State: t.State}
	if v.State != nil {
		after.State = v.State
	}
	if err := a.suffices(after.State, v); err != nil {
		return decide.Said{}, err
	}
	if err := m.describeInstance(&after); err != nil {
		return decide.Said{}, err
	}
	return decide.Said{Target: t, Verdict: v, Remaining: after.Remaining, Ends: after.Ends,
		Key: after.Key}, nil
}

// input is what the factor is asked about a target.
func (a *attempt) input(t decide.Target) factor.VerifyInput {
	in := factor.VerifyInput{User: a.claims.Subject.FactorUser(), State: t.State,
		Response: secret.New(a.text), Opened: a.opened, Confirming: a.Task == decide.Confirm,
		Now: a.now}
	if t.Code != nil {
		in.Issued = t.Code.Keep
		in.IssuedAt = time.UnixMilli(t.Code.Issued).UTC()
		in.Expires = time.UnixMilli(t.Code.Expires).UTC()
	}
	return in
}

// suffices looks at a verdict, and the state after it, with what the Manager knows and the factor
// does not.
func (a *attempt) suffices(after []byte, v *factor.Verdict) error {
	if a.named != nil {
		id, err := callIdentity(a.factor.(factor.Identifier), after)
		if err != nil {
			return err
		}
		if !bytes.Equal(id, a.named) {
			return errors.New("the factor accepted a response that names another instance")
		}
	}
	if a.Task == decide.Passwordless && !v.UserVerified {
		return fmt.Errorf("%w: it does not prove who holds the device", factor.ErrIncorrect)
	}
	return nil
}

// recogniseCode says whether a response that no target accepts is one of the user's other codes.
//
// What is no guess is not counted. A response that was correct and came too late, or that belongs
// to a code which another one superseded, shows that the user has the code. It gives no entry and
// clears nothing; it only is not counted as a failed attempt. An attacker gains nothing by it: to
// learn it, the response has to be a code that was sent to the user, and every other response is
// counted.
func (m *Manager) recogniseCode(
	ctx context.Context, a *attempt, targets []decide.Target, refusal error,
) error {
	for _, t := range targets {
		for i := range t.Others {
			other := a.input(decide.Target{Instance: t.Instance, Code: &t.Others[i]})
			_, err := m.callVerify(ctx, a.factor, other)
			if err == nil || decide.WeightOf(err) == decide.WeightExpired {
				return fmt.Errorf("%w: another code has superseded it", factor.ErrExpired)
			}
		}
	}
	return refusal
}
