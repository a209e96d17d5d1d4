package mfa

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage/memory"
)

// word is an expensive factor whose right answer is its state.
type word struct{ judged []string }

func (*word) Kind() string { return "word" }
func (*word) Traits() factor.Traits {
	return factor.Traits{Class: factor.ClassKnowledge, Expensive: true}
}
func (*word) Enroll(context.Context, factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{}, nil
}
func (w *word) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	w.judged = append(w.judged, string(in.State))
	if string(in.State) != in.Response {
		return nil, factor.ErrIncorrect
	}
	return nil, nil
}

// An expensive answer that was right for a state that is no longer the state is judged
// again, and is then right or wrong for the new one.
func TestExpensiveAnswerIsJudgedAgain(t *testing.T) {
	for _, c := range []struct {
		states []string // what the record has at each look
		judged []string
		right  bool
	}{
		{[]string{"old", "old"}, []string{"old"}, true},
		{[]string{"old", "new"}, []string{"old", "new"}, false},
		{[]string{"wrong", "old"}, []string{"wrong"}, false},
	} {
		w := &word{}
		keys, err := seal.NewKeyring(seal.GenerateKey())
		require.NoError(t, err)
		m, err := New(Config{Store: memory.New(), Keys: keys, Factors: []factor.Factor{w}})
		require.NoError(t, err)
		looks, accepted := 0, 0
		err = m.respond(t.Context(), &attempt{factor: w, subject: subject{ID: "ann"}, text: "old", now: time.Now(),
			find: func(*record, time.Time) ([]target, error) {
				state := c.states[min(looks, len(c.states)-1)]
				looks++
				return []target{{instance: &instance{ID: "x", Kind: "word", State: []byte(state)}}}, nil
			},
			accept: func(*record, target, *factor.Verdict, time.Time) []Event { accepted++; return nil },
		})
		require.Equal(t, c.judged, w.judged)
		if c.right {
			require.NoError(t, err)
			require.Equal(t, 1, accepted)
		} else {
			require.ErrorIs(t, err, factor.ErrIncorrect)
			require.Zero(t, accepted)
		}
	}
}
