package email

import (
	"context"
	"errors"
	"iter"

	"github.com/secondgate/secondgate/mfa"
)

// Confirmer sends a link that verifies a user's address. An mfa.Admin is one.
type Confirmer interface {
	SendVerificationLink(ctx context.Context, user mfa.User) (*mfa.Delivery, error)
}

// ErrNoAddress is returned for a user without an address to verify.
var ErrNoAddress = errors.New("email: the user has no address")

// Confirmed is the result for one user of a stream.
type Confirmed struct {
	// Index counts the users, from 0.
	Index int
	User  mfa.User
	// Delivery is set, and Err nil, if the mail was handed to the sender.
	Delivery *mfa.Delivery
	Err      error
}

// SendConfirmations mails a link that verifies their address to each of users, one after the
// other as the results are taken: stop by leaving the loop. A failure is that user's result and
// does not stop the others; a context that is done does, with its error as the last result. For
// one user call [mfa.Admin.SendVerificationLink].
func SendConfirmations(
	ctx context.Context, m Confirmer, users iter.Seq[mfa.User],
) iter.Seq[Confirmed] {
	return func(yield func(Confirmed) bool) {
		i := 0
		for u := range users {
			r := Confirmed{Index: i, User: u, Err: ctx.Err()}
			done := r.Err != nil
			switch {
			case done:
			case u.Email == "":
				r.Err = ErrNoAddress
			default:
				r.Delivery, r.Err = m.SendVerificationLink(ctx, u)
			}
			if !yield(r) || done {
				return
			}
			i++
		}
	}
}
