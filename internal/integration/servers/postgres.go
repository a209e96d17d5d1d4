package servers

import (
	"database/sql"
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// PostgreSQL starts a server. Options are added to its command line, such as
// "-c", "max_connections=20". Writes are synced, so that a kill loses nothing.
func PostgreSQL(t testing.TB, options ...string) *Server {
	t.Helper()
	const dirs = "/usr/lib/postgresql/*/bin"
	initdb, postgres := need(t, "initdb", dirs), need(t, "postgres", dirs)
	s := newServer(t)
	data := filepath.Join(s.Dir, "data")
	s.prepare(data, initdb, "--pgdata=", "--username=secondgate", "--auth=trust",
		"--encoding=UTF8", "--locale=C", "--no-sync")
	s.postgres(postgres, options)
	s.Start()
	return s
}

// postgres says how the server is started on data that is there.
func (s *Server) postgres(program string, options []string) {
	s.stop = syscall.SIGINT // "fast": does not wait for connections
	s.start = func(s *Server) *exec.Cmd {
		return s.command(program, append([]string{"-D", filepath.Join(s.Dir, "data"),
			"-h", "127.0.0.1", "-p", s.Port(), "-k", s.Dir,
			"-c", "max_connections=200", "-c", "shared_buffers=64MB",
			// In its directory, as a killed server leaves it behind.
			"-c", "dynamic_shared_memory_type=mmap"}, options...)...)
	}
	s.ready = func(s *Server) error { return ping("pgx", s.PostgreSQLDSN()) }
}

// PostgreSQLStandby starts a standby, which streams what a primary writes. The address is that of
// the primary, or of a Proxy to it. In synchronous_standby_names its name is "standby".
func PostgreSQLStandby(t testing.TB, primary string) *Server {
	t.Helper()
	const dirs = "/usr/lib/postgresql/*/bin"
	backup, program := need(t, "pg_basebackup", dirs), need(t, "postgres", dirs)
	s := newServer(t)
	s.run(backup, "--pgdata="+filepath.Join(s.Dir, "data"), "--write-recovery-conf",
		"--checkpoint=fast", "--no-sync", "--dbname="+PostgreSQLDSN(primary))
	s.postgres(program, []string{"-c", "cluster_name=standby"})
	s.Start()
	return s
}

// Promote makes a standby of PostgreSQL a primary, and waits until it is one.
func (s *Server) Promote() {
	s.t.Helper()
	db, err := sql.Open("pgx", s.PostgreSQLDSN())
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var promoted bool
	err = db.QueryRow("SELECT pg_promote(wait_seconds => 180)").Scan(&promoted)
	if err != nil || !promoted {
		s.t.Fatalf("the standby is not promoted: %v", err)
	}
}

// PostgreSQLDSN is the address of the database "postgres", as a URL; see At for a proxy's.
func (s *Server) PostgreSQLDSN() string { return PostgreSQLDSN(s.Addr) }

// PostgreSQLDSN is the same for another address, such as a Proxy's.
func PostgreSQLDSN(addr string) string {
	return fmt.Sprintf("postgres://secondgate@%s/postgres?sslmode=disable&connect_timeout=5", addr)
}

func ping(driver, dsn string) error {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	return db.Ping()
}
