package pin_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/pin"
)

func TestSettings_StateTheConfig(t *testing.T) {
	f, err := pin.New(pin.Config{MinLength: 7})
	require.NoError(t, err)
	require.Equal(t, factor.Settings{MinLength: 7, MaxLength: 64, Digits: true, SlowHash: true},
		f.Traits().Settings)
	f, err = pin.New(pin.Config{MaxLength: 8, AllowLetters: true})
	require.NoError(t, err)
	require.Equal(t, factor.Settings{MinLength: 6, MaxLength: 8, SlowHash: true},
		f.Traits().Settings)
}
