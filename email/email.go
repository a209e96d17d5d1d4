package email

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/secondgate/secondgate/internal/mailaddr"
	"github.com/secondgate/secondgate/internal/quiet"
	"github.com/secondgate/secondgate/internal/sentcode"
	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// Config configures a Factor. Sender and ServiceName are required.
type Config struct {
	// Sender sends the mails.
	Sender Sender
	// ServiceName is how the mails call the service, 1 to 64 bytes. The Brand of a user's tenant
	// can have another name.
	ServiceName string
	// TTL is how long a code is valid. Defaults to 90 seconds. Must be between 30 seconds and 10
	// minutes (NIST SP 800-63B-4 section 3.1.3.2).
	TTL time.Duration
	// Digits is the length of a code. Defaults to 6. Must be between 6 and 10.
	Digits int
	// LocalDomains are names without a dot, such as "intranet", that Sender can send mail to.
	// Defaults to none: an address at such a name is then one that no message can be sent to.
	LocalDomains []string
	// ConfirmURL makes the address of the page that confirms by link, from a token that is
	// URL-safe, such as
	//
	//	func(token string) string { return "https://example.com/mfa/confirm?token=" + token }
	//
	// It is an absolute http or https URL: with any other, the mail is not sent. If it is nil,
	// mails have codes only, and [SendConfirmations] fails.
	ConfirmURL func(token string) string
	// SetupURL makes, from a token, the address of the page on which a user sets up a new device,
	// by the same rules. If it is nil, such links cannot be sent.
	SetupURL func(token string) string
	// SettingsURL is the address of the page on which users see their sign-in methods. Mails about
	// an event have a link to it. It is an absolute http or https URL. If it is empty, those mails
	// have no link.
	SettingsURL string
	// KindName returns the name of the third-party kind c.Factor within a sentence, in the language
	// of c.Locale: "security badge". If it is nil or returns "", mails say "sign-in method".
	KindName func(c Content) string
	// Compose makes the mail. Defaults to [Compose]. The subject is one line, and the text holds
	// the code and the link that Compose received. New tries it for every purpose. A mail that
	// breaks the rules later is not sent.
	Compose func(c Content) (Message, error)
}

// Factor is the e-mail factor, with the kind "email". It is safe for concurrent use.
type Factor struct{ cfg Config }

var (
	_ factor.Challenger = (*Factor)(nil)
	_ factor.Describer  = (*Factor)(nil)
	_ factor.Implier    = (*Factor)(nil)
	_ factor.Normalizer = (*Factor)(nil)
	_ factor.Notifier   = (*Factor)(nil)
)

// New returns a Factor, or an error that names the field of cfg that is not valid.
func New(cfg Config) (*Factor, error) {
	if cfg.Sender == nil {
		return nil, errors.New("email: Sender is nil; use email/smtp, or mfatest.Outbox in tests")
	}
	if name := cfg.ServiceName; strings.TrimSpace(name) == "" || len(name) > 64 ||
		!utf8.ValidString(name) ||
		strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return nil, errors.New("email: ServiceName must be 1 to 64 bytes of printable text")
	}
	if err := cfg.checkLimits(); err != nil {
		return nil, fmt.Errorf("email: %w", err)
	}
	if cfg.Compose == nil {
		cfg.Compose = Compose
	}
	if err := cfg.checkCompose(); err != nil {
		return nil, fmt.Errorf("email: %w", err)
	}
	return &Factor{cfg: cfg}, nil
}

// checkLimits sets the defaults of the settings with limits, and checks them.
func (cfg *Config) checkLimits() error {
	if cfg.TTL == 0 {
		cfg.TTL = sentcode.DefaultTTL
	}
	if cfg.TTL < sentcode.MinTTL || cfg.TTL > sentcode.MaxTTL {
		return fmt.Errorf("TTL is %s, want %s to %s", cfg.TTL, sentcode.MinTTL,
			sentcode.MaxTTL)
	}
	if cfg.Digits == 0 {
		cfg.Digits = sentcode.DefaultDigits
	}
	if cfg.Digits < sentcode.DefaultDigits || cfg.Digits > sentcode.MaxDigits {
		return invalid("Digits is %d, want %d to %d", cfg.Digits,
			sentcode.DefaultDigits, sentcode.MaxDigits)
	}
	if cfg.SettingsURL != "" && !linkForm(cfg.SettingsURL) {
		return errors.New("SettingsURL is not an absolute http or https URL")
	}
	return cfg.checkLocalDomains()
}

// Kind returns "email".
func (f *Factor) Kind() string { return "email" }

// Traits returns those of a possession, "otp" (RFC 8176), weak. The settings state the length
// and the lifetime of codes, and that they go by mail.
func (f *Factor) Traits() factor.Traits {
	return factor.Traits{AMR: "otp", Level: factor.LevelWeak, Importable: true,
		Settings: factor.Settings{Bits: float64(f.cfg.Digits) * math.Log2(10), Lifetime: f.cfg.TTL,
			Mail: true}}
}

// Normalize drops the spaces, hyphens and invisible marks that users type or paste into codes, and
// reads the digits of every script. A response with another number of digits is refused, and not
// counted as a failed attempt.
func (f *Factor) Normalize(response string) (string, error) {
	s, err := sentcode.Normalize(response)
	if err == nil && len(s) != f.cfg.Digits {
		err = &factor.Problem{Reason: "code_form", Detail: fmt.Sprintf("a code has %d digits",
			f.cfg.Digits)}
	}
	if err != nil {
		return "", err
	}
	return s, nil
}

// Enroll takes the address in the parameter "address", or the user's address of record. What it
// refuses is a *factor.Problem with one of the reasons
//
//	address_form         not one bare address
//	address_unsupported  no mail can be sent to it: a quoted part before the @, an IP address or
//	                     a single label after it, or too long
//	address_duplicate    the user has enrolled the address before
//
// An import takes an address that another system has verified, in the same parameter.
func (f *Factor) Enroll(_ context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	address := in.Params["address"].Reveal()
	if address == "" {
		address = in.User.Email
	}
	address, err := f.cfg.address(address)
	if err != nil {
		return nil, err
	}
	for _, e := range in.Existing {
		if mailaddr.Same(string(e.State), address) {
			return nil, &factor.Problem{Reason: "address_duplicate",
				Detail: "this address is enrolled already"}
		}
	}
	masked := Mask(address)
	return &factor.EnrollOutput{State: []byte(address), Name: "E-mail", MaskedDestination: masked,
		Prompt: factor.Prompt{MaskedDestination: masked}}, nil
}

// Implied returns the instance of a user with a verified address of record. An address
// that no mail can be sent to gives an error that wraps factor.ErrUndeliverable and the
// *factor.Problem of Enroll.
func (f *Factor) Implied(u factor.User) (state []byte, maskedDestination string, err error) {
	if u.Email == "" {
		return nil, "", nil
	}
	address, err := f.cfg.address(u.Email)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", factor.ErrUndeliverable, err)
	}
	return []byte(address), Mask(address), nil
}

// ImportParams returns the parameter with which Enroll imports an instance: "address".
func (f *Factor) ImportParams(state []byte) (map[string]secret.Text, error) {
	return map[string]secret.Text{"address": secret.New(string(state))}, nil
}

// Describe returns the whole address of an instance.
func (f *Factor) Describe(state []byte) factor.Description {
	return factor.Description{Destination: secret.New(string(state))}
}

// Issue makes a code.
func (f *Factor) Issue(_ context.Context, in factor.IssueInput) (*factor.Issue, error) {
	code := sentcode.New(f.cfg.Digits)
	return &factor.Issue{Keep: sentcode.Keep(code), Expires: in.Now.Add(f.cfg.TTL),
		Payload:     secret.New(code),
		Destination: secret.New(mailaddr.Lower(string(in.State)))}, nil
}

// Deliver sends the mail: with the code, with the link, or with both. The text of its errors is
// the factor's own, whatever Sender or Compose say; errors.As finds their errors, and what a
// method SendStatus() (code int, temporary bool) of them states is in the text.
func (f *Factor) Deliver(ctx context.Context, in factor.Message) error {
	c := Content{To: string(in.State), Locale: in.User.Locale,
		ServiceName: in.Brand.ProductOr(f.cfg.ServiceName), Brand: in.Brand, Purpose: in.Purpose,
		Code: in.Payload, TTL: f.cfg.TTL}
	if !in.Link.IsZero() && f.cfg.ConfirmURL != nil {
		c.Link = secret.New(f.cfg.ConfirmURL(in.Link.Reveal()))
		if !linkForm(c.Link.Reveal()) {
			return quiet.New("email: Config.ConfirmURL does not make an absolute http or https URL")
		}
	}
	if c.Code.IsZero() && c.Link.IsZero() {
		return quiet.New("email: Config.ConfirmURL is nil, so there is no link to send")
	}
	return f.cfg.send(ctx, c)
}

// send composes a mail and hands it to the Sender. Neither's error is printed, as it may quote
// what it is about.
func (cfg *Config) send(ctx context.Context, c Content) error {
	if _, err := texts.ForBrand(c.Locale, c.Brand.Texts); err != nil {
		return quiet.New("email: " + err.Error())
	}
	m, err := cfg.Compose(c)
	if err != nil {
		return quiet.New("email: Config.Compose failed", err)
	}
	if m, err = checkMessage(m, c); err != nil {
		return quiet.New("email: " + err.Error())
	}
	if err := cfg.Sender.Send(ctx, m); err != nil {
		text := "email: the sender failed"
		if e, ok := errors.AsType[*SendError](err); ok && e.Rejected {
			text = "email: the mail system rejected the message"
		}
		return quiet.New(text+quiet.Status(err), err)
	}
	return nil
}

func linkForm(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" &&
		!strings.ContainsFunc(s, unicode.IsSpace)
}

// Verify compares the response with the code that was sent.
func (f *Factor) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	return nil, sentcode.Check(in)
}

// invalid is an error about a field of a configuration, which it begins with.
func invalid(format string, args ...any) error { return fmt.Errorf(format, args...) }
