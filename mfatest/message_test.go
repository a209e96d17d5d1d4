package mfatest_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// recorder is a test that may fail. It keeps the text of the failure.
type recorder struct {
	testing.TB
	text string
}

func (r *recorder) Helper() {}

func (r *recorder) Fatalf(format string, args ...any) {
	r.text = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// failure runs f as a test, and returns the text it fails with, or "".
func failure(t *testing.T, f func(t testing.TB)) string {
	t.Helper()
	r, done := &recorder{TB: t}, make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	return r.text
}

func TestCode_FindsTheCode(t *testing.T) {
	for text, code := range map[string]string{
		"Your code: 123456":                       "123456",
		"012345 is your code for Acme 24.":        "012345",
		"Call 112. (12345678)\n":                  "12345678",
		"Code 123456.\n@example.com #123456":      "123456",
		"https://a.example/?token=987654 123456":  "123456",
		"order A1234567 or 55-123456789, 222333,": "222333",
	} {
		require.Equal(t, code, mfatest.Code(t, text), text)
		require.Equal(t, code, mfatest.Code(t, secret.New(text)), text)
	}
}

// The mails and messages of each language and purpose are read.
func TestCode_ReadsTheBuiltInTexts(t *testing.T) {
	for _, locale := range []string{"en", "nl", "nb", "de"} {
		for _, purpose := range []string{"sign-in", "step-up", "manage", "replace", "confirm"} {
			m, err := email.Compose(email.Content{To: "ann@example.com", ServiceName: "Acme",
				Locale: locale, Purpose: purpose, Code: secret.New("049173"),
				Link: secret.New("https://example.com/confirm?token=123456789")})
			require.NoError(t, err)
			require.Equal(t, "049173", mfatest.Code(t, m.Text))
			require.Equal(t, "https://example.com/confirm?token=123456789",
				mfatest.Link(t, m.Text))
		}
	}
}

func TestCode_RefusesWhatIsNotOneCode(t *testing.T) {
	for text, why := range map[string]string{
		"":                              "the message has no code",
		"12345":                         "the message has no code",
		"12345678901":                   "the message has no code",
		"x123456":                       "the message has no code",
		"https://example.com/?t=123456": "the message has no code",
		"123456 or 654321":              "the message has 2 codes",
	} {
		got := failure(t, func(t testing.TB) { mfatest.Code(t, text) })
		require.Contains(t, got, "mfatest.Code: "+why, text)
		require.NotContains(t, got, "123456", "a failure quotes no code")
	}
}

func TestLink_FindsTheLink(t *testing.T) {
	for text, link := range map[string]string{
		"Open https://example.com/a?b=c&d=e.":        "https://example.com/a?b=c&d=e",
		"<http://localhost:8080/>":                   "http://localhost:8080/",
		"https://a.example/x\n\nhttps://a.example/x": "https://a.example/x",
	} {
		require.Equal(t, link, mfatest.Link(t, text))
	}
}

func TestLink_RefusesWhatIsNotOneLink(t *testing.T) {
	for text, why := range map[string]string{
		"Your code: 123456":                   "has no link",
		"ftp://example.com":                   "has no link",
		"https://a.example https://b.example": "has 2 links",
		"https://example.com/%zz":             "is not a URL",
	} {
		got := failure(t, func(t testing.TB) { mfatest.Link(t, secret.New(text)) })
		require.Contains(t, got, why, text)
	}
}
