package mfa_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/secret"
)

// callRig is a rig with a factor that fails in one method, and what Config.Calls was given.
type callRig struct {
	*rig
	f        *shouter
	ch       *mfa.Challenge
	grant    mfa.Grant
	calls    []string
	notified error
}

// newCallRig is a rig with a challenge for which a code was sent, and a grant.
func newCallRig(t *testing.T) *callRig {
	t.Helper()
	r := &callRig{f: &shouter{sent: sent{kind: "mail"}}}
	r.rig = newRig(t, func(c *mfa.Config) {
		c.Factors = []factor.Factor{c.Factors[0], r.f}
		c.Notify = func(ctx context.Context, send func(context.Context) error) {
			if err := send(ctx); err != nil {
				r.notified = err
			}
		}
	})
	r.mail = &r.f.sent
	r.grant = r.signIn(ann).Grant
	r.ch = r.begin(ann)
	r.send(r.ch)
	r.cfg.Calls = func(ctx context.Context, c report.Call) (context.Context, func(error)) {
		return ctx, func(err error) {
			r.calls = append(r.calls, fmt.Sprintf("%s %s: %v", c.Kind, c.Operation, err))
		}
	}
	r.Manager = r.another()
	return r
}

// call makes the Manager call a method of the factor, and returns what the caller gets.
func (r *callRig) call(method string) error {
	ctx, s := r.t.Context(), r.Session(ann, binding)
	var err error
	switch method {
	case "Enroll":
		_, err = r.begun(r.grant, "mail", "other@example.com")
	case "Implied":
		_, err = s.Begin(ctx)
	case "Issue", "Deliver":
		_, err = s.Send(ctx, r.ch, "mail")
	case "Notify":
		require.NoError(r.t, r.Admin(boss, "").Reset(ctx, ann))
		err = r.notified
	case "Normalize", "Verify":
		_, err = r.verify(r.ch, "mail", r.f.code(ann.Email))
		var attempt *mfa.AttemptError
		if errors.As(err, &attempt) {
			err = attempt.Err
		}
	}
	return err
}

// The error of each method says which factor could not do what, and no more, and Config.Calls is
// given the same error.
func TestManager_SaysWhatAFactorCouldNotDo(t *testing.T) {
	const down, refused = "mfa: temporarily unavailable: the mail factor could not ",
		"mfa: the mail factor refused the input"
	for _, c := range []struct{ method, doing, operation string }{
		{"Normalize", "read the response", ""}, {"Enroll", "enrol", "enroll"},
		{"Implied", "read the address", ""}, {"Issue", "make a challenge", "issue"},
		{"Deliver", "send", "deliver"}, {"Notify", "notify", "notify"},
		{"Verify", "verify", "verify"},
	} {
		mayRefuse := c.method != "Verify" && c.method != "Implied"
		failed, malformed, problem := down+c.doing, refused, refused+" (number_at_risk)"
		wantFailed, wantMalformed := mfa.ErrUnavailable, factor.ErrMalformed
		if !mayRefuse {
			malformed, problem, wantMalformed = failed, failed, mfa.ErrUnavailable
		}
		if c.method == "Normalize" { // a response that cannot be read is malformed
			failed, wantFailed = refused, factor.ErrMalformed
		}
		for _, how := range []struct {
			kind   error
			throws bool
			want   error
			text   string
		}{
			{errors.New("later"), false, wantFailed, failed},
			{status{quoted{"550 mailbox is full", nil}, 452, true}, false, wantFailed,
				failed + " (status 452, temporary)"},
			{factor.ErrMalformed, false, wantMalformed, malformed},
			{&factor.Problem{Reason: "number_at_risk"}, false, wantMalformed, problem},
			{nil, true, mfa.ErrUnavailable, "mfa: temporarily unavailable: the mail factor " +
				"panicked when it was to " + c.doing},
		} {
			t.Run(fmt.Sprintf("%s %T %t", c.method, how.kind, how.throws), func(t *testing.T) {
				r := newCallRig(t)
				r.f.fails, r.f.kind, r.f.throws = c.method, how.kind, how.throws
				err := r.call(c.method)
				if strings.HasPrefix(how.text, refused) && c.method == "Normalize" {
					how.text, _, _ = strings.Cut(how.text, " (status")
				}
				require.EqualError(t, err, how.text)
				require.ErrorIs(t, err, how.want)
				if how.kind != nil {
					require.ErrorIs(t, err, how.kind, "the cause")
				}
				if c.operation != "" {
					require.Equal(t, "mail "+c.operation+": "+how.text, r.calls[len(r.calls)-1])
				}
			})
		}
	}
}

// Config.Calls is given each call of a factor that succeeds, with its kind and its operation.
func TestManager_ReportsCallsThatSucceed(t *testing.T) {
	r := newCallRig(t)
	for _, method := range []string{"Enroll", "Implied", "Issue", "Verify", "Notify"} {
		require.NoError(t, r.call(method))
	}
	require.Equal(t, []string{"mail enroll: <nil>", "mail issue: <nil>", "mail deliver: <nil>",
		"mail issue: <nil>", "mail deliver: <nil>", "mail verify: <nil>", "mail notify: <nil>"},
		r.calls)
}

// The reason of a Problem is in the error if it is a code, which quotes nothing.
func TestManager_QuotesReasonsThatAreCodes(t *testing.T) {
	letters := strings.Repeat("a", 40)
	r := newCallRig(t)
	r.f.fails = "Enroll"
	for reason, quoted := range map[string]bool{"a": true, "z": true, "number_at_risk": true,
		letters: true, letters + "_0": true, "answer_0": true, "answer_9": true, "a_5": true,
		"": false, letters + "a": false, letters + "a_0": false, "answer_12": false,
		"answer5": false, "_5": false, "answer_/": false, "answer_:": false, "A": false,
		"a`": false, "a{": false, "a b": false, "ann@example.com": false, "5": false} {
		r.f.kind = &factor.Problem{Reason: reason}
		want := "mfa: the mail factor refused the input"
		if quoted {
			want += " (" + reason + ")"
		}
		require.EqualError(t, r.call("Enroll"), want, "%q", reason)
	}
}

// The verdict of a refusal is in the Manager's words, whatever the factor wraps it in, and an
// error that also says "not decided yet" says that it does not.
func TestManager_KeepsTheVerdictOfARefusal(t *testing.T) {
	const pending = "the factor returned an ErrPending that is none"
	for _, verdict := range []error{factor.ErrIncorrect, factor.ErrReplayed} {
		r := newCallRig(t)
		r.f.fails, r.f.kind = "Verify", verdict
		err := r.call("Verify")
		require.EqualError(t, err, verdict.Error())
		var q quoted
		require.ErrorAs(t, err, &q)

		r = newCallRig(t)
		r.f.fails, r.f.kind = "Verify", errors.Join(verdict, factor.ErrPending)
		err = r.call("Verify")
		require.EqualError(t, err, verdict.Error())
		require.NotErrorIs(t, err, factor.ErrPending)
		require.Contains(t, causes(err), pending)
	}
	r := newCallRig(t)
	r.f.fails, r.f.kind = "Issue", factor.ErrPending
	err := r.call("Issue")
	require.NotErrorIs(t, err, factor.ErrPending)
	require.Contains(t, causes(err), pending)
}

// causes are the texts of all errors that an error wraps.
func causes(err error) (all []string) {
	switch e := err.(type) { //nolint:errorlint // it looks at one error of the tree at a time
	case interface{ Unwrap() []error }:
		for _, cause := range e.Unwrap() {
			all = append(all, cause.Error())
			all = append(all, causes(cause)...)
		}
	case interface{ Unwrap() error }:
		if cause := e.Unwrap(); cause != nil {
			all = append(append(all, cause.Error()), causes(cause)...)
		}
	}
	return all
}

// The error distinguishes an address that no message can be sent to from one that could not be
// read.
func TestManager_DistinguishesAddressesThatNoMessageReaches(t *testing.T) {
	r := newCallRig(t)
	r.f.fails, r.f.kind = "Implied", factor.ErrUndeliverable
	err := r.call("Implied")
	require.EqualError(t, err,
		"factor: no message can be sent to the address of the mail factor")
	require.ErrorIs(t, err, factor.ErrUndeliverable)
	require.NotErrorIs(t, err, mfa.ErrUnavailable)
	var q quoted
	require.ErrorAs(t, err, &q)
	o, err := r.Overview(t.Context(), ann)
	require.NoError(t, err)
	require.Empty(t, o.Factors)

	r.f.kind = errors.New("later")
	_, err = r.Overview(t.Context(), ann)
	require.EqualError(t, err,
		"mfa: temporarily unavailable: the mail factor could not read the address")
}

// uneven is a word whose instances end or run out, whatever its traits say.
type uneven struct {
	word
	says factor.Description
}

func (u *uneven) Describe([]byte) factor.Description { return u.says }

func TestEnroll_RefusesWhatEndsWithoutItsTrait(t *testing.T) {
	for name, c := range map[string]struct {
		traits factor.Traits
		says   factor.Description
		cause  string
	}{
		"ends": {factor.Traits{Level: factor.LevelStrong}, factor.Description{Ends: testStart},
			"an instance ends and its kind is not Traits.Temporary"},
		"ends, as it says": {factor.Traits{Level: factor.LevelStrong, Temporary: true},
			factor.Description{Ends: testStart}, ""},
		"runs out": {factor.Traits{Level: factor.LevelStrong}, factor.Description{Remaining: 1},
			"an instance runs out and its kind is not Traits.Limited"},
		"runs out, as it says": {factor.Traits{Level: factor.LevelStrong, Limited: true},
			factor.Description{Remaining: 1}, ""},
		"neither": {factor.Traits{Level: factor.LevelStrong}, factor.Description{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			odd := &uneven{word{kind: "odd", traits: c.traits}, c.says}
			r := newRig(t, func(c *mfa.Config) { c.Factors = append(c.Factors, odd) })
			_, err := r.Session(ann, binding).Enroll(t.Context(), r.signIn(ann).Grant,
				mfa.EnrollRequest{Kind: "odd",
					Params: map[string]secret.Text{"word": secret.New("w")}})
			if c.cause == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err,
				"mfa: temporarily unavailable: the odd factor could not enrol")
			require.Contains(t, causes(err), c.cause)
		})
	}
}
