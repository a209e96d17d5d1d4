package mfa

import (
	"bytes"
	"context"
	"errors"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/secret"
)

// ChangeAddress starts a change of the user's address of record: it sends a code to the new
// address. The code has no link, so only this session can confirm, and a stranger whose address
// the user typed by mistake cannot. Nothing changes until [Session.ConfirmAddress], and the
// address before stays valid.
//
// It needs what [Session.Check] needs: recovery links go to this address, so a session, a password
// or a recovery code must not move it. A user without a factor, and without an address that is
// one, needs the grant of Begin. The errors are those of Enroll; a *factor.Problem with the reason
// "address_duplicate" means that it is the user's address.
func (s Session) ChangeAddress(
	ctx context.Context, g Grant, address secret.Text,
) (*Enrollment, error) {
	m := s.m
	c, err := s.openGrant(g)
	if err != nil {
		return nil, err
	}
	kind, err := m.addressKind()
	if err != nil {
		return nil, err
	}
	to := s.user
	to.Email = address.Reveal()
	if err := to.check(); err != nil {
		return nil, err
	}
	f := m.factors[kind]
	out, err := m.callEnroll(ctx, f, factor.EnrollInput{User: to.compact().FactorUser(),
		Now: m.now()})
	if err != nil {
		return nil, err
	}
	// An address that no message can be sent to has no factors that could follow.
	from, _, err := callImplied(f.(factor.Implier), s.user.compact().FactorUser())
	if err == nil && s.user.EmailVerified && bytes.EqualFold(from, out.State) {
		return nil, &factor.Problem{Reason: "address_duplicate",
			Detail: "this is the user's address already"}
	}
	n := &decide.Enrolling{Pending: record.Pending{Moves: true, From: from,
		Instance: record.Instance{ID: record.NewID(), Kind: kind, Name: out.Name,
			MaskedDestination: out.MaskedDestination, State: out.State, Implicit: true}}}
	e := &Enrollment{Kind: kind, Prompt: out.Prompt, Address: address}
	if to := shownOf(f, out.State).Destination; !to.IsZero() {
		e.Address = to
	}
	own := *c
	own.Subject = s.user.compact() // as the application knows them now, for the notice
	if err := m.enrollAndSend(ctx, &own, f.(factor.Challenger), n, e); err != nil {
		return nil, err
	}
	return e, nil
}

// ConfirmAddress changes the user's address of record, by the code that ChangeAddress sent. The
// errors of a response are those of [Session.Confirm].
//
// When the code is correct, ConfirmAddress calls store, in which the application stores
// Enrollment.Address, and not what the user typed, unless another account has it. The application
// gives it as User.Email from then on. If store returns an error, nothing of the user's changes,
// the code is used, and ConfirmAddress returns an error that wraps it. So only a user who has
// proven the mailbox learns that the address is taken.
//
// Then the factors move that the user enrolled with the address before, codes and recovery links
// that were sent there end, and remembered devices are forgotten. The user is notified there
// ("address.changed").
//
// store may be called more than once, and must accept an address that it has stored for the user.
// After ErrUnavailable store may have stored the address while the factors have not moved; the code
// is then still valid.
func (s Session) ConfirmAddress(
	ctx context.Context, e *Enrollment, code secret.Text, store func(context.Context) error,
) (*Confirmation, error) {
	if store == nil {
		return nil, errors.New("mfa: ConfirmAddress needs a function that stores the address")
	}
	return s.confirm(ctx, e, code, store)
}
