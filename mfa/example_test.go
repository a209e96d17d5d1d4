package mfa_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"strings"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

// A third-party factor: the response is the latest word of the day, which the doorkeeper
// reads out. It is state in, verdict out; counting, locking and single
// use come with the Manager.
type doorWord struct{ today func() string }

func (doorWord) Kind() string          { return "door-word" }
func (doorWord) Traits() factor.Traits { return factor.Traits{Level: factor.LevelWeak} }

func (doorWord) Normalize(response string) (string, error) {
	return strings.ToLower(strings.TrimSpace(response)), nil
}

func (doorWord) Enroll(context.Context, factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{State: []byte("never"), Name: "At the door"}, nil
}

func (d doorWord) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	switch {
	case in.Response.Reveal() != d.today():
		return nil, factor.ErrIncorrect
	case in.Response.Reveal() == string(in.State):
		return nil, factor.ErrReplayed
	default:
		return &factor.Verdict{State: []byte(in.Response.Reveal())}, nil
	}
}

func Example_writeYourOwnFactor() {
	word := "tulip"
	keys, _ := seal.NewKeyring(seal.GenerateKey())
	m, err := mfa.New(mfa.Config{Store: memory.New(), Keys: keys,
		Factors: []factor.Factor{doorWord{func() string { return word }}}})
	if err != nil {
		log.Fatal(err)
	}
	ctx, ann := context.Background(), mfa.User{ID: "ann"}
	begin := func() *mfa.Challenge {
		ch, err := m.Session(ann, "session").Begin(ctx)
		if err != nil {
			log.Fatal(err)
		}
		return ch
	}
	e, _ := m.Session(ann, "session").Enroll(ctx, begin().Grant,
		mfa.EnrollRequest{Kind: "door-word"})
	_, err = m.Session(ann, "session").Confirm(ctx, e, secret.New(" Tulip"))
	fmt.Println("enrolled:", err)

	verify := func(answer secret.Text) {
		_, err := m.Session(ann, "session").Verify(ctx, begin(), "door-word", answer)
		fmt.Println(err)
	}
	verify(secret.New("tulip"))
	word = "rose"
	verify(secret.New("rose"))
	// Output:
	// enrolled: <nil>
	// mfa: door-word response refused, 4 attempts remain: factor: response was used before
	// <nil>
}

// An administrator resets a user whose phone is lost; who may do that is for the
// application to say.
func ExampleAdmin_Reset() {
	keys, _ := seal.NewKeyring(seal.GenerateKey())
	m, _ := mfa.New(mfa.Config{Store: memory.New(), Keys: keys,
		Factors: []factor.Factor{doorWord{func() string { return "x" }}},
		Authorize: func(_ context.Context, a mfa.AdminAction) error {
			if a.Actor != "helpdesk" {
				return fmt.Errorf("%s may not %s", a.Actor, a.Name)
			}
			return nil
		}})
	ctx, ann := context.Background(), mfa.User{ID: "ann"}
	fmt.Println(m.Admin(mfa.System("ben"), "").Reset(ctx, ann))
	fmt.Println(m.Admin(mfa.System("helpdesk"), "lost phone, called back").Reset(ctx, ann))
	// Output:
	// mfa: forbidden: Config.Authorize refused
	// <nil>
}

// An account owner changes the policy of a user type at run time.
func ExampleAdmin_SetPolicy() {
	keys, _ := seal.NewKeyring(seal.GenerateKey())
	codes, _ := recovery.New(recovery.Config{})
	m, _ := mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Clock: mfatest.NewClock(testStart),
		Factors:   []factor.Factor{doorWord{func() string { return "x" }}, codes},
		Policies:  policy.Stored(policy.Static(policy.Policy{Mode: policy.ModeOptional})),
		Authorize: func(context.Context, mfa.AdminAction) error { return nil }})
	ctx := context.Background()
	next := func() mfa.Next {
		ch, _ := m.Session(mfa.User{ID: "ann", UserType: "manager"}, "session").Begin(ctx)
		return ch.Next
	}
	fmt.Println(next())
	fmt.Println(m.Admin(mfa.System("owner"), "").SetPolicy(ctx, policy.StoredPolicy{
		Scope:  policy.Scope{UserType: "manager"},
		Policy: policy.Policy{Mode: policy.ModeRequired},
	}))
	fmt.Println(next())
	fmt.Println(m.Admin(mfa.System("owner"), "").SetPolicy(ctx, policy.StoredPolicy{
		Scope:  policy.Scope{UserType: "manager"},
		Policy: policy.Policy{Kinds: []string{"fax"}},
	}))
	// Output:
	// done
	// <nil>
	// enroll
	// mfa: policy: kind "fax" is not configured; there are [door-word recovery]
}

// What would have to change before a profile can be set.
func ExampleManager_Audit() {
	keys, _ := seal.NewKeyring(seal.GenerateKey())
	app, _ := totp.New(totp.Config{Issuer: "Acme", Strict: true})
	codes, _ := recovery.New(recovery.Config{})
	m, err := mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Factors: []factor.Factor{app,
		codes}, Events: mfa.SlogEvents(slog.Default())})
	if err != nil {
		log.Fatal(err)
	}
	findings, err := m.Audit(context.Background(), policy.ProfileASVSL2)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range findings {
		fmt.Printf("%s, %s: %s\n", f.Row, f.Where, f.Problem)
	}
	// Output: A-14, recovery: codes of 80 bits are kept without a password hash
}
