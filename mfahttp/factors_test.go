package mfahttp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// The factors of these tests: small, and with answers that are easy to know. The packages
// of the real ones test themselves.

// app accepts 100001 to 999999, each later one only ("time steps").
type app struct{}

func (app) Kind() string { return "totp" }
func (app) Traits() factor.Traits {
	return factor.Traits{AMR: "otp", Level: factor.LevelStrong}
}
func (app) Enroll(_ context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	key := "JBSWY3DPEHPK3PXP"
	if s := in.Params["secret"].Reveal(); s != "" {
		key = s
	}
	return &factor.EnrollOutput{State: []byte("100000"), Name: "Authenticator",
		Prompt: factor.Prompt{
			Secret: secret.New(key), URI: secret.New("otpauth://totp/Acme:" + in.User.Account +
				"?secret=" + key)}}, nil
}
func (app) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	switch {
	case in.Response.Reveal() == "000666":
		panic("broken factor")
	case in.Response.Reveal() < "100001":
		return nil, factor.ErrIncorrect
	case in.Response.Reveal() <= string(in.State):
		return nil, factor.ErrReplayed
	}
	return &factor.Verdict{State: []byte(in.Response.Reveal())}, nil
}
func (app) Normalize(s string) (string, error) { return sixDigits(s) }

func sixDigits(s string) (string, error) {
	s = strings.ReplaceAll(s, " ", "")
	if len(s) != 6 || strings.Trim(s, "0123456789") != "" {
		return "", &factor.Problem{Reason: "code_form", Detail: "a code has six digits"}
	}
	return s, nil
}

// post sends codes; mail and text messages differ in the parameter only.
type post struct {
	kind, param string
	level       factor.Level

	mu   sync.Mutex
	sent []letter
	fail error
	// undeliverable says that nothing can be sent to the address of record.
	undeliverable bool
}

type letter struct{ To, Code, Link, Locale string }

func (p *post) Kind() string { return p.kind }
func (p *post) Traits() factor.Traits {
	return factor.Traits{AMR: "otp", Level: max(p.level, factor.LevelWeak)}
}
func (p *post) Enroll(_ context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	to := in.Params[p.param].Reveal()
	if to == "" && p.kind == "email" {
		to = in.User.Email
	}
	if r := in.Params["region"].Reveal(); r != "" && !strings.HasPrefix(to, "+") {
		to = "+" + r + to
	}
	to = strings.TrimPrefix(to, "mailto:")
	if len(to) < 4 {
		return nil, &factor.Problem{Reason: p.param + "_form", Detail: "no destination"}
	}
	return &factor.EnrollOutput{State: []byte(to), MaskedDestination: mask(to), Name: p.kind}, nil
}
func (p *post) Describe(state []byte) factor.Description {
	return factor.Description{Destination: secret.New(string(state))}
}
func mask(to string) string { return to[:1] + "•••" + to[len(to)-2:] }
func (p *post) Implied(who factor.User) ([]byte, string, error) {
	if p.kind != "email" || who.Email == "" {
		return nil, "", nil
	}
	if p.undeliverable {
		return nil, "", factor.ErrUndeliverable
	}
	return []byte(who.Email), "masked", nil
}
func (p *post) Issue(_ context.Context, in factor.IssueInput) (*factor.Issue, error) {
	p.mu.Lock()
	code := fmt.Sprintf("%06d", 200001+len(p.sent))
	p.mu.Unlock()
	return &factor.Issue{Keep: []byte(code), Expires: in.Now.Add(90 * time.Second),
		Payload: secret.New(code)}, nil
}
func (p *post) Deliver(_ context.Context, in factor.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, letter{string(in.State), in.Payload.Reveal(),
		in.Link.Reveal(), in.User.Locale})
	return p.fail
}
func (p *post) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	if in.Issued == nil || !bytes.Equal(in.Issued, []byte(in.Response.Reveal())) {
		return nil, factor.ErrIncorrect
	}
	if !in.Now.Before(in.Expires) {
		return nil, factor.ErrExpired
	}
	return &factor.Verdict{}, nil
}
func (p *post) Notify(_ context.Context, in factor.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, letter{To: string(in.State), Link: in.Link.Reveal(),
		Locale: in.User.Locale})
	return p.fail
}
func (p *post) Normalize(s string) (string, error) { return sixDigits(s) }

func (p *post) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.sent)
}

func (p *post) last() letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.sent) == 0 {
		return letter{}
	}
	return p.sent[len(p.sent)-1]
}

// issued is a code that administrators make.
type issued struct{}

func (issued) Kind() string { return "access" }
func (issued) Traits() factor.Traits {
	return factor.Traits{Recovery: true, OnePerUser: true, NoConfirmation: true, AdminOnly: true}
}
func (issued) Enroll(context.Context, factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{State: []byte("let me in"),
		Prompt: factor.Prompt{Codes: []secret.Text{secret.New("let me in")}}}, nil
}
func (issued) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	if in.Response.Reveal() != string(in.State) {
		return nil, factor.ErrIncorrect
	}
	return &factor.Verdict{}, nil
}

type pin struct{}

func (pin) Kind() string { return "pin" }
func (pin) Traits() factor.Traits {
	return factor.Traits{Level: factor.LevelWeak, Knowledge: true, AMR: "pin", OnePerUser: true}
}
func (pin) Enroll(_ context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	if len(in.Params["pin"].Reveal()) < 6 {
		return nil, &factor.Problem{Reason: "pin_too_short", Detail: "too short"}
	}
	return &factor.EnrollOutput{State: []byte(in.Params["pin"].Reveal()), Name: "PIN"}, nil
}
func (pin) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	if in.Response.Reveal() != string(in.State) {
		return nil, factor.ErrIncorrect
	}
	return &factor.Verdict{}, nil
}

// codes are used up.
type codes struct{}

func (codes) Kind() string { return "recovery" }
func (codes) Traits() factor.Traits {
	return factor.Traits{Recovery: true, OnePerUser: true, NoConfirmation: true, Limited: true}
}
func (codes) Enroll(context.Context, factor.EnrollInput) (*factor.EnrollOutput, error) {
	list := []string{"AAAA-1111", "BBBB-2222", "CCCC-3333"}
	state, _ := json.Marshal(list)
	return &factor.EnrollOutput{State: state, Name: "Recovery codes",
		Prompt: factor.Prompt{Codes: []secret.Text{secret.New("AAAA-1111"), secret.New("BBBB-2222"),
			secret.New("CCCC-3333")}}}, nil
}
func (codes) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	var list, rest []string
	_ = json.Unmarshal(in.State, &list)
	for _, c := range list {
		if c != in.Response.Reveal() {
			rest = append(rest, c)
		}
	}
	if len(rest) == len(list) {
		return nil, factor.ErrIncorrect
	}
	state, _ := json.Marshal(rest)
	return &factor.Verdict{State: state}, nil
}
func (codes) Describe(state []byte) factor.Description {
	var list []string
	_ = json.Unmarshal(state, &list)
	return factor.Description{Remaining: len(list)}
}
