package portal

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// tokenType keeps an assertion from being taken for another JWT of the same key (RFC 8725
	// section 3.11).
	tokenType = "secondgate-assertion+jwt"
	// defaultTTL and maxTTL are how long an assertion is valid.
	defaultTTL = 30 * time.Second
	maxTTL     = time.Minute
	// skew is how far two servers' clocks may differ.
	skew     = 5 * time.Second
	maxToken = 8192
	maxText  = 256
)

// Errors to branch on with errors.Is. A *StepUpError is the third kind.
var (
	// ErrInvalid is returned for an assertion that the portal did not make for this application
	// and this browser, that has expired, or that was used before. The error's text says
	// which, for logs.
	ErrInvalid = errors.New("portal: invalid assertion")
	// ErrUnavailable is returned when the portal's keys or the store could not be read. No user
	// was signed in.
	ErrUnavailable = errors.New("portal: temporarily unavailable")
)

// Assertion is what the portal states about a user.
type Assertion struct {
	// Subject is the user's ID at the portal, or this application's pairwise ID for the user.
	Subject string
	// AuthTime is the time of the user's verification, AMR its methods (RFC 8176), and Level
	// the assurance level that it reached, 1 or 2.
	AuthTime time.Time
	AMR      []string
	Level    int
	// PhishingResistant says that no other site could have obtained the verification. An
	// assertion says it to an application that asked for it (Need.PhishingResistant).
	PhishingResistant bool
}

// Need is what an application asks for. The zero value takes any verification.
type Need struct {
	// MaxAge is how long ago the verification may be; 0 is any time, and the least is a second.
	MaxAge time.Duration
	// Level is the least assurance level, 0 to 2.
	Level int
	// PhishingResistant asks for a verification that no other site could have obtained.
	PhishingResistant bool
}

// StepUpError is returned for a valid assertion that says less than the application asked for.
// Start again with Need; the portal then asks the user.
type StepUpError struct{ Need Need }

func (e *StepUpError) Error() string {
	return fmt.Sprintf("portal: a verification of at most %s ago, of the class %q, is needed",
		e.Need.MaxAge, e.Need.acr())
}

// missing says what of need an assertion does not meet.
func (n Need) missing(a *Assertion, now time.Time) bool {
	return a.Level < n.Level || n.PhishingResistant && !a.PhishingResistant ||
		n.MaxAge > 0 && now.Sub(a.AuthTime) > n.MaxAge+skew
}

func (n Need) check() error {
	if n.Level < 0 || n.Level > 2 || n.MaxAge < 0 || n.MaxAge > 0 && n.MaxAge < time.Second {
		return errors.New("portal: Need.Level is 0 to 2, and Need.MaxAge 0 or at least a second")
	}
	return nil
}

// claims are those of the JWT.
type claims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	Expires  int64    `json:"exp"`
	NotYet   int64    `json:"nbf"`
	Issued   int64    `json:"iat"`
	ID       string   `json:"jti"`
	Nonce    Nonce    `json:"nonce"`
	AuthTime int64    `json:"auth_time"`
	AMR      []string `json:"amr"`
	ACR      string   `json:"acr"`
}

// audience is one audience. RFC 7519 allows an array; an assertion for several is for none.
type audience string

// UnmarshalJSON takes a string and nothing else.
func (a *audience) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, (*string)(a)) }

// acrPhishingResistant is a value of OpenID Connect EAP ACR Values 1.0 section 2.
const acrPhishingResistant = "phr"

// acr returns the authentication context class of an assertion.
func (a *Assertion) acr() string {
	return Need{Level: a.Level, PhishingResistant: a.PhishingResistant}.acr()
}

// acr returns the authentication context class that an application asks for, or "".
func (n Need) acr() string {
	switch {
	case n.PhishingResistant:
		return acrPhishingResistant
	case n.Level > 0:
		return fmt.Sprintf("aal%d", n.Level)
	}
	return ""
}

// needOfACR returns the level that a class stands for. What is phishing-resistant has level 2.
func needOfACR(acr string) (n Need, ok bool) {
	switch acr {
	case "aal1":
		return Need{Level: 1}, true
	case "aal2":
		return Need{Level: 2}, true
	case acrPhishingResistant:
		return Need{Level: 2, PhishingResistant: true}, true
	}
	return Need{}, false
}

var algorithms = []jose.SignatureAlgorithm{jose.EdDSA}
