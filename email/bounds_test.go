package email_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

func TestNew_TriesEveryMail(t *testing.T) {
	for want, breaks := range map[string]func(email.Content) bool{
		`the mail for "step-up"`:  func(c email.Content) bool { return c.Purpose == "step-up" },
		"the mail about an event": func(c email.Content) bool { return c.Notice != "" },
		"the mail with a link alone": func(c email.Content) bool {
			return c.Code.IsZero() && !c.Link.IsZero()
		},
	} {
		_, err := email.New(email.Config{Sender: &mfatest.Outbox[email.Message]{},
			ServiceName: "Acme", ConfirmURL: func(token string) string { return token },
			Compose: func(c email.Content) (email.Message, error) {
				m, err := email.Compose(c)
				if breaks(c) {
					m.Subject = " \u00a0"
				}
				return m, err
			}})
		require.ErrorContains(t, err, want)
	}
}

func TestNew_ChecksTheSettings(t *testing.T) {
	cfg := email.Config{Sender: &mfatest.Outbox[email.Message]{},
		ServiceName: strings.Repeat("A", 64), SettingsURL: "https://acme.example/settings",
		LocalDomains: []string{"Intranet"}}
	_, err := email.New(cfg)
	require.NoError(t, err)
	require.Equal(t, []string{"Intranet"}, cfg.LocalDomains, "the caller's slice stays")
	for _, cfg.SettingsURL = range []string{"/settings", "acme.example", "ftp://acme.example",
		"https:///settings", "https://acme.example/a b", "https://acme.example/%zz"} {
		_, err := email.New(cfg)
		require.ErrorContains(t, err, "SettingsURL", cfg.SettingsURL)
	}
}

// Texts of a tenant that cannot be read make no mail.
func TestCompose_FailsWithTextsThatCannotBeRead(t *testing.T) {
	bad := brand.Brand{Texts: map[string]map[string]string{"en": {"mail.code.first": "{nothing}"}}}
	for _, c := range []email.Content{{Brand: bad, Code: secret.New("012345")},
		{Brand: bad, Notice: "factor.added", Factor: "totp"}} {
		m, err := email.Compose(c)
		require.Error(t, err)
		require.Equal(t, email.Message{}, m)
	}
}

// A mail has a link where there is one to send, and a page for it.
func TestDeliver_SendsALinkWhereThereIsOne(t *testing.T) {
	box := &mfatest.Outbox[email.Message]{}
	with, err := email.New(email.Config{Sender: box, ServiceName: "Acme",
		ConfirmURL: func(token string) string { return "https://acme.example/c?token=" + token }})
	require.NoError(t, err)
	without, err := email.New(email.Config{Sender: box, ServiceName: "Acme"})
	require.NoError(t, err)
	in := factor.Message{State: []byte("ann@example.com"), Purpose: "confirm",
		Payload: secret.New("012345")}
	require.NoError(t, with.Deliver(t.Context(), in))
	m, _ := box.Last()
	require.NotContains(t, m.Text.Reveal(), "https://", "there is a code alone")
	in.Link = secret.New("t0ken")
	require.NoError(t, without.Deliver(t.Context(), in))
	m, _ = box.Last()
	require.NotContains(t, m.Text.Reveal(), "t0ken", "there is no page for it")
	in.Payload = secret.Text{}
	require.NoError(t, with.Deliver(t.Context(), in))
	m, _ = box.Last()
	require.Contains(t, m.Text.Reveal(), "\nhttps://acme.example/c?token=t0ken\n")
	require.ErrorContains(t, without.Deliver(t.Context(), in), "ConfirmURL is nil")
}

// Only a mail system that rejects the message says that the address is at fault.
func TestDeliver_DistinguishesRejections(t *testing.T) {
	var fail error
	f, err := email.New(email.Config{ServiceName: "Acme",
		Sender: email.SenderFunc(func(context.Context, email.Message) error { return fail })})
	require.NoError(t, err)
	in := factor.Message{State: []byte("ann@example.com"), Payload: secret.New("012345")}
	require.NoError(t, f.Deliver(t.Context(), in))
	for want, e := range map[string]error{"the sender failed": errors.New("reset"),
		"the sender failed (status 451, temporary)": &email.SendError{Code: 451, Temporary: true},
		"the mail system rejected the message (status 550, permanent)": &email.SendError{
			Code: 550, Rejected: true}} {
		fail = e
		err := f.Deliver(t.Context(), in)
		require.ErrorIs(t, err, fail)
		require.Equal(t, "email: "+want, err.Error())
	}
}

func TestNormalize_SaysWhatIsWrong(t *testing.T) {
	for response, want := range map[string]string{"12a456": "digits only", "12345": "6 digits"} {
		s, err := newFactor(t).Normalize(response)
		require.ErrorContains(t, err, want)
		require.Empty(t, s)
	}
}

func TestFactor_ReturnsWhatAMailNeeds(t *testing.T) {
	f, now := newFactor(t), time.Unix(1_800_000_000, 0)
	is, err := f.Issue(t.Context(), factor.IssueInput{State: []byte("Ann@example.com"), Now: now})
	require.NoError(t, err)
	require.Equal(t, now.Add(90*time.Second), is.Expires)
	require.Equal(t, "ann@example.com", is.Destination.Reveal())
	v, err := f.Verify(t.Context(), factor.VerifyInput{Issued: is.Keep, Response: is.Payload,
		Now: now, Expires: is.Expires})
	require.NoError(t, err)
	require.Nil(t, v)
}

// A log shows that something was left out.
func TestPrinting_SaysThatItLeavesOut(t *testing.T) {
	for want, v := range map[string]any{`"[redacted]"`: email.Message{To: "ann@example.com"},
		`["[redacted]"]`: []email.Content{{To: "ann@example.com"}},
		`"email: message not sent (temporary): rate"`: &email.SendError{Reason: "rate",
			Temporary: true}} {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		require.Equal(t, want, string(b))
	}
	code, temporary := (&email.SendError{Code: 451, Temporary: true}).SendStatus()
	require.Equal(t, 451, code)
	require.True(t, temporary)
	cause := errors.New("reset")
	require.ErrorIs(t, &email.SendError{Err: cause}, cause)
}
