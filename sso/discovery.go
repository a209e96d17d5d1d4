package sso

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/secondgate/secondgate/internal/done"
)

const (
	requestTimeout = 10 * time.Second
	maxBody        = 1 << 20
	// discoveryTTL is how long a discovery document is used; endpoints change rarely, and
	// keys are looked up on their own.
	discoveryTTL = 24 * time.Hour
	// retryAfter keeps users from waiting one after the other for a provider that does not
	// respond.
	retryAfter = 10 * time.Second
)

// algorithms are those an ID token may be signed with: what a discovery document says is
// not asked, so none and HMAC under a public key are out whatever it says.
var algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512,
	oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}

// provider is a Provider and what its discovery document says.
type provider struct {
	Provider
	redirect string
	client   *http.Client
	turn     turn // guards the rest
	found    *endpoints
	failure  error // of the last try, until retry
	retry    time.Time
}

// endpoints are immutable once made.
type endpoints struct {
	oauth oauth2.Config
	keys  *keySet
	// namesIssuer: the provider promises "iss" beside every code (RFC 9207).
	namesIssuer bool
	until       time.Time
}

func newProvider(p Provider, redirect string, client *http.Client) *provider {
	return &provider{Provider: p, redirect: redirect, client: client, turn: newTurn()}
}

// endpoints looks the provider up, once a day. If that fails, it tries again after a while, and
// until then uses what it found before.
func (p *provider) endpoints(ctx context.Context, now time.Time) (*endpoints, error) {
	if err := p.turn.take(ctx); err != nil {
		return nil, unavailable(err)
	}
	defer p.turn.pass()
	if p.found != nil && now.Before(p.found.until) {
		return p.found, nil
	}
	if wait := p.retry.Sub(now); wait <= 0 || wait > retryAfter { // a clock may be set back
		found, err := p.discover(ctx, now)
		switch {
		case err == nil:
			p.found, p.failure, p.retry = found, nil, time.Time{}
		case done.Err(ctx) != nil: // this caller's haste is no fault of the provider's
			return nil, unavailable(err)
		default:
			p.failure, p.retry = err, now.Add(retryAfter)
		}
	}
	if p.found != nil {
		return p.found, nil
	}
	return nil, p.failure
}

func (p *provider) discover(ctx context.Context, now time.Time) (*endpoints, error) {
	ctx = oidc.ClientContext(ctx, p.client)
	// This skips the check that the document's issuer is the URL it was found under, which
	// Microsoft's is not; the check that it is the issuer configured follows.
	ctx = oidc.InsecureIssuerURLContext(ctx, p.Issuer)
	doc, err := oidc.NewProvider(ctx, p.Discovery)
	if err != nil {
		return nil, unavailable(fmt.Errorf("sso: looking up %s: %s", p.ID, brief(err)))
	}
	var meta struct {
		Issuer      string   `json:"issuer"`
		AuthURL     string   `json:"authorization_endpoint"`
		TokenURL    string   `json:"token_endpoint"`
		Keys        string   `json:"jwks_uri"`
		AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
		NamesIssuer bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := doc.Claims(&meta); err != nil {
		return nil, unavailable(fmt.Errorf("sso: discovery document of %s: %s", p.ID, brief(err)))
	}
	if meta.Issuer != p.Issuer {
		return nil, configError("%s calls itself %.100q, and is configured as %q; write Issuer "+
			"as the provider does", p.ID, meta.Issuer, p.Issuer)
	}
	for _, raw := range []string{meta.AuthURL, meta.TokenURL, meta.Keys} {
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" {
			return nil, configError("the discovery document of %s has %.100q for an endpoint",
				p.ID, raw)
		}
		if err := checkScheme(u); err != nil {
			return nil, configError("the discovery document of %s: %v", p.ID, err)
		}
	}
	// x/oauth2 would find out by trying, and a failed try would use the code up. Providers differ
	// on how a secret is escaped for client_secret_basic, so it is used where there is nothing
	// else; it is also what no list means (OpenID Connect Discovery section 3).
	style := oauth2.AuthStyleInHeader
	if slices.Contains(meta.AuthMethods, "client_secret_post") {
		style = oauth2.AuthStyleInParams
	}
	return &endpoints{
		oauth: oauth2.Config{
			ClientID: p.ClientID, ClientSecret: p.ClientSecret.Reveal(), RedirectURL: p.redirect,
			Scopes: p.Scopes,
			Endpoint: oauth2.Endpoint{AuthURL: meta.AuthURL, TokenURL: meta.TokenURL,
				AuthStyle: style},
		},
		keys:        &keySet{url: meta.Keys, issuer: p.Issuer, client: p.client, turn: newTurn()},
		namesIssuer: meta.NamesIssuer,
		until:       now.Add(discoveryTTL),
	}, nil
}

// brief shortens what an error quotes of a provider's response.
func brief(err error) string {
	const most = 200
	if s := err.Error(); len(s) > most {
		return s[:most] + "…"
	}
	return err.Error()
}

// boundedClient returns c with limits on a response, and without redirects: no endpoint of OpenID
// Connect redirects, and a redirect could take a code elsewhere.
func boundedClient(c *http.Client) *http.Client {
	bounded := &http.Client{Timeout: requestTimeout}
	if c != nil {
		*bounded = *c
		bounded.Jar = nil
		// Others wait for the one who asks a provider, and a provider may never reply.
		bounded.Timeout = cmp.Or(c.Timeout, requestTimeout)
	}
	next := bounded.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	bounded.Transport = limit{next}
	bounded.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}
	return bounded
}

// limit refuses responses that are too long, because the packages underneath read them whole.
type limit struct{ next http.RoundTripper }

func (l limit) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &limitedBody{ReadCloser: resp.Body, left: maxBody}
	return resp, nil
}

type limitedBody struct {
	io.ReadCloser
	left int
}

var errTooLong = errors.New("sso: the provider's response is longer than 1 MiB")

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// turn is a mutex that is not waited for longer than ctx. It holds a token while free.
type turn chan struct{}

func newTurn() turn {
	t := make(turn, 1)
	t.pass()
	return t
}

func (t turn) take(ctx context.Context) error {
	select {
	case <-t:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) pass() { t <- struct{}{} }
