package mfatest_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/secondgate/secondgate/mfatest"
)

func ExampleClock() {
	clock := mfatest.NewClock(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC))
	fmt.Println(clock.Now())
	clock.Advance(90 * time.Second)
	fmt.Println(clock.Now())
	clock.Advance(-time.Hour)
	fmt.Println(clock.Now())
	// Output:
	// 2030-01-02 03:04:05 +0000 UTC
	// 2030-01-02 03:05:35 +0000 UTC
	// 2030-01-02 02:05:35 +0000 UTC
}

// Times that are equal must be equal to ==, reflect and JSON, as those read from a record are.
func TestClock_GivesTheStoredForm(t *testing.T) {
	start := time.Now().In(time.FixedZone("elsewhere", 3600))
	clock := mfatest.NewClock(start)
	if got := clock.Now(); got != start.Round(0).UTC() || got.Location() != time.UTC {
		t.Errorf("Now is %#v", got)
	}
	clock.Set(start.Add(time.Minute))
	if got := clock.Now(); got != start.Round(0).UTC().Add(time.Minute) {
		t.Errorf("after Set, Now is %#v", got)
	}
}

func TestClock_InParallel(t *testing.T) {
	start := time.Unix(0, 0)
	clock := mfatest.NewClock(start)
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			clock.Advance(time.Second)
			clock.Now()
		})
	}
	wg.Wait()
	if got := clock.Now().Sub(start); got != 64*time.Second {
		t.Errorf("64 advances of a second made %v", got)
	}
}
