// Package command_test runs cmd/secondgate as a program, over every engine.
package command_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	_ "github.com/go-sql-driver/mysql" // the driver "mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/access"
	"github.com/secondgate/secondgate/internal/integration/programs"
	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/redisstore"
	"github.com/secondgate/secondgate/storage/sqlstore"
	"github.com/secondgate/secondgate/totp"
)

var program string

func TestMain(m *testing.M) {
	programs.Main(m, func(dir string) error {
		program = filepath.Join(dir, "secondgate")
		return programs.Build(program, "cmd/secondgate")
	})
}

// operator runs the program with a store and a key file.
type operator struct {
	t     *testing.T
	store string
	keys  string
	env   []string // more variables
	// open opens the same store as the application does.
	open func() storage.Store
}

// result is what the program wrote.
type result struct {
	out, messages string
	code          int
}

func (o *operator) run(args ...string) result {
	o.t.Helper()
	return o.finish(exec.Command(program, args...))
}

// finish runs a command with the store and the keys in its environment.
func (o *operator) finish(cmd *exec.Cmd) result {
	o.t.Helper()
	cmd.Env = o.environment()
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &messages
	err := cmd.Run()
	if cmd.ProcessState == nil {
		require.NoError(o.t, err)
	}
	return result{out.String(), messages.String(), cmd.ProcessState.ExitCode()}
}

// interruption is the signal of an operator who interrupts. A shell without jobs has the programs
// in its background ignore the first one.
func interruption() os.Signal {
	if signal.Ignored(os.Interrupt) {
		return syscall.SIGTERM
	}
	return os.Interrupt
}

func (o *operator) environment() []string {
	return append(append(os.Environ(), "SECONDGATE_STORE="+o.store,
		"SECONDGATE_KEY_FILE="+o.keys), o.env...)
}

// does runs an act that is to succeed.
func (o *operator) does(args ...string) result {
	o.t.Helper()
	r := o.run(args...)
	require.Zero(o.t, r.code, r.messages+r.out)
	return r
}

// act returns a command line with an operator and a reason.
func act(name string, args ...string) []string {
	words := append(strings.Fields(name), "-by", "carol", "-reason", "ticket 4711")
	return append(words, args...)
}

func (o *operator) json(args ...string) (v map[string]any) {
	o.t.Helper()
	require.NoError(o.t, json.Unmarshal([]byte(o.does(args...).out), &v))
	return v
}

// application is the one that the operator's users sign in to.
func (o *operator) application(changes ...func(*mfa.Config)) *mfa.Manager {
	o.t.Helper()
	keys, err := secondgate.KeyFile(o.keys)()
	require.NoError(o.t, err)
	app, err := totp.New(totp.Config{Issuer: "Acme"})
	require.NoError(o.t, err)
	codes, err := recovery.New(recovery.Config{Imported: true})
	require.NoError(o.t, err)
	temporary, err := access.New(access.Config{})
	require.NoError(o.t, err)
	cfg := mfa.Config{Store: o.open(), Keys: keys,
		Factors: []factor.Factor{app, codes, temporary}, Policies: policy.Stored(
			policy.Static(policy.Policy{}))}
	for _, change := range changes {
		change(&cfg)
	}
	m, err := mfa.New(cfg)
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

// places are what makes an operator with a store of an engine, by its name.
type places map[string]func(*testing.T) *operator

var (
	onOneServer = places{"SQLite": onSQLite, "PostgreSQL": onPostgreSQL, "MariaDB": onMariaDB,
		"Redis": onRedis}
	onCluster = places{"etcd": onEtcd, "NATS": onNATS}
	// onStandIn are the engines that no machine of the tests can run.
	onStandIn = places{"DynamoDB": onDynamoDB, "MongoDB": onMongoDB}
)

// engines runs a test over each engine of one server, side by side.
func engines(t *testing.T, test func(*testing.T, *operator)) { onOneServer.run(t, test) }

// clusters runs a test over each engine of several servers, side by side.
func clusters(t *testing.T, test func(*testing.T, *operator)) { onCluster.run(t, test) }

// standIns runs a test over the stand-in for each engine that has one, side by side.
func standIns(t *testing.T, test func(*testing.T, *operator)) { onStandIn.run(t, test) }

func (p places) run(t *testing.T, test func(*testing.T, *operator)) {
	for name, over := range p {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, over(t))
		})
	}
}

func onPostgreSQL(t *testing.T) *operator {
	t.Helper()
	dsn := servers.PostgreSQL(t).PostgreSQLDSN()
	return newOperator(t, dsn, openSQL(t, "pgx", dsn, sqlstore.PostgreSQL))
}

func onMariaDB(t *testing.T) *operator {
	t.Helper()
	addr := servers.MariaDB(t).Addr
	return newOperator(t, "mysql://root@"+addr+"/secondgate",
		openSQL(t, "mysql", servers.MariaDBDSN(addr, "secondgate"), sqlstore.MySQL))
}

func onRedis(t *testing.T) *operator {
	t.Helper()
	addr := servers.Redis(t).Addr
	return newOperator(t, "redis://"+addr+"/0", openRedis(t, addr))
}

func onSQLite(t *testing.T) *operator {
	t.Helper()
	path := filepath.Join(t.TempDir(), "acme.db")
	return newOperator(t, "sqlite:"+path,
		openSQL(t, "sqlite", sqlstore.SQLiteDSN(path), sqlstore.SQLite))
}

func openSQL(t *testing.T, driver, dsn string, d sqlstore.Dialect) func() storage.Store {
	t.Helper()
	db := openDB(t, driver, dsn)
	return func() storage.Store {
		t.Helper()
		s, err := sqlstore.New(t.Context(), sqlstore.Config{DB: db, Dialect: d})
		require.NoError(t, err)
		return s
	}
}

func openDB(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func openRedis(t *testing.T, addr string) func() storage.Store {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true,
		MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	return func() storage.Store {
		t.Helper()
		s, err := redisstore.New(t.Context(), redisstore.Config{
			Do: func(ctx context.Context, args ...any) (any, error) {
				return client.Do(ctx, args...).Result()
			}})
		require.NoError(t, err)
		return s
	}
}

func newOperator(
	t *testing.T, url string, open func() storage.Store, env ...string,
) *operator {
	t.Helper()
	o := &operator{t: t, store: url, keys: filepath.Join(t.TempDir(), "keys"), open: open, env: env}
	require.Equal(t, 1, o.run("status", "ann").code, "there are no keys yet")
	require.NoFileExists(t, o.keys, "only init makes a key")
	o.atOnce("init")
	made, err := os.ReadFile(o.keys)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(made), "\n"), "both have the same key")
	return o
}

// atOnce runs a command in two processes at the same time, as two machines of a deployment do. Both
// are to succeed, and write the same, which is returned.
func (o *operator) atOnce(args ...string) (out string) {
	o.t.Helper()
	var running [2]*exec.Cmd
	var outputs, messages [2]bytes.Buffer
	for i := range running {
		cmd := exec.Command(program, args...)
		cmd.Env, cmd.Stdout, cmd.Stderr = o.environment(), &outputs[i], &messages[i]
		require.NoError(o.t, cmd.Start())
		running[i] = cmd
	}
	for i, cmd := range running {
		err := cmd.Wait()
		require.NoError(o.t, err, messages[i].String())
	}
	require.Equal(o.t, outputs[0].String(), outputs[1].String())
	return outputs[0].String()
}

// moveIn imports the users of a file in the format csv.
func (o *operator) moveIn(lines ...string) {
	o.t.Helper()
	file := filepath.Join(o.t.TempDir(), "users.csv")
	require.NoError(o.t, os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	o.does(act("import", "-format", "csv", "-columns", "id=id,secret=otp,codes=codes", file)...)
}
