package mfatest_test

import (
	"context"
	"crypto/rand"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// buzzer is a factor that is approved on a device, with one thing wrong with it.
type buzzer struct {
	fault   string
	mu      sync.Mutex
	decided map[string]bool // by request; false: denied
}

func (b *buzzer) Kind() string { return "buzzer" }

func (b *buzzer) Traits() factor.Traits {
	return factor.Traits{Level: factor.LevelStrong, Polled: true}
}

func (b *buzzer) Enroll(context.Context, factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{State: []byte("device")}, nil
}

func (b *buzzer) Issue(_ context.Context, in factor.IssueInput) (*factor.Issue, error) {
	request := rand.Text()
	return &factor.Issue{Keep: []byte(request), Expires: in.Now.Add(time.Minute),
		Payload: secret.New(request)}, nil
}

func (b *buzzer) Deliver(context.Context, factor.Message) error { return nil }

func (b *buzzer) decide(request secret.Text, approved bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := request.Reveal()
	if b.fault == "any request" {
		key = ""
	}
	if _, before := b.decided[key]; !before || b.fault == "last word" {
		b.decided[key] = approved
	}
}

func (b *buzzer) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := string(in.Issued)
	if b.fault == "any request" && len(in.Issued) > 0 {
		key = ""
	}
	approved, decided := b.decided[key]
	switch {
	case len(in.Issued) == 0, !in.Now.Before(in.Expires) && b.fault != "late":
		return nil, factor.ErrExpired
	case !decided && b.fault == "counts polls":
		return nil, factor.ErrIncorrect
	case !decided && b.fault == "approves":
		return nil, nil
	case !decided, !approved && b.fault == "waits after a denial":
		return nil, factor.ErrPending
	case !approved:
		return nil, factor.ErrIncorrect
	}
	return nil, nil
}

// idle is a buzzer that issues nothing.
type idle struct{ b *buzzer }

func (i idle) Kind() string          { return i.b.Kind() }
func (i idle) Traits() factor.Traits { return i.b.Traits() }

func (i idle) Enroll(ctx context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	return i.b.Enroll(ctx, in)
}

func (i idle) Verify(ctx context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	return i.b.Verify(ctx, in)
}

func TestKit_FindsEachFaultOfAPolledFactor(t *testing.T) {
	if fault, ok := os.LookupEnv("MFATEST_FAULT"); ok {
		b := &buzzer{fault: fault, decided: map[string]bool{}}
		kit := mfatest.FactorKit{Factor: b,
			Approve: func(_ *factor.EnrollOutput, is *factor.Issue) { b.decide(is.Payload, true) },
			Deny:    func(_ *factor.EnrollOutput, is *factor.Issue) { b.decide(is.Payload, false) }}
		switch fault {
		case "idle":
			kit.Factor = idle{b}
		case "no device":
			kit.Deny = nil
		}
		kit.Run(t)
		return
	}
	for fault, rule := range map[string]string{"": "", "idle": "", "no device": "",
		"counts polls":         "/undecided",
		"approves":             "/undecided",
		"last word":            "/undecided",
		"any request":          "/undecided",
		"late":                 "/challenges",
		"waits after a denial": "/correct_and_incorrect",
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKit_FindsEachFaultOfAPolledFactor$",
			"-test.v")
		cmd.Env = append(os.Environ(), "MFATEST_FAULT="+fault)
		out, err := cmd.CombinedOutput()
		if fault == "" {
			require.NoError(t, err, string(out))
			continue
		}
		require.Error(t, err, fault)
		require.Contains(t, string(out), "--- FAIL: TestKit_FindsEachFaultOfAPolledFactor"+
			rule, fault)
	}
}
