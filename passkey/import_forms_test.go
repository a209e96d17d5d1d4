package passkey_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"maps"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// imports returns what is kept of an imported passkey.
func imports(t *testing.T, credential, handle string) (map[int]any, error) {
	t.Helper()
	out, err := newFactor(t).Enroll(t.Context(), factor.EnrollInput{User: ann, Imported: true,
		Params: map[string]secret.Text{"credential": secret.New(credential),
			"user_handle": secret.New(handle)}})
	if err != nil {
		return nil, err
	}
	return kept(t, out.State), nil
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

// coseKeys are keys by the name of their algorithm.
func coseKeys(t *testing.T) map[string][]byte {
	t.Helper()
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	keys := map[string][]byte{"ES256": newDevice().cred.Key.AttestationData()}
	for name, key := range map[string]map[int]any{
		"EdDSA": {1: 1, 3: -8, -1: 6, -2: []byte(edwards)},
		"RS256": {1: 3, 3: -257, -1: append([]byte{0x81}, sevens(255)...), -2: []byte{1, 0, 1}},
		"PS256": {1: 3, 3: -37, -1: append([]byte{0x81}, sevens(255)...), -2: []byte{1, 0, 1}},
		"ES384": {1: 2, 3: -35, -1: 2, -2: p384.X.FillBytes(make([]byte, 48)),
			-3: p384.Y.FillBytes(make([]byte, 48))},
	} {
		keys[name], err = cbor.Marshal(key)
		require.NoError(t, err)
	}
	return keys
}

// Everything that another system stored of a passkey is kept, in whichever form it wrote it.
func TestEnroll_ImportKeepsWhatWasStored(t *testing.T) {
	key, id, model := coseKeys(t)["ES256"], sevens(20), sevens(16)
	want := map[int]any{0: sevens(9), 1: id, 2: key, 3: uint64(7), 4: true, 5: true, 6: true,
		7: []any{"nfc", "usb"}, 9: model}
	goWebAuthn := map[string]any{"id": id, "publicKey": key, "transport": []string{"usb", "nfc"},
		"flags": map[string]bool{"userVerified": true, "backupEligible": true,
			"backupState": true}, "authenticator": map[string]any{"AAGUID": model, "signCount": 7}}
	got, err := imports(t, asJSON(t, goWebAuthn), text(sevens(9)))
	require.NoError(t, err)
	require.Equal(t, want, got)

	head := forged{rpID: rpID, flags: up | uv | be | bs | at, counter: 7}.head()
	auth := binary.BigEndian.AppendUint16(append(head, model...), uint16(len(id)))
	auth = append(append(auth, id...), key...)
	record := base64.RawStdEncoding.EncodeToString(auth)
	got, err = imports(t, "$webauthn$v=1$x=1,transports=usb+nfc,y=2$"+record, text(sevens(9)))
	require.NoError(t, err)
	require.Equal(t, want, got)
	got, err = imports(t, "$webauthn$v=1$"+record, text(sevens(9)))
	require.NoError(t, err)
	delete(want, 7)
	require.Equal(t, want, got)

	// SimpleWebAuthn stores no word on the user's verification.
	want[7], want[11] = []any{"nfc", "usb"}, true
	delete(want, 4)
	numbers := make([]int, len(key))
	for i, b := range key {
		numbers[i] = int(b)
	}
	for _, form := range []any{key, base64.RawURLEncoding.EncodeToString(key),
		`\x` + hexadecimal(key), map[string]any{"type": "Buffer", "data": numbers}} {
		for _, list := range []any{"usb,nfc", []string{"nfc", "usb"}} {
			got, err = imports(t, asJSON(t, map[string]any{"id": id, "publicKey": form,
				"counter": 7, "transports": list, "deviceType": "multiDevice", "backedUp": true,
				"aaguid": "07070707-0707-0707-0707-070707070707", "webauthnUserID": sevens(9)}), "")
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	}
	for _, aaguid := range []string{"", "0707", "not a model",
		"07070707-0707-0707-0707-070707070707zz",
		"00000000-0000-0000-0000-000000000000"} {
		got, err = imports(t, asJSON(t, map[string]any{"id": id, "publicKey": key, "counter": 7,
			"transports": nil, "deviceType": "singleDevice", "aaguid": aaguid}), text(sevens(9)))
		require.NoError(t, err)
		require.Equal(t, map[int]any{0: sevens(9), 1: id, 2: key, 3: uint64(7), 11: true}, got)
	}
}

func hexadecimal(b []byte) (out string) {
	const digits = "0123456789abcdef"
	for _, c := range b {
		out += string(digits[c>>4]) + string(digits[c&15])
	}
	return out
}

// A passkey is imported beside others, and not where one of them cannot be read.
func TestEnroll_ImportComparesWithWhatThereIs(t *testing.T) {
	f := newFactor(t)
	other := enrolled(t, f, newDevice())
	in := factor.EnrollInput{User: ann, Imported: true, Params: map[string]secret.Text{
		"credential": secret.New(asJSON(t, map[string]any{"id": sevens(20),
			"publicKey": coseKeys(t)["ES256"], "deviceType": "singleDevice"})),
		"user_handle": secret.New(text(sevens(9)))}}
	for state, valid := range map[string]bool{string(other): true, "damaged": false} {
		in.Existing = []factor.EnrollOutput{{State: []byte(state)}}
		_, err := f.Enroll(t.Context(), in)
		require.Equal(t, valid, err == nil, "%v", err)
	}
}

// What cannot be imported is refused for its own reason.
func TestEnroll_ImportSaysWhatIsWrong(t *testing.T) {
	keys := coseKeys(t)
	good := map[string]any{"id": sevens(20), "publicKey": keys["ES256"],
		"deviceType": "singleDevice"}
	with := func(name string, value any) string {
		m := maps.Clone(good)
		m[name] = value
		return asJSON(t, m)
	}
	for algorithm, valid := range map[string]bool{"ES256": true, "EdDSA": true, "RS256": true,
		"PS256": false, "ES384": false} {
		_, err := imports(t, with("publicKey", keys[algorithm]), text(sevens(9)))
		require.Equal(t, valid, err == nil, "%s: %v", algorithm, err)
		if !valid {
			require.ErrorContains(t, err, "its algorithm is not", algorithm)
		}
	}
	bare := base64.RawStdEncoding.EncodeToString(forged{rpID: rpID, flags: up}.head())
	for want, credential := range map[string]string{
		"none of the documented forms":        "garbage",
		"none of the documented":              with("publicKey", "***"),
		"none of the":                         with("transports", 5),
		"none of":                             with("id", 5),
		"whether it may be backed up":         with("deviceType", "phone"),
		"its backup flags contradict":         with("backedUp", true),
		"no identifier or no key":             with("id", nil),
		"its public key is none":              with("publicKey", sevens(40)),
		"its record is not base64":            "$webauthn$v=1$***",
		"its record is not authenticator dat": "$webauthn$v=1$AAAA",
		"its record is not authenticator":     "$webauthn$v=1$" + bare,
	} {
		_, err := imports(t, credential, text(sevens(9)))
		require.ErrorIs(t, err, factor.ErrMalformed)
		require.ErrorContains(t, err, want)
	}
	_, err := imports(t, asJSON(t, good), "***")
	require.ErrorContains(t, err, "the user handle is not base64")
}
