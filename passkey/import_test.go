package passkey_test

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/importing"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/passkey/passkeytest"
	"github.com/secondgate/secondgate/secret"
)

// oldHandle is the user handle of the samples, and oldID the identifier of their passkey.
const (
	oldHandle = "0b7e7c3e-5f4e-4c3b-9d2a-1f6f1c0a9b11"
	oldID     = "ADQ4q1KlBXp1e635BVAoG6WEQNKET1-4dUJFwmTkP0g"
)

// ofSamples is the site that the samples are for.
func ofSamples(c *passkey.Config) {
	c.Origins = append(c.Origins, "https://example.com")
}

func sample(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/import/" + name)
	require.NoError(t, err)
	return strings.TrimSpace(string(b))
}

// oldDevice has the private key of the samples.
func oldDevice(t *testing.T) *passkeytest.Authenticator {
	t.Helper()
	block, _ := pem.Decode([]byte(sample(t, "key.pem")))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	require.NoError(t, err)
	id, err := base64.RawURLEncoding.DecodeString(oldID)
	require.NoError(t, err)
	a := passkeytest.New("https://example.com")
	a.Add(passkeytest.Passkey{RPID: "example.com", ID: id, Handle: []byte(oldHandle),
		Key: key.(*ecdsa.PrivateKey)})
	return a
}

func request(credential, handle string) []mfa.EnrollRequest {
	params := map[string]secret.Text{"credential": secret.New(credential)}
	if handle != "" {
		params["user_handle"] = secret.New(text([]byte(handle)))
	}
	return []mfa.EnrollRequest{{Kind: "passkey", Params: params}}
}

// take imports factors of a user.
func (w *world) take(u mfa.User, factors []mfa.EnrollRequest) error {
	_, err := w.Admin(mfa.System("import"), "moved").Import(w.t.Context(), u, factors)
	return err
}

// signsInBeside signs in by the old passkey beside a password.
func (w *world) signsInBeside(u mfa.User, a *passkeytest.Authenticator) {
	w.t.Helper()
	ch, options := w.asked(u)
	response, err := a.Get(options)
	require.NoError(w.t, err)
	v, err := w.second(ch, response)
	require.NoError(w.t, err)
	require.Equal(w.t, "phr", v.ACR)
}

// signsInAlone signs in by the old passkey without a password.
func (w *world) signsInAlone(a *passkeytest.Authenticator) error {
	w.t.Helper()
	ch := w.open()
	response, err := a.Get(ch.Prompt.Data)
	require.NoError(w.t, err)
	_, err = w.alone(ch, response)
	return err
}

// A passkey of each form signs in beside a password and without one, with the device that has it.
func TestEnroll_ImportsPasskeysOfOtherSystems(t *testing.T) {
	for file, c := range map[string]struct {
		handle string
		// learns says that the first sign-in beside a password tells what was not stored.
		learns bool
	}{
		"go-webauthn.json":    {handle: oldHandle},
		"record.txt":          {handle: oldHandle},
		"simplewebauthn.json": {learns: true},
	} {
		t.Run(file, func(t *testing.T) {
			w, device := newWorld(t, ofSamples), oldDevice(t)
			require.NoError(t, w.take(annSubject, request(sample(t, file), c.handle)))
			if c.learns {
				require.Error(t, w.signsInAlone(device))
			} else {
				require.NoError(t, w.signsInAlone(device))
			}
			w.signsInBeside(annSubject, device)
			require.NoError(t, w.signsInAlone(device))
		})
	}
}

// A passkey without its user handle signs in beside a password, and then has the handle.
func TestEnroll_ImportLearnsTheUserHandle(t *testing.T) {
	for _, file := range []string{"go-webauthn.json", "record.txt"} {
		w, device := newWorld(t, ofSamples), oldDevice(t)
		require.NoError(t, w.take(annSubject, request(sample(t, file), "")))
		require.Error(t, w.signsInAlone(device))
		w.signsInBeside(annSubject, device)
		require.NoError(t, w.signsInAlone(device))
	}
}

// A passkey belongs to one user of all: nobody imports it for a second one, also not in a dry run,
// and a refused import leaves it with its owner.
func TestEnroll_ImportsAPasskeyForOneUser(t *testing.T) {
	w, device := newWorld(t, ofSamples), oldDevice(t)
	factors := request(sample(t, "go-webauthn.json"), oldHandle)
	require.NoError(t, w.take(annSubject, factors))
	require.ErrorIs(t, w.take(bobSubject, factors), mfa.ErrNotAvailable)
	_, err := w.Admin(mfa.System("import"), "moved").PreviewImport(t.Context(), bobSubject, factors)
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	require.NoError(t, w.take(annSubject, factors), "an import may be repeated")
	require.NoError(t, w.signsInAlone(device))
}

// An import that fails leaves the passkey to the next user.
func TestEnroll_FailedImportClaimsNoPasskey(t *testing.T) {
	w, device := newWorld(t, ofSamples), oldDevice(t)
	w.first(bobSubject, newDevice())
	factors := request(sample(t, "go-webauthn.json"), oldHandle)
	require.NoError(t, w.take(bobSubject, factors), "skipped: bob has a passkey")
	require.NoError(t, w.take(annSubject, factors))
	require.NoError(t, w.signsInAlone(device))
}

// After an import the device is asked not to make a second passkey, and a new one of another
// device has the same user handle.
func TestEnroll_AfterImportExcludesTheOldPasskey(t *testing.T) {
	w, device := newWorld(t, ofSamples), oldDevice(t)
	require.NoError(t, w.take(annSubject, request(sample(t, "go-webauthn.json"), oldHandle)))
	ch, options := w.asked(annSubject)
	response, err := device.Get(options)
	require.NoError(t, err)
	v, err := w.second(ch, response)
	require.NoError(t, err)
	e, err := w.Session(annSubject, session).Enroll(t.Context(), v.Grant,
		mfa.EnrollRequest{Kind: "passkey"})
	require.NoError(t, err)
	_, err = device.Create(e.Prompt.Data)
	require.ErrorContains(t, err, "has a passkey of this user already")
	require.Contains(t, string(e.Prompt.Data), text([]byte(oldHandle)))
}

func TestEnroll_RefusesToImportOtherThings(t *testing.T) {
	var c map[string]any
	require.NoError(t, json.Unmarshal([]byte(sample(t, "simplewebauthn.json")), &c))
	with := func(member string, value any) string {
		changed := map[string]any{}
		for k, v := range c {
			changed[k] = v
		}
		changed[member] = value
		b, err := json.Marshal(changed)
		require.NoError(t, err)
		return string(b)
	}
	w := newWorld(t, ofSamples)
	for name, credential := range map[string]string{
		"nothing":             "",
		"no JSON":             "SECRET",
		"no flags":            with("deviceType", ""),
		"no key":              with("publicKey", nil),
		"no COSE":             with("publicKey", "AAAA"),
		"no base64":           with("publicKey", "%SECRET"),
		"a long identifier":   with("id", strings.Repeat("AAAA", 400)),
		"a long handle":       with("webauthnUserID", strings.Repeat("AAAA", 30)),
		"backed up, never":    with("backedUp", true),
		"a record, no base64": "$webauthn$v=1$SECRET!",
		"a record, no data":   "$webauthn$v=1$AAAA",
		"a record, no flag":   "$webauthn$v=1$" + strings.Repeat("A", 64),
	} {
		t.Run(name, func(t *testing.T) {
			err := w.take(annSubject, request(credential, ""))
			var p *factor.Problem
			require.ErrorAs(t, err, &p)
			require.Equal(t, "passkey_import", p.Reason)
			require.NotContains(t, err.Error(), "SECRET")
		})
	}
	err := w.take(annSubject, append(request(sample(t, "record.txt"), ""),
		request(sample(t, "go-webauthn.json"), "")...))
	var p *factor.Problem
	require.ErrorAs(t, err, &p)
	require.Contains(t, p.Detail, "has it already")
}

// The forms in which databases and JSON write bytes and lists are read alike.
func TestEnroll_ImportReadsBytesAsTheyAreWritten(t *testing.T) {
	var c map[string]any
	require.NoError(t, json.Unmarshal([]byte(sample(t, "simplewebauthn.json")), &c))
	key, err := base64.RawURLEncoding.DecodeString(c["publicKey"].(string))
	require.NoError(t, err)
	buffer := make([]int, len(key))
	for i, b := range key {
		buffer[i] = int(b)
	}
	const digits = "0123456789abcdef"
	var hexadecimal strings.Builder
	for _, b := range key {
		hexadecimal.Write([]byte{digits[b>>4], digits[b&15]})
	}
	for name, form := range map[string]any{
		"base64":      base64.StdEncoding.EncodeToString(key),
		"a Buffer":    map[string]any{"type": "Buffer", "data": buffer},
		"PostgreSQL":  `\x` + hexadecimal.String(),
		"as it was":   c["publicKey"],
		"with a list": c["publicKey"],
	} {
		t.Run(name, func(t *testing.T) {
			c["publicKey"] = form
			if name == "with a list" {
				c["transports"] = []string{"internal", "hybrid"}
			}
			b, err := json.Marshal(c)
			require.NoError(t, err)
			w := newWorld(t, ofSamples)
			require.NoError(t, w.take(annSubject, request(string(b), "")))
			w.signsInBeside(annSubject, oldDevice(t))
		})
	}
}

// The passkeys in the exports of whole systems sign in, too.
func TestSystems_PasskeysSignIn(t *testing.T) {
	key := secret.New("YSBrZXkgb2YgMzIgYnl0ZXMsIGtub3duIHRvIGFsbC4")
	better := secret.New("a secret of better-auth that a test may know")
	for file, read := range map[string]func(*os.File) importing.Users{
		"kratos.json":    func(f *os.File) importing.Users { return importing.Kratos(f) },
		"supabase.jsonl": func(f *os.File) importing.Users { return importing.Supabase(f, key) },
		"better-auth.jsonl": func(f *os.File) importing.Users {
			return importing.BetterAuth(f, better)
		},
	} {
		t.Run(file, func(t *testing.T) {
			w, device := newWorld(t, ofSamples), oldDevice(t)
			f, err := os.Open("../importing/testdata/" + file)
			require.NoError(t, err)
			defer f.Close()
			for u, err := range read(f) {
				require.NoError(t, err)
				var only []mfa.EnrollRequest
				for _, r := range u.Factors { // this installation has no recovery codes
					if r.Kind == "passkey" || r.Kind == "totp" {
						only = append(only, r)
					}
				}
				require.Len(t, only, 2)
				require.NoError(t, w.take(annSubject, only))
				if file == "kratos.json" {
					require.Equal(t, []string{
						`the passkey "some-key", of which Kratos has kept no flags`}, u.NotMoved)
				}
				break
			}
			w.signsInBeside(annSubject, device)
		})
	}
}

// No credential that is imported makes the package panic, and what it accepts can be described.
func FuzzImport(f *testing.F) {
	for _, name := range []string{"go-webauthn.json", "simplewebauthn.json", "record.txt"} {
		b, err := os.ReadFile("testdata/import/" + name)
		require.NoError(f, err)
		f.Add(strings.TrimSpace(string(b)), oldHandle)
	}
	passkeys := newFactor(f)
	f.Fuzz(func(t *testing.T, credential, handle string) {
		out, err := passkeys.Enroll(t.Context(), factor.EnrollInput{Imported: true,
			Params: map[string]secret.Text{"credential": secret.New(credential),
				"user_handle": secret.New(handle)}})
		if err == nil {
			require.NotEmpty(t, passkeys.Identity(out.State))
			require.NotEmpty(t, passkeys.Describe(out.State).Public)
		}
	})
}
