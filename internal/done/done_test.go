package done_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/done"
	"github.com/secondgate/secondgate/internal/done/donetest"
)

func TestWith_AddsTheContextsError(t *testing.T) {
	outage := errors.New("i/o timeout")
	live, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	require.Equal(t, outage, done.With(live, outage), "the context is not done")
	require.Equal(t, outage, done.With(t.Context(), outage), "it has no deadline")
	cancel()
	for ctx, want := range map[context.Context]error{live: context.Canceled,
		donetest.Unnoticed(t.Context()): context.DeadlineExceeded} {
		require.NoError(t, done.With(ctx, nil))
		require.ErrorIs(t, done.With(ctx, outage), want)
		require.ErrorIs(t, done.With(ctx, outage), outage)
		has := fmt.Errorf("already: %w", want)
		require.Equal(t, has, done.With(ctx, has), "not twice")
	}
}
