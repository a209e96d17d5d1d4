package password_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/pin"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
)

// A password is forgotten, and another one is chosen by a link.
func Example() {
	ctx := context.Background()
	hasher, err := password.NewHasher(password.HasherConfig{})
	if err != nil {
		panic(err)
	}
	hash, err := hasher.Hash(ctx, secret.New("otters swim at noon"))
	if err != nil {
		panic(err)
	}
	keys, err := seal.NewKeyring(seal.GenerateKey())
	if err != nil {
		panic(err)
	}
	users := &users{ann: password.Account{ID: "7", Email: "ann@example.com", Hash: secret.New(hash),
		SecondFactor: true}}
	pins, err := pin.New(pin.Config{})
	if err != nil {
		panic(err)
	}
	manager, err := mfa.New(mfa.Config{Store: memory.New(), Keys: keys,
		Factors: []factor.Factor{pins}})
	if err != nil {
		panic(err)
	}
	outbox := &mfatest.Outbox[email.Message]{}
	var queue []func(context.Context) error // of the application, worked on beside its requests
	m, err := password.New(password.Config{
		Store: memory.New(), Keys: keys, Accounts: users, Hasher: hasher, Sender: outbox,
		ServiceName: "Acme",
		LinkURL: func(token string) string {
			return "https://acme.example/reset?token=" + token
		},
		Later: func(_ context.Context, work func(context.Context) error) {
			queue = append(queue, work)
		},
	})
	if err != nil {
		panic(err)
	}

	// POST /forgot: the answer is the same for every address.
	for _, typed := range []string{"ann@example.com", "nobody@example.com"} {
		fmt.Println(m.Forgot(ctx, password.ForgotRequest{Address: secret.New(typed),
			Client: "192.0.2.7"}))
	}
	for _, work := range queue {
		if err := work(ctx); err != nil {
			panic(err)
		}
	}
	mail, _ := outbox.Last()
	fmt.Println(len(outbox.All()), mail.Subject)

	// POST /reset, with the token of the link.
	_, rest, _ := strings.Cut(mail.Text.Reveal(), "token=")
	token, _, _ := strings.Cut(rest, "\n")
	reset := password.ResetRequest{Token: secret.New(token), Password: secret.New("password1")}
	var problem *factor.Problem
	if errors.As(m.Reset(ctx, reset), &problem) {
		fmt.Println(problem.Reason)
	}
	reset.Password = secret.New("herons wade at dusk")
	fmt.Println(m.Reset(ctx, reset))
	fmt.Println(m.Reset(ctx, reset))

	// POST /change, by a user who is signed in and has no second factor.
	fmt.Println(m.Change(ctx, password.ChangeRequest{ID: "7",
		Session: manager.Session(mfa.User{ID: "7"}, "the session's ID"),
		Current: reset.Password, Password: secret.New("geese fly in autumn")}))

	// Output:
	// <nil>
	// <nil>
	// 1 Choose a new password for Acme
	// password_common
	// <nil>
	// password: link is no longer valid
	// <nil>
}

// users is an application with one of them.
type users struct{ ann password.Account }

func (u *users) Find(_ context.Context, address string) ([]password.Account, error) {
	if !strings.EqualFold(address, u.ann.Email) {
		return nil, nil
	}
	return []password.Account{u.ann}, nil
}

func (u *users) Get(_ context.Context, named password.Account) (password.Account, error) {
	if named.ID != u.ann.ID {
		return password.Account{}, password.ErrNoAccount
	}
	return u.ann, nil
}

func (u *users) SetPassword(_ context.Context, _ password.Account, up password.Update) error {
	if u.ann.Hash.Reveal() != up.Old.Reveal() {
		return password.ErrChanged
	}
	u.ann.Hash = up.Hash // and end every session
	return nil
}
