package main

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

// interrupting is a store during whose writes an operator interrupts.
type interrupting struct {
	*memory.Store
	writes    int // until then
	interrupt func()
}

func (s *interrupting) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	err := s.Store.Swap(ctx, key, old, next)
	if s.writes--; s.writes == 0 {
		s.interrupt()
	}
	return err
}

// A check that is interrupted deletes the record that it measures with.
func TestCheck_LeavesNothingAfterAnInterrupt(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	s := &interrupting{memory.New(), 3, interrupt}
	_, err := checkLatency(ctx, &call{opened: opened{Store: s}, messages: &strings.Builder{}})
	require.ErrorIs(t, err, context.Canceled)
	left, _, err := s.List(t.Context(), "", "", 10)
	require.NoError(t, err)
	require.Empty(t, left)
}

// What a check or a load test left that was killed is sealed with no key of the application, and no
// key is missing for it. An operator deletes it.
func TestCheck_CleansWhatAKilledOneLeft(t *testing.T) {
	d := newDesk(t)
	d.imports("ann")
	s, err := openStore(t.Context(), "sqlite:"+d.at("acme.db"), toWrite)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.close()) }()
	put(t, s, anyScratch+"CHECK/race")
	put(t, s, scratchPrefix+"LOAD/p/0//loadtest-1")
	out, messages, code := d.run("keys", "list")
	require.Zero(t, code, messages)
	require.NotContains(t, out, "missing")

	_, messages, code = d.run("check", "-clean", "-replica")
	require.Equal(t, exitUsage, code, messages)
	out, messages, code = d.run("loadtest", "-clean")
	require.Zero(t, code, messages)
	require.Equal(t, "1 scratch records deleted.\n", out)
	out, messages, code = d.run("check", "-clean", "-json")
	require.Zero(t, code, messages)
	require.JSONEq(t, `{"deleted":1}`, out)
	_, messages, code = d.run("status", "ann")
	require.Zero(t, code, messages)
}
