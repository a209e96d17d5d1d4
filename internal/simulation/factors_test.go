package simulation

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/secondgate/secondgate/internal/sentcode"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// The factors of a world. Each keeps in its state what the real one of its kind keeps, as text.

const (
	stepLength = 30 * time.Second
	codeLife   = 90 * time.Second
)

// stepAt is the time step of an authenticator code.
func stepAt(t time.Time) int64 { return t.Unix() / int64(stepLength/time.Second) }

// app is an authenticator app. A response is its word and a time step; the state remembers the
// last one that was accepted.
type app struct{}

func (app) Kind() string { return "app" }

func (app) Traits() factor.Traits {
	return factor.Traits{Level: factor.LevelStrong, AMR: "otp"}
}

func (app) Enroll(_ context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{State: []byte(in.Params["word"].Reveal() + "@0")}, nil
}

func codeOf(word string, step int64) string { return fmt.Sprintf("%s@%d", word, step) }

func split(s string) (word string, step int64) {
	word, number, _ := strings.Cut(s, "@")
	step, _ = strconv.ParseInt(number, 10, 64)
	return word, step
}

func (app) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	word, last := split(string(in.State))
	got, step := split(in.Response.Reveal())
	now := stepAt(in.Now)
	switch {
	case subtle.ConstantTimeCompare([]byte(word), []byte(got)) != 1, step < now-1, step > now+1:
		return nil, factor.ErrIncorrect
	case step <= last:
		return nil, factor.ErrReplayed
	}
	return &factor.Verdict{State: []byte(codeOf(word, step))}, nil
}

// word is a factor whose correct response is its state: a PIN, or a key that signs.
type word struct {
	kind   string
	traits factor.Traits
}

func (w word) Kind() string          { return w.kind }
func (w word) Traits() factor.Traits { return w.traits }

func (w word) Enroll(_ context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{State: []byte(in.Params["word"].Reveal())}, nil
}

func (w word) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	if in.Response.Reveal() == "crash" {
		panic("the factor crashed")
	}
	if subtle.ConstantTimeCompare(in.State, []byte(in.Response.Reveal())) != 1 {
		return nil, factor.ErrIncorrect
	}
	return nil, nil
}

// sent sends a code to an address or a number, which is its state.
type sent struct {
	w      *world
	kind   string
	traits factor.Traits
}

func (s sent) Kind() string          { return s.kind }
func (s sent) Traits() factor.Traits { return s.traits }

func (s sent) Enroll(_ context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{State: []byte(in.Params["word"].Reveal()),
		MaskedDestination: "•••"}, nil
}

func (s sent) Issue(_ context.Context, in factor.IssueInput) (*factor.Issue, error) {
	code := s.w.newCode()
	return &factor.Issue{Keep: sentcode.Keep(code), Expires: in.Now.Add(codeLife),
		Payload: secret.New(code), Destination: secret.New(string(in.State))}, nil
}

func (s sent) Deliver(_ context.Context, in factor.Message) error {
	return s.w.deliver(s.kind, string(in.State), in.Payload.Reveal())
}

func (s sent) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	return nil, sentcode.Check(in)
}

func (s sent) Notify(_ context.Context, in factor.Message) error {
	return s.w.notify(string(in.State), in.Event)
}

// mail is sent to a mailbox, which the application may vouch for.
type mail struct{ sent }

func (m mail) Implied(u factor.User) (state []byte, masked string, err error) {
	if u.Email == "" {
		return nil, "", nil
	}
	return []byte(u.Email), "•••", nil
}

// push asks a device, whose user approves or denies.
type push struct{ w *world }

var errPushService = errors.New("the push service is down")

func (push) Kind() string { return "push" }

func (push) Traits() factor.Traits {
	return factor.Traits{Level: factor.LevelStrong, Polled: true}
}

func (push) Enroll(_ context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{State: []byte(in.Params["word"].Reveal())}, nil
}

func (p push) Issue(_ context.Context, in factor.IssueInput) (*factor.Issue, error) {
	request := "r" + p.w.newCode()
	return &factor.Issue{Keep: []byte(request), Expires: in.Now.Add(codeLife),
		Payload: secret.New(request), Destination: secret.New(string(in.State))}, nil
}

func (p push) Deliver(_ context.Context, in factor.Message) error {
	return p.w.deliver("push", string(in.State), in.Payload.Reveal())
}

func (p push) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	if p.w.pushDown {
		return nil, errPushService
	}
	switch approved, decided := p.w.decided[string(in.Issued)]; {
	case !decided:
		return nil, factor.ErrPending
	case !approved:
		return nil, factor.ErrIncorrect
	}
	return nil, nil
}
