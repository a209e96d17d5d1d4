package mfa

import (
	"fmt"

	"github.com/secondgate/secondgate/mfa/factor"
)

// A token prints as "[redacted]" by its own method, which package fmt passes over when it prints
// a pointer in a struct by a verb that pointers do not have: with "%s" and "%q" it prints all
// that the pointer leads to. So each struct that holds a token, a secret or a prompt prints a
// copy of itself from which they are gone.

// hide returns what a secret prints as.
func hide[S ~string](s S) S {
	if s == "" {
		return s
	}
	return redacted
}

// hidePrompt returns what a prompt prints as.
func hidePrompt(p Prompt) Prompt {
	p.Secret, p.URI, p.SVG, p.PNG = hide(p.Secret), hide(p.URI), hide(p.SVG), hide(p.PNG)
	codes := make([]factor.Secret, len(p.Codes))
	for i, c := range p.Codes {
		codes[i] = hide(c)
	}
	p.Codes = codes
	return p
}

func hideParams(p factor.Params) factor.Params {
	if p == nil {
		return nil
	}
	return factor.Params{}
}

// show prints a value whose type has no methods, as the verb and the flags say.
func show(f fmt.State, verb rune, plain any) {
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), plain)
}

// Format implements fmt.Formatter. It prints no token.
func (r BeginRequest) Format(f fmt.State, verb rune) {
	type plain BeginRequest
	r.Device = hide(r.Device)
	show(f, verb, plain(r))
}

// Format implements fmt.Formatter. It prints no token.
func (c Challenge) Format(f fmt.State, verb rune) {
	type plain Challenge
	c.Token, c.Grant, c.Device = hide(c.Token), hide(c.Grant), hide(c.Device)
	show(f, verb, plain(c))
}

// Format implements fmt.Formatter. It prints no token.
func (r SendRequest) Format(f fmt.State, verb rune) {
	type plain SendRequest
	r.Challenge = hide(r.Challenge)
	show(f, verb, plain(r))
}

// Format implements fmt.Formatter. It prints no secret.
func (d Delivery) Format(f fmt.State, verb rune) {
	type plain Delivery
	d.Prompt = hidePrompt(d.Prompt)
	show(f, verb, plain(d))
}

// Format implements fmt.Formatter. It prints no token and no response.
func (r VerifyRequest) Format(f fmt.State, verb rune) {
	type plain VerifyRequest
	r.Challenge, r.Response = hide(r.Challenge), hide(r.Response)
	show(f, verb, plain(r))
}

// Format implements fmt.Formatter. It prints no token.
func (v Verification) Format(f fmt.State, verb rune) {
	type plain Verification
	v.Grant, v.Device = hide(v.Grant), hide(v.Device)
	show(f, verb, plain(v))
}

// Format implements fmt.Formatter. It prints no token and no parameter.
func (r EnrollRequest) Format(f fmt.State, verb rune) {
	type plain EnrollRequest
	r.Grant, r.Params = hide(r.Grant), hideParams(r.Params)
	show(f, verb, plain(r))
}

// Format implements fmt.Formatter. It prints no token and no secret.
func (e Enrollment) Format(f fmt.State, verb rune) {
	type plain Enrollment
	e.Token, e.Prompt = hide(e.Token), hidePrompt(e.Prompt)
	show(f, verb, plain(e))
}

// Format implements fmt.Formatter. It prints no token and no response.
func (r ConfirmRequest) Format(f fmt.State, verb rune) {
	type plain ConfirmRequest
	r.Token, r.Response, r.Link = hide(r.Token), hide(r.Response), hide(r.Link)
	show(f, verb, plain(r))
}

// Format implements fmt.Formatter. It prints no token.
func (c Confirmation) Format(f fmt.State, verb rune) {
	type plain Confirmation
	c.Grant = hide(c.Grant)
	show(f, verb, plain(c))
}

// Format implements fmt.Formatter. It prints no parameter.
func (r IssueRequest) Format(f fmt.State, verb rune) {
	type plain IssueRequest
	r.Params = hideParams(r.Params)
	show(f, verb, plain(r))
}

// Format implements fmt.Formatter. It prints no token.
func (c PasswordlessChallenge) Format(f fmt.State, verb rune) {
	type plain PasswordlessChallenge
	c.Token, c.Prompt = hide(c.Token), hidePrompt(c.Prompt)
	show(f, verb, plain(c))
}

// Format implements fmt.Formatter. It prints no token and no response.
func (r PasswordlessRequest) Format(f fmt.State, verb rune) {
	type plain PasswordlessRequest
	r.Challenge, r.Response = hide(r.Challenge), hide(r.Response)
	show(f, verb, plain(r))
}

// Format implements fmt.Formatter. It prints no token.
func (r SetupRequest) Format(f fmt.State, verb rune) {
	type plain SetupRequest
	r.Challenge = hide(r.Challenge)
	show(f, verb, plain(r))
}

// Format implements fmt.Formatter. It prints no token.
func (r SupportRequest) Format(f fmt.State, verb rune) {
	type plain SupportRequest
	r.Challenge = hide(r.Challenge)
	show(f, verb, plain(r))
}

// Format implements fmt.Formatter. It prints no token.
func (e *EnrollmentRequiredError) Format(f fmt.State, verb rune) {
	if e == nil {
		_, _ = f.Write([]byte("<nil>"))
		return
	}
	show(f, 's', e.Error())
}

// Format implements fmt.Formatter. It prints who the actor is, and no grant.
func (a Actor) Format(f fmt.State, verb rune) { show(f, verb, a.name) }
