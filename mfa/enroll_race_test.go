package mfa_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp"
	otptotp "github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

// texts is a sender of text messages that keeps the last.
type texts struct {
	mu   sync.Mutex
	last string
}

func (t *texts) Send(_ context.Context, m sms.Message) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = m.Text[:6]
	return nil
}

func (t *texts) code() secret.Text {
	t.mu.Lock()
	defer t.mu.Unlock()
	return secret.New(t.last)
}

// raceRig is a rig with the real factors that refuse what is enrolled already, over a store
// in which something happens between two accesses.
type raceRig struct {
	*rig
	between *momentStore
	texts   *texts
	other   *mfa.Manager
}

func newRaceRig(t *testing.T) *raceRig {
	t.Helper()
	r := &raceRig{between: &momentStore{Store: memory.New()}, texts: &texts{}}
	app, err := totp.New(totp.Config{Issuer: "Acme"})
	require.NoError(t, err)
	text, err := sms.New(sms.Config{Sender: r.texts, ServiceName: "Acme", Origin: "acme.example",
		Allow: []string{"+31"}})
	require.NoError(t, err)
	r.rig = newRig(t, func(c *mfa.Config) {
		c.Factors = append(c.Factors, app, text)
		c.Store = r.between
	})
	r.withApp(ann, "first")
	v, err := r.verify(r.begin(ann), "app", secret.New("first"))
	require.NoError(t, err)
	r.grant = v.Grant             // as strong as can be
	r.cfg.Store = r.between.Store // which nothing stands between
	r.other = r.another()
	return r
}

const sharedSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

func (r *raceRig) enrollIn(m *mfa.Manager, kind string) (*mfa.Enrollment, error) {
	params := map[string]map[string]secret.Text{
		"totp": map[string]secret.Text{"secret": secret.New(sharedSecret)},
		"sms":  map[string]secret.Text{"number": secret.New("+31612345678")},
	}[kind]
	return m.Session(ann, binding).Enroll(context.Background(), r.grant,
		mfa.EnrollRequest{Kind: kind, Params: params})
}

func appCode(key string, now time.Time) (secret.Text, error) {
	code, err := otptotp.GenerateCodeCustom(key, now,
		otptotp.ValidateOpts{Period: 30, Digits: otp.DigitsSix})
	return secret.New(code), err
}

func (r *raceRig) confirmIn(
	m *mfa.Manager, kind string, e *mfa.Enrollment,
) (*mfa.Confirmation, error) {
	response := r.texts.code()
	if kind == "totp" {
		var err error
		response, err = appCode(sharedSecret, r.clock.Now())
		require.NoError(r.t, err)
	}
	return m.Session(ann, binding).Confirm(context.Background(), e, response)
}

// TestEnroll_AsksTheFactorAgain commits the enrolment of the same secret, and of the same
// number, at every point between the reads and the write of another enrolment: the factor is
// then asked again, sees it and refuses.
func TestEnroll_AsksTheFactorAgain(t *testing.T) {
	for _, kind := range []string{"totp", "sms"} {
		for _, point := range []struct {
			swap bool
			skip int
		}{{false, 1}, {false, 2}, {true, 0}} {
			t.Run(fmt.Sprint(kind, point), func(t *testing.T) {
				r := newRaceRig(t)
				met := false
				r.between.arm(point.swap, point.skip, func() {
					met = true
					e, err := r.enrollIn(r.other, kind)
					require.NoError(t, err)
					_, err = r.confirmIn(r.other, kind, e)
					require.NoError(t, err)
				})
				e, err := r.enrollIn(r.Manager, kind)
				if !met && point.skip == 2 {
					t.Skip("there are no three reads")
				}
				require.True(t, met)
				var problem *factor.Problem
				require.ErrorAs(t, err, &problem, "enrolled twice: %v", e)
				require.True(t, strings.HasSuffix(problem.Reason, "_duplicate"), problem.Reason)
				o, err := r.Overview(t.Context(), ann)
				require.NoError(t, err)
				n := 0
				for _, f := range o.Factors {
					if f.Kind == kind {
						n++
					}
				}
				require.Equal(t, 1, n)
			})
		}
	}
}

// Two sessions begin the enrolment of the same thing before either confirms. Only the later
// one is pending.
func TestConfirm_OfTwoPendingEnrolmentsOfTheSame(t *testing.T) {
	for _, kind := range []string{"totp", "sms"} {
		r := newRaceRig(t)
		one, err := r.enrollIn(r.Manager, kind)
		require.NoError(t, err)
		two, err := r.enrollIn(r.other, kind)
		require.NoError(t, err)
		_, err = r.confirmIn(r.other, kind, one)
		require.ErrorIs(t, err, mfa.ErrTokenExpired)
		_, err = r.confirmIn(r.other, kind, two)
		require.NoError(t, err)
		_, err = r.confirmIn(r.other, kind, one)
		require.ErrorIs(t, err, mfa.ErrTokenExpired)
	}
}

// Factors that change at every try are no reason to go on for ever.
func TestEnroll_EndsWhenFactorsKeepChanging(t *testing.T) {
	r := newRaceRig(t)
	n, added := 0, ""
	r.between.every = true
	r.between.arm(true, 0, func() {
		if n++; added != "" {
			require.NoError(t, r.other.Session(ann, binding).Remove(context.Background(), r.grant,
				added))
			added = ""
			return
		}
		e, err := r.other.Session(ann, binding).Enroll(context.Background(), r.grant,
			mfa.EnrollRequest{Kind: "app",
				Params: map[string]secret.Text{"word": secret.New("second")}})
		require.NoError(t, err)
		c, err := r.other.Session(ann, binding).Confirm(context.Background(), e,
			secret.New("second"))
		require.NoError(t, err)
		added = c.Factor.ID
	})
	_, err := r.begun(r.grant, "app", "tulip")
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.Equal(t, 5, n, "tries")
}
