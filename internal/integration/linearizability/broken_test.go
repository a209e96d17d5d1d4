package linearizability_test

import (
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// A proof that cannot fail proves nothing: the same crowd, over stores that break their promise
// one time in thirty, must be refused.
func TestHistory_OfABrokenStoreIsRefused(t *testing.T) {
	for _, fault := range []string{losesUpdates, readsStale, forgets, writesTwice} {
		t.Run(fault, func(t *testing.T) {
			untilRefused(t, func() *crowd {
				c := newCrowd(t, engines[0].address(t))
				c.fault = fault
				c.work(processes, deeds/2)
				return c
			})
		})
	}
}

// untilRefused has crowds work until the checker refuses a history. Chance decides whether a
// fault shows in one.
func untilRefused(t *testing.T, work func() *crowd) {
	t.Helper()
	for range enough {
		began := time.Now()
		result, _ := verdict(work().history, checking())
		t.Logf("%s, after %s", result, time.Since(began).Round(time.Millisecond))
		if result == porcupine.Illegal {
			return
		}
	}
	t.Fatal("no history was refused")
}
