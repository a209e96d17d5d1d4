package portal

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

// Key signs assertions.
type Key struct {
	// Private is 64 bytes of Ed25519. Keep it as the keyring's: outside the database.
	Private ed25519.PrivateKey
	// Until ends the publication of a key that signs no more; zero is for the first, which
	// signs. Leave a retired key for as long as applications cache keys, an hour.
	Until time.Time
}

// Client is an application that trusts the portal.
type Client struct {
	// ID is the audience of its assertions.
	ID string
	// ReturnURL is where assertions are sent, exactly: the URL of its Verifier.Callback.
	ReturnURL string
	// Pairwise gives the application an ID for each user that no other application has, from
	// IssuerConfig.PairwiseKey (OpenID Connect Core section 8.1).
	Pairwise bool
}

// IssuerConfig configures an Issuer. URL, Keys and Clients are required.
type IssuerConfig struct {
	// URL is the portal's name in assertions: its https URL without a slash at the end. The
	// JWKS is at URL + "/jwks.json", and Authorize at URL + "/authorize".
	URL string
	// Keys are published, all of them. The first signs.
	Keys    []Key
	Clients []Client
	// PairwiseKey makes the IDs for pairwise clients. It is 32 random bytes, and never changes.
	PairwiseKey secret.Bytes
	// TTL is how long an assertion is valid. Defaults to 30 seconds. Must be at most a minute.
	TTL time.Duration
	// Clock defaults to the system's.
	Clock mfa.Clock
}

// Issuer signs assertions. It is safe for concurrent use.
type Issuer struct {
	cfg     IssuerConfig
	signer  jose.Signer
	clients map[string]Client
}

// NewIssuer returns an Issuer, or an error that names the field of cfg to change.
func NewIssuer(cfg IssuerConfig) (*Issuer, error) {
	if err := checkURL(cfg.URL); err != nil {
		return nil, fmt.Errorf("portal: URL: %w", err)
	}
	if err := checkKeys(cfg.Keys); err != nil {
		return nil, err
	}
	if cfg.TTL == 0 {
		cfg.TTL = defaultTTL
	}
	if cfg.TTL < time.Second || cfg.TTL > maxTTL {
		return nil, fmt.Errorf("portal: TTL is %s, want a second to %s", cfg.TTL, maxTTL)
	}
	if cfg.Clock == nil {
		cfg.Clock = systemClock{}
	}
	clients, err := clientsByID(cfg)
	if err != nil {
		return nil, err
	}
	signer, err := newSigner(cfg.Keys[0].Private)
	if err != nil {
		return nil, fmt.Errorf("portal: %w", err)
	}
	return &Issuer{cfg: cfg, signer: signer, clients: clients}, nil
}

func checkKeys(keys []Key) error {
	if len(keys) == 0 {
		return errors.New("portal: Keys is empty; make a key with ed25519.GenerateKey " +
			"and keep it outside the database")
	}
	for i, k := range keys {
		if len(k.Private) != ed25519.PrivateKeySize {
			return fmt.Errorf("portal: Keys[%d] has %d bytes, want %d",
				i, len(k.Private), ed25519.PrivateKeySize)
		}
	}
	return nil
}

// clientsByID decides which applications assertions are made for.
func clientsByID(cfg IssuerConfig) (map[string]Client, error) {
	clients := make(map[string]Client, len(cfg.Clients))
	for _, c := range cfg.Clients {
		if c.ID == "" || len(c.ID) > maxText || clients[c.ID].ID != "" {
			return nil, fmt.Errorf("portal: client id %q must be 1 to %d bytes, and there once",
				c.ID, maxText)
		}
		if err := checkURL(c.ReturnURL); err != nil {
			return nil, fmt.Errorf("portal: ReturnURL of client %q: %w", c.ID, err)
		}
		if c.Pairwise && len(cfg.PairwiseKey) < 32 {
			return nil, fmt.Errorf("portal: client %q is pairwise, which needs a PairwiseKey "+
				"of 32 random bytes", c.ID)
		}
		clients[c.ID] = c
	}
	if len(clients) == 0 {
		return nil, errors.New("portal: Clients is empty; name the applications that trust the " +
			"portal")
	}
	return clients, nil
}

func newSigner(private ed25519.PrivateKey) (jose.Signer, error) {
	key := jose.JSONWebKey{Key: private, KeyID: keyID(private), Algorithm: string(jose.EdDSA)}
	return jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: key},
		(&jose.SignerOptions{}).WithType(tokenType))
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

// checkURL accepts https, and http on this machine for development.
func checkURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		len(s) > 2048 {
		return fmt.Errorf("%q is not an absolute URL without a query", s)
	}
	if host := u.Hostname(); u.Scheme != "https" &&
		!(u.Scheme == "http" && (host == "localhost" || host == "127.0.0.1" || host == "::1")) {
		return fmt.Errorf("%q must be https, or http on localhost", s)
	}
	return nil
}

// keyID is the thumbprint of the public key (RFC 7638).
func keyID(private ed25519.PrivateKey) string {
	key := jose.JSONWebKey{Key: private.Public()}
	sum, err := key.Thumbprint(sha256Hash)
	if err != nil {
		panic("portal: " + err.Error()) // of a key of the right length: cannot fail
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

// JWKS serves the public keys (RFC 7517 section 5). Mount it at URL + "/jwks.json".
func (i *Issuer) JWKS() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		now := i.cfg.Clock.Now()
		set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
		for n, k := range i.cfg.Keys {
			if n == 0 || now.Before(k.Until) {
				set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.Private.Public(),
					KeyID: keyID(k.Private), Algorithm: string(jose.EdDSA), Use: "sig"})
			}
		}
		body, err := json.Marshal(set)
		if err != nil {
			http.Error(w, "unavailable", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/jwk-set+json")
		w.Header().Set("Cache-Control", "public, max-age=300")
		_, _ = w.Write(body)
	})
}

// Nonce ties an assertion to the browser that was sent for it: 1 to 256 bytes that an attacker
// cannot guess, made anew for each request.
type Nonce string

// Issue signs an assertion about a user for a client, with the nonce from the client's request.
func (i *Issuer) Issue(clientID string, nonce Nonce, a Assertion) (string, error) {
	c, ok := i.clients[clientID]
	if !ok {
		return "", fmt.Errorf("%w: no such client", ErrInvalid)
	}
	if nonce == "" || len(nonce) > maxText || a.Subject == "" || len(a.Subject) > maxText {
		return "", fmt.Errorf("%w: nonce and subject have 1 to %d bytes", ErrInvalid, maxText)
	}
	if !utf8.ValidString(a.Subject) || !utf8.ValidString(string(nonce)) {
		// JSON has one character for all bytes that are no UTF-8: two users would be one.
		return "", fmt.Errorf("%w: nonce and subject are UTF-8", ErrInvalid)
	}
	if a.Level < 1 || a.Level > 2 || a.PhishingResistant && a.Level < 2 || a.AuthTime.IsZero() {
		return "", fmt.Errorf("%w: Level is 1 or 2, 2 with PhishingResistant, and AuthTime is known",
			ErrInvalid)
	}
	if c.Pairwise {
		m := hmac.New(sha256.New, i.cfg.PairwiseKey)
		m.Write([]byte(c.ID + "\x00" + a.Subject))
		a.Subject = base64.RawURLEncoding.EncodeToString(m.Sum(nil))
	}
	now := i.cfg.Clock.Now()
	return jwt.Signed(i.signer).Claims(claims{Issuer: i.cfg.URL, Subject: a.Subject,
		Audience: audience(c.ID), Issued: now.Unix(), NotYet: now.Unix(),
		Expires: now.Add(i.cfg.TTL).Unix(), ID: rand.Text(), Nonce: nonce,
		AuthTime: a.AuthTime.Unix(), AMR: slices.Clone(a.AMR), ACR: a.acr()}).Serialize()
}

// readsOnly sets what the responses of both sides have in common. It responds to a request that is
// no GET, and then returns false.
func readsOnly(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return false
	}
	return true
}

// Authorize serves the requests of clients, at URL + "/authorize". It calls verified
// for the last verification of the user who is signed in to the portal, as fresh and as strong
// as need says. If there is none, verified responds to the request itself, with a redirect to
// the sign-in or to a step-up that returns to the same URL, and returns nil and no error.
//
// The response is a page that continues to the client's ReturnURL, never elsewhere, with the
// query parameters "assertion" and "state". An unknown client, or an invalid request, gets an
// error here.
func (i *Issuer) Authorize(
	verified func(w http.ResponseWriter, r *http.Request, need Need) (*Assertion, error),
) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !readsOnly(w, r) {
			return
		}
		q := r.URL.Query()
		c, ok := i.clients[q.Get("client_id")]
		nonce, state := Nonce(q.Get("nonce")), q.Get("state")
		need, err := needOf(q)
		if !ok || err != nil || nonce == "" || len(nonce) > maxText || len(state) > maxText {
			http.Error(w, "The application sent an invalid request.", http.StatusBadRequest)
			return
		}
		a, err := verified(w, r, need)
		if err == nil && a == nil {
			return // verified has responded
		}
		if err == nil && need.missing(a, i.cfg.Clock.Now()) {
			err = errors.New("the verification does not meet the need")
		}
		token := ""
		if err == nil {
			said := *a
			said.PhishingResistant = a.PhishingResistant && need.PhishingResistant
			token, err = i.Issue(c.ID, nonce, said)
		}
		if err != nil {
			http.Error(w, "There is a problem with the service. Try again in a moment.",
				http.StatusServiceUnavailable)
			return
		}
		back := url.Values{"assertion": {token}, "state": {state}}
		onward(w, c.ReturnURL+"?"+back.Encode())
	})
}

// onward sends the browser on by a page. A redirect would be a part of the form that completed
// the sign-in, and browsers hold forms to the form-action of the page that they were on, which
// is the portal alone.
func onward(w http.ResponseWriter, to string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	to = html.EscapeString(to)
	_, _ = fmt.Fprintf(w,
		`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=%[1]s">`+
			`<title>…</title></head><body><p><a href="%[1]s">Continue</a></p></body></html>`, to)
}

// needOf reads "max_age", in seconds, and "acr_values" (OpenID Connect Core section 3.1.2.1).
func needOf(q url.Values) (n Need, err error) {
	if s := q.Get("max_age"); s != "" {
		secs, err := strconv.Atoi(s)
		if err != nil || secs < 1 || secs > 365*24*3600 {
			return n, errors.New("portal: max_age")
		}
		n.MaxAge = time.Duration(secs) * time.Second
	}
	if s := q.Get("acr_values"); s != "" {
		asked, ok := needOfACR(s)
		if !ok {
			return n, errors.New("portal: acr_values")
		}
		n.Level, n.PhishingResistant = asked.Level, asked.PhishingResistant
	}
	return n, nil
}

// FromVerification is what the portal says after one of its own verifications; subject is the
// ID that applications know the user by.
func FromVerification(subject string, v *mfa.Verification) Assertion {
	return Assertion{Subject: subject, AuthTime: v.Time, AMR: slices.Clone(v.AMR),
		Level: v.AssuranceLevel, PhishingResistant: v.ACR == acrPhishingResistant}
}
