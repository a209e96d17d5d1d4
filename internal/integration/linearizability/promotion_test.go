package linearizability_test

import (
	"os"
	"testing"

	"github.com/secondgate/secondgate/internal/integration/servers"
)

// promote has a crowd work on a primary of PostgreSQL that is cut off from its standby and killed.
// The standby is promoted, and the crowd goes on there. isolated is called while the primary is cut
// off and nobody knows.
func promote(t *testing.T, isolated func(c *crowd), options ...string) *crowd {
	t.Helper()
	primary := servers.PostgreSQL(t, options...)
	between := servers.NewProxy(t, primary.Addr)
	standby := servers.PostgreSQLStandby(t, between.Addr)
	c := newCrowd(t, "postgresql "+primary.Addr+","+standby.Addr)
	c.patience = patienceInTrouble
	c.during(func() {
		between.Hang(true)
		isolated(c)
		primary.Kill()
		between.Cut() // what was on its way is lost
		standby.Promote()
		c.await(100)
	})
	return c
}

// With a synchronous standby a promotion loses no acknowledged change: nothing is accepted twice,
// and every limit is exact. It is for make test-long; internal/integration/databases promotes a
// standby in make test.
func TestManager_IsLinearizableThroughAPromotion(t *testing.T) {
	if os.Getenv("SECONDGATE_LONG") == "" {
		return
	}
	untilSeen(t, []string{unknown}, func() *crowd {
		return promote(t, func(*crowd) { moment() },
			"-c", "synchronous_standby_names=ANY 1 (standby)")
	})
}

// Without one, the changes of a primary that was cut off are lost, and the history says so.
func TestHistory_OfAnAsynchronousStandbyIsRefused(t *testing.T) {
	if os.Getenv("SECONDGATE_LONG") == "" {
		return
	}
	untilRefused(t, func() *crowd {
		return promote(t, func(c *crowd) { c.await(100) })
	})
}
