package policy_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/access"
	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/sms"
	"github.com/secondgate/secondgate/totp"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// plain is a third-party factor that states nothing about itself.
type plain struct {
	kind   string
	traits factor.Traits
}

func (p *plain) Kind() string          { return p.kind }
func (p *plain) Traits() factor.Traits { return p.traits }

func (*plain) Enroll(context.Context, factor.EnrollInput) (*factor.EnrollOutput, error) {
	return nil, nil
}

func (*plain) Verify(context.Context, factor.VerifyInput) (*factor.Verdict, error) {
	return nil, factor.ErrIncorrect
}

// stated is a factor that states its settings.
type stated struct {
	plain
}

func states(kind string, t factor.Traits, s factor.Settings) *stated {
	t.Settings = s
	return &stated{plain{kind, t}}
}

// sending is a factor that states its settings, and sends.
type sending struct{ stated }

func (*sending) Issue(context.Context, factor.IssueInput) (*factor.Issue, error) { return nil, nil }
func (*sending) Deliver(context.Context, factor.Message) error                   { return nil }

// identifying is a factor whose responses name their instances.
type identifying struct{ sending }

func (*identifying) Identity([]byte) []byte { return nil }
func (*identifying) Identify(string) []byte { return nil }

var (
	strong       = factor.Traits{Level: factor.LevelStrong}
	resistant    = factor.Traits{Level: factor.LevelPhishingResistant}
	knowledge    = factor.Traits{Level: factor.LevelWeak, Knowledge: true}
	recoveryKind = factor.Traits{Recovery: true, NoConfirmation: true}
	accessCode   = factor.Traits{Recovery: true, NoConfirmation: true, AdminOnly: true}

	// attests is a phishing-resistant factor that can prove what keeps its keys.
	attests = states("passkey", resistant, factor.Settings{Attests: true})
	// key stands for a phishing-resistant factor in hardware.
	key = states("key", resistant, factor.Settings{Hardware: true})
)

func must[T factor.Factor](t testing.TB) func(T, error) factor.Factor {
	return func(f T, err error) factor.Factor {
		t.Helper()
		require.NoError(t, err)
		return f
	}
}

func app(t testing.TB, change ...func(*totp.Config)) factor.Factor {
	cfg := totp.Config{Issuer: "Acme", Strict: true}
	for _, f := range change {
		f(&cfg)
	}
	return must[*totp.Factor](t)(totp.New(cfg))
}

func phone(t testing.TB, check func(context.Context, sms.CheckInput) error) factor.Factor {
	return must[*sms.Factor](t)(sms.New(sms.Config{Sender: &mfatest.Outbox[sms.Message]{},
		ServiceName: "Acme", Origin: "acme.example", Allow: []string{"+31"}, Check: check}))
}

func mail(t testing.TB) factor.Factor {
	return must[*email.Factor](t)(email.New(email.Config{
		Sender: &mfatest.Outbox[email.Message]{}, ServiceName: "Acme"}))
}

func paper(t testing.TB, cfg recovery.Config) factor.Factor {
	return must[*recovery.Factor](t)(recovery.New(cfg))
}

func codes(t testing.TB, cfg access.Config) factor.Factor {
	return must[*access.Factor](t)(access.New(cfg))
}

// sound returns a setup, of the factors that there are, that meets the profile.
func sound(t testing.TB, p policy.Profile) policy.Setup {
	limits, err := lockout.Config{}.WithDefaults()
	require.NoError(t, err)
	kinds := []string{"key", "totp", "sms"}
	if p == policy.ProfileASVSL3 || p == policy.ProfileNISTAAL3 {
		kinds = []string{"key"}
	}
	return policy.Setup{
		Factors: []factor.Factor{key, app(t),
			phone(t, func(context.Context, sms.CheckInput) error { return nil }), mail(t),
			paper(t, recovery.Config{Count: 4, Bits: 120}), codes(t, access.Config{})},
		Policies: policy.Static(policy.Policy{Kinds: kinds, NoDowngrade: true}),
		Profile:  p, Lockout: limits, LinkTTL: 24 * time.Hour, Notices: true, Events: true,
	}
}
