package mfa_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/client"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/secret"
)

// notice returns the last notice that went by mail.
func (s *sent) notice(t *testing.T, event string) factor.Message {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.told) - 1; i >= 0; i-- {
		if s.told[i].Event == event {
			return s.told[i]
		}
	}
	require.FailNow(t, "no notice of "+event)
	return factor.Message{}
}

// A notice says what came before the event, because the user draws conclusions from it: a password
// that an attacker knows is to be changed, and a mailbox is to be looked after.
func TestNotices_StateTheCause(t *testing.T) {
	r := telling(t)
	r.withApp(ann, "word")
	require.NoError(t, r.Session(ann, binding).Cancel(t.Context(), r.begin(ann)))
	require.Equal(t, "first-factor", r.mail.notice(t, "challenge.abandoned").Cause)
	r = telling(t)
	r.withApp(ann, "word")
	for range 3 {
		_, err := r.verify(r.begin(ann), "app", secret.New("wrong"))
		require.Error(t, err)
	}
	require.Equal(t, "first-factor", r.mail.notice(t, "verify.failure").Cause)

	r = telling(t)
	r.withApp(ann, "word")
	ch, err := r.Session(ann, binding).StepUp().Begin(t.Context())
	require.NoError(t, err)
	for range 5 {
		_, err = r.Session(ann, binding).StepUp().Verify(t.Context(), ch, "app",
			secret.New("wrong"))
		require.Error(t, err)
	}
	require.Equal(t, "session", r.mail.notice(t, "lockout.locked").Cause)

	r = lost(t, func(c *mfa.Config) {
		c.Notify = func(ctx context.Context, send func(context.Context) error) { _ = send(ctx) }
	})
	ch, err = r.Session(ann, elsewhere).Recovery().OpenRecoveryLink(t.Context(), r.setupLink(ann))
	require.NoError(t, err)
	require.NoError(t, r.Session(ann, elsewhere).Recovery().RequestSupport(t.Context(), ch,
		report.Case{From: "192.0.2.1"}))
	require.Equal(t, "recovery-link", r.mail.notice(t, "support.requested").Cause)
	for range 5 {
		_, err = r.replaceBy(ch, secret.New("wrong"))
		require.Error(t, err)
	}
	require.Equal(t, "recovery-link", r.mail.notice(t, "lockout.locked").Cause)
}

// A notice says from which browser and place a request came, if it is the user's and not an
// administrator's, in the user's time zone. What is no plain name is left out.
func TestNotices_SayFromWhere(t *testing.T) {
	r := telling(t)
	user := ann
	user.TimeZone = "Europe/Oslo"
	ctx := client.Client{Browser: "Firefox, Windows", Place: "Oslo, Norway"}.Context(t.Context())
	r.withApp(user, "word")
	require.NoError(t, r.Session(user, binding).Cancel(ctx, r.begin(user)))
	n := r.mail.notice(t, "challenge.abandoned")
	require.Equal(t, []string{"Firefox, Windows", "Oslo, Norway", "Europe/Oslo"},
		[]string{n.Browser, n.Place, n.User.TimeZone})

	require.NoError(t, r.Admin(boss, "").Unlock(ctx, user))
	n = r.mail.notice(t, "admin.unlock")
	require.Empty(t, n.Browser+n.Place, "they are the administrator's")
	require.Equal(t, "Europe/Oslo", n.User.TimeZone)

	r.clock.Advance(25 * time.Hour)
	ctx = client.Client{Browser: "see https://evil.example",
		Place: strings.Repeat("x", 200)}.Context(t.Context())
	require.NoError(t, r.Session(user, binding).Cancel(ctx, r.begin(user)))
	n = r.mail.notice(t, "challenge.abandoned")
	require.Empty(t, n.Browser+n.Place)
}

// A name of 128 bytes is quoted, and a longer one is not. What a session that is signed in asks for
// has that cause also where factors are managed.
func TestNotices_QuoteNamesOfSomeLength(t *testing.T) {
	for length, quoted := range map[int]int{128: 128, 129: 0} {
		r := telling(t)
		r.withApp(ann, "word")
		ctx := client.Client{Browser: strings.Repeat("x", length)}.Context(t.Context())
		require.NoError(t, r.Session(ann, binding).Cancel(ctx, r.begin(ann)))
		require.Len(t, r.mail.notice(t, "challenge.abandoned").Browser, quoted)
	}
	r := telling(t)
	r.withApp(ann, "word")
	ch := r.beginFor(ann, "manage")
	for range 5 {
		_, err := r.Session(ann, binding).ManageFactors().Verify(t.Context(), ch, "app",
			secret.New("wrong"))
		require.Error(t, err)
	}
	require.Equal(t, "session", r.mail.notice(t, "lockout.locked").Cause)
}
