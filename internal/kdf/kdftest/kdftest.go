// Package kdftest makes argon2id cheap in tests that are not about its cost.
//
// Only tests import it, which a test in internal/structure asserts. It sets a variable that
// package kdf does not export, so that no program and no configuration can hash cheaply.
package kdftest

import (
	_ "unsafe" // for linkname

	"github.com/secondgate/secondgate/internal/kdf"
)

//go:linkname defaultParams github.com/secondgate/secondgate/internal/kdf.defaultParams
var defaultParams kdf.Params

// Cheap makes the parameters cheap that a Hasher has by default, for each Hasher that is made
// until restore is called. Parameters that a test asks for by number keep their cost. A package
// whose tests are all about other things never calls restore:
//
//	var _ = kdftest.Cheap()
//
// No other test of the same binary may make a Hasher meanwhile.
func Cheap() (restore func()) {
	before := defaultParams
	defaultParams = kdf.Params{Memory: 64, Time: 1, Threads: 1}
	return func() { defaultParams = before }
}
