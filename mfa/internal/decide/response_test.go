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

// shared makes the challenges of a kind shared.
func shared(v *decide.View, kind string, sends bool) {
	k := v.Kinds[kind]
	k.SharedChallenge, k.Sends = true, sends
	v.Kinds[kind] = k
}

// A response is verified against what was issued to its challenge, for the instance or for all.
func TestViewAdmit_FindsWhatWasIssued(t *testing.T) {
	ours, other := [16]byte{1}, [16]byte{2}
	sent := func(kind, to string, challenge [16]byte) func(*decide.View) {
		return func(v *decide.View) {
			v.Record.Codes = map[string]record.Code{kind: {Challenge: challenge, Factor: to,
				Keep: []byte("kept"), Expires: start.Add(time.Minute).UnixMilli()}}
		}
	}
	for name, c := range map[string]struct {
		has    []string
		kind   string
		change func(*decide.View)
		codes  []bool // of each target
		others int
		err    error
	}{
		"nothing sent": {has: []string{"mail"}, kind: "mail", codes: []bool{false}},
		"sent to one": {has: []string{"mail", "mail2"}, kind: "mail",
			change: sent("mail", "the-mail", ours), codes: []bool{true, false}},
		"sent to another challenge": {has: []string{"mail"}, kind: "mail",
			change: sent("mail", "the-mail", other), codes: []bool{false}, others: 1},
		"a kind that sends no more": {has: []string{"app"}, kind: "app",
			change: sent("app", "the-app", ours), codes: []bool{false}},
		"a poll of one": {has: []string{"push", "push2"}, kind: "push",
			change: sent("push", "the-push", ours), codes: []bool{true}},
		"a poll of nothing": {has: []string{"push"}, kind: "push", err: factor.ErrExpired},
		"shared": {has: []string{"key", "key2"}, kind: "key",
			change: func(v *decide.View) {
				shared(v, "key", true)
				sent("key", "the-key", ours)(v)
			},
			codes: []bool{true, true}},
		"shared, of another challenge": {has: []string{"key"}, kind: "key",
			change: func(v *decide.View) {
				shared(v, "key", true)
				sent("key", "the-key", other)(v)
			},
			err: factor.ErrExpired},
		"shared, by a kind that sends nothing": {has: []string{"key"}, kind: "key",
			change: func(v *decide.View) { shared(v, "key", false) }, codes: []bool{false}},
		"of another kind": {has: []string{"mail"}, kind: "app", err: decide.ErrNotAvailable},
		"an unknown kind": {has: []string{"unknown"}, kind: "app",
			err: authority.ErrKindNotConfigured},
	} {
		t.Run(name, func(t *testing.T) {
			v := having(t, c.has...)
			if c.change != nil {
				c.change(&v)
			}
			targets, o := v.Admit(&decide.Response{Task: decide.Verify, Kind: c.kind})
			require.ErrorIs(t, o.Err, c.err)
			var codes []bool
			for _, target := range targets {
				codes = append(codes, target.Code != nil)
				require.Len(t, target.Others, c.others)
			}
			require.Equal(t, c.codes, codes)
			list, err := v.Responders(c.kind)
			if name == "an unknown kind" {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			for _, in := range list {
				require.Equal(t, c.kind, in.Kind)
			}
		})
	}
}

// Codes that no user types are no others of a response.
func TestViewAdmit_KnowsOthersOfTypedCodesAlone(t *testing.T) {
	for kind, want := range map[string]int{"mail": 1, "app": 0} {
		v := having(t, kind)
		v.Record.Superseded = []record.Superseded{{Kind: kind, Keep: []byte("old"),
			Expires: start.UnixMilli()}}
		targets, _ := v.Admit(&decide.Response{Task: decide.Verify, Kind: kind})
		require.Len(t, targets[0].Others, want)
	}
}

// A response in place of both factors names one that the user enrolled and the policy allows.
func TestViewAdmit_FindsTheNamedKey(t *testing.T) {
	for name, c := range map[string]struct {
		has    []string
		named  string
		change func(*decide.View)
		err    error
	}{
		"":                {has: []string{"app", "key"}, named: "the-key"},
		"another":         {has: []string{"key"}, named: "the-key2", err: decide.ErrUnknownFactor},
		"of another kind": {has: []string{"app"}, named: "the-app", err: decide.ErrUnknownFactor},
		"of an unknown one": {has: []string{"unknown"}, named: "the-key",
			err: authority.ErrKindNotConfigured},
		"banned": {has: []string{"key"}, named: "the-key",
			change: func(v *decide.View) { v.Claims.Kinds = []string{"app"} },
			err:    decide.ErrNotAvailable},
		"an address": {named: "vouched-key",
			change: func(v *decide.View) {
				k := v.Kinds["key"]
				k.Implies = true
				v.Kinds["key"] = k
				v.Claims.Implicit, v.Vouched = []string{"key"}, vouched("key")
			}, err: decide.ErrUnknownFactor},
	} {
		t.Run(name, func(t *testing.T) {
			v := having(t, c.has...)
			v.Claims.Code = &record.Code{}
			if c.change != nil {
				c.change(&v)
			}
			targets, o := v.Admit(&decide.Response{Task: decide.Passwordless, Kind: "key",
				Named: []string{c.named}})
			require.ErrorIs(t, o.Err, c.err)
			require.Equal(t, c.err == nil, len(targets) == 1)
			if c.err == nil {
				require.Equal(t, c.named, targets[0].ID)
				require.Same(t, v.Claims.Code, targets[0].Code)
			}
		})
	}
}

// What is sent goes to the instance that was chosen, or to the first of the latest used.
func TestViewToSend_ChoosesTheInstance(t *testing.T) {
	for name, c := range map[string]struct {
		has    []string
		id     string
		change func(*decide.View)
		want   string
		result decide.Result
	}{
		"the latest used": {has: []string{"mail", "mail2"}, want: "the-mail2"},
		"the first of two unused": {has: []string{"mail", "mail2"}, want: "the-mail",
			change: func(v *decide.View) { v.Record.Factors[1].Used = 0 }},
		"the chosen one":  {has: []string{"mail", "mail2"}, id: "the-mail", want: "the-mail"},
		"of another kind": {has: []string{"mail", "app"}, id: "the-app", result: decide.Refused},
		"disabled": {has: []string{"mail"}, result: decide.Disabled,
			change: func(v *decide.View) {
				v.Record.Lockout.Kinds = map[string]lockout.Tally{"mail": {Disabled: true}}
			}},
		"an unknown kind": {has: []string{"unknown"}, result: decide.Refused},
		"expired": {has: []string{"mail"}, result: decide.Refused,
			change: func(v *decide.View) { v.Now = start.Add(time.Hour) }},
	} {
		v := having(t, c.has...)
		if c.change != nil {
			c.change(&v)
		}
		in, o := v.ToSend("mail", c.id)
		require.Equal(t, c.result, o.Result, name)
		if c.result != 0 {
			require.Nil(t, in, name)
			require.Equal(t, c.result == decide.Refused, o.Err != nil, name)
			if name == "an unknown kind" {
				require.ErrorIs(t, o.Err, authority.ErrKindNotConfigured)
			}
			continue
		}
		require.Equal(t, c.want, in.ID, name)
	}
}

// Three correct responses in a row, half a minute apart and within an hour, enable a kind.
func TestViewDecide_EnablesADisabledKind(t *testing.T) {
	v := having(t, "mail")
	v.Record.Lockout.Kinds = map[string]lockout.Tally{"mail": {Disabled: true},
		"app": {Disabled: true}}
	r := &decide.Response{Task: decide.Unlock, Kind: "mail"}
	respond := func(after time.Duration) decide.Outcome {
		v.Now = v.Now.Add(after)
		v.Record.Codes = map[string]record.Code{"mail": {}}
		targets, o := v.Admit(r)
		if o.Result != 0 {
			require.Len(t, v.Record.Codes, 1)
			return o
		}
		o, write := v.Decide(r, accepted(targets[0].Instance, verdict))
		require.True(t, write)
		require.Empty(t, v.Record.Codes)
		return o
	}
	v.Lifetimes.FirstFactor = 24 * time.Hour
	require.Equal(t, 2, respond(0).Remaining)
	too := respond(30*time.Second - time.Millisecond)
	require.Equal(t, decide.Locked, too.Result)
	require.Equal(t, start.Add(30*time.Second), too.LockedUntil)
	require.Equal(t, 1, respond(time.Millisecond).Remaining)
	require.Equal(t, 2, respond(time.Hour).Remaining, "the others are forgotten")
	v.Record.UnlockProofs["app"] = record.UnlockProofs{Count: 1}
	require.Equal(t, 1, respond(time.Hour-time.Millisecond).Remaining)
	require.Equal(t, decide.Enabled, respond(30*time.Second).Result)
	require.Equal(t, map[string]record.UnlockProofs{"app": {Count: 1}}, v.Record.UnlockProofs)
	require.False(t, v.Lockout.Status(v.Record.Lockout, "mail", v.Now).Disabled)
	require.True(t, v.Lockout.Status(v.Record.Lockout, "app", v.Now).Disabled)

	v = having(t, "mail")
	v.Record.Lockout.Kinds = map[string]lockout.Tally{"mail": {Disabled: true}}
	v.Record.UnlockProofs = map[string]record.UnlockProofs{"mail": {Last: start.UnixMilli()}}
	require.Equal(t, 2, respond(time.Second).Remaining, "an attempt has ended the row")
	v.Claims.Epoch = []byte("another!")
	require.ErrorIs(t, respond(time.Hour).Err, token.ErrExpired)
}

// A user cancels a challenge once, and not after a sign-in.
func TestViewCancel_UsesTheChallenge(t *testing.T) {
	fill := func(v *decide.View) {
		for i := range 16 {
			v.Record.Use([16]byte{9, byte(i)}, start.UnixMilli())
		}
	}
	for name, c := range map[string]struct {
		change      func(*decide.View)
		write, warn bool
		err         error
	}{
		"a sign-in": {write: true, warn: true},
		"a step-up": {change: purpose(token.PurposeStepUp), write: true},
		"warned today": {change: func(v *decide.View) { v.Record.Warned = start.UnixMilli() },
			write: true},
		"too many others": {change: fill, write: true, warn: true},
		"too many others, and warned": {change: func(v *decide.View) {
			fill(v)
			v.Record.Warned = start.UnixMilli()
		}},
		"others that have expired": {change: func(v *decide.View) {
			fill(v)
			v.Record.Warned = start.Add(time.Hour).UnixMilli()
			v.Now = start.Add(time.Hour)
			v.Claims.Issued = v.Now.UnixMilli()
		}, write: true},
		"used": {change: func(v *decide.View) { v.Record.Use(v.Claims.ID, v.Claims.Issued) },
			err: token.ErrExpired},
		"another record": {change: func(v *decide.View) { v.Claims.Epoch = []byte("another!") },
			err: token.ErrExpired},
		"signed in": {change: func(v *decide.View) {
			v.Record.Factors[0].Used = start.UnixMilli() + 1
		}, err: token.ErrExpired},
		"signed in before": {
			change: func(v *decide.View) { v.Record.Factors[0].Used = start.UnixMilli() },
			write:  true, warn: true},
	} {
		v := having(t, "app")
		if c.change != nil {
			c.change(&v)
		}
		write, warn, err := v.Cancel()
		require.ErrorIs(t, err, c.err, name)
		require.Equal(t, []bool{c.write, c.warn}, []bool{write, warn}, name)
		full := name == "too many others" || name == "too many others, and warned"
		require.Equal(t, c.err == nil && !full || name == "used",
			v.Record.IsUsed(v.Claims.ID, v.Claims.Issued), name)
	}
}

// An import is for users without factors, has no more than a user may have, and one to lose.
func TestViewImport_BoundsWhatItPutsIn(t *testing.T) {
	some := func(names ...string) (list []decide.Importing) {
		for _, in := range having(t, names...).Record.Factors {
			list = append(list, decide.Importing{Instance: in, Renew: in.Kind == "app"})
		}
		return list
	}
	three := append(append(many("app", 5), many("mail", 5)...), many("push", 5)...)
	for name, c := range map[string]struct {
		list []decide.Importing
		fits bool
	}{
		"an app":      {some("app", "codes"), true},
		"five":        {some(many("app", 5)...), true},
		"six":         {some(many("app", 6)...), false},
		"two PINs":    {some("pin", "pin2"), false},
		"sixteen":     {some(append(three[:15:15], "key")...), true},
		"seventeen":   {some(append(three[:15:15], "key", "sms")...), false},
		"codes alone": {some("codes"), false},
	} {
		v := having(t)
		require.Equal(t, c.fits, v.Import(c.list) == nil, name)
		if name != "an app" {
			continue
		}
		require.Equal(t, []string{"the-app"}, v.Record.Renew)
		require.Equal(t, start.UnixMilli(), v.Record.Imported)
		require.Zero(t, v.Record.CodesDue)
		require.Equal(t, decide.SkipImported, v.SkipImport())
	}
	v := having(t)
	require.NoError(t, v.Import(some("app")))
	require.Equal(t, record.CodesToMake, v.Record.CodesDue)

	v = having(t, "sms")
	require.Equal(t, decide.SkipEnrolled, v.SkipImport())
	require.Equal(t, decide.ExportMoves, v.Export(&v.Record.Factors[0]))
	v.Record.Factors[0].Implicit = true
	require.Empty(t, v.SkipImport())
	require.Equal(t, decide.ExportImplied, v.Export(&v.Record.Factors[0]))
}

// A charge is settled by the one who took it, against the instance as it is by then.
func TestViewSettle_ComparesTheInstance(t *testing.T) {
	r := &decide.Response{Task: decide.Verify, Kind: "app"}
	for name, c := range map[string]struct {
		change  func(*decide.View, *decide.Charge)
		refusal error
		again   bool
		result  decide.Result
		err     error
	}{
		"the same": {result: decide.Verified},
		"another charge": {change: func(_ *decide.View, c *decide.Charge) { c.ID[0]++ },
			err: decide.ErrChargeGone},
		"no charge": {change: func(v *decide.View, _ *decide.Charge) { v.Record.Charge = nil },
			err: decide.ErrChargeGone},
		"another state": {change: func(v *decide.View, _ *decide.Charge) {
			v.Record.Factors[0].State = []byte("new")
		}, again: true},
		"another ID": {change: func(v *decide.View, _ *decide.Charge) {
			v.Record.Factors[0].ID = "new"
		}, again: true},
		"late": {refusal: factor.ErrExpired, result: decide.Expired},
		"late, and expired": {refusal: factor.ErrExpired,
			change: func(v *decide.View, _ *decide.Charge) { v.Now = start.Add(time.Hour) },
			result: decide.Expired},
		"pending": {refusal: factor.ErrPending, result: decide.Pending},
		"pending, and ended": {refusal: factor.ErrPending,
			change: func(v *decide.View, _ *decide.Charge) { v.Now = start.Add(time.Hour) },
			result: decide.Refused},
	} {
		t.Run(name, func(t *testing.T) {
			v := having(t, "app", "pin")
			charge, o, err := v.Charge(r, [8]byte{9})
			require.NoError(t, err)
			require.Zero(t, o)
			v.Record.Factors[0].State[0]++
			require.Equal(t, "app", string(charge.Targets[0].State), "a copy")
			v.Record.Factors[0].State[0]--
			v.Record.Factors[0].Used = 0
			said := decide.Said{Target: charge.Targets[0], Verdict: &verdict, Refusal: c.refusal}
			if c.change != nil {
				c.change(&v, &charge)
			}
			o, again, err := v.Settle(r, charge, said)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.result, o.Result)
			require.Equal(t, c.again, len(again) == 1)
			require.Equal(t, c.result == decide.Verified, v.Record.Factors[0].Used != 0)
			if c.again {
				require.Equal(t, v.Record.Factors[0].State, again[0].State)
			}
			require.Equal(t, errors.Is(c.err, decide.ErrChargeGone),
				v.Record.Lockout.Kinds["app"].Tries == 1)
		})
	}
}
