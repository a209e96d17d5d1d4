package mfa

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
)

// word is an expensive factor whose correct response is its state. Each verification is followed
// by what meanwhile does.
type word struct {
	verified  []string
	meanwhile func()
}

func (*word) Kind() string { return "word" }
func (*word) Traits() factor.Traits {
	return factor.Traits{Level: factor.LevelWeak, Knowledge: true, Expensive: true}
}
func (*word) Enroll(context.Context, factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{}, nil
}
func (w *word) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	w.verified = append(w.verified, string(in.State))
	defer w.meanwhile()
	if string(in.State) != in.Response.Reveal() {
		return nil, factor.ErrIncorrect
	}
	return nil, nil
}

// An expensive response that was correct for a state that is no longer the state is verified
// again, and is then correct or incorrect for the new one.
func TestRespondExpensive_VerifiesAgainWhenTheStateChanged(t *testing.T) {
	for _, c := range []struct {
		before, meanwhile string
		verified          []string
		correct           bool
	}{
		{"old", "old", []string{"old"}, true},
		{"old", "new", []string{"old", "new"}, false},
		{"wrong", "old", []string{"wrong"}, false},
	} {
		w := &word{}
		keys, err := seal.NewKeyring(seal.GenerateKey())
		require.NoError(t, err)
		m, err := New(Config{Store: memory.New(), Keys: keys, Factors: []factor.Factor{w}})
		require.NoError(t, err)
		ann := User{ID: "ann"}
		become := func(state string) {
			_, err := update(t.Context(), m, ann.compact(), m.now(),
				func(r *record.Record) (struct{}, bool, error) {
					r.Factors = []record.Instance{{ID: "x", Kind: "word", State: []byte(state)}}
					return struct{}{}, true, nil
				})
			require.NoError(t, err)
		}
		become(c.before)
		w.meanwhile = func() { become(c.meanwhile) }
		s := m.Session(ann, "session")
		ch, err := s.Begin(t.Context())
		require.NoError(t, err)
		v, err := s.Verify(t.Context(), ch, "word", secret.New("old"))
		require.Equal(t, c.verified, w.verified)
		if c.correct {
			require.NoError(t, err)
			require.Equal(t, "x", v.FactorID)
			continue
		}
		require.ErrorIs(t, err, factor.ErrIncorrect)
		require.Nil(t, v)
	}
}
