package mfahttp

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net/http"
	"strings"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// This file reads what passkeys say about themselves, for the pages, and has browsers keep a
// user's passkeys as the server has them.

// passkeyData is what package passkey describes a passkey by.
type passkeyData struct {
	RPID         string   `json:"rpId"`
	CredentialID string   `json:"credentialId"`
	UserID       string   `json:"userId"`
	BackedUp     bool     `json:"backedUp"`
	Transports   []string `json:"transports"`
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

// goneData returns what a page keeps of a passkey that was removed, until it has signalled that.
func goneData(f mfa.FactorInfo) string {
	p, ok := passkeyOf(f)
	if !ok {
		return ""
	}
	return marshal(struct {
		RPID         string `json:"rpId"`
		CredentialID string `json:"credentialId"`
		UserID       string `json:"userId"`
	}{p.RPID, p.CredentialID, p.UserID})
}

// passkeySet is a user's passkeys as the server has them, for the signals of WebAuthn Level 3
// section 5.1.10: signalAllAcceptedCredentials and signalCurrentUserDetails.
type passkeySet struct {
	RPID          string   `json:"rpId"`
	UserID        string   `json:"userId"`
	CredentialIDs []string `json:"credentialIds"`
	Name          string   `json:"name"`
	DisplayName   string   `json:"displayName"`
}

// passkeySetOf returns all passkeys in an overview, also those that cannot sign in now: a browser
// hides what the list leaves out. gone, if it is a passkey, was removed just now, perhaps as the
// last one. Without any passkey it returns nil.
func (v *visit) passkeySetOf(o *mfa.Overview, gone ...mfa.FactorInfo) *passkeySet {
	u := v.id.User
	name := first(u.Account, u.Email, u.ID)
	set := &passkeySet{CredentialIDs: []string{}, Name: name, DisplayName: name}
	for _, f := range gone {
		if p, ok := passkeyOf(f); ok {
			set.RPID, set.UserID = p.RPID, p.UserID
		}
	}
	for _, f := range o.Factors {
		if p, ok := passkeyOf(f); ok {
			set.RPID, set.UserID = p.RPID, p.UserID
			set.CredentialIDs = append(set.CredentialIDs, p.CredentialID)
		}
	}
	if set.UserID == "" {
		return nil
	}
	return set
}

// passkeySet reads the user's passkeys after an operation that has taken effect, so that a failure
// is no error of it: the next operation signals them.
func (v *visit) passkeySet(gone ...mfa.FactorInfo) *passkeySet {
	o, err := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	if err != nil {
		v.h.log(v.r, problemOf(err), err)
		return nil
	}
	return v.passkeySetOf(o, gone...)
}

// passkeySetAfter returns the user's passkeys as recorded with a response of one.
func (v *visit) passkeySetAfter(ver *mfa.Verification) *passkeySet {
	return v.passkeySetOf(&mfa.Overview{Factors: ver.Factors})
}

// describePasskeys writes the user's passkeys into a response.
func describePasskeys(body map[string]any, set *passkeySet) {
	if set != nil {
		body["passkeys"] = set
	}
}

// text returns a set as a page has it, or "".
func (s *passkeySet) text() string {
	if s == nil {
		return ""
	}
	return marshal(s)
}

// marshal encodes plain data, which cannot fail.
func marshal(data any) string {
	b, err := json.Marshal(data)
	if err != nil {
		return ""
	}
	return string(b)
}

// PasskeySignals returns an element for a page of the application, after the user's account name
// has changed. Its script tells the browser the present name, and which passkeys the server
// accepts, so that the user's passkeys show the name. It is empty for a user without passkeys and
// for a visitor. Put it on a page framed by [Handler.Render], whose Content-Security-Policy it is
// made for.
func (h *Handler) PasskeySignals(r *http.Request) template.HTML {
	v := h.visit(nil, r, nil)
	v.recognise()
	if !v.signedIn {
		return ""
	}
	set := v.passkeySet()
	if set == nil {
		return ""
	}
	var b bytes.Buffer
	err := v.render(&b, ui.PasskeySignals{Frame: v.frame(nil), Passkeys: set.text()})
	if err != nil {
		h.log(r, problemOf(err), err)
		return "" // the page works without it
	}
	return template.HTML(b.String()) //nolint:gosec // rendered by html/template
}
