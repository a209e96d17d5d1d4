package mfa_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

var errDisk = errors.New("disk full")

// A fault before or after any read or write of an response never yields a success that is
// not recorded, and never a second one.
func TestVerify_FaultsNeverYieldAnUnrecordedSuccess(t *testing.T) {
	faults := map[string]struct {
		op    mfatest.Op
		fault mfatest.Fault
	}{
		"read fails":            {mfatest.OpGet, mfatest.Fault{Before: errDisk}},
		"write fails":           {mfatest.OpSwap, mfatest.Fault{Before: errDisk}},
		"written, then fails":   {mfatest.OpSwap, mfatest.Fault{After: errDisk}},
		"read pretends absence": {mfatest.OpGet, mfatest.Fault{Before: storage.ErrNotFound}},
	}
	for name, f := range faults {
		for _, kind := range []string{"app", "mail", "pin", "recovery"} {
			for skip := range 2 { // the first or the second write of an expensive response
				t.Run(fmt.Sprint(name, " ", kind, " ", skip), func(t *testing.T) {
					r := newRig(t)
					g := r.withApp(ann, "tulip").Grant
					g = r.enroll(g, "pin", "123456").Grant
					g = r.stepUp("app", "tulip", g)
					_, err := r.Session(ann, binding).NewRecoveryCodes(t.Context(), g)
					require.NoError(t, err)
					ch := r.begin(ann)
					r.send(ch)
					right := map[string]secret.Text{"app": secret.New("tulip"),
						"mail": r.mail.code(ann.Email), "pin": secret.New("123456"),
						"recovery": secret.New("c")}[kind]
					if skip > 0 {
						r.store.Inject(f.op, skip, mfatest.Fault{})
					}
					r.store.Inject(f.op, 1, f.fault)
					wins := 0
					v, err := r.verify(ch, kind, right)
					if err == nil {
						wins++
						require.NotNil(t, v)
					} else {
						require.Nil(t, v)
						require.True(t, errors.Is(err, mfa.ErrUnavailable) || errors.Is(err,
							mfa.ErrRecordMissing) || errors.Is(err, mfa.ErrTokenExpired), "got %v",
							err)
					}
					r.store.Heal()
					r.clock.Advance(31 * time.Second) // the lease of an response left unsettled
					for range 3 {
						if _, err := r.verify(ch, kind, right); err == nil {
							wins++
						}
					}
					require.LessOrEqual(t, wins, 1)
				})
			}
		}
	}
}

func TestBegin_FailsForAnUnreadableRecord(t *testing.T) {
	r := newRig(t)
	r.withApp(ann, "tulip")
	bob := person(1)
	r.withApp(bob, "rose")
	keyOf := func(id string) string {
		for k := range dump(t, r.store) {
			if strings.HasPrefix(k, "p/") && strings.HasSuffix(k, "/"+id) {
				return k
			}
		}
		t.Fatal("no record")
		return ""
	}
	mine, his := keyOf("ann"), keyOf("p1")
	put := func(data []byte) {
		old, err := r.store.Get(t.Context(), mine)
		require.NoError(t, err)
		require.NoError(t, r.store.Swap(t.Context(), mine, old.Revision,
			storage.Record{Revision: old.Revision + "x", Data: data}))
	}
	good, err := r.store.Get(t.Context(), mine)
	require.NoError(t, err)
	other, err := r.store.Get(t.Context(), his)
	require.NoError(t, err)
	flipped := bytes.Clone(good.Data)
	flipped[len(flipped)-1] ^= 1
	for _, c := range []struct {
		name string
		data []byte
		want error
	}{
		{"another person's", other.Data, seal.ErrWrongBinding},
		{"flipped bit", flipped, seal.ErrTampered},
		{"garbage", []byte("garbage"), seal.ErrMalformed},
	} {
		put(c.data)
		_, err := r.Session(ann, binding).Begin(t.Context())
		require.ErrorIs(t, err, mfa.ErrUnavailable, c.name)
		require.ErrorIs(t, err, c.want, c.name)
		_, err = r.Overview(t.Context(), ann)
		require.ErrorIs(t, err, c.want, c.name)
	}
	put(good.Data)
	_, err = r.verify(r.begin(ann), "app", secret.New("tulip"))
	require.NoError(t, err)
}

func TestKeys_RotateOnTheNextWrite(t *testing.T) {
	store, old, fresh := memory.New(), seal.GenerateKey(), seal.GenerateKey()
	with := func(keys ...[]byte) *rig {
		return newRig(t, func(c *mfa.Config) {
			c.Store = store
			var err error
			c.Keys, err = seal.NewKeyring(keys[0], keys[1:]...)
			require.NoError(t, err)
		})
	}
	r := with(old)
	r.withApp(ann, "tulip")
	r = with(fresh, old)
	// written anew, with the new key
	_, err := r.verify(r.begin(ann), "app", secret.New("tulip"))
	require.NoError(t, err)
	r = with(fresh)
	require.Equal(t, mfa.NextVerify, r.begin(ann).Next)
	r = with(old)
	_, err = r.Session(ann, binding).Begin(t.Context())
	require.ErrorIs(t, err, seal.ErrUnknownKey)
}

func TestBegin_FailsWithoutAPolicy(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) { c.Policies = brokenPolicies{} })
	_, err := r.Session(ann, binding).Begin(t.Context())
	require.ErrorIs(t, err, mfa.ErrUnavailable)
}

type brokenPolicies struct{}

func (brokenPolicies) Policy(context.Context, policy.Scope) (policy.Policy, error) {
	return policy.Policy{Mode: policy.ModeOff}, errDisk
}

func TestManager_HonoursACancelledContext(t *testing.T) {
	r := newRig(t)
	ch := r.begin(ann)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := r.Session(ann, binding).Verify(ctx, ch, "mail", secret.New("000000"))
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.ErrorIs(t, err, context.Canceled)
}

// A deadline that passes while the factor is at work is an outage like any other, for every kind
// of factor: applications branch on ErrUnavailable.
func TestManagerVerify_ReportsADeadlineWhileTheFactorWorksAsUnavailable(t *testing.T) {
	for _, kind := range []string{"app", "pin"} {
		t.Run(kind, func(t *testing.T) {
			r := newRig(t)
			r.enroll(r.signIn(ann).Grant, kind, "123456")
			ch := r.begin(ann)
			ctx, cancel := context.WithCancel(t.Context())
			r.app.verify = func(factor.VerifyInput) { cancel() }
			r.pin.verify = r.app.verify
			_, err := r.Session(ann, binding).Verify(ctx, ch, kind, secret.New("wrong"))
			require.ErrorIs(t, err, mfa.ErrUnavailable)
			require.ErrorIs(t, err, context.Canceled)
		})
	}
}

func TestToken_IsForOneUser(t *testing.T) {
	r := newRig(t)
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	stranger := newRig(t, func(c *mfa.Config) { c.Keys = keys })
	_, err = r.verify(stranger.begin(ann), "mail", secret.New("000000"))
	require.ErrorIs(t, err, mfa.ErrToken, "another installation's")
	theirs := stranger.withApp(ann, "word").Grant
	require.ErrorIs(t, r.Session(ann, binding).Check(t.Context(), theirs), mfa.ErrToken)

	// Bob's challenge, even in ann's session, is bob's.
	r.withApp(ann, "tulip")
	bob := person(1)
	r.withApp(bob, "rose")
	for _, user := range []mfa.User{ann, bob} {
		v, err := r.Session(user, binding).
			Verify(t.Context(), r.begin(bob), "app", secret.New("tulip"))
		require.ErrorIs(t, err, map[string]error{ann.ID: mfa.ErrToken,
			bob.ID: factor.ErrIncorrect}[user.ID])
		require.Nil(t, v)
	}
	same := mfa.User{ID: "ann", Tenant: "other", Email: ann.Email, EmailVerified: true}
	require.Len(t, r.begin(same).Options, 1, "the same id in another tenant is another person")
}

func TestAdmin_AsksTheApplicationFirst(t *testing.T) {
	for _, authorize := range []func(context.Context, mfa.AdminAction) error{
		nil, func(context.Context, mfa.AdminAction) error { return errors.New("not an owner") },
	} {
		r := newRig(t, func(c *mfa.Config) { c.Authorize = authorize })
		admin := r.Admin(mfa.System("mallory"), "")
		require.ErrorIs(t, admin.Reset(t.Context(), ann), mfa.ErrForbidden)
		require.ErrorIs(t, admin.Unlock(t.Context(), ann), mfa.ErrForbidden)
		require.ErrorIs(t, admin.Delete(t.Context(), ann), mfa.ErrForbidden)
		_, err := admin.SendVerificationLink(t.Context(), ann)
		require.ErrorIs(t, err, mfa.ErrForbidden)
		require.ErrorIs(t, r.Admin(mfa.System("mallory"), "").SetPolicy(t.Context(),
			policy.StoredPolicy{}), mfa.ErrForbidden)
		require.ErrorIs(t, r.Admin(mfa.Actor{}, "").Reset(t.Context(), ann), factor.ErrMalformed,
			"an act has an actor")
	}
}

func TestReset_VoidsEverythingIssued(t *testing.T) {
	r := newRig(t)
	g := r.withApp(ann, "tulip").Grant
	e, err := r.begun(g, "app", "rose")
	require.NoError(t, err)
	ch := r.begin(ann)
	r.send(ch)
	require.NoError(t, r.Admin(mfa.System("root"), "lost phone").Reset(t.Context(), ann))

	_, err = r.verify(ch, "mail", r.mail.code(ann.Email))
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	_, err = r.begun(g, "app", "thief")
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	_, err = r.Session(ann, binding).Confirm(t.Context(), e, secret.New("rose"))
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	ch = r.begin(ann)
	require.Len(t, ch.Options, 1, "the implied address")
	r.signIn(ann)
	last := r.events[0]
	for _, ev := range r.events {
		if ev.Name == "admin.reset" {
			last = ev
		}
	}
	require.Equal(t, "root", last.Actor)
	require.Equal(t, "lost phone", last.Note)
}

// A user without a record has nothing to remove, but may have a challenge and a grant.
func TestReset_VoidsWhatWasIssuedBeforeThereWasARecord(t *testing.T) {
	r := newRig(t)
	bob := mfa.User{ID: "bob", UserType: "employee"}
	ch, first := r.begin(ann), r.begin(bob)
	require.Equal(t, mfa.NextEnroll, first.Next)
	admin := r.Admin(mfa.System("root"), "stolen password")
	require.NoError(t, admin.Reset(t.Context(), ann))
	require.NoError(t, admin.Reset(t.Context(), bob))

	_, err := r.Session(ann, binding).Send(t.Context(), ch, "mail")
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	_, err = r.begun(first.Grant, "app", "thief")
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	r.signIn(ann)
	r.enroll(r.begin(bob).Grant, "app", "tulip")
}

func TestDelete_LeavesNothing(t *testing.T) {
	r := newRig(t)
	g := r.withApp(ann, "tulip").Grant
	require.NoError(t, r.Admin(mfa.System("root"), "").Delete(t.Context(), ann))
	for k := range dump(t, r.store) {
		require.NotContains(t, k, "ann")
	}
	_, err := r.begun(g, "app", "thief")
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
}

func TestLockout_OfOneKindOnly(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) { c.Lockout = lockout.Config{KindOnly: true} })
	g := r.withApp(ann, "tulip").Grant
	r.enroll(g, "pin", "123456")
	for range 5 {
		_, err := r.verify(r.begin(ann), "pin", secret.New("wrong"))
		require.ErrorIs(t, err, factor.ErrIncorrect)
	}
	_, err := r.verify(r.begin(ann), "pin", secret.New("123456"))
	requireLocked(t, err)
	_, err = r.verify(r.begin(ann), "app", secret.New("tulip"))
	require.NoError(t, err)
}

// While the store cannot be read, everything says so; no user signs in or is asked to enrol.
func TestManager_FailsWhenTheStoreCannotBeRead(t *testing.T) {
	r := newRig(t)
	v := r.signIn(ann)
	ch := r.begin(ann)
	e, err := r.begun(v.Grant, "app", "tulip")
	require.NoError(t, err)
	for name, call := range map[string]func() error{
		"Begin": func() error {
			_, err := r.Session(ann, binding).Begin(t.Context())
			return err
		},
		"Overview": func() error { _, err := r.Overview(t.Context(), ann); return err },
		"Policy":   func() error { _, err := r.Policy(t.Context(), policy.Scope{}); return err },
		"Send": func() error {
			_, err := r.Session(ann, binding).Send(t.Context(), ch, "mail")
			return err
		},
		"Verify": func() error {
			_, err := r.verify(ch, "mail", secret.New("000000"))
			return err
		},
		"Enroll": func() error { _, err := r.begun(v.Grant, "app", "rose"); return err },
		"Confirm": func() error {
			_, err := r.Session(ann, binding).Confirm(t.Context(), e, secret.New("tulip"))
			return err
		},
		"Rename": func() error {
			return r.Session(ann, binding).Rename(t.Context(), v.Grant, mfa.FactorInfo{ID: "x",
				Name: "y"})
		},
		"Reset":  func() error { return r.Admin(boss, "").Reset(t.Context(), ann) },
		"Unlock": func() error { return r.Admin(boss, "").Unlock(t.Context(), ann) },
		"Delete": func() error { return r.Admin(boss, "").Delete(t.Context(), ann) },
		"SendConfirmation": func() error {
			_, err := r.Admin(boss, "").SendVerificationLink(t.Context(), ann)
			return err
		},
		"SetPolicy": func() error {
			return r.Admin(mfa.System("root"), "").SetPolicy(t.Context(),
				policy.StoredPolicy{})
		},
	} {
		r.store.Inject(mfatest.OpGet, -1, mfatest.Fault{Before: errDisk})
		err := call()
		r.store.Heal()
		require.ErrorIs(t, err, mfa.ErrUnavailable, name)
		require.ErrorIs(t, err, errDisk, name)
		// The policy is read first; also fail the read of the record after it.
		r.store.Inject(mfatest.OpGet, 1, mfatest.Fault{})
		r.store.Inject(mfatest.OpGet, -1, mfatest.Fault{Before: errDisk})
		err = call()
		r.store.Heal()
		if name == "Begin" || name == "Overview" {
			require.ErrorIs(t, err, mfa.ErrUnavailable, name)
		}
	}
}
