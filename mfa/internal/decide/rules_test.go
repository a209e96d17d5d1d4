package decide_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/mfa/policy"
)

func left(r *record.Record) (ids []string) {
	for _, in := range r.Factors {
		ids = append(ids, in.ID)
	}
	return ids
}

// What ends by itself ends at its time, and the recovery kinds with the last factor.
func TestRulesEndExpired_EndsWhatHasEnded(t *testing.T) {
	for name, c := range map[string]struct {
		has       []string
		change    func(*decide.View)
		after     time.Duration
		want      []string
		exception bool
	}{
		"an access code, in time": {has: []string{"access", "codes"},
			after: time.Minute - 1, want: []string{"the-access", "the-codes"}, exception: true},
		"an access code": {has: []string{"access", "codes"}, after: time.Minute,
			want: []string{"the-codes"}, exception: true},
		"where nothing is temporary": {has: []string{"access"}, after: time.Minute,
			change: func(v *decide.View) { v.Temporary = false }, want: []string{"the-access"},
			exception: true},
		"what does not end": {has: []string{"app", "codes"}, after: time.Hour,
			want: []string{"the-app", "the-codes"}},
		"the last factor": {has: []string{"sms", "codes", "access"}, after: time.Minute,
			change: temporary, want: nil},
		"one of two factors": {has: []string{"sms", "app", "codes"}, after: time.Minute,
			change: temporary, want: []string{"the-app", "the-codes"}},
		"a hold": {has: []string{"app", "app2"}, after: time.Minute,
			change: func(v *decide.View) {
				v.Record.Holds = map[string]record.Hold{"the-app2": {
					Until: start.Add(time.Minute).UnixMilli(), Replaces: []string{"the-app"}}}
			}, want: []string{"the-app2"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := having(t, c.has...)
			v.Temporary = true
			v.Record.Exception = &record.Exception{}
			if c.change != nil {
				c.change(&v)
			}
			v.EndExpired(v.Record, start.Add(c.after))
			require.Equal(t, c.want, left(v.Record))
			require.Equal(t, c.exception, v.Record.Exception != nil)
		})
	}
}

// temporary makes SMS a kind that ends by itself.
func temporary(v *decide.View) {
	sms := v.Kinds["sms"]
	sms.Temporary = true
	v.Kinds["sms"] = sms
}

// The recovery kinds that a user has set up end with the last factor, and not before.
func TestRulesEndFactors_EndsRecoveryWithTheLastFactor(t *testing.T) {
	for _, c := range []struct {
		has  []string
		gone string
		want []string
	}{
		{[]string{"app", "codes", "questions", "access"}, "the-app", []string{"the-access"}},
		{[]string{"app", "pin", "codes"}, "the-app", []string{"the-pin", "the-codes"}},
		{[]string{"app", "unknown", "codes"}, "the-app", []string{"the-unknown", "the-codes"}},
		{[]string{"codes", "questions"}, "the-questions", []string{"the-codes"}},
	} {
		v := having(t, c.has...)
		v.EndFactors(v.Record, func(in record.Instance) bool { return in.ID == c.gone })
		require.Equal(t, c.want, left(v.Record))
	}
	v := having(t, "app", "sms", "codes")
	v.Record.Factors[1].Implicit = true
	v.EndFactors(v.Record, func(in record.Instance) bool { return in.ID == "the-app" })
	require.Equal(t, []string{"the-sms"}, left(v.Record), "an address is no recovery")

	v = having(t, "app", "mail")
	v.Record.Factors[0].Implicit = true
	require.True(t, v.HasOwn(v.Record))
	v.Record.Factors[1].Implicit = true
	require.False(t, v.HasOwn(v.Record), "an address that a link verified is none")
}

// Kinds are offered in the order of the configuration, and none is no list.
func TestRulesEnrollable_IsInOrder(t *testing.T) {
	v := having(t)
	for range 20 {
		require.Equal(t, []string{"app", "mail", "push", "key", "pin", "sms", "badge"},
			v.Enrollable(nil))
	}
	require.Equal(t, []string{"mail", "key"}, v.Enrollable([]string{"key", "mail", "codes"}))
	require.Nil(t, v.Enrollable([]string{"codes"}))
}

// A user is warned once a day, from the first warning on.
func TestRulesWarn_OnceADay(t *testing.T) {
	v := having(t)
	epoch := time.UnixMilli(1)
	require.True(t, v.Warn(v.Record, epoch))
	require.False(t, v.Warn(v.Record, epoch.Add(24*time.Hour-time.Millisecond)))
	require.True(t, v.Warn(v.Record, epoch.Add(24*time.Hour)))
}

// Of the last factor with which a user meets a policy nothing but another makes another the last.
func TestViewChange_KeepsTheLastFactor(t *testing.T) {
	for name, c := range map[string]struct {
		has    []string
		change func(*decide.View, *policy.Policy)
		last   bool
	}{
		"the only one":           {has: []string{"app"}, last: true},
		"beside codes":           {has: []string{"app", "codes"}, last: true},
		"one of two":             {has: []string{"app", "pin"}},
		"one of two, seen later": {has: []string{"pin", "app"}},
		"beside one that the policy bans": {has: []string{"app", "pin"}, last: true,
			change: func(_ *decide.View, p *policy.Policy) { p.Kinds = []string{"app"} }},
		"one that the policy bans": {has: []string{"app", "pin"},
			change: func(_ *decide.View, p *policy.Policy) { p.Kinds = []string{"pin"} }},
		"the only one, which the policy bans": {has: []string{"app"},
			change: func(_ *decide.View, p *policy.Policy) { p.Kinds = []string{"key"} }},
		"beside an outdated one": {has: []string{"app", "key"}, last: true,
			change: func(v *decide.View, _ *policy.Policy) {
				v.Record.Outdated = []string{"the-key"}
			}},
		"an outdated one": {has: []string{"app"}, last: true,
			change: func(v *decide.View, _ *policy.Policy) {
				v.Record.Outdated = []string{"the-app"}
			}},
		"where none is required": {has: []string{"app"},
			change: func(_ *decide.View, p *policy.Policy) { p.Mode = policy.ModeOptional }},
		"beside an address": {has: []string{"app"},
			change: func(v *decide.View, p *policy.Policy) {
				p.Implicit, v.Vouched = []string{"sms"}, vouched("sms")
			}},
		"beside an address that nothing reaches": {has: []string{"app"}, last: true,
			change: func(v *decide.View, p *policy.Policy) {
				p.Implicit, v.Vouched = []string{"sms"}, vouched("sms")
				v.Vouched[0].Err = errAddress
			}},
	} {
		t.Run(name, func(t *testing.T) {
			v, p := managing(t, c.has...), policy.Policy{Mode: policy.ModeRequired}
			if c.change != nil {
				c.change(&v, &p)
			}
			_, err := v.Change(decide.FactorChange{Policy: p, Request: authority.Request{
				Act: authority.ActRemove, Target: "the-app"}})
			require.Equal(t, c.last, err != nil, err)
			require.Equal(t, c.last, v.Record.Factor("the-app") != nil)
			if c.last {
				require.ErrorIs(t, err, decide.ErrLastFactor)
			}
		})
	}
}

// A grant permits what its proof does, while it is fresh and the record is the one.
func TestViewPermits_AsksAuthority(t *testing.T) {
	enroll := authority.Request{Act: authority.ActEnroll, Kind: "app"}
	for name, c := range map[string]struct {
		has    []string
		change func(*decide.View)
		err    error
	}{
		"": {has: []string{"app"}},
		"nothing proven": {has: []string{"app"},
			change: func(v *decide.View) { v.Claims.Proof.Origin = 0 }, err: token.ErrExpired},
		"too old": {has: []string{"app"},
			change: func(v *decide.View) { v.Now = start.Add(5 * time.Minute) },
			err:    token.ErrExpired},
		"another record": {has: []string{"app"},
			change: func(v *decide.View) { v.Claims.Epoch = []byte("another!") },
			err:    token.ErrExpired},
		"an unknown kind": {has: []string{"app", "unknown"}, err: authority.ErrKindNotConfigured},
		"an unknown kind, implied": {has: []string{"app", "unknown"},
			change: func(v *decide.View) { v.Record.Factors[1].Implicit = true }},
		"an implied key": {has: []string{"app", "key"},
			change: func(v *decide.View) {
				v.Record.Factors[1].Implicit, v.Claims.Proof = true, proven(factor.LevelWeak)
			}},
		"too weak": {has: []string{"app", "key"},
			change: func(v *decide.View) { v.Claims.Proof = proven(factor.LevelWeak) },
			err:    authority.ErrProofRequired},
		"an address to prove": {
			change: func(v *decide.View) {
				v.Claims.Proof.Origin = authority.OriginFirst
				v.Claims.Implicit, v.Vouched = []string{"sms"}, vouched("sms")
			}, err: authority.ErrProofRequired},
		"an address that nothing reaches": {
			change: func(v *decide.View) {
				v.Claims.Proof.Origin = authority.OriginFirst
				v.Claims.Implicit, v.Vouched = []string{"sms"}, vouched("sms")
				v.Vouched[0].Err = errAddress
			}, err: factor.ErrUndeliverable},
	} {
		t.Run(name, func(t *testing.T) {
			v := managing(t, c.has...)
			if c.change != nil {
				c.change(&v)
			}
			_, err := v.Permits(enroll)
			require.ErrorIs(t, err, c.err)
		})
	}
}

// What an implied address proves is that, and no factor of the user's own.
func TestViewDecide_SaysWhatAResponseProves(t *testing.T) {
	for _, c := range []struct {
		kind     string
		implicit bool
		held     bool
		want     authority.Proof
	}{
		{"key", false, false, authority.Proof{Origin: authority.OriginOwn,
			Level: factor.LevelPhishingResistant}},
		{"sms", true, false, authority.Proof{Origin: authority.OriginImplied,
			Level: factor.LevelStrong}},
		{"key", false, true, authority.Proof{Origin: authority.OriginRecovery}},
		{"codes", false, false, authority.Proof{Origin: authority.OriginRecovery}},
	} {
		v := having(t, c.kind)
		in := &v.Record.Factors[0]
		in.Implicit = c.implicit
		if c.held {
			v.Record.Holds = map[string]record.Hold{in.ID: {}}
		}
		v.Claims.Epoch = nil
		o, _ := v.Decide(&decide.Response{Task: decide.Verify, Kind: c.kind},
			accepted(in, verdict))
		got := o.Verification.Grant.Proof
		require.Equal(t, start.UnixMilli(), got.Time)
		got.Time = 0
		require.Equal(t, c.want, got, "%+v", c)
		require.Equal(t, v.Record.Epoch[:], o.Verification.Grant.Epoch)
	}
}
