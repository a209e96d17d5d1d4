package mfa_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfa/report"
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
