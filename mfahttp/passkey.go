package mfahttp

import (
	"encoding/json"
	"html/template"
	"strings"

	"github.com/secondgate/secondgate/mfa"
)

// This file reads what a passkey says about itself, for the pages.

// passkeyData is what package passkey describes a passkey by.
type passkeyData struct {
	RPID         string `json:"rpId"`
	CredentialID string `json:"credentialId"`
	BackedUp     bool   `json:"backedUp"`
	Provider     struct {
		Name      string `json:"name"`
		IconLight string `json:"icon_light"`
		IconDark  string `json:"icon_dark"`
	} `json:"provider"`
}

// passkeyOf reads the data of a factor that is a passkey.
func passkeyOf(f mfa.FactorInfo) (p passkeyData, ok bool) {
	ok = f.Kind == kindPasskey && json.Unmarshal(f.Data, &p) == nil
	return p, ok
}

// kept returns where a passkey is, as ui.Factor has it.
func (p passkeyData) kept() string {
	if p.BackedUp {
		return "synced"
	}
	return "device"
}

// icon returns the address of an icon that a page may show: an image that is a part of the page. A
// browser runs no script of an SVG in an image.
func icon(uri string) template.URL {
	if !strings.HasPrefix(uri, "data:image/svg+xml;base64,") {
		return ""
	}
	return template.URL(uri) //nolint:gosec // the prefix is checked
}

// unknownSignal returns the argument of signalUnknownCredential for a passkey that was removed.
func unknownSignal(f mfa.FactorInfo) string {
	p, ok := passkeyOf(f)
	if !ok {
		return ""
	}
	b, err := json.Marshal(struct {
		RPID         string `json:"rpId"`
		CredentialID string `json:"credentialId"`
	}{p.RPID, p.CredentialID})
	if err != nil {
		return ""
	}
	return string(b)
}
