package sms

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/secondgate/secondgate/internal/quiet"
	"github.com/secondgate/secondgate/internal/sentcode"
	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// Kind is the kind under which numbers are enrolled.
const Kind = "sms"

// AnyCountry in [Config].Allow stands for every country. It leaves out the calling codes
// that belong to no country (+800, +808, +870, +878, +881, +882, +883, +888, +979), which
// are satellite and premium networks: name those that are wanted.
const AnyCountry = "*"

// NoOrigin as [Config].Origin leaves out the line that binds the code to a site.
const NoOrigin = "-"

// Config configures a [Factor].
type Config struct {
	// Sender sends the messages. Required.
	Sender Sender
	// ServiceName is how the message calls the application. The Brand of a user's tenant can have
	// another name. Required; characters of the GSM 7-bit alphabet (3GPP TS 23.038) only, and
	// short enough for one message.
	ServiceName string
	// Origin is the host of the page where the code is typed, without scheme or port, such
	// as "acme.example"; it is also valid for its subdomains. Required, unless NoOrigin.
	Origin string
	// Allow lists the beginnings of the numbers that messages are sent to, such as "+31".
	// New refuses an empty list. AnyCountry allows the world. 25 countries share "+1",
	// some of them expensive: list in Deny what you do not serve, or use phone.Parser with
	// Regions.
	Allow []string
	// Deny lists beginnings that are refused though Allow has them, such as "+1876".
	// Defaults to none.
	Deny []string
	// Parse brings what a user typed into E.164 form, for the region that the user chose ("" or
	// ISO 3166-1 alpha-2). Package sms/phone has one that knows every country. Its errors should
	// be a *factor.Problem. Nil accepts numbers in international form only.
	Parse func(number string, region Region) (string, error)
	// Check is called once for each message, after the rate limits are charged and before the
	// message is sent. It can refuse a number after a SIM swap or a port, or one that is Voice
	// over IP. An error prevents the message. errors.As finds it in what the Manager returns, but
	// its text is not printed. Nil checks nothing.
	Check func(ctx context.Context, in CheckInput) error
	// Compose makes the message without its last line, which the factor adds. Defaults to
	// [Compose]. The text holds the code, and the message fits into one segment: 160 septets
	// of GSM-7, or 70 UTF-16 units with other characters. To and TTL of the message are set by
	// the factor. New tries Compose in every language of the library and for
	// every purpose. A message that
	// breaks the rules later fails the send.
	Compose func(c Content) (Message, error)
	// TTL is how long a code is valid. Defaults to 90 seconds. Must be between 30 seconds and 10
	// minutes, the maximum of NIST SP 800-63B-4 section 3.1.3.2.
	TTL time.Duration
	// Digits is the length of a code. Defaults to 6. Must be between 6 and 10.
	Digits int
}

// Region is a country that a user chose beside the number: an ISO 3166-1 alpha-2 code in
// capitals, such as "NL", or "" for none.
type Region string

// CheckInput is a message about to be sent, for [Config].Check.
type CheckInput struct {
	User factor.User
	// Number is in E.164 form.
	Number secret.Text
	// Purpose is as in factor.Message; "confirm" while the number is being enrolled.
	Purpose string
}

// New checks the configuration and returns the factor. It sends nothing.
func New(cfg Config) (*Factor, error) {
	if cfg.TTL == 0 {
		cfg.TTL = sentcode.DefaultTTL
	}
	if cfg.Digits == 0 {
		cfg.Digits = sentcode.DefaultDigits
	}
	cfg.Origin = strings.ToLower(cfg.Origin)
	cfg.Allow, cfg.Deny = slices.Clone(cfg.Allow), slices.Clone(cfg.Deny)
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("sms: %w", err)
	}
	return &Factor{cfg: cfg}, nil
}

func (cfg *Config) check() error {
	if cfg.Sender == nil {
		return invalid("Sender is nil; use NewTwilio, NewHTTPSender or a SenderFunc of your own")
	}
	if cfg.TTL < sentcode.MinTTL || cfg.TTL > sentcode.MaxTTL {
		return invalid("TTL is %s, want %s to %s", cfg.TTL, sentcode.MinTTL, sentcode.MaxTTL)
	}
	if cfg.Digits < sentcode.DefaultDigits || cfg.Digits > sentcode.MaxDigits {
		return invalid("Digits is %d, want %d to %d", cfg.Digits, sentcode.DefaultDigits,
			sentcode.MaxDigits)
	}
	if strings.TrimSpace(cfg.ServiceName) == "" {
		return invalid("ServiceName is empty; give the name by which users know the application")
	}
	for _, r := range cfg.ServiceName {
		if septets(string(r)) < 0 || r < ' ' {
			return invalid("ServiceName holds %q, which a text message cannot show in the GSM "+
				"7-bit alphabet; write the name without it", r)
		}
	}
	if cfg.Origin == "" {
		return invalid("Origin is empty; give the host of the page where the code is typed, " +
			"such as \"acme.example\", or NoOrigin")
	}
	if cfg.Origin != NoOrigin && !hostForm.MatchString(cfg.Origin) {
		return invalid("Origin is not a host; give it as \"acme.example\", without scheme, port " +
			"or path, internationalised names in their xn-- form")
	}
	if err := checkPrefixes(cfg.Allow, cfg.Deny); err != nil {
		return err
	}
	return cfg.checkText()
}

var hostForm = regexp.MustCompile(
	`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)

// checkText tries the message in every language and for every purpose, with a code of the
// configured length: digits are all one septet, so that any code fits if one does.
func (cfg *Config) checkText() error {
	code := strings.Repeat("8", cfg.Digits)
	for _, locale := range texts.Tags() {
		for _, purpose := range []string{"sign-in", "step-up", "manage", "replace", "confirm"} {
			c := cfg.content("+31612345678", code, locale, purpose, brand.Brand{})
			if err := cfg.try(c); err != nil {
				return fmt.Errorf("the message in %q cannot be sent: %w", locale, err)
			}
		}
	}
	return nil
}

// try composes a message that is not sent.
func (cfg *Config) try(c Content) error {
	_, err := cfg.message(c)
	return err
}

// checkBrand decides whether a message with a Brand's name and texts can be sent, before a code is
// made.
func (cfg *Config) checkBrand(ours brand.Brand, locale string) error {
	if ours.ShortNameOr("") == "" && len(ours.Texts) == 0 {
		return nil
	}
	if _, err := texts.ForBrand(locale, ours.Texts); err != nil {
		return quiet.New("sms: " + err.Error())
	}
	for _, r := range ours.ShortNameOr("") {
		if septets(string(r)) < 0 {
			return quiet.New("sms: the name of the brand has characters outside the GSM 7-bit " +
				"alphabet; set its ShortName to a name without them")
		}
	}
	c := cfg.content("+31612345678", strings.Repeat("8", cfg.Digits), locale, "confirm", ours)
	if err := cfg.try(c); err != nil {
		return quiet.New("sms: the message of the brand cannot be sent; its ShortName or its text "+
			"sms.code must be shorter, and the text as docs/branding.md says", err)
	}
	return nil
}

// invalid is an error about a field of a configuration, which it begins with.
func invalid(format string, args ...any) error { return fmt.Errorf(format, args...) }
