package sms_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/internal/texts/textstest"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
)

// A language outside of the GSM alphabet has 70 characters. A long host takes words away from the
// message and makes no second segment of it; a language of the alphabet is refused by New instead.
func TestText_HasFewerWordsWhereOnlyFewFit(t *testing.T) {
	c := sms.Content{To: "+31612345678", ServiceName: "Acme", Code: secret.New("012345"),
		TTL: time.Minute}
	const full, short, bare = "012345 – ваш код для Acme, дійсний 1 хв", "012345 – код Acme",
		"012345 Acme"
	for host, want := range map[string]string{
		"acme.example":                       full,
		"sign-in.accounts.acme.example":      short,
		strings.Repeat("a", 60) + ".example": bare,
	} {
		got, err := sms.Config{Origin: host}.Longest(c, full, short, bare)
		require.NoError(t, err)
		require.Equal(t, want+"\n@"+host+" #012345", got)
	}
	cfg := sms.Config{Origin: strings.Repeat("a", 60) + "." + strings.Repeat("b", 60) + ".example"}
	_, err := cfg.Longest(c, "012345 is your code for Acme.", short, bare)
	require.ErrorContains(t, err, "one message holds 160")
}

// Each language fits with a host and a name of usual length, and says nothing in another language.
// A language of Latin letters keeps to the GSM alphabet, which has room for more than twice as
// much.
func TestText_FitsInEveryLanguage(t *testing.T) {
	for _, tag := range texts.Tags() {
		cfg := config(nil)
		cfg.ServiceName = "Acme Bank"
		got, err := text(t, cfg, "012345", tag, "sign-in")
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(got, "012345"), "%s: the code comes first: %s", tag, got)
		full := texts.Get(tag).Message("sms.code", "code", "012345", "service", "Acme Bank",
			"time", texts.Get(tag).Lifetime(90*time.Second))
		require.True(t, strings.HasPrefix(got, full), "%s: %q does not fit", tag, full)
		require.Empty(t, textstest.Strange(tag, "Acme Bank", "acme.example")(got))
		if latin(full) {
			require.GreaterOrEqual(t, sms.Septets(full), 0, "%s: %s", tag, full)
		}
	}
}

// latin reports whether a text has letters of the Latin alphabet alone, with or without marks.
func latin(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x370 && r != '\u20ac' })
}
