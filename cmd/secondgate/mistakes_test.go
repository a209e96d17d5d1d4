package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// entries returns how many lines the audit trail has.
func (d desk) entries() int {
	text, err := os.ReadFile(d.at("trail.jsonl"))
	require.NoError(d, err)
	return strings.Count(string(text), "\n")
}

// What is wrong with a command line is said before anything is opened: the exit code is 2, the
// audit trail has no act, and no password is shown.
func TestCommand_RefusesMistakesBeforeAnAct(t *testing.T) {
	d := newDesk(t)
	long, broken := strings.Repeat("x", 1025), "a\xff"
	as := func(name string, args ...string) []string {
		return append([]string{name, "-by", "carol", "-reason", "ticket"}, args...)
	}
	for _, args := range [][]string{
		{"trail"}, {"keys"}, {"trail", "none"}, {"keys", "-json"}, {"help", "none"},
		{"status", ""}, {"status", " \t"}, {"status", long}, {"status", broken},
		{"status", "ann", "-json"}, {"status", "-tenant", long, "ann"},
		{"status", "-type", broken, "ann"},
		{"unlock", "-by", " ", "-reason", "ticket", "ann"},
		{"unlock", "-by", "carol", "-reason", "\n", "ann"},
		{"unlock", "-by", "carol", "-reason", long, "ann"},
		{"unlock", "-by", long, "-reason", "ticket", "ann"},
		{"unlock", "-by", "carol", "-reason", broken, "ann"},
		as("reset", ""), as("rotate", "now"), as("delete"),
		as("access-code", "-valid", "-1h", "ann"), as("access-code", "-valid", "1000h", "ann"),
		as("access-code", "-valid", "soon", "ann"),
		as("import", "-format", "none", "users"), as("import", "-parallel", "0", "users"),
		as("import", "-format", "csv", "users"), as("import", "-columns", "id=id", "users"),
		as("import", "-format", "csv", "-columns", "hunter=2", "users"),
		as("import", "-format", "csv", "-columns", "id=a,id=b", "users"),
		as("move-out", "users"), as("move-out", "-plain", "-recipient", "age1", "users"),
		as("move-out", "-recipient", "hunter2", "users"),
		as("recovery-link", "ann"),
		as("recovery-link", "-smtp", "hunter2", "-setup-url", "https://a", "-service", "A", "ann"),
		as("recovery-link", "-smtp", "smtp://a:hunter2@h?from=a@b.example", "-setup-url", "a",
			"-service", "A", "ann"),
		{"loadtest", "-users", "0"}, {"loadtest", "-workers", "-1"},
		{"audit", "-profile", "none"}, {"audit", "-kinds", "none"},
		{"trail", "verify"}, {"trail", "restored", "-by", "c", "-reason", "r", "-backup", "soon"},
		{"trail", "restored", "-by", "c", "-reason", "r", "-backup", "2999-01-01T00:00:00Z"},
	} {
		out, messages, code := d.run(args...)
		require.Equal(t, 2, code, "%q: %s", args, messages)
		require.Empty(t, out, "%q: a program reads it", args)
		require.Contains(t, messages, "secondgate help", args)
		require.NotContains(t, messages, "hunter2", args)
	}
	for _, args := range [][]string{as("import", d.at("none")), as("import", d.dir),
		as("move-out", "-plain", d.at("acme.db"))} {
		_, messages, code := d.run(args...)
		require.Equal(t, 1, code, "%q: %s", args, messages)
	}
	require.Zero(t, d.entries(), "none of them was announced")
	t.Setenv("SECONDGATE_TRAIL_ORIGIN", "")
	_, messages, code := d.run("report")
	require.Equal(t, 2, code)
	require.Contains(t, messages, "-trail-origin or $SECONDGATE_TRAIL_ORIGIN")
}

// A URL that no store can have is a mistake of the command line, and quotes no password.
func TestCommand_RefusesURLsOfStores(t *testing.T) {
	d := newDesk(t)
	for _, url := range []string{"hunter2", "ftp://u:hunter2@h", "postgres:", "mysql:", "etcd:h",
		"postgres://u:hunter2@h/x?sslmode=none", "postgres://u@h/x?password=hunter2&sslmode=none",
		"postgres://u:hunter2@[::1", "mysql://u:hunter2@h", "redis://u:hunter2@h:x",
		"redis://u:hunter2@h/x", "nats://u:hunter2@h/s?replicas=x"} {
		_, messages, code := d.run("report", "-store", url)
		require.Equal(t, 2, code, "%s: %s", url, messages)
		require.NotContains(t, messages, "hunter2", url)
	}
}

// A database that is down is an error that says so and quotes no password, also one in the query
// or with escapes, whatever the command is.
func TestCommand_QuotesNoPasswordOfADatabaseThatIsDown(t *testing.T) {
	d := newDesk(t)
	for _, url := range []string{
		"postgres://u:hunter2@127.0.0.1:1/x", "postgres://127.0.0.1:1/x?user=u&password=hunter2",
		"postgres://u:hunter2%20%2f@127.0.0.1:1,127.0.0.1:2/x",
		"mysql://u:hunter2%40@127.0.0.1:1/x", "redis://u:hunter2@127.0.0.1:1/0",
		"mongodb://u:hunter2%40@127.0.0.1:1/x?serverSelectionTimeoutMS=50",
	} {
		for _, args := range [][]string{{"init"}, {"status", "-store", url, "ann"},
			{"loadtest"}, {"trail", "verify", "-compare", "-public",
				strings.Repeat("A", 43) + "="}} {
			t.Setenv("SECONDGATE_STORE", url)
			out, messages, code := d.run(args...)
			require.Equal(t, exitFailed, code, "%s %q: %s", url, args, messages)
			require.NotContains(t, out+messages, "hunter2", "%s %q", url, args)
			if args[0] != "trail" {
				require.Contains(t, messages, "refused", "%s %q", url, args)
			}
		}
	}
}

// A path that was mistyped is an error, and makes no file: neither an empty database nor a second
// audit trail.
func TestCommand_MakesNothingBesideInit(t *testing.T) {
	d := newDesk(t)
	before, err := os.ReadDir(d.dir)
	require.NoError(t, err)
	for _, args := range [][]string{
		{"report", "-store", "sqlite:" + d.at("typo.db")},
		{"loadtest", "-store", "sqlite:" + d.at("typo.db")},
		{"status", "-keys", d.at("typo.keys"), "ann"},
		{"status", "-trail", d.at("typo.jsonl"), "ann"},
		{"status", "-trail", "sqlite:" + d.at("typo.db"), "ann"},
		{"trail", "show", "-trail", d.at("typo.jsonl")},
		{"trail", "show", "-trail", "sqlite:" + d.at("typo.db")},
	} {
		_, messages, code := d.run(args...)
		require.Equal(t, 1, code, "%q: %s", args, messages)
		require.Contains(t, messages, "there is no ", args)
		require.Contains(t, messages, "typo", args)
	}
	after, err := os.ReadDir(d.dir)
	require.NoError(t, err)
	require.Equal(t, names(before), names(after))
}

func names(list []os.DirEntry) (names []string) {
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// A table that is not the store's stays as it is, and the operator reads what to do about a missing
// one.
func TestCommand_RefusesOtherTables(t *testing.T) {
	d := newDesk(t)
	db, err := openDB("sqlite", "file:"+d.at("older.db"))
	require.NoError(t, err)
	defer db.Close()
	_, err = db.Exec("CREATE TABLE other (a TEXT)")
	require.NoError(t, err)
	store := "sqlite:" + d.at("older.db")
	_, messages, code := d.run("report", "-store", store)
	require.Equal(t, 1, code)
	require.Contains(t, messages, "run: secondgate init")

	_, err = db.Exec("CREATE TABLE secondgate_records (key TEXT, value TEXT)")
	require.NoError(t, err)
	for _, args := range [][]string{{"report"}, {"init"}} {
		_, messages, code := d.run(append(args, "-store", store)...)
		require.Equal(t, 1, code, messages)
	}
	var columns int
	require.NoError(t, db.QueryRow(
		"SELECT count(*) FROM pragma_table_info('secondgate_records')").Scan(&columns))
	require.Equal(t, 2, columns)
}

// broken is an output that takes so many writes.
type broken struct{ takes int }

var errBroken = errors.New("the reader is gone")

func (b *broken) Write(p []byte) (int, error) {
	if b.takes--; b.takes < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

// A command whose output is lost says so, and never that it is done.
func TestCommand_SaysThatItsOutputIsLost(t *testing.T) {
	d := newDesk(t)
	d.imports("ann")
	for _, args := range [][]string{
		{"help"}, {"help", "status"}, {"status", "-help"}, {"man"}, {"completion", "bash"},
		{"init"}, {"trail", "init"}, {"trail", "show"}, {"status", "ann"}, {"report"},
		{"audit"}, {"keys", "list"},
		{"unlock", "-by", "carol", "-reason", "ticket", "ann"},
		{"export", "-by", "carol", "-reason", "ticket", "ann"},
		{"rotate", "-by", "carol", "-reason", "ticket"},
		{"move-out", "-plain", "-by", "carol", "-reason", "ticket", d.at("users.jsonl")},
		{"delete", "-by", "carol", "-reason", "ticket", "ann"},
	} {
		var messages strings.Builder
		code := run(t.Context(), args, &broken{}, &messages)
		require.Equal(t, 1, code, "%q: %s", args, messages.String())
		require.Equal(t, 1, strings.Count(messages.String(), errBroken.Error()), args)
		require.Equal(t, slices.Contains(args, "-by"),
			strings.Contains(messages.String(), "Only the output is lost: "+args[0]+" was done"),
			"%q: %s", args, messages.String())
	}
}

// imports imports users.
func (d desk) imports(ids ...string) {
	_, messages, code := d.act("import", d.users(ids...))
	require.Zero(d, code, messages)
}

// users writes a file of users with an app.
func (d desk) users(ids ...string) (path string) {
	var text strings.Builder
	for _, id := range ids {
		text.WriteString(`{"id":"` + id + `","factors":[{"kind":"totp","params":` +
			`{"secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}}]}` + "\n")
	}
	return d.file("in.jsonl", text.String(), 0o600)
}

// An import whose lines are lost stops, because the operator does not learn what was done. The
// audit trail has every user whom it imported, and the next run the rest.
func TestImport_StopsWhenItsOutputIsLost(t *testing.T) {
	d := newDesk(t)
	const all = 300
	var ids []string
	for i := range all {
		ids = append(ids, "user"+strings.Repeat("i", i%7)+string(rune('a'+i%26))+
			strings.Repeat("z", i/26))
	}
	file := d.users(ids...)
	var messages strings.Builder
	code := run(t.Context(), []string{"import", "-by", "carol", "-reason", "ticket", "-parallel",
		"4", file}, &broken{takes: 10}, &messages)
	require.Equal(t, 3, code)
	require.Contains(t, messages.String(), "run it again from the start")
	require.Equal(t, 1, strings.Count(messages.String(), errBroken.Error()))

	out, _, code := d.act("import", file)
	require.Zero(t, code)
	skipped := strings.Count(out, "\tskipped: imported\n")
	require.GreaterOrEqual(t, skipped, 10)
	require.Less(t, skipped, all)
	require.Equal(t, all, skipped+strings.Count(out, "\timported totp\n"))
	kept, err := os.ReadFile(filepath.Clean(d.at("trail.jsonl")))
	require.NoError(t, err)
	require.Equal(t, all, strings.Count(string(kept), `"event":"admin.import"`))
}

// The manual of a command is under "help" too, and a group names its commands.
func TestHelp_LeadsToEachCommand(t *testing.T) {
	d := newDesk(t)
	for _, c := range commands() {
		out, _, code := d.run(append([]string{"help"}, strings.Fields(c.name)...)...)
		require.Zero(t, code)
		require.Contains(t, out, "secondgate "+c.name+" [flags]")
	}
	_, messages, _ := d.run("keys")
	require.Contains(t, messages, "keys list, keys add, keys promote, keys retire")
}

// Each command writes JSON for programs, but for what is a text of its own.
func TestCommand_WritesJSONForPrograms(t *testing.T) {
	d := newDesk(t)
	for _, c := range commands() {
		out, _, _ := d.run(append([]string{"help"}, strings.Fields(c.name)...)...)
		text := c.name == "completion" || c.name == "man"
		require.NotEqual(t, text, strings.Contains(out, "-json"), c.name)
	}
	for command, has := range map[string]string{
		"init": "keys", "trail init": "public",
		"trail restored -by carol -reason disk -backup 2026-11-28T03:00:00Z": "backup",
	} {
		out, messages, code := d.run(append(strings.Fields(command), "-json")...)
		require.Zero(t, code, messages)
		var said map[string]string
		require.NoError(t, json.Unmarshal([]byte(out), &said), out)
		require.NotEmpty(t, said[has], out)
	}
}

// A user whom the store does not have is named, and so is the tenant that was looked in.
func TestCommand_NamesAUserWithoutARecord(t *testing.T) {
	d := newDesk(t)
	for _, name := range []string{"status", "export", "unlock", "reset", "access-code"} {
		args := []string{name, "-tenant", "acme", "ünï 🎉"}
		if name != "status" {
			args = append([]string{name, "-by", "carol", "-reason", "ticket"}, args[1:]...)
		}
		_, messages, code := d.run(args...)
		require.Equal(t, 1, code)
		require.Contains(t, messages, `no record of the user "ünï 🎉" in the tenant "acme"`, name)
	}
	out, _, code := d.act("delete", "ünï 🎉")
	require.Zero(t, code)
	require.Contains(t, out, "had no record")
}

// An act whose later events the audit trail cannot keep was done, and the operator learns both.
func TestCommand_SaysThatTheTrailLacksEvents(t *testing.T) {
	d := newDesk(t)
	d.imports("ann")
	c := &call{command: command{name: "reset", user: true, acts: true}, args: []string{"ann"},
		store: os.Getenv("SECONDGATE_STORE"), keyFile: os.Getenv("SECONDGATE_KEY_FILE"),
		by: "carol", reason: "ticket", out: &strings.Builder{}, messages: &strings.Builder{}}
	c.trailing.fromEnvironment()
	closeAll, err := c.open(t.Context())
	require.NoError(t, err)
	require.NoError(t, c.announce(t.Context()))
	d.file("trail.jsonl", "cut off by another program\n", 0o600)
	require.NoError(t, reset(t.Context(), c))
	err = closeAll()
	require.ErrorIs(t, err, errPartly)
	require.ErrorContains(t, err, "the audit trail lacks events of what was done")
	require.ErrorContains(t, err, "They are among the messages above")
	c.logFile = "acts.log"
	require.Contains(t, c.whereEvents(), "acts.log")
	c.name = importName
	require.Contains(t, c.whereEvents(), "Run the import again")
}

// An act whose event is kept nowhere is refused. Where the audit trail has it, a log that is cut
// off is said at the end.
func TestCommand_RefusesAnActThatIsNotLogged(t *testing.T) {
	d := newDesk(t)
	d.imports("ann", "bob")
	deletes := []string{"delete", "-by", "carol", "-reason", "ticket", "ann"}
	var out strings.Builder
	require.Equal(t, 3, run(t.Context(), append(deletes[:5:5], "bob"), &out, &broken{}),
		"the trail has it")
	_, messages, _ := d.act("delete", "-log", "/dev/full", "none")
	if _, err := os.Stat("/dev/full"); err == nil {
		require.Contains(t, messages, "The audit trail has the events")
	}
	t.Setenv("SECONDGATE_TRAIL", "")
	require.Equal(t, 1, run(t.Context(), deletes, &out, &broken{}))
	_, messages, code := d.run("status", "ann")
	require.Zero(t, code, messages)
	require.Zero(t, run(t.Context(), []string{"status", "ann"}, &out, &broken{}), "it is no act")
	_, messages, code = d.run(append([]string{"delete", "-log", d.dir}, deletes[1:]...)...)
	require.Equal(t, 1, code, messages)
}
