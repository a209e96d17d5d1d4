package mfatest_test

import (
	"context"
	"fmt"
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
	word := in.Params["word"].Reveal()
	switch {
	case len(word) > 100 && b.fault == "enroll":
		return nil, context.Canceled
	case strings.ContainsRune(word, 0) && b.fault == "quotes a parameter":
		return nil, &factor.Problem{Reason: "word_form", Detail: word + " is no word"}
	}
	out := &factor.EnrollOutput{State: []byte("word:" + in.Params["word"].Reveal())}
	if b.fault == "codes" {
		out.Prompt.Codes = []secret.Text{secret.New("rose")}
	}
	if b.fault == "shown" {
		out.Name = in.Params["word"].Reveal()
	}
	return out, nil
}

func (b *broken) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	word, ok := strings.CutPrefix(string(in.State), "word:")
	switch {
	case b.fault == "quotes the state" && !ok:
		return nil, fmt.Errorf("%w: state %s", factor.ErrIncorrect, string(in.State))
	case b.fault == "quotes the response" && strings.ContainsRune(in.Response.Reveal(), 0):
		return nil, fmt.Errorf("%w: %s", factor.ErrIncorrect, in.Response.Reveal())
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

// implying is a broken factor that implies an instance.
type implying struct{ broken }

func (i *implying) Implied(u factor.User) (state []byte, masked string, err error) {
	address, whole := strings.CutSuffix(u.Email, "\x00")
	switch {
	case address == "" && i.fault == "implied for all":
		return []byte("word:tulip"), "", nil
	case address == "":
		return nil, "", nil
	case i.fault == "implied fails":
		return nil, "", context.Canceled
	case i.fault == "implied is none", whole && i.fault == "implied odd is none":
		return nil, "", nil
	case i.fault == "implied state":
		return []byte(address), "", nil
	case i.fault == "implied shows":
		return []byte("word:tulip"), address, nil
	case whole && i.fault == "implied quotes":
		return nil, "", fmt.Errorf("%w: %s", factor.ErrUndeliverable, address)
	case whole && i.fault == "implied odd fails":
		return nil, "", context.Canceled
	case whole:
		return nil, "", factor.ErrUndeliverable
	}
	return []byte("word:tulip"), "k•••", nil
}

type leak struct{ answer string }

func (l *leak) Error() string { return "wrong answer: " + l.answer }
func (l *leak) Unwrap() error { return factor.ErrIncorrect }

// The kit finds what is wrong with each broken factor, and nothing with the whole one.
func TestKit_FindsEachFault(t *testing.T) {
	if fault, ok := os.LookupEnv("MFATEST_FAULT"); ok {
		f := factor.Factor(&broken{fault: fault})
		if strings.HasPrefix(fault, "implied") {
			f = &implying{broken{fault: fault}}
		}
		mfatest.FactorKit{Factor: f,
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
		"shown":               "nothing_secret",
		"codes":               "prompt",
		"quotes a parameter":  "nothing_secret_in_any_error",
		"quotes the state":    "nothing_secret_in_any_error",
		"quotes the response": "nothing_secret_in_any_error",
		"implied":             "", "implied for all": "implied_instance",
		"implied fails": "implied_instance", "implied is none": "implied_instance",
		"implied odd is none": "implied_instance", "implied state": "implied_instance",
		"implied shows": "implied_instance", "implied quotes": "implied_instance",
		"implied odd fails": "implied_instance"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKit_FindsEachFault$", "-test.v")
		cmd.Env = append(os.Environ(), "MFATEST_FAULT="+fault)
		out, err := cmd.CombinedOutput()
		if rule == "" {
			require.NoError(t, err, string(out))
			continue
		}
		require.Error(t, err, fault)
		require.Contains(t, string(out), "--- FAIL: TestKit_FindsEachFault/"+rule, fault)
	}
}
