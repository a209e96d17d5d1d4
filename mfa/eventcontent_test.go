package mfa_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// about returns the events since the last call, as far as they say what a response was about.
func (r *rig) about() (list []mfa.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		list = append(list, mfa.Event{Name: e.Name, Kind: e.Kind, FactorID: e.FactorID,
			Purpose: e.Purpose, Reason: e.Reason, Remaining: e.Remaining,
			LockedUntil: e.LockedUntil})
	}
	r.events = nil
	return list
}

// The events of a response say what it was about, and name the write that recorded it.
func TestEvents_SayWhatAResponseWasAbout(t *testing.T) {
	r := newRig(t)
	id := r.withApp(ann, "word").Factor.ID
	_ = r.about()
	attempt := func(n int) mfa.Event {
		return mfa.Event{Name: "verify.failure", Kind: "app", Purpose: "sign-in",
			Reason: "incorrect", Remaining: n}
	}
	ch := r.begin(ann)
	_ = r.about()
	_, err := r.verify(ch, "app", secret.New("wrong"))
	require.Equal(t, 4, left(t, err))
	write := r.events[0].Write
	require.Positive(t, write)
	require.Equal(t, []mfa.Event{attempt(4)}, r.about())

	_, err = r.verify(ch, "app", secret.New("word"))
	require.NoError(t, err)
	require.Equal(t, write+1, r.events[0].Write)
	require.Equal(t, []mfa.Event{{Name: "verify.success", Kind: "app", Purpose: "sign-in",
		FactorID: id, Remaining: -1}}, r.about())

	ch = r.begin(ann)
	_ = r.about()
	_, err = r.verify(ch, "app", secret.New("word"))
	require.Equal(t, 4, left(t, err))
	replayed := attempt(4)
	replayed.Reason = "replayed"
	require.Equal(t, []mfa.Event{replayed}, r.about())
	for range 3 {
		_, err = r.verify(ch, "app", secret.New("wrong"))
		require.Error(t, err)
	}
	_ = r.about()
	_, err = r.verify(ch, "app", secret.New("wrong"))
	require.Zero(t, left(t, err))
	until := testStart.Add(3 * time.Minute)
	last := attempt(0)
	last.LockedUntil = until
	locked := last
	locked.Name = "lockout.locked"
	require.Equal(t, []mfa.Event{last, locked}, r.about())

	_, err = r.verify(ch, "app", secret.New("word"))
	requireLocked(t, err)
	require.Zero(t, r.events[0].Write, "nothing is written")
	require.Equal(t, []mfa.Event{{Name: "verify.locked", Kind: "app", Purpose: "sign-in",
		Remaining: -1, LockedUntil: until}}, r.about())
}

// A response that could never be correct is refused before anything is counted.
func TestVerify_RefusesMalformedResponses(t *testing.T) {
	r := newRig(t)
	r.withApp(ann, "word")
	ch := r.begin(ann)
	for _, response := range []string{"", "a\x00b", "\xff", strings.Repeat("a", 8193)} {
		_, err := r.verify(ch, "app", secret.New(response))
		require.ErrorIs(t, err, factor.ErrMalformed)
	}
	_, err := r.verify(ch, "app", secret.New(strings.Repeat("a", 8192)))
	require.Equal(t, 4, left(t, err), "the first that is counted")
}
