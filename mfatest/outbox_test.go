package mfatest_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfatest"
)

func TestOutbox(t *testing.T) {
	var o mfatest.Outbox[string]
	_, ok := o.Last()
	require.False(t, ok)
	down := errors.New("down")
	o.FailNext(down)
	require.ErrorIs(t, o.Send(t.Context(), "lost"), down)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { _ = o.Send(t.Context(), "x") })
	}
	wg.Wait()
	require.NoError(t, o.Send(t.Context(), "last"))
	last, ok := o.Last()
	require.True(t, ok)
	require.Equal(t, "last", last)
	require.Len(t, o.All(), 21)
}
