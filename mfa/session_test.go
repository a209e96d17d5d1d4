package mfa_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
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
