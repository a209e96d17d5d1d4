package command_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

// A store that keeps its promises passes on every engine, and has no scratch record afterwards.
func TestCheck_PassesOnEachEngine(t *testing.T) {
	engines(t, passesCheck)
	if os.Getenv("SECONDGATE_LONG") != "" { // packages standins and clusters run the same rules
		standIns(t, passesCheck)
		clusters(t, passesCheck)
	}
}

func passesCheck(t *testing.T, o *operator) {
	r := o.does("check")
	require.Regexp(t, `clock +ok `, r.out)
	require.Regexp(t, `write +ok +median`, r.out)
	require.Regexp(t, `rule race-swap +ok`, r.out)
	require.NotContains(t, r.out, "problem")

	left, _, err := o.open().(storage.Lister).List(t.Context(), "storagetest/", "", 10)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestCheck_WritesChecksForPrograms(t *testing.T) {
	checks := onSQLite(t).json("check", "-json")["checks"].([]any)
	require.Greater(t, len(checks), 20)
	require.Equal(t, "ok", checks[0].(map[string]any)["result"])
}

// A server that may lose an acknowledged write is found, and the operator reads what that means.
func TestCheck_FindsWhatLosesWrites(t *testing.T) {
	loses := func(t *testing.T, o *operator, setting string) {
		t.Helper()
		r := o.run("check")
		require.Equal(t, 4, r.code, r.messages)
		require.Regexp(t, setting+` +problem +.*a code that was used is valid again`, r.out)
	}
	t.Run("PostgreSQL", func(t *testing.T) {
		dsn := servers.PostgreSQL(t, "-c", "synchronous_commit=off").PostgreSQLDSN()
		loses(t, newOperator(t, dsn, openSQL(t, "pgx", dsn, sqlstore.PostgreSQL)),
			"synchronous_commit")
	})
	t.Run("MariaDB", func(t *testing.T) {
		addr := servers.MariaDB(t, "--innodb-flush-log-at-trx-commit=2").Addr
		loses(t, newOperator(t, "mysql://root@"+addr+"/secondgate",
			openSQL(t, "mysql", servers.MariaDBDSN(addr, "secondgate"), sqlstore.MySQL)),
			"innodb_flush_log_at_trx_commit")
	})
	t.Run("Redis", func(t *testing.T) {
		addr := servers.Redis(t, "--appendfsync", "everysec").Addr
		loses(t, newOperator(t, "redis://"+addr+"/0", openRedis(t, addr)), "appendfsync")
	})
}

// A terminal is shown how far a rotation is; a log of a short one has nothing of it.
func TestRotate_ShowsProgress(t *testing.T) {
	needProgram(t, "script")
	o := onSQLite(t)
	o.moveIn("id,otp,codes", "ann,"+key+",")
	rotate := "rotate -by carol -reason yearly"
	shown := o.finish(exec.Command("script", "-qec", program+" "+rotate, "/dev/null")).out
	require.Regexp(t, `\d+ records, \d+ a second`, shown)
	require.NotContains(t, o.does(strings.Fields(rotate)...).messages, "a second")
}

// A terminal is shown how far an import is and how long the rest takes, where no other line
// is written to it.
func TestImport_ShowsProgress(t *testing.T) {
	needProgram(t, "script")
	o := onSQLite(t)
	file := manyUsers(t, "u", 1000)
	onTerminal := func(after string) string {
		return o.finish(exec.Command("script", "-qec", program+" import -dry-run -by carol "+
			"-reason move -log /dev/null "+file+after, "/dev/null")).out
	}
	require.Regexp(t, `\d+ of \d+ users, \d+ a second, \d+s remaining`, onTerminal(" >/dev/null"))
	require.NotContains(t, onTerminal(""), "a second", "each user has a line")
}

// A terminal is shown colours, unless its user wants none; a file or a pipe is not.
func TestColours_AreForTerminalsAlone(t *testing.T) {
	needProgram(t, "script")
	o := onSQLite(t)
	o.does(act("import", o.write("users.jsonl", `{"id": "ann", "factors": [{"kind": "totp",`+
		`"params": {"secret": "`+key+`"}}]}`))...)
	onTerminal := func(before string) string {
		return o.finish(exec.Command("script", "-qec", before+program+" report",
			"/dev/null")).out
	}
	require.Contains(t, onTerminal("TERM=xterm "), "\x1b[1m")
	require.NotContains(t, onTerminal("TERM=xterm NO_COLOR=1 "), "\x1b")
	require.NotContains(t, onTerminal("TERM=dumb "), "\x1b")
	require.NotContains(t, o.does("report").out, "\x1b")
}
