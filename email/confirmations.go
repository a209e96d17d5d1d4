package email

import (
	"context"
	"errors"
	"iter"

	"github.com/secondgate/secondgate/mfa"
)

// Confirmer is what SendConfirmations needs; *mfa.Manager is one.
type Confirmer interface {
	SendConfirmation(ctx context.Context, r mfa.AdminRequest) (*mfa.Delivery, error)
}

// ErrNoAddress: the person has no address to confirm.
var ErrNoAddress = errors.New("email: the person has no address")

// Confirmed is the result for one person of a stream.
type Confirmed struct {
	// Index counts the persons, from 0.
	Index   int
	Subject mfa.User
	// Delivery is set, and Err nil, if the mail was handed to the sender.
	Delivery *mfa.Delivery
	Err      error
}

// SendConfirmations mails a confirmation link to each of people, on behalf of actor, one after
// the other as the results are taken: stop by leaving the loop. A failure is that person's
// result and does not stop the others; a context that is done does, with its error as the last
// result. For one person call mfa.Manager.SendConfirmation.
func SendConfirmations(ctx context.Context, m Confirmer, actor mfa.Actor, reason string, people iter.Seq[mfa.User]) iter.Seq[Confirmed] {
	return func(yield func(Confirmed) bool) {
		i := 0
		for s := range people {
			r := Confirmed{Index: i, Subject: s, Err: ctx.Err()}
			done := r.Err != nil
			switch {
			case done:
			case s.Email == "":
				r.Err = ErrNoAddress
			default:
				r.Delivery, r.Err = m.SendConfirmation(ctx, mfa.AdminRequest{User: s, Actor: actor, Reason: reason})
			}
			if !yield(r) || done {
				return
			}
			i++
		}
	}
}
