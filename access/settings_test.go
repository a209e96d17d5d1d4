package access_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/access"
	"github.com/secondgate/secondgate/mfa/factor"
)

func TestSettings_StateTheConfig(t *testing.T) {
	f, err := access.New(access.Config{MaxTTL: time.Hour})
	require.NoError(t, err)
	require.Equal(t, factor.Settings{Bits: 80, Lifetime: time.Hour}, f.Traits().Settings)
}
