package passkey_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/passkey"
)

func TestEnrolAndSignIn(t *testing.T) {
	for _, kind := range []virtualwebauthn.KeyType{virtualwebauthn.KeyTypeEC2,
		virtualwebauthn.KeyTypeRSA} {
		f, d := newFactor(t), newDeviceOf(kind)
		state := enrolled(t, f, d)
		for range 3 {
			in, options := challenge(t, f, state, false)
			next, err := judge(f, in, d.get(t, options))
			require.NoError(t, err, kind)
			require.NotEqual(t, state, next, "the counter is kept")
			state = next
		}
	}
}

// W-1 to W-6, W-9, W-10: what is signed rightly, and is nevertheless wrong.
func TestAssertionRefused(t *testing.T) {
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
		"W-5 nobody present":              {func(w *forged) { w.flags = uv }, "present"},
		"W-5 nobody verified":             {func(w *forged) { w.flags = up }, "verified"},
		"W-6 backup eligible all at once": {func(w *forged) { w.flags |= be }, "backup flags"},
		"W-6 backed up, not eligible":     {func(w *forged) { w.flags |= bs }, "backup flags"},
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
			_, err := judge(f, in, d.sign(t, w))
			require.NoError(t, err, "without the change it is right")
			c.change(&w)
			_, err = judge(f, in, d.sign(t, w))
			require.ErrorIs(t, err, factor.ErrIncorrect)
			require.ErrorContains(t, err, c.reason)
		})
	}
}

func TestEnrolmentRefused(t *testing.T) {
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
			_, err := judge(f, in, d.attest(t, w))
			require.NoError(t, err, "without the change it is right")
			c.change(&w)
			_, err = judge(f, in, d.attest(t, w))
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
func TestCeremoniesAreNotExchanged(t *testing.T) {
	f, d := newFactor(t), newDevice()
	state := enrolled(t, f, d)
	in, options := challenge(t, f, state, false)
	_, err := judge(f, in, d.attest(t, d.forgery(options, "webauthn.create")))
	require.ErrorContains(t, err, "another ceremony")
	_, err = judge(f, in, d.attest(t, d.forgery(options, "webauthn.get")))
	require.ErrorContains(t, err, "another ceremony")

	pending, creation := begun(t, f, factor.Instance{State: state})
	_, err = judge(f, pending, d.sign(t, d.forgery(creation, "webauthn.get")))
	require.ErrorContains(t, err, "another ceremony")

	// What was issued for one is not good for the other, whatever the Manager says it is.
	pending.Confirming = false
	_, err = judge(f, pending, newDevice().create(t, creation))
	require.ErrorContains(t, err, "another ceremony")
	_, err = judge(f, pending, d.sign(t, d.forgery(creation, "webauthn.get")))
	require.ErrorContains(t, err, "another ceremony")
}

func TestExpired(t *testing.T) {
	f, d := newFactor(t), newDevice()
	in, options := challenge(t, f, enrolled(t, f, d), false)
	require.Equal(t, start.Add(5*time.Minute), in.Expires)
	right := d.get(t, options)
	in.Now = in.Expires
	_, err := judge(f, in, right)
	require.ErrorIs(t, err, factor.ErrExpired)
	_, err = judge(f, in, newDevice().get(t, options))
	require.ErrorIs(t, err, factor.ErrIncorrect, "ErrExpired is not counted, and only a correct "+
		"one is told so")
	in.Now = in.Expires.Add(-time.Millisecond)
	_, err = judge(f, in, right)
	require.NoError(t, err)
}

// W-5.
func TestUserVerification(t *testing.T) {
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
		_, err := judge(f, in, d.create(t, options))
		require.Equal(t, c.verified, err == nil, c.says)

		d.auth.Options.UserNotVerified = false
		state := enrolled(t, f, d)
		in, options = challenge(t, f, state, false)
		require.Contains(t, string(options), `"userVerification":"`+c.says+`"`)
		d.auth.Options.UserNotVerified = true
		_, err = judge(f, in, d.get(t, options))
		require.Equal(t, c.verified, err == nil, c.says)
	}
}

// W-5, N-43: who holds the device is known only if the device says so.
func TestVerdictSaysWhetherThePersonWasVerified(t *testing.T) {
	f, d := newFactor(t, func(c *passkey.Config) {
		c.UserVerification = passkey.Preferred
	}), newDevice()
	state := enrolled(t, f, d)
	for _, verified := range []bool{true, false} {
		d.auth.Options.UserNotVerified = !verified
		in, options := challenge(t, f, state, false)
		in.Response = d.get(t, options)
		v, err := f.Verify(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, verified, v.UserVerified)
		state = v.State
	}
}

// In place of a password a passkey verifies the person, whatever it may do beside one.
func TestAnyoneIsVerified(t *testing.T) {
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
		_, err = judge(f, in, d.sign(t, w))
		require.Equal(t, verified, err == nil)
	}
}

// A challenge that was issued while verification was required stays so.
func TestUserVerificationIsOfTheChallenge(t *testing.T) {
	strict, lax, d := newFactor(t), newFactor(t, func(c *passkey.Config) {
		c.UserVerification = passkey.Discouraged
	}), newDevice()
	state := enrolled(t, strict, d)
	in, options := challenge(t, strict, state, false)
	d.auth.Options.UserNotVerified = true
	_, err := judge(lax, in, d.get(t, options))
	require.ErrorContains(t, err, "not verified")
}

// W-10.
func TestClone(t *testing.T) {
	refuse, accept, d := newFactor(t), newFactor(t, func(c *passkey.Config) {
		c.OnClone = passkey.Accept
	}), newDevice()
	state := enrolled(t, refuse, d)
	for _, c := range []struct {
		stored, now uint32
		ok          bool
	}{
		{0, 0, true}, {0, 1, true}, {7, 8, true}, {7, 4_000_000_000, true},
		{7, 7, false}, {7, 6, false}, {7, 0, false},
	} {
		d.cred.Counter = c.stored - 1
		in, options := challenge(t, refuse, state, false)
		w := d.forgery(options, "webauthn.get")
		w.counter = c.stored
		have := state
		if c.stored > 0 {
			var err error
			have, err = judge(refuse, in, d.sign(t, w))
			require.NoError(t, err)
		}
		in, options = challenge(t, refuse, have, false)
		w = d.forgery(options, "webauthn.get")
		w.counter = c.now
		_, err := judge(refuse, in, d.sign(t, w))
		require.Equal(t, c.ok, err == nil, "%d after %d", c.now, c.stored)
		if !c.ok {
			require.ErrorIs(t, err, factor.ErrReplayed)
			in.Response = d.sign(t, w)
			v, _ := refuse.Verify(t.Context(), in)
			require.Equal(t, &factor.Verdict{Cloned: true}, v, "and nothing else changes")
		}
		next, err := judge(accept, in, d.sign(t, w))
		require.NoError(t, err)
		if highest := max(c.stored, c.now); highest > 0 {
			require.EqualValues(t, highest, kept(t, next)[3], "the highest is kept")
		}
	}
}

// W-8: what is kept of a credential, to the letter, since it is stored for years.
func TestWhatIsKept(t *testing.T) {
	f, d := newFactor(t), newDevice()
	in, options := begun(t, f)
	w := d.forgery(options, "webauthn.create")
	w.flags, w.counter = up|uv|be|bs, 9
	state, err := judge(f, in, d.attest(t, w))
	require.NoError(t, err)
	m := kept(t, state)
	handle, _ := m[0].([]byte)
	require.Len(t, handle, 32)
	delete(m, 0)
	require.Equal(t, map[int]any{1: d.cred.ID, 2: d.cred.Key.AttestationData(), 3: uint64(9),
		4: true, 5: true, 6: true, 7: []any{"nfc", "usb"}}, m)
	require.NotContains(t, string(state), ann.Account)
}

// W-6 and W-11: an assertion changes the counter and the backup state, and nothing else; user
// verification that was not there at enrolment is not raised.
func TestWhatAnAssertionChanges(t *testing.T) {
	f, d := newFactor(t, func(c *passkey.Config) {
		c.UserVerification = passkey.Preferred
	}), newDevice()
	d.auth.Options = virtualwebauthn.AuthenticatorOptions{BackupEligible: true,
		UserNotVerified: true}
	state := enrolled(t, f, d)
	require.NotContains(t, kept(t, state), 4)
	d.auth.Options.BackupState, d.auth.Options.UserNotVerified = true, false
	in, options := challenge(t, f, state, false)
	next, err := judge(f, in, d.get(t, options))
	require.NoError(t, err)
	want := kept(t, state)
	want[3], want[6] = uint64(1), true
	require.Equal(t, want, kept(t, next))
}

// W-9: a challenge is for the credentials that were asked for.
func TestAllowedCredentials(t *testing.T) {
	f, one, two := newFactor(t), newDevice(), newDevice()
	first := enrolled(t, f, one)
	second := enrolled(t, f, two, factor.Instance{State: first})
	require.Equal(t, kept(t, first)[0], kept(t, second)[0], "one account, one handle")
	in, options := challenge(t, f, first, false)
	require.Contains(t, string(options), text(one.cred.ID))
	require.NotContains(t, string(options), text(two.cred.ID))
	in.State = second
	_, err := judge(f, in, two.get(t, options))
	require.ErrorContains(t, err, "not asked for")
}

// A device that has one already is told so, and refused if it makes another.
func TestExclude(t *testing.T) {
	f, d := newFactor(t), newDevice()
	state := enrolled(t, f, d)
	in, options := begun(t, f, factor.Instance{Name: "Passkey", State: state})
	var o struct {
		PublicKey struct{ ExcludeCredentials []struct{ Type, ID string } }
	}
	require.NoError(t, json.Unmarshal(options, &o))
	require.Equal(t, []struct{ Type, ID string }{{"public-key", text(d.cred.ID)}},
		o.PublicKey.ExcludeCredentials)
	_, err := judge(f, in, d.create(t, options))
	require.ErrorContains(t, err, "already")
}

func TestNoChallenge(t *testing.T) {
	f, d := newFactor(t), newDevice()
	in, options := challenge(t, f, enrolled(t, f, d), false)
	in.Issued = nil
	_, err := judge(f, in, d.get(t, options))
	require.ErrorIs(t, err, factor.ErrIncorrect)
	in.Issued = []byte{}
	_, err = judge(f, in, d.get(t, options))
	require.Error(t, err)
	require.False(t, errors.Is(err, factor.ErrIncorrect),
		"it is our record that is wrong, not the answer")
}

// Errors are logged: what a browser sent must not be in them.
func TestErrorsHoldNothingThatWasSent(t *testing.T) {
	f, d := newFactor(t), newDevice()
	in, options := challenge(t, f, enrolled(t, f, d), false)
	w := d.forgery(options, "webauthn.get")
	w.client["origin"] = "https://canary.test"
	w.rpID = "canary.test"
	_, err := judge(f, in, d.sign(t, w))
	require.Error(t, err)
	require.NotContains(t, err.Error(), "canary")
	_, err = f.Normalize(`{"id":"canary","response":{"signature":"canary"}}`)
	require.ErrorIs(t, err, factor.ErrMalformed)
	require.NotContains(t, err.Error(), "canary")
}
