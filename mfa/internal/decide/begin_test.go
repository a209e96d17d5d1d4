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

// What a user has to do follows from the purpose, the policy and what they have.
func TestViewBegin_SaysWhatIsNext(t *testing.T) {
	required := policy.Policy{Mode: policy.ModeRequired}
	first := authority.Proof{Origin: authority.OriginFirst, Time: start.UnixMilli()}
	for name, c := range map[string]struct {
		has    []string
		change func(*decide.View)
		p      policy.Policy
		first  authority.Proof
		want   decide.Next
		err    error
	}{
		"a factor": {has: []string{"app"}, want: decide.Respond},
		"a factor, under off": {has: []string{"app"}, p: policy.Policy{Mode: policy.ModeOff},
			want: decide.Done},
		"a factor, under optional": {has: []string{"app"},
			p: policy.Policy{Mode: policy.ModeOptional}, want: decide.Respond},
		"nothing, under optional": {p: policy.Policy{Mode: policy.ModeOptional},
			want: decide.Done},
		"nothing":              {want: decide.EnrollFirst},
		"codes alone":          {has: []string{"codes"}, want: decide.EnrollFirst},
		"an access code alone": {has: []string{"access"}, want: decide.EnrollFirst},
		"nothing, to step up": {change: purpose(token.PurposeStepUp),
			err: decide.ErrNotAvailable},
		"nothing, to recover": {change: purpose(token.PurposeRecover),
			err: decide.ErrNotAvailable},
		"codes, to recover": {has: []string{"app", "codes"},
			change: purpose(token.PurposeRecover), want: decide.Respond},
		"no codes, to recover": {has: []string{"app"}, change: purpose(token.PurposeRecover),
			err: decide.ErrNotAvailable},
		"nothing, to manage": {change: purpose(token.PurposeManage), want: decide.EnrollFirst},
		"a grace": {want: decide.Done,
			change: func(v *decide.View) { v.Claims.Grace = true }},
		"the first factor, too old": {first: authority.Proof{Origin: authority.OriginFirst,
			Time: start.Add(-time.Hour).UnixMilli()},
			err: decide.ErrFirstFactorRequired},
		"an unknown kind": {has: []string{"unknown"}, err: authority.ErrKindNotConfigured},
		"a grace, to manage": {change: func(v *decide.View) {
			v.Claims.Grace, v.Claims.Purpose = true, token.PurposeManage
		}, want: decide.EnrollFirst},
		"under off, to manage": {has: []string{"app"}, p: policy.Policy{Mode: policy.ModeOff},
			change: purpose(token.PurposeManage), want: decide.Respond},
		"an exception": {change: except, want: decide.Done},
		"an exception, to manage": {change: func(v *decide.View) {
			except(v)
			v.Claims.Purpose = token.PurposeManage
		}, want: decide.EnrollFirst},
		"an access code and an address that nothing reaches": {has: []string{"access"},
			change: func(v *decide.View) {
				v.Claims.Implicit, v.Vouched = []string{"sms"}, vouched("sms")
				v.Vouched[0].Err = errAddress
			}, want: decide.Respond},
		"a key that alone responds, under off": {has: []string{"key"},
			change: func(v *decide.View) { v.Claims.NoDowngrade = true },
			p:      policy.Policy{Mode: policy.ModeOff}, want: decide.Respond},
	} {
		t.Run(name, func(t *testing.T) {
			v := having(t, c.has...)
			if c.change != nil {
				c.change(&v)
			}
			if c.p.Mode == "" {
				c.p = required
			}
			if c.first.Origin == 0 {
				c.first = first
			}
			o, err := v.Begin(c.p, c.first)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.want, o.Next)
			if c.want != decide.EnrollFirst {
				return
			}
			require.Equal(t, v.Claims.Purpose == token.PurposeSignIn, o.Grant.Forced)
			require.Equal(t, first, o.Grant.Proof)
			require.Equal(t, []string{"app", "mail", "push", "key", "pin", "sms"}, o.Kinds)
		})
	}
}

func purpose(p token.Purpose) func(*decide.View) {
	return func(v *decide.View) { v.Claims.Purpose = p }
}

// except excepts the user for an hour.
func except(v *decide.View) {
	v.Exceptions = true
	v.Record.Exception = &record.Exception{Ends: start.Add(time.Hour).UnixMilli(),
		Epoch: v.Record.Epoch}
}

// An exception is for 90 days at most, and for a user without a factor.
func TestRulesGrantException_BoundsItsEnd(t *testing.T) {
	const most = 90 * 24 * time.Hour
	for _, c := range []struct {
		has  []string
		ends time.Duration
		want error
	}{{nil, most, nil}, {nil, most + time.Millisecond, factor.ErrMalformed},
		{nil, 0, factor.ErrMalformed}, {[]string{"app"}, time.Hour, decide.ErrNotAvailable}} {
		v := having(t, c.has...)
		v.Exceptions = true
		err := v.GrantException(v.Record, record.Exception{
			Ends: start.Add(c.ends).UnixMilli()}, start)
		require.ErrorIs(t, err, c.want)
		require.Equal(t, c.want == nil, v.Excepted())
	}
	v := having(t, "app")
	except(&v)
	require.False(t, v.Excepted(), "a factor that was enrolled since")
}

// A preview tells a user who signs in from one who has to enrol first.
func TestViewPreview_NeedsAnAllowedFactor(t *testing.T) {
	p := policy.Policy{Mode: policy.ModeRequired}
	for name, c := range map[string]struct {
		has   []string
		kinds []string
		want  decide.Next
		err   error
	}{
		"allowed": {has: []string{"app", "codes"}, want: decide.Respond},
		"banned": {has: []string{"app", "codes"}, kinds: []string{"key"},
			want: decide.EnrollFirst},
		"nothing":            {want: decide.EnrollFirst},
		"of an unknown kind": {has: []string{"unknown"}, err: authority.ErrKindNotConfigured},
	} {
		v := having(t, c.has...)
		v.Claims.Kinds = c.kinds
		next, err := v.Preview(p)
		require.ErrorIs(t, err, c.err, name)
		require.Equal(t, c.want, next, name)
	}
}

// A recovery link is used once, in its time, for the record that it was made for.
func TestViewOpenRecovery_UsesTheLink(t *testing.T) {
	for name, c := range map[string]struct {
		has    []string
		change func(*decide.View)
		want   decide.Next
		err    error
	}{
		"codes":   {has: []string{"app", "codes"}, want: decide.Respond},
		"nothing": {want: decide.EnrollFirst},
		"no record": {change: func(v *decide.View) { v.Record.Fresh = true },
			err: token.ErrRecordMissing},
		"another record": {change: func(v *decide.View) { v.Claims.Epoch = []byte("another!") },
			err: token.ErrExpired},
		"no link": {change: func(v *decide.View) { v.Record.RecoveryLink = nil },
			err: token.ErrExpired},
		"another link": {change: func(v *decide.View) { v.Record.RecoveryLink.ID[0]++ },
			err: token.ErrExpired},
		"it has expired": {change: func(v *decide.View) { v.Now = start.Add(time.Minute) },
			err: token.ErrExpired},
	} {
		t.Run(name, func(t *testing.T) {
			v := having(t, c.has...)
			v.Record.RecoveryLink = &record.Recovery{ID: v.Claims.ID,
				Expires: start.Add(time.Minute).UnixMilli()}
			if c.change != nil {
				c.change(&v)
			}
			next := *v.Claims
			next.ID, next.Purpose, next.Linked = [16]byte{2}, token.PurposeRecover, true
			next.Kinds = []string{"app"}
			o, err := v.OpenRecovery(&next)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.want, o.Next)
			if err != nil {
				return
			}
			require.Nil(t, v.Record.RecoveryLink)
			if c.want == decide.EnrollFirst {
				require.Equal(t, []string{"app"}, o.Kinds)
				require.Equal(t, authority.Proof{Origin: authority.OriginImplied,
					Level: factor.LevelWeak, Time: start.UnixMilli()}, o.Grant.Proof)
				return
			}
			require.Equal(t, &record.Recovery{ID: [16]byte{2},
				Expires: start.Add(15 * time.Minute).UnixMilli()}, v.Record.Recovery)
			require.Len(t, o.Options, 1)
		})
	}
}

// An enrolment is put off by a user who must enrol and can respond with nothing.
func TestViewPostpone_IsForUsersWithoutAFactor(t *testing.T) {
	p := policy.Policy{Mode: policy.ModeRequired, EnrollWithin: time.Hour, EnrollSkips: 2}
	for name, c := range map[string]struct {
		has    []string
		change func(*decide.View, *policy.Policy)
		err    error
	}{
		"":         {},
		"a factor": {has: []string{"app"}, err: decide.ErrNotAvailable},
		"a banned one": {has: []string{"app"},
			change: func(v *decide.View, _ *policy.Policy) { v.Claims.Kinds = []string{"key"} },
			err:    decide.ErrNotAvailable},
		"an implied one": {has: []string{"sms"}, change: func(v *decide.View, _ *policy.Policy) {
			v.Record.Factors[0].Implicit, v.Claims.Implicit = true, []string{"sms"}
		}, err: decide.ErrNotAvailable},
		"an unknown kind": {has: []string{"unknown"}, err: authority.ErrKindNotConfigured},
		"optional": {change: func(_ *decide.View, p *policy.Policy) {
			p.Mode = policy.ModeOptional
		}, err: decide.ErrNotAvailable},
		"no respite": {change: func(_ *decide.View, p *policy.Policy) {
			p.EnrollWithin, p.EnrollSkips = 0, 0
		}, err: decide.ErrNotAvailable},
		"used": {change: func(v *decide.View, _ *policy.Policy) {
			v.Record.Use(v.Claims.ID, v.Claims.Issued)
		}, err: token.ErrExpired},
	} {
		t.Run(name, func(t *testing.T) {
			v := having(t, c.has...)
			p := p
			if c.change != nil {
				c.change(&v, &p)
			}
			require.ErrorIs(t, v.Postpone(p), c.err)
			if c.err != nil {
				require.Nil(t, v.Record.Postponed)
				return
			}
			require.Equal(t, record.Postponed{Asked: start.UnixMilli(), Times: 1},
				v.Record.Postponement())
			require.True(t, v.Record.IsUsed(v.Claims.ID, v.Claims.Issued))
			require.False(t, v.StartRespite(p), "it has begun")
			require.Equal(t, decide.Respite{Until: start.Add(time.Hour), Times: 1}, v.Respite(p))
		})
	}
	v := having(t)
	require.False(t, v.StartRespite(policy.Policy{EnrollSkips: 2}))
	require.Nil(t, v.Record.Postponed)
}
