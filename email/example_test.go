package email_test

import (
	"context"
	"fmt"
	"log"
	"regexp"
	"slices"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
)

// A sign-in with a code sent by mail: the user has not enrolled, as the application has confirmed
// the address.
func Example() {
	box := &mfatest.Outbox[email.Message]{} // in production: smtp.New
	f, err := email.New(email.Config{Sender: box, ServiceName: "Acme"})
	if err != nil {
		log.Fatal(err)
	}
	keys, _ := seal.NewKeyring(seal.GenerateKey())
	m, err := mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Factors: []factor.Factor{f},
		Policies: policy.Static(policy.Policy{Implicit: []string{"email"}})})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	ann := mfa.User{ID: "ann", Email: "ann@example.com", EmailVerified: true}
	session := m.Session(ann, "session ID")
	ch, _ := session.Begin(ctx)
	d, _ := session.Send(ctx, ch, "email")
	fmt.Println("sent to", d.MaskedDestination)

	sent, _ := box.Last()
	code := regexp.MustCompile(`\d{6}`).FindString(sent.Text.Reveal())
	v, err := session.Verify(ctx, ch, "email", secret.New(code))
	fmt.Println(v.UserID, v.AMR, err)
	// Output:
	// sent to a•••@example.com
	// ann [otp mfa] <nil>
}

// queue is a sender of one's own: the mails go to whatever sends the application's others.
type queue struct{ mails chan<- email.Message }

func (q queue) Send(ctx context.Context, m email.Message) error {
	select {
	case q.mails <- m:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Another text, and a sender of one's own.
func ExampleConfig() {
	mails := make(chan email.Message, 1)
	f, err := email.New(email.Config{
		Sender:      queue{mails},
		ServiceName: "Acme",
		Compose: func(c email.Content) (email.Message, error) {
			m, err := email.Compose(c) // for all but one purpose the package's own
			if c.Purpose == "sign-in" {
				m.Subject = "Welcome back"
				m.Text = secret.New("Your " + c.ServiceName + " code is " + c.Code.Reveal() + ".\n")
				m.HTML = secret.Text{} // plain text only
			}
			return m, err
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	_ = f.Deliver(context.Background(), factor.Message{State: []byte("ann@example.com"),
		Payload: secret.New("012345"), Purpose: "sign-in"})
	m := <-mails
	fmt.Println(m.Subject, "/", m.Text.Reveal(), m)
	// Output:
	// Welcome back / Your Acme code is 012345.
	//  [redacted]
}

func ExampleSendConfirmations() {
	box := &mfatest.Outbox[email.Message]{}
	f, _ := email.New(email.Config{Sender: box, ServiceName: "Acme",
		ConfirmURL: func(token string) string {
			return "https://acme.example/mfa/confirm?token=" + token
		}})
	keys, _ := seal.NewKeyring(seal.GenerateKey())
	m, _ := mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Factors: []factor.Factor{f},
		Authorize: func(context.Context, mfa.AdminAction) error { return nil }})
	users := slices.Values([]mfa.User{{ID: "1", Email: "one@example.com"}, {ID: "2"}})
	admin := m.Admin(mfa.System("root"), "address check")
	for r := range email.SendConfirmations(context.Background(), admin, users) {
		fmt.Println(r.Index, r.User.ID, r.Err)
	}
	// Output:
	// 0 1 <nil>
	// 1 2 email: the user has no address
}
