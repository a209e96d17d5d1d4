package sms_test

import (
	"context"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
)

// text is the message that goes out for a code.
func text(t testing.TB, cfg sms.Config, code, locale, purpose string) (string, error) {
	t.Helper()
	box := &outbox{}
	cfg.Sender = box
	f := newFactor(t, cfg)
	err := f.Deliver(context.Background(), factor.Message{State: []byte("+31612345678"),
		Payload: secret.New(code),
		Purpose: purpose, User: factor.User{Locale: locale}, Expires: now.Add(time.Minute),
		Time: now})
	if err != nil {
		require.Empty(t, box.sent)
		return "", err
	}
	return box.sent[0].Text, nil
}

func TestText_InEachLanguage(t *testing.T) {
	english := "012345 is your code for Acme, valid for 90 seconds. Give it to nobody: we will " +
		"never ask for it.\n@acme.example #012345"
	norwegian := "012345 er koden din for Acme, gyldig i 90 sekunder. Gi den til ingen: vi spør " +
		"aldri om den.\n@acme.example #012345"
	for locale, want := range map[string]string{
		"":      english,
		"en":    english,
		"tlh":   english,
		"x\xff": english,
		"nl": "012345 is je code voor Acme, 90 seconden geldig. Geef hem aan niemand: wij " +
			"vragen er nooit om.\n@acme.example #012345",
		"nb":    norwegian,
		"nn-NO": norwegian,
		"no":    norwegian,
		"de_AT": "012345 ist Ihr Code für Acme, gültig für 90 Sekunden. Geben Sie ihn " +
			"niemandem: wir fragen nie danach.\n@acme.example #012345",
	} {
		for _, purpose := range []string{"sign-in", "confirm"} {
			got, err := text(t, config(nil), "012345", locale, purpose)
			if got != want || err != nil {
				t.Errorf("%q: %q, %v\nwant %q", locale, got, err, want)
			}
		}
	}
}

func TestText_StatesTheTTL(t *testing.T) {
	for ttl, want := range map[time.Duration]string{
		30 * time.Second:  "valid for 30 seconds",
		2 * time.Minute:   "valid for 2 minutes",
		179 * time.Second: "valid for 2 minutes", // what is promised is kept
		10 * time.Minute:  "valid for 10 minutes",
	} {
		cfg := config(nil)
		cfg.TTL = ttl
		if got, err := text(t, cfg, "012345", "", "sign-in"); err != nil ||
			!strings.Contains(got, want) {
			t.Errorf("%s: %q, %v", ttl, got, err)
		}
	}
}

// TestText_FitsOneSegment counts septets by the table of 3GPP TS 23.038 written out anew.
func TestText_FitsOneSegment(t *testing.T) {
	const one = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ " +
		"!\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	longest := 0
	for n := 1; n <= 80; n++ {
		cfg := config(&outbox{})
		cfg.ServiceName = strings.Repeat("€", n) // two septets each
		cfg.Digits = 10
		if _, err := sms.New(cfg); err != nil {
			break
		}
		for _, locale := range texts.Tags() {
			got, err := text(t, cfg, "0123456789", locale, "sign-in")
			require.NoError(t, err)
			if strings.ContainsFunc(got, otherAlphabet) {
				units := len(utf16.Encode([]rune(got)))
				require.LessOrEqual(t, units, 70, "%s: %q", locale, got)
				continue
			}
			septets := 0
			for _, r := range got {
				switch {
				case strings.ContainsRune(one, r):
					septets++
				case r == '€':
					septets += 2
				default:
					t.Fatalf("%q is outside of GSM-7", r)
				}
			}
			if septets > 160 {
				t.Fatalf("%d septets in %q", septets, got)
			}
			longest = max(longest, septets)
		}
	}
	if longest < 159 {
		t.Errorf("the longest message that New allows has %d septets, want the whole of a segment",
			longest)
	}
}

// otherAlphabet reports whether GSM-7 lacks the whole alphabet that a letter belongs to, so that a
// message in its language is UCS-2.
func otherAlphabet(r rune) bool {
	return unicode.IsLetter(r) && !unicode.In(r, unicode.Latin, unicode.Greek)
}

// parseOriginBound is the algorithm of sms-one-time-codes section 4, for a message without
// an embedded origin.
func parseOriginBound(message string) (host, code string, ok bool) {
	lines := strings.Split(message, "\n")
	line := lines[len(lines)-1]
	if !strings.HasPrefix(line, "@") {
		return "", "", false
	}
	host, rest, ok := strings.Cut(line[1:], " ")
	if !ok || host == "" || !strings.HasPrefix(rest, "#") {
		return "", "", false
	}
	code = rest[1:]
	return host, code, code != "" && !strings.ContainsAny(code, " \t\r\f")
}

func TestText_IsOriginBound(t *testing.T) {
	for _, locale := range texts.Tags() {
		cfg := config(nil)
		cfg.Origin = "Login.Acme.example"
		got, err := text(t, cfg, "012345", locale, "sign-in")
		require.NoError(t, err)
		if host, code, ok := parseOriginBound(got); !ok || host != "login.acme.example" ||
			code != "012345" {
			t.Errorf("%q reads as %q, %q, %v", got, host, code, ok)
		}
	}
	cfg := config(nil)
	cfg.Origin = sms.NoOrigin
	got, err := text(t, cfg, "012345", "", "sign-in")
	require.NoError(t, err)
	if strings.ContainsAny(got, "@#\n") {
		t.Errorf("NoOrigin gives %q", got)
	}
}

func TestCompose_KeepsTheOriginLine(t *testing.T) {
	cfg := config(nil)
	var seen sms.Content
	cfg.Compose = func(c sms.Content) (sms.Message, error) {
		seen = c
		return sms.Message{To: "+4", Text: c.Code.Reveal() + " für " + c.Purpose + "\n\n"}, nil
	}
	got, err := text(t, cfg, "012345", "de", "step-up")
	require.NoError(t, err)
	require.Equal(t, "012345 für step-up\n@acme.example #012345", got)
	require.Equal(t, sms.Content{To: "+31612345678", Code: secret.New("012345"),
		ServiceName: "Acme",
		Locale:      "de", Purpose: "step-up", TTL: 90 * time.Second}, seen)
}

func TestCompose_InvalidTextIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		body string // %s is the code
		want string
	}{
		"without the code":   {"Your code is below.", "leaves out the code"},
		"control character":  {"%s\r", "control character"},
		"NUL":                {"%s\x00", "control character"},
		"not UTF-8":          {"%s\xff", "invalid UTF-8"},
		"161 septets":        {"%s" + strings.Repeat("a", 161-6-22), "takes 161 septets"},
		"71 units":           {"%s" + strings.Repeat("ł", 71-6-22), "takes 71 UTF-16 units"},
		"71 units in emoji":  {"%sł" + strings.Repeat("🔒", 21), "takes 71 UTF-16 units"},
		"extended in GSM-7":  {"%sa" + strings.Repeat("€", 66), "takes 161 septets"},
		"two thousand lines": {"%s" + strings.Repeat("\n", 2000) + "a", "septets"},
	} {
		body := func(in sms.Content) (sms.Message, error) {
			return sms.Message{Text: strings.Replace(c.body, "%s", in.Code.Reveal(), 1)}, nil
		}
		cfg := config(&outbox{})
		cfg.Compose = body
		if _, err := sms.New(cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: New says %v, want %q", name, err, c.want)
		}
		// A text that breaks the rules in a language that New does not try is not sent.
		cfg.Compose = func(in sms.Content) (sms.Message, error) {
			if in.Locale == "is" {
				return body(in)
			}
			return sms.Message{Text: in.Code.Reveal()}, nil
		}
		if _, err := text(t, cfg, "012345", "is", "sign-in"); err == nil ||
			!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "012345") {
			t.Errorf("%s: Deliver says %v, want %q", name, err, c.want)
		}
	}
	cfg := config(nil)
	cfg.Compose = func(in sms.Content) (sms.Message, error) {
		return sms.Message{Text: in.Code.Reveal() + strings.Repeat("ł", 70-6-22)}, nil
	}
	_, err := text(t, cfg, "012345", "", "sign-in")
	require.NoError(t, err, "70 units fit")
	cfg.Compose = func(in sms.Content) (sms.Message, error) {
		return sms.Message{Text: in.Code.Reveal() + strings.Repeat("a", 160-6-22)}, nil
	}
	_, err = text(t, cfg, "012345", "", "sign-in")
	require.NoError(t, err, "160 septets fit")
}
