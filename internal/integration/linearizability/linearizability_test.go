package linearizability_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/secondgate/secondgate/internal/integration/servers"
)

const processes = 4

// deeds is how many each process does.
func deeds() int {
	if os.Getenv("SECONDGATE_LONG") != "" {
		return 10_000
	}
	return 500
}

// engine is a database, and how the processes find one of the test's own.
type engine struct {
	name  string
	start func(testing.TB, ...string) *servers.Server // nil: a file
}

var engines = []engine{
	{"sqlite", nil},
	{"postgresql", servers.PostgreSQL},
	{"mariadb", servers.MariaDB},
	{"redis", servers.Redis},
}

// each runs a test with an address of each engine.
func each(t *testing.T, test func(t *testing.T, address string)) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			if e.start == nil {
				test(t, e.name+" "+filepath.Join(t.TempDir(), "records.db"))
				return
			}
			test(t, e.name+" "+e.start(t).Addr)
		})
	}
}

func TestLinearizable(t *testing.T) {
	each(t, func(t *testing.T, address string) {
		c := newCrowd(t, address)
		c.work(processes, deeds())
		requireOnce(t, c.history)
		requireLinearizable(t, c.history)
		c.tell()
	})
}
