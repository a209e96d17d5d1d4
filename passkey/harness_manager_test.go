package passkey_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

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
	return newWorldUnder(t, policy.Static(policy.Policy{Mode: policy.ModeRequired,
		Passwordless: true}), change...)
}

func newKeys(t testing.TB) *seal.Keyring {
	t.Helper()
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	return keys
}

func newWorldUnder(
	t testing.TB, policies policy.Source, change ...func(*passkey.Config),
) *world {
	t.Helper()
	app, err := totp.New(totp.Config{Issuer: "Acme"})
	require.NoError(t, err)
	keys := newKeys(t)
	w := &world{t: t, clock: mfatest.NewClock(start), store: memory.New()}
	cfg := mfa.Config{Store: w.store, Keys: keys, Clock: w.clock,
		Factors:   []factor.Factor{newFactor(t, change...), app},
		Policies:  policies,
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

// first enrols the first passkey of a user.
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
