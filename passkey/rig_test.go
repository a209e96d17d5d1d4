package passkey_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"maps"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/secret"
)

const (
	rpID   = "example.com"
	origin = "https://www.example.com"
)

var (
	start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ann   = factor.User{ID: "42", Account: "ann@example.com"}
)

func newFactor(t testing.TB, change ...func(*passkey.Config)) *passkey.Factor {
	t.Helper()
	cfg := passkey.Config{RPID: rpID, RPName: "Acme",
		Origins: []string{origin, "https://example.com:8443"}}
	for _, c := range change {
		c(&cfg)
	}
	f, err := passkey.New(cfg)
	require.NoError(t, err)
	return f
}

// device is an authenticator and its browser. Its fields may be changed between ceremonies.
type device struct {
	rp   virtualwebauthn.RelyingParty
	auth virtualwebauthn.Authenticator
	cred virtualwebauthn.Credential
}

func newDevice() *device { return newDeviceOf(virtualwebauthn.KeyTypeEC2) }

func newDeviceOf(k virtualwebauthn.KeyType) *device {
	d := &device{rp: virtualwebauthn.RelyingParty{ID: rpID, Name: "Acme", Origin: origin},
		auth: virtualwebauthn.NewAuthenticator(), cred: virtualwebauthn.NewCredential(k)}
	// The package leaves out leading zeros of coordinates, which one key in 128 has and COSE
	// (RFC 9053 section 7.1.1) wants.
	for k == virtualwebauthn.KeyTypeEC2 && len(d.cred.Key.AttestationData()) != 77 {
		d.cred = virtualwebauthn.NewCredential(k)
	}
	return d
}

// create answers creation options as navigator.credentials.create does.
func (d *device) create(t testing.TB, options []byte) string {
	t.Helper()
	o, err := virtualwebauthn.ParseAttestationOptions(string(options))
	require.NoError(t, err)
	require.Equal(t, rpID, o.RelyingPartyID)
	d.auth.Options.UserHandle = []byte(o.UserID)
	return virtualwebauthn.CreateAttestationResponse(d.rp, d.auth, d.cred, *o)
}

// get answers request options as navigator.credentials.get does, with the next counter.
func (d *device) get(t testing.TB, options []byte) string {
	t.Helper()
	o, err := virtualwebauthn.ParseAssertionOptions(string(options))
	require.NoError(t, err)
	d.cred.Counter++
	return virtualwebauthn.CreateAssertionResponse(d.rp, d.auth, d.cred, *o)
}

// Flags of authenticator data (WebAuthn Level 3 section 6.1).
const (
	up, uv, be, bs, at = 1, 4, 8, 16, 64
)

// forged is a response whose every part can be chosen; what is signed is signed with the right key.
type forged struct {
	client  map[string]any
	rpID    string
	flags   byte
	counter uint32
	id      []byte // as the browser names it
	signed  []byte // as the authenticator names it, in an enrolment
	key     []byte // COSE
	handle  []byte
	spoil   bool // the signature
	fmt     string
	stmt    map[string]any
}

// forgery starts from what is right.
func (d *device) forgery(options []byte, typ string) forged {
	var o struct {
		PublicKey struct{ Challenge string }
	}
	_ = json.Unmarshal(options, &o)
	d.cred.Counter++
	return forged{client: map[string]any{"type": typ, "challenge": o.PublicKey.Challenge,
		"origin": origin, "crossOrigin": false},
		rpID: rpID, flags: up | uv, counter: d.cred.Counter, id: d.cred.ID, signed: d.cred.ID,
		key: d.cred.Key.AttestationData(), fmt: "none", stmt: map[string]any{}}
}

func text(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (w forged) head() []byte {
	h := sha256.Sum256([]byte(w.rpID))
	return binary.BigEndian.AppendUint32(append(h[:], w.flags), w.counter)
}

// sign makes an assertion of w.
func (d *device) sign(t testing.TB, w forged) string {
	t.Helper()
	client, err := json.Marshal(w.client)
	require.NoError(t, err)
	auth, hash := w.head(), sha256.Sum256(client)
	digest := sha256.Sum256(append(w.head(), hash[:]...))
	sig, err := d.cred.Key.Sign(digest[:])
	require.NoError(t, err)
	if w.spoil {
		sig[len(sig)-1] ^= 1
	}
	return respond(t, w.id, map[string]any{"clientDataJSON": text(client),
		"authenticatorData": text(auth),
		"signature":         text(sig), "userHandle": text(w.handle)})
}

// attest makes the response to an enrolment of w.
func (d *device) attest(t testing.TB, w forged) string {
	t.Helper()
	client, err := json.Marshal(w.client)
	require.NoError(t, err)
	w.flags |= at
	auth := append(w.head(), make([]byte, 16)...)
	auth = binary.BigEndian.AppendUint16(auth, uint16(len(w.signed)))
	auth = append(append(auth, w.signed...), w.key...)
	object, err := cbor.Marshal(map[string]any{"fmt": w.fmt, "attStmt": w.stmt, "authData": auth})
	require.NoError(t, err)
	return respond(t, w.id, map[string]any{"clientDataJSON": text(client),
		"attestationObject": text(object), "transports": []string{"usb", "nfc", "usb"}})
}

func respond(t testing.TB, id []byte, response map[string]any, more ...map[string]any) string {
	t.Helper()
	a := map[string]any{"id": text(id), "rawId": text(id), "type": "public-key",
		"response": response, "clientExtensionResults": map[string]any{}}
	for _, m := range more {
		maps.Copy(a, m)
	}
	b, err := json.Marshal(a)
	require.NoError(t, err)
	return string(b)
}

// challenge issues one, and returns what Verify is to be called with and the options.
func challenge(
	t testing.TB, f *passkey.Factor, state []byte, confirming bool,
) (factor.VerifyInput, []byte) {
	t.Helper()
	is, err := f.Issue(context.Background(), factor.IssueInput{User: ann, State: state,
		Confirming: confirming,
		Instances:  []factor.EnrollOutput{{State: state}}, Now: start})
	require.NoError(t, err)
	return factor.VerifyInput{User: ann, State: state, Issued: is.Keep, IssuedAt: start,
		Expires: is.Expires,
		Opened:  start, Confirming: confirming, Now: start.Add(time.Second)}, is.Prompt.Data
}

// begun is an enrolment that waits for its response.
func begun(
	t testing.TB, f *passkey.Factor, existing ...factor.EnrollOutput,
) (factor.VerifyInput, []byte) {
	t.Helper()
	out, err := f.Enroll(context.Background(), factor.EnrollInput{User: ann, Existing: existing,
		Now: start})
	require.NoError(t, err)
	return challenge(t, f, out.State, true)
}

// verify calls Verify as the Manager does.
func verify(f *passkey.Factor, in factor.VerifyInput, response string) ([]byte, error) {
	normal, err := f.Normalize(response)
	if err != nil {
		return nil, err
	}
	in.Response = secret.New(normal)
	v, err := f.Verify(context.Background(), in)
	if err != nil {
		return nil, err
	}
	return v.State, nil
}

// enrolled enrols d.
func enrolled(t testing.TB, f *passkey.Factor, d *device, existing ...factor.EnrollOutput) []byte {
	t.Helper()
	in, options := begun(t, f, existing...)
	state, err := verify(f, in, d.create(t, options))
	require.NoError(t, err)
	return state
}

// kept is the state as the tests may see it.
func kept(t testing.TB, state []byte) (m map[int]any) {
	t.Helper()
	require.NoError(t, cbor.Unmarshal(state, &m))
	return m
}
