package sms

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/secondgate/secondgate/internal/quiet"
	"github.com/secondgate/secondgate/internal/sentcode"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

var (
	_ factor.Challenger = (*Factor)(nil)
	_ factor.Describer  = (*Factor)(nil)
	_ factor.Normalizer = (*Factor)(nil)
)

// Factor is the factor. It is safe for concurrent use. Most applications call nothing of
// it but hand it to mfa.New.
type Factor struct{ cfg Config }

// Kind returns "sms".
func (f *Factor) Kind() string { return Kind }

// Traits returns those of possession of the telephone number, "sms" in RFC 8176, strong enough
// for AAL2 though restricted (see the package comment), and not resistant to phishing. The
// settings state the length and the lifetime of codes, that they go over the telephone
// network, and whether Config.Check is asked before.
func (f *Factor) Traits() factor.Traits {
	return factor.Traits{AMR: "sms", Level: factor.LevelStrong, Importable: true,
		Settings: factor.Settings{Bits: float64(f.cfg.Digits) * math.Log2(10), Lifetime: f.cfg.TTL,
			Telephone: true, AsksBefore: f.cfg.Check != nil}}
}

// Enroll takes the parameter "number", and "region" for [Config].Parse. What it refuses is
// a *factor.Problem with one of the reasons
//
//	number_missing        nothing was typed
//	number_form           not a telephone number
//	number_extension      it has an extension
//	number_international  it must be written with + and the calling code
//	number_region         the region is not one
//	number_country        Allow or Deny does not serve the number's country
//	number_duplicate      the user has enrolled the number before
//
// and those of [Config].Parse. The state it returns is the number.
//
// An import takes a number that another system has verified, in the same parameters.
func (f *Factor) Enroll(_ context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	number, err := f.cfg.parse(in.Params["number"].Reveal(), in.Params["region"].Reveal())
	if err != nil {
		return nil, err
	}
	if !f.cfg.served(number) {
		return nil, errNotServed()
	}
	if slices.ContainsFunc(in.Existing, func(i factor.EnrollOutput) bool {
		return string(i.State) == number
	}) {
		return nil, problem("number_duplicate", "this number is enrolled already")
	}
	masked := mask(number)
	return &factor.EnrollOutput{State: []byte(number), MaskedDestination: masked,
		Prompt: factor.Prompt{MaskedDestination: masked}}, nil
}

// ImportParams returns the parameter with which Enroll imports an instance: "number".
func (f *Factor) ImportParams(state []byte) (map[string]secret.Text, error) {
	number, err := numberOf(state)
	if err != nil {
		return nil, err
	}
	return map[string]secret.Text{"number": secret.New(number)}, nil
}

// Describe returns the whole number of an instance.
func (f *Factor) Describe(state []byte) factor.Description {
	return factor.Description{Destination: secret.New(string(state))}
}

// Normalize drops the spaces, hyphens and invisible marks that users type or paste into codes, and
// reads the digits of every script. What is not as many digits as a code has is refused with the
// reason "code_form".
func (f *Factor) Normalize(response string) (string, error) {
	code, err := sentcode.Normalize(response)
	if err == nil && len(code) != f.cfg.Digits {
		return "", problem("code_form", "a code has another number of digits")
	}
	return code, err
}

// Issue makes a code. A number that Allow and Deny no longer serve gets none: the error is
// the *factor.Problem of Enroll.
func (f *Factor) Issue(_ context.Context, in factor.IssueInput) (*factor.Issue, error) {
	number, err := numberOf(in.State)
	if err != nil {
		return nil, err
	}
	if !f.cfg.served(number) {
		return nil, errNotServed()
	}
	if err := f.cfg.checkBrand(in.Brand, in.User.Locale); err != nil {
		return nil, err
	}
	code := sentcode.New(f.cfg.Digits)
	return &factor.Issue{
		Keep:        sentcode.Keep(bind(number, code)),
		Expires:     in.Now.Add(f.cfg.TTL),
		Destination: secret.New(number),
		Payload:     secret.New(code),
		Prompt:      factor.Prompt{MaskedDestination: mask(number)},
	}, nil
}

// Deliver asks [Config].Check and sends the message. Its errors hold neither number nor
// code, whatever the Sender put into its own; errors.As finds a *SendError.
func (f *Factor) Deliver(ctx context.Context, in factor.Message) error {
	number, err := numberOf(in.State)
	if err != nil {
		return err
	}
	code := in.Payload.Reveal()
	if code == "" {
		return quiet.New("sms: there is no code to send")
	}
	if f.cfg.Check != nil {
		if err := f.cfg.Check(ctx, CheckInput{User: in.User, Number: secret.New(number),
			Purpose: in.Purpose}); err != nil {
			return quiet.New("sms: Config.Check refused the message", err)
		}
	}
	return f.cfg.send(ctx, f.cfg.content(number, code, in.User.Locale, in.Purpose,
		in.Brand),
		in.Expires.Sub(in.Time))
}

// send composes a message and hands it to the Sender, with the lifetime that the code still
// has. Neither's error is printed, as it may quote what it is about.
func (cfg *Config) send(ctx context.Context, c Content, lifetime time.Duration) error {
	m, err := cfg.message(c)
	if composed := (*composeError)(nil); errors.As(err, &composed) {
		return quiet.New("sms: Config.Compose failed", composed.error)
	}
	if err != nil {
		return quiet.New("sms: the message cannot be sent: " + err.Error())
	}
	m.TTL = lifetime
	if err := cfg.Sender.Send(ctx, m); err != nil {
		return hush(err)
	}
	return nil
}

// Verify compares the response with the code that was sent to this number.
func (f *Factor) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	number, err := numberOf(in.State)
	if err != nil {
		return nil, err
	}
	in.Response = secret.New(bind(number, in.Response.Reveal()))
	if err := sentcode.Check(in); err != nil {
		return nil, err
	}
	return &factor.Verdict{}, nil
}

// bind ties a code to the number it is sent to, so that it proves no other.
func bind(number, code string) string { return number + " " + code }

func numberOf(state []byte) (string, error) {
	if !e164.Match(state) {
		return "", errors.New("sms: the state is not one of this factor")
	}
	return string(state), nil
}

// reasons are those of a SendError, which alone are printed: a Sender may put anything there.
var reasons = []string{"unreachable", "unavailable", "rate", "credentials", "number", "blocked",
	"refused", "reply"}

// hush keeps the text of a Sender's error to itself. Providers like to quote the number that
// they did not like, or the message.
func hush(err error) error {
	text := "sms: the sender failed"
	var e *SendError
	if errors.As(err, &e) && slices.Contains(reasons, e.Reason) {
		text += ": " + e.Reason
	}
	return quiet.New(text+quiet.Status(err), err)
}
