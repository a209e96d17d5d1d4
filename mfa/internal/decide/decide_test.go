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
	"github.com/secondgate/secondgate/mfa/policy"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// rules have an app, a kind that sends, and recovery codes.
func rules(t *testing.T) *decide.Rules {
	t.Helper()
	limits, err := lockout.Config{}.WithDefaults()
	require.NoError(t, err)
	return &decide.Rules{Lockout: limits, EnrollmentTTL: 15 * time.Minute, Notifies: true,
		Lifetimes: authority.Lifetimes{FirstFactor: 15 * time.Minute, Grant: 5 * time.Minute},
		Kinds: map[string]decide.Kind{
			"app":  {Traits: factor.Traits{Level: factor.LevelWeak}},
			"mail": {Traits: factor.Traits{Level: factor.LevelWeak}, Sends: true, Order: 1},
			"push": {Traits: factor.Traits{Level: factor.LevelStrong, Polled: true}, Sends: true,
				Order: 3},
			"codes": {Order: 2, Traits: factor.Traits{Recovery: true, Limited: true,
				NoConfirmation: true}},
		}}
}

// stored is the stored form of a record of a user with one instance of each kind.
func stored(t *testing.T, change func(*record.Record)) []byte {
	t.Helper()
	r := record.New()
	r.Fresh = false
	for _, kind := range []string{"app", "mail", "push", "codes"} {
		r.Factors = append(r.Factors, record.Instance{ID: "the-" + kind, Kind: kind,
			State: []byte(kind)})
	}
	r.Devices = []record.Device{{Name: "laptop", Expires: start.Add(time.Hour).UnixMilli()}}
	if change != nil {
		change(r)
	}
	data, err := r.Encode()
	require.NoError(t, err)
	return data
}

// issued issues a request for an approval to the challenge of a view.
func issued(r *record.Record) {
	r.Codes = map[string]record.Code{"push": {Challenge: [16]byte{1}, Factor: "the-push",
		Keep: []byte("request"), Issued: start.UnixMilli(),
		Expires: start.Add(90 * time.Second).UnixMilli()}}
}

// view returns a view of a stored record, for a sign-in begun at start.
func view(t *testing.T, data []byte, now time.Time) decide.View {
	t.Helper()
	r, err := record.Decode(data)
	require.NoError(t, err)
	for i := range r.Factors {
		r.Factors[i].Remaining = 5
	}
	c := token.ClaimsOf(token.Subject{ID: "ann"}, policy.Policy{}, token.PurposeSignIn, start)
	c.ID, c.Epoch = [16]byte{1}, r.Epoch[:]
	return decide.View{Rules: rules(t), Record: r, Claims: &c, Now: now}
}

// A response is refused before the factor is asked, and the outcome says why.
func TestViewAdmit_SaysWhyItRefuses(t *testing.T) {
	verify := decide.Response{Task: decide.Verify, Kind: "app"}
	unlock := decide.Response{Task: decide.Unlock, Kind: "app"}
	disabled := lockout.State{Kinds: map[string]lockout.Tally{"app": {Disabled: true}}}
	for name, c := range map[string]struct {
		change   func(*record.Record)
		now      time.Time
		response decide.Response
		want     decide.Result
		err      error
	}{
		"admitted": {nil, start, verify, 0, nil},
		"locked": {func(r *record.Record) {
			r.Lockout.LockedUntil = start.Add(time.Minute).UnixMilli()
		}, start, verify, decide.Locked, nil},
		"disabled": {func(r *record.Record) { r.Lockout = disabled }, start,
			verify, decide.Disabled, nil},
		"disabled, and to be enabled": {func(r *record.Record) { r.Lockout = disabled }, start,
			unlock, 0, nil},
		"not disabled, and to be enabled": {nil, start,
			unlock, decide.Refused, decide.ErrNotAvailable},
		"expired": {nil, start.Add(time.Hour), verify,
			decide.Refused, token.ErrExpired},
		"used": {func(r *record.Record) { r.Use([16]byte{1}, start.UnixMilli()) }, start,
			verify, decide.Refused, token.ErrExpired},
		"not enrolled": {func(r *record.Record) { r.Factors = r.Factors[1:] }, start,
			verify, decide.Refused, decide.ErrNotAvailable},
		"no pending enrolment": {nil, start, decide.Response{Task: decide.Confirm, Kind: "app"},
			decide.Refused, token.ErrExpired},
		"names no instance": {nil, start, decide.Response{Task: decide.Passwordless, Kind: "app"},
			decide.Refused, decide.ErrUnknownFactor},
	} {
		t.Run(name, func(t *testing.T) {
			targets, o := view(t, stored(t, c.change), c.now).Admit(&c.response)
			require.Equal(t, c.want, o.Result)
			require.ErrorIs(t, o.Err, c.err)
			require.Equal(t, c.want == 0, len(targets) == 1)
		})
	}
}

// What the factor says of a response is all that decides between the results.
func TestViewDecide_TurnsWhatTheFactorSaysIntoAResult(t *testing.T) {
	for _, c := range []struct {
		kind    string
		refusal error
		want    decide.Result
		counted bool
		devices int
	}{
		{"app", nil, decide.Verified, false, 1},
		{"codes", nil, decide.Verified, false, 0}, // a recovery ends remembered devices
		{"app", factor.ErrIncorrect, decide.Incorrect, true, 1},
		{"app", factor.ErrReplayed, decide.Replayed, true, 1},
		{"app", errors.New("the sender is down"), decide.Failed, true, 1},
		{"app", factor.ErrExpired, decide.Expired, false, 1},
		{"push", nil, decide.Verified, false, 1},
		{"push", factor.ErrPending, decide.Pending, false, 1},
		{"push", factor.ErrIncorrect, decide.Incorrect, true, 1},
		{"push", factor.ErrExpired, decide.Expired, false, 1},
		{"push", errors.New("the mailbox is down"), decide.Uncounted, false, 1},
	} {
		v := view(t, stored(t, issued), start)
		r := &decide.Response{Task: decide.Verify, Kind: c.kind}
		targets, refused := v.Admit(r)
		require.Zero(t, refused.Result)
		said := decide.Said{Target: targets[0], Verdict: &factor.Verdict{}, Refusal: c.refusal}
		o, write := v.Decide(r, said)
		require.Equal(t, c.want, o.Result)
		require.Equal(t, c.counted, o.Result.Counted())
		require.Equal(t, c.refusal == nil || c.counted, write)
		_, waits := v.Record.Codes["push"]
		require.Equal(t, c.kind != "push" || c.refusal != nil && !c.counted, waits)
		require.Equal(t, c.counted, v.Record.Lockout.Kinds[c.kind].Tries == 1)
		require.Len(t, v.Record.Devices, c.devices)
		require.Equal(t, c.refusal == nil, v.Record.IsUsed(v.Claims.ID, v.Claims.Issued))
	}
}

// Two views of the same record decide the same, and leave the same record behind: nothing but
// the inputs matters.
func TestView_DecisionsAreFunctionsOfTheirInputs(t *testing.T) {
	data := stored(t, nil)
	for _, refusal := range []error{nil, factor.ErrIncorrect} {
		for _, kind := range []string{"app", "codes"} {
			var after [2][]byte
			var outcomes [2]decide.Outcome
			for i := range after {
				v := view(t, data, start)
				r := &decide.Response{Task: decide.Verify, Kind: kind, Remember: &decide.NewDevice{
					Name: "phone", ID: [8]byte{7}, Secret: [16]byte{8}}}
				v.Claims.Remember = time.Hour.Milliseconds()
				targets, _ := v.Admit(r)
				outcomes[i], _ = v.Decide(r, decide.Said{Target: targets[0],
					Verdict: &factor.Verdict{State: []byte("next")}, Refusal: refusal})
				var err error
				after[i], err = v.Record.Encode()
				require.NoError(t, err)
			}
			require.Equal(t, after[0], after[1])
			require.Equal(t, outcomes[0], outcomes[1])
			require.NotEqual(t, data, after[0])
		}
	}
}

// An incorrect response stays counted after its charge is settled, and a correct one does not.
func TestViewSettle_EndsTheLease(t *testing.T) {
	for _, refusal := range []error{nil, factor.ErrIncorrect, factor.ErrExpired} {
		v := view(t, stored(t, nil), start)
		r := &decide.Response{Task: decide.Verify, Kind: "app"}
		c, refused, err := v.Charge(r, [8]byte{9})
		require.NoError(t, err)
		require.Zero(t, refused.Result)
		require.Equal(t, 1, v.Record.Lockout.Kinds["app"].Tries)
		_, _, err = v.Charge(r, [8]byte{10})
		require.ErrorIs(t, err, decide.ErrVerifying)

		said := decide.Said{Target: c.Targets[0], Verdict: &factor.Verdict{}, Refusal: refusal}
		_, again, err := v.Settle(r, c, said)
		require.NoError(t, err)
		require.Empty(t, again)
		require.Nil(t, v.Record.Charge)
		require.Equal(t, errors.Is(refusal, factor.ErrIncorrect),
			v.Record.Lockout.Kinds["app"].Tries == 1)
		_, _, err = v.Settle(r, c, said)
		require.ErrorIs(t, err, decide.ErrChargeGone)
	}
}
