package servers

import (
	"database/sql"
	"fmt"
	"io"
	"log"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// MariaDB starts a server. Options are added to its command line, such as "--sql-mode=".
// Writes are synced, so that a kill loses nothing.
func MariaDB(t testing.TB, options ...string) *Server {
	t.Helper()
	install := need(t, "mariadb-install-db")
	_ = mysql.SetLogger(log.New(io.Discard, "", 0)) // it prints what the tests provoke
	s := newServer(t)
	data := filepath.Join(s.Dir, "data")
	s.prepare(data, install, "--datadir=", "--no-defaults",
		"--auth-root-authentication-method=normal",
		"--skip-test-db", "--skip-name-resolve")
	s.start = mariadbd(t, options...)
	s.ready = createDatabase // a node of a cluster answers a ping before it takes a statement
	s.Start()
	return s
}

// mariadbd returns how a server is started on the data in its directory.
func mariadbd(t testing.TB, options ...string) func(s *Server) *exec.Cmd {
	t.Helper()
	program := need(t, "mariadbd", "/usr/sbin")
	return func(s *Server) *exec.Cmd {
		// A file that may not grow is an error to it, as a full disk is, and not its death.
		return s.command("env", append([]string{"--ignore-signal=XFSZ", program, "--no-defaults",
			"--datadir=" + filepath.Join(s.Dir, "data"), "--bind-address=127.0.0.1",
			"--port=" + s.Port(), "--socket=" + filepath.Join(s.Dir, "sock"),
			"--pid-file=" + filepath.Join(s.Dir, "pid"), "--skip-name-resolve",
			"--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=1",
			"--max-connections=300"}, options...)...)
	}
}

// MariaDBDSN is the address of a database for go-sql-driver; the test's own is "secondgate".
func MariaDBDSN(addr, database string) string {
	return fmt.Sprintf("root@tcp(%s)/%s?timeout=5s", addr, database)
}

// createDatabase creates the test's database if the server does not have it.
func createDatabase(s *Server) error {
	db, err := sql.Open("mysql", MariaDBDSN(s.Addr, ""))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	_, err = db.Exec("CREATE DATABASE IF NOT EXISTS secondgate")
	return err
}
