package sso

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/secondgate/secondgate/internal/quiet"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage"
)

// Errors to distinguish with errors.Is, beside mfa.ErrUnavailable (the store or the provider
// cannot be reached: try again), mfa.ErrForbidden (Authorize refused, or the administrator acts
// on themselves), the errors of [mfa.Session.Check] and [mfa.Admin.Check], factor.ErrMalformed
// and ErrConfig. Whatever the error, no user is signed in and nothing is linked. Their texts are
// for developers.
var (
	// ErrFlow is returned for a reply of the provider to no sign-on that this browser and
	// session began, or to one that has expired or was completed. Begin again. A user whom an
	// attacker sent the reply to another sign-on sees it too.
	ErrFlow = errors.New("sso: no such sign-on in progress")
	// ErrConfig is matched by the errors of New, and by that of a sign-on which a provider refuses
	// because of the configuration. The text says what to do.
	ErrConfig = errors.New("sso: configuration")
	// ErrCancelled is returned when the user, or the provider for the user, refused.
	ErrCancelled = errors.New("sso: the provider did not sign the user in")
	// ErrIdentity is returned when the provider's reply does not prove who the user is: the
	// signature, issuer, audience, nonce or time is incorrect, or a claim is missing. The user
	// is never at fault; an administrator should look at it.
	ErrIdentity = errors.New("sso: the provider's response is not acceptable")
	// ErrAddress is returned when the account's e-mail address is not verified, is not one
	// that the provider speaks for, or, when linking, is not the user's.
	ErrAddress = errors.New("sso: the account's address is not acceptable")
	// ErrNotActivated is returned when no administrator has activated the account's
	// organisation, or one has withdrawn it since.
	ErrNotActivated = errors.New("sso: the organisation is not activated")
	// ErrNotLinked is returned for a valid account that no user has linked. The user signs in
	// as before and links it in the security settings.
	ErrNotLinked = errors.New("sso: the account is not linked")
	// ErrLinkedElsewhere is returned when another user has linked this account. It does not
	// say which user.
	ErrLinkedElsewhere = errors.New("sso: the account is linked to another user")
)

const (
	defaultFlowTTL = 10 * time.Minute
	minFlowTTL     = time.Minute
	maxFlowTTL     = time.Hour
	// leeway is how far the provider's clock may be ahead of ours or behind it.
	leeway = 5 * time.Minute
	// backdated is how far a provider may date a token back, for applications whose clocks are
	// behind. Microsoft dates it back by this much. The nonce is what ties a token to a flow.
	backdated = 5 * time.Minute
)

// Config configures a Service.
type Config struct {
	// Store keeps links and activations, under keys that begin with "sso/". It may be the
	// Manager's. Required.
	Store storage.Store
	// Keys seal the records and the cookie of a sign-on in progress. Required.
	Keys *seal.Keyring
	// URL is where the handler is mounted, as browsers see it: "https://app.example/sso/".
	// http is accepted for this machine only (localhost, 127.0.0.1, [::1]), where cookies
	// are then not Secure. Required.
	//
	// With each provider register URL + provider's ID + "/callback" as redirect URI.
	URL string
	// Providers are those on offer. Required.
	Providers []Provider
	// Authorize is asked before everything an administrator does, under the names
	// "activate-sso", "deactivate-sso" and "forget". Nil refuses them all with
	// mfa.ErrForbidden.
	Authorize func(ctx context.Context, a mfa.AdminAction) error
	// Events is called for each event, after it was recorded, in the caller's goroutine. Kind is
	// the provider's ID and FactorID the link's. Nil: events are dropped. The package comment has
	// the names.
	Events func(ctx context.Context, e mfa.Event)
	// Clock defaults to the system's.
	Clock mfa.Clock
	// HTTPClient reaches the providers. Its Timeout defaults to 10 seconds. Whatever is set here,
	// redirects are not followed and responses over 1 MiB are refused.
	HTTPClient *http.Client
	// FlowTTL is how long a user may take with the provider. Defaults to 10 minutes. Must be
	// between 1 minute and 1 hour.
	FlowTTL time.Duration
}

// Service signs users on with accounts of other providers and keeps the links. It is safe for
// concurrent use, holds no goroutine and nothing that must be closed.
type Service struct {
	cfg       Config
	base      *url.URL // ends in a slash
	secure    bool
	client    *http.Client
	providers map[string]*provider
	order     []string
	records   *storage.Updater
}

// New checks the configuration and returns a Service. It talks to no provider: one that is
// down must not keep an application from starting, so discovery waits for the first
// sign-on. Its errors wrap ErrConfig and say what to do.
func New(cfg Config) (*Service, error) {
	switch {
	case cfg.Store == nil:
		return nil, configError("Store is nil; it may be the one the mfa.Manager has")
	case cfg.Keys == nil:
		return nil, configError("Keys is nil; make a keyring with seal.NewKeyring from a key " +
			"kept outside the database")
	case len(cfg.Providers) == 0:
		return nil, configError("Providers is empty; start with sso.Google or sso.Microsoft")
	}
	base, secure, err := checkURL(cfg.URL)
	if err != nil {
		return nil, configError("URL: %v", err)
	}
	if cfg.FlowTTL == 0 {
		cfg.FlowTTL = defaultFlowTTL
	}
	if cfg.FlowTTL < minFlowTTL || cfg.FlowTTL > maxFlowTTL {
		return nil, configError("FlowTTL is %s, want %s to %s", cfg.FlowTTL, minFlowTTL, maxFlowTTL)
	}
	s := &Service{cfg: cfg, base: base, secure: secure, client: boundedClient(cfg.HTTPClient),
		providers: make(map[string]*provider), records: storage.NewUpdater(cfg.Store)}
	for i, p := range cfg.Providers {
		checked, err := p.check()
		if err != nil {
			return nil, configError("Providers[%d]: %v", i, err)
		}
		if s.providers[p.ID] != nil {
			return nil, configError("Providers[%d]: ID %q is configured twice", i, p.ID)
		}
		s.providers[p.ID] = newProvider(checked, base.JoinPath(p.ID, "callback").String(), s.client)
		s.order = append(s.order, p.ID)
	}
	return s, nil
}

// checkURL returns where the handler is, and whether its cookies are Secure.
func checkURL(raw string) (*url.URL, bool, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, false, fmt.Errorf("%q is not of the form https://app.example/sso/", raw)
	}
	if !strings.HasSuffix(u.Path, "/") {
		u.Path += "/"
	}
	if strings.ContainsAny(u.Path, "{}") || u.Path != u.EscapedPath() {
		return nil, false, fmt.Errorf("%q has a path that needs escaping; use letters, digits, "+
			"hyphens and slashes", raw)
	}
	if err := checkScheme(u); err != nil {
		return nil, false, err
	}
	return u, u.Scheme == "https", nil
}

// checkScheme refuses what would send codes and secrets in the clear.
func checkScheme(u *url.URL) error {
	switch {
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	default:
		return fmt.Errorf("%q must be https; http is for this machine only", u.Redacted())
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func configError(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrConfig}, args...)...)
}

func unavailable(err error) error {
	if err == nil || errors.Is(err, mfa.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", mfa.ErrUnavailable, err)
}

func (s *Service) now() time.Time {
	if s.cfg.Clock != nil {
		return s.cfg.Clock.Now().UTC()
	}
	return time.Now().UTC()
}

func (s *Service) emit(ctx context.Context, e mfa.Event) {
	if s.cfg.Events != nil {
		e.Remaining = -1
		s.cfg.Events(ctx, e)
	}
}

// authorize asks whether the actor has proven enough, and then the application whether the
// act may be done. about is the zero Subject for an act on an organisation.
func (s *Service) authorize(ctx context.Context, admin mfa.Admin, about mfa.User,
	a mfa.AdminAction) error {
	actor := admin.Actor()
	a.Actor, a.ActorTenant, a.System, a.Reason = actor.Name(), actor.Tenant(), actor.IsSystem(),
		admin.Reason()
	if a.Actor == "" || len(a.Actor) > 128 || len(a.Reason) > 1024 ||
		!utf8.ValidString(a.Actor+a.Reason) {
		return fmt.Errorf("%w: the actor must have 1 to 128 bytes and the reason at most 1024",
			factor.ErrMalformed)
	}
	if err := admin.Check(ctx, about); err != nil {
		return err
	}
	if s.cfg.Authorize == nil {
		return fmt.Errorf("%w: sso.Config.Authorize is nil", mfa.ErrForbidden)
	}
	if err := s.cfg.Authorize(ctx, a); err != nil {
		text := fmt.Sprintf("%v: sso.Config.Authorize refused%s", mfa.ErrForbidden, quiet.Text(err))
		return quiet.New(text, mfa.ErrForbidden, err)
	}
	return nil
}

// checkUser holds a subject to the bounds of mfa.User.
func checkUser(tenant, id string) error {
	if id == "" || len(id) > 128 || !utf8.ValidString(id) {
		return fmt.Errorf("%w: Subject.ID must have 1 to 128 bytes of UTF-8", factor.ErrMalformed)
	}
	return checkTenant(tenant)
}

func checkTenant(tenant string) error {
	if len(tenant) > 64 || !utf8.ValidString(tenant) {
		return fmt.Errorf("%w: Tenant must be at most 64 bytes of UTF-8", factor.ErrMalformed)
	}
	return nil
}
