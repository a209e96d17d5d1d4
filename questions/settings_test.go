package questions_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/questions"
)

func TestSettings_StateTheConfig(t *testing.T) {
	f, err := questions.New(questions.Config{MinAnswer: 5})
	require.NoError(t, err)
	require.Equal(t, factor.Settings{MinLength: 5, SlowHash: true, PersonalFacts: true},
		f.Traits().Settings)
}
