package passkey_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/passkey"
)

func handleOf(t testing.TB, w *world) []byte {
	t.Helper()
	o, err := w.Overview(t.Context(), annSubject)
	require.NoError(t, err)
	return userID(t, o.Factors[0].Data)
}

func userID(t testing.TB, data []byte) []byte {
	t.Helper()
	var p struct {
		UserID string `json:"userId"`
	}
	require.NoError(t, json.Unmarshal(data, &p))
	b, err := decode(p.UserID)
	require.NoError(t, err)
	return b
}

func TestPasswordless_SignsIn(t *testing.T) {
	w, d := newWorld(t), newDevice()
	c := w.first(annSubject, d)
	handle := userID(t, c.Factor.Data)
	ch := w.open()
	var o struct {
		PublicKey struct {
			AllowCredentials []any
			UserVerification string
			RPID             string `json:"rpId"`
			Challenge        string
			Timeout          int
		}
	}
	require.NoError(t, json.Unmarshal(ch.Prompt.Data, &o))
	require.Empty(t, o.PublicKey.AllowCredentials, "nobody is asked in particular")
	require.Equal(t, "required", o.PublicKey.UserVerification)
	require.Equal(t, rpID, o.PublicKey.RPID)
	require.Equal(t, 300_000, o.PublicKey.Timeout)
	require.Len(t, o.PublicKey.Challenge, 43)

	d.auth.Options.UserHandle = handle
	response := d.get(t, ch.Prompt.Data)
	v, err := w.alone(ch, response)
	require.NoError(t, err)
	require.True(t, v.Passwordless)
	require.Equal(t, "42", v.UserID)
	require.Equal(t, "phr", v.ACR)
	require.Equal(t, 2, v.AssuranceLevel)
	_, err = w.alone(ch, response)
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	_, err = w.alone(w.open(), response)
	require.ErrorIs(t, err, factor.ErrIncorrect)
	require.Contains(t, w.events, "verify.success passwordless")
}

// W-9: without a user, the response must say whose it is, and be right about it.
func TestPasswordless_RefusesInvalidResponses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*forged)
		want   error
	}{
		"no user handle": {func(w *forged) { w.handle = nil }, factor.ErrIncorrect},
		"another's user handle": {func(w *forged) {
			w.handle = make([]byte, 32)
		}, factor.ErrIncorrect},
		"nobody verified": {func(w *forged) { w.flags = up }, factor.ErrIncorrect},
		"another credential": {func(w *forged) {
			w.id = make([]byte, 16)
		}, mfa.ErrUnknownFactor},
		"another origin": {func(w *forged) {
			w.client["origin"] = "https://evil.test"
		}, factor.ErrIncorrect},
		"another RP ID": {func(w *forged) {
			w.rpID = "evil.test"
		}, factor.ErrIncorrect},
		"another challenge": {func(w *forged) {
			w.client["challenge"] = text(make([]byte, 32))
		}, factor.ErrIncorrect},
		"signed for an enrolment": {func(w *forged) {
			w.client["type"] = "webauthn.create"
		}, factor.ErrIncorrect},
		"signature":                 {func(w *forged) { w.spoil = true }, factor.ErrIncorrect},
		"its counter is an old one": {func(w *forged) { w.counter = 1 }, factor.ErrReplayed},
		"it has become backed up":   {func(w *forged) { w.flags |= be | bs }, factor.ErrExpired},
		"the page was in a frame": {func(w *forged) {
			w.client["crossOrigin"] = true
		}, factor.ErrIncorrect},
		"no response to a request": {func(w *forged) {
			w.client["type"] = "payment.get"
		}, factor.ErrIncorrect},
		"nothing (it must be right)": {func(*forged) {}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w, d := newWorld(t), newDevice()
			handle := userID(t, w.first(annSubject, d).Factor.Data)
			ch := w.open()
			d.cred.Counter = 6
			forge := d.forgery(ch.Prompt.Data, "webauthn.get")
			forge.handle = handle
			_, err := w.alone(ch, d.sign(t, forge))
			require.NoError(t, err)
			ch = w.open()
			forge = d.forgery(ch.Prompt.Data, "webauthn.get")
			forge.handle = handle
			c.change(&forge)
			_, err = w.alone(ch, d.sign(t, forge))
			require.ErrorIs(t, err, c.want)
		})
	}
}

// W-11: what could not verify users when it was made cannot learn it where nothing else
// vouches for the user.
func TestPasswordless_NeedsUserVerificationSinceEnrolment(t *testing.T) {
	w, d := newWorld(t, func(c *passkey.Config) {
		c.UserVerification = passkey.Preferred
	}), newDevice()
	d.auth.Options.UserNotVerified = true
	d.auth.Options.UserHandle = userID(t, w.first(annSubject, d).Factor.Data)
	d.auth.Options.UserNotVerified = false
	ch := w.open()
	_, err := w.alone(ch, d.get(t, ch.Prompt.Data))
	require.ErrorIs(t, err, factor.ErrIncorrect)
	ch, options := w.asked(annSubject)
	_, err = w.second(ch, d.get(t, options))
	require.NoError(t, err, "beside a password it is good")
}

// W-7: a credential is one user's of all.
func TestEnroll_RefusesAnotherUsersCredential(t *testing.T) {
	w, d := newWorld(t), newDevice()
	c := w.first(annSubject, d)
	ch, err := w.Session(bobSubject, session).Begin(t.Context())
	require.NoError(t, err)
	_, err = w.enrol(bobSubject, ch.Grant, d)
	require.ErrorIs(t, err, mfa.ErrNotAvailable)

	// Removed, it signs nobody in, and may be set up again. Another passkey stays, because the
	// policy requires one.
	other, err := w.enrol(annSubject, c.Grant, newDevice())
	require.NoError(t, err)
	require.NoError(t, w.Session(annSubject, session).Remove(t.Context(), other.Grant, c.Factor.ID))
	d.auth.Options.UserHandle = userID(t, c.Factor.Data)
	open := w.open()
	_, err = w.alone(open, d.get(t, open.Prompt.Data))
	require.ErrorIs(t, err, mfa.ErrUnknownFactor)
	_, err = w.enrol(bobSubject, ch.Grant, d)
	require.NoError(t, err)
}

// W-9: a passkey of another user is no response, though it is a passkey of the application.
func TestVerify_RefusesAnotherUsersPasskey(t *testing.T) {
	w, anns, bobs := newWorld(t), newDevice(), newDevice()
	w.first(annSubject, anns)
	w.first(bobSubject, bobs)
	ch, options := w.asked(annSubject)
	_, err := w.second(ch, bobs.get(t, options))
	require.ErrorIs(t, err, factor.ErrIncorrect)
}
