package decide_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
)

// accepted is what a factor says of a correct response for an instance of the view.
func accepted(in *record.Instance, v factor.Verdict) decide.Said {
	return decide.Said{Target: decide.Target{Instance: in}, Verdict: &v}
}

// A factor that has ended by a response is gone, and no other one.
func TestViewDecide_EndsAFactorThatHasEnded(t *testing.T) {
	for _, ended := range []bool{false, true} {
		v := view(t, stored(t, nil), start)
		o, _ := v.Decide(&decide.Response{Task: decide.Verify, Kind: "app"},
			accepted(&v.Record.Factors[0], factor.Verdict{Ended: ended}))
		require.Equal(t, decide.Verified, o.Result)
		require.Equal(t, "the-app", o.FactorID)
		require.Equal(t, ended, v.Record.Factor("the-app") == nil)
		require.NotNil(t, v.Record.Factor("the-mail"))
	}
	// An address that the application vouches for has no ID, and neither has another one.
	v := view(t, stored(t, nil), start)
	v.Record.Factors = append(v.Record.Factors, record.Instance{Kind: "mail", Implicit: true})
	_, _ = v.Decide(&decide.Response{Task: decide.Verify, Kind: "mail"},
		accepted(&record.Instance{Kind: "mail", Implicit: true}, factor.Verdict{Ended: true}))
	require.Len(t, v.Record.Factors, 5)
}

// A user who responds with a factor has not lost it: links and recoveries end. A recovery goes on.
func TestViewDecide_EndsARecoveryThatIsNotNeeded(t *testing.T) {
	for _, c := range []struct {
		task decide.Task
		kind string
		ends bool
	}{{decide.Verify, "app", true}, {decide.Passwordless, "app", true},
		{decide.Verify, "codes", false}} {
		v := view(t, stored(t, nil), start)
		v.Record.RecoveryLink, v.Record.Recovery = &record.Recovery{}, &record.Recovery{}
		in := v.Record.Factor("the-" + c.kind)
		o, _ := v.Decide(&decide.Response{Task: c.task, Kind: c.kind},
			accepted(in, factor.Verdict{}))
		require.Equal(t, decide.Verified, o.Result)
		require.Equal(t, c.task == decide.Passwordless, o.Verification.Passwordless)
		require.Equal(t, c.ends, v.Record.RecoveryLink == nil)
		require.Equal(t, c.ends, v.Record.Recovery == nil)
		require.True(t, v.Record.IsUsed(v.Claims.ID, v.Claims.Issued))
	}
}

// A factor that the policy bans is a proof for enrolling an allowed one, which completes a sign-in.
func TestViewDecide_AsksForAnAllowedFactor(t *testing.T) {
	for _, purpose := range []token.Purpose{token.PurposeSignIn, token.PurposeStepUp} {
		v := view(t, stored(t, func(r *record.Record) { r.Factors = r.Factors[:1] }), start)
		v.Claims.Kinds, v.Claims.Purpose = []string{"mail"}, purpose
		o, _ := v.Decide(&decide.Response{Task: decide.Verify, Kind: "app"},
			accepted(&v.Record.Factors[0], factor.Verdict{}))
		require.Equal(t, decide.EnrollmentRequired, o.Result)
		require.Equal(t, []string{"mail"}, o.Required.Kinds)
		require.Equal(t, purpose == token.PurposeSignIn, o.Required.Grant.Forced)
		require.Equal(t, authority.Proof{Origin: authority.OriginOwn, Level: factor.LevelWeak,
			Time: start.UnixMilli()}, o.Required.Grant.Proof)
		require.Equal(t, v.Record.Epoch[:], o.Required.Grant.Epoch)
	}
}

// A factor that the policy bans signs in during a grace, and manages beside an allowed one.
func TestViewDecide_AcceptsABannedFactor(t *testing.T) {
	for name, c := range map[string]struct {
		has    []string
		change func(*decide.View)
		want   decide.Result
	}{
		"alone":                 {has: []string{"key"}, want: decide.EnrollmentRequired},
		"in a grace":            {has: []string{"key"}, change: grace, want: decide.Verified},
		"beside an allowed one": {has: []string{"key", "app"}, want: decide.Verified},
	} {
		v := having(t, c.has...)
		v.Claims.Kinds, v.Claims.Purpose = []string{"app"}, token.PurposeManage
		if c.change != nil {
			c.change(&v)
		}
		o, _ := v.Decide(&decide.Response{Task: decide.Verify, Kind: "key"},
			accepted(&v.Record.Factors[0], verdict))
		require.Equal(t, c.want, o.Result, name)
	}
}

func grace(v *decide.View) { v.Claims.Grace = true }

// An instance that the user did not name has the factor's name for it, with a number if need be.
func TestViewDecide_NamesWhatTheUserDidNot(t *testing.T) {
	for _, c := range []struct {
		unnamed bool
		name    string
		others  []string
		want    string
	}{
		{true, "Phone", nil, "Phone"},
		{true, "Phone", []string{"Phone"}, "Phone 2"},
		{true, "Phone", []string{"Phone", "Phone 2"}, "Phone 3"},
		{false, "Phone", nil, "mine"},
		{true, "", nil, "mine"},
		{true, "see evil.example", nil, "mine"},
	} {
		v := view(t, stored(t, func(r *record.Record) { r.Factors = nil }), start)
		for i, name := range c.others {
			v.Record.Factors = append(v.Record.Factors,
				record.Instance{ID: "other" + string(rune('0'+i)), Kind: "app", Name: name},
				record.Instance{ID: "mail" + string(rune('0'+i)), Kind: "mail", Name: c.want})
		}
		v.Record.Pending = []record.Pending{{Unnamed: c.unnamed, Expires: start.UnixMilli() + 1,
			Instance: record.Instance{ID: "new", Kind: "app", Name: "mine"}}}
		v.Claims.Pending, v.Claims.Proof = "new", authority.Proof{Origin: authority.OriginOwn,
			Level: factor.LevelWeak, Time: start.UnixMilli()}
		r := &decide.Response{Task: decide.Confirm, Kind: "app"}
		targets, refused := v.Admit(r)
		require.Zero(t, refused)
		o, _ := v.Decide(r, accepted(targets[0].Instance, factor.Verdict{Name: c.name}))
		require.Equal(t, decide.Confirmed, o.Result)
		require.Equal(t, c.want, o.Confirmation.Instance.Name)
	}
}
