package firstedition_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// A device that is remembered stays so, until it expires; a copy of its token ends it.
func TestBegin_RecognisesADeviceOfTheFirstEdition(t *testing.T) {
	each(t, 7*24*time.Hour, func(t *testing.T, r *rig) {
		s := r.session("jon")
		token := secret.New(r.secret("jon", "device"))
		for range 2 {
			ch, err := s.OnDevice(token).Begin(t.Context())
			require.NoError(t, err)
			require.Equal(t, mfa.NextDone, ch.Next)
			require.True(t, ch.Remembered)
			require.Equal(t, r.Users["jon"].Devices[0].Expires, ch.DeviceExpires)
			token = ch.Device
			r.clock.Advance(time.Minute)
		}
		r.clock.Set(r.Users["jon"].Devices[0].Expires)
		r.begin(s.OnDevice(token))

		r.clock.Set(r.At.Add(time.Hour))
		r.begin(r.session("jan").OnDevice(secret.New(r.secret("jan", "device_before"))))
		o, err := r.Overview(t.Context(), r.user("jan"))
		require.NoError(t, err)
		require.Empty(t, o.Devices)
		r.begin(r.session("jan").OnDevice(secret.New(r.secret("jan", "device"))))
	})
}

// A lock lasts until the time that it was set for, and failed attempts that were counted stay so.
func TestVerify_KeepsLocksAndCounts(t *testing.T) {
	each(t, 0, func(t *testing.T, r *rig) {
		var locked *mfa.LockedError
		var attempt *mfa.AttemptError
		until := r.Users["vic"].Locked
		for _, at := range []time.Time{r.At, until.Add(-time.Second)} {
			r.clock.Set(at)
			_, err := r.verify("vic", "totp", r.code(r.secret("vic", "totp")))
			require.ErrorAs(t, err, &locked)
			require.Equal(t, until, locked.Until)
		}
		// A clock that steps back behind the first edition's last write makes the lock no longer.
		r.clock.Set(r.At.Add(-time.Hour))
		_, err := r.verify("vic", "totp", "000000")
		require.ErrorAs(t, err, &locked)
		require.LessOrEqual(t, locked.RetryAfter, 3*time.Minute)
		r.clock.Set(until)
		_, err = r.verify("vic", "totp", other(r.code(r.secret("vic", "totp"))))
		require.ErrorAs(t, err, &attempt)
		require.Equal(t, 4, attempt.Remaining)
		_, err = r.verify("vic", "totp", r.code(r.secret("vic", "totp")))
		require.NoError(t, err)

		_, err = r.verify("lee", "totp", other(r.code(r.secret("lee", "totp"))))
		require.ErrorAs(t, err, &attempt)
		require.Equal(t, 1, attempt.Remaining, "three were counted before")
		_, err = r.verify("lee", "totp", other(r.code(r.secret("lee", "totp"))))
		require.ErrorAs(t, err, &attempt)
		require.Zero(t, attempt.Remaining)
		_, err = r.verify("lee", "totp", r.code(r.secret("lee", "totp")))
		require.ErrorAs(t, err, &locked)
	})
}

// A PIN that was being verified when a process of the first edition ended was counted, and
// locked where it was the fifth.
func TestVerify_KeepsWhatWasCountedAhead(t *testing.T) {
	each(t, 2*time.Minute, func(t *testing.T, r *rig) { // no process can still be verifying it
		var locked *mfa.LockedError
		_, err := r.verify("ray", "pin", r.secret("ray", "pin"))
		require.ErrorAs(t, err, &locked)
		require.Equal(t, r.Users["ray"].Locked, locked.Until)
		var attempt *mfa.AttemptError
		_, err = r.verify("quin", "pin", "846013")
		require.ErrorAs(t, err, &attempt)
		require.Equal(t, 3, attempt.Remaining, "one was counted ahead")

		r.clock.Set(r.Users["ray"].Locked)
		for _, id := range []string{"quin", "ray"} {
			_, err = r.verify(id, "pin", r.secret(id, "pin"))
			require.NoError(t, err)
		}
	})
}

// While that process may still be verifying the PIN, no other response is verified.
func TestVerify_WaitsForAVerificationOfTheFirstEdition(t *testing.T) {
	each(t, 0, func(t *testing.T, r *rig) {
		store := mfatest.NewFaultyStore(r.store)
		r.cfg.Store = store
		r.restart()
		r.clock.Set(r.Users["quin"].At)
		s := r.session("quin")
		ch := r.begin(s)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		store.Inject(mfatest.OpGet, 2, mfatest.Fault{})
		store.Inject(
			mfatest.OpGet,
			1,
			mfatest.Fault{Run: func(context.Context, string) { cancel() }},
		)
		_, err := s.Verify(ctx, ch, "pin", secret.New(r.secret("quin", "pin")))
		require.ErrorIs(t, err, mfa.ErrUnavailable)
		require.Zero(t, store.Calls(mfatest.OpSwap), "nothing was counted")
	})
}

// A kind that 100 failed attempts disabled stays disabled until it is proven, and proofs that were
// given count.
func TestUnlockByProof_EnablesWhatTheFirstEditionDisabled(t *testing.T) {
	each(t, time.Minute, func(t *testing.T, r *rig) {
		for id, given := range map[string]int{"max": 0, "mia": 1} {
			code := func() secret.Text { return secret.New(r.code(r.secret(id, "totp"))) }
			var disabled *mfa.DisabledError
			_, err := r.verify(id, "totp", code().Reveal())
			require.ErrorAs(t, err, &disabled)
			require.Equal(t, "totp", disabled.Kind)
			for remaining := 2 - given; remaining >= 0; remaining-- {
				s := r.session(id)
				left, err := s.UnlockByProof(t.Context(), r.begin(s), "totp", code())
				require.NoError(t, err)
				require.Equal(t, remaining, left)
				r.clock.Advance(31 * time.Second)
			}
			_, err = r.verify(id, "totp", code().Reveal())
			require.NoError(t, err)
		}
	})
}

// An administrator enables it as well.
func TestUnlock_EnablesWhatTheFirstEditionDisabled(t *testing.T) {
	each(t, 24*time.Hour, func(t *testing.T, r *rig) {
		for _, id := range []string{"max", "mia"} {
			err := r.Admin(mfa.System("desk"), "called").Unlock(t.Context(), r.user(id))
			require.NoError(t, err)
			_, err = r.verify(id, "totp", r.code(r.secret(id, "totp")))
			require.NoError(t, err)
		}
	})
}

// A policy that was set holds, with what today's policies have besides at its default, and
// setting another user type's leaves it alone.
func TestPolicy_HoldsAsTheFirstEditionStoredIt(t *testing.T) {
	each(t, 24*time.Hour, func(t *testing.T, r *rig) {
		want := r.Set
		want.RecoveryHold = 24 * time.Hour // which the first edition did not have
		for range 2 {
			p, err := r.Policy(t.Context(), policy.Scope{Tenant: "acme", UserType: "staff"})
			require.NoError(t, err)
			require.Equal(t, want, p)
			require.Equal(t, policy.ModeOptional, p.Mode)
			require.Equal(t, []string{"totp", "email", "recovery"}, p.Kinds)
			require.Equal(t, 7*24*time.Hour, p.Remember)
			p, err = r.Policy(t.Context(), policy.Scope{Tenant: "acme", UserType: "anybody"})
			require.NoError(t, err)
			require.Equal(t, policy.ModeOff, p.Mode)
			ch, err := r.Session(mfa.User{ID: "new", Tenant: "acme"}, session).Begin(t.Context())
			require.NoError(t, err)
			require.Equal(t, mfa.NextDone, ch.Next)
			err = r.Admin(mfa.System("owner"), "").SetPolicy(t.Context(), policy.StoredPolicy{
				Scope: policy.Scope{
					Tenant:   "acme",
					UserType: "guests",
				}, Policy: policy.Policy{Mode: policy.ModeRequired}})
			require.NoError(t, err)
		}
	})
}

// Users who asked for help are on the list, until an administrator takes them off.
func TestSupportCases_ListsTheFirstEditionsCases(t *testing.T) {
	each(t, 24*time.Hour, func(t *testing.T, r *rig) {
		desk := r.Admin(mfa.System("desk"), "")
		cases, err := desk.SupportCases(t.Context(), "acme")
		require.NoError(t, err)
		at := time.Date(2026, 11, 23, 11, 11, 0, 0, time.UTC)
		require.Equal(t, []report.Case{{UserID: "ola", Tenant: "acme", UserType: "staff",
			Account: "Ola", Time: at, From: "192.0.2.7", Message: "my phone is gone"}}, cases)
		require.NoError(t, desk.CloseSupportCase(t.Context(), r.user("ola")))
		cases, err = desk.SupportCases(t.Context(), "acme")
		require.NoError(t, err)
		require.Empty(t, cases)
	})
}

// A user whom an administrator reset, or deleted, has no factor and may enrol one.
func TestBegin_EnrolsUsersTheFirstEditionResetOrDeleted(t *testing.T) {
	each(t, 24*time.Hour, func(t *testing.T, r *rig) {
		for _, id := range []string{"sam", "ned"} {
			s := r.session(id)
			ch, err := s.Begin(t.Context())
			require.NoError(t, err)
			require.Equal(t, mfa.NextEnroll, ch.Next)
			e, err := s.Enroll(t.Context(), ch.Grant, mfa.EnrollRequest{Kind: "totp"})
			require.NoError(t, err)
			code := secret.New(r.code(e.Prompt.Secret.Reveal()))
			c, err := s.Confirm(t.Context(), e, code)
			require.NoError(t, err)
			require.NotNil(t, c.Verification)
		}
	})
}

// A user whom the first edition warned of a cancelled challenge is warned again a day later, and
// not before.
func TestCancel_RemembersTheFirstEditionsWarning(t *testing.T) {
	each(t, 0, func(t *testing.T, r *rig) {
		u := r.user("wes")
		u.EmailVerified = true
		s := r.Session(u, session)
		r.clock.Set(r.Users["wes"].At.Add(23 * time.Hour))
		require.NoError(t, s.Cancel(t.Context(), r.begin(s)))
		require.Zero(t, r.countMails())
		r.clock.Advance(2 * time.Hour)
		require.NoError(t, s.Cancel(t.Context(), r.begin(s)))
		require.Equal(t, 1, r.countMails())
	})
}
