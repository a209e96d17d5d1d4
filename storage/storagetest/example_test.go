package storagetest_test

import (
	"testing"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/storage/storagetest"
)

// The whole test of an adapter: replace memory by your own.
func ExampleRun() {
	_ = func(t *testing.T) {
		store := memory.New()
		storagetest.Run(t, func(t *testing.T) storage.Store { return store })
	}
	// Output:
}

func TestRun_PassesASoundStore(t *testing.T) {
	store := memory.New()
	storagetest.Run(t, func(t *testing.T) storage.Store { return store })
}
