package decide_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
)

func idsOf(list []decide.Candidate) (ids []string) {
	for _, k := range list {
		ids = append(ids, k.ID)
	}
	return ids
}

var errAddress = errors.New("no message can be sent there")

// vouched are addresses that the application vouches for.
func vouched(kinds ...string) (list []decide.Vouched) {
	for _, kind := range kinds {
		list = append(list, decide.Vouched{Instance: record.Instance{ID: "vouched-" + kind,
			Kind: kind, Implicit: true, State: []byte("vouched")}})
	}
	return list
}

// Who may respond follows from what the user has, what the policy allows and what it implies.
func TestViewCandidates_AreThoseThatMayRespond(t *testing.T) {
	for name, c := range map[string]struct {
		has    []string
		change func(*decide.View)
		want   []string
		err    error
	}{
		"all of their own": {has: []string{"app", "app2", "codes"},
			want: []string{"the-app", "the-app2", "the-codes"}},
		"codes recover what there is": {has: []string{"codes"}},
		"an administrator's code":     {has: []string{"access"}, want: []string{"the-access"}},
		"questions, without a link": {has: []string{"app", "questions"},
			want: []string{"the-app"}},
		"questions, by a link": {has: []string{"app", "questions"},
			change: func(v *decide.View) { v.Claims.Linked = true },
			want:   []string{"the-app", "the-questions"}},
		"questions beside codes": {has: []string{"app", "questions", "codes"},
			change: func(v *decide.View) { v.Claims.Linked = true },
			want:   []string{"the-app", "the-codes"}},
		"questions beside codes that came first": {has: []string{"app", "codes", "questions"},
			change: func(v *decide.View) { v.Claims.Linked = true },
			want:   []string{"the-app", "the-codes"}},
		"questions beside no codes that remain": {has: []string{"app", "questions", "codes"},
			change: func(v *decide.View) {
				v.Claims.Linked = true
				v.Record.Factors[2].Remaining = 0
			},
			want: []string{"the-app", "the-questions", "the-codes"}},
		"questions beside a recovery without a limit": {has: []string{"app", "questions", "codes"},
			change: func(v *decide.View) {
				v.Claims.Linked = true
				v.Record.Factors[2].Remaining = 0
				v.Kinds["codes"] = decide.Kind{Traits: factor.Traits{Recovery: true}}
			},
			want: []string{"the-app", "the-codes"}},
		"an implied instance is no recovery": {has: []string{"app", "codes"},
			change: func(v *decide.View) { v.Record.Factors[1].Implicit = true },
			want:   []string{"the-app"}},
		"no recovery of a step-up": {has: []string{"app", "codes"},
			change: func(v *decide.View) { v.Claims.Purpose = token.PurposeStepUp },
			want:   []string{"the-app"}},
		"recovery alone": {has: []string{"app", "codes"},
			change: func(v *decide.View) { v.Claims.Purpose = token.PurposeRecover },
			want:   []string{"the-codes"}},
		"what the policy allows": {has: []string{"app", "pin", "app2"},
			change: func(v *decide.View) { v.Claims.Kinds = []string{"app"} },
			want:   []string{"the-app", "the-app2"}},
		"all, if it allows none": {has: []string{"app", "pin"},
			change: func(v *decide.View) { v.Claims.Kinds = []string{"key"} },
			want:   []string{"the-app", "the-pin"}},
		"a key beside an unknown kind": {has: []string{"app", "unknown"},
			want: []string{"the-app"}},
		"an unknown kind alone": {has: []string{"unknown"},
			err: authority.ErrKindNotConfigured},
		"an implied instance of an unknown kind": {has: []string{"unknown"},
			change: func(v *decide.View) { v.Record.Factors[0].Implicit = true }},
		"to change factors, beside an unknown kind": {has: []string{"app", "unknown"},
			change: purpose(token.PurposeManage), err: authority.ErrKindNotConfigured},
		"an address that nothing reaches, and a verified one": {has: []string{"sms"},
			change: func(v *decide.View) {
				v.Record.Factors[0].Implicit = true
				v.Claims.Implicit, v.Vouched = []string{"sms"}, vouched("sms")
				v.Vouched[0].Err = errAddress
			}, err: errAddress},
		"an address that nothing reaches, and another": {
			change: func(v *decide.View) {
				mail := v.Kinds["mail"]
				mail.Implies = true
				v.Kinds["mail"] = mail
				v.Claims.Implicit, v.Vouched = []string{"sms", "mail"}, vouched("sms", "mail")
				v.Vouched[0].Err = errAddress
			}, want: []string{"vouched-mail"}},
		"to change factors, the strongest": {has: []string{"app", "key", "push"},
			change: func(v *decide.View) { v.Claims.Purpose = token.PurposeManage },
			want:   []string{"the-key"}},
		"to change factors, all that the policy bans": {has: []string{"app", "key"},
			change: func(v *decide.View) {
				v.Claims.Purpose, v.Claims.Kinds = token.PurposeManage, []string{"pin"}
			},
			want: []string{"the-app", "the-key"}},
		"to change factors, any beside one on hold": {has: []string{"app", "key"},
			change: func(v *decide.View) {
				v.Claims.Purpose = token.PurposeManage
				v.Record.Holds = map[string]record.Hold{"the-key": {}}
			},
			want: []string{"the-app", "the-key"}},
		"a key alone": {has: []string{"app", "key", "codes"},
			change: func(v *decide.View) { v.Claims.NoDowngrade = true },
			want:   []string{"the-key"}},
		"an outdated key excludes nothing": {has: []string{"app", "key"},
			change: func(v *decide.View) {
				v.Claims.NoDowngrade, v.Record.Outdated = true, []string{"the-key"}
			},
			want: []string{"the-app", "the-key"}},
		"an outdated key beside another": {has: []string{"app", "key", "key2"},
			change: func(v *decide.View) {
				v.Claims.NoDowngrade, v.Record.Outdated = true, []string{"the-key2"}
			},
			want: []string{"the-key", "the-key2"}},
		"a vouched address": {
			change: func(v *decide.View) {
				v.Claims.Implicit, v.Vouched = []string{"sms"}, vouched("mail", "sms")
			},
			want: []string{"vouched-sms"}},
		"a vouched address in place of a verified one": {has: []string{"sms"},
			change: func(v *decide.View) {
				v.Record.Factors[0].Implicit = true
				v.Claims.Implicit, v.Vouched = []string{"sms"}, vouched("sms")
			},
			want: []string{"vouched-sms"}},
		"a verified address": {has: []string{"sms", "mail"},
			change: func(v *decide.View) {
				v.Record.Factors[0].Implicit, v.Record.Factors[1].Implicit = true, true
				v.Claims.Implicit = []string{"sms"}
			},
			want: []string{"the-sms"}},
		"a kind that is not implied by an address": {
			change: func(v *decide.View) {
				v.Claims.Implicit, v.Vouched = []string{"mail"}, vouched("mail")
			}},
		"an implied kind that the policy bans": {
			change: func(v *decide.View) {
				v.Claims.Implicit, v.Vouched = []string{"sms"}, vouched("sms")
				v.Claims.Kinds = []string{"app"}
			}},
		"an address beside other factors": {has: []string{"app", "codes"},
			change: func(v *decide.View) {
				v.Claims.Implicit, v.Vouched = []string{"sms"}, vouched("sms")
				v.Claims.Keep = true
			},
			want: []string{"the-app", "vouched-sms", "the-codes"}},
		"an address that is enrolled as well": {has: []string{"sms", "app"},
			change: func(v *decide.View) {
				v.Claims.Implicit, v.Vouched = []string{"sms"}, vouched("sms")
				v.Claims.Keep, v.Record.Factors[0].State = true, []byte("vouched")
			},
			want: []string{"the-sms", "the-app"}},
		"an address beside an enrolled one": {has: []string{"sms"},
			change: func(v *decide.View) {
				v.Claims.Implicit, v.Vouched = []string{"sms"}, vouched("sms")
				v.Claims.Keep = true
			},
			want: []string{"the-sms", "vouched-sms"}},
		"an address that nothing reaches": {
			change: func(v *decide.View) {
				v.Claims.Implicit, v.Vouched = []string{"sms"}, vouched("sms")
				v.Vouched[0].Err = errAddress
			}, err: errAddress},
		"an address that nothing reaches, beside an app": {has: []string{"app"},
			change: func(v *decide.View) {
				v.Claims.Implicit, v.Vouched = []string{"sms"}, vouched("sms")
				v.Claims.Keep, v.Vouched[0].Err = true, errAddress
				v.Claims.Purpose = token.PurposeStepUp
			}, want: []string{"the-app"}},
		"an address that nothing reaches, with an access code": {has: []string{"access"},
			change: func(v *decide.View) {
				v.Claims.Implicit, v.Vouched = []string{"sms"}, vouched("sms")
				v.Vouched[0].Err = errAddress
			}, want: []string{"the-access"}},
		"an address that nothing reaches, with an access code that does not step up": {
			has: []string{"access"},
			change: func(v *decide.View) {
				v.Claims.Implicit, v.Vouched = []string{"sms"}, vouched("sms")
				v.Vouched[0].Err, v.Claims.Purpose = errAddress, token.PurposeStepUp
			}, err: errAddress},
	} {
		t.Run(name, func(t *testing.T) {
			v := having(t, c.has...)
			if c.change != nil {
				c.change(&v)
			}
			list, err := v.Candidates()
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.want, idsOf(list))
		})
	}
}

// A user turns off an implied address while they have something stronger that works.
func TestViewTurnedOff_NeedsSomethingStronger(t *testing.T) {
	for name, c := range map[string]struct {
		has    []string
		change func(*decide.View)
		want   bool
	}{
		"a key":           {has: []string{"key"}, want: true},
		"what is as weak": {has: []string{"push"}},
		"a key on hold": {has: []string{"key"},
			change: func(v *decide.View) {
				v.Record.Holds = map[string]record.Hold{"the-key": {}}
			}},
		"an outdated key": {has: []string{"key"},
			change: func(v *decide.View) { v.Record.Outdated = []string{"the-key"} }},
		"a banned key": {has: []string{"key"},
			change: func(v *decide.View) { v.Claims.Kinds = []string{"sms"} }},
		"it stays on": {has: []string{"key"},
			change: func(v *decide.View) { v.Record.NoImplied = false }},
		"not kept anyway": {has: []string{"key"},
			change: func(v *decide.View) { v.Claims.Keep = false }},
		"it is unusable": {has: []string{"key"},
			change: func(v *decide.View) { v.Vouched[0].Err = errAddress }},
		"a disabled key": {has: []string{"key"}, change: func(v *decide.View) {
			v.Record.Lockout.Kinds = map[string]lockout.Tally{"key": {Disabled: true}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			v := having(t, c.has...)
			v.Claims.Implicit, v.Claims.Keep = []string{"sms"}, true
			v.Record.NoImplied, v.Vouched = true, vouched("sms")
			if c.change != nil {
				c.change(&v)
			}
			require.Equal(t, c.want, len(v.TurnedOff()) == 1)
			require.Equal(t, c.want || name == "it stays on" || name == "not kept anyway" ||
				name == "it is unusable", v.CanTurnOffImplied())
		})
	}
}

// What a user has enrolled is no address that they turn off.
func TestViewTurnedOff_IsNoEnrolledNumber(t *testing.T) {
	v := having(t, "key", "sms")
	v.Claims.Implicit, v.Claims.Keep, v.Record.NoImplied = []string{"sms"}, true, true
	require.Empty(t, v.TurnedOff())
}

// Options are in the order of what the user prefers, the default, the configuration and the latest
// use. Addresses come after what is enrolled, and recovery kinds last.
func TestViewOptions_AreInOrder(t *testing.T) {
	for name, c := range map[string]struct {
		has       []string
		preferred string
		def       string
		implied   []string
		want      []string
	}{
		"the configuration": {has: []string{"key", "codes", "push", "app"},
			want: []string{"the-app", "the-push", "the-key", "the-codes"}},
		"the default": {has: []string{"key", "app", "push"}, def: "key",
			want: []string{"the-key", "the-app", "the-push"}},
		"what the user prefers": {has: []string{"app", "push", "key"}, def: "key",
			preferred: "push", want: []string{"the-push", "the-key", "the-app"}},
		"the latest used": {has: []string{"app", "app2"}, want: []string{"the-app2", "the-app"}},
		"the default among addresses": {has: []string{"key"}, def: "sms",
			implied: []string{"sms", "mail"}, want: []string{"the-key", "vouched-sms",
				"vouched-mail"}},
		"addresses": {has: []string{"key"}, implied: []string{"sms", "mail"},
			want: []string{"the-key", "vouched-mail", "vouched-sms"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := having(t, c.has...)
			v.Record.Preferred = c.preferred
			mail := v.Kinds["mail"]
			mail.Implies = true
			v.Kinds["mail"] = mail
			v.Claims.Implicit, v.Claims.Keep, v.Vouched = c.implied, true, vouched(c.implied...)
			list, err := v.Candidates()
			require.NoError(t, err)
			options := v.Options(list, c.def)
			var ids []string
			for i, o := range options {
				ids = append(ids, o.ID)
				require.Equal(t, i == 0, o.Default)
			}
			require.Equal(t, c.want, ids)
		})
	}
}

// Those of one kind whose challenge is shared are one option, and a disabled kind is no default.
func TestViewOptions_ShowsSharedAndDisabledKinds(t *testing.T) {
	v := having(t, "key", "key2", "app", "push")
	key := v.Kinds["key"]
	key.SharedChallenge = true
	v.Kinds["key"], v.Kinds["push"] = key, func() decide.Kind {
		k := v.Kinds["push"]
		k.SharedChallenge = true
		return k
	}()
	v.Record.Lockout.Kinds = map[string]lockout.Tally{"app": {Disabled: true}}
	v.Record.Renew = []string{"the-push"}
	require.False(t, v.Options(having(t, "access").Recoveries(nil), "")[0].Default)
	list, err := v.Candidates()
	require.NoError(t, err)
	options := v.Options(list, "")
	require.Len(t, options, 3)
	for i, want := range []struct {
		id                               string
		shared, def, disabled, renewable bool
	}{{"the-app", false, false, true, false}, {"the-push", false, true, false, true},
		{"the-key2", true, false, false, false}} {
		o := options[i]
		require.Equal(t, want.id, o.ID)
		require.Equal(t, []bool{want.shared, want.def, want.disabled, want.renewable},
			[]bool{o.Shared, o.Default, o.Disabled, o.Renew})
	}
}

// A user is locked out until the first of the locks of all that they could respond with ends.
func TestViewLockedOut_UntilTheFirstLockEnds(t *testing.T) {
	at := func(d time.Duration) int64 { return start.Add(d).UnixMilli() }
	for name, c := range map[string]struct {
		kinds map[string]lockout.Tally
		all   int64
		want  time.Duration
	}{
		"nothing":    {},
		"everything": {all: at(time.Minute), want: time.Minute},
		"one of two": {kinds: map[string]lockout.Tally{"app": {LockedUntil: at(time.Minute)}}},
		"the other":  {kinds: map[string]lockout.Tally{"key": {LockedUntil: at(time.Minute)}}},
		"both, app first": {kinds: map[string]lockout.Tally{
			"app": {LockedUntil: at(time.Minute)}, "key": {LockedUntil: at(time.Hour)}},
			want: time.Minute},
		"both, key first": {kinds: map[string]lockout.Tally{
			"app": {LockedUntil: at(time.Hour)}, "key": {LockedUntil: at(time.Minute)}},
			want: time.Minute},
	} {
		v := having(t, "app", "key")
		v.Record.Lockout = lockout.State{Kinds: c.kinds, LockedUntil: c.all}
		until, err := v.LockedOut()
		require.NoError(t, err)
		if c.want == 0 {
			require.Zero(t, until, name)
		} else {
			require.Equal(t, start.Add(c.want), until, name)
		}
	}
	v := having(t)
	v.Record.Lockout.LockedUntil = at(time.Minute)
	until, err := v.LockedOut()
	require.NoError(t, err)
	require.Equal(t, start.Add(time.Minute), until, "a user who has nothing")
	_, err = having(t, "unknown").LockedOut()
	require.ErrorIs(t, err, authority.ErrKindNotConfigured)
}
