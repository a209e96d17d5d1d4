package decide_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
)

// errOutdated is what a factor says of an instance that has changed since it was enrolled.
var errOutdated = fmt.Errorf("%w: %w", factor.ErrExpired, decide.ErrOutdated)

// An instance that has changed is noted once, if the user enrolled it.
func TestViewDecide_NotesAnOutdatedInstanceOnce(t *testing.T) {
	for _, task := range []decide.Task{decide.Verify, decide.Passwordless} {
		v := view(t, stored(t, nil), start)
		r := &decide.Response{Task: task, Kind: "app"}
		in := &v.Record.Factors[0]
		target := func(in *record.Instance, refusal error) decide.Said {
			return decide.Said{Target: decide.Target{Instance: in}, Refusal: refusal}
		}
		o, write := v.Decide(r, target(in, errOutdated))
		require.True(t, o.Outdated)
		require.True(t, write)
		require.True(t, v.Record.IsOutdated(in.ID))

		address := &record.Instance{ID: "address", Kind: "mail", Implicit: true}
		v.Record.Factors = append(v.Record.Factors, *address)
		for name, said := range map[string]decide.Said{
			"again":                        target(in, errOutdated),
			"an implied address":           target(address, errOutdated),
			"no instance":                  target(nil, errOutdated),
			"late, and not outdated":       target(&v.Record.Factors[1], factor.ErrExpired),
			"an instance that was removed": target(&record.Instance{ID: "gone"}, errOutdated),
		} {
			o, write := v.Decide(r, said)
			require.False(t, o.Outdated, name)
			require.False(t, write, name)
			require.False(t, v.Record.IsOutdated(address.ID))
		}
	}
}

// Three failed attempts of a sign-in warn the user once a day: an attacker has their password.
func TestViewDecide_WarnsOfAttemptsAtSignIns(t *testing.T) {
	for _, c := range []struct {
		task     decide.Task
		purpose  token.Purpose
		failures int
		notifies bool
		want     bool
	}{
		{decide.Verify, token.PurposeSignIn, 3, true, true},
		{decide.Verify, token.PurposeSignIn, 2, true, false},
		{decide.Verify, token.PurposeSignIn, 3, false, false},
		{decide.Verify, token.PurposeSignIn, 5, true, false}, // the lock is its own message
		{decide.Verify, token.PurposeStepUp, 3, true, false},
		{decide.Verify, token.PurposeManage, 3, true, false},
		{decide.Confirm, token.PurposeSignIn, 3, true, false},
		{decide.Unlock, token.PurposeSignIn, 3, true, true},
	} {
		v := view(t, stored(t, nil), start)
		v.Claims.Purpose, v.Notifies = c.purpose, c.notifies
		said := decide.Said{Target: decide.Target{Instance: &v.Record.Factors[0]},
			Refusal: factor.ErrIncorrect}
		r := &decide.Response{Task: c.task, Kind: "app"}
		var o decide.Outcome
		for n := range c.failures {
			if n == 4 {
				v.Record.Warned = 0 // nothing keeps it from a message but the lock
			}
			o, _ = v.Decide(r, said)
		}
		require.Equal(t, c.want, o.Warned, "%+v", c)
		if !c.want {
			continue
		}
		require.Equal(t, start.UnixMilli(), v.Record.Warned)
		o, _ = v.Decide(r, said)
		require.False(t, o.Warned, "once a day")
		v.Now = start.Add(24*time.Hour - time.Millisecond)
		require.False(t, v.Warn(v.Record, v.Now))
		require.True(t, v.Warn(v.Record, start.Add(24*time.Hour)))
	}
}

// Without a user who is known nothing is counted, and a copied instance warns once a day.
func TestViewDecide_WarnsOfACopyWithoutCounting(t *testing.T) {
	v := view(t, stored(t, nil), start)
	r := &decide.Response{Task: decide.Passwordless, Kind: "app"}
	said := decide.Said{Target: decide.Target{Instance: &v.Record.Factors[0]}}
	for _, c := range []struct {
		refusal error
		want    bool
	}{
		{factor.ErrIncorrect, false},
		{fmt.Errorf("%w: %w", factor.ErrReplayed, decide.ErrCloned), true},
		{fmt.Errorf("%w: %w", factor.ErrReplayed, decide.ErrCloned), false},
	} {
		said.Refusal = c.refusal
		o, write := v.Decide(r, said)
		require.Equal(t, decide.Uncounted, o.Result)
		require.Equal(t, errors.Is(c.refusal, decide.ErrCloned), o.Cloned)
		require.Equal(t, c.want, o.Warned)
		require.Equal(t, c.want, write)
	}
	require.Empty(t, v.Record.Lockout.Kinds)
}

// A denial ends the request that was denied, wherever it is kept, and no other one.
func TestViewDecide_ADenialEndsItsRequest(t *testing.T) {
	denied := record.Code{Challenge: [16]byte{1}, Keep: []byte("request"), Issued: 7}
	for name, c := range map[string]struct {
		kind   string
		change func(*record.Code)
		ends   bool
	}{
		"the request":             {"push", func(*record.Code) {}, true},
		"of another challenge":    {"push", func(c *record.Code) { c.Challenge[0]++ }, false},
		"issued at another time":  {"push", func(c *record.Code) { c.Issued++ }, false},
		"another request":         {"push", func(c *record.Code) { c.Keep = nil }, false},
		"of a kind with no polls": {"mail", func(*record.Code) {}, false},
	} {
		code := denied
		c.change(&code)
		v := view(t, stored(t, nil), start)
		v.Record.Codes = map[string]record.Code{c.kind: code}
		v.Record.Pending = []record.Pending{
			{Instance: record.Instance{ID: "none", Kind: c.kind}},
			{Instance: record.Instance{ID: "new", Kind: c.kind}, Code: &code},
			{Instance: record.Instance{ID: "other", Kind: "app"}, Code: &code}}
		kept := denied
		o, _ := v.Decide(&decide.Response{Task: decide.Verify, Kind: c.kind}, decide.Said{
			Target:  decide.Target{Instance: &record.Instance{Kind: c.kind}, Code: &kept},
			Refusal: factor.ErrIncorrect})
		require.Equal(t, decide.Incorrect, o.Result)
		require.Equal(t, c.ends, len(v.Record.Codes) == 0, name)
		require.Equal(t, c.ends, v.Record.Pending[1].Code == nil, name)
		require.NotNil(t, v.Record.Pending[2].Code, name)
	}

	// Of a response to nothing that was issued nothing ends.
	v := view(t, stored(t, issued), start)
	v.Record.Pending = []record.Pending{{Instance: record.Instance{ID: "new", Kind: "push"}}}
	_, _ = v.Decide(&decide.Response{Task: decide.Verify, Kind: "push"}, decide.Said{
		Target:  decide.Target{Instance: &record.Instance{Kind: "push"}},
		Refusal: factor.ErrIncorrect})
	require.Len(t, v.Record.Codes, 1)
}
