package sms

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/secret"
)

// One message is one segment of 140 bytes: 160 septets of the GSM 7-bit default alphabet
// (3GPP TS 23.038 section 6.2.1), or 70 UTF-16 code units (section 6.2.3) if one character
// is outside of it. A second segment costs again and may arrive late or alone.
const (
	maxSeptets = 160
	maxUTF16   = 70
)

// basic are the characters that take one septet; extended ones are escaped and take two.
// ESC, CR and FF are left out: they have no business in a message.
const (
	basic = "@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	extended = `^{}\[~]|€`
)

// septets is how many septets s takes, or -1 if GSM-7 cannot hold it.
func septets(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case strings.ContainsRune(basic, r):
			n++
		case strings.ContainsRune(extended, r):
			n += 2
		default:
			return -1
		}
	}
	return n
}

// Content is what a message says, for [Config].Compose. It prints and encodes as "[redacted]".
type Content struct {
	// To is the number in E.164 form.
	To string
	// ServiceName is the short name of the Brand, or the Config's.
	ServiceName string
	// Brand is how the user's tenant sees the application, for a Compose of your own.
	Brand brand.Brand
	// Locale is the user's, a BCP 47 tag, or "".
	Locale string
	// Purpose is as in factor.Message: "sign-in", "step-up", "manage", "replace" or
	// "confirm".
	Purpose string
	// Code is what the user types.
	Code secret.Text
	// TTL is how long Code is valid.
	TTL time.Duration
}

// String returns "[redacted]".
func (Content) String() string { return redacted }

// Format writes "[redacted]" for every verb.
func (Content) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue implements slog.LogValuer.
func (Content) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText makes every encoder write "[redacted]".
func (Content) MarshalText() ([]byte, error) { return []byte(redacted), nil }

func (cfg *Config) content(
	number, code, locale, purpose string, ours brand.Brand,
) Content {
	return Content{
		To: number, ServiceName: ours.ShortNameOr(cfg.ServiceName), Brand: ours,
		Locale: locale, Purpose: purpose,
		Code: secret.New(code), TTL: cfg.TTL,
	}
}

// finish adds the last line and holds the message to the rules. Its errors hold nothing of it.
func (cfg *Config) finish(m Message, c Content) (Message, error) {
	text, code := m.Text, c.Code.Reveal()
	switch {
	case !utf8.ValidString(text):
		return Message{}, invalid("Compose makes invalid UTF-8")
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }):
		return Message{}, invalid("Compose makes a control character")
	case !strings.Contains(text, code):
		return Message{}, invalid("Compose leaves out the code, " +
			"which not every device finds in the last line")
	}
	if cfg.Origin != NoOrigin {
		// Lines are split at LF alone and only the last is read, so nothing follows this
		// one, a line feed least of all (sms-one-time-codes section 3.2).
		text = strings.TrimRight(text, "\n") + "\n@" + cfg.Origin + " #" + code
	}
	if err := checkLength(text); err != nil {
		return Message{}, err
	}
	// Whatever Compose made of it: the number that is verified is the one written to.
	return Message{To: c.To, Text: text, TTL: c.TTL}, nil
}

// checkLength checks that a text is one segment.
func checkLength(text string) error {
	if n := septets(text); n > maxSeptets {
		return fmt.Errorf("it takes %d septets and one message holds %d; "+
			"shorten ServiceName, Origin or the text of Compose", n, maxSeptets)
	} else if n >= 0 {
		return nil
	}
	if n := len(utf16.Encode([]rune(text))); n > maxUTF16 {
		return fmt.Errorf("it has characters outside the GSM 7-bit alphabet, takes %d UTF-16 "+
			"units, "+
			"and one message then holds %d; shorten the text or leave those characters out",
			n, maxUTF16)
	}
	return nil
}

// Compose writes the message in the language of the locale, or in English if the library has none.
// The code comes first, because notifications show little, and the words are always the same (NIST
// SP 800-63B-4 section 8.1). Texts of the Brand replace the library's.
func Compose(c Content) (Message, error) {
	w, err := texts.ForBrand(c.Locale, c.Brand.Texts)
	if err != nil {
		return Message{}, err
	}
	return Message{To: c.To, Text: words(w, c), TTL: c.TTL}, nil
}

// words is what a message says in a language.
func words(w *texts.Language, c Content) string {
	ttl := c.TTL
	if ttl > 2*time.Minute {
		ttl = ttl.Truncate(time.Minute) // a minute begun is not promised
	}
	return w.Message("sms.code", "code", c.Code.Reveal(), "service", c.ServiceName,
		"time", w.Lifetime(ttl))
}

// message makes the whole message. A language outside of the GSM 7-bit alphabet has 70 characters
// with the last line, which a long name or host may use up. Then the message has fewer words, or
// in the end none but the code and the service, rather than a second segment.
func (cfg *Config) message(c Content) (Message, error) {
	if cfg.Compose != nil {
		m, err := cfg.Compose(c)
		if err != nil {
			return Message{}, &composeError{err}
		}
		return cfg.finish(m, c)
	}
	w, err := texts.ForBrand(c.Locale, c.Brand.Texts)
	if err != nil {
		return Message{}, err
	}
	code, name := c.Code.Reveal(), c.ServiceName
	return cfg.longest(c, words(w, c), w.Message("sms.short", "code", code, "service", name),
		code+" "+name)
}

// longest makes a message of the first text that fits. One of the GSM 7-bit alphabet is never
// shortened: New refuses a name for which it would not fit.
func (cfg *Config) longest(c Content, texts ...string) (m Message, err error) {
	for _, text := range texts {
		m, err = cfg.finish(Message{To: c.To, Text: text, TTL: c.TTL}, c)
		if err == nil || septets(text) >= 0 {
			break
		}
	}
	return m, err
}

// composeError is an error of the application's Compose, which may quote the code.
type composeError struct{ error }

func (e *composeError) Unwrap() error { return e.error }
