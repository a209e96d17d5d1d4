package sms_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
)

// A state that is not read is an error of the application, and neither correct nor incorrect.
func TestVerify_StateThatIsNotReadIsNoVerdict(t *testing.T) {
	f := newFactor(t, config(&outbox{}))
	in, code := issue(t, f, "+31612345678")
	for _, state := range []string{"", "+31 612345678", "+3161234567890123"} {
		in.State, in.Response = []byte(state), secret.New(code)
		v, err := f.Verify(t.Context(), in)
		require.Error(t, err)
		require.NotErrorIs(t, err, factor.ErrIncorrect)
		require.Nil(t, v)
	}
}

// A provider drops the message when the code ends, also if it is sent late.
func TestDeliver_SaysTheLifetimeThatRemains(t *testing.T) {
	box := &outbox{}
	f := newFactor(t, config(box))
	require.NoError(t, f.Deliver(t.Context(), factor.Message{State: []byte("+31612345678"),
		Payload: secret.New("012345"), Purpose: "sign-in", Time: now.Add(50 * time.Second),
		Expires: now.Add(90 * time.Second)}))
	require.Equal(t, 40*time.Second, box.sent[0].TTL)
}

// A message that Compose does not make is not taken for one that was sent.
func TestDeliver_FailsWhereComposeFails(t *testing.T) {
	own := errors.New("012345 does not fit the template")
	cfg := config(&outbox{})
	cfg.Compose = func(c sms.Content) (sms.Message, error) {
		if c.Locale == "sv-FI" {
			return sms.Message{}, own
		}
		return sms.Compose(c)
	}
	err := newFactor(t, cfg).Deliver(t.Context(), factor.Message{State: []byte("+31612345678"),
		Payload: secret.New("012345"), User: factor.User{Locale: "sv-FI"}})
	require.ErrorIs(t, err, own)
	require.ErrorContains(t, err, "Config.Compose failed")
	require.NotContains(t, err.Error(), "012345")

	cfg.Compose = func(sms.Content) (sms.Message, error) { return sms.Message{}, own }
	_, err = sms.New(cfg)
	require.ErrorIs(t, err, own, "New tries it")
}

// Texts of a tenant that cannot be read stop a message, also where the application
// composes it.
func TestBrand_TextsThatCannotBeReadStopTheMessage(t *testing.T) {
	bad := brand.Brand{Texts: map[string]map[string]string{"en": {"sms.code": "{nothing}"}}}
	_, err := sms.Compose(sms.Content{Brand: bad, Code: secret.New("012345")})
	require.Error(t, err)
	own := config(&outbox{})
	own.Compose = func(c sms.Content) (sms.Message, error) {
		return sms.Message{Text: c.Code.Reveal()}, nil
	}
	for name, cfg := range map[string]sms.Config{"the library": config(&outbox{}),
		"the application": own} {
		_, err := newFactor(t, cfg).Issue(t.Context(), factor.IssueInput{
			State: []byte("+31612345678"), Brand: bad, Now: now})
		require.Error(t, err, name)
	}
	box := &outbox{}
	err = newFactor(t, config(box)).Deliver(t.Context(), factor.Message{
		State: []byte("+31612345678"), Payload: secret.New("012345"), Brand: bad})
	require.Error(t, err)
	require.Empty(t, box.sent)
}

func TestNormalize_SaysWhatIsWrong(t *testing.T) {
	f := newFactor(t, config(&outbox{}))
	_, err := f.Normalize("12a456")
	require.ErrorContains(t, err, "digits only")
	_, err = f.Normalize("12345")
	require.ErrorContains(t, err, "another number of digits")
}

func TestEnroll_ReadsNumbersUpToTheirLength(t *testing.T) {
	f := newFactor(t, config(&outbox{}))
	for n, want := range map[int]string{128: "", 129: "number_form"} {
		_, err := enroll(f, "+31612345678"+strings.Repeat(" ", n-12), "")
		require.Equal(t, want, reason(err), n)
	}
	for _, region := range []string{"N", "NLD", "N1", "N "} {
		_, err := enroll(f, "+31612345678", region)
		require.Equal(t, "number_region", reason(err), region)
	}
}

func TestCompose_DeleteIsAControlCharacter(t *testing.T) {
	cfg := config(&outbox{})
	cfg.Compose = func(c sms.Content) (sms.Message, error) {
		return sms.Message{Text: c.Code.Reveal() + "\x7f"}, nil
	}
	_, err := sms.New(cfg)
	require.ErrorContains(t, err, "control character")
}

func TestSenderFunc_ReturnsItsError(t *testing.T) {
	own := errors.New("no network")
	f := sms.SenderFunc(func(context.Context, sms.Message) error { return own })
	require.ErrorIs(t, f.Send(t.Context(), message), own)
}

// A log shows that something was left out.
func TestPrinting_SaysThatItLeavesOut(t *testing.T) {
	for want, v := range map[string]any{`"[redacted]"`: sms.Message{To: "+31612345678"},
		`["[redacted]"]`: []sms.Content{{To: "+31612345678"}},
		`"sms: message not sent (temporary): rate"`: &sms.SendError{Reason: "rate",
			Temporary: true}} {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		require.Equal(t, want, string(b))
	}
	code, temporary := (&sms.SendError{Code: 503, Temporary: true}).SendStatus()
	require.Equal(t, 503, code)
	require.True(t, temporary)
}
