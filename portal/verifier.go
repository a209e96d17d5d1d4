package portal

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/storage"
)

// VerifierConfig configures a Verifier. Portal, ClientID and Store are required.
type VerifierConfig struct {
	// Portal is IssuerConfig.URL, and ClientID this application's Client.ID there.
	Portal, ClientID string
	// Store keeps which assertions were used: one that all processes of the application share.
	Store storage.Store
	// Client fetches the portal's keys; nil means http.DefaultClient.
	Client *http.Client
	// Session keeps values in the session of a request, on the server. Required for Start and
	// Callback; mfahttp.Session fits.
	Session Session
	// SignedIn is called once for each accepted assertion. It signs the user in and renews the
	// session ID. It writes no body and no status. Required for Callback.
	SignedIn func(w http.ResponseWriter, r *http.Request, a *Assertion) error
	// Failed responds to a request that Callback could not accept. Nil writes a short text.
	Failed func(w http.ResponseWriter, r *http.Request, err error)
	// Clock defaults to the system's.
	Clock mfa.Clock
}

// Session keeps values in the session of the request whose context is given, where the
// user's browser can neither read nor change them.
type Session interface {
	// Get returns the value under key, or none of its bytes if there is no value.
	Get(ctx context.Context, key string) ([]byte, error)
	// Put keeps value, which the caller does not change afterwards.
	Put(ctx context.Context, key string, value []byte) error
	// Remove removes the value under key, if there is one.
	Remove(ctx context.Context, key string) error
}

// Verifier takes assertions of one portal for one application. It is safe for concurrent use.
type Verifier struct {
	cfg  VerifierConfig
	keys keySet
	used *storage.Updater
}

// NewVerifier returns a Verifier, or an error that names the field of cfg to change. It fetches
// nothing yet.
func NewVerifier(cfg VerifierConfig) (*Verifier, error) {
	if err := checkURL(cfg.Portal); err != nil {
		return nil, fmt.Errorf("portal: Portal: %w", err)
	}
	if cfg.ClientID == "" || len(cfg.ClientID) > maxText {
		return nil, fmt.Errorf("portal: ClientID must be 1 to %d bytes", maxText)
	}
	if cfg.Store == nil {
		return nil, errors.New("portal: Store is nil; assertions are used once, which needs a " +
			"store that all processes share")
	}
	if cfg.Client == nil {
		cfg.Client = http.DefaultClient
	}
	if cfg.Clock == nil {
		cfg.Clock = systemClock{}
	}
	return &Verifier{cfg: cfg, used: storage.NewUpdater(cfg.Store),
		keys: keySet{url: cfg.Portal + "/jwks.json", client: cfg.Client, now: cfg.Clock.Now}}, nil
}

// Verify accepts an assertion once, with the nonce that this browser was sent with. A
// *StepUpError means that the assertion is valid and says less than need: the user is known, and
// their verification is too old or too weak. Every other error matches ErrInvalid or
// ErrUnavailable, and no user is signed in. Verify uses up an assertion that it accepts, and one
// that it refuses with a *StepUpError.
func (v *Verifier) Verify(
	ctx context.Context, assertion string, nonce Nonce, need Need,
) (*Assertion, error) {
	if err := need.check(); err != nil {
		return nil, err
	}
	c, err := v.open(ctx, assertion)
	if err != nil {
		return nil, err
	}
	now := v.cfg.Clock.Now()
	proven, known := needOfACR(c.ACR)
	switch {
	case !known:
		return nil, invalid("a claim is missing")
	case nonce == "" || subtle.ConstantTimeCompare([]byte(c.Nonce), []byte(nonce)) != 1:
		return nil, invalid("asked for by another browser")
	}
	if err := c.checkParties(v.cfg.Portal, v.cfg.ClientID); err != nil {
		return nil, err
	}
	if err := c.checkTimes(now); err != nil {
		return nil, err
	}
	if err := v.use(ctx, c); err != nil {
		return nil, err
	}
	a := &Assertion{Subject: c.Subject, AuthTime: time.Unix(c.AuthTime, 0).UTC(), AMR: c.AMR,
		Level: proven.Level, PhishingResistant: proven.PhishingResistant}
	if need.missing(a, now) {
		return nil, &StepUpError{Need: need}
	}
	return a, nil
}

func invalid(what string) error { return fmt.Errorf("%w: %s", ErrInvalid, what) }

// checkParties checks that the portal made the assertion, for this application, about a user.
func (c *claims) checkParties(issuer, audience string) error {
	text := func(s string) bool { return s != "" && len(s) <= maxText }
	switch {
	case c.Issuer != issuer:
		return invalid("of another issuer")
	case string(c.Audience) != audience:
		return invalid("for another audience")
	case !text(c.Subject) || !text(c.ID) || c.AMR == nil:
		return invalid("a claim is missing")
	}
	return nil
}

// checkTimes checks that the assertion is valid at now, and not for longer than any may be.
func (c *claims) checkTimes(now time.Time) error {
	const skew, longest = int64(skew / time.Second), int64(maxTTL / time.Second)
	switch {
	case min(c.Issued, c.NotYet, c.Expires, c.AuthTime) <= 0:
		return invalid("a time is missing")
	case c.Expires-c.Issued > longest:
		return invalid("valid for too long")
	case now.Unix() >= c.Expires+skew:
		return invalid("expired")
	case now.Unix() < max(c.NotYet, c.Issued)-skew, c.AuthTime > c.Issued+skew:
		return invalid("from the future")
	}
	return nil
}

// open checks the signature.
func (v *Verifier) open(ctx context.Context, assertion string) (*claims, error) {
	if assertion == "" || len(assertion) > maxToken {
		return nil, fmt.Errorf("%w: not an assertion", ErrInvalid)
	}
	signed, err := jose.ParseSignedCompact(assertion, algorithms)
	if err != nil {
		return nil, fmt.Errorf("%w: not a JWT with EdDSA", ErrInvalid)
	}
	header := signed.Signatures[0].Protected
	if typ, _ := header.ExtraHeaders[jose.HeaderType].(string); typ != tokenType {
		return nil, fmt.Errorf("%w: a JWT of another type", ErrInvalid)
	}
	key, err := v.keys.key(ctx, header.KeyID)
	if err != nil {
		return nil, err
	}
	payload, err := signed.Verify(key)
	if err != nil {
		return nil, fmt.Errorf("%w: the signature is invalid", ErrInvalid)
	}
	c := &claims{}
	if err := json.Unmarshal(payload, c); err != nil {
		return nil, fmt.Errorf("%w: the claims are not readable", ErrInvalid)
	}
	return c, nil
}

const (
	// shards and slots bound what is kept: for each, the ids of a minute. A slot comes round
	// after eight, when what was in it has long expired.
	shards, slots = 16, 8
	idLen         = 16
)

// use marks an assertion as used, if it was not. It is one conditional write.
func (v *Verifier) use(ctx context.Context, c *claims) error {
	sum := sha256.Sum256([]byte(c.Issuer + "\x00" + c.ID))
	id := sum[:idLen]
	minute := uint64(c.Expires / 60)
	key := fmt.Sprintf("portal/%x/%d", sum[31]%shards, minute%slots)
	replayed := fmt.Errorf("%w: it was used before", ErrInvalid)
	err := v.used.Update(ctx, key, func(data []byte) (storage.Change, error) {
		next := binary.BigEndian.AppendUint64(nil, minute)
		if len(data) >= 8 {
			switch then := binary.BigEndian.Uint64(data); {
			case then == minute:
				for ids := data[8:]; len(ids) >= idLen; ids = ids[idLen:] {
					if bytes.Equal(ids[:idLen], id) {
						return storage.Change{}, replayed
					}
				}
				next = bytes.Clone(data)
			case then > minute: // of minutes ago, by this clock or by the other
				return storage.Change{}, fmt.Errorf("%w: expired", ErrInvalid)
			}
		}
		if len(next)+idLen > storage.MaxDataLen {
			return storage.Change{}, fmt.Errorf("%w: more assertions in a minute than can be "+
				"remembered", ErrUnavailable)
		}
		return storage.Change{Data: append(next, id...)}, nil
	})
	if err != nil && !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrUnavailable) {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

// sessionKey is the key of what the browser's session holds while the user is at the portal.
const sessionKey = "secondgate.portal"

type waiting struct {
	Nonce   Nonce
	State   string
	Return  string
	MaxAge  time.Duration
	Level   int
	Resists bool `json:",omitempty"` // Need.PhishingResistant
	Expires time.Time
}

// waitFor is how long the user may stay at the portal.
const waitFor = 15 * time.Minute

// Start sends the user to the portal, for a verification that meets need, and back to a path
// of this application afterwards.
func (v *Verifier) Start(w http.ResponseWriter, r *http.Request, need Need, returnTo string) {
	if v.cfg.Session == nil || need.check() != nil {
		http.Error(w, "This application is not set up for the portal.",
			http.StatusInternalServerError)
		return
	}
	wait := waiting{Nonce: Nonce(rand.Text()), State: rand.Text(), Return: local(returnTo),
		MaxAge: need.MaxAge, Level: need.Level, Resists: need.PhishingResistant,
		Expires: v.cfg.Clock.Now().Add(waitFor)}
	data, err := json.Marshal(wait)
	if err != nil {
		http.Error(w, "unavailable", http.StatusServiceUnavailable)
		return
	}
	if err := v.cfg.Session.Put(r.Context(), sessionKey, data); err != nil {
		http.Error(w, "unavailable", http.StatusServiceUnavailable)
		return
	}
	q := url.Values{"client_id": {v.cfg.ClientID}, "nonce": {string(wait.Nonce)},
		"state": {wait.State}}
	if need.MaxAge > 0 {
		q.Set("max_age", strconv.Itoa(int(need.MaxAge/time.Second)))
	}
	if acr := need.acr(); acr != "" {
		q.Set("acr_values", acr)
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, v.cfg.Portal+"/authorize?"+q.Encode(), http.StatusSeeOther)
}

// local accepts a path on this site.
func local(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || len(path) > 2048 ||
		strings.ContainsFunc(path, func(c rune) bool {
			return c <= ' ' || c == '\\' || c >= 0x7f
		}) {
		return "/"
	}
	return path
}

// Callback serves Client.ReturnURL.
func (v *Verifier) Callback() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !readsOnly(w, r) {
			return
		}
		to, err := v.callback(w, r)
		switch {
		case err == nil:
			http.Redirect(w, r, to, http.StatusSeeOther)
		case v.cfg.Failed != nil:
			v.cfg.Failed(w, r, err)
		case errors.Is(err, ErrUnavailable):
			http.Error(w, "There is a problem with the service. Try again in a moment.",
				http.StatusServiceUnavailable)
		default:
			http.Error(w, "This sign-in has expired, or was started elsewhere. Start again.",
				http.StatusForbidden)
		}
	})
}

func (v *Verifier) callback(w http.ResponseWriter, r *http.Request) (to string, err error) {
	if v.cfg.Session == nil || v.cfg.SignedIn == nil {
		return "", fmt.Errorf("%w: Session and SignedIn are needed", ErrUnavailable)
	}
	var wait waiting
	kept, err := v.cfg.Session.Get(r.Context(), sessionKey)
	if err != nil {
		return "", fmt.Errorf("%w: Session: %w", ErrUnavailable, err)
	}
	if json.Unmarshal(kept, &wait) != nil || wait.Nonce == "" ||
		!v.cfg.Clock.Now().Before(wait.Expires) {
		return "", fmt.Errorf("%w: this browser did not ask", ErrInvalid)
	}
	q := r.URL.Query()
	if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(wait.State)) != 1 {
		return "", fmt.Errorf("%w: a response to another request", ErrInvalid)
	}
	a, err := v.Verify(r.Context(), q.Get("assertion"), wait.Nonce,
		Need{MaxAge: wait.MaxAge, Level: wait.Level, PhishingResistant: wait.Resists})
	if err != nil {
		return "", err
	}
	if err := v.cfg.Session.Remove(r.Context(), sessionKey); err != nil {
		return "", fmt.Errorf("%w: Session: %w", ErrUnavailable, err)
	}
	if err := v.cfg.SignedIn(w, r, a); err != nil {
		return "", fmt.Errorf("%w: SignedIn: %w", ErrUnavailable, err)
	}
	return wait.Return, nil
}
