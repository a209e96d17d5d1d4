package recovery_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/recovery"
)

func TestSettings_StateTheConfig(t *testing.T) {
	for bits, whole := range map[int]float64{0: 80, 101: 120, 160: 160} {
		f, err := recovery.New(recovery.Config{Bits: bits})
		require.NoError(t, err)
		require.Equal(t, factor.Settings{Bits: whole}, f.Traits().Settings)
	}
}
