package servers

import (
	"testing"

	"github.com/secondgate/secondgate/storage"
)

// InTurn returns what opens the stores for the conformance kit. It opens three, as the kit does for
// one rule, and gives them to the rules in turn, as storagetest.Check does. To connect anew for
// each rule took most of the time of the kit on some servers.
func InTurn(open func() storage.Store) func(*testing.T) storage.Store {
	var stores []storage.Store
	given := 0
	return func(*testing.T) storage.Store {
		if len(stores) < 3 {
			stores = append(stores, open())
		}
		given++
		return stores[(given-1)%3]
	}
}
