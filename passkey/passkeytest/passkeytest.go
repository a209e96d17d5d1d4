// Package passkeytest has a virtual passkey for the tests of an application: an authenticator and
// the browser it is plugged into, without either. It signs as a device does, with a key that is
// made for each enrolment, so that nothing in the application has to be switched off.
//
//	client := mfatest.NewClient(t, app) // https://example.com
//	client.PassSecondFactor(t, passkeytest.New("https://example.com"))
//
// Nothing here belongs in a program that users sign in to.
package passkeytest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/fxamacker/cbor/v2"

	"github.com/secondgate/secondgate/mfa/factor"
)

// es256 is the algorithm of the keys (COSE registry): ECDSA with P-256 and SHA-256.
const es256 = -7

// Flags of authenticator data (WebAuthn Level 3 section 6.1).
const (
	userPresent        = 1
	userVerified       = 4
	attestedCredential = 64
)

// Authenticator is a virtual authenticator in a browser that shows one site. It keeps a passkey
// for each enrolment, verifies its user each time, and counts its signatures. Make one with [New];
// it is safe for concurrent use, and is an mfatest.Device.
type Authenticator struct {
	origin string

	mu       sync.Mutex
	passkeys []*passkey
}

// passkey is one credential.
type passkey struct {
	rpID       string
	id, handle []byte
	key        *ecdsa.PrivateKey
	counter    uint32
}

// New returns an Authenticator without passkeys, in a browser that shows a page of origin, such as
// "https://example.com".
func New(origin string) *Authenticator { return &Authenticator{origin: origin} }

// Passkey is a credential that exists already, such as one of another system.
type Passkey struct {
	// RPID is the domain that it is for.
	RPID string
	// ID is its identifier, and Handle the user handle that it was registered with.
	ID, Handle []byte
	// Key is its private key, on P-256.
	Key *ecdsa.PrivateKey
	// Counter is its last signature counter.
	Counter uint32
}

// Add puts a passkey into the Authenticator, so that a test of an import signs in with it.
func (a *Authenticator) Add(p Passkey) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.passkeys = append(a.passkeys, &passkey{rpID: p.RPID, id: bytes.Clone(p.ID),
		handle: bytes.Clone(p.Handle), key: p.Key, counter: p.Counter})
}

// Kind returns "passkey".
func (*Authenticator) Kind() string { return "passkey" }

// Respond creates a passkey or signs with one, as the options in p.Data ask.
func (a *Authenticator) Respond(p factor.Prompt) (string, error) {
	var o struct {
		PublicKey struct{ User json.RawMessage }
	}
	if err := json.Unmarshal(p.Data, &o); err != nil {
		return "", errOptions
	}
	if o.PublicKey.User != nil {
		return a.Create(p.Data)
	}
	return a.Get(p.Data)
}

var errOptions = errors.New("passkeytest: the options are not those of navigator.credentials")

// b64 is base64url without padding, as in WebAuthn's JSON.
type b64 []byte

func (b b64) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, b), nil
}

func (b *b64) UnmarshalText(text []byte) (err error) {
	*b, err = base64.RawURLEncoding.AppendDecode(nil, text)
	return err
}

type credential struct {
	ID b64 `json:"id"`
}

// Create responds to the JSON {"publicKey": …} of creation options as
// navigator.credentials.create does. It returns an error if the site may not use the RP ID, if it
// does not take ES256, or if the Authenticator has one of the excluded passkeys.
func (a *Authenticator) Create(options []byte) (string, error) {
	var o struct {
		PublicKey struct {
			RP                 struct{ ID string }
			User               struct{ ID b64 }
			Challenge          b64
			PubKeyCredParams   []struct{ Alg int }
			ExcludeCredentials []credential
		}
	}
	if json.Unmarshal(options, &o) != nil || len(o.PublicKey.Challenge) == 0 {
		return "", errOptions
	}
	k := o.PublicKey
	if err := a.mayUse(k.RP.ID); err != nil {
		return "", err
	}
	if !slices.ContainsFunc(k.PubKeyCredParams, func(p struct{ Alg int }) bool {
		return p.Alg == es256
	}) {
		return "", errors.New("passkeytest: the site does not take ES256")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.find(k.RP.ID, k.ExcludeCredentials) != nil {
		return "", errors.New("passkeytest: the authenticator has a passkey of this user already")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	made := &passkey{rpID: k.RP.ID, id: random(), handle: k.User.ID, key: key}
	public, err := made.cose()
	if err != nil {
		return "", err
	}
	data := made.data(attestedCredential)
	data = append(data, make([]byte, 16)...) // the AAGUID of no model
	data = binary.BigEndian.AppendUint16(data, uint16(len(made.id)))
	data = append(append(data, made.id...), public...)
	object, err := cbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{},
		"authData": data})
	if err != nil {
		return "", err
	}
	a.passkeys = append(a.passkeys, made)
	return made.response(map[string]any{"clientDataJSON": a.client("webauthn.create", k.Challenge),
		"attestationObject": b64(object), "transports": []string{"internal"}})
}

// Get responds to the JSON {"publicKey": …} of request options as navigator.credentials.get does.
// It returns an error if the site may not use the RP ID, or if the Authenticator has none of the
// allowed passkeys. Options that allow every passkey get the latest one.
func (a *Authenticator) Get(options []byte) (string, error) {
	var o struct {
		PublicKey struct {
			RPID             string
			Challenge        b64
			AllowCredentials []credential
		}
	}
	if json.Unmarshal(options, &o) != nil || len(o.PublicKey.Challenge) == 0 {
		return "", errOptions
	}
	k := o.PublicKey
	if err := a.mayUse(k.RPID); err != nil {
		return "", err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	used := a.find(k.RPID, k.AllowCredentials)
	if len(k.AllowCredentials) == 0 {
		for _, p := range a.passkeys {
			if p.rpID == k.RPID {
				used = p
			}
		}
	}
	if used == nil {
		return "", errors.New("passkeytest: the authenticator has none of the allowed passkeys")
	}
	used.counter++
	client, data := a.client("webauthn.get", k.Challenge), used.data(0)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(slices.Clone(data), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, used.key, digest[:])
	if err != nil {
		return "", err
	}
	return used.response(map[string]any{"clientDataJSON": client, "authenticatorData": b64(data),
		"signature": b64(signature), "userHandle": b64(used.handle)})
}

// mayUse reports whether the origin may use an RP ID: its own host, or a domain above it.
func (a *Authenticator) mayUse(rpID string) error {
	u, err := url.Parse(a.origin)
	if err != nil || rpID == "" || u.Hostname() != rpID &&
		!strings.HasSuffix(u.Hostname(), "."+rpID) {
		return errors.New("passkeytest: a page of " + a.origin + " may not use passkeys of \"" +
			rpID + "\"")
	}
	return nil
}

// find returns the first passkey for an RP ID that is in a list.
func (a *Authenticator) find(rpID string, list []credential) *passkey {
	for _, p := range a.passkeys {
		if p.rpID == rpID && slices.ContainsFunc(list, func(c credential) bool {
			return bytes.Equal(c.ID, p.id)
		}) {
			return p
		}
	}
	return nil
}

// client returns the client data of a ceremony (WebAuthn Level 3 section 5.8.1).
func (a *Authenticator) client(ceremony string, challenge b64) b64 {
	b, _ := json.Marshal(map[string]any{"type": ceremony, "challenge": challenge,
		"origin": a.origin, "crossOrigin": false})
	return b
}

// data returns authenticator data up to the counter.
func (p *passkey) data(flags byte) []byte {
	hash := sha256.Sum256([]byte(p.rpID))
	return binary.BigEndian.AppendUint32(append(hash[:], flags|userPresent|userVerified),
		p.counter)
}

// cose returns the public key as COSE has it (RFC 9053 section 7.1.1).
func (p *passkey) cose() ([]byte, error) {
	public, err := p.key.PublicKey.ECDH()
	if err != nil {
		return nil, err
	}
	mode, err := cbor.CTAP2EncOptions().EncMode()
	if err != nil {
		return nil, err
	}
	point := public.Bytes() // 4, x and y
	return mode.Marshal(map[int]any{1: 2, 3: es256, -1: 1, -2: point[1:33], -3: point[33:]})
}

// response returns what PublicKeyCredential.toJSON makes.
func (p *passkey) response(members map[string]any) (string, error) {
	b, err := json.Marshal(map[string]any{"id": b64(p.id), "rawId": b64(p.id),
		"type": "public-key", "response": members, "clientExtensionResults": map[string]any{}})
	return string(b), err
}

func random() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return b
}
