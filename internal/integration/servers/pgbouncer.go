package servers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// PgBouncer starts a pooler in transaction mode before a PostgreSQL server. Settings are lines of
// the section [pgbouncer] of its file, such as "default_pool_size = 4".
func PgBouncer(t testing.TB, upstream *Server, settings ...string) *Server {
	t.Helper()
	pgbouncer := need(t, "pgbouncer", "/usr/sbin")
	s := newServer(t)
	file := filepath.Join(s.Dir, "pgbouncer.ini")
	text := fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%s user=secondgate
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir =
auth_type = any
pool_mode = transaction
ignore_startup_parameters = extra_float_digits
`, upstream.Port(), s.Port())
	for _, line := range settings {
		text += line + "\n"
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	s.start = func(s *Server) *exec.Cmd { return s.command(pgbouncer, file) }
	s.ready = func(s *Server) error {
		return ping("pgx", s.PostgreSQLDSN()+"&default_query_exec_mode=exec")
	}
	s.Start()
	return s
}
