package mfa_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
)

// over is a Manager over a store that wraps the rig's.
func (r *rig) over(t *testing.T, s storage.Store) *mfa.Manager {
	t.Helper()
	cfg := r.cfg
	cfg.Store = s
	m, err := mfa.New(cfg)
	require.NoError(t, err)
	return m
}

// claimedStore does something after an identity was claimed.
type claimedStore struct {
	*mfatest.FaultyStore
	then func()
}

func (s *claimedStore) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	err := s.FaultyStore.Swap(ctx, key, old, next)
	if then := s.then; then != nil && strings.HasPrefix(key, "i/") {
		s.then = nil
		then()
	}
	return err
}

// A response whose caller hangs up once the claim is written is verified and counted: else each
// response would leave a claim behind, and none would lock.
func TestConfirm_LeavesNoClaimWhenTheCallerHangsUp(t *testing.T) {
	r, _ := keyRig(t)
	e, err := r.Session(ann, binding).Enroll(t.Context(), r.signIn(ann).Grant,
		mfa.EnrollRequest{Kind: "key"})
	require.NoError(t, err)
	s := &claimedStore{FaultyStore: r.store}
	m := r.over(t, s)
	for i := range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		s.then = cancel
		_, err = m.Session(ann, binding).Confirm(ctx, e,
			secret.New(fmt.Sprintf("made-up-%d wrong", i)))
		require.Error(t, err)
		cancel()
	}
	var locked *mfa.LockedError
	require.ErrorAs(t, err, &locked)
	require.Zero(t, identities(t, r))
}

// What a claim that was cut off left behind is removed by Reencrypt, once nobody can be about to
// confirm it; and by a Manager that knows the kind, for to others every claim is nobody's.
func TestReencrypt_RemovesAbandonedClaims(t *testing.T) {
	r, _ := keyRig(t)
	r.withKey(ann, "k1")
	e, err := r.Session(person(1), binding).Enroll(t.Context(), r.signIn(person(1)).Grant,
		mfa.EnrollRequest{Kind: "key"})
	require.NoError(t, err)
	_, err = r.over(t, &cutStore{FaultyStore: r.store, left: 1}).Session(person(1),
		binding).Confirm(t.Context(), e, secret.New("k2 "+string(e.Prompt.Data)))
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.Equal(t, 2, identities(t, r))

	reseal(t, r.Manager, "")
	require.Equal(t, 2, identities(t, r), "it may be confirmed yet")
	r.clock.Advance(48 * time.Hour)
	cfg := r.cfg
	cfg.Factors, cfg.Policies = cfg.Factors[:len(cfg.Factors)-1], policy.Static(policy.Policy{})
	without, err := mfa.New(cfg)
	require.NoError(t, err)
	reseal(t, without, "")
	require.Equal(t, 2, identities(t, r), "a Manager without the kind")
	require.Equal(t, 1, reseal(t, r.Manager, "").Removed)
	require.Equal(t, 1, identities(t, r))
	_, err = r.answer(r.open(), "k1", "", ann)
	require.NoError(t, err)
}

// removingStore does something when a removal is committed, and before its claim is released.
type removingStore struct {
	*mfatest.FaultyStore
	then func()
}

func (s *removingStore) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	err := s.FaultyStore.Swap(ctx, key, old, next)
	if then := s.then; err == nil && then != nil && strings.HasPrefix(key, "p/") {
		s.then = nil
		then()
	}
	return err
}

// An instance is never without its claim, however a removal and a new enrolment of the same
// identity meet.
func TestIdentity_OfARemovalBesideAnEnrolment(t *testing.T) {
	t.Run("enrolled before the claim is given up", func(t *testing.T) {
		r, _ := keyRig(t)
		c := r.withKey(ann, "k1")
		s := &removingStore{FaultyStore: r.store}
		s.then = func() {
			_, err := r.addKey(c.Grant, "k1")
			require.NoError(t, err)
		}
		require.NoError(t, r.over(t, s).Session(ann, binding).Remove(t.Context(), c.Grant,
			c.Factor.ID))
		_, err := r.answer(r.open(), "k1", "", ann)
		require.NoError(t, err)
	})
	t.Run("removed between claim and confirmation", func(t *testing.T) {
		r, _ := keyRig(t)
		c := r.withKey(ann, "k1")
		e, err := r.Session(ann, binding).Enroll(t.Context(), c.Grant,
			mfa.EnrollRequest{Kind: "key"})
		require.NoError(t, err)
		s := &claimedStore{FaultyStore: r.store, then: func() {
			require.NoError(t, r.Session(ann,
				binding).Remove(t.Context(), c.Grant, c.Factor.ID))
		}}
		_, err = r.over(t, s).Session(ann, binding).Confirm(t.Context(), e,
			secret.New("k1 "+string(e.Prompt.Data)))
		require.NoError(t, err)
		_, err = r.answer(r.open(), "k1", "", ann)
		require.NoError(t, err)
	})
}

// A refused response without a password can be given again and again. The user is notified of a
// copied device once a day.
func TestPasswordless_NotifiesOfACopyOnceADay(t *testing.T) {
	told := 0
	r, _ := keyRig(t, func(c *mfa.Config) {
		c.Notify = func(context.Context, func(context.Context) error) {
			told++
		}
	})
	r.withKey(ann, "k1")
	for day := 1; day <= 2; day++ {
		told = 0
		ch := r.open()
		for range 50 {
			_, err := r.answer(ch, "k1", "copied", ann)
			require.Error(t, err)
		}
		require.Equal(t, 1, told, "day %d", day)
		r.clock.Advance(25 * time.Hour)
	}
	require.Len(t, slicesOf(r.eventNames(), "factor.cloned"), 100, "every one is an event")
}

func slicesOf(list []string, name string) (same []string) {
	for _, s := range list {
		if s == name {
			same = append(same, s)
		}
	}
	return same
}

// An attacker with the password who begins and cancels, over and over, ends no sign-in of the user.
func TestCancel_EndsNoOtherChallenge(t *testing.T) {
	r, _ := keyRig(t)
	r.withKey(ann, "k1")
	r.clock.Advance(time.Minute)
	alone, begun := r.open(), r.begin(ann)
	d, err := r.Session(ann, binding).Send(t.Context(), begun, "key")
	require.NoError(t, err)
	r.clock.Advance(time.Second)
	for range 40 {
		require.NoError(t, r.Session(ann, binding).Cancel(t.Context(), r.begin(ann)))
	}
	_, err = r.answer(alone, "k1", "", ann)
	require.NoError(t, err)
	_, err = r.verify(begun, "key", secret.New("k1 "+string(d.Prompt.Data)))
	require.NoError(t, err)
}

// An attacker who asks for another challenge of a shared kind, in another tab or with the user's
// password, does not make the user's correct response incorrect.
func TestVerify_DoesNotCountAResponseToAnotherChallenge(t *testing.T) {
	r, _ := keyRig(t)
	r.withKey(ann, "k1")
	ask := func(ch *mfa.Challenge) string {
		d, err := r.Session(ann, binding).Send(t.Context(), ch, "key")
		require.NoError(t, err)
		return string(d.Prompt.Data)
	}
	for range 10 {
		mine := r.begin(ann)
		_, err := r.verify(mine, "key", secret.New("k1 nothing"))
		require.ErrorIs(t, err, factor.ErrExpired, "nothing was asked yet")
		data := ask(mine)
		ask(r.begin(ann))
		_, err = r.verify(mine, "key", secret.New("k1 "+data))
		require.ErrorIs(t, err, factor.ErrExpired)
		var attempt *mfa.AttemptError
		require.NotErrorAs(t, err, &attempt)
	}
	mine := r.begin(ann)
	data := ask(mine)
	_, err := r.verify(mine, "key", secret.New("k2 "+data))
	require.Equal(t, 4, left(t, err), "a wrong answer to what was asked counts")
	_, err = r.verify(mine, "key", secret.New("k1 "+data))
	require.NoError(t, err)
}
