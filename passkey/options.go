package passkey

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"

	"github.com/secondgate/secondgate/internal/plainname"
	"github.com/secondgate/secondgate/mfa/factor"
)

// The algorithms offered, in order of preference (COSE registry): what authenticators have.
// RS256 is for Windows Hello on older machines.
const (
	algEdDSA = -8
	algES256 = -7
	algRS256 = -257
)

// issued is what is kept of a challenge. It is no secret, because the browser receives all of it.
type issued struct {
	Challenge []byte `cbor:"0,keyasint"`
	// Create: it is for an enrolment.
	Create bool `cbor:"1,keyasint,omitempty"`
	// The authenticator must verify the user.
	Verify bool `cbor:"2,keyasint,omitempty"`
	// Allowed are the credentials that were asked for.
	Allowed [][]byte `cbor:"3,keyasint,omitempty"`
	// No credential in particular was asked for, and no user.
	Anyone bool `cbor:"4,keyasint,omitempty"`
	// Conditional says that the browser creates without a prompt, so no user needs to be present.
	Conditional bool `cbor:"5,keyasint,omitempty"`
}

const challengeLen = 32

func decodeIssued(b []byte) (issued, error) {
	var i issued
	if decMode.Unmarshal(b, &i) != nil || len(i.Challenge) != challengeLen {
		return issued{}, errIssued
	}
	return i, nil
}

// Issue makes a challenge. Prompt.Data is the JSON of the argument for
// navigator.credentials.create or get: {"publicKey": …}. A device that responds in place of a
// password must verify the user.
func (f *Factor) Issue(_ context.Context, in factor.IssueInput) (*factor.Issue, error) {
	i := issued{Challenge: random32(), Create: in.Confirming, Verify: in.Discoverable ||
		f.cfg.UserVerification == Required, Anyone: in.Discoverable}
	argument := argument{}
	switch {
	case in.Discoverable:
		argument.PublicKey = f.request(nil, i, Required)
	case in.Confirming:
		s, err := decodeState(in.State)
		if err != nil {
			return nil, err
		}
		if s.Conditional {
			i.Conditional, i.Verify, argument.Mediation = true, false, "conditional"
		}
		create := f.creation(s, in.User, in.Brand.ProductOr(f.cfg.RPName), i.Challenge)
		create.Attestation = cmp.Or(in.Attestation, "none")
		argument.PublicKey = create
	default:
		var asked []known
		for _, e := range in.Instances {
			s, err := decodeCredential(e.State)
			if err != nil {
				return nil, err
			}
			asked = append(asked, s.known())
			i.Allowed = append(i.Allowed, s.ID)
		}
		if len(asked) == 0 || len(asked) > maxKept {
			return nil, errState
		}
		argument.PublicKey = f.request(asked, i, f.cfg.UserVerification)
	}
	data, err := json.Marshal(argument)
	if err != nil {
		return nil, err
	}
	return &factor.Issue{Keep: encode(i), Expires: in.Now.Add(f.cfg.Timeout),
		Prompt: factor.Prompt{Data: data}}, nil
}

// argument is what navigator.credentials.create and get take.
type argument struct {
	PublicKey any    `json:"publicKey"`
	Mediation string `json:"mediation,omitempty"`
}

// creationOptions is PublicKeyCredentialCreationOptionsJSON of WebAuthn Level 3.
type creationOptions struct {
	RP struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"rp"`
	User struct {
		ID          b64    `json:"id"`
		Name        string `json:"name"`
		DisplayName string `json:"displayName"`
	} `json:"user"`
	Challenge   b64          `json:"challenge"`
	Params      []param      `json:"pubKeyCredParams"`
	Timeout     int64        `json:"timeout"`
	Exclude     []descriptor `json:"excludeCredentials"`
	Selection   selection    `json:"authenticatorSelection"`
	Attestation string       `json:"attestation"`
	Hints       []string     `json:"hints,omitempty"`
}

// requestOptions is PublicKeyCredentialRequestOptionsJSON.
type requestOptions struct {
	Challenge        b64          `json:"challenge"`
	Timeout          int64        `json:"timeout"`
	RPID             string       `json:"rpId"`
	Allow            []descriptor `json:"allowCredentials"`
	UserVerification string       `json:"userVerification"`
	Hints            []string     `json:"hints,omitempty"`
}

type param struct {
	Type string `json:"type"`
	Alg  int    `json:"alg"`
}

type descriptor struct {
	Type       string   `json:"type"`
	ID         b64      `json:"id"`
	Transports []string `json:"transports,omitempty"`
}

type selection struct {
	Attachment       string `json:"authenticatorAttachment,omitempty"`
	ResidentKey      string `json:"residentKey"`
	UserVerification string `json:"userVerification"`
}

const publicKey = "public-key"

func (f *Factor) creation(s state, p factor.User, name string, challenge []byte) creationOptions {
	o := creationOptions{
		Challenge: challenge,
		Params:    []param{{publicKey, algEdDSA}, {publicKey, algES256}, {publicKey, algRS256}},
		Timeout:   f.cfg.Timeout.Milliseconds(),
		Exclude:   descriptors(s.Taken),
		Selection: selection{Attachment: s.Attachment, ResidentKey: "preferred",
			UserVerification: f.cfg.UserVerification.String()},
		Hints: f.hints(s.Attachment),
	}
	o.RP.ID, o.RP.Name = f.cfg.RPID, shown(name)
	account := shown(p.Account)
	o.User.ID, o.User.Name, o.User.DisplayName = s.Handle, account, account
	return o
}

// hints returns those of an attachment, which browsers put above it where the two differ (WebAuthn
// Level 3 section 5.8.7), or the configured ones.
func (f *Factor) hints(attachment string) []string {
	switch attachment {
	case platform:
		return []string{hintDevice}
	case crossPlatform:
		return []string{hintKey, hintHybrid}
	default:
		return f.cfg.Hints
	}
}

// shown cuts a name to the 64 bytes that every authenticator takes (WebAuthn Level 3 section
// 6.4.1). Some refuse more.
func shown(name string) string { return plainname.Cut(name, 64) }

func (f *Factor) request(allow []known, i issued, verify UserVerification) requestOptions {
	return requestOptions{Challenge: i.Challenge, Timeout: f.cfg.Timeout.Milliseconds(),
		RPID:  f.cfg.RPID,
		Allow: descriptors(allow), UserVerification: verify.String(), Hints: f.cfg.Hints}
}

func descriptors(list []known) []descriptor {
	out := make([]descriptor, 0, len(list)) // "[]", not "null"
	for _, k := range list {
		out = append(out, descriptor{publicKey, k.ID, k.Transports})
	}
	return out
}

// b64 is written in base64url without padding, as WebAuthn's JSON has it.
type b64 []byte

func (b b64) MarshalText() ([]byte, error) {
	return []byte(base64.RawURLEncoding.EncodeToString(b)), nil
}
