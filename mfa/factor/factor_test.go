package factor_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

func TestDoorWord_Conforms(t *testing.T) {
	mfatest.FactorKit{
		Factor: doorWord{today: func() string { return "tulip" }},
		Right:  func(*factor.EnrollOutput, *factor.Issue, time.Time) string { return "tulip" },
		Wrong:  "rose",
	}.Run(t)
}

func TestPager_Conforms(t *testing.T) {
	mfatest.FactorKit{
		Factor: pager{send: func(string, string) error { return nil }},
		Params: map[string]secret.Text{"number": secret.New("55501234")},
		Right: func(_ *factor.EnrollOutput, is *factor.Issue, _ time.Time) string {
			return is.Payload.Reveal()
		},
		Wrong: "no code",
	}.Run(t)
}

// Callers branch on these errors, so none may match another.
func TestErrors_AreDistinct(t *testing.T) {
	all := []error{factor.ErrIncorrect, factor.ErrExpired, factor.ErrReplayed, factor.ErrMalformed,
		factor.ErrUndeliverable}
	for i, a := range all {
		for j, b := range all {
			require.Equal(t, i == j, errors.Is(a, b), "%v is %v", a, b)
		}
	}
}

func TestProblem_IsMalformedAndNothingElse(t *testing.T) {
	var err error = &factor.Problem{Reason: "pin_too_short", Detail: "a PIN has 6 digits"}
	err = fmt.Errorf("enrolling: %w", err)
	require.ErrorIs(t, err, factor.ErrMalformed)
	for _, other := range []error{factor.ErrIncorrect, factor.ErrExpired, factor.ErrReplayed,
		factor.ErrUndeliverable} {
		require.NotErrorIs(t, err, other)
	}
	var p *factor.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, "pin_too_short", p.Reason)
	require.EqualError(t, p, "factor: a PIN has 6 digits")
}

// Records and tokens hold the numbers of levels: none may get another meaning, and zero ranks
// below every level.
func TestLevel_KeepsItsNumbersAndItsOrder(t *testing.T) {
	require.EqualValues(t, 1, factor.LevelWeak)
	require.EqualValues(t, 2, factor.LevelStrong)
	require.EqualValues(t, 3, factor.LevelPhishingResistant)
	require.Zero(t, factor.Traits{Recovery: true}.Level)
	require.Less(t, factor.Traits{}.Level, factor.LevelWeak)
}

// The zero Description describes an instance that no user can respond with: it has ended, and
// no response remains.
func TestDescription_ZeroPermitsNothing(t *testing.T) {
	var d factor.Description
	require.False(t, d.Ends.After(time.Unix(0, 0)))
	require.Zero(t, d.Remaining)
	require.Nil(t, d.Questions)
	require.Nil(t, d.Public)
}

// A zero Verdict changes nothing and proves no user.
func TestVerdict_ZeroChangesNothing(t *testing.T) {
	require.Equal(t, factor.Verdict{State: nil, Ended: false, UserVerified: false, Cloned: false},
		factor.Verdict{})
}

// Kits and Managers compare the traits of two calls.
func TestTraits_AreComparable(t *testing.T) {
	require.True(t, reflect.TypeFor[factor.Traits]().Comparable())
}

// Whatever an author or an application logs of what Enroll and Issue exchange, and of a message,
// shows no secret.
func TestValues_PrintNoSecret(t *testing.T) {
	const text = "hush-8172635"
	n := 0
	for _, v := range []any{&factor.Prompt{}, &factor.EnrollInput{}, &factor.EnrollOutput{},
		&factor.Issue{}, &factor.Message{}} {
		n += fill(reflect.ValueOf(v).Elem(), secret.New(text))
		elem := reflect.ValueOf(v).Elem().Interface()
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			require.NotContains(t, fmt.Sprintf(verb, v), text)
			require.NotContains(t, fmt.Sprintf(verb, elem), text)
			require.NotContains(t, fmt.Sprintf(verb, elem), fmt.Sprintf("%x", text))
		}
		b, err := json.Marshal(v)
		require.NoError(t, err)
		require.NotContains(t, string(b), text)
	}
	require.Equal(t, 14, n, "each secret of the five types, and of the prompts within two")
}

// fill sets every secret within v, and returns how many there are.
func fill(v reflect.Value, s secret.Text) (n int) {
	switch v.Interface().(type) {
	case secret.Text:
		v.Set(reflect.ValueOf(s))
		return 1
	case []secret.Text:
		v.Set(reflect.ValueOf([]secret.Text{s}))
		return 1
	case map[string]secret.Text:
		v.Set(reflect.ValueOf(map[string]secret.Text{"pin": s}))
		return 1
	case time.Time:
		return 0
	}
	if v.Kind() == reflect.Struct {
		for i := range v.NumField() {
			n += fill(v.Field(i), s)
		}
	}
	return n
}
