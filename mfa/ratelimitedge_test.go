package mfa_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
)

// until sends codes for a challenge until a limit refuses, or to the number given.
func (r *rig) until(m *mfa.Manager, most int) (sent int) {
	r.t.Helper()
	for ch := r.begin(ann); sent < most; sent++ {
		_, err := m.Session(ann, binding).Send(r.t.Context(), ch, "mail")
		var limited *mfa.RateLimitError
		if errors.As(err, &limited) {
			return sent
		}
		require.NoError(r.t, err)
	}
	return sent
}

func TestRateLimits_Defaults(t *testing.T) {
	r := newRig(t)
	require.Equal(t, 30, r.until(r.Manager, 40))
	r.clock.Advance(61 * time.Minute)
	require.Equal(t, 30, r.until(r.Manager, 40))
	for key := range dump(t, r.store) {
		require.False(t, strings.HasPrefix(key, "b/"), "no shared limit is charged: %s", key)
	}
}

// Without a limit nothing is counted, and what was counted before is forgotten.
func TestRateLimits_NegativeIsNone(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) { c.RateLimits.PerUser = 3 })
	require.Equal(t, 3, r.until(r.Manager, 5))
	r.cfg.RateLimits = mfa.RateLimits{PerUser: -1, PerDestination: -1, PerKind: -1}
	require.Equal(t, 40, r.until(r.another(), 40))
	require.Equal(t, 3, r.until(r.Manager, 5), "the three from before are forgotten")
	unlimited := r.another()
	g := r.signInOver(unlimited)
	for range 25 {
		_, err := unlimited.Session(ann, binding).Enroll(t.Context(), g, mfa.EnrollRequest{
			Kind: "mail", Params: map[string]secret.Text{"address": secret.New("x@example.com")}})
		require.NoError(t, err, "of a destination that is not verified")
	}
}

// signInOver signs ann in by mail, over another Manager.
func (r *rig) signInOver(m *mfa.Manager) mfa.Grant {
	r.t.Helper()
	ch := r.begin(ann)
	_, err := m.Session(ann, binding).Send(r.t.Context(), ch, "mail")
	require.NoError(r.t, err)
	v, err := m.Session(ann, binding).Verify(r.t.Context(), ch, "mail", r.mail.code(ann.Email))
	require.NoError(r.t, err)
	return v.Grant
}

// A limit of a destination that is set counts for every message there, and takes the place of the
// one for destinations that are not verified.
func TestRateLimits_PerDestinationTakesThePlaceOfTheDefault(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) {
		c.RateLimits = mfa.RateLimits{PerUser: -1,
			PerDestination: 22}
	})
	g := r.signIn(ann).Grant
	for range 22 {
		_, err := r.begun(g, "mail", "x@example.com")
		require.NoError(t, err)
	}
	_, err := r.begun(g, "mail", "x@example.com")
	var limited *mfa.RateLimitError
	require.ErrorAs(t, err, &limited)
}

// A message without a destination, such as a request to a device, has no limit of one.
func TestRateLimits_OfNoDestination(t *testing.T) {
	r := newApprovalRig(t, func(c *mfa.Config) { c.RateLimits.PerDestination = 2 })
	for range 4 {
		r.sent("sign-in", "push")
	}
}

// sharedKeys returns the keys of the limits that several users share.
func sharedKeys(t *testing.T, r *rig) (keys []string) {
	for key := range dump(t, r.store) {
		if strings.HasPrefix(key, "b/") {
			keys = append(keys, key)
		}
	}
	return keys
}

// put writes data under a key in place of what is there.
func (r *rig) put(key string, data []byte) {
	r.t.Helper()
	old, err := r.store.Get(r.t.Context(), key)
	require.NoError(r.t, err)
	require.NoError(r.t, r.store.Swap(r.t.Context(), key, old.Revision,
		storage.Record{Revision: old.Revision + "x", Data: data}))
}

// A shared limit that cannot be read sends nothing. One under a key that was taken away is more
// than an hour old, and counts no more.
func TestRateLimits_ThatCannotBeRead(t *testing.T) {
	for _, limits := range []mfa.RateLimits{{PerDestination: 5}, {PerKind: 5},
		{PerDestination: 5, PerKind: 5}} {
		r := newRig(t, func(c *mfa.Config) { c.RateLimits = limits })
		require.Equal(t, 2, r.until(r.Manager, 2))
		keys := sharedKeys(t, r)
		odd, err := cbor.Marshal(record.SendLog{1, 2, 3})
		require.NoError(t, err)
		text, err := cbor.Marshal("text")
		require.NoError(t, err)
		for name, of := range map[string]func(key string) []byte{
			"damaged":  func(string) []byte { return []byte("damaged") },
			"odd":      func(key string) []byte { return r.cfg.Keys.Seal("budget", key, odd) },
			"no log":   func(key string) []byte { return r.cfg.Keys.Seal("budget", key, text) },
			"tampered": func(key string) []byte { return r.cfg.Keys.Seal("budget", key+"x", odd) },
		} {
			for _, key := range keys {
				before, err := r.store.Get(t.Context(), key)
				require.NoError(t, err)
				r.put(key, of(key))
				sent := r.messages()
				_, err = r.Session(ann, binding).Send(t.Context(), r.begin(ann), "mail")
				require.ErrorIs(t, err, mfa.ErrUnavailable, name)
				require.Equal(t, sent, r.messages(), name)
				r.put(key, before.Data)
			}
		}
		retired, err := seal.NewKeyring(seal.GenerateKey())
		require.NoError(t, err)
		for _, key := range keys {
			r.put(key, retired.Seal("budget", key, odd))
		}
		require.Equal(t, 5, r.until(r.Manager, 6))
	}
}

// A refund leaves a shared limit that cannot be read, and deletes one that counts nothing more.
func TestRateLimits_RefundOfWhatCannotBeRead(t *testing.T) {
	for _, damage := range []bool{false, true} {
		r := newRig(t, func(c *mfa.Config) { c.RateLimits.PerDestination = 5 })
		ch := r.begin(ann)
		// The second write is that of the record; it fails, and the charge is given back.
		r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{})
		r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Before: errDisk, Run: func(context.Context,
			string) {
			if damage {
				r.put(sharedKeys(t, r)[0], []byte("damaged"))
			}
		}})
		_, err := r.Session(ann, binding).Send(t.Context(), ch, "mail")
		require.ErrorIs(t, err, errDisk)
		if damage {
			require.Len(t, sharedKeys(t, r), 1)
		} else {
			require.Empty(t, sharedKeys(t, r))
		}
	}
}

// A message that a limit for all users refuses writes nothing.
func TestRateLimit_ARefusalWritesNothing(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) { c.RateLimits.PerDestination = 1 })
	ch := r.begin(ann)
	r.send(ch)
	before := r.store.Calls(mfatest.OpSwap)
	var limited *mfa.RateLimitError
	_, err := r.Session(ann, binding).Send(t.Context(), ch, "mail")
	require.ErrorAs(t, err, &limited)
	require.Equal(t, before, r.store.Calls(mfatest.OpSwap))
}
