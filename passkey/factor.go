package passkey

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/secondgate/secondgate/mfa/factor"
)

// Factor is the WebAuthn factor, of kind "passkey". It never changes after New and is safe for
// concurrent use.
type Factor struct {
	cfg Config
	// sites and apps are Config.Origins and RelatedOrigins.
	sites, apps []string
}

var (
	_ factor.Identifier = (*Factor)(nil)
	_ factor.Normalizer = (*Factor)(nil)
	_ factor.Describer  = (*Factor)(nil)
)

// New returns a Factor, or an error that names the field of cfg to change.
func New(cfg Config) (*Factor, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if cfg.Provider == nil {
		list := BundledProviders()
		cfg.Provider = func(aaguid string) Provider { return list[aaguid] }
	}
	f := &Factor{cfg: cfg}
	for _, o := range cfg.Origins {
		if strings.HasPrefix(o, androidOrigin) {
			f.apps = append(f.apps, o)
		} else {
			f.sites = append(f.sites, o)
		}
	}
	f.sites = append(f.sites, cfg.RelatedOrigins...)
	return f, nil
}

// Kind returns "passkey".
func (f *Factor) Kind() string { return "passkey" }

// Traits returns those of a possession, strong enough for NIST AAL2 beside a password, and
// phishing-resistant, which is what the acr "phr" of OpenID EAP says. The amr is "pop", and that of
// a passkey is "hwk" or "swk" where it is known whether hardware or software keeps it. The settings
// state how long a challenge is valid; there is nothing to guess.
func (f *Factor) Traits() factor.Traits {
	return factor.Traits{AMR: "pop", Level: factor.LevelPhishingResistant,
		SharedChallenge: true, Importable: true,
		Settings: factor.Settings{Lifetime: f.cfg.Timeout, Attests: f.cfg.Metadata != nil}}
}

// Enroll prepares a passkey. Both parameters are optional. "attachment" is "platform" for a passkey
// on this device, or "cross-platform" for one on a phone or a security key. "conditional" is "yes"
// for a passkey that the browser makes without a prompt, right after the user signed in with a
// password that it keeps; a browser that cannot, or does not want to, makes none. The options for
// the browser come with the challenge that Issue makes. Name is "Passkey", numbered if the user has
// some already; once the passkey is there, the name of its provider takes that place, if it is
// known.
//
// In an import, "credential" is the passkey as another system stores it: the JSON of go-webauthn's
// webauthn.Credential, the JSON of the passkey that SimpleWebAuthn's documentation stores (id,
// publicKey, counter, transports, deviceType, backedUp, webauthnUserID), or a passkey record,
// "$webauthn$v=1$…". "user_handle" is the handle that it was registered with, in base64. Without a
// handle, or without a word on whether its user was verified, the passkey signs in beside a
// password only, until its first response says both. The RP ID must be that of the other system.
func (f *Factor) Enroll(_ context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	if in.Imported {
		return f.takeOver(in)
	}
	s := state{Attachment: in.Params["attachment"].Reveal(),
		Conditional: in.Params["conditional"].Reveal() == "yes"}
	if !validAttachment(s.Attachment) {
		return nil, fmt.Errorf("%w: passkey: the attachment is neither platform nor "+
			"cross-platform", factor.ErrMalformed)
	}
	for _, e := range in.Existing {
		have, err := decodeCredential(e.State)
		if err != nil {
			return nil, err
		}
		if len(have.Handle) > 0 {
			s.Handle = have.Handle
		}
		if !e.Outdated { // its device is to make another in its place
			s.Taken = append(s.Taken, have.known())
		}
	}
	if len(s.Taken) > maxKept {
		return nil, errState
	}
	if s.Handle == nil {
		s.Handle = random32()
	}
	return &factor.EnrollOutput{State: encode(s), Name: nextName(in.Existing)}, nil
}

func nextName(existing []factor.EnrollOutput) string {
	taken := make(map[string]bool, len(existing))
	for _, e := range existing {
		taken[e.Name] = true
	}
	name := "Passkey"
	for i := 2; taken[name]; i++ {
		name = fmt.Sprintf("Passkey %d", i)
	}
	return name
}

func random32() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return b
}

// Identity returns the identifier of the credential, or nil before there is one.
func (f *Factor) Identity(state []byte) []byte {
	s, _ := decodeCredential(state)
	return s.ID
}

// Identify returns the identifier of the credential that a response names.
func (f *Factor) Identify(response string) []byte {
	got, err := parse(response)
	switch {
	case err != nil:
		return nil
	case got.created != nil:
		return got.created.RawID
	default:
		return got.asserted.RawID
	}
}

// Describe returns in Public what a browser needs for navigator's
// PublicKeyCredential.signalUnknownCredential when a passkey is not valid, and what a page may
// show of it: rpId, credentialId, userId, transports, backupEligible, backedUp, and aaguid and
// provider if they are known. The provider has name, and perhaps icon_light and icon_dark.
//
// Export is the passkey as a passkey record (c2sp.org/passkey-record), with the counter and the
// flags of today. The user handle is not in it, but in Public. A passkey of which Enroll says that
// it was made without a prompt is one that has not verified its user.
//
// The other fields say what keeps the key, by the present list of [Config].Metadata.
func (f *Factor) Describe(state []byte) factor.Description {
	s, err := decodeCredential(state)
	if err != nil {
		return factor.Description{}
	}
	shown := public{RPID: f.cfg.RPID, CredentialID: base64.RawURLEncoding.EncodeToString(s.ID),
		UserID:     base64.RawURLEncoding.EncodeToString(s.Handle),
		Transports: s.Transports, Eligible: s.Eligible, BackedUp: s.BackedUp,
		AAGUID: aaguidText(s.AAGUID)}
	if p := f.provider(shown.AAGUID); p.Name != "" {
		shown.Provider = &p
	}
	data, err := json.Marshal(shown)
	if err != nil {
		return factor.Description{}
	}
	d := factor.Description{Public: data, Export: f.record(s)}
	f.describeKey(s, &d)
	return d
}

type public struct {
	RPID         string    `json:"rpId"`
	CredentialID string    `json:"credentialId"` // in base64url
	UserID       string    `json:"userId"`
	Transports   []string  `json:"transports,omitempty"`
	Eligible     bool      `json:"backupEligible"`
	BackedUp     bool      `json:"backedUp"`
	AAGUID       string    `json:"aaguid,omitempty"`
	Provider     *Provider `json:"provider,omitempty"`
}

// Deliver does nothing: the caller of Send hands the options to the browser.
func (f *Factor) Deliver(context.Context, factor.Message) error { return nil }
