package customfactor_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pquerna/otp/hotp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/examples/customfactor"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
)

const (
	serial = "SN-000042"
	seed   = "12345678901234567890"             // from RFC 4226 appendix D
	base32 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" // the same in base 32
)

// tokens looks a serial number up in the organisation's list.
func tokens(_ context.Context, number string) ([]byte, error) {
	switch number {
	case serial:
		return []byte(seed), nil
	case "SN-BROKEN":
		return nil, errors.New("the list cannot be read")
	case "SN-SHORT":
		return []byte("short"), nil
	}
	return nil, customfactor.ErrUnknownToken
}

// press returns what the token shows after its button was pressed n times.
func press(t *testing.T, n uint64) string {
	t.Helper()
	code, err := hotp.GenerateCode(base32, n)
	require.NoError(t, err)
	return code
}

func newFactor(t *testing.T) *customfactor.Factor {
	t.Helper()
	f, err := customfactor.New(customfactor.Config{Seed: tokens})
	require.NoError(t, err)
	return f
}

func TestFactor_Conforms(t *testing.T) {
	mfatest.FactorKit{
		Factor: newFactor(t),
		Params: map[string]secret.Text{"serial": secret.New(serial)},
		Right: func(*factor.EnrollOutput, *factor.Issue, time.Time) string {
			return press(t, 0)
		},
		Wrong: "000000",
	}.Run(t)
}

// Verify accepts the values of RFC 4226 appendix D in their order, each once.
func TestFactorVerify_AcceptsTheVectorsOfTheRFC(t *testing.T) {
	f := newFactor(t)
	state := enrolled(t, f)
	for _, code := range []string{"755224", "287082", "359152", "969429", "338314",
		"254676", "287922", "162583", "399871", "520489"} {
		v, err := f.Verify(t.Context(), factor.VerifyInput{State: state,
			Response: secret.New(code)})
		require.NoError(t, err, code)
		_, err = f.Verify(t.Context(), factor.VerifyInput{State: v.State,
			Response: secret.New(code)})
		require.ErrorIs(t, err, factor.ErrReplayed, code)
		state = v.State
	}
}

func TestFactorVerify_LooksAheadAndNeverBack(t *testing.T) {
	f := newFactor(t)
	state := enrolled(t, f)
	verify := func(state []byte, n uint64) ([]byte, error) {
		v, err := f.Verify(t.Context(), factor.VerifyInput{State: state,
			Response: secret.New(press(t, n))})
		if err != nil {
			return nil, err
		}
		return v.State, nil
	}
	_, err := verify(state, 6)
	require.ErrorIs(t, err, factor.ErrIncorrect, "six unused codes")
	state, err = verify(state, 5)
	require.NoError(t, err, "five unused codes")
	for n := range uint64(5) {
		_, err := verify(state, n)
		require.ErrorIs(t, err, factor.ErrIncorrect, "code %d, which the token has passed", n)
	}
	_, err = verify(state, 11)
	require.NoError(t, err, "the window moved with the counter")
}

func enrolled(t *testing.T, f *customfactor.Factor) []byte {
	t.Helper()
	out, err := f.Enroll(t.Context(), factor.EnrollInput{
		Params: map[string]secret.Text{"serial": secret.New(serial)}})
	require.NoError(t, err)
	require.Equal(t, "•••042", out.MaskedDestination)
	return out.State
}

func TestFactorEnroll_RefusesWithAReason(t *testing.T) {
	f := newFactor(t)
	existing := []factor.EnrollOutput{{State: enrolled(t, f)}}
	for number, reason := range map[string]string{
		"":          "token_serial",
		"SN-999999": "token_unknown",
		serial:      "token_exists",
	} {
		_, err := f.Enroll(t.Context(), factor.EnrollInput{
			Params: map[string]secret.Text{"serial": secret.New(number)}, Existing: existing})
		problem, ok := errors.AsType[*factor.Problem](err)
		require.True(t, ok, "%q: %v", number, err)
		require.Equal(t, reason, problem.Reason)
	}
	// A fault of the list is not a malformed request.
	for _, number := range []string{"SN-BROKEN", "SN-SHORT"} {
		_, err := f.Enroll(t.Context(), factor.EnrollInput{
			Params: map[string]secret.Text{"serial": secret.New(number)}})
		require.Error(t, err)
		require.NotErrorIs(t, err, factor.ErrMalformed)
	}
}

func TestNew_RefusesWhatIsNotSafe(t *testing.T) {
	for _, cfg := range []customfactor.Config{
		{}, {Seed: tokens, LookAhead: -1}, {Seed: tokens, LookAhead: 21},
	} {
		_, err := customfactor.New(cfg)
		require.Error(t, err)
	}
}

// The Manager refuses replays and malformed responses for this factor as for any other.
func TestFactor_SignsIn(t *testing.T) {
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	m, err := mfa.New(mfa.Config{
		Store: memory.New(), Keys: keys, Factors: []factor.Factor{newFactor(t)},
	})
	require.NoError(t, err)
	ctx, ann, session := t.Context(), mfa.User{ID: "42"}, "session"
	begun, err := m.Session(ann, session).Begin(ctx)
	require.NoError(t, err)
	e, err := m.Session(ann, session).Enroll(ctx, begun.Grant, mfa.EnrollRequest{Kind: "token",
		Params: map[string]secret.Text{"serial": secret.New(serial)}})
	require.NoError(t, err)
	_, err = m.Session(ann, session).Confirm(ctx, e, secret.New(press(t, 0)))
	require.NoError(t, err)

	begun, err = m.Session(ann, session).Begin(ctx)
	require.NoError(t, err)
	respond := func(code string) error {
		_, err := m.Session(ann, session).Verify(ctx, begun, "token", secret.New(code))
		return err
	}
	require.ErrorIs(t, respond(press(t, 0)), factor.ErrReplayed)
	require.ErrorIs(t, respond("123"), factor.ErrMalformed)
	require.NoError(t, respond(press(t, 3)))
}
