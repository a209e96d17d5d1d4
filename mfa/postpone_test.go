package mfa_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/storage"
)

// withGrace is a rig whose policy gives users without a factor time.
func withGrace(t *testing.T, within time.Duration, skips int) *rig {
	t.Helper()
	return newRig(t, func(c *mfa.Config) {
		c.Policies = policy.Stored(policy.Static(policy.Policy{EnrollWithin: within,
			EnrollSkips: skips}))
	})
}

// asked begins a sign-in in a session of its own, as in another browser.
func (r *rig) asked(m *mfa.Manager, session string) (mfa.Session, *mfa.Challenge) {
	r.t.Helper()
	s := m.Session(ann, session)
	ch, err := s.Begin(r.t.Context())
	require.NoError(r.t, err)
	require.Equal(r.t, mfa.NextEnroll, ch.Next)
	return s, ch
}

// requireDue requires that a challenge offers no time.
func requireDue(t *testing.T, ch *mfa.Challenge, why ...any) {
	t.Helper()
	require.Zero(t, ch.PostponeUntil, why...)
	require.Zero(t, ch.PostponesRemaining, why...)
}

// The user may skip as often as the policy says, whatever browser, process or clock, and no
// oftener.
func TestPostpone_CountsSkipsInTheRecord(t *testing.T) {
	r := withGrace(t, 0, 3)
	other := r.another()
	for i, m := range []*mfa.Manager{r.Manager, other, r.another()} {
		s, ch := r.asked(m, fmt.Sprint("browser ", i))
		require.Equal(t, 3-i, ch.PostponesRemaining)
		require.Zero(t, ch.PostponeUntil)
		if i == 1 {
			r.clock.Advance(-time.Hour)
		}
		require.NoError(t, s.Postpone(t.Context(), ch))
		require.ErrorIs(t, s.Postpone(t.Context(), ch), mfa.ErrTokenExpired, "once each")
	}
	s, ch := r.asked(other, "browser 4")
	requireDue(t, ch)
	require.ErrorIs(t, s.Postpone(t.Context(), ch), mfa.ErrNotAvailable)
	require.Contains(t, r.eventNames(), "enroll.postponed")

	// Neither a reset nor a policy that is set again gives the time anew.
	require.NoError(t, r.Admin(boss, "lost").Reset(t.Context(), ann))
	r.clock.Advance(time.Second)
	s, ch = r.asked(r.Manager, "browser 5")
	requireDue(t, ch)
	require.ErrorIs(t, s.Postpone(t.Context(), ch), mfa.ErrNotAvailable)
	require.NoError(t, r.Admin(boss, "more").SetPolicy(t.Context(), policy.StoredPolicy{
		Policy: policy.Policy{EnrollSkips: 4}}))
	require.NoError(t, s.Postpone(t.Context(), ch), "one more, by the policy of this moment")
}

// The days are counted from the first sign-in that asked, for each user.
func TestPostpone_EndsWhenTheDaysAreOver(t *testing.T) {
	r := withGrace(t, 7*24*time.Hour, 0)
	r.clock.Advance(100 * 24 * time.Hour) // whenever that is
	_, ch := r.asked(r.Manager, "a")
	due := r.clock.Now().Add(7 * 24 * time.Hour)
	require.Equal(t, due, ch.PostponeUntil)
	require.Zero(t, ch.PostponesRemaining)
	for range 20 {
		r.clock.Advance(8 * time.Hour)
		s, ch := r.asked(r.another(), "b")
		require.Equal(t, due, ch.PostponeUntil)
		require.NoError(t, s.Postpone(t.Context(), ch))
	}
	r.clock.Advance(due.Sub(r.clock.Now()) - time.Millisecond)
	s, ch := r.asked(r.Manager, "c")
	r.clock.Advance(time.Millisecond)
	require.ErrorIs(t, s.Postpone(t.Context(), ch), mfa.ErrNotAvailable, "due meanwhile")
	_, ch = r.asked(r.Manager, "d")
	requireDue(t, ch)
}

// With both, what is used up first ends the time. Before EnrollBy nothing is asked or counted.
func TestPostpone_BothBoundsHold(t *testing.T) {
	r := withGrace(t, 24*time.Hour, 2)
	s, ch := r.asked(r.Manager, "a")
	require.Equal(t, 2, ch.PostponesRemaining)
	require.NoError(t, s.Postpone(t.Context(), ch))
	r.clock.Advance(24 * time.Hour)
	_, ch = r.asked(r.Manager, "b")
	requireDue(t, ch, "one skip is left, and no time")

	r = newRig(t, func(c *mfa.Config) {
		c.Policies = policy.Stored(policy.Static(policy.Policy{EnrollSkips: 1,
			EnrollBy: testStart.Add(time.Hour)}))
	})
	require.Equal(t, mfa.NextDone, r.begin(ann).Next)
	r.clock.Advance(time.Hour)
	_, ch = r.asked(r.Manager, "c")
	require.Equal(t, 1, ch.PostponesRemaining)
}

// A user postpones their own sign-in, in its session, and nothing else, and only while they have no
// factor.
func TestPostpone_IsForAUserWithoutFactors(t *testing.T) {
	r := withGrace(t, time.Hour, 5)
	s, ch := r.asked(r.Manager, "a")
	before := dump(t, r.store)
	for name, other := range map[string]mfa.Session{
		"another session": r.Session(ann, "b"), "another user": r.Session(person(1), "a"),
		"another purpose": s.ManageFactors(), "step-up": s.StepUp(),
	} {
		require.ErrorIs(t, other.Postpone(t.Context(), ch), mfa.ErrToken, name)
	}
	require.ErrorIs(t, s.Postpone(t.Context(), nil), mfa.ErrToken)
	require.ErrorIs(t, s.Postpone(t.Context(), &mfa.Challenge{}), mfa.ErrToken)
	manage, err := r.Session(ann, "a").FirstFactorAt(r.clock.Now()).ManageFactors().Begin(
		t.Context())
	require.NoError(t, err)
	requireDue(t, manage)
	require.ErrorIs(t, s.Postpone(t.Context(), manage), mfa.ErrToken)
	require.ErrorIs(t, s.ManageFactors().Postpone(t.Context(), manage), mfa.ErrToken)
	require.Equal(t, before, dump(t, r.store))

	kept := challengeOf(textOf(t, ch)) // as an application stores it
	require.NoError(t, s.RestoreChallenge(kept))
	require.Equal(t, []any{ch.PostponeUntil, ch.PostponesRemaining},
		[]any{kept.PostponeUntil, kept.PostponesRemaining})
	_, later := r.asked(r.Manager, binding)
	r.enroll(later.Grant, "app", "tulip")
	require.ErrorIs(t, s.Postpone(t.Context(), kept), mfa.ErrNotAvailable)
	require.Equal(t, mfa.NextVerify, r.begin(ann).Next)

	// A user with an address that serves is asked for a code, whatever the grace.
	r = newRig(t, func(c *mfa.Config) {
		c.Policies = policy.Static(policy.Policy{Implicit: []string{"mail"}, EnrollSkips: 5})
	})
	require.Equal(t, mfa.NextVerify, r.begin(ann).Next)
}

// Of sign-ins that postpone at once, in several processes and with conflicts in the store, exactly
// as many succeed as the policy lets, and each success is in the record.
func TestPostpone_ExactInParallel(t *testing.T) {
	const limit, sessions = 5, 24
	r := withGrace(t, time.Hour, limit)
	managers := []*mfa.Manager{r.Manager, r.another(), r.another()}
	type asked struct {
		s  mfa.Session
		ch *mfa.Challenge
	}
	var list []asked
	for i := range sessions {
		s, ch := r.asked(managers[i%len(managers)], fmt.Sprint(i))
		list = append(list, asked{s, ch}, asked{s, ch}) // and a double click
	}
	r.store.Inject(mfatest.OpSwap, 3, mfatest.Fault{Before: storage.ErrConflict})
	var passed atomic.Int32
	var wg sync.WaitGroup
	for _, a := range list {
		wg.Go(func() {
			if a.s.Postpone(t.Context(), a.ch) == nil {
				passed.Add(1)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, limit, passed.Load())
	_, ch := r.asked(r.Manager, "last")
	requireDue(t, ch)
}

// A write that fails, or that may have happened, lets nobody in and is counted at most.
func TestPostpone_FaultsLetNobodyIn(t *testing.T) {
	for name, fault := range map[string]mfatest.Fault{
		"before": {Before: errors.New("disk full")}, "after": {After: errors.New("timeout")},
	} {
		r := withGrace(t, 0, 2)
		s, ch := r.asked(r.Manager, "a")
		r.store.Inject(mfatest.OpSwap, 1, fault)
		require.ErrorIs(t, s.Postpone(t.Context(), ch), mfa.ErrUnavailable, name)
		r.store.Heal()
		_, ch = r.asked(r.Manager, "b")
		want := map[string]int{"before": 2, "after": 1}[name]
		require.Equal(t, want, ch.PostponesRemaining, name)

		// Also the note of when the user was first asked is written before anything is said.
		r = withGrace(t, time.Hour, 0)
		r.store.Inject(mfatest.OpSwap, 1, fault)
		_, err := r.Session(ann, "a").Begin(t.Context())
		require.ErrorIs(t, err, mfa.ErrUnavailable, name)
	}
}

func TestSetPolicy_BoundsTheGrace(t *testing.T) {
	r := newRig(t)
	for _, p := range []policy.Policy{{EnrollWithin: -1}, {EnrollWithin: 91 * 24 * time.Hour},
		{EnrollSkips: -1}, {EnrollSkips: 101}} {
		require.ErrorIs(t, r.Admin(boss, "r").SetPolicy(t.Context(),
			policy.StoredPolicy{Policy: p}), policy.ErrInvalid)
	}
	got := policy.Policy{EnrollWithin: 1e6 * time.Hour, EnrollSkips: 1e6}.WithDefaults()
	require.Equal(t, []any{90 * 24 * time.Hour, 100}, []any{got.EnrollWithin, got.EnrollSkips})
	for _, p := range []policy.Policy{{EnrollWithin: time.Hour}, {EnrollSkips: 1}} {
		require.ErrorContains(t, policy.Setup{Profile: policy.ProfileNISTAAL2}.CheckProfile(p,
			testStart), "postpone")
	}
}

// A challenge that notes when the user was first asked ends with a reset, like every other.
func TestPostpone_EndsWithAReset(t *testing.T) {
	r := withGrace(t, time.Hour, 3)
	s, ch := r.asked(r.Manager, "a")
	require.NoError(t, r.Admin(boss, "").Reset(t.Context(), ann))
	require.ErrorIs(t, s.Postpone(t.Context(), ch), mfa.ErrTokenExpired)
	_, err := s.Enroll(t.Context(), ch.Grant, words("app", "word")[0])
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
}
