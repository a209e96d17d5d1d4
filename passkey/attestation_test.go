package passkey_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 5280 section 4.2.1.2
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/fidotest"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/passkey"
)

var (
	sturdy = [16]byte{1: 1, 15: 7} // a model of the lists of these tests
	other  = [16]byte{1: 2, 15: 7}
)

// service is a metadata service, and the manufacturer of the model sturdy.
type service struct {
	root, maker fidotest.CA
	list        atomic.Pointer[passkey.Metadata]
}

func newService(t testing.TB, statuses ...fidotest.Status) *service {
	t.Helper()
	s := &service{root: fidotest.NewCA(t, "Root"), maker: fidotest.NewCA(t, "Maker")}
	s.publish(t, s.model("hardware", statuses...))
	return s
}

func (s *service) model(protection string, statuses ...fidotest.Status) fidotest.Model {
	return fidotest.Model{AAGUID: sturdy, Roots: []*x509.Certificate{s.maker.Certificate},
		Protection: []string{protection}, Statuses: statuses}
}

func (s *service) publish(t testing.TB, models ...fidotest.Model) {
	t.Helper()
	list, err := passkey.ParseMetadata(s.root.BLOB(t, 1, models...), s.root.Certificate, start)
	require.NoError(t, err)
	s.list.Store(list)
}

func (s *service) use(c *passkey.Config) { c.Metadata = s.list.Load }

// attested is a creation whose attestation can be chosen.
type attested struct {
	aaguid [16]byte
	by     fidotest.Leaf
	flags  byte
	// self is an attestation by the passkey's own key, and none is no attestation.
	self, none bool
}

// createAttested answers creation options with an attestation in the packed form (WebAuthn Level 3
// section 8.2).
func (d *device) createAttested(t testing.TB, options []byte, a attested) string {
	t.Helper()
	w := d.forgery(options, "webauthn.create")
	w.flags |= at | a.flags
	client, err := json.Marshal(w.client)
	require.NoError(t, err)
	auth := append(w.head(), a.aaguid[:]...)
	auth = binary.BigEndian.AppendUint16(auth, uint16(len(w.signed)))
	auth = append(append(auth, w.signed...), w.key...)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(bytes.Clone(auth), hash[:]...))
	format, statement := "packed", map[string]any{"alg": -7}
	switch {
	case a.none:
		format, statement = "none", map[string]any{}
	case a.self:
		statement["sig"], err = d.cred.Key.Sign(digest[:])
	default:
		statement["x5c"] = []any{a.by.Certificate.Raw}
		statement["sig"], err = ecdsa.SignASN1(rand.Reader, a.by.Key, digest[:])
	}
	require.NoError(t, err)
	object, err := cbor.Marshal(map[string]any{"fmt": format, "attStmt": statement,
		"authData": auth})
	require.NoError(t, err)
	return respond(t, w.id, map[string]any{"clientDataJSON": text(client),
		"attestationObject": text(object)})
}

// describe enrols a device and returns what the factor says about it.
func describe(t *testing.T, f *passkey.Factor, a attested) factor.Description {
	t.Helper()
	in, options := begun(t, f)
	state, err := verify(f, in, newDevice().createAttested(t, options, a))
	require.NoError(t, err)
	return f.Describe(state)
}

func TestAttestation_ProvesWhatKeepsTheKey(t *testing.T) {
	s := newService(t, fidotest.Status{Name: "FIDO_CERTIFIED_L2"})
	stranger := fidotest.NewCA(t, "Stranger")
	by := func(ca fidotest.CA) attested {
		return attested{aaguid: sturdy, by: ca.Attester(t, sturdy)}
	}
	synced := by(s.maker)
	synced.flags = be
	software := newService(t)
	software.publish(t, software.model("software", fidotest.Status{Name: "FIDO_CERTIFIED_L1"}))
	type said struct {
		amr, certified        string
		deviceBound, hardware bool
	}
	for name, tc := range map[string]struct {
		of   *service
		made attested
		want said
	}{
		"the manufacturer":   {s, by(s.maker), said{"hwk", "L2", true, true}},
		"a stranger":         {s, by(stranger), said{"", "", true, false}},
		"the key itself":     {s, attested{aaguid: sturdy, self: true}, said{"", "", true, false}},
		"nothing":            {s, attested{aaguid: sturdy, none: true}, said{"", "", true, false}},
		"a synchronised key": {s, synced, said{"swk", "L2", false, false}},
		"a key in software":  {software, by(software.maker), said{"swk", "L1", true, false}},
		"a model that is not listed": {s, attested{aaguid: other,
			by: s.maker.Attester(t, other)}, said{"", "", true, false}},
	} {
		t.Run(name, func(t *testing.T) {
			d := describe(t, newFactor(t, tc.of.use), tc.made)
			require.Equal(t, tc.want, said{d.AMR, d.Certified, d.DeviceBound, d.Hardware})
			require.False(t, d.Compromised)
		})
	}
	d := describe(t, newFactor(t), by(s.maker))
	require.False(t, d.Hardware, "no list, no proof")
}

// Hardware is what FIDO's Registry of Predefined Values calls hardware, a trusted execution
// environment or a secure element, and what is not in software besides.
func TestAttestation_KnowsHardware(t *testing.T) {
	for protection, want := range map[string]struct {
		amr      string
		hardware bool
	}{"hardware": {"hwk", true}, "tee": {"hwk", true}, "secure_element": {"hwk", true},
		"remote_handle": {"", false}, "software": {"swk", false},
		"hardware remote_handle": {"hwk", true}, "software hardware": {"swk", false}} {
		s := newService(t)
		m := s.model("")
		m.Protection = strings.Fields(protection)
		s.publish(t, m)
		d := describe(t, newFactor(t, s.use),
			attested{aaguid: sturdy, by: s.maker.Attester(t, sturdy)})
		require.Equal(t, want.amr, d.AMR, protection)
		require.Equal(t, want.hardware, d.Hardware, protection)
	}
}

func TestAttestation_RefusesAForgedStatement(t *testing.T) {
	s := newService(t)
	f := newFactor(t, s.use)
	for name, a := range map[string]attested{
		"a certificate of another model": {aaguid: sturdy, by: s.maker.Attester(t, other)},
		"a key that is not the certificate's": {aaguid: sturdy, by: fidotest.Leaf{
			Certificate: s.maker.Attester(t, sturdy).Certificate,
			Key:         s.maker.Attester(t, sturdy).Key}},
	} {
		in, options := begun(t, f)
		_, err := verify(f, in, newDevice().createAttested(t, options, a))
		require.ErrorIs(t, err, factor.ErrIncorrect, name)
	}
}

// A model without an AAGUID, as those of FIDO U2F are, is found by the key that attests it.
func TestAttestation_KnowsModelsByTheirSigner(t *testing.T) {
	s := newService(t)
	by := s.maker.Attester(t, [16]byte{})
	listed := fidotest.Model{Signers: []string{keyID(t, by.Certificate)},
		Roots: []*x509.Certificate{s.maker.Certificate}, Protection: []string{"secure_element"},
		Statuses: []fidotest.Status{{Name: "FIDO_CERTIFIED_L1"}}}
	s.publish(t, listed)
	f := newFactor(t, s.use)
	in, options := begun(t, f)
	state, err := verify(f, in, newDevice().createU2F(t, options, by))
	require.NoError(t, err)
	require.Equal(t, keyID(t, by.Certificate), kept(t, state)[13])
	d := f.Describe(state)
	require.True(t, d.Hardware)
	require.Equal(t, "L1", d.Certified)

	listed.Statuses = append(listed.Statuses, fidotest.Status{Name: "ATTESTATION_KEY_COMPROMISE"})
	s.publish(t, listed)
	require.True(t, f.Describe(state).Compromised)
	require.False(t, f.Describe(state).Hardware)
}

// keyID returns the key identifier of a certificate (RFC 5280 section 4.2.1.2).
func keyID(t testing.TB, c *x509.Certificate) string {
	t.Helper()
	point, err := c.PublicKey.(*ecdsa.PublicKey).Bytes()
	require.NoError(t, err)
	sum := sha1.Sum(point) //nolint:gosec // the RFC names keys by it
	return hex.EncodeToString(sum[:])
}

// createU2F answers creation options with an attestation of FIDO U2F (section 8.6).
func (d *device) createU2F(t testing.TB, options []byte, by fidotest.Leaf) string {
	t.Helper()
	w := d.forgery(options, "webauthn.create")
	w.flags |= at
	client, err := json.Marshal(w.client)
	require.NoError(t, err)
	auth := append(w.head(), make([]byte, 16)...)
	auth = binary.BigEndian.AppendUint16(auth, uint16(len(w.signed)))
	auth = append(append(auth, w.signed...), w.key...)
	var cose struct {
		X []byte `cbor:"-2,keyasint"`
		Y []byte `cbor:"-3,keyasint"`
	}
	require.NoError(t, cbor.Unmarshal(w.key, &cose))
	hash, rp := sha256.Sum256(client), sha256.Sum256([]byte(w.rpID))
	signed := bytes.Join([][]byte{{0}, rp[:], hash[:], w.signed, {4}, cose.X, cose.Y}, nil)
	digest := sha256.Sum256(signed)
	sig, err := ecdsa.SignASN1(rand.Reader, by.Key, digest[:])
	require.NoError(t, err)
	object, err := cbor.Marshal(map[string]any{"fmt": "fido-u2f", "authData": auth,
		"attStmt": map[string]any{"x5c": []any{by.Certificate.Raw}, "sig": sig}})
	require.NoError(t, err)
	return respond(t, w.id, map[string]any{"clientDataJSON": text(client),
		"attestationObject": text(object)})
}

// The present list says what a model is worth, whatever it was worth when it was enrolled.
func TestAttestation_FollowsTheList(t *testing.T) {
	s := newService(t, fidotest.Status{Name: "FIDO_CERTIFIED_L1"})
	f := newFactor(t, s.use)
	in, options := begun(t, f)
	state, err := verify(f, in, newDevice().createAttested(t, options,
		attested{aaguid: sturdy, by: s.maker.Attester(t, sturdy)}))
	require.NoError(t, err)
	unproven, err := verify(f, in, newDevice().createAttested(t, options,
		attested{aaguid: sturdy, none: true}))
	require.NoError(t, err)
	l1 := fidotest.Status{Name: "FIDO_CERTIFIED_L1"}
	for name, tc := range map[string]struct {
		statuses  []fidotest.Status
		unsafe    bool
		certified string
	}{
		"better":          {[]fidotest.Status{l1, {Name: "FIDO_CERTIFIED_L3plus"}}, false, "L3+"},
		"an update":       {[]fidotest.Status{l1, {Name: "UPDATE_AVAILABLE"}}, false, "L1"},
		"certified later": {[]fidotest.Status{{Name: l1.Name, From: "2026-03-02"}}, false, ""},
		"no longer":       {[]fidotest.Status{l1, {Name: "NOT_FIDO_CERTIFIED"}}, false, ""},
		"revoked":         {[]fidotest.Status{l1, {Name: "REVOKED", From: "2026-03-01"}}, true, ""},
		"revoked later": {[]fidotest.Status{l1, {Name: "REVOKED", From: "2026-03-02"}}, false,
			"L1"},
		"no longer unsafe": {[]fidotest.Status{l1, {Name: "USER_VERIFICATION_BYPASS",
			Until: "2026-02-28"}}, false, "L1"},
		"keys extracted": {[]fidotest.Status{l1, {Name: "USER_KEY_REMOTE_COMPROMISE"}}, true, ""},
		"keys taken out": {[]fidotest.Status{l1, {Name: "USER_KEY_PHYSICAL_COMPROMISE"}}, true,
			""},
		"attester stolen": {[]fidotest.Status{l1, {Name: "ATTESTATION_KEY_COMPROMISE"}}, true, ""},
		"revoked, and updated": {[]fidotest.Status{l1, {Name: "REVOKED"},
			{Name: "UPDATE_AVAILABLE"}}, true, ""},
		"bypassed": {[]fidotest.Status{l1, {Name: "USER_VERIFICATION_BYPASS"}}, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s.publish(t, s.model("hardware", tc.statuses...))
			d := f.Describe(state)
			require.Equal(t, tc.unsafe, d.Compromised)
			require.Equal(t, !tc.unsafe, d.Hardware)
			require.Equal(t, tc.certified, d.Certified)
			require.Equal(t, tc.unsafe, f.Describe(unproven).Compromised,
				"what a device says to its own disadvantage is believed")
		})
	}
	s.publish(t)
	require.False(t, f.Describe(state).Hardware, "a list without the model vouches for nothing")
}

func TestParseMetadata_ReadsWhatItsRootSigned(t *testing.T) {
	root, stranger := fidotest.NewCA(t, "Root"), fidotest.NewCA(t, "Stranger")
	blob := root.BLOB(t, 41)
	list, err := passkey.ParseMetadata(blob, root.Certificate, start)
	require.NoError(t, err)
	require.Equal(t, 41, list.Number)
	require.Equal(t, time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), list.NextUpdate)

	parts := strings.Split(string(blob), ".")
	none := text([]byte(`{"alg":"none"}`))
	flipped := bytes.Clone(blob)
	flipped[len(parts[0])+5] ^= 1
	for name, tc := range map[string]struct {
		blob string
		root *x509.Certificate
	}{
		"another root":     {string(blob), stranger.Certificate},
		"the root of FIDO": {string(blob), nil},
		"a changed list":   {string(flipped), root.Certificate},
		"no signature":     {none + "." + parts[1] + ".", root.Certificate},
		"another signature": {parts[0] + "." + parts[1] + "." + parts[2][1:] + "A",
			root.Certificate},
		"another's list":       {string(stranger.BLOB(t, 42)), root.Certificate},
		"nothing":              {"", root.Certificate},
		"a list without parts": {"..", root.Certificate},
	} {
		_, err := passkey.ParseMetadata([]byte(tc.blob), tc.root, start)
		require.Error(t, err, name)
	}
	var present atomic.Pointer[passkey.Metadata]
	present.Store(list)
	require.Error(t, refresh(&present, blob), "FIDO did not sign it")
	require.Equal(t, list, present.Load())
}

// A list that is too long is not read.
func TestParseMetadata_BoundsTheList(t *testing.T) {
	for length, tooLong := range map[int]bool{64 << 20: false, 64<<20 + 1: true} {
		_, err := passkey.ParseMetadata(make([]byte, length), nil, start)
		require.Error(t, err)
		require.Equal(t, tooLong, strings.Contains(err.Error(), "at most 64 MiB"), length)
	}
}

// refresh reads the list that an application has fetched from FIDO.
func refresh(list *atomic.Pointer[passkey.Metadata], blob []byte) error {
	next, err := passkey.ParseMetadata(blob, nil, time.Now())
	if err == nil && next.Number >= list.Load().Number {
		list.Store(next)
	}
	return err
}

func TestNew_NeedsTheMetadataAtOnce(t *testing.T) {
	_, err := passkey.New(passkey.Config{RPID: rpID, RPName: "Acme", Origins: []string{origin},
		Metadata: func() *passkey.Metadata { return nil }})
	require.ErrorContains(t, err, "Metadata")
}

// A list that is signed and means nothing is an error, or has no models. It makes nothing panic.
func FuzzParseMetadata(f *testing.F) {
	root := fidotest.NewCA(f, "Root")
	for _, seed := range []string{`{}`, `{"entries":[{}]}`, `{"no":1e99,"nextUpdate":"2026-04-01"}`,
		`{"no":1,"nextUpdate":"2026-04-01","entries":[{"aaguid":"","statusReports":[{}],
		"timeOfLastStatusChange":"2026-01-01","metadataStatement":{"keyProtection":["hardware"],
		"attestationRootCertificates":["AAAA"],"icon":"data:"}}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		if !json.Valid(payload) {
			return
		}
		blob := root.Sign(t, json.RawMessage(payload))
		list, err := passkey.ParseMetadata(blob, root.Certificate, start)
		require.Equal(t, err == nil, list != nil)
	})
}
