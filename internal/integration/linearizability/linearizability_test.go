package linearizability_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

const processes = 4

// deeds is how many each process does.
func deeds() int {
	if os.Getenv("SECONDGATE_LONG") != "" {
		return 10_000
	}
	return 500
}

func sqlite(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "records.db") }

func TestLinearizable(t *testing.T) {
	for name, open := range map[string]func(testing.TB) string{"sqlite": sqlite} {
		t.Run(name, func(t *testing.T) {
			c := newCrowd(t, open(t), uint64(time.Now().UnixNano()))
			c.work(processes, deeds())
			requireOnce(t, c.history)
			requireLinearizable(t, c.history)
			c.tell()
		})
	}
}
