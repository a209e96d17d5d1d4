package password

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
)

const (
	defaultTTL        = 30 * time.Minute
	minTTL            = 5 * time.Minute
	maxTTL            = 24 * time.Hour
	defaultTemporary  = 3 * 24 * time.Hour
	minTemporary      = time.Hour
	maxTemporary      = 30 * 24 * time.Hour
	defaultPerAddress = 5
	defaultPerClient  = 30
	maxLimit          = 1000
	// maxAddress: a path is 256 bytes, two of them brackets (RFC 5321 section 4.5.3.1.3).
	maxAddress = 254
	maxClient  = 256
)

// Config configures a Manager.
type Config struct {
	// Store keeps links and rate limits, under keys that begin with "password/"; it may be the
	// Store of mfa.Manager. Keys seals them. Required.
	Store storage.Store
	Keys  *seal.Keyring
	// Accounts is the application's. Required.
	Accounts Accounts
	// Hasher makes hashes. Required.
	Hasher *Hasher
	// Rules are for new passwords.
	Rules Rules
	// Sender sends the mails. Required.
	Sender email.Sender
	// ServiceName is the application's name, as users know it. Required.
	ServiceName string
	// Brand returns the brand of mails: give it the Manager's method Brand. scope has the tenant of
	// the account. After an error no mail is sent. Nil: ServiceName and the Sender's own address.
	Brand func(ctx context.Context, scope policy.Scope) (brand.Brand, error)
	// LinkURL makes of a token the address of the page that asks for a new password, such as
	// https://example.com/password/reset?token=…; the token is URL-safe. Required.
	LinkURL func(token string) string
	// SettingsURL is the address of the page on which users see their sign-in methods. Mails about
	// a change link to it. Must be an absolute http or https URL. Empty: they have no link.
	SettingsURL string
	// Later takes work that sends mail, and runs it beside the request with a context of its
	// own: in a queue, or in a goroutine that the application waits for before it ends. It
	// returns at once. It may run work again after an error, but not twice at the same time.
	// Required. If the work ran before the response, its time would show which addresses have
	// an account.
	Later func(ctx context.Context, work func(context.Context) error)
	// Authorize is asked whether an administrator may do what they ask; the action is
	// "set-password". Nil forbids all.
	Authorize func(ctx context.Context, a mfa.AdminAction) error
	// TTL is how long a link is valid. Defaults to 30 minutes. Must be between 5 minutes and a
	// day.
	TTL time.Duration
	// TemporaryTTL is how long a password that an administrator set is valid for a sign-in.
	// Defaults to 3 days. Must be between an hour and 30 days (OWASP ASVS 5.0 6.4.1).
	TemporaryTTL time.Duration
	// PerAddress and PerClient limit the requests for a link in an hour, for one address and by
	// one client. They default to 5 and 30, and must be between 1 and 1000. Neither can be
	// switched off. If TTL is shorter than an hour, it is the period of PerAddress, so that a
	// user who is refused has valid links.
	PerAddress, PerClient int
	// Compose, if not nil, writes mails. A Message without a subject stands for the one that
	// this package would have sent.
	Compose func(m Mail) (email.Message, error)
	// Events is called for each event, in the goroutine of the call. Nil: events are dropped. The
	// package comment lists the names.
	Events func(ctx context.Context, e mfa.Event)
	// Clock defaults to the system's.
	Clock mfa.Clock
}

// Manager resets and changes passwords. It is safe for concurrent use.
type Manager struct {
	cfg     Config
	records *storage.Updater
}

// New returns a Manager, or an error that names the field of cfg to change.
func New(cfg Config) (*Manager, error) {
	for _, required := range []struct {
		name    string
		missing bool
	}{
		{"Store", cfg.Store == nil}, {"Keys", cfg.Keys == nil}, {"Accounts", cfg.Accounts == nil},
		{"Hasher", cfg.Hasher == nil},
		{"Sender", cfg.Sender == nil}, {"LinkURL", cfg.LinkURL == nil}, {"Later", cfg.Later == nil},
	} {
		if required.missing {
			return nil, fmt.Errorf("password: Config.%s is required", required.name)
		}
	}
	if err := cfg.checkMails(); err != nil {
		return nil, err
	}
	defaults(&cfg)
	for name, n := range map[string]int{"PerAddress": cfg.PerAddress, "PerClient": cfg.PerClient} {
		if n < 1 || n > maxLimit {
			return nil, fmt.Errorf("password: Config.%s is %d, want 1 to %d", name, n, maxLimit)
		}
	}
	if cfg.TemporaryTTL < minTemporary || cfg.TemporaryTTL > maxTemporary {
		return nil, fmt.Errorf("password: Config.TemporaryTTL is %s, want %s to %s",
			cfg.TemporaryTTL, minTemporary, maxTemporary)
	}
	if cfg.TTL < minTTL || cfg.TTL > maxTTL {
		return nil, fmt.Errorf("password: Config.TTL is %s, want %s to %s", cfg.TTL, minTTL, maxTTL)
	}
	if err := cfg.Rules.validate(); err != nil {
		return nil, err
	}
	m := &Manager{cfg: cfg, records: storage.NewUpdater(cfg.Store)}
	if _, err := m.link(strings.Repeat("A", tokenLen)); err != nil {
		return nil, err
	}
	return m, nil
}

func defaults(cfg *Config) {
	if cfg.TemporaryTTL == 0 {
		cfg.TemporaryTTL = defaultTemporary
	}
	if cfg.TTL == 0 {
		cfg.TTL = defaultTTL
	}
	if cfg.PerAddress == 0 {
		cfg.PerAddress = defaultPerAddress
	}
	if cfg.PerClient == 0 {
		cfg.PerClient = defaultPerClient
	}
	if cfg.Clock == nil {
		cfg.Clock = systemClock{}
	}
	// An attacker knows the service's name.
	cfg.Rules.Words = append([]string{cfg.ServiceName}, cfg.Rules.Words...)
}

// checkMails checks what mails say.
func (cfg *Config) checkMails() error {
	if s := cfg.ServiceName; strings.TrimSpace(s) == "" || len(s) > 64 ||
		strings.ContainsFunc(s, unicode.IsControl) {
		return errors.New("password: Config.ServiceName must be 1 to 64 bytes on one line")
	}
	if s := cfg.SettingsURL; s != "" && !absolute(s) {
		return errors.New("password: Config.SettingsURL must be an absolute http or https URL")
	}
	return nil
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (m *Manager) now() time.Time { return m.cfg.Clock.Now().UTC().Truncate(time.Millisecond) }

func (m *Manager) link(token string) (secret.Text, error) {
	link := m.cfg.LinkURL(token)
	if !absolute(link) || !strings.Contains(link, token) {
		return secret.Text{}, errors.New("password: Config.LinkURL must make an absolute http " +
			"or https URL that holds the token")
	}
	return secret.New(link), nil
}

// absolute reports whether s is an absolute http or https URL.
func absolute(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

func unavailable(err error) error { return fmt.Errorf("%w: %w", mfa.ErrUnavailable, err) }

// emit reports an event. a is nil if no account is known.
func (m *Manager) emit(
	ctx context.Context, name string, a *Account, now time.Time, more func(*mfa.Event),
) {
	if m.cfg.Events == nil {
		return
	}
	e := mfa.Event{Name: name, Time: now, Kind: "password", Remaining: -1}
	if a != nil {
		e.UserID, e.Tenant = a.ID, a.Tenant
	}
	if more != nil {
		more(&e)
	}
	m.cfg.Events(ctx, e)
}

// checkAddress returns s without spaces around it, if mail could be sent to it.
func checkAddress(s string) (string, error) {
	s = strings.TrimSpace(s)
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at == len(s)-1 || len(s) > maxAddress || !utf8.ValidString(s) ||
		strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) }) {
		return "", &factor.Problem{Reason: "address_form", Detail: "this is not an e-mail address"}
	}
	return s, nil
}
