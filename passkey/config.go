package passkey

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/secondgate/secondgate/internal/strictb64"
)

// UserVerification says whether a device must make sure who holds it, by a PIN, a finger or a
// face. The zero value is Required.
type UserVerification uint8

const (
	// Required refuses what was signed without. A security key that has no PIN yet asks for
	// one to be set; one that can have none cannot be used.
	Required UserVerification = iota
	// Preferred asks for it and takes what comes. Beside a password that is still two factors
	// (NIST SP 800-63B-4 section 3.1.6).
	Preferred
	// Discouraged asks devices to leave it out where they can.
	Discouraged
)

func (u UserVerification) String() string {
	switch u {
	case Required:
		return "required"
	case Preferred:
		return "preferred"
	case Discouraged:
		return "discouraged"
	default:
		return "unknown"
	}
}

// Clone says what happens to a correct response whose signature counter did not rise.
type Clone uint8

const (
	// Refuse counts the response as a replayed one. A user whose authenticator was copied signs
	// in with another factor and removes it.
	Refuse Clone = iota
	// Accept takes the response. The highest counter so far is kept.
	Accept
)

const (
	// WebAuthn Level 3 section 15.1 recommends 300 to 600 seconds, and 300 as the default, so
	// that users who need longer get it.
	minTimeout = 5 * time.Minute
	maxTimeout = 10 * time.Minute
	maxName    = 64
	maxOrigins = 32
	maxDomain  = 253
)

// Config configures a Factor. RPID, RPName and Origins are required.
type Config struct {
	// RPID is the domain that the keys are for, in lower case, such as "example.com": that of
	// the site, or one above it that all its subdomains share. It can never be changed: keys
	// that were made for another domain do not sign.
	RPID string
	// RPName is the name of the service, which some browsers show; 1 to 64 bytes.
	RPName string
	// Origins are the addresses of the pages that ask, scheme and host, and the port if it is not
	// the usual one, such as "https://www.example.com". Each must be named. Do not name a
	// subdomain that serves other parties' content. Plain http is for localhost alone.
	//
	// An Android app is "android:apk-key-hash:" and the SHA-256 fingerprint of the certificate that
	// signs it, in base64url without padding; RPID's assetlinks.json must name the app too. An app
	// on Apple's systems has the origin "https://" and RPID, through its associated domain.
	Origins []string
	// RelatedOrigins are addresses on other domains whose pages use the same passkeys, such as
	// "https://example.de", in the form of Origins and on https. Browsers permit it if
	// https://RPID/.well-known/webauthn serves them, see [Factor.RelatedOrigins]. Each of these
	// sites can ask for every passkey of RPID, so name only your own. Defaults to none.
	RelatedOrigins []string
	// UserVerification defaults to Required.
	UserVerification UserVerification
	// OnClone defaults to Refuse.
	OnClone Clone
	// Hints say which kind of device the browser offers first, the best first: "client-device",
	// "hybrid" for a phone, or "security-key". They restrict nothing. Defaults to none, so that
	// the browser decides.
	Hints []string
	// Provider returns the provider that an AAGUID stands for, or the zero Provider. It is called
	// when a passkey is enrolled and whenever passkeys are listed, so it must be fast and safe for
	// concurrent use. An application that refreshes a list returns the present one. Defaults to
	// the list of BundledProviders.
	Provider func(aaguid string) Provider
	// Metadata returns what is known about models of authenticators. It is called whenever a
	// passkey is enrolled, used or listed, so it must be fast and safe for concurrent use. An
	// application that refreshes the list returns the present one. It must never return nil:
	// return the list before while the next cannot be read. Defaults to none, so that no
	// attestation proves anything.
	Metadata func() *Metadata
	// Timeout is how long a user has to respond. Defaults to 5 minutes. Must be at most 10.
	Timeout time.Duration
}

func (c Config) withDefaults() (Config, error) {
	if c.Timeout == 0 {
		c.Timeout = minTimeout
	}
	c.Origins, c.Hints = slices.Clone(c.Origins), slices.Clone(c.Hints)
	c.RelatedOrigins = slices.Clone(c.RelatedOrigins)
	switch {
	case !validDomain(c.RPID):
		return c, errors.New("passkey: RPID must be a domain in lower case, such as " +
			"example.com, without scheme and port")
	case c.RPName == "" || len(c.RPName) > maxName || !utf8.ValidString(c.RPName) ||
		strings.ContainsFunc(c.RPName, unicode.IsControl):
		return c, fmt.Errorf("passkey: RPName must be 1 to %d bytes of text, such as the name "+
			"of the service", maxName)
	case len(c.Origins) == 0 || len(c.Origins)+len(c.RelatedOrigins) > maxOrigins:
		return c, fmt.Errorf("passkey: Origins must name the addresses of the pages that ask "+
			"for passkeys, 1 to %d with RelatedOrigins, such as https://example.com", maxOrigins)
	case c.UserVerification > Discouraged:
		return c, errors.New("passkey: UserVerification must be Required, Preferred or Discouraged")
	case c.OnClone > Accept:
		return c, errors.New("passkey: OnClone must be Refuse or Accept")
	case c.Timeout < minTimeout || c.Timeout > maxTimeout:
		return c, fmt.Errorf("passkey: Timeout is %s, want %s to %s", c.Timeout, minTimeout,
			maxTimeout)
	}
	for i, o := range c.Origins {
		if err := checkOrigin(o, c.RPID); err != nil {
			return c, fmt.Errorf("passkey: Origins[%d]: %w", i, err)
		}
	}
	return c, errors.Join(checkRelated(c.RelatedOrigins, c.RPID), checkHints(c.Hints),
		c.checkMetadata())
}

func (c Config) checkMetadata() error {
	if c.Metadata != nil && c.Metadata() == nil {
		return errors.New("passkey: Metadata returns none; read a list before New is called")
	}
	return nil
}

// The values of PublicKeyCredentialHint (WebAuthn Level 3 section 5.8.7).
const hintKey, hintDevice, hintHybrid = "security-key", "client-device", "hybrid"

func checkHints(list []string) error {
	for i, h := range list {
		if !slices.Contains([]string{hintKey, hintDevice, hintHybrid}, h) ||
			slices.Contains(list[:i], h) {
			return errors.New("passkey: Hints must be client-device, hybrid or security-key, " +
				"each once at most")
		}
	}
	return nil
}

// validDomain says whether s can be an RP ID: a domain as browsers write it, no address.
func validDomain(s string) bool {
	if len(s) > maxDomain || net.ParseIP(s) != nil {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return true
}

// androidOrigin begins the origin of an Android app.
const androidOrigin = "android:apk-key-hash:"

// checkOrigin wants an origin spelled as browsers and phones spell it, since it is compared to the
// letter.
func checkOrigin(origin, rpID string) error {
	if hash, ok := strings.CutPrefix(origin, androidOrigin); ok {
		if sum, _ := strictb64.DecodeURL(hash); len(sum) != sha256.Size {
			return errors.New("after " + androidOrigin + " goes the SHA-256 fingerprint of the " +
				"app's certificate in base64url without padding, 43 characters")
		}
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme+"://"+u.Host != origin {
		return errors.New("it must be scheme and host, and a port if need be, without anything " +
			"after it, such as https://example.com")
	}
	host, local := u.Hostname(), strings.HasSuffix("."+u.Hostname(), ".localhost")
	switch {
	case !validDomain(host):
		return errors.New("its host must be a domain in lower case")
	case host != rpID && !strings.HasSuffix(host, "."+rpID):
		return fmt.Errorf("its host must be RPID, %s, or a subdomain of it: browsers refuse any "+
			"other", rpID)
	case u.Scheme != "https" && (u.Scheme != "http" || !local):
		return errors.New("it must be https: browsers refuse passkeys elsewhere, except on " +
			"localhost")
	case u.Scheme == "https" && u.Port() == "443", u.Scheme == "http" && u.Port() == "80",
		strings.HasSuffix(u.Host, ":"):
		return errors.New("the usual port is left out of an origin")
	}
	return nil
}
