package mfa_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
)

// What UnmarshalText would refuse as too long is an error at MarshalText, where the application
// can still do something about it; all that MarshalText gives can be restored.
func TestKept_TooLongIsAnErrorWhenItIsStored(t *testing.T) {
	r := newRig(t)
	i := r.issued()
	s := r.Session(ann, binding)
	fits, tooLong := 0, 0
	for n := 5000; n < 7000; n++ {
		i.challenge.Prompt.Data, i.enrollment.Prompt.Data = make([]byte, n), make([]byte, n)
		for kind, text := range map[string]func() ([]byte, error){
			"challenge": i.challenge.MarshalText, "enrolment": i.enrollment.MarshalText,
		} {
			data, err := text()
			if err != nil {
				tooLong++
				require.ErrorContains(t, err, "8192")
				require.Empty(t, data)
				continue
			}
			fits++
			require.LessOrEqual(t, len(data), 8192)
			if kind == "challenge" {
				ch := new(mfa.Challenge)
				require.NoError(t, ch.UnmarshalText(data))
				require.NoError(t, s.RestoreChallenge(ch))
				require.Len(t, ch.Prompt.Data, n)
				continue
			}
			e := new(mfa.Enrollment)
			require.NoError(t, e.UnmarshalText(data))
			require.NoError(t, s.RestoreEnrollment(e))
			require.Len(t, e.Prompt.Data, n)
		}
	}
	require.NotZero(t, fits)
	require.NotZero(t, tooLong)
	for _, coding := range codings {
		_, err := encode(coding, *i.challenge)
		require.Error(t, err, coding)
	}
}
