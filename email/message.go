package email

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
	"unicode"

	"github.com/secondgate/secondgate/internal/mailaddr"
	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/secret"
)

const redacted = "[redacted]"

// Message is a mail to one recipient, in two forms of the same content. It is a recipient, a
// code and a link, so that every way of printing or encoding the whole gives "[redacted]".
type Message struct {
	// To is one bare address: ann@example.com. Its domain is in ASCII. The part before the @ is in
	// quotes where headers need them, as in "ann..b"@example.com, and may have letters outside
	// ASCII, which only a mail system with SMTPUTF8 takes (RFC 6531). A Sender that has none
	// rejects the message.
	To string
	// From is the sender's address with or without a name, "Acme <no-reply@acme.example>", or ""
	// for the Sender's own. A Config.Compose cannot set it; the Brand of the tenant does.
	From string
	// Subject is one line of text, not yet encoded for a header.
	Subject string
	// Text is plain text with LF line ends.
	Text secret.Text
	// HTML is a document, or "" from a Config.Compose that makes none.
	HTML secret.Text
}

// Format writes "[redacted]" for every verb.
func (Message) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue implements slog.LogValuer.
func (Message) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText makes every encoder write "[redacted]".
func (Message) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Content is what a mail has to say. Like a Message it prints and encodes as "[redacted]".
type Content struct {
	// To is the address the mail goes to.
	To string
	// ServiceName is the name of the Brand, or Config's.
	ServiceName string
	// Brand is how the user's tenant sees the application, for a Compose of your own.
	Brand brand.Brand
	// Locale is the user's, a BCP 47 tag, or "".
	Locale string
	// Purpose is as in factor.Message: "sign-in", "step-up", "manage", "replace" or
	// "confirm".
	Purpose string
	// Code is empty in a mail that only has a link, Link in one that only has a code. Link is
	// the whole URL.
	Code, Link secret.Text
	// TTL is how long Code is valid. It says nothing about Link.
	TTL time.Duration

	// Notice is, in a mail about an event, the Event of the factor.Message. Purpose, Code and TTL
	// are then empty. Factor and Name say what the event is about. A user chose Name; it has no
	// links and invisible characters, or is "": put quotation marks around it. Time is when the
	// event happened, Until when a lock ends, and Left how many recovery codes remain.
	Notice, Factor, Name string
	Time, Until          time.Time
	Left                 int
	// FactorName is what Config.KindName returned.
	FactorName string
	// Cause, Browser and Place are those of the factor.Message, and TimeZone is the user's. An
	// attacker may have chosen Browser. SettingsURL is Config's.
	Cause, Browser, Place, TimeZone, SettingsURL string
}

// Format writes "[redacted]" for every verb.
func (Content) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue implements slog.LogValuer.
func (Content) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText makes every encoder write "[redacted]".
func (Content) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// message composes a mail and checks it by the rules. A mail without its code would help no user,
// and one with a line break in the subject would help an attacker.
func (cfg *Config) message(c Content) (Message, error) {
	m, err := cfg.Compose(c)
	if err != nil {
		return Message{}, fmt.Errorf("Compose: %w", err)
	}
	return checkMessage(m, c)
}

// checkMessage holds a mail to the rules. Its errors hold nothing of it.
func checkMessage(m Message, c Content) (Message, error) {
	switch {
	case strings.TrimSpace(m.Subject) == "" || strings.ContainsFunc(m.Subject, unicode.IsControl):
		return Message{}, errors.New("Compose makes a subject that is empty or not one line")
	case !strings.Contains(m.Text.Reveal(), c.Code.Reveal()):
		return Message{}, errors.New("Compose makes a text without the code")
	case !strings.Contains(m.Text.Reveal(), c.Link.Reveal()):
		return Message{}, errors.New("Compose makes a text without the link")
	}
	// Whatever Compose made of it: the address that is confirmed is the one written to.
	m.To, m.From = mailaddr.Wire(c.To), c.Brand.MailFrom
	return m, nil
}

// checkCompose tries what is going to be sent.
func (cfg *Config) checkCompose() error {
	code := secret.New(strings.Repeat("8", cfg.Digits))
	sample := Content{To: "ann@example.com", ServiceName: cfg.ServiceName, Purpose: "confirm",
		TTL: cfg.TTL}
	if cfg.ConfirmURL != nil {
		sample.Link = secret.New("https://example.com/confirm?token=sample")
		if _, err := cfg.message(sample); err != nil {
			return fmt.Errorf("the mail with a link alone does not do: %w", err)
		}
	}
	for _, sample.Purpose = range []string{"confirm", "sign-in", "step-up", "manage", "replace"} {
		sample.Code = code
		if _, err := cfg.message(sample); err != nil {
			return fmt.Errorf("the mail for %q does not do: %w", sample.Purpose, err)
		}
		sample.Link = secret.Text{} // only a confirmation has one
	}
	notice := Content{To: sample.To, ServiceName: cfg.ServiceName, Notice: "factor.added",
		Factor: "totp", Name: "Phone"}
	if _, err := cfg.message(notice); err != nil {
		return fmt.Errorf("the mail about an event breaks the rules: %w", err)
	}
	return nil
}
