package command_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
)

// manyAtLength returns how many users TestImport_OfManyUsers imports: a million in make test-long,
// and SECONDGATE_USERS where that is set.
func manyAtLength(t *testing.T) int {
	t.Helper()
	if text := os.Getenv("SECONDGATE_USERS"); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err)
		return n
	}
	if os.Getenv("SECONDGATE_LONG") != "" {
		return 1_000_000
	}
	return 2000
}

// mostMemory bounds the memory of an import. A file of a million users has 790 MB.
const mostMemory = 128 << 20

// An import into PostgreSQL is killed after a fifth of the users. The next one is interrupted
// after another fifth. The third has imported every user, none is written twice, and no run
// has taken more memory than one with few users. BenchmarkImport has the rate beside bare inserts.
func TestImport_OfManyUsers(t *testing.T) {
	n := manyAtLength(t)
	dsn := servers.PostgreSQL(t).PostgreSQLDSN()
	o := &operator{t: t, store: dsn, keys: filepath.Join(t.TempDir(), "keys")}
	o.does("init")
	id := "user-"
	if n < 10_000 { // so that fewer lines than a fifth wait in the pipe
		id += strings.Repeat("x", 115)
	}
	args := act("import", "-log", filepath.Join(t.TempDir(), "log"), manyUsers(t, id, n))
	began := time.Now()
	first := o.importUntil(t, n/5, syscall.SIGKILL, args)
	require.Equal(t, n/5, first.imported)
	second := o.importUntil(t, n/5, interruption(), args)
	require.GreaterOrEqual(t, second.skipped, first.imported, "what was imported stays")
	require.Positive(t, second.imported)
	require.Less(t, second.imported+second.skipped, n, "it was interrupted before its end")
	third := o.importUntil(t, n, nil, args)
	require.Equal(t, n, third.imported+third.skipped, "nobody is lost, and nobody fails")
	require.GreaterOrEqual(t, third.skipped, second.skipped+second.imported)
	took := time.Since(began)

	db := openDB(t, "pgx", dsn)
	var rows, updates, others int
	require.NoError(t, db.QueryRow("SELECT count(*), count(*) FILTER (WHERE key NOT LIKE "+
		"'%user-%'::bytea) FROM secondgate_records").Scan(&rows, &others))
	require.Equal(t, n, rows-others)
	require.NoError(t, db.QueryRow("SELECT n_tup_upd + n_tup_del FROM pg_stat_user_tables "+
		"WHERE relname = 'secondgate_records'").Scan(&updates))
	require.LessOrEqual(t, updates, others, "no user is written a second time")
	group := o.json("report", "-json")["groups"].([]any)[0].(map[string]any)
	require.EqualValues(t, n, group["users"])
	for _, kind := range []string{"totp", "recovery"} {
		require.EqualValues(t, n, group["kinds"].(map[string]any)[kind], kind)
	}
	if n >= 10_000 {
		rate := float64(n) / took.Seconds()
		t.Logf("the rate is %.2f of that of bare inserts", rate/bareInserts(t, db, "bare"))
	}
	t.Logf("counted: %d users imported by three runs, %.0f a second, %d MB at most", n,
		float64(n)/took.Seconds(), max(first.memory, second.memory, third.memory)>>20)
}

// lines are what an import printed, and the memory that it took.
type lines struct{ imported, skipped, memory int }

// importUntil runs an import, and sends it a signal when it has imported so many users. Without a
// signal it waits for its end.
func (o *operator) importUntil(
	t *testing.T, users int, signal os.Signal, args []string,
) (l lines) {
	t.Helper()
	read, write, err := os.Pipe()
	require.NoError(t, err)
	defer func() { _ = read.Close() }()
	cmd := o.start(t, write, args...)
	require.NoError(t, write.Close())
	out, sent := bufio.NewScanner(read), false
	for out.Scan() {
		switch text := out.Text(); {
		case strings.Contains(text, "\timported totp, recovery"):
			l.imported++
		case strings.HasSuffix(text, "\tskipped: imported"):
			l.skipped++
		}
		if signal != nil && l.imported == users && !sent {
			sent = true
			require.NoError(t, cmd.Process.Signal(signal))
			if signal == syscall.SIGKILL {
				break
			}
		}
	}
	err = cmd.Wait()
	require.Equal(t, signal == nil, err == nil, fmt.Sprint(err))
	l.memory = int(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) << 10
	require.Less(t, l.memory, mostMemory)
	return l
}
