package mfa_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

// A package that ties something to a session has a hash of its ID, which says nothing of the ID.
func TestSessionHash_IsOfTheSession(t *testing.T) {
	r := newRig(t)
	hash := r.Session(ann, "one").SessionHash()
	require.GreaterOrEqual(t, len(hash), 16)
	require.NotContains(t, string(hash), "one")
	require.Equal(t, hash, r.Session(person(1), "one").SessionHash())
	require.NotEqual(t, hash, r.Session(ann, "two").SessionHash())
	require.Nil(t, r.Session(ann, "").SessionHash())
	require.Nil(t, r.Session(ann, strings.Repeat("s", 513)).SessionHash())
}

// A link says whose brand its page has, whatever became of it, and other text says nothing.
func TestLinkScope_IsTheUsers(t *testing.T) {
	r := newRig(t)
	u := mfa.User{ID: "u", Tenant: "acme", UserType: "staff", Email: "u@example.com",
		EmailVerified: true}
	_, err := r.Admin(boss, "").SendVerificationLink(t.Context(), u)
	require.NoError(t, err)
	_, err = r.Admin(boss, "").SendRecoveryLink(t.Context(), u)
	require.NoError(t, err)
	r.clock.Advance(30 * day)
	for _, link := range []secret.Text{secret.New(r.mail.link[u.Email]), r.lastSetup()} {
		scope, err := r.LinkScope(link)
		require.NoError(t, err)
		require.Equal(t, policy.Scope{Tenant: "acme", UserType: "staff"}, scope)
	}
	scope, err := r.LinkScope(textOf(t, r.begin(ann)))
	require.ErrorIs(t, err, mfa.ErrToken)
	require.Zero(t, scope)
}

// A log says what a challenge asks for, and has nothing that can be used.
func TestChallenge_LogsItsKinds(t *testing.T) {
	r := newRig(t)
	r.withApp(ann, "word")
	ch := r.begin(ann)
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("begun", "challenge", *ch)
	require.Contains(t, out.String(), `challenge.kinds="[app mail]"`)
	require.NotContains(t, out.String(), textOf(t, ch).Reveal())
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
