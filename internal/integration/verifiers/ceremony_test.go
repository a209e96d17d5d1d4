package verifiers_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/secret"
)

const (
	rpID   = "example.com"
	origin = "https://www.example.com"
	// counted is the signature counter of every stored passkey.
	counted = 7
)

var (
	now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ann = factor.User{ID: "42", Account: "ann@example.com"}
)

// key is an authenticator's key.
type key struct {
	name   string
	signer crypto.Signer
	// cose has the members of the public key (RFC 9052 section 7).
	cose map[int]any
	id   []byte
	// state is what the factor has stored, by UserVerification.
	state map[passkey.UserVerification][]byte
}

// newKeys makes a key of each algorithm that the factor offers, and one that it does not.
func newKeys(t *testing.T) []*key {
	t.Helper()
	_, ed, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	foreign, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	keys := []*key{
		{name: "EdDSA", signer: ed, cose: map[int]any{1: 1, 3: -8, -1: 6,
			-2: []byte(ed.Public().(ed25519.PublicKey))}},
		{name: "ES256", signer: ec, cose: onCurve(t, ec, -7, 1)},
		{name: "RS256", signer: rs, cose: map[int]any{1: 3, 3: -257, -1: rs.N.Bytes(),
			-2: []byte{1, 0, 1}}},
		{name: "ES384", signer: foreign, cose: onCurve(t, foreign, -35, 2)},
	}
	for i, k := range keys {
		k.id = []byte(fmt.Sprintf("credential %d of the tests", i)) // base64 pads it
		k.state = map[passkey.UserVerification][]byte{}
	}
	return keys
}

func onCurve(t *testing.T, k *ecdsa.PrivateKey, alg, curve int) map[int]any {
	t.Helper()
	point, err := k.PublicKey.Bytes()
	require.NoError(t, err)
	half := (len(point) - 1) / 2
	return map[int]any{1: 2, 3: alg, -1: curve, -2: point[1 : 1+half], -3: point[1+half:]}
}

func (k *key) sign(t *testing.T, message []byte) []byte {
	t.Helper()
	hash, opts := sha256.Sum256(message), crypto.SignerOpts(crypto.SHA256)
	signed := hash[:]
	if k.name == "EdDSA" {
		signed, opts = message, crypto.Hash(0)
	}
	sig, err := k.signer.Sign(rand.Reader, signed, opts)
	require.NoError(t, err)
	return sig
}

// ceremony is a response in the making. Each part is valid until a mutation changes it.
type ceremony struct {
	*testing.T
	key    *key
	create bool
	verify passkey.UserVerification
	// names are the mutations that it has.
	names []string

	client    map[string]any
	asText    func([]byte) []byte // of the client data
	rpID      string
	flags     byte
	counter   uint32
	aaguid    []byte
	id        []byte // in the authenticator data
	cose      []byte
	tail      []byte // behind the authenticator data
	auth      func([]byte) []byte
	signature func([]byte) []byte
	object    map[string]any // the attestation object, without the authenticator data
	wrap      func([]byte) []byte
	response  map[string]any // members in place of those that the parts give
	outer     map[string]any
}

func same(b []byte) []byte { return b }

func newCeremony(t *testing.T, k *key, create bool, verify passkey.UserVerification) *ceremony {
	t.Helper()
	c := &ceremony{T: t, key: k, create: create, verify: verify, rpID: rpID, flags: 1 | 4,
		counter: counted + 1, aaguid: make([]byte, 16), id: k.id, cose: pack(t, k.cose),
		asText: same, auth: same, signature: same, wrap: same,
		object:   map[string]any{"fmt": "none", "attStmt": map[string]any{}},
		response: map[string]any{}, outer: map[string]any{}}
	c.client = map[string]any{"type": "webauthn.get", "origin": origin, "crossOrigin": false}
	if create {
		c.client["type"], c.flags = "webauthn.create", c.flags|64
	}
	return c
}

func pack(t *testing.T, v any) []byte {
	t.Helper()
	b, err := cbor.Marshal(v)
	require.NoError(t, err)
	return b
}

func text(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// data is the authenticator data (WebAuthn Level 3 section 6.1).
func (c *ceremony) data() []byte {
	hash := sha256.Sum256([]byte(c.rpID))
	b := binary.BigEndian.AppendUint32(append(hash[:], c.flags), c.counter)
	if c.create {
		b = binary.BigEndian.AppendUint16(append(b, c.aaguid...), uint16(len(c.id)))
		b = append(append(b, c.id...), c.cose...)
	}
	return c.auth(append(b, c.tail...))
}

// made is what the browser posts.
func (c *ceremony) made(challenge string) json.RawMessage {
	c.Helper()
	if _, ok := c.client["challenge"]; !ok {
		c.client["challenge"] = challenge
	}
	client, err := json.Marshal(c.client)
	require.NoError(c, err)
	client = c.asText(client)
	members := map[string]any{"clientDataJSON": text(client)}
	if data := c.data(); c.create {
		c.object["authData"] = data
		members["attestationObject"] = text(c.wrap(pack(c.T, c.object)))
	} else {
		hash := sha256.Sum256(client)
		signed := append(append([]byte{}, data...), hash[:]...)
		members["authenticatorData"] = text(data)
		members["signature"] = text(c.signature(c.key.sign(c.T, signed)))
	}
	for name, v := range c.response {
		members[name] = v
	}
	whole := map[string]any{"id": text(c.key.id), "rawId": text(c.key.id), "type": "public-key",
		"response": members, "clientExtensionResults": map[string]any{}}
	for name, v := range c.outer {
		whole[name] = v
	}
	b, err := json.Marshal(whole)
	require.NoError(c, err)
	return b
}

// ours verifies with package passkey, and returns what it sent to the browser as well.
func (c *ceremony) ours(f *passkey.Factor) (challenge string, posted json.RawMessage, err error) {
	c.Helper()
	state := c.key.state[c.verify]
	if c.create {
		out, err := f.Enroll(context.Background(), factor.EnrollInput{User: ann, Now: now})
		require.NoError(c, err)
		state = out.State
	}
	is, err := f.Issue(context.Background(), factor.IssueInput{User: ann, State: state,
		Confirming: c.create, Instances: []factor.EnrollOutput{{State: state}}, Now: now})
	require.NoError(c, err)
	var options struct{ PublicKey struct{ Challenge string } }
	require.NoError(c, json.Unmarshal(is.Prompt.Data, &options))
	challenge = options.PublicKey.Challenge
	posted = c.made(challenge)
	normal, err := f.Normalize(string(posted))
	if err != nil {
		return challenge, posted, err
	}
	v, err := f.Verify(context.Background(), factor.VerifyInput{User: ann, State: state,
		Issued: is.Keep, IssuedAt: now, Opened: now, Expires: is.Expires, Confirming: c.create,
		Now: now, Response: secret.New(normal)})
	if err == nil && c.create && c.key.state[c.verify] == nil {
		c.key.state[c.verify] = v.State
	}
	return challenge, posted, err
}
