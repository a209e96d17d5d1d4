package passkey_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

// What only the Manager can see to is tested here with the Manager.

const session = "session-1"

type world struct {
	*mfa.Manager
	t      testing.TB
	clock  *mfatest.Clock
	store  *memory.Store
	events []string
	mu     sync.Mutex
	other  *mfa.Manager // as in another process
}

func newWorld(t testing.TB, change ...func(*passkey.Config)) *world {
	t.Helper()
	app, err := totp.New(totp.Config{Issuer: "Acme"})
	require.NoError(t, err)
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	w := &world{t: t, clock: mfatest.NewClock(start), store: memory.New()}
	cfg := mfa.Config{Store: w.store, Keys: keys, Clock: w.clock,
		Factors:   []factor.Factor{newFactor(t, change...), app},
		Policies:  policy.Static(policy.Policy{Mode: policy.ModeRequired, Passwordless: true}),
		Authorize: func(context.Context, mfa.AdminAction) error { return nil },
		Events: func(_ context.Context, e mfa.Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, strings.TrimSpace(e.Name+" "+e.Reason))
		}}
	w.Manager, err = mfa.New(cfg)
	require.NoError(t, err)
	w.other, err = mfa.New(cfg)
	require.NoError(t, err)
	return w
}

var (
	annSubject = mfa.User{ID: "42", Email: "ann@example.com"}
	bobSubject = mfa.User{ID: "43", Email: "bob@example.com"}
)

func lookup(_ context.Context, named mfa.User) (mfa.User, error) {
	for _, s := range []mfa.User{annSubject, bobSubject} {
		if s.ID == named.ID {
			return s, nil
		}
	}
	return mfa.User{}, errors.New("nobody")
}

// enrol is the whole road of an enrolment.
func (w *world) enrol(s mfa.User, g mfa.Grant, d *device) (*mfa.Confirmation, error) {
	w.t.Helper()
	e, err := w.Session(s, session).Enroll(w.t.Context(), g, mfa.EnrollRequest{Kind: "passkey"})
	require.NoError(w.t, err)
	require.NotEmpty(w.t, e.Prompt.Data)
	return w.Session(s, session).Confirm(w.t.Context(), e, secret.New(d.create(w.t, e.Prompt.Data)))
}

// first enrols the first passkey of a person.
func (w *world) first(s mfa.User, d *device) *mfa.Confirmation {
	w.t.Helper()
	ch, err := w.Session(s, session).Begin(w.t.Context())
	require.NoError(w.t, err)
	require.Equal(w.t, mfa.NextEnroll, ch.Next)
	c, err := w.enrol(s, ch.Grant, d)
	require.NoError(w.t, err)
	require.NotNil(w.t, c.Verification)
	return c
}

// asked begins a second factor and returns the options.
func (w *world) asked(s mfa.User) (*mfa.Challenge, []byte) {
	w.t.Helper()
	ch, err := w.Session(s, session).Begin(w.t.Context())
	require.NoError(w.t, err)
	d, err := w.Session(s, session).Send(w.t.Context(), ch, "passkey")
	require.NoError(w.t, err)
	return ch, d.Prompt.Data
}

func (w *world) second(ch *mfa.Challenge, response string) (*mfa.Verification, error) {
	return w.Session(annSubject, session).Verify(w.t.Context(), ch, "passkey", secret.New(response))
}

func (w *world) open() *mfa.Challenge {
	w.t.Helper()
	ch, err := w.Passwordless(session).Begin(w.t.Context(), "passkey")
	require.NoError(w.t, err)
	return ch
}

func (w *world) alone(ch *mfa.Challenge, response string) (*mfa.Verification, error) {
	return w.Passwordless(session).Verify(w.t.Context(), ch, secret.New(response), lookup)
}

func TestSecondFactor(t *testing.T) {
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
		answer := d.get(t, options)
		v, err := w.second(ch, answer)
		require.NoError(t, err)
		require.Equal(t, []string{"pop", "mfa"}, v.AMR)
		require.Equal(t, "phr", v.ACR)
		_, err = w.second(ch, answer)
		require.ErrorIs(t, err, mfa.ErrTokenExpired, "what the library would accept again")
		again, _ := w.asked(annSubject)
		_, err = w.second(again, answer)
		require.ErrorIs(t, err, factor.ErrIncorrect, "nor is it an answer to another challenge")
	}
}

// The library keeps no state and accepts one answer as often as it is given; the challenge's
// state is what makes it one success.
func TestLibraryAcceptsTwice(t *testing.T) {
	f, d := newFactor(t), newDevice()
	in, options := challenge(t, f, enrolled(t, f, d), false)
	answer := d.get(t, options)
	for range 2 {
		_, err := judge(f, in, answer)
		require.NoError(t, err)
	}
}

func TestOneSuccessInParallel(t *testing.T) {
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
	answer := secret.New(d.get(t, options))
	require.EqualValues(t, 1, won(func(m *mfa.Manager) error {
		_, err := m.Session(annSubject, session).Verify(t.Context(), ch, "passkey", answer)
		return err
	}))
	ch = w.open()
	d.auth.Options.UserHandle = handleOf(t, w)
	answer = secret.New(d.get(t, ch.Prompt.Data))
	require.EqualValues(t, 1, won(func(m *mfa.Manager) error {
		_, err := m.Passwordless(session).Verify(t.Context(), ch, answer, lookup)
		return err
	}))
	o, err := w.Overview(t.Context(), annSubject)
	require.NoError(t, err)
	g := w.freshGrant(d)
	e, err := w.Session(annSubject, session).Enroll(t.Context(), g,
		mfa.EnrollRequest{Kind: "passkey"})
	require.NoError(t, err)
	answer = secret.New(newDevice().create(t, e.Prompt.Data))
	require.EqualValues(t, 1, won(func(m *mfa.Manager) error {
		_, err := m.Session(annSubject, session).Confirm(t.Context(), e, answer)
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

// However many wrong answers come at once, five get a verdict.
func TestWrongAnswersInParallel(t *testing.T) {
	w, d := newWorld(t), newDevice()
	w.first(annSubject, d)
	ch, options := w.asked(annSubject)
	wrong := d.forgery(options, "webauthn.get")
	wrong.spoil = true
	answer := d.sign(t, wrong)
	var judged atomic.Int32
	var wg sync.WaitGroup
	for i := range 200 {
		m := []*mfa.Manager{w.Manager, w.other}[i%2]
		wg.Go(func() {
			_, err := m.Session(annSubject, session).Verify(t.Context(), ch, "passkey",
				secret.New(answer))
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
	require.ErrorAs(t, err, &locked, "a right answer is refused like a wrong one")
}

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

func TestPasswordless(t *testing.T) {
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
	answer := d.get(t, ch.Prompt.Data)
	v, err := w.alone(ch, answer)
	require.NoError(t, err)
	require.True(t, v.Passwordless)
	require.Equal(t, "42", v.UserID)
	require.Equal(t, "phr", v.ACR)
	require.Equal(t, 2, v.AssuranceLevel)
	_, err = w.alone(ch, answer)
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	_, err = w.alone(w.open(), answer)
	require.ErrorIs(t, err, factor.ErrIncorrect)
	require.Contains(t, w.events, "verify.success passwordless")
}

// W-9: without a person, the answer must say whose it is, and be right about it.
func TestPasswordlessRefused(t *testing.T) {
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
		"it has become backed up":   {func(w *forged) { w.flags |= be | bs }, factor.ErrIncorrect},
		"the page was in a frame": {func(w *forged) {
			w.client["crossOrigin"] = true
		}, factor.ErrIncorrect},
		"no answer to a request": {func(w *forged) {
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

// W-11: what could not verify people when it was made cannot learn it where nothing else
// vouches for the person.
func TestPasswordlessWantsAVerifyingPasskey(t *testing.T) {
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

// W-7: a credential is one person's of all.
func TestCredentialOfAnother(t *testing.T) {
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

// W-9: a passkey of another person is no answer, though it is a passkey of the application.
func TestPasskeyOfAnother(t *testing.T) {
	w, anns, bobs := newWorld(t), newDevice(), newDevice()
	w.first(annSubject, anns)
	w.first(bobSubject, bobs)
	ch, options := w.asked(annSubject)
	_, err := w.second(ch, bobs.get(t, options))
	require.ErrorIs(t, err, factor.ErrIncorrect)
}

// W-1: a challenge is over when its time is.
func TestCeremonyEnds(t *testing.T) {
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
func TestCloneIsTold(t *testing.T) {
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

// An answer of the greatest length that WebAuthn allows finds its way.
func TestLongestIdentifier(t *testing.T) {
	w, d := newWorld(t), newDevice()
	d.cred.ID = make([]byte, 1023)
	w.first(annSubject, d)
	ch, options := w.asked(annSubject)
	_, err := w.second(ch, d.get(t, options))
	require.NoError(t, err)
}

// N-4: with passkeys on offer, the profile of NIST's level 2 can be met; N-43: one that does
// not verify people is still something that they have.
func TestProfiles(t *testing.T) {
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
