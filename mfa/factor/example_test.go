package factor_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// doorWord is a factor that users know: the word of the day, which a guard reads out at the door.
type doorWord struct{ today func() string }

func (doorWord) Kind() string { return "door-word" }

func (doorWord) Traits() factor.Traits {
	return factor.Traits{Level: factor.LevelWeak, Knowledge: true}
}

func (doorWord) Normalize(response string) (string, error) {
	word := strings.ToLower(strings.TrimSpace(response))
	if word == "" || strings.Contains(word, " ") {
		return "", factor.ErrMalformed
	}
	return word, nil
}

func (doorWord) Enroll(context.Context, factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{Name: "At the door"}, nil
}

func (d doorWord) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	switch {
	case subtle.ConstantTimeCompare([]byte(in.Response.Reveal()), []byte(d.today())) != 1:
		return nil, factor.ErrIncorrect
	case string(in.State) == in.Response.Reveal():
		return nil, factor.ErrReplayed
	default:
		return &factor.Verdict{State: []byte(in.Response.Reveal())}, nil
	}
}

// A factor is four methods. The Manager keeps its state, counts its failed attempts and locks;
// here the example takes the place of the Manager.
func Example() {
	f := doorWord{today: func() string { return "tulip" }}
	ctx := context.Background()
	out, _ := f.Enroll(ctx, factor.EnrollInput{})
	state := out.State
	for _, typed := range []string{"two words", "rose", " Tulip", "tulip"} {
		response, err := f.Normalize(typed)
		if err != nil {
			fmt.Printf("%q: %v\n", typed, err)
			continue
		}
		v, err := f.Verify(ctx, factor.VerifyInput{State: state, Response: secret.New(response)})
		if err == nil && v.State != nil {
			state = v.State
		}
		fmt.Printf("%q: %v\n", typed, err)
	}
	// Output:
	// "two words": factor: malformed input
	// "rose": factor: incorrect response
	// " Tulip": <nil>
	// "tulip": factor: response was used before
}

// pager sends codes to the number of a pager, and notices too.
type pager struct {
	send func(number, text string) error
}

func (pager) Kind() string { return "pager" }

func (pager) Traits() factor.Traits {
	return factor.Traits{Level: factor.LevelStrong, AMR: "otp",
		Settings: factor.Settings{Bits: 19.9, Lifetime: 90 * time.Second}}
}

func (pager) Enroll(_ context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	number := in.Params["number"].Reveal()
	if len(number) != 8 {
		return nil, &factor.Problem{Reason: "pager_number", Detail: "not the number of a pager"}
	}
	return &factor.EnrollOutput{State: []byte(number), MaskedDestination: "••••" + number[4:]}, nil
}

func (pager) Issue(_ context.Context, in factor.IssueInput) (*factor.Issue, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return nil, err
	}
	code := fmt.Sprintf("%06d", n)
	sum := sha256.Sum256([]byte(code))
	return &factor.Issue{Keep: sum[:], Expires: in.Now.Add(90 * time.Second),
		Destination: secret.New(string(in.State)), Payload: secret.New(code)}, nil
}

func (p pager) Deliver(_ context.Context, in factor.Message) error {
	return p.send(string(in.State), "Your code is "+in.Payload.Reveal())
}

func (p pager) Notify(_ context.Context, in factor.Message) error {
	return p.send(string(in.State), fmt.Sprintf("%s %s: %q", in.Event, in.Kind, in.Label))
}

func (pager) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	sum := sha256.Sum256([]byte(in.Response.Reveal()))
	switch {
	case subtle.ConstantTimeCompare(sum[:], in.Issued) != 1:
		return nil, factor.ErrIncorrect
	case !in.Now.Before(in.Expires):
		return nil, factor.ErrExpired
	}
	return &factor.Verdict{}, nil
}

// A factor that sends codes is a Challenger: Issue makes the code, Deliver sends it once the
// Manager has kept its hash. A Notifier sends notices over the same way.
func ExampleChallenger() {
	var sent string
	p := pager{send: func(_, text string) error { sent = text; return nil }}
	ctx, now := context.Background(), time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	params := map[string]secret.Text{"number": secret.New("55501234")}
	out, _ := p.Enroll(ctx, factor.EnrollInput{Params: params, Now: now})
	fmt.Println("to", out.MaskedDestination)

	is, _ := p.Issue(ctx, factor.IssueInput{State: out.State, Now: now})
	_ = p.Deliver(ctx, factor.Message{State: out.State, Payload: is.Payload, Time: now})
	code := strings.TrimPrefix(sent, "Your code is ")
	in := factor.VerifyInput{State: out.State, Issued: is.Keep, IssuedAt: now, Expires: is.Expires,
		Response: secret.New(code), Now: now}
	_, err := p.Verify(ctx, in)
	fmt.Println("in time:", err)
	in.Now = is.Expires
	_, err = p.Verify(ctx, in)
	fmt.Println("too late:", err)

	_ = p.Notify(ctx, factor.Message{State: out.State, Event: "factor.added", Kind: "totp",
		Label: "New phone", Time: now})
	fmt.Println(sent)
	// Output:
	// to ••••1234
	// in time: <nil>
	// too late: factor: response has expired
	// factor.added totp: "New phone"
}

// A Problem has a code for pages to translate. Everything else that a factor says is for the
// log.
func ExampleProblem() {
	_, err := pager{}.Enroll(context.Background(), factor.EnrollInput{})
	if p, ok := errors.AsType[*factor.Problem](err); ok {
		fmt.Println(p.Reason)
	}
	fmt.Println(errors.Is(err, factor.ErrMalformed))
	// Output:
	// pager_number
	// true
}
