package command_test

import (
	"bytes"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

// all returns the revision of each record of the store, by its key.
func (o *operator) all(prefix string) map[string]storage.Revision {
	o.t.Helper()
	all := make(map[string]storage.Revision)
	for cursor := storage.Cursor(""); ; {
		page, next, err := o.open().(storage.Lister).List(o.t.Context(), prefix, cursor, 1000)
		require.NoError(o.t, err)
		for _, e := range page {
			all[e.Key] = e.Record.Revision
		}
		if cursor = next; next == "" {
			return all
		}
	}
}

// loadTested measures the store, which has the same records afterwards.
func (o *operator) loadTested() {
	o.t.Helper()
	before := o.all("")
	require.NotEmpty(o.t, before)
	r := o.json("loadtest", "-json", "-count", "100", "-users", "10", "-workers", "4")
	require.EqualValues(o.t, 100, r["pairs"])
	require.Zero(o.t, r["errors"])
	require.Contains(o.t, r, "conflicts")
	require.Positive(o.t, r["pairs_per_second"])
	require.LessOrEqual(o.t, r["p50_ms"], r["p95_ms"])
	require.LessOrEqual(o.t, r["p95_ms"], r["p99_ms"])
	require.LessOrEqual(o.t, r["p99_ms"], r["max_ms"])
	require.Equal(o.t, before, o.all(""))
}

const scratch = "storagetest/loadtest/"

// begin starts a load test that does not end by itself, and waits until it has records.
func (o *operator) beginLoad() (cmd *exec.Cmd, messages *bytes.Buffer) {
	o.t.Helper()
	messages = new(bytes.Buffer)
	cmd = exec.Command(program, "loadtest", "-duration", "10m", "-users", "20")
	// No key is needed.
	cmd.Env, cmd.Stderr = []string{"SECONDGATE_STORE=" + o.store}, messages
	require.NoError(o.t, cmd.Start())
	o.t.Cleanup(func() { _ = cmd.Process.Kill() })
	require.Eventually(o.t, func() bool { return len(o.all(scratch)) == 20 }, 2*time.Minute,
		10*time.Millisecond)
	return cmd, messages
}

// A load test that is interrupted deletes its records. One that is killed leaves them to the next.
func TestLoadtest_LeavesNothing(t *testing.T) {
	o := onSQLite(t)
	o.moveIn("id,otp,codes", "ann,"+key+",")
	before := o.all("")
	cmd, messages := o.beginLoad()
	require.NoError(t, cmd.Process.Signal(interruption()))
	require.Error(t, cmd.Wait())
	require.Equal(t, 3, cmd.ProcessState.ExitCode(), messages)
	require.Contains(t, messages.String(), "interrupted")
	require.Equal(t, before, o.all(""))

	cmd, _ = o.beginLoad()
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	require.Len(t, o.all(scratch), 20)
	require.Contains(t, o.does("loadtest", "-clean").out, "20 scratch records deleted")
	require.EqualValues(t, 0, o.json("loadtest", "-clean", "-json")["deleted"])
	require.Equal(t, before, o.all(""))
}

// Sign-ins that fail are counted, and the operator sees why.
func TestLoadtest_CountsErrors(t *testing.T) {
	o := onSQLite(t)
	db := openDB(t, "sqlite", sqlstore.SQLiteDSN(o.store[len("sqlite:"):]))
	_, err := db.Exec(`CREATE TRIGGER broken BEFORE UPDATE ON ` + sqlstore.DefaultTable +
		` BEGIN SELECT RAISE(ABORT, 'the disk is on fire'); END`)
	require.NoError(t, err)
	r := o.run("loadtest", "-count", "4", "-users", "4", "-workers", "4")
	require.Equal(t, 4, r.code)
	require.Regexp(t, `PAIRS .*ERRORS`, r.out)
	require.Regexp(t, `(?m)^0 .* 4 +0$`, r.out)
	require.Contains(t, r.messages, "4 sign-ins failed, such as by: ")
	require.Contains(t, r.messages, "the disk is on fire")
	require.Empty(t, o.all(scratch))

	for _, wrong := range [][]string{{"-users", "0"}, {"-workers", "0"}, {"-count", "-1"},
		{"-duration", "0s"}, {"-users", "4", "-workers", "5"}, {"-users", "1000001"}} {
		require.Equal(t, 2, o.run(append([]string{"loadtest"}, wrong...)...).code, wrong)
	}
}

// A terminal is shown how far a load test is.
func TestLoadtest_ShowsProgress(t *testing.T) {
	needProgram(t, "script")
	o := onSQLite(t)
	const test = "loadtest -users 4 -workers 2 -duration 300ms"
	onTerminal := func(after string) string {
		return o.finish(exec.Command("script", "-qec", program+" "+test+after, "/dev/null")).out
	}
	require.Regexp(t, `\d+ sign-ins, \d+ a second`, onTerminal(""))
	require.NotContains(t, o.does("loadtest", "-users", "4", "-workers", "2", "-duration",
		"300ms").messages, "a second")
}
