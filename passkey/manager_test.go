package passkey_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

// What only the Manager can see to is tested here with the Manager.

var (
	annSubject = mfa.User{ID: "42", Email: "ann@example.com"}
	bobSubject = mfa.User{ID: "43", Email: "bob@example.com"}
)

func TestManager_SignsInByPasskey(t *testing.T) {
	w, phone, key := newWorld(t), newDevice(), newDevice()
	c := w.first(annSubject, phone)
	require.Equal(t, "Passkey", c.Factor.Name)
	require.Equal(t, "phr", c.Verification.ACR)
	require.Equal(t, 2, c.Verification.AssuranceLevel)
	c, err := w.enrol(annSubject, c.Grant, key)
	require.NoError(t, err)
	require.Equal(t, "Passkey 2", c.Factor.Name)

	for _, d := range []*device{phone, key} {
		ch, options := w.asked(annSubject)
		require.Contains(t, string(options), text(phone.cred.ID))
		require.Contains(t, string(options), text(key.cred.ID))
		response := d.get(t, options)
		v, err := w.second(ch, response)
		require.NoError(t, err)
		require.Equal(t, []string{"pop", "mfa"}, v.AMR)
		require.Equal(t, "phr", v.ACR)
		_, err = w.second(ch, response)
		require.ErrorIs(t, err, mfa.ErrTokenExpired, "what the library would accept again")
		again, _ := w.asked(annSubject)
		_, err = w.second(again, response)
		require.ErrorIs(t, err, factor.ErrIncorrect, "nor is it a response to another challenge")
	}
}

// The library keeps no state and accepts one response as often as it is given; the challenge's
// state is what makes it one success.
func TestVerify_AloneAcceptsAResponseTwice(t *testing.T) {
	f, d := newFactor(t), newDevice()
	in, options := challenge(t, f, enrolled(t, f, d), false)
	response := d.get(t, options)
	for range 2 {
		_, err := verify(f, in, response)
		require.NoError(t, err)
	}
}

func TestVerify_OneOfParallelResponsesSucceeds(t *testing.T) {
	w, d := newWorld(t), newDevice()
	w.first(annSubject, d)
	won := func(try func(*mfa.Manager) error) int32 {
		var n atomic.Int32
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				if try([]*mfa.Manager{w.Manager, w.other}[i%2]) == nil {
					n.Add(1)
				}
			})
		}
		wg.Wait()
		return n.Load()
	}
	ch, options := w.asked(annSubject)
	response := secret.New(d.get(t, options))
	require.EqualValues(t, 1, won(func(m *mfa.Manager) error {
		_, err := m.Session(annSubject, session).Verify(t.Context(), ch, "passkey", response)
		return err
	}))
	ch = w.open()
	d.auth.Options.UserHandle = handleOf(t, w)
	response = secret.New(d.get(t, ch.Prompt.Data))
	require.EqualValues(t, 1, won(func(m *mfa.Manager) error {
		_, err := m.Passwordless(session).Verify(t.Context(), ch, response, lookup)
		return err
	}))
	o, err := w.Overview(t.Context(), annSubject)
	require.NoError(t, err)
	g := w.freshGrant(d)
	e, err := w.Session(annSubject, session).Enroll(t.Context(), g,
		mfa.EnrollRequest{Kind: "passkey"})
	require.NoError(t, err)
	response = secret.New(newDevice().create(t, e.Prompt.Data))
	require.EqualValues(t, 1, won(func(m *mfa.Manager) error {
		_, err := m.Session(annSubject, session).Confirm(t.Context(), e, response)
		return err
	}))
	after, err := w.Overview(t.Context(), annSubject)
	require.NoError(t, err)
	require.Len(t, after.Factors, len(o.Factors)+1)
}

func (w *world) freshGrant(d *device) mfa.Grant {
	w.t.Helper()
	ch, options := w.asked(annSubject)
	v, err := w.second(ch, d.get(w.t, options))
	require.NoError(w.t, err)
	return v.Grant
}

// However many failed attempts come at once, five get a verdict.
func TestVerify_CountsIncorrectResponsesInParallel(t *testing.T) {
	w, d := newWorld(t), newDevice()
	w.first(annSubject, d)
	ch, options := w.asked(annSubject)
	wrong := d.forgery(options, "webauthn.get")
	wrong.spoil = true
	response := d.sign(t, wrong)
	var judged atomic.Int32
	var wg sync.WaitGroup
	for i := range 200 {
		m := []*mfa.Manager{w.Manager, w.other}[i%2]
		wg.Go(func() {
			_, err := m.Session(annSubject, session).Verify(t.Context(), ch, "passkey",
				secret.New(response))
			var a *mfa.AttemptError
			if errors.As(err, &a) {
				judged.Add(1)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 5, judged.Load())
	_, err := w.second(ch, d.get(t, options))
	var locked *mfa.LockedError
	require.ErrorAs(t, err, &locked, "a correct response is refused like an incorrect one")
}

// W-1: a challenge is over when its time is.
func TestCeremony_Expires(t *testing.T) {
	w, d := newWorld(t), newDevice()
	c := w.first(annSubject, d)
	ch, options := w.asked(annSubject)
	open := w.open()
	e, err := w.Session(annSubject, session).Enroll(t.Context(), c.Grant,
		mfa.EnrollRequest{Kind: "passkey"})
	require.NoError(t, err)
	w.clock.Advance(5 * time.Minute)
	_, err = w.second(ch, d.get(t, options))
	require.ErrorIs(t, err, factor.ErrExpired)
	d.auth.Options.UserHandle = userID(t, c.Factor.Data)
	_, err = w.alone(open, d.get(t, open.Prompt.Data))
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	_, err = w.Session(annSubject, session).Confirm(t.Context(), e,
		secret.New(newDevice().create(t, e.Prompt.Data)))
	require.ErrorIs(t, err, factor.ErrExpired)
}

// W-10.
func TestVerify_NotifiesOfAClone(t *testing.T) {
	for _, outcome := range []passkey.Clone{passkey.Refuse, passkey.Accept} {
		w, d := newWorld(t, func(c *passkey.Config) { c.OnClone = outcome }), newDevice()
		w.first(annSubject, d)
		for _, counter := range []uint32{7, 7} {
			ch, options := w.asked(annSubject)
			forge := d.forgery(options, "webauthn.get")
			forge.counter = counter
			w.events = nil
			_, err := w.second(ch, d.sign(t, forge))
			if counter == 7 && err != nil {
				require.Equal(t, passkey.Refuse, outcome)
				require.ErrorIs(t, err, factor.ErrReplayed)
			}
		}
		require.Contains(t, w.events, "factor.cloned")
	}
}

// A response of the greatest length that WebAuthn allows finds its way.
func TestManager_AcceptsTheLongestCredentialID(t *testing.T) {
	w, d := newWorld(t), newDevice()
	d.cred.ID = make([]byte, 1023)
	w.first(annSubject, d)
	ch, options := w.asked(annSubject)
	_, err := w.second(ch, d.get(t, options))
	require.NoError(t, err)
}

// N-4: with passkeys on offer, the profile of NIST's level 2 can be met; N-43: one that does
// not verify users is still something that they have.
func TestManager_MeetsTheProfiles(t *testing.T) {
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	app, err := totp.New(totp.Config{Issuer: "Acme"})
	require.NoError(t, err)
	rows := func(p policy.Profile, factors ...factor.Factor) (rows []string) {
		m, err := mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Factors: factors})
		require.NoError(t, err)
		found, err := m.Audit(t.Context(), p)
		require.NoError(t, err)
		for _, f := range found {
			rows = append(rows, f.Row)
		}
		return rows
	}
	require.Contains(t, rows(policy.ProfileNISTAAL2, app), "N-4")
	require.NotContains(t, rows(policy.ProfileNISTAAL2, newFactor(t), app), "N-4")
	require.Contains(t, rows(policy.ProfileASVSL3, newFactor(t)), "A-4",
		"nothing proves that hardware keeps it")
}
