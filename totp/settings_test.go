package totp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/totp"
)

// The lifetime stated is the longest that a code is accepted, whatever the Config.
func TestSettings_StateTheLongestLifetime(t *testing.T) {
	for _, tc := range []struct {
		cfg      totp.Config
		bits     float64
		lifetime time.Duration
	}{
		{totp.Config{}, 19.93, 90 * time.Second},
		{totp.Config{Strict: true}, 19.93, 30 * time.Second},
		{totp.Config{Strict: true, EntryGrace: time.Minute}, 19.93, 90 * time.Second},
		{totp.Config{Digits: 8, Period: time.Minute}, 26.57, 3 * time.Minute},
	} {
		tc.cfg.Issuer = "Acme"
		f, err := totp.New(tc.cfg)
		require.NoError(t, err)
		s := f.Traits().Settings
		require.InDelta(t, tc.bits, s.Bits, 0.01)
		require.Equal(t, tc.lifetime, s.Lifetime)
		require.Equal(t, max(30*time.Second, tc.cfg.Period), s.Step)
	}
}
