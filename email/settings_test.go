package email_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfatest"
)

func TestSettings_StateTheConfig(t *testing.T) {
	f, err := email.New(email.Config{Sender: &mfatest.Outbox[email.Message]{}, ServiceName: "Acme",
		TTL: 2 * time.Minute, Digits: 8})
	require.NoError(t, err)
	s := f.Traits().Settings
	require.InDelta(t, 26.57, s.Bits, 0.01)
	require.Equal(t, 2*time.Minute, s.Lifetime)
	require.True(t, s.Mail)
	require.False(t, s.Telephone)
}
