package mfa_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

// odd is a third-party factor that panics in the method of a name, or returns nothing from it. Its
// responses name their instance.
type odd struct {
	word
	fails string // the method, or ""
}

func (o *odd) failing(method string) bool {
	if o.fails == method+" panics" {
		panic(method + " of a factor that has a fault")
	}
	return o.fails == method
}

func (o *odd) Traits() factor.Traits {
	return factor.Traits{Level: factor.LevelPhishingResistant, AMR: "pop", SharedChallenge: true}
}

func (o *odd) Enroll(ctx context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	if o.failing("Enroll") {
		return nil, nil
	}
	return o.word.Enroll(ctx, in)
}

func (o *odd) Issue(_ context.Context, in factor.IssueInput) (*factor.Issue, error) {
	if o.failing("Issue") {
		return nil, nil
	}
	return &factor.Issue{Keep: []byte("asked"), Expires: in.Now.Add(5 * time.Minute)}, nil
}

func (o *odd) Deliver(context.Context, factor.Message) error { return nil }

func (o *odd) Verify(ctx context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	o.failing("Verify")
	v, err := o.word.Verify(ctx, in)
	if err == nil {
		v = &factor.Verdict{UserVerified: true, State: in.State}
	}
	return v, err
}

func (o *odd) Describe([]byte) factor.Description {
	o.failing("Describe")
	return factor.Description{DeviceBound: true}
}

func (o *odd) Identity(state []byte) []byte {
	if o.failing("Identity") {
		return nil
	}
	return state
}

func (o *odd) Identify(response string) []byte {
	if o.failing("Identify") {
		return nil
	}
	return []byte(response)
}

func (o *odd) Normalize(response string) (string, error) {
	o.failing("Normalize")
	return strings.TrimSpace(response), nil
}

// Whatever a factor does that it must not, no call panics, no sign-in is skipped, and no user with
// the factor is taken for one without. An administrator can delete the user.
func TestOddFactor_IsAnErrorAndNeverNoFactor(t *testing.T) {
	for _, fails := range []string{"Issue", "Issue panics", "Describe panics", "Identity panics",
		"Identify", "Identify panics", "Normalize panics", "Verify panics", "Enroll"} {
		t.Run(fails, func(t *testing.T) {
			o := &odd{word: word{kind: "badge"}}
			r := newRig(t, func(c *mfa.Config) {
				c.Factors = append(c.Factors, o)
				c.Policies = policy.Stored(policy.Static(policy.Policy{Passwordless: true}))
			})
			s, response := r.Session(bea, binding), secret.New("bea")
			o.set(r)
			o.fails = fails

			ch, err := s.Begin(t.Context())
			if err == nil {
				require.Equal(t, mfa.NextVerify, ch.Next)
				_, err = s.Send(t.Context(), ch, "badge")
				refused := strings.HasPrefix(fails, "Issue") || fails == "Identity panics"
				require.Equal(t, refused, err != nil, "%v", err)
				_, err = s.Verify(t.Context(), ch, "badge", response)
			}
			require.Equal(t, !strings.HasPrefix(fails, "Identify") && fails != "Enroll", err != nil,
				"%v", err)
			_, err = s.ManageFactors().FirstFactorAt(r.clock.Now()).Begin(t.Context())
			require.Equal(t, fails == "Describe panics", err != nil, "%v", err)
			if free, err := r.Passwordless(binding).Begin(t.Context(), "badge"); err == nil {
				_, err = r.Passwordless(binding).Verify(t.Context(), free, response, r.lookup)
				require.Equal(t, fails != "Enroll", err != nil, "%v", err)
			} else {
				require.Contains(t, fails, "Issue")
			}
			_, _ = s.Enroll(t.Context(), r.grant, mfa.EnrollRequest{Kind: "badge",
				Params: map[string]secret.Text{"word": secret.New("another")}})
			_, _ = r.Overview(t.Context(), bea)
			_, _ = r.Admin(boss, "").PersonalData(t.Context(), bea)
			_, _ = r.Admin(boss, "").Report(t.Context())
			for _, err := range r.Admin(boss, "a move").Export(t.Context(), "") {
				require.NoError(t, err)
			}
			require.NoError(t, r.Admin(boss, "").Delete(t.Context(), bea))
		})
	}
}

// set gives bea the factor.
func (o *odd) set(r *rig) {
	r.t.Helper()
	s := r.Session(bea, binding)
	e, err := s.Enroll(r.t.Context(), r.begin(bea).Grant, mfa.EnrollRequest{Kind: "badge",
		Params: map[string]secret.Text{"word": secret.New("bea")}})
	require.NoError(r.t, err)
	c, err := s.Confirm(r.t.Context(), e, secret.New("bea"))
	require.NoError(r.t, err)
	r.grant = c.Grant
}

func (r *rig) lookup(_ context.Context, named mfa.User) (mfa.User, error) { return named, nil }

// A state that the factor cannot describe is not stored: a response that leads to one fails.
func TestOddFactor_StoresNoStateThatItCannotDescribe(t *testing.T) {
	o := &odd{word: word{kind: "badge"}}
	r := newRig(t, func(c *mfa.Config) {
		c.Factors = append(c.Factors, o)
		c.Policies = policy.Stored(policy.Static(policy.Policy{}))
	})
	o.set(r)
	ch := r.begin(bea)
	_, err := r.Session(bea, binding).Send(t.Context(), ch, "badge")
	require.NoError(t, err)
	for _, fails := range []string{"Describe panics", "Identity panics"} {
		o.verify = func(factor.VerifyInput) { o.fails = fails }
		_, err = r.verify(ch, "badge", secret.New("bea"))
		require.ErrorIs(t, err, mfa.ErrUnavailable)
		o.fails, o.verify = "", nil
	}
	_, err = r.verify(ch, "badge", secret.New("bea"))
	require.NoError(t, err)
}

// A factor that cannot describe an enrolment under way is an error as well.
func TestOddFactor_CannotDescribeAnEnrolment(t *testing.T) {
	o := &odd{word: word{kind: "badge"}}
	r := newRig(t, func(c *mfa.Config) { c.Factors = append(c.Factors, o) })
	_, err := r.Session(ann, binding).Enroll(t.Context(), r.withApp(ann, "word").Grant,
		mfa.EnrollRequest{Kind: "badge", Params: map[string]secret.Text{"word": secret.New("x")}})
	require.NoError(t, err)
	o.fails = "Describe panics"
	_, err = r.Session(ann, binding).Begin(t.Context())
	require.ErrorIs(t, err, mfa.ErrUnavailable)
}
