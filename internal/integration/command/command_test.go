// Package command_test runs cmd/secondgate as a program, over SQLite and over PostgreSQL.
package command_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	oldtotp "github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/access"
	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/sqlstore"
	"github.com/secondgate/secondgate/totp"
)

var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "command")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "secondgate")
	if out, err := exec.Command("go", "build", "-o", program,
		"github.com/secondgate/secondgate/cmd/secondgate").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// operator runs the program with a store and a key file.
type operator struct {
	t     *testing.T
	store string
	keys  string
	db    sqlstore.Config
}

// result is what the program wrote.
type result struct {
	out, messages string
	code          int
}

func (o *operator) run(args ...string) result {
	o.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "SECONDGATE_STORE="+o.store, "SECONDGATE_KEY_FILE="+o.keys)
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &messages
	err := cmd.Run()
	if cmd.ProcessState == nil {
		require.NoError(o.t, err)
	}
	return result{out.String(), messages.String(), cmd.ProcessState.ExitCode()}
}

// does runs an act that is to succeed.
func (o *operator) does(args ...string) result {
	o.t.Helper()
	r := o.run(args...)
	require.Zero(o.t, r.code, r.messages)
	return r
}

// act returns a command line with an operator and a reason.
func act(name string, args ...string) []string {
	return append([]string{name, "-by", "carol", "-reason", "ticket 4711"}, args...)
}

func (o *operator) json(args ...string) (v map[string]any) {
	o.t.Helper()
	require.NoError(o.t, json.Unmarshal([]byte(o.does(args...).out), &v))
	return v
}

// application is the one that the operator's users sign in to.
func (o *operator) application() *mfa.Manager {
	o.t.Helper()
	keys, err := secondgate.KeyFile(o.keys)()
	require.NoError(o.t, err)
	store, err := sqlstore.New(o.t.Context(), o.db)
	require.NoError(o.t, err)
	app, err := totp.New(totp.Config{Issuer: "Acme"})
	require.NoError(o.t, err)
	codes, err := recovery.New(recovery.Config{Imported: true})
	require.NoError(o.t, err)
	temporary, err := access.New(access.Config{})
	require.NoError(o.t, err)
	m, err := mfa.New(mfa.Config{Store: store, Keys: keys,
		Factors: []factor.Factor{app, codes, temporary}})
	require.NoError(o.t, err)
	return m
}

// verify signs a user in whose password was correct.
func (o *operator) verify(id, kind, response string) error {
	o.t.Helper()
	s := o.application().Session(mfa.User{ID: id, Enrolled: true}, "a session")
	ch, err := s.Begin(o.t.Context())
	require.NoError(o.t, err)
	_, err = s.Verify(o.t.Context(), ch, kind, secret.New(response))
	return err
}

const key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

const users = `id,otp,codes
ann,` + key + `,"abcd-1234-efgh-5678,ijkl-1234-mnop-5678"
bob,JBSWY3DPEHPK3PXP,
carl,no secret,
`

func engines(t *testing.T, test func(*testing.T, *operator)) {
	t.Run("SQLite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "acme.db")
		test(t, newOperator(t, "sqlite:"+path, "sqlite", sqlstore.SQLiteDSN(path), sqlstore.SQLite))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		dsn := servers.PostgreSQL(t).PostgreSQLDSN()
		test(t, newOperator(t, dsn, "pgx", dsn, sqlstore.PostgreSQL))
	})
}

func newOperator(t *testing.T, url, driver, dsn string, d sqlstore.Dialect) *operator {
	t.Helper()
	o := &operator{t: t, store: url, keys: filepath.Join(t.TempDir(), "keys")}
	require.Equal(t, 1, o.run("status", "ann").code, "there are no keys yet")
	require.NoFileExists(t, o.keys, "only init makes a key")
	o.does("init")
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	o.db = sqlstore.Config{DB: db, Dialect: d}
	return o
}

// An operator moves users in, looks at them, helps them, and rotates the key; the application sees
// each of these at once.
func TestCommand_OperatesAnInstallation(t *testing.T) {
	engines(t, func(t *testing.T, o *operator) {
		file := filepath.Join(t.TempDir(), "users.csv")
		require.NoError(t, os.WriteFile(file, []byte(users), 0o600))
		moving := act("import", "-format", "csv", "-columns", "id=id,secret=otp,codes=codes", file)

		dry := o.run(append([]string{moving[0], "-dry-run"}, moving[1:]...)...)
		require.Equal(t, 3, dry.code, dry.messages)
		require.Contains(t, dry.messages, "2 can be imported, 1 of them to be renewed; 0 skipped, "+
			"1 failed")
		require.Equal(t, 1, o.run("status", "ann").code, "a dry run changes nothing")

		moved := o.run(moving...)
		require.Equal(t, 3, moved.code)
		require.Contains(t, moved.out, "ann\timported totp, recovery\n")
		require.Contains(t, moved.out, "bob\timported totp; to be renewed: totp\n")
		require.Contains(t, moved.out, "carl\tfailed: secret_form")
		require.NotContains(t, moved.out+moved.messages, key)
		require.Contains(t, moved.messages, `"msg":"admin.import"`)
		require.Contains(t, o.run(moving...).out, "ann\tskipped: imported\n")

		code, err := oldtotp.GenerateCode(key, time.Now())
		require.NoError(t, err)
		require.NoError(t, o.verify("ann", "totp", code))
		require.NoError(t, o.verify("ann", "recovery", "abcd1234efgh5678"))

		ann := o.json("status", "-json", "ann")
		require.Len(t, ann["factors"], 2)
		require.EqualValues(t, 1, ann["factors"].([]any)[1].(map[string]any)["codes_left"])
		require.Contains(t, o.does("status", "bob").out, "to be renewed")
		require.Contains(t, o.does("report").out, "recovery 1, totp 2")
		group := o.json("report", "-json")["groups"].([]any)[0].(map[string]any)
		require.EqualValues(t, 1, group["to_renew"])

		for range 5 {
			require.Error(t, o.verify("bob", "totp", "000000"))
		}
		require.Contains(t, o.does("status", "bob").out, "Locked until")
		unlocked := o.does(act("unlock", "bob")...)
		require.Contains(t, unlocked.messages, `"actor":"carol"`)
		require.Contains(t, unlocked.messages, "ticket 4711")
		require.NotContains(t, o.does("status", "bob").out, "Locked")

		temporary := o.json(act("access-code", "-json", "-valid", "2h", "bob")...)
		require.NoError(t, o.verify("bob", "access", temporary["code"].(string)))

		o.does(act("reset", "bob")...)
		require.Empty(t, o.json("status", "-json", "bob")["factors"])
		o.does(act("delete", "bob")...)
		require.Contains(t, o.run("status", "bob").messages, "no record")
		o.rotates(t)
	})
}

// rotates puts a new key first, re-encrypts, and takes the old one away.
func (o *operator) rotates(t *testing.T) {
	t.Helper()
	old, err := os.ReadFile(o.keys)
	require.NoError(t, err)
	other := &operator{t: t, store: "sqlite:" + filepath.Join(t.TempDir(), "other.db"),
		keys: filepath.Join(t.TempDir(), "keys")}
	other.does("init")
	added, err := os.ReadFile(other.keys)
	require.NoError(t, err)

	require.NoError(t, os.WriteFile(o.keys, added, 0o600))
	lost := o.run("rotate")
	require.Equal(t, 3, lost.code)
	require.Contains(t, lost.messages, "need a key that is not here")
	require.NoError(t, os.WriteFile(o.keys, append(added, old...), 0o600))
	require.Contains(t, o.does("rotate").out, "re-encrypted")
	require.NoError(t, os.WriteFile(o.keys, added, 0o600))
	o.does("status", "ann")
}

// What is wrong with a command line is said before anything is opened, and no password is shown.
func TestCommand_RefusesCommandLines(t *testing.T) {
	o := &operator{t: t, store: "sqlite:none", keys: "none"}
	for _, args := range [][]string{
		{"none"}, {"status"}, {"status", "a", "b"}, {"unlock", "ann"},
		{"unlock", "-by", "carol", "ann"}, {"reset", "-reason", "x", "ann"},
		{"status", "-none", "ann"}, act("import", "-format", "none", "f"),
	} {
		r := o.run(args...)
		if args[0] != "import" {
			require.Equal(t, 2, r.code, "%v: %s", args, r.messages)
		}
		require.NotZero(t, r.code)
		require.NotContains(t, r.messages, "panic")
	}
	for _, store := range []string{"postgres://u:hunter2@[::1", "mysql://u:hunter2@h",
		"redis://u:hunter2@h:x", "hunter2", "ftp://u:hunter2@h"} {
		key := filepath.Join(t.TempDir(), "keys")
		o := &operator{t: t, store: store, keys: key}
		r := o.run("init")
		require.NotZero(t, r.code, store)
		require.NotContains(t, r.messages, "hunter2")
	}
}

// Help needs no store, shows examples, and does not show the password of a store.
func TestCommand_Helps(t *testing.T) {
	o := &operator{t: t, store: "postgres://acme:hunter2@db/acme"}
	for _, args := range [][]string{nil, {"help"}, {"--help"}} {
		require.Contains(t, o.does(args...).out, "Exit codes")
	}
	for _, name := range []string{"init", "status", "unlock", "reset", "access-code", "delete",
		"report", "rotate", "import"} {
		r := o.does(name, "-help")
		require.Contains(t, r.out, "Examples:\n\n  secondgate "+name)
		require.Contains(t, r.out, "-store")
		require.NotContains(t, r.out, "hunter2")
	}
}
