package passkey_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/descope/virtualwebauthn"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/secret"
)

// W-10.
func TestVerify_DetectsAClone(t *testing.T) {
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
			have, err = verify(refuse, in, d.sign(t, w))
			require.NoError(t, err)
		}
		in, options = challenge(t, refuse, have, false)
		w = d.forgery(options, "webauthn.get")
		w.counter = c.now
		_, err := verify(refuse, in, d.sign(t, w))
		require.Equal(t, c.ok, err == nil, "%d after %d", c.now, c.stored)
		if !c.ok {
			require.ErrorIs(t, err, factor.ErrReplayed)
			in.Response = secret.New(d.sign(t, w))
			v, _ := refuse.Verify(t.Context(), in)
			require.Equal(t, &factor.Verdict{Cloned: true}, v, "and nothing else changes")
		}
		next, err := verify(accept, in, d.sign(t, w))
		require.NoError(t, err)
		if highest := max(c.stored, c.now); highest > 0 {
			require.EqualValues(t, highest, kept(t, next)[3], "the highest is kept")
		}
	}
}

// W-8: what is kept of a credential, to the letter, since it is stored for years.
func TestState_HoldsExactlyTheseFields(t *testing.T) {
	f, d := newFactor(t), newDevice()
	in, options := begun(t, f)
	w := d.forgery(options, "webauthn.create")
	w.flags, w.counter = up|uv|be|bs, 9
	state, err := verify(f, in, d.attest(t, w))
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
func TestVerify_ChangesCounterAndBackupStateOnly(t *testing.T) {
	f, d := newFactor(t, func(c *passkey.Config) {
		c.UserVerification = passkey.Preferred
	}), newDevice()
	d.auth.Options = virtualwebauthn.AuthenticatorOptions{BackupEligible: true,
		UserNotVerified: true}
	state := enrolled(t, f, d)
	require.NotContains(t, kept(t, state), 4)
	d.auth.Options.BackupState, d.auth.Options.UserNotVerified = true, false
	in, options := challenge(t, f, state, false)
	next, err := verify(f, in, d.get(t, options))
	require.NoError(t, err)
	want := kept(t, state)
	want[3], want[6] = uint64(1), true
	require.Equal(t, want, kept(t, next))
}

// W-9: a challenge is for the credentials that were asked for.
func TestVerify_AcceptsAllowedCredentialsOnly(t *testing.T) {
	f, one, two := newFactor(t), newDevice(), newDevice()
	first := enrolled(t, f, one)
	second := enrolled(t, f, two, factor.EnrollOutput{State: first})
	require.Equal(t, kept(t, first)[0], kept(t, second)[0], "one account, one handle")
	in, options := challenge(t, f, first, false)
	require.Contains(t, string(options), text(one.cred.ID))
	require.NotContains(t, string(options), text(two.cred.ID))
	in.State = second
	_, err := verify(f, in, two.get(t, options))
	require.ErrorContains(t, err, "not asked for")
}

// A device that has one already says so, and refused if it makes another.
func TestEnroll_ExcludesEnrolledPasskeys(t *testing.T) {
	f, d := newFactor(t), newDevice()
	state := enrolled(t, f, d)
	in, options := begun(t, f, factor.EnrollOutput{Name: "Passkey", State: state})
	var o struct {
		PublicKey struct{ ExcludeCredentials []struct{ Type, ID string } }
	}
	require.NoError(t, json.Unmarshal(options, &o))
	require.Equal(t, []struct{ Type, ID string }{{"public-key", text(d.cred.ID)}},
		o.PublicKey.ExcludeCredentials)
	_, err := verify(f, in, d.create(t, options))
	require.ErrorContains(t, err, "already")
}

func TestVerify_NeedsAChallenge(t *testing.T) {
	f, d := newFactor(t), newDevice()
	in, options := challenge(t, f, enrolled(t, f, d), false)
	in.Issued = nil
	_, err := verify(f, in, d.get(t, options))
	require.ErrorIs(t, err, factor.ErrIncorrect)
	in.Issued = []byte{}
	_, err = verify(f, in, d.get(t, options))
	require.Error(t, err)
	require.False(t, errors.Is(err, factor.ErrIncorrect),
		"it is our record that is wrong, not the response")
}

// Errors are logged: what a browser sent must not be in them.
func TestErrors_HoldNothingThatWasSent(t *testing.T) {
	f, d := newFactor(t), newDevice()
	in, options := challenge(t, f, enrolled(t, f, d), false)
	w := d.forgery(options, "webauthn.get")
	w.client["origin"] = "https://canary.test"
	w.rpID = "canary.test"
	_, err := verify(f, in, d.sign(t, w))
	require.Error(t, err)
	require.NotContains(t, err.Error(), "canary")
	_, err = f.Normalize(`{"id":"canary","response":{"signature":"canary"}}`)
	require.ErrorIs(t, err, factor.ErrMalformed)
	require.NotContains(t, err.Error(), "canary")
}
