package sms

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/secondgate/secondgate/mfa/factor"
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
		case r == utf8.RuneError:
			return -1
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

// message is the whole text for a code. Its errors hold nothing of it.
func (cfg *Config) message(code, locale, purpose string) (string, error) {
	in := TextInput{Code: factor.NewSecret(code), ServiceName: cfg.ServiceName, Locale: locale, Purpose: purpose, TTL: cfg.TTL}
	text := defaultText(in)
	if cfg.Text != nil {
		text = cfg.Text(in)
	}
	switch {
	case !utf8.ValidString(text):
		return "", invalid("Text made invalid UTF-8")
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }):
		return "", invalid("Text made a control character")
	case !strings.Contains(text, code):
		return "", invalid("Text left out the code, which not every device finds in the last line")
	}
	if cfg.Origin != NoOrigin {
		// Lines are split at LF alone and only the last is read, so nothing follows this
		// one, a line feed least of all (sms-one-time-codes section 3.2).
		text = strings.TrimRight(text, "\n") + "\n@" + cfg.Origin + " #" + code
	}
	if n := septets(text); n > maxSeptets {
		return "", fmt.Errorf("it takes %d septets and one message holds %d; shorten ServiceName, Origin or Text", n, maxSeptets)
	} else if n < 0 {
		if n := len(utf16.Encode([]rune(text))); n > maxUTF16 {
			return "", fmt.Errorf("it has characters outside the GSM 7-bit alphabet, takes %d UTF-16 units, and one message then holds %d; shorten Text or leave those characters out", n, maxUTF16)
		}
	}
	return text, nil
}

// defaultText says the code first, for the sake of notifications that show little, and
// always in the same words (NIST SP 800-63B-4 section 8.1).
func defaultText(in TextInput) string {
	format, second, minute := "%s is your code for %s, valid for %s. Give it to nobody: we will never ask for it.", "seconds", "minutes"
	switch language(in.Locale) {
	case "nl":
		format, second, minute = "%s is uw code voor %s, %s geldig. Geef hem aan niemand: wij vragen er nooit om.", "seconden", "minuten"
	case "nb":
		format, second, minute = "%s er koden din for %s, gyldig i %s. Gi den til ingen: vi spør aldri om den.", "sekunder", "minutter"
	case "de":
		format, second, minute = "%s ist Ihr Code für %s, gültig für %s. Geben Sie ihn niemandem: wir fragen nie danach.", "Sekunden", "Minuten"
	}
	// A minute begun is not promised. Two minutes is the least that gives a plural.
	lasts := fmt.Sprintf("%d %s", in.TTL/time.Second, second)
	if in.TTL > 2*time.Minute {
		lasts = fmt.Sprintf("%d %s", in.TTL/time.Minute, minute)
	}
	return fmt.Sprintf(format, in.Code.Reveal(), in.ServiceName, lasts)
}

// language is the primary language of a BCP 47 tag, with the Norwegian ones as one.
func language(locale string) string {
	primary, _, _ := strings.Cut(strings.ReplaceAll(locale, "_", "-"), "-")
	switch primary = strings.ToLower(primary); primary {
	case "no", "nn":
		return "nb"
	}
	return primary
}
