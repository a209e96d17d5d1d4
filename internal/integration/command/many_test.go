package command_test

import (
	"bufio"
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	oldtotp "github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
)

// manyUsers writes a file of users with an app and eight hashed recovery codes each.
func manyUsers(t testing.TB, prefix string, n int) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "users.json")
	f, err := os.Create(path)
	require.NoError(t, err)
	w := bufio.NewWriter(f)
	hashes := strings.Repeat(strings.Repeat("0f", 32)+`\n`, 8)
	for i := range n {
		fmt.Fprintf(w, `{"id": "%s%d", "factors": [{"kind": "totp", "params": {"secret": "%s"}}, `+
			`{"kind": "recovery", "params": {"hashes": "%s", "form": "xxxxx-xxxxx"}}]}`+"\n",
			prefix, i, key, hashes)
	}
	require.NoError(t, w.Flush())
	require.NoError(t, f.Close())
	return path
}

// start runs the program without waiting for it.
func (o *operator) start(t testing.TB, out *os.File, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = o.environment()
	cmd.Stdout = out
	require.NoError(t, cmd.Start())
	return cmd
}

// An import that is killed and run again has imported every user once: nobody is lost, nobody
// fails, and what a user has done in between stays. The first run is killed before its end: the
// lines of all users, with IDs as long as these, do not fit into the pipe.
func TestCommand_GoesOnWithAKilledImport(t *testing.T) {
	engines(t, func(t *testing.T, o *operator) {
		const n, seen = 800, 100
		first := strings.Repeat("u", 120)
		file, log := manyUsers(t, first, n), filepath.Join(t.TempDir(), "log")
		audit := o.auditedBy(t, filepath.Join(t.TempDir(), "trail.jsonl"))
		args := act("import", "-log", log, file)
		read, write, err := os.Pipe()
		require.NoError(t, err)
		cmd := o.start(t, write, args...)
		require.NoError(t, write.Close())
		lines := bufio.NewScanner(read)
		for range seen {
			require.True(t, lines.Scan())
		}
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
		code, err := oldtotp.GenerateCode(key, time.Now())
		require.NoError(t, err)
		require.NoError(t, o.verify(first+"0", "totp", code))

		again := o.does(args...)
		imported := strings.Count(again.out, "\timported totp, recovery")
		skipped := strings.Count(again.out, "\tskipped: imported\n")
		require.Equal(t, n, imported+skipped)
		require.GreaterOrEqual(t, skipped, seen)
		require.Positive(t, imported, "the first run was killed before its end")
		group := o.json("report", "-json")["groups"].([]any)[0].(map[string]any)
		require.EqualValues(t, n, group["kinds"].(map[string]any)["totp"])
		require.Error(t, o.verify(first+"0", "totp", code), "a used code stays used")
		require.Len(t, importedOnce(t, log, `"msg":"admin.import"`), n)
		require.Len(t, importedOnce(t, audit.where, `"event":"admin.import"`), n)
		require.Zero(t, audit.verify().code)
	})
}

// importedOnce returns the users whose import a file of events has, in each of which the killed run
// and the next one have written. Each user was imported by one of them. What the audit trail lost
// of the first, the second keeps there, and in the log after the line that the first wrote.
func importedOnce(t *testing.T, file, event string) (users map[string]bool) {
	t.Helper()
	events, err := os.ReadFile(file)
	require.NoError(t, err)
	users = make(map[string]bool)
	named := regexp.MustCompile(`"user":"([^"]+)"`)
	for line := range strings.Lines(string(events)) {
		if !strings.Contains(line, event) {
			continue
		}
		user := named.FindStringSubmatch(line)[1]
		inBoth := strings.Contains(event, "msg") && strings.Contains(line, "found-later")
		require.True(t, inBoth || !users[user], "%s is there twice", user)
		users[user] = true
	}
	return users
}

// BenchmarkImport imports b.N users by the program on PostgreSQL. The ratio is to bare inserts of
// rows of the same size by as many connections. Try it with -benchtime 200000x.
func BenchmarkImport(b *testing.B) {
	dsn := servers.PostgreSQL(b).PostgreSQLDSN()
	o := &operator{store: dsn, keys: filepath.Join(b.TempDir(), "keys")}
	require.NoError(b, o.start(b, nil, "init").Wait())
	db, err := sql.Open("pgx", dsn)
	require.NoError(b, err)
	defer db.Close()
	run := 0
	b.Run("users", func(b *testing.B) {
		run++
		file := manyUsers(b, fmt.Sprintf("r%d-", run), b.N)
		b.ResetTimer()
		cmd := o.start(b, nil, act("import", "-log", filepath.Join(b.TempDir(), "log"), file)...)
		require.NoError(b, cmd.Wait())
		b.StopTimer()
		rate := float64(b.N) / b.Elapsed().Seconds()
		b.ReportMetric(rate, "users/s")
		b.ReportMetric(rate/bareInserts(b, db, fmt.Sprintf("bare%d", run)), "ratio")
		spent := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		b.ReportMetric(float64(spent.Microseconds())/float64(b.N), "cpu-µs/user")
		usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		b.ReportMetric(float64(usage.Maxrss)/1024, "peak-MB")
	})
}

// bareInserts returns how many rows of 1 kB eight connections insert in a second.
func bareInserts(b testing.TB, db *sql.DB, table string) float64 {
	b.Helper()
	_, err := db.ExecContext(b.Context(), "create table "+table+" (id text primary key, v bytea)")
	require.NoError(b, err)
	const connections, each = 8, 500
	row, begun := bytes.Repeat([]byte("x"), 1024), time.Now()
	var group sync.WaitGroup
	for c := range connections {
		group.Go(func() {
			for i := range each {
				if _, err := db.ExecContext(b.Context(), "insert into "+table+" values ($1, $2)",
					fmt.Sprintf("%d-%d", c, i), row); err != nil {
					b.Error(err)
				}
			}
		})
	}
	group.Wait()
	return connections * each / time.Since(begun).Seconds()
}
