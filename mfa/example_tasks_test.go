package mfa_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
)

// The examples of tasks sign in as ann, with a mail factor that keeps what it sends and a word at
// the door. Applications take package email, package totp and so on.
type exampleApp struct {
	*mfa.Manager
	mail *sent
	word string
	ctx  context.Context
}

func newExample(p policy.Policy) *exampleApp {
	a := &exampleApp{ctx: context.Background(), word: "tulip",
		mail: &sent{kind: "mail"}}
	keys, err := seal.NewKeyring(seal.GenerateKey())
	if err != nil {
		log.Fatal(err)
	}
	a.Manager, err = mfa.New(mfa.Config{Store: memory.New(), Keys: keys,
		Clock: mfatest.NewClock(testStart),
		Factors: []factor.Factor{doorWord{func() string { return a.word }}, a.mail,
			&signer{resistant: true}},
		Policies:  policy.Static(p),
		Authorize: func(context.Context, mfa.AdminAction) error { return nil }})
	if err != nil {
		log.Fatal(err)
	}
	return a
}

// enrolled enrols the word at the door, and returns the session in which ann did so.
func (a *exampleApp) enrolled(user mfa.User) mfa.Session {
	s := a.Session(user, "session")
	ch, err := s.Begin(a.ctx)
	if err != nil {
		log.Fatal(err)
	}
	e, err := s.Enroll(a.ctx, ch.Grant, mfa.EnrollRequest{Kind: "door-word"})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := s.Confirm(a.ctx, e, secret.New(a.word)); err != nil {
		log.Fatal(err)
	}
	a.word = "rose"
	return s
}

// Signing in: after the password is correct, Begin says what is next.
func ExampleSession_Verify() {
	a := newExample(policy.Policy{Implicit: []string{"mail"}})
	user := mfa.User{ID: "ann", Email: "ann@example.com", EmailVerified: true}
	s := a.Session(user, "the new session's ID")

	ch, err := s.Begin(a.ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ch.Next, ch.Options[0].Kind, ch.Options[0].Sends)

	if _, err := s.Send(a.ctx, ch, "mail"); err != nil {
		log.Fatal(err)
	}
	_, err = s.Verify(a.ctx, ch, "mail", secret.New("000000"))
	var attempt *mfa.AttemptError
	fmt.Println(errors.As(err, &attempt), attempt.Remaining)

	v, err := s.Verify(a.ctx, ch, "mail", secret.New(a.mail.last["ann@example.com"]))
	fmt.Println(v.UserID, v.AMR, err)
	// Output:
	// verify mail true
	// true 4
	// ann [otp mfa] <nil>
}

// Signing in without a password: the response names its user, and the application looks the user
// up.
func ExamplePasswordless_Verify() {
	a := newExample(policy.Policy{Passwordless: true})
	ann := mfa.User{ID: "ann"}
	s := a.Session(ann, "session")
	ch, _ := s.Begin(a.ctx)
	e, _ := s.Enroll(a.ctx, ch.Grant, mfa.EnrollRequest{Kind: "key"})
	_, err := s.Confirm(a.ctx, e, secret.New("k1 "+string(e.Prompt.Data)))
	fmt.Println("enrolled:", err)

	p := a.Passwordless("a session before anybody is signed in")
	open, err := p.Begin(a.ctx, "key")
	if err != nil {
		log.Fatal(err)
	}
	response := secret.New("k1 " + string(open.Prompt.Data)) // what the browser says
	v, err := p.Verify(a.ctx, open, response,
		func(_ context.Context, named mfa.User) (mfa.User, error) { return named, nil })
	fmt.Println(v.UserID, v.Passwordless, err)
	// Output:
	// enrolled: <nil>
	// ann true <nil>
}

// Asking again before something sensitive: a challenge for one purpose is refused for another.
func ExampleSession_StepUp() {
	a := newExample(policy.Policy{})
	s := a.enrolled(mfa.User{ID: "ann"})
	ch, err := s.StepUp().Begin(a.ctx)
	if err != nil {
		log.Fatal(err)
	}
	_, err = s.Verify(a.ctx, ch, "door-word", secret.New("rose"))
	fmt.Println(err)
	v, err := s.StepUp().Verify(a.ctx, ch, "door-word", secret.New("rose"))
	fmt.Println(v.Purpose, err)
	// Output:
	// mfa: invalid token
	// step-up <nil>
}

// Changing factors needs a grant, and a grant proves a factor that the user has.
func ExampleSession_ManageFactors() {
	a := newExample(policy.Policy{})
	s := a.enrolled(mfa.User{ID: "ann"}).ManageFactors()
	ch, err := s.Begin(a.ctx)
	if err != nil {
		log.Fatal(err)
	}
	v, err := s.Verify(a.ctx, ch, "door-word", secret.New("rose"))
	if err != nil {
		log.Fatal(err)
	}
	e, err := s.Enroll(a.ctx, v.Grant, mfa.EnrollRequest{Kind: "mail", Name: "Work",
		Params: map[string]secret.Text{"address": secret.New("ann@work.example")}})
	if err != nil {
		log.Fatal(err)
	}
	c, err := s.Confirm(a.ctx, e, secret.New(a.mail.last["ann@work.example"]))
	fmt.Println(c.Factor.Kind, c.Factor.Name, err)
	fmt.Println(s.Remove(a.ctx, v.Grant, c.Factor.ID))
	// Output:
	// mail Work <nil>
	// <nil>
}

// Recovering after a loss: a user who has passed the first factor asks for a link, which goes to
// every address known to be theirs.
func ExampleSession_SendRecoveryLink() {
	a := newExample(policy.Policy{})
	user := mfa.User{ID: "ann", Email: "ann@example.com", EmailVerified: true}
	s := a.enrolled(user)
	ch, err := s.Begin(a.ctx)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := s.SendRecoveryLink(a.ctx, ch); err != nil {
		log.Fatal(err)
	}
	link := a.mail.told[0].Link // in the mail

	named, _ := a.RecoveryUser(link)
	opened, err := a.Session(named, "session of the browser").OpenRecoveryLink(a.ctx, link)
	fmt.Println(opened.Next, len(opened.Options), err) // the user has no recovery codes
	_, err = a.Session(named, "session of the browser").OpenRecoveryLink(a.ctx, link)
	fmt.Println(errors.Is(err, mfa.ErrTokenExpired))
	// Output:
	// verify 0 <nil>
	// true
}

// Remembering a device: the browser keeps a token, which signs in once and is then replaced.
func ExampleSession_RememberDevice() {
	a := newExample(policy.Policy{Remember: 30 * 24 * time.Hour})
	s := a.enrolled(mfa.User{ID: "ann"})
	ch, _ := s.Begin(a.ctx)
	v, err := s.RememberDevice("Laptop").Verify(a.ctx, ch, "door-word", secret.New("rose"))
	if err != nil {
		log.Fatal(err)
	}
	ch, err = s.OnDevice(v.Device).Begin(a.ctx)
	fmt.Println(ch.Next, ch.Remembered, err)
	// Output: done true <nil>
}

// A security page shows what a user has.
func ExampleManager_Overview() {
	a := newExample(policy.Policy{})
	ann := mfa.User{ID: "ann"}
	a.enrolled(ann)
	o, err := a.Overview(a.ctx, ann)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range o.Factors {
		fmt.Println(f.Kind, f.Name, f.Created.Format(time.DateOnly))
	}
	fmt.Println(o.Kinds)
	// Output:
	// door-word At the door 2026-03-01
	// [door-word mail key]
}

// Administering others needs the administrator's own fresh proof.
func ExampleSession_Actor() {
	a := newExample(policy.Policy{})
	s := a.enrolled(mfa.User{ID: "boss"})
	ch, _ := s.Begin(a.ctx)
	v, err := s.Verify(a.ctx, ch, "door-word", secret.New("rose"))
	if err != nil {
		log.Fatal(err)
	}
	admin := a.Admin(s.Actor(v.Grant), "lost phone, ticket 123")
	fmt.Println(admin.Unlock(a.ctx, mfa.User{ID: "ann"}))
	fmt.Println(admin.Unlock(a.ctx, mfa.User{ID: "boss"}))
	// Output:
	// <nil>
	// mfa: forbidden: administrators do not act on themselves
}
