package linearizability_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
)

// A history is by so many processes that do so many deeds each; make test-long has more.
const processes, deeds, longDeeds = 4, 300, 500

// enough is how many more histories there are at most, if those had too little in them.
const enough = 20

// rounds is how many histories each kind has.
func rounds() int {
	if os.Getenv("SECONDGATE_LONG") != "" {
		return 10
	}
	return 1
}

func deedsEach() int {
	if os.Getenv("SECONDGATE_LONG") != "" {
		return longDeeds
	}
	return deeds
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

func TestManager_IsLinearizable(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			seen := make(map[string]int)
			decided := 0
			for n := 0; decided < rounds() || len(missing(seen)) > 0; n++ {
				require.Less(t, n, rounds()+enough, "%d decided; the histories have no %q", decided,
					missing(seen))
				c := newCrowd(t, e.address(t))
				c.work(processes, deedsEach())
				requireOnce(t, c.history)
				if requireLinearizable(t, c.history) {
					decided++
					c.report(seen)
				}
			}
		})
	}
}
