package passkey_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
)

// exported returns the passkey of a user as a record, and its user handle.
func (w *world) exported(u mfa.User) (record, handle string) {
	w.t.Helper()
	d, err := w.Admin(mfa.System("move"), "to another library").PersonalData(w.t.Context(), u)
	require.NoError(w.t, err)
	require.Len(w.t, d.Factors, 1)
	var data struct{ UserID string }
	require.NoError(w.t, json.Unmarshal(d.Factors[0].Data, &data))
	b, err := base64.RawURLEncoding.DecodeString(data.UserID)
	require.NoError(w.t, err)
	return d.Factors[0].Export, string(b)
}

// A record that was imported is exported as it was, before its first sign-in.
func TestDescribe_ExportsTheRecordThatWasImported(t *testing.T) {
	const prefix, bare = "$webauthn$v=1$transports=hybrid+internal$", "$webauthn$v=1$"
	encoded, ok := strings.CutPrefix(sample(t, "record.txt"), prefix)
	require.True(t, ok)
	for name, c := range map[string]struct {
		prefix string
		at     int // in the authenticator data
		byte   byte
	}{
		"as it is":       {prefix, 32, 0x45},
		"not verified":   {prefix, 32, 0x41},
		"not present":    {prefix, 32, 0x40},
		"verified alone": {prefix, 32, 0x44},
		"may be copied":  {prefix, 32, 0x4d},
		"backed up":      {prefix, 32, 0x5d},
		"with a counter": {prefix, 36, 7},
		"with a model":   {prefix, 37, 1},
		"no transports":  {bare, 32, 0x45},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := base64.RawStdEncoding.DecodeString(encoded)
			require.NoError(t, err)
			data[c.at] = c.byte
			imported := c.prefix + base64.RawStdEncoding.EncodeToString(data)
			w := newWorld(t, ofSamples)
			require.NoError(t, w.take(annSubject, request(imported, oldHandle)))
			record, handle := w.exported(annSubject)
			if name == "verified alone" { // which says that the user was present
				data[c.at] = 0x45
			}
			require.Equal(t, c.prefix+base64.RawStdEncoding.EncodeToString(data), record)
			require.Equal(t, oldHandle, handle)
		})
	}
}

// What one application exports signs in at another that imports it, beside a password and alone.
func TestDescribe_ExportSignsInElsewhere(t *testing.T) {
	for _, file := range []string{"record.txt", "go-webauthn.json", "simplewebauthn.json"} {
		t.Run(file, func(t *testing.T) {
			old, device := newWorld(t, ofSamples), oldDevice(t)
			handle := oldHandle
			if file == "simplewebauthn.json" { // it has its own
				handle = ""
			}
			require.NoError(t, old.take(annSubject, request(sample(t, file), handle)))
			old.signsInBeside(annSubject, device)
			require.NoError(t, old.signsInAlone(device))

			next := newWorld(t, ofSamples)
			record, handle := old.exported(annSubject)
			require.NoError(t, next.take(annSubject, request(record, handle)))
			require.NoError(t, next.signsInAlone(device))
			next.signsInBeside(annSubject, device)
		})
	}
}

// A passkey that was made without a prompt is still one after an import: the first sign-in beside
// another factor says whether it verifies its user.
func TestDescribe_ExportsThatNoUserWasPresent(t *testing.T) {
	old, device := newWorld(t, ofSamples), oldDevice(t)
	require.NoError(t, old.take(annSubject, request(sample(t, "simplewebauthn.json"), "")))
	record, handle := old.exported(annSubject)

	next := newWorld(t, ofSamples)
	require.Error(t, next.take(annSubject, request(record+"*", handle)), "it is no base64")
	require.NoError(t, next.take(annSubject, request(record, handle)))
	again, _ := next.exported(annSubject)
	require.Equal(t, record, again)
	require.Error(t, next.signsInAlone(device))
	next.signsInBeside(annSubject, device)
	require.NoError(t, next.signsInAlone(device))
}

// The record has the present counter and backup flags, and what an enrolment learned.
func TestDescribe_ExportsTheStateOfToday(t *testing.T) {
	w, d := newWorld(t), newDevice()
	w.first(annSubject, d)
	record, handle := w.exported(annSubject)
	require.Len(t, handle, 32)
	raw, err := base64.RawStdEncoding.DecodeString(record[strings.LastIndex(record, "$")+1:])
	require.NoError(t, err)
	var got protocol.AuthenticatorData
	require.NoError(t, got.Unmarshal(raw))
	require.Equal(t, d.cred.ID, got.AttData.CredentialID)
	require.Equal(t, d.cred.Counter, got.Counter)
	require.True(t, got.Flags.HasUserPresent())
	require.True(t, got.Flags.HasUserVerified())
	require.False(t, got.Flags.HasBackupEligible())
}
