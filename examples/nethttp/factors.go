package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/secondgate/secondgate/access"
	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/email/smtp"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/pin"
	"github.com/secondgate/secondgate/questions"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
	"github.com/secondgate/secondgate/sms/phone"
	"github.com/secondgate/secondgate/totp"
)

const organisation = "Acme"

// factors returns a factor of every kind, in the order in which the pages offer them.
func (a *app) factors(env func(string) string) (list []factor.Factor, err error) {
	if a.passkeys() {
		byPasskey, err := a.passkeyFactor()
		if err != nil {
			return nil, err
		}
		list = append(list, byPasskey)
	}
	byTOTP, err := totp.New(totp.Config{Issuer: organisation})
	if err != nil {
		return nil, err
	}
	byEmail, err := a.emailFactor()
	if err != nil {
		return nil, err
	}
	bySMS, err := a.smsFactor(env)
	if err != nil {
		return nil, err
	}
	byPIN, err := pin.New(pin.Config{})
	if err != nil {
		return nil, err
	}
	byCode, err := recovery.New(recovery.Config{})
	if err != nil {
		return nil, err
	}
	byAccess, err := access.New(access.Config{})
	if err != nil {
		return nil, err
	}
	list = append(list, byTOTP, byEmail, bySMS, byPIN, byCode, byAccess)
	if a.cfg.questions {
		byQuestions, err := questions.New(questions.Config{})
		if err != nil {
			return nil, err
		}
		list = append(list, byQuestions)
	}
	return list, nil
}

func (a *app) passkeyFactor() (factor.Factor, error) {
	f, err := passkey.New(passkey.Config{
		RPID:    a.cfg.public.Hostname(),
		RPName:  organisation,
		Origins: []string{a.cfg.public.String()},
	})
	if err != nil {
		return nil, fmt.Errorf("-url %s: %w", a.cfg.public, err)
	}
	return f, nil
}

func (a *app) emailFactor() (factor.Factor, error) {
	return email.New(email.Config{
		Sender:      a.mail,
		ServiceName: organisation,
		ConfirmURL: func(token string) string {
			return a.cfg.public.String() + "/mfa/confirm?" + url.Values{"token": {token}}.Encode()
		},
		SettingsURL: a.cfg.public.String() + "/mfa/",
		SetupURL: func(token string) string {
			return a.cfg.public.String() + "/mfa/setup?" + url.Values{"token": {token}}.Encode()
		},
	})
}

func (a *app) smsFactor(env func(string) string) (factor.Factor, error) {
	sender, err := a.smsSender(env)
	if err != nil {
		return nil, err
	}
	origin := a.cfg.public.Hostname()
	if strings.Contains(origin, ":") {
		origin = sms.NoOrigin // phones understand no form of an IPv6 address
	}
	return sms.New(sms.Config{
		Sender:      sender,
		ServiceName: organisation,
		Origin:      origin,
		Allow:       []string{sms.AnyCountry},
		Parse:       phone.Parse,
	})
}

// passkeys reports whether browsers support passkeys at the public address. It must have a
// domain, which an IP address is not, and https unless it is localhost.
func (a *app) passkeys() bool {
	host := a.cfg.public.Hostname()
	return net.ParseIP(host) == nil && (a.cfg.public.Scheme == "https" || host == "localhost" ||
		strings.HasSuffix(host, ".localhost"))
}

// kinds returns the kinds that a policy names. Kinds that only replace a lost factor are always
// allowed.
func (a *app) kinds() []string {
	return slices.DeleteFunc(a.manager.Kinds(), func(k string) bool {
		return k == "access" || k == "questions"
	})
}

// mailSender returns a sender to the -smtp server, the outbox, or both.
func (a *app) mailSender() (email.Sender, error) {
	var s mailSender
	if a.cfg.smtp != "" {
		cfg, err := smtp.ParseURL(a.cfg.smtp)
		if err == nil {
			s.server, err = smtp.New(cfg)
		}
		if err != nil {
			return nil, fmt.Errorf("-smtp cannot be used: %w; give it as "+
				"smtp://user:password@host:587?from=security@example.com, "+
				"or smtps:// for TLS from the first byte", err)
		}
	} else if a.outbox == nil {
		a.log.Warn("no mail can be sent, so no user can sign in by e-mail; name a mail server " +
			"with -smtp")
	}
	s.outbox = a.outbox
	return s, nil
}

// smsSender returns a sender to the -sms provider, the outbox, or both.
func (a *app) smsSender(env func(string) string) (sms.Sender, error) {
	s := smsSender{outbox: a.outbox}
	var err error
	switch a.cfg.sms {
	case "twilio":
		authToken := env("TWILIO_AUTH_TOKEN")
		if key := env("TWILIO_API_KEY_SID"); key != "" {
			authToken = env("TWILIO_API_KEY_SECRET")
		}
		s.provider, err = sms.NewTwilio(sms.TwilioConfig{
			AccountSID:          env("TWILIO_ACCOUNT_SID"),
			KeySID:              env("TWILIO_API_KEY_SID"),
			Secret:              secret.New(authToken),
			From:                env("TWILIO_FROM"),
			MessagingServiceSID: env("TWILIO_MESSAGING_SERVICE_SID"),
		})
		if err != nil {
			return nil, fmt.Errorf("-sms twilio: %w; set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN "+
				"(or TWILIO_API_KEY_SID and "+
				"TWILIO_API_KEY_SECRET) and TWILIO_FROM (or TWILIO_MESSAGING_SERVICE_SID) in "+
				"the environment", err)
		}
	case "http":
		cfg := sms.HTTPConfig{URL: env("SMS_URL"), JSON: secret.New(env("SMS_JSON"))}
		if cfg.JSON.IsZero() {
			cfg.JSON = secret.New(`{"to":"{{to}}","text":"{{text}}"}`)
		}
		if auth := env("SMS_AUTHORIZATION"); auth != "" {
			cfg.Header = map[string]secret.Text{"Authorization": secret.New(auth)}
		}
		if s.provider, err = sms.NewHTTPSender(cfg); err != nil {
			return nil, fmt.Errorf("-sms http: %w; set SMS_URL, and where the provider wants "+
				"them SMS_AUTHORIZATION (a header) and "+
				"SMS_JSON (the body, with {{to}} and {{text}}) in the environment", err)
		}
	default:
		if a.outbox == nil {
			a.log.Warn(
				"no text messages can be sent; name a provider with -sms twilio or -sms http")
		}
	}
	return s, nil
}

var errNoSender = errors.New("no sender is configured")

// mailSender sends to the server and the outbox. Without either, Send returns an error.
type mailSender struct {
	server email.Sender // nil without -smtp
	outbox *outbox      // nil unless demonstrating
}

func (s mailSender) Send(ctx context.Context, m email.Message) error {
	if s.outbox != nil {
		if err := s.outbox.add(ctx, message{Channel: "email", To: m.To, Subject: m.Subject,
			Text: m.Text.Reveal(), HTML: m.HTML.Reveal()}); err != nil {
			return err
		}
	}
	if s.server != nil {
		return s.server.Send(ctx, m)
	}
	if s.outbox == nil {
		return errNoSender
	}
	return nil
}

type smsSender struct {
	provider sms.Sender
	outbox   *outbox
}

func (s smsSender) Send(ctx context.Context, m sms.Message) error {
	if s.outbox != nil {
		if err := s.outbox.add(ctx, message{Channel: "sms", To: m.To, Text: m.Text}); err != nil {
			return err
		}
	}
	if s.provider != nil {
		return s.provider.Send(ctx, m)
	}
	if s.outbox == nil {
		return errNoSender
	}
	return nil
}

// countries returns the choices beside the field for a phone number.
func countries(locale string) []mfahttp.Country {
	list := phone.Countries(locale)
	out := make([]mfahttp.Country, len(list))
	for i, c := range list {
		out[i] = mfahttp.Country(c)
	}
	return out
}
