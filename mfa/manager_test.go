package mfa_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
)

// A user whom the application knows to have enrolled has a record, or the call fails. No call
// takes a record that is there for a lost one, or misses a record of a user who has not enrolled.
func TestManager_TellsALostRecordFromNone(t *testing.T) {
	for name, call := range map[string]func(*rig, mfa.User) error{
		"Begin": func(r *rig, u mfa.User) error {
			_, err := r.Session(u, binding).Begin(t.Context())
			return err
		},
		"CheckPasswordChange": func(r *rig, u mfa.User) error {
			return r.Session(u, binding).CheckPasswordChange(t.Context(), r.grant)
		},
		"Decline": func(r *rig, u mfa.User) error {
			return r.Session(u, binding).Decline(t.Context(), "app")
		},
		"RecoveryCodesSaved": func(r *rig, u mfa.User) error {
			return r.Session(u, binding).RecoveryCodesSaved(t.Context(), "none")
		},
		"PasswordChanged": func(r *rig, u mfa.User) error {
			return r.PasswordChanged(t.Context(), u)
		},
		"Admin.Remove": func(r *rig, u mfa.User) error {
			return r.Admin(boss, "").Remove(t.Context(), u, "none")
		},
		"Admin.Preview": func(r *rig, u mfa.User) error {
			_, err := r.Admin(boss, "").Preview(t.Context(), u, policy.Policy{})
			return err
		},
		"Admin.GrantException": func(r *rig, u mfa.User) error {
			return r.Admin(boss, "r").GrantException(t.Context(), u, "director",
				r.clock.Now().Add(day))
		},
		"Admin.EndException": func(r *rig, u mfa.User) error {
			return r.Admin(boss, "r").EndException(t.Context(), u)
		},
		"Admin.SendRecoveryLink": func(r *rig, u mfa.User) error {
			_, err := r.Admin(boss, "").SendRecoveryLink(t.Context(), u)
			return err
		},
		"Admin.SendVerificationLink": func(r *rig, u mfa.User) error {
			_, err := r.Admin(boss, "").SendVerificationLink(t.Context(), u)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.grant = r.withApp(ann, "word").Grant
			require.ErrorIs(t, call(r, enrolled(person(1))), mfa.ErrRecordMissing)
			require.NotErrorIs(t, call(r, person(2)), mfa.ErrRecordMissing)
			require.NotErrorIs(t, call(r, enrolled(ann)), mfa.ErrRecordMissing)
		})
	}
}

// passing is a factor whose instances end at the time that is their state.
type passing struct{ word }

func (passing) Describe(state []byte) factor.Description {
	ends, _ := time.Parse(time.RFC3339, string(state))
	return factor.Description{Ends: ends}
}

// An instance that has ended is none, wherever its kind is in the configuration.
func TestManager_EndsInstancesInTime(t *testing.T) {
	for _, place := range []int{0, 4} {
		r := newRig(t, func(c *mfa.Config) {
			f := &passing{word{kind: "pass", traits: factor.Traits{Temporary: true,
				Level: factor.LevelStrong}}}
			c.Factors = append(c.Factors[:place:place],
				append([]factor.Factor{f}, c.Factors[place:]...)...)
			c.Policies = policy.Static(policy.Policy{})
		})
		g := r.enroll(r.begin(bea).Grant, "pass", testStart.Add(time.Hour).Format(time.RFC3339))
		r.enroll(g.Grant, "app", "word")
		r.clock.Advance(time.Hour - time.Millisecond)
		require.Contains(t, kindsOf(r.begin(bea)), "pass")
		r.clock.Advance(time.Millisecond)
		require.Equal(t, []string{"app"}, kindsOf(r.begin(bea)))
	}
}

// An address that the application vouches for is a factor only if there is one, if the policy
// allows its kind, and if this process has the kind.
func TestManager_ImpliesNoMoreThanThereIs(t *testing.T) {
	r := newRig(t)
	nothing := mfa.User{ID: "nothing", UserType: "employee", EmailVerified: true}
	require.Equal(t, mfa.NextEnroll, r.begin(nothing).Next)
	r.setPolicy(policy.Policy{Kinds: []string{"app"}, Implicit: []string{"mail"}})
	require.Equal(t, mfa.NextEnroll, r.begin(ann).Next)

	r = newRig(t)
	r.withApp(ann, "word")
	ch := r.begin(ann)
	r.cfg.Factors = []factor.Factor{r.app, r.pin, codes{}}
	r.cfg.Policies = policy.Static(policy.Policy{})
	_, err := r.another().Session(ann, binding).Verify(t.Context(), ch, "app", secret.New("word"))
	require.NoError(t, err, "begun by a process that has the kind")
}

// putUnreadable stores content that is sealed for its place, and that no version has written.
func (r *rig) putUnreadable(key, purpose string) {
	r.t.Helper()
	rec, err := r.store.Get(r.t.Context(), key)
	if err != nil {
		require.ErrorIs(r.t, err, storage.ErrNotFound)
	}
	require.NoError(r.t, r.store.Swap(r.t.Context(), key, rec.Revision, storage.Record{
		Revision: rec.Revision + "x", Data: r.cfg.Keys.Seal(seal.Purpose(purpose), key,
			[]byte{0xff})}))
}

// Content that this version cannot read is an outage, and never no factor, no policy or no
// deletion.
func TestManager_FailsForContentThatItCannotRead(t *testing.T) {
	for purpose, call := range map[string]func(*rig) error{
		"record": func(r *rig) error {
			r.putUnreadable("p/0//ann", "record")
			_, err := r.Session(ann, binding).Begin(t.Context())
			return err
		},
		"policy": func(r *rig) error {
			r.putUnreadable("t/", "policy")
			_, err := r.Session(ann, binding).Begin(t.Context())
			return err
		},
		"policy that changes": func(r *rig) error {
			r.putUnreadable("t/", "policy")
			return r.Admin(boss, "").SetPolicy(t.Context(), policy.StoredPolicy{})
		},
		"identity": func(r *rig) error {
			r.eachRecord("i/", func(key string, _ storage.Record) error {
				r.putUnreadable(key, "identity")
				return nil
			})
			_, err := r.answer(r.open(), "k1", "", ann)
			return err
		},
		"support": func(r *rig) error {
			r.putUnreadable("s/", "support")
			_, err := r.Admin(boss, "").SupportCases(t.Context(), "")
			return err
		},
		"tombstone": func(r *rig) error {
			require.NoError(t, r.Admin(boss, "").Delete(t.Context(), ann))
			r.eachRecord("f/", func(key string, _ storage.Record) error {
				r.putUnreadable(key, "forgotten")
				return nil
			})
			_, err := r.Session(ann, binding).Begin(t.Context())
			return err
		},
	} {
		t.Run(purpose, func(t *testing.T) {
			r, _ := keyRig(t)
			r.withKey(ann, "k1")
			require.NoError(t, r.Session(ann, binding).RequestSupport(t.Context(), r.begin(ann),
				report.Case{}))
			require.ErrorIs(t, call(r), mfa.ErrUnavailable)
		})
	}
}

// A walk that re-encrypts removes no record that it cannot read.
func TestReencrypt_KeepsContentThatItCannotRead(t *testing.T) {
	r := newRig(t)
	r.putUnreadable("f/x", "forgotten")
	r.putUnreadable("b/x", "budget")
	before := dump(t, r.store)
	require.Zero(t, reseal(t, r.Manager, "").Removed)
	require.Equal(t, before, dump(t, r.store))
}

// A factor that cannot describe an enrolment under way is an error as well.
func TestOddFactor_CannotDescribeAnEnrolment(t *testing.T) {
	o := &odd{word: word{kind: "badge"}}
	r := newRig(t, func(c *mfa.Config) { c.Factors = append(c.Factors, o) })
	_, err := r.Session(ann, binding).Enroll(t.Context(), r.withApp(ann, "word").Grant,
		mfa.EnrollRequest{Kind: "badge", Params: map[string]secret.Text{"word": secret.New("x")}})
	require.NoError(t, err)
	o.fails = "Describe panics"
	_, err = r.Session(ann, binding).Begin(t.Context())
	require.ErrorIs(t, err, mfa.ErrUnavailable)
}

// Messages of errors say how long to wait, and of which kind.
func TestErrors_SayWhatToDo(t *testing.T) {
	for want, err := range map[string]error{
		"mfa: locked for another 3m0s": &mfa.LockedError{
			RetryAfter: 3*time.Minute + time.Millisecond},
		"mfa: app is disabled after too many failed attempts": &mfa.DisabledError{Kind: "app"},
		"mfa: too many codes sent, try again in 1m0s": &mfa.RateLimitError{
			RetryAfter: time.Minute},
	} {
		require.EqualError(t, err, want)
	}
}

// A removal goes by what the policy implies now, and not by what it did when the grant was made.
func TestRemove_GoesByThePolicyOfNow(t *testing.T) {
	r := with(t, policy.Policy{})
	g, s := r.setUp(ann, "app"), r.Session(ann, binding)
	id := r.factorID(ann, "app")
	require.ErrorIs(t, s.Remove(t.Context(), g, id), mfa.ErrLastFactor)
	r.setPolicy(policy.Policy{Implicit: []string{"mail"}})
	require.NoError(t, s.Remove(t.Context(), g, id))
	require.Equal(t, []string{"mail"}, kindsOf(r.begin(ann)))
}

// An address can be turned off only where the policy has one.
func TestOverview_OffersNoChoiceWithoutAnAddress(t *testing.T) {
	r := with(t, policy.Policy{KeepImplicit: true})
	r.setUp(bea, "app")
	o, err := r.Overview(t.Context(), bea)
	require.NoError(t, err)
	require.False(t, o.CanTurnOffImplied)
}

// A caller who hangs up while a PIN is verified has used it if it was correct, and one who hangs up
// during an incorrect one has not ended the count.
func TestVerifyExpensive_IsSettledWithoutTheCaller(t *testing.T) {
	for word, correct := range map[string]bool{"1234": true, "4321": false} {
		r := newRig(t)
		r.enroll(r.signIn(ann).Grant, "pin", "1234")
		ch := r.begin(ann)
		ctx, cancel := context.WithCancel(t.Context())
		r.pin.word.verify = func(factor.VerifyInput) { cancel() }
		v, err := r.Session(ann, binding).Verify(ctx, ch, "pin", secret.New(word))
		require.Equal(t, correct, v != nil, "%v", err)
		require.Equal(t, correct, err == nil)
		require.Nil(t, r.record(ann).Charge)
		require.Equal(t, !correct, r.record(ann).Lockout.Kinds["pin"].Streak == 1)
	}
}

// A response that is refused before it is verified writes nothing, expensive or not.
func TestVerifyExpensive_WritesNothingWhileLocked(t *testing.T) {
	r := newRig(t)
	r.enroll(r.signIn(ann).Grant, "pin", "1234")
	ch := r.begin(ann)
	for range 5 {
		_, err := r.verify(ch, "pin", secret.New("4321"))
		require.Error(t, err)
	}
	before := r.store.Calls(mfatest.OpSwap)
	_, err := r.verify(ch, "pin", secret.New("1234"))
	requireLocked(t, err)
	require.Equal(t, before, r.store.Calls(mfatest.OpSwap))
}

// patient is a store that completes its writes also for a caller who has gone.
type patient struct{ *mfatest.FaultyStore }

func (s patient) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	return s.FaultyStore.Swap(context.WithoutCancel(ctx), key, old, next)
}

// A factor that refuses because the caller has gone has not verified the response, which is not
// counted. What it accepted, it has.
func TestVerify_CountsNothingForACallerWhoHasGone(t *testing.T) {
	for word, correct := range map[string]bool{"word": true, "wrong": false} {
		r := newRig(t)
		r.withApp(ann, "word")
		ch := r.begin(ann)
		r.cfg.Store = patient{r.store}
		ctx, cancel := context.WithCancel(t.Context())
		r.app.verify = func(factor.VerifyInput) { cancel() }
		v, err := r.another().Session(ann, binding).Verify(ctx, ch, "app", secret.New(word))
		require.Equal(t, correct, v != nil)
		if !correct {
			require.ErrorIs(t, err, mfa.ErrUnavailable)
		}
		require.Empty(t, r.record(ann).Lockout.Kinds)
	}
}

// A caller who has gone does not wait for their turn.
func TestVerifyExpensive_WaitsNoLongerThanTheCaller(t *testing.T) {
	r := newRig(t)
	r.enroll(r.signIn(ann).Grant, "pin", "1234")
	ch, other := r.begin(ann), r.begin(ann)
	var second error
	r.pin.word.verify = func(factor.VerifyInput) {
		r.pin.word.verify = nil
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, second = r.Session(ann, binding).Verify(ctx, other, "pin", secret.New("1234"))
	}
	_, err := r.verify(ch, "pin", secret.New("1234"))
	require.NoError(t, err)
	require.ErrorIs(t, second, mfa.ErrUnavailable)
	require.ErrorIs(t, second, context.Canceled)
}

// A factor learns when what it issued was issued, and until when it is valid.
func TestVerify_SaysWhenTheCodeWasIssued(t *testing.T) {
	r := newApprovalRig(t)
	ch := r.begin(ann)
	r.clock.Advance(time.Minute)
	_, err := r.Session(ann, binding).Send(t.Context(), ch, "push")
	require.NoError(t, err)
	issued := r.clock.Now()
	r.clock.Advance(time.Second)
	_, err = r.verify(ch, "push", secret.New(""))
	require.ErrorIs(t, err, factor.ErrPending)
	in := r.push.asked[len(r.push.asked)-1]
	require.Equal(t, []time.Time{issued, issued.Add(90 * time.Second), issued.Add(time.Second)},
		[]time.Time{in.IssuedAt, in.Expires, in.Now})
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

// Two processes make recovery codes at once. The one that comes later sees what the other has made,
// and replaces it.
func TestNewRecoveryCodes_ReplacesThoseOfAMomentBefore(t *testing.T) {
	r := newRig(t)
	g := r.withApp(ann, "word").Grant
	other := r.another()
	r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Run: func(context.Context, string) {
		_, err := other.Session(ann, binding).NewRecoveryCodes(t.Context(), g)
		require.NoError(t, err)
	}})
	e, err := r.Session(ann, binding).NewRecoveryCodes(t.Context(), g)
	require.NoError(t, err)
	require.NotNil(t, e.Confirmed)
	require.Len(t, r.record(ann).Factors, 2)
	require.Equal(t, e.Confirmed.Factor.ID, r.id("recovery"))
}

// What this process has made keeps its fields, so that an application can restore what it keeps in
// memory as what it stores.
func TestRestoreChallenge_KeepsWhatThisProcessMade(t *testing.T) {
	r := newRig(t)
	ch, s := r.begin(ann), r.Session(ann, binding)
	before := *ch
	require.NoError(t, s.RestoreChallenge(ch))
	require.Equal(t, before, *ch)
	require.ErrorIs(t, r.Session(person(1), binding).RestoreChallenge(ch), mfa.ErrToken)
	e, err := r.begun(r.signIn(ann).Grant, "app", "word")
	require.NoError(t, err)
	was := *e
	require.NoError(t, s.RestoreEnrollment(e))
	require.Equal(t, was, *e)
	require.ErrorIs(t, r.Session(person(1), binding).RestoreEnrollment(e), mfa.ErrToken)
}
