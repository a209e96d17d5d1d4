package decide_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
)

// more are kinds beside those of rules.
var more = map[string]decide.Kind{
	"key": {Traits: factor.Traits{Level: factor.LevelPhishingResistant}, Order: 4},
	"pin": {Traits: factor.Traits{Level: factor.LevelWeak, Knowledge: true, OnePerUser: true},
		Order: 5},
	"questions": {Traits: factor.Traits{Recovery: true, LastResort: true, Knowledge: true},
		Order: 6},
	"access": {Traits: factor.Traits{Recovery: true, AdminOnly: true, Temporary: true,
		Limited: true, NoConfirmation: true}, Order: 7},
	"sms": {Traits: factor.Traits{Level: factor.LevelStrong}, Sends: true, Implies: true,
		Order: 8},
	"badge": {Traits: factor.Traits{Level: factor.LevelStrong, AdminOnly: true}, Order: 9},
}

// having returns a view of a user with instances, which are named for their kinds: "the-app" has
// the kind app. Two of a kind are "the-app" and "the-app2".
func having(t *testing.T, names ...string) decide.View {
	t.Helper()
	v := view(t, stored(t, func(r *record.Record) { r.Factors = nil }), start)
	for name, kind := range more {
		v.Kinds[name] = kind
	}
	for i, name := range names {
		kind := name
		for len(kind) > 0 && kind[len(kind)-1] >= '0' && kind[len(kind)-1] <= '9' {
			kind = kind[:len(kind)-1]
		}
		v.Record.Factors = append(v.Record.Factors, record.Instance{ID: "the-" + name, Kind: kind,
			State: []byte(name), Remaining: 5, Used: int64(i), Ends: start.Add(time.Minute)})
	}
	return v
}

// verdict is that of a factor that says nothing but that the response is correct.
var verdict factor.Verdict

// proven returns the proof by a factor of a level now.
func proven(level factor.Level) authority.Proof {
	return authority.Proof{Origin: authority.OriginOwn, Level: level, Time: start.UnixMilli()}
}

// What a user has and can lose makes recovery codes due, unless some remain.
func TestViewConfirmUnasked_MakesRecoveryCodesDue(t *testing.T) {
	due := record.CodesToMake
	for name, c := range map[string]struct {
		kind   string
		has    []string
		change func(*decide.View, *record.Instance)
		hold   bool
		shown  bool
		want   record.CodesDue
	}{
		"an app":             {kind: "app", want: due},
		"beside another":     {kind: "app", has: []string{"mail"}, want: due},
		"a replacement held": {kind: "app", has: []string{"app2"}, hold: true},
		"codes remain":       {kind: "app", has: []string{"mail", "codes"}},
		"no code remains": {kind: "app", has: []string{"mail", "codes"}, want: due,
			change: func(v *decide.View, _ *record.Instance) { v.Record.Factors[1].Remaining = 0 }},
		"no kind of codes": {kind: "app",
			change: func(v *decide.View, _ *record.Instance) { delete(v.Kinds, "codes") }},
		"a PIN": {kind: "pin"},
		"an address": {kind: "mail",
			change: func(_ *decide.View, in *record.Instance) { in.Implicit = true }},
		"questions":             {kind: "questions", has: []string{"app"}},
		"of a process":          {kind: "unknown"},
		"an access code":        {kind: "access", has: []string{"app"}},
		"an app, with a prompt": {kind: "app", shown: true, want: due},
		"codes shown": {kind: "codes", has: []string{"app"}, shown: true,
			want: record.CodesToSave},
		"codes unseen": {kind: "codes", has: []string{"app"},
			change: func(v *decide.View, _ *record.Instance) { v.Record.CodesDue = due }},
	} {
		t.Run(name, func(t *testing.T) {
			v := having(t, c.has...)
			p := record.Pending{Instance: record.Instance{ID: "new", Kind: c.kind, Remaining: 5}}
			if c.change != nil {
				c.change(&v, &p.Instance)
			}
			v.ConfirmUnasked(p, authority.Permission{Hold: c.hold}, c.shown)
			require.Equal(t, c.want, v.Record.CodesDue)
		})
	}
}

// What was due is due no more when the user has done it, or has nothing left to lose.
func TestViewCodesDue_EndsWithItsReason(t *testing.T) {
	for _, c := range []struct {
		due  record.CodesDue
		has  []string
		none bool // no kind makes codes
		want record.CodesDue
	}{
		{record.CodesToSave, []string{"app", "codes"}, false, record.CodesToSave},
		{record.CodesToSave, []string{"app"}, false, 0},
		{record.CodesToMake, []string{"app"}, false, record.CodesToMake},
		{record.CodesToMake, []string{"app", "codes"}, false, 0},
		{record.CodesToMake, []string{"app"}, true, 0},
		{record.CodesToMake, []string{"pin"}, false, 0},
		{record.CodesToMake, nil, false, 0},
		{0, []string{"app", "codes"}, false, 0},
		{0, []string{"app"}, false, 0},
	} {
		v := having(t, c.has...)
		v.Record.CodesDue = c.due
		if c.none {
			delete(v.Kinds, "codes")
		}
		require.Equal(t, c.want, v.CodesDue(), "%+v", c)
		if len(c.has) == 0 || c.has[0] != "app" {
			continue
		}
		o, _ := v.Decide(&decide.Response{Task: decide.Verify, Kind: "app"},
			accepted(&v.Record.Factors[0], factor.Verdict{}))
		require.Equal(t, c.want != 0, o.Verification.CodesDue)
	}
}

// The user is asked for codes after the enrolment of something that can be lost.
func TestViewConfirm_AsksForCodes(t *testing.T) {
	for kind, want := range map[string]bool{"app": true, "pin": false} {
		v := managing(t, "mail")
		v.Record.CodesDue = record.CodesToMake
		o := v.ConfirmUnasked(record.Pending{Instance: record.Instance{ID: "new", Kind: kind}},
			authority.Permission{}, false)
		require.Equal(t, want, o.Confirmation.CodesDue, kind)
	}
}

// Only a set that is shown once can be saved.
func TestViewCodesSaved_IsOfCodesThatAreShownOnce(t *testing.T) {
	traits := factor.Traits{Recovery: true, Limited: true, NoConfirmation: true}
	for name, change := range map[string]func(*factor.Traits){
		"codes":             nil,
		"no recovery":       func(k *factor.Traits) { k.Recovery = false },
		"no limit":          func(k *factor.Traits) { k.Limited = false },
		"confirmed":         func(k *factor.Traits) { k.NoConfirmation = false },
		"by administrators": func(k *factor.Traits) { k.AdminOnly = true },
	} {
		v := having(t, "app", "codes")
		k := traits
		if change != nil {
			change(&k)
		}
		v.Kinds["codes"] = decide.Kind{Traits: k}
		v.Record.CodesDue = record.CodesToSave
		_, write, err := v.CodesSaved("the-codes")
		require.Equal(t, change == nil, err == nil, name)
		require.Equal(t, change == nil, write, name)
		require.Equal(t, change == nil, v.Record.CodesDue == 0, name)
		if change == nil {
			_, write, err = v.CodesSaved("the-codes")
			require.NoError(t, err)
			require.False(t, write, "it is known")
			v.Record.Factors[1].Implicit = true
			_, _, err = v.CodesSaved("the-codes")
			require.Error(t, err)
		}
	}
}
