// Package brief shortens go test ./..., which a contributor runs many times a day. make test runs
// everything that is left out.
//
// The race detector compares what goroutines do, and makes a test five to twenty times slower. It
// finds nothing in a test of one goroutine, and little in a hundredth case that is like the first.
package brief

import (
	"os"
	"testing"
)

// Enabled reports whether tests take a sample of cases that are alike, such as languages. make test
// and make test-long take all of them.
func Enabled() bool { return os.Getenv("SECONDGATE_FULL") == "" }

// WithRace reports whether Enabled does, and the race detector is on.
func WithRace() bool { return Enabled() && detector }

// SkipOneGoroutine skips a test that has one goroutine where WithRace reports true.
// internal/testrun TestPlan_SkipsNoTestWithGoroutines refuses it in a test with several.
func SkipOneGoroutine(t testing.TB) {
	t.Helper()
	if WithRace() {
		t.Skip("one goroutine, in which the race detector finds nothing")
	}
}

// SkipPrograms skips a test that builds and starts programs where Enabled reports true.
func SkipPrograms(t testing.TB) {
	t.Helper()
	if Enabled() {
		t.Skip("it starts programs; make test runs it")
	}
}
