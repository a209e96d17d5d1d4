package trail_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/trail"
)

// Under load some events come during every write. They are collected for an interval as others
// are, and do not make a batch of their own at once.
func TestRun_CollectsWhatComesDuringAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{}
		p := start(t, trail.Config{Log: log})
		came := 0
		log.breaks(func(call string) error {
			if call == "Append" && came < 50 {
				came++
				time.Sleep(2 * time.Millisecond) // which a write takes
				p.event("during")
			}
			return nil
		}, nil)
		p.event("first")
		time.Sleep(time.Second)
		synctest.Wait()
		require.LessOrEqual(t, len(log.batches), 10)
		require.GreaterOrEqual(t, len(log.batches), 9)
		require.NoError(t, p.Flush(t.Context()))
	})
}

// A backlog is written at once, in whole batches.
func TestRun_WritesABacklogAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{}
		p := start(t, trail.Config{Log: log})
		for i := range 1700 {
			p.event(fmt.Sprint(i))
		}
		time.Sleep(101 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, []int{500, 500, 500, 200}, log.batches)
	})
}

// What comes while Run writes for the last time is written too.
func TestRun_EndsWithEveryEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{}
		p := start(t, trail.Config{Log: log})
		p.event("first")
		synctest.Wait()
		came := 0
		log.breaks(func(call string) error {
			if call == "Append" && came < 3 {
				came++
				p.event("during")
			}
			return nil
		}, nil)
		require.NoError(t, p.end())
		require.Equal(t, []string{"first", "during", "during", "during"}, verified(t, log))
	})
}
