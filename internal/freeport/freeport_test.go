package freeport

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// A port that was merely free a moment ago went to a client or to a listener of another test before
// the program of this one listened there.
func TestReserve_GivesAPortToNoOtherTest(t *testing.T) {
	ports := make(map[int]bool)
	t.Run("while it runs", func(t *testing.T) {
		for range 300 {
			port := Reserve(t)
			require.False(t, ports[port], "%d twice", port)
			ports[port] = true
			require.Less(t, port, 32768, "systems give it to others")
			_, free := take(port)
			require.False(t, free, "another process can reserve it")
		}
		for port := range ports {
			l, err := listen(port)
			require.NoError(t, err, "the program cannot listen")
			t.Cleanup(func() { _ = l.Close() })
		}
	})
	released := false
	for port := range ports {
		mark, free := take(port)
		if free {
			require.NoError(t, mark.Close())
		}
		released = released || free
	}
	require.True(t, released, "they stay reserved")
}

// A program listens at a port that it has not reserved.
func TestReserve_LeavesOutPortsInUse(t *testing.T) {
	l, err := listen(0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	_, free := take(l.Addr().(*net.TCPAddr).Port)
	require.False(t, free)
}
