// Package racetest shortens go test -race ./....
//
// The race detector compares what goroutines do, and makes a test five to twenty times slower. It
// finds nothing in a test of one goroutine, and little in a hundredth case that is like the first.
// go test ./... and make test run everything that is left out here.
package racetest

import (
	"os"
	"testing"
)

// Brief reports whether tests take a sample of cases that are alike. They do with the race
// detector, unless make test or make test-long asked for it.
func Brief() bool { return detector && os.Getenv("SECONDGATE_FULL") == "" }

// SkipOneGoroutine skips a test that has one goroutine where Brief reports true.
// internal/testrun TestPlan_SkipsNoTestWithGoroutines refuses it in a test with several.
func SkipOneGoroutine(t testing.TB) {
	t.Helper()
	if Brief() {
		t.Skip("one goroutine, in which the race detector finds nothing")
	}
}
