package mfa_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
)

// newcomer has no address, so that the first sign-in gives a grant to enrol.
var newcomer = mfa.User{ID: "newcomer"}

func (r *rig) forget(s mfa.User) {
	r.t.Helper()
	require.NoError(r.t, r.Admin(mfa.System("root"), "").Delete(r.t.Context(), s))
}

// old is what was handed out to ann and to the newcomer before they had records.
type old struct {
	challenge *mfa.Challenge
	grant     mfa.Grant
}

func (r *rig) handOut() old { return old{r.begin(ann), r.begin(newcomer).Grant} }

// use uses everything that was handed out, and returns what is said to each.
func (r *rig) use(o old) map[string]error {
	_, sent := r.Session(ann, binding).Send(r.t.Context(), o.challenge, "mail")
	_, verified := r.verify(o.challenge, "mail", secret.New("000000"))
	_, enrolled := r.begun(o.grant, "app", "tulip")
	return map[string]error{
		"Send": sent, "Verify": verified, "Enroll": enrolled,
		"CheckGrant": r.Session(newcomer, binding).Check(r.t.Context(), o.grant),
		"RequestSupport": r.Session(ann, binding).RequestSupport(r.t.Context(), o.challenge,
			report.Case{}),
		"Abandon": r.Session(ann, binding).Cancel(r.t.Context(), o.challenge),
		"SendSetupLink": second(r.Session(ann, binding).SendRecoveryLink(r.t.Context(),
			o.challenge)),
	}
}

func second[T any](_ T, err error) error { return err }

// TestForgetSubject_OldTokensStayDead lets no time pass: what was handed out before a
// deletion, without a record or with one, is refused; what is handed out after it works, until
// the next deletion; and a record made meanwhile does not help the old ones.
func TestForgetSubject_OldTokensStayDead(t *testing.T) {
	for _, advance := range []time.Duration{0, time.Second, 14 * time.Minute} {
		t.Run(advance.String(), func(t *testing.T) {
			r := newRig(t)
			all := []old{r.handOut()}
			for i := range 3 {
				r.forget(ann)
				r.forget(newcomer)
				now := r.handOut()
				for _, o := range all {
					for name, err := range r.use(o) {
						require.ErrorIs(t, err, mfa.ErrTokenExpired, "%s after %d deletions", name,
							i+1)
					}
				}
				for key := range dump(t, r.store) {
					require.False(t, strings.HasPrefix(key, "p/"), "nothing was written")
				}
				r.signInWith(now.challenge)
				r.enroll(now.grant, "app", "tulip")
				for _, o := range all { // although there is a record of the same moment
					for name, err := range r.use(o) {
						require.ErrorIs(t, err, mfa.ErrTokenExpired, "%s after %d deletions", name,
							i+1)
					}
				}
				all = append(all, now)
				r.clock.Advance(advance)
			}
		})
	}
}

// signInWith completes a challenge by mail.
func (r *rig) signInWith(ch *mfa.Challenge) {
	r.t.Helper()
	r.send(ch)
	_, err := r.verify(ch, "mail", r.mail.code(ann.Email))
	require.NoError(r.t, err)
}

// TestForgetSubject_TokensOfEveryAgeWork begins a challenge each few minutes after a deletion,
// and completes it at the last moment: no boundary of the tombstone's life is in the way, with
// and without a record made meanwhile.
func TestForgetSubject_TokensOfEveryAgeWork(t *testing.T) {
	for minutes := 0; minutes <= 150; minutes += 5 {
		for _, reseal := range []bool{false, true} {
			t.Run(fmt.Sprint(minutes, reseal), func(t *testing.T) {
				r := newRig(t, func(c *mfa.Config) {
					c.ChallengeTTL, c.GrantTTL = time.Hour,
						time.Hour
				})
				r.forget(ann)
				r.forget(newcomer)
				r.clock.Advance(time.Duration(minutes) * time.Minute)
				o := r.handOut()
				r.clock.Advance(time.Hour - time.Minute)
				if reseal {
					for _, err := range r.Reencrypt(t.Context(), "") {
						require.NoError(t, err)
					}
				}
				r.signInWith(o.challenge)
				two := r.begin(ann)
				r.enroll(o.grant, "app", "tulip")
				r.signInWith(two)
			})
		}
	}
}

// A token from before a deletion is refused until it ends by itself, whatever its age, whether
// or not what was left behind has been removed meanwhile.
func TestForgetSubject_OldTokensOfEveryAgeStayDead(t *testing.T) {
	for minutes := 0; minutes <= 65; minutes += 5 {
		r := newRig(t, func(c *mfa.Config) { c.ChallengeTTL, c.GrantTTL = time.Hour, time.Hour })
		o := r.handOut()
		r.forget(ann)
		r.forget(newcomer)
		r.clock.Advance(time.Duration(minutes) * time.Minute)
		for _, err := range r.Reencrypt(t.Context(), "") {
			require.NoError(t, err)
		}
		for name, err := range r.use(o) {
			require.ErrorIs(t, err, mfa.ErrTokenExpired, "%s after %d minutes", name, minutes)
		}
	}
}

// What is left of a deleted user names nobody, is one small record, and is removed.
func TestForgetSubject_LeavesATombstoneForAWhile(t *testing.T) {
	r := newRig(t)
	r.withApp(ann, "tulip")
	r.forget(ann)
	r.forget(ann)
	left := dump(t, r.store)
	require.Len(t, left, 1)
	for key, data := range left {
		require.True(t, strings.HasPrefix(key, "f/"))
		require.NotContains(t, key, "ann")
		require.Less(t, len(data), 128)
	}
	r.clock.Advance(2 * time.Hour)
	for range r.Reencrypt(t.Context(), "") {
	}
	require.Len(t, dump(t, r.store), 1)
	r.clock.Advance(10 * time.Minute)
	removed := 0
	for p, err := range r.Reencrypt(t.Context(), "") {
		require.NoError(t, err)
		removed = p.Removed
	}
	require.Equal(t, 1, removed)
	require.Empty(t, dump(t, r.store))
}

// A record that is lost after a deletion is still distinguished from one that never was.
func TestForgetSubject_LossAfterwardsIsNoInvitation(t *testing.T) {
	r := newRig(t)
	r.forget(ann)
	r.clock.Advance(time.Second)
	r.withApp(ann, "tulip")
	ch := r.begin(ann)
	r.lose(ann)
	_, err := r.verify(ch, "app", secret.New("tulip"))
	require.ErrorIs(t, err, mfa.ErrRecordMissing)
	s := ann
	s.Enrolled = true
	_, err = r.Session(s, binding).Begin(t.Context())
	require.ErrorIs(t, err, mfa.ErrRecordMissing)
}

// A deletion that cannot be read about is an outage, not "there was none".
func TestForgetSubject_AnUnreadableTombstoneIsAnError(t *testing.T) {
	r := newRig(t)
	o := r.handOut()
	r.forget(ann)
	r.forget(newcomer)
	for key := range dump(t, r.store) {
		rec, err := r.store.Get(t.Context(), key)
		require.NoError(t, err)
		next := storage.Record{Revision: rec.Revision + "x", Data: []byte("garbage")}
		require.NoError(t, r.store.Swap(t.Context(), key, rec.Revision, next))
	}
	for name, err := range r.use(o) {
		require.ErrorIs(t, err, mfa.ErrUnavailable, name)
	}
	_, err := r.Session(ann, binding).Begin(t.Context())
	require.ErrorIs(t, err, mfa.ErrUnavailable)
}

// TestForgetSubject_BesideAFirstWrite deletes a user at every access that the user's first
// write makes: there is no record afterwards, or the write was refused.
func TestForgetSubject_BesideAFirstWrite(t *testing.T) {
	for skip := range 8 {
		for _, swap := range []bool{false, true} {
			r := newRig(t)
			if skip%2 == 0 {
				r.forget(newcomer) // an earlier deletion
			}
			o := r.handOut()
			admin := r.another()
			moment := &momentStore{Store: r.store, any: true}
			r.cfg.Store = moment
			slow := r.another()
			met := false
			moment.arm(swap, skip, func() {
				met = true
				err := admin.Admin(mfa.System("root"), "").Delete(context.Background(), newcomer)
				require.NoError(t, err)
			})
			_, err := slow.Session(newcomer, binding).Enroll(t.Context(), o.grant,
				mfa.EnrollRequest{Kind: "app",
					Params: map[string]secret.Text{"word": secret.New("tulip")}})
			if !met {
				continue
			}
			require.True(t, errors.Is(err, mfa.ErrTokenExpired) || errors.Is(err,
				mfa.ErrUnavailable),
				"swap %v, skip %d: %v", swap, skip, err)
			if errors.Is(err, mfa.ErrUnavailable) {
				require.ErrorContains(t, err, "the user was deleted meanwhile")
			}
			for key := range dump(t, r.store) {
				require.False(t, strings.HasPrefix(key, "p/"), "swap %v, skip %d: a record is left",
					swap, skip)
			}
			_, err = r.begun(o.grant, "app", "tulip")
			require.ErrorIs(t, err, mfa.ErrTokenExpired)
		}
	}
}

// The tombstone costs a read for users without a record, and nothing for all others.
func TestForgetSubject_CostsOthersNoRead(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) { c.Policies = policy.Static(impliedMail) })
	r.withApp(ann, "tulip")
	reads := r.store.Calls(mfatest.OpGet)
	ch := r.begin(ann)
	require.Equal(t, 1, r.store.Calls(mfatest.OpGet)-reads)
	_, err := r.verify(ch, "app", secret.New("tulip"))
	require.NoError(t, err)
	require.Equal(t, 2, r.store.Calls(mfatest.OpGet)-reads)
	reads = r.store.Calls(mfatest.OpGet)
	r.begin(newcomer)
	require.Equal(t, 2, r.store.Calls(mfatest.OpGet)-reads)
}

// A user is deleted while a first write is made, and begins anew at once. What began anew stays.
func TestForgetSubject_LeavesWhatBeganAfterIt(t *testing.T) {
	for skip := range 8 {
		r := newRig(t)
		o, second := r.handOut(), r.another()
		moment := &momentStore{Store: r.store, any: true}
		r.cfg.Store = moment
		slow := r.another()
		var anew *mfa.Enrollment
		moment.arm(false, skip, func() {
			r.forget(newcomer)
			ch, err := second.Session(newcomer, binding).Begin(t.Context())
			require.NoError(t, err)
			anew, err = second.Session(newcomer, binding).Enroll(t.Context(), ch.Grant,
				words("app", "tulip")[0])
			require.NoError(t, err)
		})
		_, err := slow.Session(newcomer, binding).Enroll(t.Context(), o.grant,
			words("app", "rose")[0])
		if anew == nil {
			continue
		}
		require.Error(t, err)
		_, err = second.Session(newcomer, binding).Confirm(t.Context(), anew, secret.New("tulip"))
		require.NoError(t, err, "skip %d", skip)
	}
}

// A tombstone that has expired decides about no token, whether or not a walk has removed it.
func TestForgetSubject_AnExpiredTombstoneDecidesNothing(t *testing.T) {
	r := with(t, policy.Policy{})
	require.NoError(t, r.Admin(boss, "").Delete(t.Context(), bea))
	r.clock.Advance(2*time.Hour + 10*time.Minute)
	g := r.begin(bea).Grant
	require.Equal(t, 1, reseal(t, r.Manager, "").Removed)
	r.enroll(g, "app", "word")
}

// A first write that cannot be compared with a deletion is an outage: the record may be one that
// the deletion has not seen.
func TestForgetSubject_AFirstWriteThatIsNotComparedIsAnOutage(t *testing.T) {
	r := newRig(t)
	g := r.begin(newcomer).Grant
	r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Run: func(context.Context, string) {
		r.store.Inject(mfatest.OpGet, 1, mfatest.Fault{Before: errDisk})
	}})
	_, err := r.begun(g, "app", "tulip")
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	r.store.Heal()
	r.enroll(g, "app", "tulip") // which nothing has deleted
}

// A record that was made beside a deletion, and cannot be read, is an outage, and stays as it is.
func TestForgetSubject_ARecordThatCannotBeReadIsAnOutage(t *testing.T) {
	r := newRig(t)
	g, elsewhere := r.begin(newcomer).Grant, r.another()
	var damaged string
	r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Run: func(context.Context, string) {
		require.NoError(t, elsewhere.Admin(boss, "").Delete(t.Context(), newcomer))
		r.store.Inject(mfatest.OpGet, 1, mfatest.Fault{}) // of the tombstone
		r.store.Inject(mfatest.OpGet, 1, mfatest.Fault{Run: func(ctx context.Context, key string) {
			rec, err := r.store.Get(ctx, key)
			require.NoError(t, err)
			damaged = key
			require.NoError(t, r.store.Swap(ctx, key, rec.Revision, storage.Record{
				Revision: rec.Revision + "x", Data: []byte("damaged")}))
		}})
	}})
	_, err := r.begun(g, "app", "tulip")
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.NotContains(t, err.Error(), "deleted meanwhile")
	require.Equal(t, "damaged", dump(t, r.store)[damaged])
}
