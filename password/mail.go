package password

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
	"unicode"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/internal/letter"
	"github.com/secondgate/secondgate/internal/mailaddr"
	"github.com/secondgate/secondgate/internal/quiet"
	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

// The names of mails.
const (
	mailLink     = "reset.link"
	mailReset    = "password.reset"
	mailChanged  = "password.changed"
	mailAdminSet = "password.admin-set"
)

// Mail is what a mail has to say, for Config.Compose. As it may hold a link, every way of
// printing or encoding the whole gives "[redacted]".
type Mail struct {
	// Name is "reset.link", or for what has happened "password.reset", "password.changed" or
	// "password.admin-set".
	Name string
	// To is the account's address, User the user's name, Locale its language, and ServiceName
	// the name of the Brand, or Config's.
	To, User, Locale, ServiceName string
	// Brand is how the account's tenant sees the application.
	Brand brand.Brand
	// Link is the whole URL of a reset.link, and TTL how long it is valid.
	Link secret.Text
	TTL  time.Duration
	// SettingsURL is Config's.
	SettingsURL string
	// Time is when it happened.
	Time time.Time
}

const redacted = "[redacted]"

// Format writes "[redacted]" for every verb.
func (Mail) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue implements slog.LogValuer.
func (Mail) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText makes every encoder write "[redacted]".
func (Mail) MarshalText() ([]byte, error) { return []byte(redacted), nil }

func (m *Manager) send(ctx context.Context, a *Account, mail Mail, now time.Time) error {
	var ours brand.Brand
	var err error
	if m.cfg.Brand != nil {
		if ours, err = m.cfg.Brand(ctx, policy.Scope{Tenant: a.Tenant}); err == nil {
			err = ours.Check()
		}
		if err != nil {
			return unavailable(quiet.New("password: Config.Brand failed", err))
		}
	}
	mail.To, mail.User, mail.Locale, mail.ServiceName, mail.TTL, mail.Time = a.Email, a.Name,
		a.Locale, ours.ProductOr(m.cfg.ServiceName), m.cfg.TTL, now
	mail.Brand, mail.SettingsURL = ours, m.cfg.SettingsURL
	var msg email.Message
	if m.cfg.Compose != nil {
		if msg, err = m.cfg.Compose(mail); err != nil {
			return quiet.New("password: Compose makes no mail", err)
		}
	}
	if msg.Subject == "" {
		if msg, err = compose(mail); err != nil {
			return unavailable(quiet.New("password: " + err.Error()))
		}
	}
	switch {
	case strings.TrimSpace(msg.Subject) == "" || strings.ContainsFunc(msg.Subject,
		unicode.IsControl):
		return errors.New("password: Compose makes a subject that is not one line")
	case !strings.Contains(msg.Text.Reveal(), mail.Link.Reveal()):
		return errors.New("password: Compose makes a text without the link")
	}
	msg.To, msg.From = mailaddr.Wire(a.Email), ours.MailFrom // whatever Compose made of it
	if err := m.cfg.Sender.Send(ctx, msg); err != nil {
		// The text of a Sender's error may quote the link.
		return unavailable(quiet.New("password: the sender failed"+quiet.Status(err), err))
	}
	return nil
}

func compose(m Mail) (email.Message, error) {
	w, err := texts.ForBrand(m.Locale, m.Brand.Texts)
	if err != nil {
		return email.Message{}, err
	}
	about := strings.TrimPrefix(m.Name, "password.")
	say := func(key string) string {
		return w.Say("mail.password."+key, "service", m.ServiceName, "time", w.Lifetime(m.TTL))
	}
	v := letter.Letter{Lang: w.Tag(), Dir: w.Direction(), Service: m.ServiceName,
		Preview: say(about + ".text"), Lead: lead(w, m.User, say(about+".text")),
		Ignore: say("not-you"),
		Colour: m.Brand.Colours().Light}
	open := w.Say("mail.open")
	switch {
	case !m.Link.IsZero():
		v.Link, v.Button, v.Ignore = m.Link.Reveal(), say("button"), say("ignore")
		v.Note = say("terms")
	case m.SettingsURL != "":
		v.Link, v.Button = m.SettingsURL, w.Say("mail.settings.button")
		open = v.Button + ":"
		fallthrough
	default:
		v.Note = w.Say("mail.when", "time", w.Time(m.Time.UTC()))
	}
	var plain strings.Builder
	fmt.Fprintf(&plain, "%s\n\n", v.Lead)
	if v.Link != "" {
		fmt.Fprintf(&plain, "%s\n%s\n\n", open, v.Link)
	}
	fmt.Fprintf(&plain, "%s\n\n%s\n", v.Note, v.Ignore)
	html, err := v.HTML()
	if err != nil {
		return email.Message{}, err
	}
	return email.Message{To: m.To, Subject: say(about + ".subject"),
		Text: secret.New(plain.String()),
		HTML: secret.New(html)}, nil
}
