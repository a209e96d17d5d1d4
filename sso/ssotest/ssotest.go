package ssotest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sso"
)

const (
	clientID     = "secondgate-demo"
	clientSecret = "ssotest-client-secret" // protects nothing
	codeTTL      = time.Minute
	tokenTTL     = time.Hour
	maxCodes     = 1000
)

// User is a user who can be chosen on the sign-in page.
type User struct {
	// Provider is where the account is: "microsoft", "google" or "oidc".
	Provider string
	// Name and Email are shown on the page.
	Name, Email string
	// Unverified makes Google and the plain provider say that Email is not verified.
	Unverified bool
	// ID is the user's sub, and for Microsoft the oid, which must be a GUID. Required.
	ID string
	// Organization is the tenant ID with Microsoft, and the workspace's domain (hd), or "",
	// with Google.
	Organization string
	// AMR and ACR are said in the token if they are set.
	AMR []string
	ACR string
}

// Config configures a Server.
type Config struct {
	// URL is where the server will be reached, on this machine: "http://127.0.0.1:9000".
	URL string
	// Users are the users on the sign-in page, each under its provider.
	Users []User
	// Clock defaults to the system's.
	Clock mfa.Clock
	// Token, if set, makes every ID token from the claims it would have, which it may change;
	// sign signs claims with the present key. A test makes an invalid token with it.
	Token func(claims map[string]any, sign func(claims map[string]any) string) string
	// ReuseCodes accepts codes more than once, which a provider must not do.
	ReuseCodes bool
}

// Server is a provider. It is an http.Handler, safe for concurrent use.
type Server struct {
	cfg Config
	mux *http.ServeMux

	mu    sync.Mutex
	key   jose.JSONWebKey
	codes map[string]grant
}

// grant is what a code stands for.
type grant struct {
	provider, redirect, nonce, challenge string
	user                                 User
	issued                               time.Time
	used                                 bool
}

// New returns a Server, or an error that names the field of cfg to change.
func New(cfg Config) (*Server, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Scheme != "http" || !local(u.Hostname()) || u.Path != "" ||
		u.RawQuery != "" {
		return nil, fmt.Errorf("ssotest: URL is %q; want the form http://127.0.0.1:9000, on "+
			"this machine, because every client that reaches it may sign in as any user", cfg.URL)
	}
	for i, p := range cfg.Users {
		if !slices.Contains([]string{"microsoft", "google", "oidc"}, p.Provider) || p.Name == "" ||
			p.ID == "" {
			return nil, fmt.Errorf("ssotest: Users[%d] needs a Name, an ID and a Provider of "+
				"microsoft, google or oidc", i)
		}
	}
	s := &Server{cfg: cfg, mux: http.NewServeMux(), codes: make(map[string]grant)}
	if err := s.RotateKey(); err != nil {
		return nil, err
	}
	s.mux.HandleFunc("GET /microsoft/organizations/v2.0/.well-known/openid-configuration",
		s.discovery("microsoft"))
	s.mux.HandleFunc("GET /google/.well-known/openid-configuration", s.discovery("google"))
	s.mux.HandleFunc("GET /oidc/.well-known/openid-configuration", s.discovery("oidc"))
	s.mux.HandleFunc("GET /{provider}/authorize", s.page)
	s.mux.HandleFunc("POST /{provider}/authorize", s.choose)
	s.mux.HandleFunc("POST /{provider}/token", s.token)
	s.mux.HandleFunc("GET /{provider}/keys", s.keys)
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Microsoft is [sso.Microsoft] at this server.
func (s *Server) Microsoft() sso.Provider {
	p := sso.Microsoft(clientID, secret.New(clientSecret))
	p.Issuer, p.Discovery = s.issuer("microsoft"), s.cfg.URL+"/microsoft/organizations/v2.0"
	return p
}

// Google is [sso.Google] at this server.
func (s *Server) Google() sso.Provider {
	p := sso.Google(clientID, secret.New(clientSecret))
	p.Issuer = s.issuer("google")
	return p
}

// Plain is any other OpenID Connect provider, of ID "oidc".
func (s *Server) Plain() sso.Provider {
	return sso.Provider{ID: "oidc", Name: "Example provider", Issuer: s.issuer("oidc"),
		ClientID: clientID, ClientSecret: secret.New(clientSecret)}
}

// RotateKey replaces the signing key, as providers do without notice.
func (s *Server) RotateKey() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key = jose.JSONWebKey{Key: key, KeyID: rand.Text(), Algorithm: string(jose.ES256), Use: "sig"}
	return nil
}

func (s *Server) issuer(provider string) string {
	if provider == "microsoft" {
		return s.cfg.URL + "/microsoft/{tenantid}/v2.0"
	}
	return s.cfg.URL + "/" + provider
}

func (s *Server) now() time.Time {
	if s.cfg.Clock != nil {
		return s.cfg.Clock.Now()
	}
	return time.Now()
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone
}

func (s *Server) discovery(provider string) http.HandlerFunc {
	base := s.cfg.URL + "/" + provider
	return func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{
			"issuer": s.issuer(provider), "authorization_endpoint": base + "/authorize",
			"token_endpoint": base + "/token", "jwks_uri": base + "/keys",
			"response_types_supported":              []string{"code"},
			"subject_types_supported":               []string{"public"},
			"id_token_signing_alg_values_supported": []string{"ES256"},
			"code_challenge_methods_supported":      []string{"S256"},
			"token_endpoint_auth_methods_supported": []string{"client_secret_post",
				"client_secret_basic"},
		})
	}
}

// keys responds with the present key; Microsoft's names the tenant that it may sign for.
func (s *Server) keys(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	public := s.key.Public()
	s.mu.Unlock()
	raw, err := public.MarshalJSON()
	var key map[string]any
	if err == nil {
		err = json.Unmarshal(raw, &key)
	}
	if err != nil {
		http.Error(w, "no key", http.StatusInternalServerError)
		return
	}
	if r.PathValue("provider") == "microsoft" {
		key["issuer"] = s.issuer("microsoft")
	}
	writeJSON(w, http.StatusOK, map[string]any{"keys": []any{key}})
}

// redeem takes a code. A code that was tried wrongly is gone as well.
func (s *Server) redeem(provider string, form url.Values) (grant, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	code := form.Get("code")
	g, ok := s.codes[code]
	switch {
	case !ok, g.used && !s.cfg.ReuseCodes, g.provider != provider,
		s.now().After(g.issued.Add(codeTTL)):
		return grant{}, errors.New("unknown code")
	}
	g.used = true
	s.codes[code] = g
	if g.redirect != form.Get("redirect_uri") || g.challenge != challenge(
		form.Get("code_verifier")) {
		return grant{}, errors.New("not who asked for the code")
	}
	return g, nil
}

// claims are what the ID token of a grant says.
func (s *Server) claims(g grant) map[string]any {
	now, p := s.now(), g.user
	c := map[string]any{
		"iss": s.issuer(g.provider), "aud": clientID, "sub": p.ID, "nonce": g.nonce,
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(tokenTTL).Unix(),
		"auth_time": now.Unix(), "name": p.Name,
	}
	if p.Email != "" {
		c["email"] = p.Email
	}
	switch g.provider {
	case "microsoft":
		c["iss"] = strings.ReplaceAll(s.issuer("microsoft"), "{tenantid}", p.Organization)
		c["tid"], c["oid"], c["sub"], c["ver"], c["preferred_username"] = p.Organization, p.ID,
			"pairwise-"+p.ID, "2.0", p.Email
	case "google":
		if p.Organization != "" {
			c["hd"] = p.Organization
		}
		fallthrough
	default:
		c["email_verified"] = !p.Unverified
	}
	if p.AMR != nil {
		c["amr"] = p.AMR
	}
	if p.ACR != "" {
		c["acr"] = p.ACR
	}
	return c
}

func (s *Server) sign(claims map[string]any) string {
	s.mu.Lock()
	key := s.key
	s.mu.Unlock()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return ""
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return ""
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return ""
	}
	token, err := jws.CompactSerialize()
	if err != nil {
		return ""
	}
	return token
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if id != clientID || secret != clientSecret {
		writeJSON(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	if err := r.ParseForm(); err != nil || r.PostForm.Get("grant_type") != "authorization_code" {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "unsupported_grant_type"})
		return
	}
	g, err := s.redeem(r.PathValue("provider"), r.PostForm)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant",
			"error_description": err.Error()})
		return
	}
	claims := s.claims(g)
	var token string
	if s.cfg.Token != nil {
		token = s.cfg.Token(maps.Clone(claims), s.sign)
	} else {
		token = s.sign(claims)
	}
	writeJSON(w, http.StatusOK, map[string]any{"access_token": rand.Text(), "token_type": "Bearer",
		"expires_in": 3600, "id_token": token})
}
