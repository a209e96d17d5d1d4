package sms_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/sms"
)

func TestSettings_StateTheConfig(t *testing.T) {
	cfg := sms.Config{Sender: &mfatest.Outbox[sms.Message]{}, ServiceName: "Acme",
		Origin: "acme.example", Allow: []string{"+31"}, TTL: 2 * time.Minute}
	f, err := sms.New(cfg)
	require.NoError(t, err)
	s := f.Traits().Settings
	require.InDelta(t, 19.93, s.Bits, 0.01)
	require.Equal(t, 2*time.Minute, s.Lifetime)
	require.True(t, s.Telephone)
	require.False(t, s.Mail)
	require.False(t, s.AsksBefore)

	cfg.Check = func(context.Context, sms.CheckInput) error { return nil }
	f, err = sms.New(cfg)
	require.NoError(t, err)
	require.True(t, f.Traits().Settings.AsksBefore)
}
