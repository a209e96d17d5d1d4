package mfatest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// implied tests what the Manager relies on for users who never enrolled.
func (k FactorKit) implied(t *testing.T) error {
	f, ok := k.Factor.(factor.Implier)
	if !ok {
		t.Skip("it implies none")
	}
	none := kitUser
	none.Email, none.Phone = "", ""
	state, _, err := f.Implied(none)
	if err != nil || state != nil {
		return fmt.Errorf("a user without an address has an instance or an error: %w", err)
	}
	state, masked, err := f.Implied(kitUser)
	switch {
	case err != nil:
		return fmt.Errorf("it cannot make the state of a user with an address: %w", err)
	case len(state) == 0:
		return errors.New("a user with an address has none, and could sign in without one")
	case strings.Contains(masked, kitUser.Email):
		return errors.New("the masked destination has the whole address")
	}
	if err := k.accepts(t, state, masked); err != nil {
		return fmt.Errorf("the state that it implies: %w", err)
	}
	odd := kitUser
	odd.Email = kitUser.Email + "\x00"
	state, _, err = f.Implied(odd)
	switch {
	case err == nil && len(state) == 0:
		return errors.New("a user with an address that no message can be sent to has none, and " +
			"could sign in without one")
	case err != nil && !errors.Is(err, factor.ErrUndeliverable):
		return fmt.Errorf("an address that no message can be sent to gives an error that does not "+
			"wrap ErrUndeliverable: %w", err)
	case err != nil && strings.Contains(fmt.Sprintf("%+v", err), kitUser.Email):
		return errors.New("the error has the address")
	}
	return nil
}

// accepts tries a correct and an incorrect response to an instance that nobody enrolled.
func (k FactorKit) accepts(t *testing.T, state []byte, masked string) error {
	in, issued, err := k.issued(t, state, false)
	if err != nil {
		return err
	}
	out := &factor.EnrollOutput{State: state, MaskedDestination: masked}
	if k.polled() {
		k.Approve(out, issued)
	} else {
		in.Response = secret.New(k.Right(out, issued, k.Now))
	}
	if _, err := k.verify(t.Context(), in); err != nil {
		return fmt.Errorf("a correct response is refused: %w", err)
	}
	if in, err = k.incorrect(t, out, in); err != nil {
		return err
	}
	if _, err := k.verify(t.Context(), in); !errors.Is(err, factor.ErrIncorrect) {
		return fmt.Errorf("an incorrect response gives %w, which does not wrap ErrIncorrect", err)
	}
	return nil
}

// quotes finds an error of any call that holds what the call received.
func (k FactorKit) quotes(t *testing.T) error {
	out, in, err := k.enrolled(t)
	if err != nil {
		return err
	}
	hidden := map[string]string{"the correct response": in.Response.Reveal(),
		"the key": out.Prompt.Secret.Reveal(), "the state": string(in.State)}
	for name, v := range k.Params {
		hidden["the parameter "+name] = v.Reveal()
	}
	says := func(err error) error {
		for what, text := range hidden {
			if err != nil && len(text) >= 4 &&
				strings.Contains(fmt.Sprintf("%v %+v", err, err), text) {
				return fmt.Errorf("%s can be read in an error", what)
			}
		}
		return nil
	}
	var errs []error
	for name, v := range k.Params {
		for _, odd := range []string{v.Reveal() + "\x00", strings.Repeat(v.Reveal(), 100)} {
			_, err := k.Factor.Enroll(t.Context(), factor.EnrollInput{User: kitUser,
				Params: k.with(name, odd), Now: k.Now})
			errs = append(errs, says(err))
		}
	}
	odd := in
	odd.Response = secret.New(in.Response.Reveal() + "\x00")
	_, err = k.verify(t.Context(), odd)
	errs = append(errs, says(err))
	if len(in.State) > 0 {
		odd = in
		odd.State = bytes.Clone(in.State)
		odd.State[0] ^= 0x20
		_, err = k.verify(t.Context(), odd)
		errs = append(errs, says(err))
	}
	return errors.Join(errs...)
}
