package mfatest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// This file has what FactorKit knows of kinds that are factor.Traits.Polled.

func (k FactorKit) polled() bool { return k.Factor.Traits().Polled }

// polls finds a kind that is Polled and cannot be, and a kit that cannot test it.
func (k FactorKit) polls() error {
	_, issues := k.Factor.(factor.Challenger)
	_, identifies := k.Factor.(factor.Identifier)
	switch {
	case !k.polled():
		return nil
	case !issues || identifies:
		return errors.New("a kind that is Polled is a Challenger and no Identifier")
	case k.Approve == nil || k.Deny == nil:
		return errors.New("a FactorKit for a kind that is Polled needs Approve and Deny")
	}
	return nil
}

// incorrect returns what is to be verified as incorrect: a typed response, or a request of its own
// that was denied.
func (k FactorKit) incorrect(
	t *testing.T, out *factor.EnrollOutput, in factor.VerifyInput,
) (factor.VerifyInput, error) {
	if !k.polled() {
		in.Response = secret.New(k.Wrong)
		return in, nil
	}
	denied, issued, err := k.issued(t, in.State, false)
	if err == nil {
		k.Deny(out, issued)
	}
	return denied, err
}

// undecided looks at requests that the user has not decided.
func (k FactorKit) undecided(t *testing.T) error {
	if !k.polled() {
		t.Skip("users type the response")
	}
	out, in, issued, err := k.asked(t)
	if err != nil {
		return err
	}
	for range 3 {
		if _, err := k.verify(t.Context(), in); !errors.Is(err, factor.ErrPending) {
			return fmt.Errorf("a request that is not decided gave %w", orNil(err))
		}
	}
	k.Approve(out, issued)
	if _, err := k.verify(t.Context(), in); err != nil {
		return fmt.Errorf("an approved request gave %w", err)
	}
	other, issued, err := k.issued(t, in.State, false)
	if err != nil {
		return err
	}
	if _, err := k.verify(t.Context(), other); !errors.Is(err, factor.ErrPending) {
		return fmt.Errorf("a request that is not decided, after another that is, gave %w", orNil(err))
	}
	k.Deny(out, issued)
	k.Approve(out, issued)
	if _, err := k.verify(t.Context(), other); err == nil {
		return errors.New("a request that was denied first verifies")
	}
	return nil
}
