package sso

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
	"golang.org/x/oauth2"

	"github.com/secondgate/secondgate/internal/strictb64"
	"github.com/secondgate/secondgate/mfa/factor"
)

const (
	sealFlow = "sso-flow"
	// maxCookie is the least that every browser keeps of one cookie (RFC 6265 section 6.1).
	maxCookie = 4096
	maxCode   = 4096
)

// action is what a flow ends in.
type action uint8

const (
	signIn action = iota + 1
	link
)

// flow is one sign-on in progress. It is in a sealed cookie of the browser that began it,
// and nowhere else; that it is completed once is remembered in the link's record.
type flow struct {
	Provider string `cbor:"0,keyasint"`
	Action   action `cbor:"1,keyasint"`
	// State comes back in the URL, Nonce in the token. Both are random and appear nowhere
	// else, so each ties what came back to this flow.
	State    string `cbor:"2,keyasint"`
	Nonce    string `cbor:"3,keyasint"`
	Verifier string `cbor:"4,keyasint"` // PKCE (RFC 7636)
	Began    int64  `cbor:"5,keyasint"` // Unix milliseconds
	// Tenant, Subject and Bind identify the user who links, and the session.
	Tenant  string `cbor:"6,keyasint,omitempty"`
	Subject string `cbor:"7,keyasint,omitempty"`
	Bind    []byte `cbor:"8,keyasint,omitempty"`
}

func (f *flow) began() time.Time { return time.UnixMilli(f.Began) }

// start begins a flow. It returns where to send the browser, and the cookie.
func (s *Service) start(
	ctx context.Context, providerID string, f *flow,
) (to, cookie string, err error) {
	p := s.providers[providerID]
	if p == nil {
		return "", "", fmt.Errorf("%w: there is no such provider", factor.ErrMalformed)
	}
	now := s.now()
	e, err := p.endpoints(ctx, now)
	if err != nil {
		return "", "", err
	}
	f.Provider, f.State, f.Nonce, f.Verifier, f.Began = providerID, rand.Text(), rand.Text(),
		oauth2.GenerateVerifier(), now.UnixMilli()
	params := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(f.Verifier),
		oauth2.SetAuthURLParam("nonce", f.Nonce)}
	if f.Action == link {
		// A user with several accounts with the provider chooses one, rather than linking the
		// one that happens to be signed in.
		params = append(params, oauth2.SetAuthURLParam("prompt", "select_account"))
	}
	if p.MaxAge > 0 {
		params = append(params, oauth2.SetAuthURLParam("max_age",
			strconv.Itoa(int(p.MaxAge.Seconds()))))
	}
	if len(p.ACRValues) > 0 {
		params = append(params, oauth2.SetAuthURLParam("acr_values",
			strings.Join(p.ACRValues, " ")))
	}
	plain, err := cbor.Marshal(f)
	if err != nil {
		return "", "", err
	}
	return e.oauth.AuthCodeURL(f.State, params...),
		base64.RawURLEncoding.EncodeToString(s.cfg.Keys.Seal(sealFlow, providerID, plain)), nil
}

// openFlow returns the flow in a cookie, if state belongs to it.
func (s *Service) openFlow(providerID, cookie, state string, now time.Time) (*flow, error) {
	if cookie == "" || len(cookie) > maxCookie {
		return nil, ErrFlow
	}
	sealed, err := strictb64.DecodeURL(cookie)
	if err != nil {
		return nil, ErrFlow
	}
	plain, err := s.cfg.Keys.Open(sealFlow, providerID, sealed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFlow, err)
	}
	f := &flow{}
	if err := cbor.Unmarshal(plain, f); err != nil {
		return nil, ErrFlow
	}
	if f.Provider != providerID || subtle.ConstantTimeCompare([]byte(f.State), []byte(state)) != 1 {
		return nil, ErrFlow
	}
	if age := now.Sub(f.began()); age >= s.cfg.FlowTTL || age < -leeway {
		return nil, ErrFlow
	}
	return f, nil
}

// finish takes what the provider's redirect brought and returns who it is.
func (s *Service) finish(
	ctx context.Context, f *flow, query url.Values, now time.Time,
) (*identity, error) {
	p := s.providers[f.Provider]
	e, err := p.endpoints(ctx, now)
	if err != nil {
		return nil, err
	}
	// Another provider's response must not reach this one's token endpoint (RFC 9207). That each
	// has a redirect URI of its own is the first protection.
	if err := p.checkAnswerer(e, query); err != nil {
		return nil, err
	}
	if code := query.Get("error"); code != "" {
		return nil, refusal(code)
	}
	code := query.Get("code")
	if code == "" || len(code) > maxCode {
		return nil, fmt.Errorf("%w: no code", ErrFlow)
	}
	token, err := p.exchange(ctx, e, code, f.Verifier)
	if err != nil {
		return nil, err
	}
	id, err := p.identify(ctx, e, token, f, now)
	if err != nil {
		return nil, err
	}
	if iss := query.Get("iss"); iss != "" && iss != id.issuer {
		return nil, fmt.Errorf("%w: iss in the response is not the token's", ErrIdentity)
	}
	return id, nil
}

func (p *provider) checkAnswerer(e *endpoints, query url.Values) error {
	iss := query.Get("iss")
	if iss == "" && e.namesIssuer {
		return fmt.Errorf("%w: the response does not name its issuer", ErrIdentity)
	}
	if iss != "" && p.profile == plain && iss != p.Issuer {
		return fmt.Errorf("%w: the response is another provider's", ErrIdentity)
	}
	return nil
}

// refusal is what an error in the redirect means (RFC 6749 section 4.1.2.1, OpenID Connect
// Core section 3.1.2.6). Its text is the provider's, so only known codes are repeated.
func refusal(code string) error {
	switch code {
	case "access_denied", "login_required", "interaction_required", "account_selection_required",
		"consent_required":
		return fmt.Errorf("%w: %s", ErrCancelled, code)
	case "server_error", "temporarily_unavailable":
		return unavailable(fmt.Errorf("sso: the provider responded with %s", code))
	case "unauthorized_client", "invalid_request", "invalid_scope", "unsupported_response_type",
		"invalid_client":
		return configError("the provider responded with %s; compare its registration of this application",
			code)
	default:
		return fmt.Errorf("%w: with an error code of its own", ErrCancelled)
	}
}

// exchange trades a code for an ID token. The access token is not kept: we call nothing.
func (p *provider) exchange(
	ctx context.Context, e *endpoints, code, verifier string,
) (string, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, p.client)
	t, err := e.oauth.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused) && refused.ErrorCode == "invalid_grant":
		// Unknown, over, or used before.
		return "", fmt.Errorf("%w: the provider does not take the code", ErrFlow)
	case errors.As(err, &refused) && slices.Contains([]string{"invalid_client",
		"unauthorized_client", "invalid_request"}, refused.ErrorCode):
		return "", configError("%s responded with %s at its token endpoint; compare client ID, secret "+
			"and redirect URI", p.ID, refused.ErrorCode)
	case errors.As(err, &refused):
		// The body may repeat what was sent, which holds the secret.
		return "", unavailable(fmt.Errorf("sso: %s refused the code with status %d", p.ID,
			refused.Response.StatusCode))
	case err != nil:
		return "", unavailable(fmt.Errorf("sso: reaching %s: %s", p.ID, brief(err)))
	}
	token, ok := t.Extra("id_token").(string)
	if !ok || token == "" {
		return "", fmt.Errorf("%w: there is no ID token", ErrIdentity)
	}
	return token, nil
}
