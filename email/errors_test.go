package email_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"mime/quotedprintable"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// quoter is a sender whose errors hold the whole message: as it is, in base64, and in
// quoted-printable form.
type quoter struct {
	secrets []string
	last    email.Message
	fail    bool
	also    error
}

// quotedError shows all that it knows, whichever way it is printed.
type quotedError struct {
	Text string
	also error
}

func (e quotedError) Error() string { return e.Text }
func (e quotedError) Unwrap() error { return e.also }

func (q *quoter) Send(_ context.Context, m email.Message) error {
	q.last = m
	if !q.fail {
		return nil
	}
	var qp bytes.Buffer
	w := quotedprintable.NewWriter(&qp)
	_, _ = w.Write([]byte(m.Text.Reveal()))
	_ = w.Close()
	text := m.Text.Reveal()
	q.secrets = []string{m.To, sixDigits.FindString(text),
		base64.StdEncoding.EncodeToString([]byte(text)),
		strings.TrimSpace(qp.String())}
	for line := range strings.Lines(text) {
		if strings.Contains(line, "token=") {
			q.secrets = append(q.secrets, strings.TrimSpace(line))
		}
	}
	return quotedError{strings.Join(append(q.secrets, m.HTML.Reveal()), "\n"), q.also}
}

func printed(t *testing.T, err error) string {
	t.Helper()
	var b bytes.Buffer
	encoded, jsonErr := json.Marshal(struct{ Err error }{err})
	require.NoError(t, jsonErr)
	fmt.Fprintf(&b, "%v %+v %#v %q %s %s\n", err, err, err, err, err.Error(), encoded)
	slog.New(slog.NewTextHandler(&b, nil)).Error("x", "error", err)
	slog.New(slog.NewJSONHandler(&b, nil)).Error("x", "error", err)
	return b.String()
}

// What a sender says of a message stays with it: neither the factor's errors nor the Manager's
// hold the code, the link or the address in any form. errors.As finds what it said, and errors.Is
// whether it is worth trying again.
func TestErrors_HoldNothingThatTheSenderSaid(t *testing.T) {
	q := &quoter{also: &email.SendError{Rejected: true, Code: 550}}
	r := newRig(t, func(c *email.Config) {
		c.Sender = q
		c.SetupURL = func(token string) string {
			return "https://acme.example/mfa/setup?token=" + token
		}
	})
	f, err := email.New(email.Config{Sender: q, ServiceName: "Acme",
		SetupURL: func(token string) string {
			return "https://acme.example/mfa/setup?token=" + token
		}})
	require.NoError(t, err)
	q.fail = true
	ctx := t.Context()
	admin := r.Admin(mfa.System("root"), "")
	for name, do := range map[string]func() error{
		"send": func() error {
			_, err := r.Session(ann, "b").Send(ctx, r.begin(t, ann), "email")
			return err
		},
		"confirmation": func() error {
			_, err := admin.SendVerificationLink(ctx, ann)
			return err
		},
		"setup": func() error {
			_, err := admin.SendRecoveryLink(ctx, ann)
			return err
		},
		"enrolment": func() error {
			ch := r.begin(t, mfa.User{ID: "new"})
			_, err := r.Session(mfa.User{ID: "new"}, "b").Enroll(ctx, ch.Grant,
				mfa.EnrollRequest{Kind: "email",
					Params: map[string]secret.Text{"address": secret.New("new@example.com")}})
			return err
		},
		"factor, code": func() error {
			return f.Deliver(ctx, factor.Message{State: []byte(ann.Email),
				Payload: secret.New("012345")})
		},
		"factor, link": func() error {
			return f.Notify(ctx, factor.Message{State: []byte(ann.Email), Event: "setup.link",
				Link: secret.New("012345-token")})
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := do()
			rejection, ok := errors.AsType[*email.SendError](err)
			require.True(t, ok && rejection.Rejected)
			var said quotedError
			require.ErrorAs(t, err, &said)
			require.Contains(t, said.Text, q.last.To)
			all := printed(t, err)
			require.Contains(t, all, "rejected the message")
			for _, secret := range q.secrets {
				if secret != "" {
					require.NotContains(t, all, secret)
				}
			}
		})
	}
}

// Compose is the application's, and knows the code too.
func TestErrors_HoldNothingThatComposeSaid(t *testing.T) {
	var fail error
	f, err := email.New(email.Config{Sender: &quoter{}, ServiceName: "Acme",
		Compose: func(c email.Content) (email.Message, error) {
			m, err := email.Compose(c)
			return m, errors.Join(err, fail)
		}})
	require.NoError(t, err)
	fail = errors.New("cannot render 012345 to ann@example.com")
	for _, err := range []error{
		f.Deliver(t.Context(), factor.Message{State: []byte(ann.Email),
			Payload: secret.New("012345")}),
		f.Notify(t.Context(), factor.Message{State: []byte(ann.Email), Event: "factor.added"}),
	} {
		require.ErrorIs(t, err, fail)
		require.NotContains(t, printed(t, err), "012345")
		require.NotContains(t, printed(t, err), "ann@")
	}
}
