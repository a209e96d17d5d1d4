package sms_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
)

// A name that a text message cannot show is found before a code is made, and the error says what
// to do.
func TestIssue_ChecksTheNameOfTheBrand(t *testing.T) {
	outbox := &mfatest.Outbox[sms.Message]{}
	f, err := sms.New(sms.Config{Sender: outbox, ServiceName: "Acme", Origin: "acme.example",
		Allow: []string{"+31"}})
	require.NoError(t, err)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	issue := func(b brand.Brand) (*factor.Issue, error) {
		return f.Issue(t.Context(), factor.IssueInput{State: secret.Bytes("+31612345678"),
			Brand: b, Now: now})
	}
	for _, b := range []brand.Brand{{Product: "Łódź"}, {ShortName: strings.Repeat("{", 64)}} {
		_, err := issue(b)
		require.ErrorContains(t, err, "ShortName")
	}
	b := brand.Brand{Product: "Łódź", ShortName: "Lodz"}
	is, err := issue(b)
	require.NoError(t, err)
	require.NoError(t, f.Deliver(t.Context(), factor.Message{State: secret.Bytes("+31612345678"),
		Payload: is.Payload, Purpose: "sign-in", Expires: is.Expires, Time: now, Brand: b}))
	sent, ok := outbox.Last()
	require.True(t, ok)
	require.Contains(t, sent.Text, "your code for Lodz")
}

// Every message in every language has the name of the brand, and nothing of what is configured.
func TestText_HasTheBrandOfTheTenant(t *testing.T) {
	outbox := &mfatest.Outbox[sms.Message]{}
	f, err := sms.New(sms.Config{Sender: outbox, ServiceName: "Configured",
		Origin: "acme.example", Allow: []string{"+31"}})
	require.NoError(t, err)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, locale := range texts.Tags() {
		for _, purpose := range []string{"sign-in", "step-up", "manage", "replace", "confirm"} {
			require.NoError(t, f.Deliver(t.Context(), factor.Message{
				State: secret.Bytes("+31612345678"), Payload: secret.New("123456"),
				User: factor.User{Locale: locale}, Purpose: purpose, Expires: now.Add(time.Minute),
				Time: now, Brand: brand.Brand{Product: "Northwind"}}))
			sent, ok := outbox.Last()
			require.True(t, ok)
			require.Contains(t, sent.Text, "Northwind")
			require.NotContains(t, sent.Text, "Configured")
		}
	}
}

// A text of the brand is in the message, and one that cannot be sent is found before a code is
// made.
func TestText_HasTheTextOfTheTenant(t *testing.T) {
	outbox := &mfatest.Outbox[sms.Message]{}
	f, err := sms.New(sms.Config{Sender: outbox, ServiceName: "Acme",
		Origin: "acme.example", Allow: []string{"+31"}})
	require.NoError(t, err)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	withText := func(text string) brand.Brand {
		return brand.Brand{Texts: map[string]map[string]string{"en": {"sms.code": text}}}
	}
	issue := func(b brand.Brand) (*factor.Issue, error) {
		return f.Issue(t.Context(), factor.IssueInput{State: secret.Bytes("+31612345678"),
			Brand: b, Now: now})
	}
	for _, text := range []string{"Your code for {service}, valid for {time}",
		"{code} {service} {time} {name}", "{code} {service} {time}" + strings.Repeat(" more", 30)} {
		_, err := issue(withText(text))
		require.ErrorContains(t, err, "sms.code")
	}
	b := withText("{code} is for {service}, and for {time}.")
	is, err := issue(b)
	require.NoError(t, err)
	require.NoError(t, f.Deliver(t.Context(), factor.Message{State: secret.Bytes("+31612345678"),
		Payload: is.Payload, Purpose: "sign-in", Expires: is.Expires, Time: now, Brand: b}))
	sent, ok := outbox.Last()
	require.True(t, ok)
	require.Contains(t, sent.Text, is.Payload.Reveal()+" is for Acme, and for")
}
