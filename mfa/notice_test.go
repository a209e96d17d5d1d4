package mfa_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

// telling is a rig whose users are notified.
func telling(t *testing.T) *rig {
	t.Helper()
	p := impliedMail
	p.Remember = fortnight
	return newRig(t, func(c *mfa.Config) {
		c.Notify, c.Policies = func(ctx context.Context,
			send func(context.Context) error) {
			_ = send(ctx)
		}, policy.Stored(policy.Static(p))
	})
}

const toAnn = " to ann@example.com"

func TestNotices_OfChanges(t *testing.T) {
	r := telling(t)
	g := r.withApp(ann, "word").Grant
	require.Equal(t, []string{"factor.added" + toAnn}, r.mail.notices())
	g = r.enroll(g, "pin", "1234").Grant
	g = r.enroll(g, "pin", "5678").Grant
	require.Equal(t, []string{"factor.added" + toAnn, "factor.replaced" + toAnn}, r.mail.notices())
	_, err := r.Session(ann, binding).NewRecoveryCodes(t.Context(), g)
	require.NoError(t, err)
	require.NoError(t, r.Session(ann, binding).Rename(t.Context(), g,
		mfa.FactorInfo{ID: r.id("pin"), Name: "My PIN"}))
	require.NoError(t, r.Session(ann, binding).Remove(t.Context(), g, r.id("pin")))
	require.Equal(t, []string{"recovery.regenerated" + toAnn, "factor.renamed" + toAnn,
		"factor.removed" + toAnn}, r.mail.notices())
	for i, code := range []secret.Text{secret.New("a"), secret.New("b")} {
		_, err := r.verify(r.begin(ann), "recovery", code)
		require.NoError(t, err)
		if i == 0 {
			require.Equal(t, []string{"recovery.used" + toAnn}, r.mail.notices())
		}
	}
	require.Equal(t, []string{"recovery.used" + toAnn, "recovery.low" + toAnn}, r.mail.notices())
	r.onDevice(ann, "Laptop")
	require.Equal(t, []string{"device.remembered" + toAnn}, r.mail.notices())
	require.NoError(t, r.Admin(boss, "").Unlock(t.Context(), ann))
	require.NoError(t, r.Admin(boss, "").Reset(t.Context(), ann))
	require.Equal(t, []string{"admin.unlock" + toAnn, "admin.reset" + toAnn}, r.mail.notices())
	require.Contains(t, r.eventNames(), "notice.sent")
}

// The address that a change takes away is notified as well: it may be the only one that is
// not the attacker's. An address that is not verified gets no notice.
func TestNotices_GoToAllKnownAddresses(t *testing.T) {
	r := telling(t)
	g := r.signIn(ann).Grant
	e, err := r.begun(g, "mail", "home@example.com")
	require.NoError(t, err)
	require.NotContains(t, r.mail.notices(), "factor.added to home@example.com")
	c, err := r.Session(ann, binding).Confirm(t.Context(), e, r.mail.code("home@example.com"))
	require.NoError(t, err)
	require.Equal(t, []string{"factor.added" + toAnn}, r.mail.notices())
	require.NoError(t, r.Session(ann, binding).Remove(t.Context(), c.Grant, r.id("mail")))
	require.Equal(t, []string{"factor.removed" + toAnn, "factor.removed to home@example.com"},
		r.mail.notices())

	unsure := person(5)
	r.withApp(unsure, "word")
	_ = r.mail.notices()
	unsure.EmailVerified = false
	for range 5 {
		_, _ = r.verify(r.begin(unsure), "app", secret.New("wrong"))
	}
	require.Empty(t, r.mail.notices())
}

// A user is notified of a lock once, and of failed attempts from the third and once a day at most.
func TestNotices_OfFailedAttempts(t *testing.T) {
	r := telling(t)
	r.withApp(ann, "word")
	_ = r.mail.notices()
	wrong := func(n int) {
		for range n {
			_, err := r.verify(r.begin(ann), "app", secret.New("wrong"))
			require.Error(t, err)
		}
	}
	wrong(2)
	require.Empty(t, r.mail.notices(), "two are typing errors")
	wrong(1)
	require.Equal(t, []string{"verify.failure" + toAnn}, r.mail.notices())
	wrong(2)
	require.Equal(t, []string{"lockout.locked" + toAnn}, r.mail.notices())
	wrong(3)
	require.Empty(t, r.mail.notices(), "what is not judged is not told")
	r.clock.Advance(4 * time.Minute)
	wrong(4)
	require.Empty(t, r.mail.notices(), "once a day")
	r.clock.Advance(24 * time.Hour)
	wrong(1)
	require.Equal(t, []string{"lockout.locked" + toAnn}, r.mail.notices())
	r.clock.Advance(4 * time.Minute)
	wrong(1)
	require.Equal(t, []string{"verify.failure" + toAnn}, r.mail.notices())
}

func TestNotices_OfACancelledSignIn(t *testing.T) {
	r := telling(t)
	r.withApp(ann, "word")
	_ = r.mail.notices()
	ch := r.begin(ann)
	require.ErrorIs(t, r.Session(ann, "another session").Cancel(t.Context(), ch), mfa.ErrToken)
	require.NoError(t, r.Session(ann, binding).Cancel(t.Context(), ch))
	require.Equal(t, []string{"challenge.abandoned" + toAnn}, r.mail.notices())
	_, err := r.verify(ch, "app", secret.New("word"))
	require.ErrorIs(t, err, mfa.ErrTokenExpired, "it is spent")
	require.ErrorIs(t, r.Session(ann, binding).Cancel(t.Context(), ch), mfa.ErrTokenExpired)

	require.NoError(t, r.Session(ann, binding).Cancel(t.Context(), r.begin(ann)))
	require.Empty(t, r.mail.notices(), "once a day")
	r.clock.Advance(25 * time.Hour)
	late, other := r.begin(ann), r.begin(ann)
	r.clock.Advance(time.Hour) // long over
	require.NoError(t, r.Session(ann, binding).Cancel(t.Context(), late))
	require.Equal(t, []string{"challenge.abandoned" + toAnn}, r.mail.notices())
	_, err = r.verify(r.begin(ann), "app", secret.New("word"))
	require.NoError(t, err)
	require.ErrorIs(t, r.Session(ann, binding).Cancel(t.Context(), other), mfa.ErrTokenExpired,
		"the person has signed in since")
}

// A mail that fails takes nothing back, and is an event.
func TestNotices_FailingFailsNothing(t *testing.T) {
	r := telling(t)
	v := r.signIn(ann)
	r.mail.mu.Lock()
	r.mail.fail = errors.New("mail server is down")
	r.mail.mu.Unlock()
	r.enroll(v.Grant, "app", "word")
	require.Contains(t, r.eventNames(), "notice.failed")
	for _, e := range r.events {
		require.NotContains(t, e.Reason+e.Note, "ann@")
	}
	_, err := r.verify(r.begin(ann), "app", secret.New("word"))
	require.NoError(t, err)
}

// An application with a queue tells later, and again.
func TestNotices_MaySendLater(t *testing.T) {
	var queue []func(context.Context) error
	r := newRig(t, func(c *mfa.Config) {
		c.Notify = func(_ context.Context, tell func(context.Context) error) {
			queue = append(queue, tell)
		}
	})
	r.withApp(ann, "word")
	require.Empty(t, r.mail.notices())
	require.Len(t, queue, 1)
	r.mail.fail = errors.New("down")
	require.Error(t, queue[0](t.Context()))
	r.mail.fail = nil
	require.NoError(t, queue[0](t.Context()))
	require.Equal(t, []string{"factor.added" + toAnn}, r.mail.notices())
}

// Without Config.Notify no user is notified, and nothing is stored for it.
func TestNotices_NoneByDefault(t *testing.T) {
	r := newRig(t)
	r.withApp(ann, "word")
	for range 5 {
		_, _ = r.verify(r.begin(ann), "app", secret.New("wrong"))
	}
	require.Empty(t, r.mail.notices())
	require.NoError(t, r.Session(ann, binding).Cancel(t.Context(), r.begin(ann)))
	require.NoError(t, r.Admin(boss, "").Unlock(t.Context(), ann))
	require.Empty(t, r.record(ann).Notices)
	require.Zero(t, r.record(ann).Warned)
}

// record returns what is stored of a user.
func (r *rig) record(u mfa.User) *record.Record {
	r.t.Helper()
	key := "p/0//" + u.ID
	rec, err := r.store.Get(r.t.Context(), key)
	require.NoError(r.t, err)
	plain, err := r.cfg.Keys.Open("record", key, rec.Data)
	require.NoError(r.t, err)
	stored, err := record.Decode(plain)
	require.NoError(r.t, err)
	return stored
}

// Two kinds may reach the user at the same destination, and each gets the notice. Without an
// address there is no notice to it, whatever the application says of it.
func TestNotices_GoToEachKind(t *testing.T) {
	post := &sent{kind: "post"}
	tells := func(c *mfa.Config) {
		c.Factors = append(c.Factors, post)
		c.Policies = policy.Static(impliedMail)
		c.Notify = func(ctx context.Context, send func(context.Context) error) { _ = send(ctx) }
	}
	r := newRig(t, tells)
	e, err := r.begun(r.signIn(ann).Grant, "post", ann.Email)
	require.NoError(t, err)
	c, err := r.Session(ann, binding).Confirm(t.Context(), e, post.code(ann.Email))
	require.NoError(t, err)
	_, _ = r.mail.notices(), post.notices()
	require.NoError(t, r.Session(ann, binding).Rename(t.Context(), c.Grant,
		mfa.FactorInfo{ID: c.Factor.ID, Name: "Home"}))
	require.Equal(t, []string{"factor.renamed" + toAnn}, r.mail.notices())
	require.Equal(t, []string{"factor.renamed" + toAnn}, post.notices())

	r = newRig(t, tells)
	nowhere := mfa.User{ID: "nowhere", EmailVerified: true}
	r.setUp(nowhere, "app")
	require.Empty(t, r.mail.notices())
	require.NotContains(t, r.eventNames(), "notice.sent")
}
