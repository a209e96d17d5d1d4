package mfatest_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/internal/kdf/kdftest"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/pin"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
	"github.com/secondgate/secondgate/totp"
)

// The cost of argon2id is tested in internal/kdf.
var _ = kdftest.Cheap()

func issued(_ *factor.EnrollOutput, is *factor.Issue, _ time.Time) string {
	return is.Payload.Reveal()
}

func TestFactors_Conform(t *testing.T) {
	t.Run("totp", func(t *testing.T) {
		f, err := totp.New(totp.Config{Issuer: "Acme"})
		require.NoError(t, err)
		// The code of the RFC's secret at 59 seconds.
		mfatest.FactorKit{Factor: f, Params: map[string]secret.Text{"secret": secret.New(
			"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")}, Wrong: "000000", Now: time.Unix(59, 0),
			Right: func(*factor.EnrollOutput, *factor.Issue, time.Time) string {
				return "287082"
			}}.Run(t)
	})
	t.Run("email", func(t *testing.T) {
		f, err := email.New(email.Config{Sender: &mfatest.Outbox[email.Message]{},
			ServiceName: "Acme"})
		require.NoError(t, err)
		mfatest.FactorKit{Factor: f,
			Params: map[string]secret.Text{"address": secret.New("ann@example.com")},
			Wrong:  "000000", Right: issued}.Run(t)
	})
	t.Run("sms", func(t *testing.T) {
		f, err := sms.New(sms.Config{Sender: &mfatest.Outbox[sms.Message]{}, ServiceName: "Acme",
			Origin: "acme.example", Allow: []string{"+31"}})
		require.NoError(t, err)
		mfatest.FactorKit{Factor: f,
			Params: map[string]secret.Text{"number": secret.New("+31612345678")}, Wrong: "000000",
			Right: issued}.Run(t)
	})
	t.Run("pin", func(t *testing.T) {
		f, err := pin.New(pin.Config{})
		require.NoError(t, err)
		mfatest.FactorKit{Factor: f, Params: map[string]secret.Text{"pin": secret.New("739162")},
			Wrong: "000000",
			Right: func(*factor.EnrollOutput, *factor.Issue, time.Time) string {
				return "739162"
			}}.Run(t)
	})
	t.Run("recovery", func(t *testing.T) {
		f, err := recovery.New(recovery.Config{})
		require.NoError(t, err)
		mfatest.FactorKit{Factor: f, Wrong: "0000-0000-0000-0000",
			Right: func(out *factor.EnrollOutput, _ *factor.Issue, _ time.Time) string {
				return out.Prompt.Codes[0].Reveal()
			}}.Run(t)
	})
}

// broken is a factor with one thing wrong with it.
type broken struct {
	fault string
	calls int
}

func (b *broken) Kind() string {
	if b.fault == "kind" {
		return "My Factor"
	}
	return "mine"
}

func (b *broken) Traits() factor.Traits {
	switch b.fault {
	case "no level":
		return factor.Traits{}
	case "contradiction":
		return factor.Traits{Level: factor.LevelWeak, Recovery: true}
	}
	return factor.Traits{Level: factor.LevelWeak, Knowledge: true}
}

func (b *broken) Enroll(_ context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	if len(in.Params["word"].Reveal()) > 100 && b.fault == "enroll" {
		return nil, context.Canceled
	}
	out := &factor.EnrollOutput{State: []byte("word:" + in.Params["word"].Reveal())}
	if b.fault == "shown" {
		out.Name = in.Params["word"].Reveal()
	}
	return out, nil
}

func (b *broken) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	word, ok := strings.CutPrefix(string(in.State), "word:")
	switch {
	case b.fault == "panic" && !ok:
		panic("unreadable")
	case b.fault == "open" && !ok:
		return nil, nil
	case b.fault == "race":
		b.calls++
	case b.fault == "in place" && len(in.State) > 0:
		in.State[0] = '!'
	case b.fault == "accepts all":
		return nil, nil
	case b.fault == "other error" && word != in.Response.Reveal():
		return nil, context.Canceled
	}
	if !ok || word != in.Response.Reveal() {
		if b.fault == "secret" {
			return nil, &leak{in.Response.Reveal()}
		}
		return nil, factor.ErrIncorrect
	}
	return nil, nil
}

type leak struct{ answer string }

func (l *leak) Error() string { return "wrong answer: " + l.answer }
func (l *leak) Unwrap() error { return factor.ErrIncorrect }

// The kit finds what is wrong with each broken factor, and nothing with the whole one.
func TestKit_FindsEachFault(t *testing.T) {
	if fault, ok := os.LookupEnv("MFATEST_FAULT"); ok {
		mfatest.FactorKit{Factor: &broken{fault: fault},
			Params: map[string]secret.Text{"word": secret.New("tulip")}, Wrong: "rose!",
			Right: func(*factor.EnrollOutput, *factor.Issue, time.Time) string {
				return "tulip"
			}}.Run(t)
		return
	}
	for fault, rule := range map[string]string{"": "", "kind": "kind_and_traits",
		"no level":      "kind_and_traits",
		"contradiction": "kind_and_traits", "accepts all": "correct_and_incorrect",
		"other error": "correct_and_incorrect", "in place": "state_is_not_changed",
		"panic": "unreadable_state", "open": "unreadable_state",
		"enroll": "malformed_input", "secret": "nothing_secret",
		"shown": "nothing_secret"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKit_FindsEachFault$", "-test.v")
		cmd.Env = append(os.Environ(), "MFATEST_FAULT="+fault)
		out, err := cmd.CombinedOutput()
		if fault == "" {
			require.NoError(t, err, string(out))
			continue
		}
		require.Error(t, err, fault)
		require.Contains(t, string(out), "--- FAIL: TestKit_FindsEachFault/"+rule, fault)
	}
}
