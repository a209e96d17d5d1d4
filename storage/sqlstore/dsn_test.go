package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/secondgate/secondgate/storage/sqlstore"
)

func ExampleSQLiteDSN() {
	dsn := sqlstore.SQLiteDSN("/var/lib/my app/100%.db")
	fmt.Println(strings.ReplaceAll(dsn, "&", "\n&"))
	// Output:
	// file:///var/lib/my%20app/100%25.db?_txlock=immediate
	// &_pragma=busy_timeout(5000)
	// &_pragma=journal_mode(WAL)
	// &_pragma=synchronous(FULL)
}

func ExampleMySQLDSN() {
	fmt.Println(sqlstore.MySQLDSN("mysql://app:s%40fe@db.example.com/acme"))
	// Output: app:s@fe@tcp(db.example.com:3306)/acme <nil>
}

func TestMySQLDSN_RefusesOtherURLs(t *testing.T) {
	for _, from := range []string{"", "mysql:", "mysql://", "mysql://host", "mysql://host/",
		"mysql://u:hunter2@host", "mysql:///acme", "mysql://u:hunter2@host/acme?tls=false",
		"mysql://u:hunter2@[::1/acme", "mysql://u%3Ax:hunter2@host/acme", "postgres://host/acme",
		"u:hunter2@tcp(host)/acme", "mysql://u:hunter2@a%28b/acme", "mysql://:3306/acme"} {
		dsn, err := sqlstore.MySQLDSN(from)
		if err == nil || dsn != "" || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %q, %v", from, dsn, err)
		}
	}
}

func ExampleSchema() {
	ddl, err := sqlstore.Schema(sqlstore.PostgreSQL, "app.second_factors")
	if err != nil {
		panic(err)
	}
	_, statement, _ := strings.Cut(ddl, "\nCREATE")
	fmt.Println("CREATE" + statement)
	// Output:
	// CREATE TABLE IF NOT EXISTS "app"."second_factors" (
	// 	key        bytea       NOT NULL PRIMARY KEY,
	// 	revision   bytea       NOT NULL,
	// 	data       bytea       NOT NULL,
	// 	updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
	// )
}

// The driver is the application's choice, and so is when the table is made.
func ExampleNew() {
	open := func(ctx context.Context, db *sql.DB) (*sqlstore.Store, error) {
		cfg := sqlstore.Config{DB: db, Dialect: sqlstore.SQLite}
		if err := sqlstore.Migrate(ctx, cfg); err != nil {
			return nil, err
		}
		return sqlstore.New(ctx, cfg)
	}
	_, err := open(context.Background(), nil)
	fmt.Println(err)
	// Output:
	// sqlstore: Config.DB is nil: set it to what sql.Open returned
}

// FuzzSQLiteDSN reads the path out of the name as SQLite does, and expects the one put in.
func FuzzSQLiteDSN(f *testing.F) {
	for _, s := range []string{"", "a.db", "/a.db", "//a/b.db", "a?b", "a#b", "a%41", "a b",
		":memory:", "\x00", "é", "\xff", "../x", "a&b=c", "file:a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		dsn := sqlstore.SQLiteDSN(path)
		name, query, _ := strings.Cut(dsn, "?")
		if !strings.HasPrefix(query, "_txlock=immediate&_pragma=busy_timeout(5000)&") ||
			strings.ContainsAny(query, "?#%") {
			t.Fatalf("%q: the settings are %q", path, query)
		}
		got, err := url.PathUnescape(strings.TrimPrefix(name, "file:"))
		if err != nil || strings.ContainsAny(name, "#\x00") {
			t.Fatalf("%q: the name is %q: %v", path, name, err)
		}
		want := filepath.Clean(path)
		if path == "" || strings.ContainsRune(path, 0) {
			want = "."
		}
		// SQLite takes what follows two slashes for a host, up to the next.
		if rest, found := strings.CutPrefix(got, "//"); found {
			host, _, _ := strings.Cut(rest, "/")
			if host != "" {
				t.Fatalf("%q: the name %q has the host %q", path, name, host)
			}
			got = rest
		} else if !strings.HasPrefix(got, "./") {
			t.Fatalf("%q: the relative name %q may be taken for something else", path, name)
		}
		if filepath.Clean(got) != want {
			t.Errorf("%q: the file is %q, want %q", path, filepath.Clean(got), want)
		}
	})
}
