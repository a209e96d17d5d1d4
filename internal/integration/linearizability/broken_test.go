package linearizability_test

import (
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"
)

// A proof that cannot fail proves nothing: the same crowd, over stores that break their promise
// one time in thirty, must be refused.
func TestBrokenStoreIsRefused(t *testing.T) {
	for _, fault := range []string{losesUpdates, readsStale, forgets, writesTwice} {
		t.Run(fault, func(t *testing.T) {
			c := newCrowd(t, engines[0].address(t))
			c.fault = fault
			c.work(processes, deeds/2)
			began := time.Now()
			result, _ := verdict(c.history, checking)
			t.Logf("%s, in %s", result, time.Since(began).Round(time.Millisecond))
			require.Equal(t, porcupine.Illegal, result)
		})
	}
}
