package mfa_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

func (r *rig) setupLink(s mfa.User) secret.Text {
	r.t.Helper()
	_, err := r.Session(s, binding).SendRecoveryLink(r.t.Context(), r.begin(s))
	require.NoError(r.t, err)
	return r.lastSetup()
}

// lastSetup is the link of the last message that had one.
func (r *rig) lastSetup() secret.Text {
	r.mail.mu.Lock()
	defer r.mail.mu.Unlock()
	for i := len(r.mail.told) - 1; i >= 0; i-- {
		if in := r.mail.told[i]; in.Event == "setup.link" {
			return secret.New(in.Link.Reveal())
		}
	}
	r.t.Fatal("no link was sent")
	return secret.Text{}
}

// lost is a rig where ann has an app and recovery codes.
func lost(t *testing.T, change ...func(*mfa.Config)) *rig {
	t.Helper()
	r := newRig(t, change...)
	g := r.withApp(ann, "old phone").Grant
	_, err := r.Session(ann, binding).NewRecoveryCodes(t.Context(), g)
	require.NoError(t, err)
	return r
}

const elsewhere = "another browser"

func (r *rig) replaceBy(ch *mfa.Challenge, code secret.Text) (*mfa.Verification, error) {
	return r.Session(ann, elsewhere).Recovery().Verify(r.t.Context(), ch, "recovery", code)
}

// The whole recovery: the link, the proof, the new device; the old one is valid until then.
func TestRecoveryLink_EnrolsAReplacement(t *testing.T) {
	r := lost(t)
	link := r.setupLink(ann)
	u, err := r.RecoveryUser(link)
	require.NoError(t, err)
	require.Equal(t, mfa.User{ID: ann.ID, Tenant: ann.Tenant, UserType: ann.UserType}, u)
	ch, err := r.Session(ann, elsewhere).Recovery().OpenRecoveryLink(t.Context(), link)
	require.NoError(t, err)
	require.Equal(t, mfa.NextVerify, ch.Next)
	require.Len(t, ch.Options, 1)
	require.Equal(t, "recovery", ch.Options[0].Kind)

	// The link alone proves a mailbox, and signs nobody in.
	for _, p := range []string{"sign-in", "step-up", "manage"} {
		_, err = withPurpose(r.Session(ann, elsewhere), p).Verify(t.Context(), ch, "recovery",
			secret.New("a"))
		require.ErrorIs(t, err, mfa.ErrToken)
	}
	_, err = r.Session(ann, elsewhere).Recovery().Verify(t.Context(), ch, "app",
		secret.New("old phone"))
	require.ErrorIs(t, err, mfa.ErrNotAvailable, "by recovery only")
	v, err := r.replaceBy(ch, secret.New("a"))
	require.NoError(t, err)

	// The grant enrols a replacement and nothing else.
	require.ErrorIs(t, r.Session(ann, elsewhere).Remove(t.Context(), v.Grant, r.id("app")),
		mfa.ErrForbidden)
	_, err = r.Session(ann, elsewhere).NewRecoveryCodes(t.Context(), v.Grant)
	require.ErrorIs(t, err, mfa.ErrForbidden)
	e, err := r.Session(ann, elsewhere).Enroll(t.Context(), v.Grant, mfa.EnrollRequest{Kind: "app",
		Params: map[string]secret.Text{"word": secret.New("new phone")}})
	require.NoError(t, err)
	_, err = r.verify(r.begin(ann), "app", secret.New("old phone"))
	require.NoError(t, err, "good until the new one is confirmed")
	c, err := r.Session(ann, elsewhere).Confirm(t.Context(), e, secret.New("new phone"))
	require.NoError(t, err)
	require.Nil(t, c.Verification, "that was no sign-in")
	_, err = r.verify(r.begin(ann), "app", secret.New("new phone"))
	require.NoError(t, err)
	r.clock.Advance(24 * time.Hour)
	_, err = r.verify(r.begin(ann), "app", secret.New("old phone"))
	require.ErrorIs(t, err, factor.ErrIncorrect, "it ended with the hold")
}

// A link is valid once, for an hour, and until the next one.
func TestRecoveryLink_WorksOnce(t *testing.T) {
	r := lost(t)
	first := r.setupLink(ann)
	second := r.setupLink(ann)
	_, err := r.Session(ann, elsewhere).Recovery().OpenRecoveryLink(t.Context(), first)
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	_, err = r.Session(ann, "").Recovery().OpenRecoveryLink(t.Context(), second)
	require.ErrorIs(t, err, factor.ErrMalformed)
	_, err = r.Session(ann, elsewhere).Recovery().OpenRecoveryLink(t.Context(), second)
	require.NoError(t, err)
	_, err = r.Session(ann, elsewhere).Recovery().OpenRecoveryLink(t.Context(), second)
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	for _, bad := range []secret.Text{{}, secret.New("x"), textOf(t, r.begin(ann))} {
		_, err = r.Session(ann, elsewhere).Recovery().OpenRecoveryLink(t.Context(), bad)
		require.ErrorIs(t, err, mfa.ErrToken)
		_, err = r.RecoveryUser(bad)
		require.ErrorIs(t, err, mfa.ErrToken)
	}
	_, err = r.ConfirmLink(t.Context(), second)
	require.ErrorIs(t, err, mfa.ErrToken, "it confirms no address")

	third := r.setupLink(ann)
	r.clock.Advance(time.Hour - time.Millisecond)
	_, err = r.RecoveryUser(third)
	require.NoError(t, err)
	r.clock.Advance(time.Millisecond)
	_, err = r.Session(ann, elsewhere).Recovery().OpenRecoveryLink(t.Context(), third)
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	_, err = r.RecoveryUser(third)
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
	fourth := r.setupLink(ann)
	require.NoError(t, r.Admin(mfa.System("boss"), "").Reset(t.Context(), ann))
	_, err = r.Session(ann, elsewhere).Recovery().OpenRecoveryLink(t.Context(), fourth)
	require.ErrorIs(t, err, mfa.ErrTokenExpired)
}

// Of two browsers that open a link at once, one has it.
func TestRecoveryLink_WorksOnceInParallel(t *testing.T) {
	r := lost(t)
	link := r.setupLink(ann)
	managers := []*mfa.Manager{r.Manager, r.another()}
	won := make(chan bool, 20)
	for i := range cap(won) {
		go func() {
			_, err := managers[i%2].Session(ann, elsewhere).Recovery().OpenRecoveryLink(t.Context(),
				link)
			won <- err == nil
		}()
	}
	n := 0
	for range cap(won) {
		if <-won {
			n++
		}
	}
	require.Equal(t, 1, n)
}

// The link is no way around a lock, and counts against the rate limit.
func TestRecoveryLink_HonoursRateLimits(t *testing.T) {
	r := lost(t, func(c *mfa.Config) { c.RateLimits.PerUser = 3 })
	send := func() error {
		_, err := r.Session(ann, binding).SendRecoveryLink(t.Context(), r.begin(ann))
		return err
	}
	r.setupLink(ann) // the second: the first was the code of the sign-in
	require.NoError(t, send())
	var over *mfa.RateLimitError
	require.ErrorAs(t, send(), &over)
	r.clock.Advance(2 * time.Hour)
	for range 5 {
		_, _ = r.verify(r.begin(ann), "app", secret.New("wrong"))
	}
	requireLocked(t, send())
	r.clock.Advance(4 * time.Minute)
	ch, err := r.Session(ann, elsewhere).Recovery().OpenRecoveryLink(t.Context(), r.setupLink(ann))
	require.NoError(t, err)
	for i := range 5 {
		_, err := r.replaceBy(ch, secret.New("wrong"))
		require.Equal(t, 4-i, left(t, err))
	}
	_, err = r.replaceBy(ch, secret.New("a"))
	requireLocked(t, err)
}

// A user who has nothing to recover with can only ask; a user who has not enrolled enrols.
func TestRecoveryLink_SentByAnAdministrator(t *testing.T) {
	r := newRig(t)
	r.withApp(ann, "word")
	ch, err := r.Session(ann, elsewhere).Recovery().OpenRecoveryLink(t.Context(), r.setupLink(ann))
	require.NoError(t, err)
	require.Empty(t, ch.Options)
	require.NoError(t, r.Session(ann, elsewhere).Recovery().RequestSupport(t.Context(), ch,
		report.Case{}))

	guest := person(7)
	d, err := r.Admin(boss, "").SendRecoveryLink(t.Context(), guest)
	require.NoError(t, err)
	require.Equal(t, r.clock.Now().Add(time.Hour), d.Expires)
	require.Equal(t, "•••", d.MaskedDestination)
	ch, err = r.Session(guest, elsewhere).Recovery().OpenRecoveryLink(t.Context(), r.lastSetup())
	require.NoError(t, err)
	require.Equal(t, mfa.NextEnroll, ch.Next)
	e, err := r.Session(guest, elsewhere).Enroll(t.Context(), ch.Grant,
		mfa.EnrollRequest{Kind: "app",
			Params: map[string]secret.Text{"word": secret.New("w")}})
	require.NoError(t, err)
	c, err := r.Session(guest, elsewhere).Confirm(t.Context(), e, secret.New("w"))
	require.NoError(t, err)
	require.Nil(t, c.Verification)
	require.ErrorIs(t, r.Session(guest, elsewhere).Remove(t.Context(), ch.Grant, r.idOf(guest,
		"app")), mfa.ErrForbidden)

	nobody := mfa.User{ID: "x"}
	_, err = r.Admin(boss, "").SendRecoveryLink(t.Context(), nobody)
	require.ErrorIs(t, err, mfa.ErrNotAvailable, "no address")
	nobody.Enrolled, nobody.Email, nobody.EmailVerified = true, "x@example.com", true
	_, err = r.Admin(boss, "").SendRecoveryLink(t.Context(), nobody)
	require.ErrorIs(t, err, mfa.ErrRecordMissing)
	r.mail.fail = errors.New("down")
	_, err = r.Admin(boss, "").SendRecoveryLink(t.Context(), guest)
	require.ErrorIs(t, err, mfa.ErrUnavailable)
}

func (r *rig) idOf(s mfa.User, kind string) string {
	r.t.Helper()
	o, err := r.Overview(r.t.Context(), s)
	require.NoError(r.t, err)
	for _, f := range o.Factors {
		if f.Kind == kind {
			return f.ID
		}
	}
	r.t.Fatal("no such factor")
	return ""
}

func TestSupport_ListsRequests(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) {
		c.Notify = func(ctx context.Context, send func(context.Context) error) { _ = send(ctx) }
	})
	r.withApp(ann, "word")
	_ = r.mail.notices()
	ask := func(s mfa.User, message string) error {
		return r.Session(s, binding).RequestSupport(t.Context(), r.begin(s),
			report.Case{From: "192.0.2.1", Message: message})
	}
	require.NoError(t, ask(ann, "phone fell into the sea"))
	require.Equal(t, []string{"support.requested" + toAnn}, r.mail.notices())
	r.clock.Advance(time.Minute)
	require.NoError(t, ask(person(1), "help"))
	require.NoError(t, ask(ann, "it is still there"))
	list, err := r.Admin(mfa.System("boss"), "").SupportCases(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, report.Case{UserID: "ann", UserType: "employee", Account: "ann@example.com",
		Time: r.clock.Now(),
		From: "192.0.2.1", Message: "it is still there"}, list[0])
	old := r.begin(ann)
	r.clock.Advance(15 * time.Minute)
	require.ErrorIs(t, r.Session(ann, binding).RequestSupport(t.Context(), old, report.Case{}),
		mfa.ErrTokenExpired)
	require.ErrorIs(t, ask(ann, strings.Repeat("m", 501)), factor.ErrMalformed)
	require.ErrorIs(t, ask(ann, "\xff"), factor.ErrMalformed)
	require.ErrorIs(t, r.Session(ann, "x").RequestSupport(t.Context(), r.begin(ann), report.Case{}),
		mfa.ErrToken)

	admin := r.Admin(boss, "knows her badge number")
	require.NoError(t, admin.Reset(t.Context(), ann))
	require.NoError(t, r.Admin(mfa.System("boss"), "").CloseSupportCase(t.Context(), person(1)))
	require.ErrorIs(t, admin.CloseSupportCase(t.Context(), ann), mfa.ErrNotAvailable)
	list, err = r.Admin(mfa.System("boss"), "").SupportCases(t.Context(), "")
	require.NoError(t, err)
	require.Empty(t, list)
	for key := range dump(t, r.store) {
		require.False(t, strings.HasPrefix(key, "s/"), "an empty list is no record")
	}
	r.cfg.Authorize = nil
	_, err = r.another().Admin(mfa.System("boss"), "").SupportCases(t.Context(), "")
	require.ErrorIs(t, err, mfa.ErrForbidden)
}

// The list is bounded: asking is free, so it would grow without end.
func TestSupport_IsBounded(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat("m", 500)
	for i := range 260 {
		s := person(i)
		s.Account = strings.Repeat("a", 128)
		require.NoError(t, r.Session(s, binding).RequestSupport(t.Context(), r.begin(s),
			report.Case{From: long[:64], Message: long}))
	}
	list, err := r.Admin(mfa.System("boss"), "").SupportCases(t.Context(), "")
	require.NoError(t, err)
	require.Less(t, len(list), 250, "long messages: bounded by length")
	require.Equal(t, "p259", list[0].UserID)
	for i := range 260 {
		s := person(i)
		s.Tenant = "short"
		require.NoError(t, r.Session(s, binding).RequestSupport(t.Context(), r.begin(s),
			report.Case{}))
	}
	list, err = r.Admin(mfa.System("boss"), "").SupportCases(t.Context(), "short")
	require.NoError(t, err)
	require.Len(t, list, 250)
	require.Equal(t, "p259", list[0].UserID)
	r.store.Inject(mfatest.OpGet, 1, mfatest.Fault{Before: errors.New("down")})
	_, err = r.Admin(mfa.System("boss"), "").SupportCases(t.Context(), "")
	require.ErrorIs(t, err, mfa.ErrUnavailable)
}

// A recovery link is refused to the handle of another user, or of another tenant's user with the
// same ID, and stays valid for its own.
func TestOpenRecoveryLink_IsForItsUser(t *testing.T) {
	r := newRig(t)
	r.withApp(ann, "word")
	link, tenant := r.setupLink(ann), ann
	tenant.Tenant = "other"
	for _, other := range []mfa.User{person(1), tenant} {
		_, err := r.Session(other, "elsewhere").Recovery().OpenRecoveryLink(t.Context(), link)
		require.ErrorIs(t, err, mfa.ErrToken)
	}
	_, err := r.Session(ann, "elsewhere").Recovery().OpenRecoveryLink(t.Context(), link)
	require.NoError(t, err)
}

// An administrator who deletes or resets a user takes them off the list, also when the user asks
// for help at the same moment, from another process.
func TestRequestSupport_LeavesNoCaseOfADeletedUser(t *testing.T) {
	acts := map[string]func(mfa.Admin) error{
		"Delete": func(a mfa.Admin) error { return a.Delete(t.Context(), ann) },
		"Reset":  func(a mfa.Admin) error { return a.Reset(t.Context(), ann) },
	}
	for name, act := range acts {
		for swap, when := range []string{"as the record is written", "as the list is written",
			"after"} {
			t.Run(name+" "+when, func(t *testing.T) {
				r := newRig(t)
				r.withApp(ann, "word")
				s, ch := r.Session(ann, binding), r.begin(ann)
				other := r.another().Admin(mfa.System("boss"), "left")
				r.store.Inject(mfatest.OpSwap, swap, mfatest.Fault{})
				r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Run: func(context.Context, string) {
					require.NoError(t, act(other))
				}})
				err := s.RequestSupport(t.Context(), ch, report.Case{Message: "my phone is gone"})
				if when == "after" {
					require.NoError(t, err)
					require.Equal(t, 1, r.store.Pending())
					r.store.Heal()
					require.NoError(t, act(other))
				} else {
					require.ErrorIs(t, err, mfa.ErrTokenExpired)
				}
				for key := range dump(t, r.store) {
					require.False(t, strings.HasPrefix(key, "s/"), key)
				}
			})
		}
	}
}

// A case that cannot be taken off the list is an error, and the list is left as it is.
func TestDelete_SaysThatASupportCaseIsLeft(t *testing.T) {
	r := newRig(t)
	r.withApp(ann, "word")
	require.NoError(t, r.Session(ann, binding).RequestSupport(t.Context(), r.begin(ann),
		report.Case{}))
	r.store.Inject(mfatest.OpDelete, 1, mfatest.Fault{})
	r.store.Inject(mfatest.OpDelete, 1, mfatest.Fault{Before: errors.New("down")})
	admin := r.Admin(mfa.System("boss"), "left")
	require.ErrorIs(t, admin.Delete(t.Context(), ann), mfa.ErrUnavailable)
	list, err := admin.SupportCases(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.NoError(t, admin.Delete(t.Context(), ann))
	list, err = admin.SupportCases(t.Context(), "")
	require.NoError(t, err)
	require.Empty(t, list)
}

// A reason is bounded for what only reads as well: it reaches Config.Authorize.
func TestAdmin_BoundsTheReasonOfReads(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) {
		c.Authorize = func(context.Context, mfa.AdminAction) error {
			t.Error("the application was asked")
			return nil
		}
	})
	admin := r.Admin(mfa.System("boss"), strings.Repeat("x", 1025))
	_, err := admin.SupportCases(t.Context(), "")
	require.ErrorIs(t, err, factor.ErrMalformed)
	_, err = admin.Report(t.Context())
	require.ErrorIs(t, err, factor.ErrMalformed)
}
