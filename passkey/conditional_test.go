package passkey_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/secret"
)

// conditional begins an enrolment that the browser is not to prompt for.
func (w *world) conditional(g mfa.Grant) *mfa.Enrollment {
	w.t.Helper()
	e, err := w.Session(annSubject, session).Enroll(w.t.Context(), g,
		mfa.EnrollRequest{Kind: "passkey",
			Params: map[string]secret.Text{"conditional": secret.New("yes")}})
	require.NoError(w.t, err)
	return e
}

// A browser that creates a passkey without a prompt sets neither user present nor user verified
// (WebAuthn Level 3 section 5.1.3). Chromium's virtual authenticator cannot, so the ceremony is
// made here with the flags that it has.
func TestManager_EnrolsWithoutAPrompt(t *testing.T) {
	w, first, d := newWorld(t), newDevice(), newDevice()
	e := w.conditional(w.first(annSubject, first).Grant)
	var options struct{ Mediation string }
	require.NoError(t, json.Unmarshal(e.Prompt.Data, &options))
	require.Equal(t, "conditional", options.Mediation)
	made := d.forgery(e.Prompt.Data, "webauthn.create")
	made.flags = be | bs
	_, err := w.Session(annSubject, session).Confirm(t.Context(), e,
		secret.New(d.attest(t, made)))
	require.NoError(t, err)

	alone := func() error {
		ch := w.open()
		used := d.forgery(ch.Prompt.Data, "webauthn.get")
		used.flags |= be | bs
		used.handle = []byte(d.auth.Options.UserHandle)
		_, err := w.alone(ch, d.sign(t, used))
		return err
	}
	d.auth.Options.UserHandle = first.auth.Options.UserHandle
	require.ErrorIs(t, alone(), factor.ErrIncorrect, "nobody has been verified by it")

	ch, asked := w.asked(annSubject)
	unverified := d.forgery(asked, "webauthn.get")
	unverified.flags = up | be | bs
	_, err = w.second(ch, d.sign(t, unverified))
	require.ErrorIs(t, err, factor.ErrIncorrect, "the flags are unset at the creation alone")

	used := d.forgery(asked, "webauthn.get")
	used.flags |= be | bs
	_, err = w.second(ch, d.sign(t, used))
	require.NoError(t, err)
	require.NoError(t, alone(), "beside a password it has verified its user")
}

// The exception is for the enrolment that asked for it, and for its first use beside a password.
func TestConfirm_NeedsAUserUnlessConditional(t *testing.T) {
	f, d := newFactor(t), newDevice()
	in, options := begun(t, f)
	w := d.forgery(options, "webauthn.create")
	w.flags = be | bs
	_, err := verify(f, in, d.attest(t, w))
	require.ErrorContains(t, err, "no user was present")

	preferred := newFactor(t, func(c *passkey.Config) { c.UserVerification = passkey.Preferred })
	in, options = conditionally(t, preferred)
	w = d.forgery(options, "webauthn.create")
	w.flags = be | bs
	state, err := verify(preferred, in, d.attest(t, w))
	require.NoError(t, err)
	in, options = challenge(t, preferred, state, false)
	w = d.forgery(options, "webauthn.get")
	w.flags = up | be | bs
	state, err = verify(preferred, in, d.sign(t, w))
	require.NoError(t, err)
	in, options = challenge(t, preferred, state, false)
	w = d.forgery(options, "webauthn.get")
	w.flags |= be | bs
	state, err = verify(preferred, in, d.sign(t, w))
	require.NoError(t, err)
	require.NotContains(t, kept(t, state), 4, "later verification raises nothing")
}

// conditionally is begun for an enrolment without a prompt.
func conditionally(t *testing.T, f *passkey.Factor) (factor.VerifyInput, []byte) {
	t.Helper()
	out, err := f.Enroll(t.Context(), factor.EnrollInput{User: ann, Now: start,
		Params: map[string]secret.Text{"conditional": secret.New("yes")}})
	require.NoError(t, err)
	return challenge(t, f, out.State, true)
}

// options are what a browser is asked for an enrolment with an attachment.
func options(t *testing.T, f *passkey.Factor, attachment string) (o struct {
	AuthenticatorSelection struct{ AuthenticatorAttachment string }
	Hints                  []string
}) {
	t.Helper()
	out, err := f.Enroll(t.Context(), factor.EnrollInput{User: ann, Now: start,
		Params: map[string]secret.Text{"attachment": secret.New(attachment)}})
	require.NoError(t, err)
	_, data := challenge(t, f, out.State, true)
	var all struct {
		PublicKey *struct {
			AuthenticatorSelection struct{ AuthenticatorAttachment string }
			Hints                  []string
		}
	}
	all.PublicKey = &o
	require.NoError(t, json.Unmarshal(data, &all))
	return o
}

func TestEnroll_SaysWhichDeviceIsWanted(t *testing.T) {
	f := newFactor(t, func(c *passkey.Config) { c.Hints = []string{"hybrid", "security-key"} })
	for attachment, hints := range map[string][]string{"": {"hybrid", "security-key"},
		"platform": {"client-device"}, "cross-platform": {"security-key", "hybrid"}} {
		o := options(t, f, attachment)
		require.Equal(t, attachment, o.AuthenticatorSelection.AuthenticatorAttachment)
		require.Equal(t, hints, o.Hints, attachment)
	}
	require.Empty(t, options(t, newFactor(t), "").Hints, "the browser decides")
	_, err := f.Enroll(t.Context(), factor.EnrollInput{User: ann, Now: start,
		Params: map[string]secret.Text{"attachment": secret.New("nearby")}})
	require.ErrorIs(t, err, factor.ErrMalformed)
}

func TestNew_RefusesHintsThatAreNone(t *testing.T) {
	for _, list := range [][]string{{"phone"}, {""}, {"hybrid", "hybrid"}} {
		_, err := passkey.New(passkey.Config{RPID: rpID, RPName: "Acme", Origins: []string{origin},
			Hints: list})
		require.ErrorContains(t, err, "Hints must be")
	}
}
