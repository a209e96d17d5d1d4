package mfatest_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// letter is a factor that sends a code by post, with one thing wrong with it.
type letter struct{ fault string }

func (l *letter) Kind() string { return "letter" }

func (l *letter) Traits() factor.Traits {
	t := factor.Traits{Level: factor.LevelStrong}
	switch l.fault {
	case "limited without description":
		t.Limited = true
	case "temporary without description":
		t.Temporary = true
	case "unconfirmed":
		t.NoConfirmation = true
	case "last resort":
		t.LastResort = true
	case "administrators' alone":
		t.AdminOnly = true
	}
	return t
}

func (l *letter) Normalize(response string) (string, error) {
	switch {
	case len(response) > 100 && l.fault == "normalize panics":
		return response[:10000], nil
	case len(response) > 100 && l.fault == "normalize fails":
		return "", context.Canceled
	case len(response) > 100:
		return "", factor.ErrMalformed
	}
	return response, nil
}

func (l *letter) Enroll(_ context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	street := in.Params["street"].Reveal()
	out := &factor.EnrollOutput{State: []byte("to " + street), MaskedDestination: "M…"}
	switch l.fault {
	case "whole street":
		out.MaskedDestination = "in " + street
	case "parameters":
		delete(in.Params, "street")
	}
	return out, nil
}

func (l *letter) Issue(_ context.Context, in factor.IssueInput) (*factor.Issue, error) {
	code := rand.Text()
	sum := sha256.Sum256([]byte(code))
	is := &factor.Issue{Keep: sum[:], Expires: in.Now.Add(time.Hour), Payload: secret.New(code)}
	switch l.fault {
	case "one code":
		sum = sha256.Sum256([]byte("tulip"))
		is.Keep, is.Payload = sum[:], secret.New("tulip")
	case "keeps the code":
		is.Keep = append([]byte("code "), code...)
	case "own clock":
		is.Expires = time.Now().Add(50 * 365 * 24 * time.Hour)
	case "issue writes":
		in.State[0]++
	case "over":
		is.Expires = in.Now
	}
	return is, nil
}

func (l *letter) Deliver(context.Context, factor.Message) error { return nil }

func (l *letter) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	if len(in.State) == 0 || len(in.Issued) == 0 && l.fault != "unasked" {
		return nil, factor.ErrIncorrect
	}
	late := !in.Now.Before(in.Expires)
	sum := sha256.Sum256([]byte(in.Response.Reveal()))
	same := bytes.Equal(in.Issued, sum[:]) || l.fault == "keeps the code" &&
		string(in.Issued) == "code "+in.Response.Reveal()
	switch {
	case l.fault == "unasked" && len(in.Issued) == 0, l.fault == "late code" && same:
		return nil, nil
	case l.fault == "any challenge" && len(in.Response.Reveal()) == len(rand.Text()):
		return nil, nil
	case l.fault == "late guess" && late:
		return nil, factor.ErrExpired
	case !same:
		return nil, factor.ErrIncorrect
	case late:
		return nil, factor.ErrExpired
	}
	return nil, nil
}

// card is a factor with a list of codes that work once each, with one thing wrong with it.
type card struct{ fault string }

func (c *card) Kind() string { return "card" }

func (c *card) Traits() factor.Traits {
	if c.fault == "shared" {
		return factor.Traits{Level: factor.LevelStrong, Limited: true, SharedChallenge: true}
	}
	return factor.Traits{Level: factor.LevelStrong, Limited: true, Temporary: true}
}

func (c *card) Enroll(_ context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{State: fmt.Appendf(nil, "card %s %d alpha bravo",
		strings.Repeat("-", 8), in.Now.Unix())}, nil
}

func (c *card) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	rest, ok := strings.CutPrefix(string(in.State), "card ")
	at := " " + in.Response.Reveal()
	if !ok || in.Response.Reveal() != "alpha" && in.Response.Reveal() != "bravo" {
		return nil, factor.ErrIncorrect
	}
	before, after, found := strings.Cut(rest, at)
	switch {
	case c.fault == "same state":
		return &factor.Verdict{}, nil
	case c.fault == "used code":
		return &factor.Verdict{State: in.State}, nil
	case !found:
		return nil, factor.ErrReplayed
	case c.fault == "all used":
		return &factor.Verdict{State: []byte("card " + before)}, nil
	}
	return &factor.Verdict{State: []byte("card " + before + after)}, nil
}

func (c *card) Describe(state []byte) factor.Description {
	words := strings.Fields(string(state))
	d := factor.Description{Ends: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}
	switch {
	case c.fault == "description panics":
		return factor.Description{Remaining: len(words[3:]), Ends: d.Ends}
	case len(words) < 3 || words[0] != "card":
		if c.fault == "unreadable card" {
			return d
		}
		return factor.Description{}
	case c.fault == "description writes":
		state[5] = '+'
	case c.fault == "ended":
		d.Ends = time.Unix(0, 0)
	case c.fault == "run out":
		return d
	}
	d.Remaining = len(words[3:])
	return d
}

// mutantKit is the kit for a faulty letter or card.
func mutantKit(fault string) mfatest.FactorKit {
	if of, ok := strings.CutPrefix(fault, "card: "); ok {
		return mfatest.FactorKit{Factor: &card{of}, Wrong: "zulu!",
			Right: func(*factor.EnrollOutput, *factor.Issue, time.Time) string {
				return "alpha"
			}}
	}
	return mfatest.FactorKit{Factor: &letter{fault}, Wrong: "rose!",
		Params: map[string]secret.Text{"street": secret.New("Main Street 5")}, Right: issued}
}

// Each of these factors has one fault, and the rule that is named for it finds it.
func TestKit_FindsEachFaultOfWhatIsIssuedOrRunsOut(t *testing.T) {
	if fault, ok := os.LookupEnv("MFATEST_FAULT"); ok {
		mutantKit(fault).Run(t)
		return
	}
	for fault, rule := range map[string]string{"": "", "card: ": "",
		"limited without description":   "kind_and_traits",
		"temporary without description": "kind_and_traits",
		"unconfirmed":                   "kind_and_traits",
		"last resort":                   "kind_and_traits",
		"administrators' alone":         "kind_and_traits",
		"card: shared":                  "kind_and_traits",
		"normalize panics":              "malformed_input",
		"normalize fails":               "malformed_input",
		"whole street":                  "masked_destination",
		"parameters":                    "masked_destination",
		"one code":                      "issue",
		"keeps the code":                "issue",
		"own clock":                     "issue",
		"issue writes":                  "issue",
		"over":                          "challenges",
		"unasked":                       "challenges",
		"late code":                     "challenges",
		"late guess":                    "challenges",
		"any challenge":                 "challenges",
		"card: same state":              "used_response",
		"card: used code":               "used_response",
		"card: all used":                "used_response",
		"card: description panics":      "description",
		"card: description writes":      "description",
		"card: unreadable card":         "description",
		"card: ended":                   "description",
		"card: run out":                 "description",
	} {
		cmd := exec.Command(os.Args[0],
			"-test.run=^TestKit_FindsEachFaultOfWhatIsIssuedOrRunsOut$", "-test.v")
		cmd.Env = append(os.Environ(), "MFATEST_FAULT="+fault)
		out, err := cmd.CombinedOutput()
		if rule == "" {
			require.NoError(t, err, string(out))
			continue
		}
		require.Error(t, err, fault)
		require.Regexp(t, "--- FAIL: TestKit_FindsEachFaultOfWhatIsIssuedOrRunsOut/"+rule+" ",
			string(out), fault)
	}
}
