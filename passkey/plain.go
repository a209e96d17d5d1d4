package passkey

import (
	"encoding/base64"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
)

// This file reads assertions as browsers write them, without encoding/json. The Manager has each
// response read three times. A response that is written in another way is not ok here, whether it
// is correct or not, and readAny alone reads it. Where both read a response they read the same
// (FuzzParse).

// readPlain reads an assertion in the plain form: an object of JSON without white space. Its
// members are some of those of AuthenticationResponseJSON (WebAuthn Level 3 section 5.1), each at
// most once and by its exact name. Texts have no escapes, binary members are in base64url without
// padding, and no extension has an output.
func readPlain(response string) (_ *protocol.ParsedCredentialAssertionData, ok bool) {
	var got protocol.CredentialAssertionResponse
	inner := &got.AssertionResponse
	if !isPlain(response, []member{
		{name: "id", text: &got.ID},
		{name: "rawId", binary: &got.RawID},
		{name: "type", text: &got.Type},
		{name: "authenticatorAttachment", text: &got.AuthenticatorAttachment},
		{name: "clientExtensionResults", literal: "{}"},
		{name: "response", object: []member{
			{name: "clientDataJSON", binary: &inner.ClientDataJSON},
			{name: "authenticatorData", binary: &inner.AuthenticatorData},
			{name: "signature", binary: &inner.Signature},
			{name: "userHandle", binary: &inner.UserHandle},
		}},
	}) || inner.Signature == nil {
		return nil, false
	}
	parsed, err := got.Parse()
	if err != nil || exactNames(inner.ClientDataJSON) != nil {
		return nil, false
	}
	return parsed, true
}

// plainClientData reports whether client data is in the plain form and has no members but those
// of WebAuthn Level 3 section 5.8.1, by their exact names.
func plainClientData(clientData []byte) bool {
	return isPlain(string(clientData), []member{{name: "type"}, {name: "challenge"},
		{name: "origin"}, {name: "crossOrigin", literal: "false"}})
}

// member is a member that an object may have. Its value is an object of other members, a literal,
// or a text, which may be in base64url.
type member struct {
	name    string
	object  []member
	literal string
	text    *string
	binary  *protocol.URLEncodedBase64
}

func isPlain(s string, object []member) bool {
	p := plain(s)
	return p.object(object) && p == ""
}

// plain is the rest of a text that is in the plain form so far.
type plain string

func (p *plain) skip(s string) bool {
	rest, ok := strings.CutPrefix(string(*p), s)
	*p = plain(rest)
	return ok
}

// object reads an object that has at least one member.
func (p *plain) object(members []member) bool {
	if !p.skip("{") {
		return false
	}
	for read := 0; ; {
		name, ok := p.text()
		i := index(members, name)
		if !ok || i < 0 || read&(1<<i) != 0 || !p.skip(":") || !p.value(&members[i]) {
			return false
		}
		read |= 1 << i
		if !p.skip(",") {
			return p.skip("}")
		}
	}
}

func index(members []member, name string) int {
	for i := range members {
		if members[i].name == name {
			return i
		}
	}
	return -1
}

func (p *plain) value(m *member) bool {
	switch {
	case m.object != nil:
		return p.object(m.object)
	case m.literal != "":
		return p.skip(m.literal)
	}
	text, ok := p.text()
	if m.text != nil {
		*m.text = text
	}
	if ok && m.binary != nil {
		var err error
		*m.binary, err = base64.RawURLEncoding.DecodeString(text)
		ok = err == nil
	}
	return ok
}

// text reads a text of printable ASCII without escapes.
func (p *plain) text() (text string, ok bool) {
	if !p.skip(`"`) {
		return "", false
	}
	for i := range len(*p) {
		switch c := (*p)[i]; {
		case c == '"':
			text, *p = string((*p)[:i]), (*p)[i+1:]
			return text, true
		case c < ' ' || c > '~' || c == '\\':
			return "", false
		}
	}
	return "", false
}
