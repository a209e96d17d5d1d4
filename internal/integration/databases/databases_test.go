// Package databases_test runs sqlstore over real PostgreSQL and MariaDB servers.
package databases_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
	"github.com/secondgate/secondgate/storage/storagetest"
)

// engine is a server, and how to talk to it.
type engine struct {
	name, driver string
	dialect      sqlstore.Dialect
	start        func(t testing.TB, options ...string) *servers.Server
	dsn          func(addr string) string
}

var engines = []engine{
	{"PostgreSQL", "pgx", sqlstore.PostgreSQL, servers.PostgreSQL, servers.PostgreSQLDSN},
	{"MariaDB", "mysql", sqlstore.MySQL, servers.MariaDB, func(addr string) string {
		return servers.MariaDBDSN(addr, "secondgate")
	}},
}

// each runs a test on a fresh server of each engine.
func each(t *testing.T, test func(t *testing.T, e engine, s *servers.Server), options ...string) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) { test(t, e, e.start(t, options...)) })
	}
}

func (e engine) open(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(e.driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	return db
}

// store migrates, and opens the table.
func (e engine) store(t testing.TB, dsn, table string) *sqlstore.Store {
	t.Helper()
	cfg := sqlstore.Config{DB: e.open(t, dsn), Dialect: e.dialect, Table: table}
	require.NoError(t, sqlstore.Migrate(t.Context(), cfg))
	s, err := sqlstore.New(t.Context(), cfg)
	require.NoError(t, err)
	return s
}

func with(dsn, parameter string) string {
	if strings.Contains(dsn, "?") {
		return dsn + "&" + parameter
	}
	return dsn + "?" + parameter
}

func TestStore_Conforms(t *testing.T) {
	each(t, func(t *testing.T, e engine, s *servers.Server) {
		dsn := e.dsn(s.Addr)
		storagetest.Run(t, servers.InTurn(func() storage.Store { return e.store(t, dsn, "") }))
	})
}

// What an administrator may have set for all connections must not matter.
func TestStore_ConformsUnderOtherSettings(t *testing.T) {
	postgres, mariadb := engines[0], engines[1]
	for _, c := range []struct {
		name      string
		engine    engine
		options   []string
		parameter string
		// long says that the setting is run by make test-long alone. Those that have hidden a
		// fault before, and the strictest isolation of each engine, are run always.
		long bool
	}{
		{"PostgreSQL, serializable", postgres, nil, "default_transaction_isolation=serializable",
			false},
		{"PostgreSQL, repeatable read", postgres, nil,
			"default_transaction_isolation=repeatable%20read", true},
		{"PostgreSQL, simple protocol", postgres, nil,
			"default_query_exec_mode=simple_protocol", true},
		{"MariaDB, found rows", mariadb, nil, "clientFoundRows=true", false},
		{"MariaDB, lax, serializable", mariadb, []string{"--sql-mode=",
			"--transaction-isolation=SERIALIZABLE", "--character-set-server=latin1"},
			"interpolateParams=true", false},
		{"MariaDB, snapshot isolation", mariadb, []string{"--innodb-snapshot-isolation=ON"},
			"tx_isolation=%27REPEATABLE-READ%27", true},
		{"MariaDB, ANSI, read committed", mariadb, []string{"--sql-mode=ANSI,STRICT_ALL_TABLES",
			"--transaction-isolation=READ-COMMITTED"}, "parseTime=true", true},
	} {
		if c.long && os.Getenv("SECONDGATE_LONG") == "" {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			dsn := with(c.engine.dsn(c.engine.start(t, c.options...).Addr), c.parameter)
			storagetest.Run(t, servers.InTurn(func() storage.Store {
				return c.engine.store(t, dsn, "")
			}))
		})
	}
}

// The table's name is the application's to choose, also in a schema of its own, and with
// letters that a database would fold if it were not quoted.
func TestNew_TableNames(t *testing.T) {
	each(t, func(t *testing.T, e engine, s *servers.Server) {
		dsn := e.dsn(s.Addr)
		_, err := e.open(t, dsn).Exec("CREATE SCHEMA elsewhere")
		require.NoError(t, err)
		record := storage.Record{Revision: "r", Data: []byte("x")}
		for _, table := range []string{"MyRecords", "order", "elsewhere.records",
			"elsewhere.Records2"} {
			store := e.store(t, dsn, table)
			require.NoError(t, store.Swap(t.Context(), "k", "", record), table)
			require.NoError(t, e.store(t, dsn, table).Delete(t.Context(), "k", "r"), table)
		}
		_, err = sqlstore.New(t.Context(), sqlstore.Config{DB: e.open(t, dsn), Dialect: e.dialect,
			Table: "nowhere"})
		require.ErrorContains(t, err, "sqlstore.Migrate")
	})
}

// The statement of Schema, as a migration tool would run it, makes what Migrate makes.
func TestSchema_MakesWhatMigrateMakes(t *testing.T) {
	each(t, func(t *testing.T, e engine, s *servers.Server) {
		db := e.open(t, e.dsn(s.Addr))
		schema, err := sqlstore.Schema(e.dialect, "")
		require.NoError(t, err)
		for range 2 {
			_, err = db.Exec(schema)
			require.NoError(t, err)
		}
		cfg := sqlstore.Config{DB: db, Dialect: e.dialect}
		_, err = sqlstore.New(t.Context(), cfg)
		require.NoError(t, err)
		require.NoError(t, sqlstore.Migrate(t.Context(), cfg))
	})
}

const roleVar = "SECONDGATE_TEST_MIGRATE"

func TestMain(m *testing.M) {
	dsn, child := os.LookupEnv(roleVar)
	if !child {
		os.Exit(m.Run())
	}
	e := engines[0]
	if !strings.HasPrefix(dsn, "postgres") {
		e = engines[1]
	}
	db, err := sql.Open(e.driver, dsn)
	if err == nil {
		cfg := sqlstore.Config{DB: db, Dialect: e.dialect}
		if err = sqlstore.Migrate(context.Background(), cfg); err == nil {
			_, err = sqlstore.New(context.Background(), cfg)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Ten processes start at once, and all of them migrate.
func TestMigrate_InTenProcessesAtOnce(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	each(t, func(t *testing.T, e engine, s *servers.Server) {
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				cmd := exec.Command(self)
				cmd.Env = append(os.Environ(), roleVar+"="+e.dsn(s.Addr))
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%v: %s", err, out)
				}
			})
		}
		wg.Wait()
	})
}

// A write is a transaction of its own: what the application rolls back takes nothing back.
func TestStore_IgnoresTheApplicationsRollback(t *testing.T) {
	each(t, func(t *testing.T, e engine, s *servers.Server) {
		db := e.open(t, e.dsn(s.Addr))
		cfg := sqlstore.Config{DB: db, Dialect: e.dialect}
		require.NoError(t, sqlstore.Migrate(t.Context(), cfg))
		store, err := sqlstore.New(t.Context(), cfg)
		require.NoError(t, err)
		_, err = db.Exec("CREATE TABLE orders (id INTEGER)")
		require.NoError(t, err)

		tx, err := db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = tx.Exec("INSERT INTO orders VALUES (1)")
		require.NoError(t, err)
		require.NoError(t, store.Swap(t.Context(), "k", "",
			storage.Record{Revision: "r", Data: []byte("a failed attempt")}))
		require.NoError(t, tx.Rollback())

		got, err := e.store(t, e.dsn(s.Addr), "").Get(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, "a failed attempt", string(got.Data))
		var orders int
		require.NoError(t, db.QueryRow("SELECT count(*) FROM orders").Scan(&orders))
		require.Zero(t, orders)
	})
}

// What was acknowledged is there after the server was killed under load.
func TestStore_KilledServerKeepsAcknowledgedWrites(t *testing.T) {
	each(t, func(t *testing.T, e engine, s *servers.Server) {
		store := e.store(t, e.dsn(s.Addr), "")
		const workers = 8
		acknowledged := make([]storage.Revision, workers)
		attempted := make([]storage.Revision, workers)
		var wg, first sync.WaitGroup
		first.Add(workers)
		for w := range workers {
			wg.Go(func() {
				began := sync.OnceFunc(first.Done)
				defer began()
				key, old := fmt.Sprintf("k%d", w), storage.Revision("")
				for i := 0; ; i++ {
					ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
					next := storage.Revision(fmt.Sprintf("r%d", i))
					attempted[w] = next
					err := store.Swap(ctx, key, old, storage.Record{Revision: next,
						Data: []byte(next)})
					cancel()
					if err != nil {
						return
					}
					acknowledged[w], old = next, next
					began()
				}
			})
		}
		first.Wait() // for a first acknowledged write of each, and killed in the middle of others
		s.Kill()
		wg.Wait()
		s.Start()
		for w := range workers {
			require.NotEmpty(t, acknowledged[w])
			var got storage.Record
			require.Eventually(t, func() (ok bool) {
				var err error
				got, err = store.Get(t.Context(), fmt.Sprintf("k%d", w))
				return err == nil
			}, 2*time.Minute, 50*time.Millisecond)
			require.Contains(t, []storage.Revision{acknowledged[w], attempted[w]}, got.Revision)
			require.Equal(t, string(got.Revision), string(got.Data))
		}
	})
}
