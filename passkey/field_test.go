package passkey_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/secret"
)

// A manager of passkeys began to copy them between devices. Users of sites that compared the flag
// were told that their passkey is wrong, until they were locked out.
func TestVerify_DistinguishesAChangedPasskey(t *testing.T) {
	f := newFactor(t)
	for name, flags := range map[string][2]byte{
		"it may be copied now":     {up | uv, up | uv | be},
		"it has been copied":       {up | uv, up | uv | be | bs},
		"it may be copied no more": {up | uv | be | bs, up | uv},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDevice()
			in, options := begun(t, f)
			w := d.forgery(options, "webauthn.create")
			w.flags = flags[0]
			state, err := verify(f, in, d.attest(t, w))
			require.NoError(t, err)

			in, options = challenge(t, f, state, false)
			w = d.forgery(options, "webauthn.get")
			w.flags = flags[1]
			_, err = verify(f, in, d.sign(t, w))
			require.ErrorIs(t, err, factor.ErrExpired)
			problem, ok := errors.AsType[*factor.Problem](err)
			require.True(t, ok)
			require.Equal(t, "passkey_changed", problem.Reason)

			// Without the key it is a guess like any other.
			w.spoil = true
			_, err = verify(f, in, d.sign(t, w))
			require.ErrorIs(t, err, factor.ErrIncorrect)
			require.NotErrorIs(t, err, factor.ErrExpired)
		})
	}
}

// The user signs in with another passkey, and enrols the passkey anew. Nothing was counted, and
// nothing of the user's changed meanwhile.
func TestManager_EnrolsAChangedPasskeyAnew(t *testing.T) {
	w, d, other := newWorld(t), newDevice(), newDevice()
	s := w.Session(annSubject, session)
	c := w.first(annSubject, d)
	_, err := w.enrol(annSubject, c.Grant, other)
	require.NoError(t, err)

	d.auth.Options.BackupEligible = true
	ch, options := w.asked(annSubject)
	for range 12 {
		_, err = w.second(ch, d.get(t, options))
		require.ErrorIs(t, err, factor.ErrExpired)
		_, counted := errors.AsType[*mfa.AttemptError](err)
		require.False(t, counted)
		problem, ok := errors.AsType[*factor.Problem](err)
		require.True(t, ok)
		require.Equal(t, "passkey_changed", problem.Reason)
		ch, options = w.asked(annSubject)
	}
	alone := w.open()
	_, err = w.alone(alone, d.get(t, alone.Prompt.Data))
	require.Error(t, err)
	require.Contains(t, string(options), text(d.cred.ID), "it is still there")

	v, err := w.second(ch, other.get(t, options))
	require.NoError(t, err)
	require.NoError(t, s.Remove(t.Context(), v.Grant, c.Factor.ID))
	d.cred.ID = []byte("another identifier")
	_, err = w.enrol(annSubject, v.Grant, d)
	require.NoError(t, err)
	ch, options = w.asked(annSubject)
	_, err = w.second(ch, d.get(t, options))
	require.NoError(t, err)
}

// Another user had an authenticator app and no other passkey. Nothing that the user could do added
// the passkey again: the device was asked not to make another, and the old one could not be removed
// without a passkey.
func TestManager_EnrolsAChangedPasskeyAnewWithAnApp(t *testing.T) {
	w, d := newWorld(t), newDevice()
	s := w.Session(annSubject, session)
	c := w.first(annSubject, d)
	app, grant := w.addApp(c.Grant)
	before, err := s.Enroll(t.Context(), grant, mfa.EnrollRequest{Kind: "passkey"})
	require.NoError(t, err)
	require.Contains(t, string(before.Prompt.Data), text(d.cred.ID), "excluded while it works")
	g, err := w.proveApp(app)
	require.Error(t, err, "the passkey is to be proven: %v", g)

	d.auth.Options.BackupEligible = true
	ch, options := w.asked(annSubject)
	_, err = w.second(ch, d.get(t, options))
	require.ErrorIs(t, err, factor.ErrExpired)

	g, err = w.proveApp(app)
	require.NoError(t, err)
	e, err := s.Enroll(t.Context(), g, mfa.EnrollRequest{Kind: "passkey"})
	require.NoError(t, err)
	require.NotContains(t, string(e.Prompt.Data), text(d.cred.ID), "its device may make another")
	old := d.cred.ID
	d.cred.ID = []byte("another identifier")
	done, err := s.Confirm(t.Context(), e, secret.New(d.create(t, e.Prompt.Data)))
	require.NoError(t, err)
	require.Equal(t, userID(t, c.Factor.Data), userID(t, done.Factor.Data), "one account")
	require.Contains(t, w.events, "factor.replaced")

	ch, options = w.asked(annSubject)
	require.NotContains(t, string(options), text(old))
	_, err = w.second(ch, d.get(t, options))
	require.NoError(t, err)
	_, err = w.proveApp(app)
	require.Error(t, err, "the new passkey is to be proven")
}

// addApp adds an authenticator app, and returns its secret and what the grant permits then.
func (w *world) addApp(g mfa.Grant) (secret.Text, mfa.Grant) {
	w.t.Helper()
	s := w.Session(annSubject, session)
	e, err := s.Enroll(w.t.Context(), g, mfa.EnrollRequest{Kind: "totp"})
	require.NoError(w.t, err)
	c, err := s.Confirm(w.t.Context(), e,
		secret.New(mfatest.AppCode(w.t, e.Prompt.Secret, w.clock.Now())))
	require.NoError(w.t, err)
	return e.Prompt.Secret, c.Grant
}

// proveApp steps up with an authenticator app.
func (w *world) proveApp(app secret.Text) (mfa.Grant, error) {
	w.t.Helper()
	w.clock.Advance(time.Minute)
	s := w.Session(annSubject, session).ManageFactors()
	ch, err := s.Begin(w.t.Context())
	require.NoError(w.t, err)
	v, err := s.Verify(w.t.Context(), ch, "totp",
		secret.New(mfatest.AppCode(w.t, app, w.clock.Now())))
	if err != nil {
		return mfa.Grant{}, err
	}
	return v.Grant, nil
}

// An app on a phone is named by the certificate that signs it, and not by a host.
func TestVerify_AcceptsAnAndroidApp(t *testing.T) {
	const app = "android:apk-key-hash:7NBwAoMM7d0sDnSQCbVHDm5ANpaVu6n2EKu3b5QhgFI"
	f, d := newFactor(t, func(c *passkey.Config) {
		c.Origins = append(c.Origins, app)
	}), newDevice()
	d.rp.Origin = app
	state := enrolled(t, f, d)
	in, options := challenge(t, f, state, false)
	_, err := verify(f, in, d.get(t, options))
	require.NoError(t, err)

	for _, other := range []string{app[:len(app)-1] + "J", strings.ToUpper(app), app + "=",
		"android:apk-key-hash:", "android:apk-key-hash"} {
		d.rp.Origin = other
		in, options = challenge(t, f, state, false)
		_, err = verify(f, in, d.get(t, options))
		require.ErrorContains(t, err, "Config.Origins", other)
		in, options = begun(t, f)
		_, err = verify(f, in, newDeviceAt(other).create(t, options))
		require.ErrorContains(t, err, "Config.Origins", other)
	}
	d.rp.Origin = app
	f = newFactor(t)
	in, options = challenge(t, f, state, false)
	_, err = verify(f, in, d.get(t, options))
	require.ErrorContains(t, err, "Config.Origins", "only where it is configured")
}

func newDeviceAt(origin string) *device {
	d := newDevice()
	d.rp.Origin = origin
	return d
}

// A library for apps wrote base64 with the characters of another alphabet, and padded it.
func TestVerify_ReadsPaddedBase64(t *testing.T) {
	f, d := newFactor(t), newDevice()
	d.cred.ID = []byte{0xfb, 0xff, 0xfe, 0xfb, 0xef, 0xbe, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	in, options := begun(t, f)
	state, err := verify(f, in, paddedBase64(t, d.create(t, options)))
	require.NoError(t, err)
	in, options = challenge(t, f, state, false)
	response := paddedBase64(t, d.get(t, options))
	require.Regexp(t, `[+/]`, response)
	require.Contains(t, response, "=")
	_, err = verify(f, in, response)
	require.NoError(t, err)
	require.Equal(t, d.cred.ID, f.Identify(response))
}

// paddedBase64 writes the binary members of a response in base64 with padding.
func paddedBase64(t testing.TB, response string) string {
	t.Helper()
	var all map[string]any
	require.NoError(t, json.Unmarshal([]byte(response), &all))
	inner := all["response"].(map[string]any)
	for _, m := range []map[string]any{all, inner} {
		for name, v := range m {
			s, ok := v.(string)
			if b, err := base64.RawURLEncoding.DecodeString(s); ok && err == nil && name != "type" {
				m[name] = base64.StdEncoding.EncodeToString(b)
			}
		}
	}
	b, err := json.Marshal(all)
	require.NoError(t, err)
	return string(b)
}

// A security key refused names of more than 64 bytes; the users had long addresses, and one wrote
// flags.
func TestIssue_CutsTheUsersName(t *testing.T) {
	f := newFactor(t)
	for in, want := range map[string]string{
		"ann@example.com":                   "ann@example.com",
		strings.Repeat("a", 64):             strings.Repeat("a", 64),
		strings.Repeat("a", 65):             strings.Repeat("a", 64),
		strings.Repeat("a", 63) + "é":       strings.Repeat("a", 63),
		strings.Repeat("a", 62) + "e\u0301": strings.Repeat("a", 62),
		strings.Repeat("👩‍👩‍👧‍👦", 3):        strings.Repeat("👩‍👩‍👧‍👦", 2),
		strings.Repeat("a", 62) + "👍🏽":      strings.Repeat("a", 62),
		strings.Repeat("a", 60) + "👍🏽":      strings.Repeat("a", 60),
		strings.Repeat("a", 60) + "🇳🇴":      strings.Repeat("a", 60),
		strings.Repeat("🇳🇴", 9):             strings.Repeat("🇳🇴", 8),
	} {
		user := ann
		user.Account = in
		out, err := f.Enroll(t.Context(), factor.EnrollInput{User: user, Now: start})
		require.NoError(t, err)
		is, err := f.Issue(t.Context(), factor.IssueInput{User: user, State: out.State,
			Confirming: true, Now: start})
		require.NoError(t, err)
		var o struct {
			PublicKey struct {
				User struct{ Name, DisplayName string }
			}
		}
		require.NoError(t, json.Unmarshal(is.Prompt.Data, &o))
		require.Equal(t, want, o.PublicKey.User.Name)
		require.Equal(t, want, o.PublicKey.User.DisplayName)
		require.True(t, utf8.ValidString(o.PublicKey.User.Name))
	}
}
