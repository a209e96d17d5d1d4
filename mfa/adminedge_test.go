package mfa_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/secret"
)

// A reason has at most 1024 bytes and a name of an actor at most 256, and both reach
// Config.Authorize as they are.
func TestAdmin_BoundsReasonAndName(t *testing.T) {
	var asked []mfa.AdminAction
	r := newRig(t, func(c *mfa.Config) {
		c.Authorize = func(_ context.Context, a mfa.AdminAction) error {
			asked = append(asked, a)
			return nil
		}
	})
	long := strings.Repeat("x", 1025)
	require.NoError(t, r.Admin(mfa.System(long[:256]), long[:1024]).Reset(t.Context(), ann))
	require.Equal(t, []mfa.AdminAction{{Name: "reset", Actor: long[:256], Reason: long[:1024],
		System: true, UserID: "ann", UserType: "employee"}}, asked)
	require.ErrorIs(t, r.Admin(mfa.System("boss"), long).Reset(t.Context(), ann),
		factor.ErrMalformed)
	require.ErrorIs(t, r.Admin(mfa.System(long[:257]), "").Reset(t.Context(), ann),
		factor.ErrMalformed)
	require.Len(t, asked, 1)
}

// A user whom the application knows to have enrolled has a record; without one an act changes
// nothing and reports nothing.
func TestAdmin_MissesTheRecordOfAUserWhoHasEnrolled(t *testing.T) {
	r := newRig(t)
	admin, bob := r.Admin(boss, "lost"), enrolled(person(1))
	require.ErrorIs(t, admin.Reset(t.Context(), bob), mfa.ErrRecordMissing)
	require.ErrorIs(t, admin.Unlock(t.Context(), bob), mfa.ErrRecordMissing)
	require.ErrorIs(t, admin.EndException(t.Context(), bob), mfa.ErrRecordMissing)
	require.ErrorIs(t, r.Session(bob, binding).Decline(t.Context(), "app"), mfa.ErrRecordMissing)
	require.ErrorIs(t, r.PasswordChanged(t.Context(), bob), mfa.ErrRecordMissing)
	_, err := admin.SendVerificationLink(t.Context(), bob)
	require.ErrorIs(t, err, mfa.ErrRecordMissing)
	_, err = admin.SendRecoveryLink(t.Context(), bob)
	require.ErrorIs(t, err, mfa.ErrRecordMissing)
	require.Empty(t, r.events)
	require.Empty(t, dump(t, r.store))
	r.withApp(ann, "word")
	require.NoError(t, admin.Unlock(t.Context(), enrolled(ann)))
	require.NoError(t, admin.Reset(t.Context(), enrolled(ann)))
}

// Unlocking leaves the user on the list of support, and resetting takes them off it.
func TestAdmin_ResetClosesTheCaseAndUnlockDoesNot(t *testing.T) {
	r := newRig(t)
	r.withApp(ann, "word")
	require.NoError(t, r.Session(ann, binding).RequestSupport(t.Context(), r.begin(ann),
		report.Case{}))
	require.NoError(t, r.Admin(boss, "").Unlock(t.Context(), ann))
	require.Equal(t, "[ann]", r.waiting())
	require.NoError(t, r.Admin(boss, "").Reset(t.Context(), ann))
	require.Equal(t, "[]", r.waiting())
}

// A request by a challenge that has expired is refused, and leaves the user's earlier request.
func TestRequestSupport_LeavesAnEarlierRequest(t *testing.T) {
	r := newRig(t)
	r.withApp(ann, "word")
	s, late := r.Session(ann, binding), r.begin(ann)
	require.NoError(t, s.RequestSupport(t.Context(), r.begin(ann), report.Case{}))
	r.clock.Advance(15 * time.Minute)
	require.ErrorIs(t, s.RequestSupport(t.Context(), late, report.Case{}), mfa.ErrTokenExpired)
	require.Equal(t, "[ann]", r.waiting())
}

// silentMail is an address of record to which nothing is sent.
type silentMail struct{ word }

func (silentMail) Implied(factor.User) ([]byte, string, error) { return []byte("x"), "x", nil }

// The address of record is verified by the first kind that can be implied and that sends.
func TestSendVerificationLink_ChoosesTheKind(t *testing.T) {
	silent := &silentMail{word{kind: "silent", traits: factor.Traits{Level: factor.LevelWeak}}}
	r := newRig(t, func(c *mfa.Config) {
		c.Factors = append([]factor.Factor{newApproval("push"), silent}, c.Factors...)
	})
	d, err := r.Admin(boss, "").SendVerificationLink(t.Context(), ann)
	require.NoError(t, err)
	require.Equal(t, "mail", d.Kind)
	require.Equal(t, testStart.Add(day), d.Expires)

	r = newRig(t, func(c *mfa.Config) {
		c.Factors[0], c.Factors[1] = c.Factors[1], c.Factors[0]
	})
	d, err = r.Admin(boss, "").SendVerificationLink(t.Context(), ann)
	require.NoError(t, err)
	require.Equal(t, "mail", d.Kind, "it is the first of all")

	r = newRig(t, func(c *mfa.Config) {
		c.Factors = []factor.Factor{newApproval("push"), silent}
		c.Policies = nil
	})
	_, err = r.Admin(boss, "").SendVerificationLink(t.Context(), ann)
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	_, err = r.changeAddress(r.enroll(r.begin(ann).Grant, "silent", "word").Grant)
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
}

// Of eleven notices of one event a day, the last is left out, and each event is reported.
func TestNotices_StopAfterTenOfADay(t *testing.T) {
	r := telling(t)
	r.app.once = false
	r.withApp(ann, "word")
	_ = r.mail.notices()
	for range 12 {
		r.onApp("Laptop")
	}
	require.Equal(t, 10, count(r.mail.notices(), "device.remembered"+toAnn))
	require.Equal(t, 12, count(r.eventNames(), "device.remembered"))
}

// Users are notified where the application receives no events.
func TestNotices_NeedNoEvents(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) {
		c.Events = nil
		c.Notify = func(ctx context.Context, send func(context.Context) error) { _ = send(ctx) }
	})
	r.withApp(ann, "word")
	require.Equal(t, []string{"factor.added" + toAnn}, r.mail.notices())
}

// What a response without a password is refused for is no outage.
func TestPasswordlessVerify_DistinguishesRefusalsFromOutages(t *testing.T) {
	r, _ := keyRig(t)
	r.withKey(ann, "k1")
	_, err := r.answer(r.open(), "k1", "unverified", ann)
	require.ErrorIs(t, err, factor.ErrIncorrect)
	require.NotErrorIs(t, err, mfa.ErrUnavailable)
	_, err = r.answer(r.open(), "k1", "liar", ann)
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.NotErrorIs(t, err, factor.ErrIncorrect)
}

// The application's error about an address is the cause of what ConfirmAddress returns, in words
// of the Manager, and so is a panic.
func TestConfirmAddress_SaysThatTheAddressIsNotStored(t *testing.T) {
	for want, store := range map[string]func(context.Context) error{
		"mfa: the application did not store the address": func(context.Context) error {
			return &hookError{"ann@example.com has two accounts"}
		},
		"mfa: temporarily unavailable: the function that stores an address panicked": func(
			context.Context) error {
			panic("ann@example.com")
		},
	} {
		r := newRig(t)
		e, err := r.changeAddress(r.signIn(ann).Grant)
		require.NoError(t, err)
		_, err = r.Session(ann, binding).Confirm(t.Context(), e, secret.New("000000"))
		require.ErrorIs(t, err, mfa.ErrToken, "a move is confirmed by ConfirmAddress alone")
		_, err = r.Session(ann, binding).ConfirmAddress(t.Context(), e, r.mail.code(annsNext),
			store)
		require.EqualError(t, err, want)
	}
}
