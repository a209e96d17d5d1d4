package main

import (
	"context"

	"github.com/secondgate/secondgate/internal/sentcode"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/sms"
	"github.com/secondgate/secondgate/sms/phone"
)

type fakeEmail struct{ a *app }

func (fakeEmail) Kind() string { return "email" }
func (fakeEmail) Traits() factor.Traits {
	return factor.Traits{Class: factor.Possession, AMR: "otp", Single: true}
}
func (fakeEmail) Enroll(ctx context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{State: []byte(in.Person.Email), Hint: "x•••"}, nil
}
func (fakeEmail) Issue(ctx context.Context, in factor.IssueInput) (*factor.Issue, error) {
	c := sentcode.New(6)
	return &factor.Issue{Keep: []byte(c), Payload: factor.Secret(c), Destination: factor.Secret(in.State), Expires: in.Now.Add(sentcode.DefaultTTL)}, nil
}
func (f fakeEmail) Deliver(ctx context.Context, in factor.DeliverInput) error {
	return f.a.outbox.add(ctx, message{Channel: "email", To: string(in.State), Subject: "Your code", Text: "Your code is " + in.Payload.Reveal() + "\n" + in.Link.Reveal()})
}
func (fakeEmail) Verify(ctx context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	if string(in.Issued) != in.Response {
		return nil, factor.ErrIncorrect
	}
	return nil, nil
}
func (fakeEmail) Implied(p factor.Person) ([]byte, string, bool) {
	return []byte(p.Email), p.Email[:1] + "•••@acme.example", p.Email != ""
}

func (a *app) factors(env func(string) string) ([]mfa.Factor, error) {
	s, err := sms.New(sms.Config{Sender: sms.SenderFunc(func(ctx context.Context, m sms.Message) error {
		return a.outbox.add(ctx, message{Channel: "sms", To: m.To, Text: m.Text})
	}), ServiceName: "Acme", Origin: a.cfg.public.Hostname(), Allow: []string{sms.AnyCountry}, Parse: phone.Parse})
	return []mfa.Factor{fakeEmail{a}, s}, err
}

func countries(locale string) []mfahttp.Country {
	var list []mfahttp.Country
	for _, c := range phone.Countries(locale) {
		list = append(list, mfahttp.Country(c))
	}
	return list
}
