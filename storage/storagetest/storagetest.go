// Package storagetest tests whether a store keeps the promises of [storage.Store], on which
// everything else rests: a code works once, every failed attempt counts, a lock holds.
//
// The whole test of an adapter is
//
//	func TestStore_Conforms(t *testing.T) {
//		storagetest.Run(t, func(t *testing.T) storage.Store { return mystore.Open(t, dsn) })
//	}
//
// There is one subtest per rule, none of them optional, and a failure says what it would let
// an attacker do. Run it under the race detector, and against the real database: what a
// database does when two writers meet is the thing being tested.
//
// What no kit can see from inside one process is durability. A test of it kills a process
// under load and looks for every write that was acknowledged.
package storagetest

import (
	"testing"

	"github.com/secondgate/secondgate/storage"
)

// Run tests the store that open returns.
//
// Run calls open up to three times for a rule. Each time it returns a Store on one and the same
// database, as another process would open it, with a connection of its own where that is
// possible; a store that lives in one process's memory returns the one value it has. Clean-up
// belongs in t.Cleanup. The database need not be empty: keys are random, and begin with
// "storagetest/". Up to 32 calls are made of a store at once, on each of two stores; a rule with an
// error in it, such as a connection refused, is a rule broken.
//
// A store that implements [storage.Lister] or [storage.BatchSwapper] is tested for that as well.
func Run(t *testing.T, open func(t *testing.T) storage.Store) {
	t.Helper()
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			err := r.check(t.Context(), &subject{openStore: func() storage.Store {
				return open(t)
			}})
			if err != nil {
				t.Errorf("%v\n\nWhy it matters: %s", err, r.why)
			}
		})
	}
}
