package linearizability_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/secondgate/secondgate/internal/integration/servers"
)

// A history is by so many processes that do so many deeds each.
const processes, deeds = 4, 500

// rounds is how many histories there are of each kind.
func rounds() int {
	if os.Getenv("SECONDGATE_LONG") != "" {
		return 10
	}
	return 1
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

func (e engine) address(t testing.TB) string {
	t.Helper()
	if e.start == nil {
		return e.name + " " + filepath.Join(t.TempDir(), "records.db")
	}
	return e.name + " " + e.start(t).Addr
}

func TestLinearizable(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			for range rounds() {
				c := newCrowd(t, e.address(t))
				c.work(processes, deeds)
				requireOnce(t, c.history)
				requireLinearizable(t, c.history)
				c.report()
			}
		})
	}
}
