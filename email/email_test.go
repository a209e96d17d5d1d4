package email_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
)

type rig struct {
	*mfa.Manager
	box   *mfatest.Outbox[email.Message]
	clock *mfatest.Clock
}

var ann = mfa.User{ID: "ann", Email: "ann@example.com", EmailVerified: true}

func newRig(t testing.TB, change ...func(*email.Config)) *rig {
	t.Helper()
	r := &rig{box: &mfatest.Outbox[email.Message]{},
		clock: mfatest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))}
	cfg := email.Config{Sender: r.box, ServiceName: "Acme",
		ConfirmURL: func(token string) string {
			return "https://acme.example/mfa/confirm?token=" + token
		}}
	for _, c := range change {
		c(&cfg)
	}
	f, err := email.New(cfg)
	require.NoError(t, err)
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	r.Manager, err = mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Clock: r.clock,
		Factors:   []factor.Factor{f},
		Policies:  policy.Static(policy.Policy{Implicit: []string{"email"}}),
		Authorize: func(context.Context, mfa.AdminAction) error { return nil }})
	require.NoError(t, err)
	return r
}

func (r *rig) begin(t testing.TB, s mfa.User) *mfa.Challenge {
	ch, err := r.Session(s, "b").Begin(t.Context())
	require.NoError(t, err)
	return ch
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

func (r *rig) code(t testing.TB) secret.Text {
	m, ok := r.box.Last()
	require.True(t, ok)
	return secret.New(sixDigits.FindString(m.Text.Reveal()))
}

func TestVerify_AcceptsTheCodeUntilItExpires(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		want  error
	}{{0, nil}, {89999 * time.Millisecond, nil}, {90 * time.Second, factor.ErrExpired}} {
		r := newRig(t)
		ch := r.begin(t, ann)
		require.Equal(t, "a•••@example.com", ch.Options[0].MaskedDestination)
		d, err := r.Session(ann, "b").Send(t.Context(), ch, "email")
		require.NoError(t, err)
		require.Equal(t, r.clock.Now().Add(90*time.Second), d.Expires)
		m, _ := r.box.Last()
		require.Equal(t, ann.Email, m.To)
		require.Equal(t, "Your Acme code", m.Subject)
		require.Contains(t, m.Text.Reveal(), "90 seconds")
		code := r.code(t)
		require.Contains(t, m.HTML.Reveal(), code.Reveal())
		require.NotContains(t, m.Subject, code.Reveal(), "lock screens show subjects")
		r.clock.Advance(c.after)
		_, err = r.Session(ann, "b").Verify(t.Context(), ch, "email",
			secret.New(code.Reveal()[:3]+" - "+code.Reveal()[3:]))
		require.ErrorIs(t, err, c.want)
	}
}

// An address is confirmed by the code or by the link of the same mail; the link is no more
// than an address: following it confirms nothing until its token is posted.
func TestConfirm_ByCodeOrLink(t *testing.T) {
	for _, by := range []string{"code", "link"} {
		r := newRig(t)
		ch := r.begin(t, mfa.User{ID: "new"})
		require.Equal(t, mfa.NextEnroll, ch.Next)
		session := r.Session(mfa.User{ID: "new"}, "b")
		e, err := session.Enroll(t.Context(), ch.Grant, mfa.EnrollRequest{
			Kind:   "email",
			Params: map[string]secret.Text{"address": secret.New(" New@Example.COM ")}})
		require.NoError(t, err)
		require.Equal(t, "N•••@example.com", e.Prompt.MaskedDestination)
		m, _ := r.box.Last()
		require.Equal(t, "New@example.com", m.To)
		_, token, ok := strings.Cut(m.Text.Reveal(), "confirm?token=")
		require.True(t, ok)
		token, _, _ = strings.Cut(token, "\n")
		if by == "code" {
			code := secret.New(sixDigits.FindString(m.Text.Reveal()))
			_, err = session.Confirm(t.Context(), e, code)
		} else {
			_, err = r.ConfirmLink(t.Context(), secret.New(token))
		}
		require.NoError(t, err)
		_, err = r.ConfirmLink(t.Context(), secret.New(token))
		require.ErrorIs(t, err, mfa.ErrTokenExpired)
		require.Equal(t, mfa.NextVerify, r.begin(t, mfa.User{ID: "new"}).Next)
	}
}

// A code may stand in a subject too, where Compose is the application's.
func TestPrinting_ShowsNoSecret(t *testing.T) {
	m := email.Message{To: "ann@example.com", Subject: "012345 is your code",
		Text: secret.New("012345"), HTML: secret.New("012345")}
	c := email.Content{To: "ann@example.com", Code: secret.New("012345"),
		Link: secret.New("https://acme.example/?token=012345")}
	for _, v := range []any{m, &m, []any{m}, struct{ M email.Message }{m}, c, &c,
		map[string]any{"c": c}} {
		j, err := json.Marshal(v)
		require.NoError(t, err)
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		s := fmt.Sprintf("%v %+v %#v %s %q %x %d", v, v, v, v, v, v, v) + string(j) + log.String()
		require.NotContains(t, s, "012345")
		require.NotContains(t, s, "303132333435")
		require.NotContains(t, s, "ann@")
	}
}

func TestNew_RefusesUnsafeConfigs(t *testing.T) {
	broken := func(change func(*email.Message, email.Content)) func(email.Content) (email.Message,
		error) {
		return func(c email.Content) (email.Message, error) {
			m, err := email.Compose(c)
			change(&m, c)
			return m, err
		}
	}
	for _, c := range []struct {
		want   string
		change func(*email.Config)
	}{
		{"Sender is nil", func(c *email.Config) { c.Sender = nil }},
		{"ServiceName must be", func(c *email.Config) { c.ServiceName = "" }},
		{"ServiceName must be", func(c *email.Config) { c.ServiceName = " " }},
		{"ServiceName must be", func(c *email.Config) {
			c.ServiceName = "Acme\r\nBcc: eve@example.com"
		}},
		{"ServiceName must be", func(c *email.Config) { c.ServiceName = strings.Repeat("A", 65) }},
		{"ServiceName must be", func(c *email.Config) { c.ServiceName = "Acme\xff" }},
		{"TTL is 29", func(c *email.Config) { c.TTL = 30*time.Second - 1 }},
		{"TTL is 10m0.000000001s", func(c *email.Config) { c.TTL = 10*time.Minute + 1 }},
		{"TTL is -1s", func(c *email.Config) { c.TTL = -time.Second }},
		{"Digits is 5", func(c *email.Config) { c.Digits = 5 }},
		{"Digits is 11", func(c *email.Config) { c.Digits = 11 }},
		{"Digits is -6", func(c *email.Config) { c.Digits = -6 }},
		{"subject", func(c *email.Config) {
			c.Compose = broken(func(m *email.Message, _ email.Content) { m.Subject = "a\nb" })
		}},
		{"subject", func(c *email.Config) {
			c.Compose = broken(func(m *email.Message, _ email.Content) { m.Subject = "" })
		}},
		{`mail for "manage" does not do: Compose makes a text without the code`,
			func(c *email.Config) {
				c.Compose = broken(func(m *email.Message, c email.Content) {
					if c.Purpose == "manage" {
						m.Text = secret.New("Hello")
					}
				})
			}},
		{"link alone does not do: Compose makes a text without the link", func(c *email.Config) {
			c.ConfirmURL = func(string) string { return "" }
			c.Compose = broken(func(m *email.Message, c email.Content) { m.Text = c.Code })
		}},
		{"no template", func(c *email.Config) {
			c.Compose = func(email.Content) (email.Message, error) {
				return email.Message{}, errors.New("no template")
			}
		}},
	} {
		cfg := email.Config{Sender: &mfatest.Outbox[email.Message]{}, ServiceName: "Acme"}
		_, err := email.New(cfg)
		require.NoError(t, err)
		c.change(&cfg)
		f, err := email.New(cfg)
		require.ErrorContains(t, err, c.want)
		require.ErrorContains(t, err, "email: ")
		require.Nil(t, f)
	}
}

// The longest and the shortest that may be configured do work.
func TestNew_AcceptsTheWholeRange(t *testing.T) {
	for _, c := range []struct {
		ttl    time.Duration
		digits int
		said   string
	}{{30 * time.Second, 10, "30 seconds"}, {time.Minute, 7, "1 minute"},
		{10 * time.Minute, 8, "10 minutes"}} {
		r := newRig(t, func(cfg *email.Config) { cfg.TTL, cfg.Digits = c.ttl, c.digits })
		ch := r.begin(t, ann)
		_, err := r.Session(ann, "b").Send(t.Context(), ch, "email")
		require.NoError(t, err)
		m, _ := r.box.Last()
		require.Contains(t, m.Text.Reveal(), c.said)
		code := secret.New(regexp.MustCompile(fmt.Sprintf(`\b\d{%d}\b`, c.digits)).FindString(
			m.Text.Reveal()))
		require.Len(t, code.Reveal(), c.digits)
		r.clock.Advance(c.ttl - time.Millisecond)
		_, err = r.Session(ann, "b").Verify(t.Context(), ch, "email", code)
		require.NoError(t, err)
	}
}

// A response that is no code does not count as a failed attempt.
func TestNormalize_OtherFormsAreNoFailedAttempt(t *testing.T) {
	f, err := email.New(email.Config{Sender: &mfatest.Outbox[email.Message]{}, ServiceName: "Acme"})
	require.NoError(t, err)
	for in, want := range map[string]string{"012345": "012345", " 012 345 ": "012345",
		"012-345": "012345", "012\u00a0345\n": "012345",
		"٠١٢٣٤٥": "012345"} {
		got, err := f.Normalize(in)
		require.NoError(t, err, "%q", in)
		require.Equal(t, want, got)
	}
	for _, in := range []string{"", "12345", "1234567", "12345a", "①②③④⑤⑥", "12345\x00",
		"\xff12345", "+12345", "1e5", strings.Repeat("1", 4096)} {
		_, err := f.Normalize(in)
		require.ErrorIs(t, err, factor.ErrMalformed, "%q", in)
	}
}

// A code is for the challenge that asked, works once, and ends when another is sent.
func TestVerify_AcceptsACodeOnce(t *testing.T) {
	r := newRig(t)
	one, two := r.begin(t, ann), r.begin(t, ann)
	send := func(ch *mfa.Challenge) secret.Text {
		_, err := r.Session(ann, "b").Send(t.Context(), ch, "email")
		require.NoError(t, err)
		return r.code(t)
	}
	verify := func(ch *mfa.Challenge, code secret.Text) error {
		_, err := r.Session(ann, "b").Verify(t.Context(), ch, "email", code)
		return err
	}
	first := send(one)
	require.ErrorIs(t, verify(two, first), factor.ErrExpired)
	second := send(one)
	for second.Reveal() == first.Reveal() {
		second = send(one)
	}
	require.ErrorIs(t, verify(one, first), factor.ErrExpired)
	require.NoError(t, verify(one, second))
	require.Error(t, verify(one, second))
}

// The address that was confirmed is the one written to, whatever Compose says, and a URL that
// users cannot open is not sent to them.
func TestDeliver_MailsTheConfirmedAddress(t *testing.T) {
	in := factor.Message{State: []byte("ann@example.com"), Payload: secret.New("012345"),
		Purpose: "confirm", Link: secret.New("token")}
	box := &mfatest.Outbox[email.Message]{}
	f, err := email.New(email.Config{Sender: box, ServiceName: "Acme",
		Compose: func(c email.Content) (email.Message, error) {
			return email.Message{To: "eve@example.com", Subject: "x",
				Text: secret.New(c.Code.Reveal() + c.Link.Reveal())}, nil
		}})
	require.NoError(t, err)
	require.NoError(t, f.Deliver(t.Context(), in))
	m, _ := box.Last()
	require.Equal(t, "ann@example.com", m.To)
	for made, valid := range map[string]bool{
		"https://acme.example/c?token=t": true, "http://localhost:8080/c?token=t": true, "": false,
		"/c?token=t":     false,
		"acme.example/c": false, "javascript:alert(1)": false, "mailto:a@b.example": false,
		"https://":                  false,
		"https://acme.example/c\n.": false, "https://acme.example/a b": false,
		"https://acme.example/%zz": false,
	} {
		f, err := email.New(email.Config{Sender: box, ServiceName: "Acme",
			ConfirmURL: func(string) string {
				return made
			}})
		require.NoError(t, err)
		before := len(box.All())
		err = f.Deliver(t.Context(), in)
		if valid {
			require.NoError(t, err, made)
			continue
		}
		require.ErrorContains(t, err, "ConfirmURL", made)
		require.NotContains(t, err.Error(), "ann@")
		require.Len(t, box.All(), before)
	}
}

// A confirmation by link needs links.
func TestConfirm_ByLinkNeedsConfirmURL(t *testing.T) {
	r := newRig(t, func(c *email.Config) { c.ConfirmURL = nil })
	_, err := r.Admin(mfa.System("root"), "").SendVerificationLink(t.Context(), ann)
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.ErrorContains(t, err, "ConfirmURL")
	require.Empty(t, r.box.All())
}

// A mailbox never raises the assurance level.
func TestFactor_StatesItsTraits(t *testing.T) {
	f, err := email.New(email.Config{Sender: &mfatest.Outbox[email.Message]{}, ServiceName: "Acme"})
	require.NoError(t, err)
	tr := f.Traits()
	tr.Settings = factor.Settings{} // see TestSettings_StateTheConfig
	require.Equal(t, factor.Traits{AMR: "otp", Level: factor.LevelWeak,
		Importable: true}, tr)
	require.Equal(t, "email", f.Kind())
	state, masked, err := f.Implied(factor.User{Email: "ann@Example.com"})
	require.NoError(t, err)
	require.Equal(t, "ann@example.com a•••@example.com", string(state)+" "+masked)
}
