package passkey_test

import (
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/secret"
)

func TestFactor_EnrolsAndSignsIn(t *testing.T) {
	for _, kind := range []virtualwebauthn.KeyType{virtualwebauthn.KeyTypeEC2,
		virtualwebauthn.KeyTypeRSA} {
		f, d := newFactor(t), newDeviceOf(kind)
		state := enrolled(t, f, d)
		for range 3 {
			in, options := challenge(t, f, state, false)
			next, err := verify(f, in, d.get(t, options))
			require.NoError(t, err, kind)
			require.NotEqual(t, state, next, "the counter is kept")
			state = next
		}
	}
}

// W-1 to W-6, W-9, W-10: what is signed rightly, and is nevertheless wrong.
func TestVerify_RefusesInvalidAssertions(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*forged)
		reason string
	}{
		"W-1 another challenge": {func(w *forged) {
			w.client["challenge"] = text(make([]byte, 32))
		}, "another challenge"},
		"W-1 challenge with padding": {func(w *forged) {
			w.client["challenge"] = w.client["challenge"].(string) + "="
		}, "another challenge"},
		"W-1 no challenge": {func(w *forged) {
			delete(w.client, "challenge")
		}, "another challenge"},
		"W-2 signed for an enrolment": {func(w *forged) {
			w.client["type"] = "webauthn.create"
		}, "another ceremony"},
		"W-2 no type": {func(w *forged) {
			delete(w.client, "type")
		}, "another ceremony"},
		"W-2 a payment": {func(w *forged) {
			w.client["type"] = "payment.get"
		}, "another ceremony"},
		"W-3 sibling subdomain": {func(w *forged) {
			w.client["origin"] = "https://blog.example.com"
		}, "Config.Origins"},
		"W-3 parent domain": {func(w *forged) {
			w.client["origin"] = "https://example.com"
		}, "Config.Origins"},
		"W-3 other port": {func(w *forged) {
			w.client["origin"] = "https://www.example.com:444"
		}, "Config.Origins"},
		"W-3 other scheme": {func(w *forged) {
			w.client["origin"] = "http://www.example.com"
		}, "Config.Origins"},
		"W-3 other case": {func(w *forged) {
			w.client["origin"] = "https://WWW.example.com"
		}, "Config.Origins"},
		"W-3 with a path": {func(w *forged) {
			w.client["origin"] = "https://www.example.com/x"
		}, "Config.Origins"},
		"W-3 suffix": {func(w *forged) {
			w.client["origin"] = "https://www.example.com.evil.test"
		}, "Config.Origins"},
		"W-3 no origin": {func(w *forged) {
			delete(w.client, "origin")
		}, "Config.Origins"},
		"W-3 embedded": {func(w *forged) {
			w.client["crossOrigin"] = true
		}, "embedded"},
		"W-3 embedded by the site itself": {func(w *forged) {
			w.client["crossOrigin"], w.client["topOrigin"] = true, origin
		}, "embedded"},
		"W-3 top origin without embedding": {func(w *forged) {
			w.client["topOrigin"] = origin
		}, "embedded"},
		"W-4 another RP ID": {func(w *forged) {
			w.rpID = "www.example.com"
		}, "another RP ID"},
		"W-5 nobody present":          {func(w *forged) { w.flags = uv }, "present"},
		"W-5 nobody verified":         {func(w *forged) { w.flags = up }, "verified"},
		"W-6 backed up, not eligible": {func(w *forged) { w.flags |= bs }, "backup flags"},
		"W-9 another credential": {func(w *forged) {
			w.id = []byte("0123456789abcdef")
		}, "another credential"},
		"W-9 another user's handle": {func(w *forged) {
			w.handle = make([]byte, 32)
		}, "another user"},
		"W-9 signature": {func(w *forged) { w.spoil = true }, "signature"},
	} {
		t.Run(name, func(t *testing.T) {
			f, d := newFactor(t), newDevice()
			state := enrolled(t, f, d)
			in, options := challenge(t, f, state, false)
			w := d.forgery(options, "webauthn.get")
			_, err := verify(f, in, d.sign(t, w))
			require.NoError(t, err, "without the change it is right")
			c.change(&w)
			_, err = verify(f, in, d.sign(t, w))
			require.ErrorIs(t, err, factor.ErrIncorrect)
			require.ErrorContains(t, err, c.reason)
		})
	}
}

func TestConfirm_RefusesInvalidRegistrations(t *testing.T) {
	other := newDevice()
	for name, c := range map[string]struct {
		change func(*forged)
		reason string
	}{
		"W-1 another challenge": {func(w *forged) {
			w.client["challenge"] = text(make([]byte, 32))
		}, "another challenge"},
		"W-2 signed for a sign-in": {func(w *forged) {
			w.client["type"] = "webauthn.get"
		}, "another ceremony"},
		"W-3 sibling subdomain": {func(w *forged) {
			w.client["origin"] = "https://blog.example.com"
		}, "Config.Origins"},
		"W-3 embedded": {func(w *forged) {
			w.client["crossOrigin"] = true
		}, "embedded"},
		"W-4 another RP ID":           {func(w *forged) { w.rpID = "evil.test" }, "another RP ID"},
		"W-5 nobody present":          {func(w *forged) { w.flags = uv }, "present"},
		"W-5 nobody verified":         {func(w *forged) { w.flags = up }, "verified"},
		"W-6 backed up, not eligible": {func(w *forged) { w.flags |= bs }, "backup flags"},
		"W-7 algorithm not offered": {func(w *forged) {
			w.key = append([]byte(nil), w.key...)
			w.key[4] = 0x27 // alg: -8 of a key that is none of EdDSA's
		}, "key"},
		"W-7 ES384": {func(w *forged) { w.key = es384(w.key) }, "algorithm"},
		"W-7 not a point of the curve": {func(w *forged) {
			w.key = append([]byte(nil), w.key...)
			w.key[len(w.key)-1] ^= 1
		}, "public key"},
		"W-7 attestation is a lie": {func(w *forged) {
			w.fmt, w.stmt = "packed", map[string]any{"alg": -7, "sig": []byte("no")}
		}, "attestation"},
		"W-7 unknown attestation": {func(w *forged) { w.fmt = "mine" }, "attestation"},
		"W-7 none, with a statement": {func(w *forged) {
			w.stmt = map[string]any{"sig": []byte("x")}
		}, "attestation"},
		"W-7 names another credential": {func(w *forged) { w.id = other.cred.ID }, "attestation"},
		"W-7 identifier of 1024 bytes": {func(w *forged) {
			w.id = make([]byte, 1024)
			w.signed = w.id
		}, ""},
		"W-7 identifier of no bytes":    {func(w *forged) { w.signed = nil }, ""},
		"no attested credential at all": {func(w *forged) { w.key = nil }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f, d := newFactor(t), newDevice()
			in, options := begun(t, f)
			w := d.forgery(options, "webauthn.create")
			_, err := verify(f, in, d.attest(t, w))
			require.NoError(t, err, "without the change it is right")
			c.change(&w)
			_, err = verify(f, in, d.attest(t, w))
			require.Error(t, err)
			if c.reason != "" {
				require.ErrorIs(t, err, factor.ErrIncorrect)
				require.ErrorContains(t, err, c.reason)
			}
		})
	}
}

// es384 names another algorithm in a COSE key of ES256, in two bytes more.
func es384(key []byte) []byte {
	out := append([]byte(nil), key[:4]...) // {1: 2, 3:
	return append(append(out, 0x38, 34), key[5:]...)
}

// W-2: the two ceremonies do not stand in for each other.
func TestCeremonies_CannotBeExchanged(t *testing.T) {
	f, d := newFactor(t), newDevice()
	state := enrolled(t, f, d)
	in, options := challenge(t, f, state, false)
	_, err := verify(f, in, d.attest(t, d.forgery(options, "webauthn.create")))
	require.ErrorContains(t, err, "another ceremony")
	_, err = verify(f, in, d.attest(t, d.forgery(options, "webauthn.get")))
	require.ErrorContains(t, err, "another ceremony")

	pending, creation := begun(t, f, factor.EnrollOutput{State: state})
	_, err = verify(f, pending, d.sign(t, d.forgery(creation, "webauthn.get")))
	require.ErrorContains(t, err, "another ceremony")

	// What was issued for one is not valid for the other, whatever the Manager says it is.
	pending.Confirming = false
	_, err = verify(f, pending, newDevice().create(t, creation))
	require.ErrorContains(t, err, "another ceremony")
	_, err = verify(f, pending, d.sign(t, d.forgery(creation, "webauthn.get")))
	require.ErrorContains(t, err, "another ceremony")
}

func TestVerify_RefusesAnExpiredResponse(t *testing.T) {
	f, d := newFactor(t), newDevice()
	in, options := challenge(t, f, enrolled(t, f, d), false)
	require.Equal(t, start.Add(5*time.Minute), in.Expires)
	right := d.get(t, options)
	in.Now = in.Expires
	_, err := verify(f, in, right)
	require.ErrorIs(t, err, factor.ErrExpired)
	_, err = verify(f, in, newDevice().get(t, options))
	require.ErrorIs(t, err, factor.ErrIncorrect, "ErrExpired is not counted, and only a correct "+
		"one is told so")
	in.Now = in.Expires.Add(-time.Millisecond)
	_, err = verify(f, in, right)
	require.NoError(t, err)
}

// W-5.
func TestUserVerification_IsHeldToTheConfig(t *testing.T) {
	for _, c := range []struct {
		policy   passkey.UserVerification
		says     string
		verified bool
	}{
		{passkey.Required, "required", false},
		{passkey.Preferred, "preferred", true},
		{passkey.Discouraged, "discouraged", true},
	} {
		f, d := newFactor(t, func(cfg *passkey.Config) {
			cfg.UserVerification = c.policy
		}), newDevice()
		in, options := begun(t, f)
		require.Contains(t, string(options), `"userVerification":"`+c.says+`"`)
		d.auth.Options.UserNotVerified = true
		_, err := verify(f, in, d.create(t, options))
		require.Equal(t, c.verified, err == nil, c.says)

		d.auth.Options.UserNotVerified = false
		state := enrolled(t, f, d)
		in, options = challenge(t, f, state, false)
		require.Contains(t, string(options), `"userVerification":"`+c.says+`"`)
		d.auth.Options.UserNotVerified = true
		_, err = verify(f, in, d.get(t, options))
		require.Equal(t, c.verified, err == nil, c.says)
	}
}

// W-5, N-43: who holds the device is known only if the device says so.
func TestVerify_ReportsUserVerification(t *testing.T) {
	f, d := newFactor(t, func(c *passkey.Config) {
		c.UserVerification = passkey.Preferred
	}), newDevice()
	state := enrolled(t, f, d)
	for _, verified := range []bool{true, false} {
		d.auth.Options.UserNotVerified = !verified
		in, options := challenge(t, f, state, false)
		in.Response = secret.New(d.get(t, options))
		v, err := f.Verify(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, verified, v.UserVerified)
		state = v.State
	}
}

// In place of a password a passkey verifies the user, whatever it may do beside one.
func TestDiscoverable_RequiresUserVerification(t *testing.T) {
	f, d := newFactor(t, func(c *passkey.Config) {
		c.UserVerification = passkey.Discouraged
	}), newDevice()
	state := enrolled(t, f, d)
	is, err := f.Issue(t.Context(), factor.IssueInput{Discoverable: true, Now: start})
	require.NoError(t, err)
	require.Contains(t, string(is.Prompt.Data), `"userVerification":"required"`)
	in := factor.VerifyInput{State: state, Issued: is.Keep, IssuedAt: start, Expires: is.Expires,
		Opened: start, Now: start}
	for _, verified := range []bool{true, false} {
		w := d.forgery(is.Prompt.Data, "webauthn.get")
		w.handle, _ = kept(t, state)[0].([]byte)
		if !verified {
			w.flags = up
		}
		_, err = verify(f, in, d.sign(t, w))
		require.Equal(t, verified, err == nil)
	}
}

// A challenge that was issued while verification was required stays so.
func TestUserVerification_IsHeldToTheChallenge(t *testing.T) {
	strict, lax, d := newFactor(t), newFactor(t, func(c *passkey.Config) {
		c.UserVerification = passkey.Discouraged
	}), newDevice()
	state := enrolled(t, strict, d)
	in, options := challenge(t, strict, state, false)
	d.auth.Options.UserNotVerified = true
	_, err := verify(lax, in, d.get(t, options))
	require.ErrorContains(t, err, "not verified")
}
