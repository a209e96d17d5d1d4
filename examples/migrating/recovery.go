package migrating

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"github.com/secondgate/secondgate/mfa/factor"
)

// kind is the kind of RecoveryCodes.
const kind = "old-recovery"

// maxCodes limits a set. Each code costs one bcrypt comparison for an incorrect response.
const maxCodes = 10

// RecoveryCodes is a factor for recovery codes of which there are bcrypt hashes alone. Package
// recovery keeps another hash, which nothing can compute from those. Each code is valid once.
type RecoveryCodes struct{}

var (
	_ factor.Factor     = RecoveryCodes{}
	_ factor.Normalizer = RecoveryCodes{}
	_ factor.Describer  = RecoveryCodes{}
)

// Kind returns "old-recovery".
func (RecoveryCodes) Kind() string { return kind }

// Traits says that only the import makes a set, and that a response costs much to verify. The
// codes of authboss are ten letters and digits of 35.
func (RecoveryCodes) Traits() factor.Traits {
	return factor.Traits{Recovery: true, OnePerUser: true, NoConfirmation: true, AdminOnly: true,
		Limited: true, Expensive: true, Settings: factor.Settings{Bits: 51, SlowHash: true}}
}

// Enroll takes the parameter "hashes": bcrypt hashes, separated by commas.
func (RecoveryCodes) Enroll(
	_ context.Context, in factor.EnrollInput,
) (*factor.EnrollOutput, error) {
	state := []byte(in.Params["hashes"].Reveal())
	if _, err := hashes(state); err != nil {
		return nil, fmt.Errorf("%w: %w", factor.ErrMalformed, err)
	}
	return &factor.EnrollOutput{State: state, Name: "Recovery codes"}, nil
}

// hashes reads a state.
func hashes(state []byte) ([]string, error) {
	list := strings.Split(string(state), ",")
	if len(list) > maxCodes {
		return nil, errors.New("too many recovery codes")
	}
	for _, hash := range list {
		// A higher cost would keep the server busy for seconds.
		if cost, err := bcrypt.Cost([]byte(hash)); err != nil || cost > 12 {
			return nil, errors.New("not a bcrypt hash, or one of a cost above 12")
		}
	}
	return list, nil
}

// Normalize reads a code as users type it.
func (RecoveryCodes) Normalize(response string) (string, error) {
	code := strings.ToLower(strings.Join(strings.Fields(response), ""))
	code = strings.ReplaceAll(code, "-", "")
	if len(code) != 10 || strings.Trim(code, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return "", factor.ErrMalformed
	}
	return code[:5] + "-" + code[5:], nil
}

// Verify accepts a code of the set, and takes it out.
func (RecoveryCodes) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	list, err := hashes(in.State)
	if err != nil {
		return nil, err
	}
	for i, hash := range list {
		if bcrypt.CompareHashAndPassword([]byte(hash), []byte(in.Response.Reveal())) == nil {
			rest := strings.Join(append(list[:i:i], list[i+1:]...), ",")
			return &factor.Verdict{State: []byte(rest), Ended: rest == ""}, nil
		}
	}
	return nil, factor.ErrIncorrect
}

// Describe returns how many codes remain.
func (RecoveryCodes) Describe(state []byte) factor.Description {
	list, err := hashes(state)
	if err != nil {
		return factor.Description{}
	}
	return factor.Description{Remaining: len(list)}
}
