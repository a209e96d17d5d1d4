package servers

import (
	"net"
	"os/exec"
	"path/filepath"
	"testing"
)

// FerretDB starts a server with the protocol of MongoDB, which does one command after the other.
func FerretDB(t testing.TB) *Server {
	t.Helper()
	program := built(t, "ferretdb", "tools/ferretdb", "-tags", "ferretdb_no_postgresql", ".")
	return standIn(t, func(s *Server) *exec.Cmd { return s.command(program, s.Addr, s.Dir) })
}

// patience keeps dynalite alive when a client ends a request that it is sending.
const patience = `process.on("uncaughtException", (err) => {
	if (err.code !== "ECONNRESET") throw err
})
require(process.argv[1])`

// Dynalite starts a stand-in for DynamoDB, from a node_modules directory. It keeps records in
// memory.
func Dynalite(t testing.TB, modules string) *Server {
	t.Helper()
	node := need(t, "node")
	return standIn(t, func(s *Server) *exec.Cmd {
		return s.command(node, "-e", patience, "--", filepath.Join(modules, "dynalite", "cli.js"),
			"--host", "127.0.0.1", "--port", s.Port(), "--createTableMs", "0")
	})
}

// standIn starts a server that is ready when it listens.
func standIn(t testing.TB, start func(s *Server) *exec.Cmd) *Server {
	t.Helper()
	s := newServer(t)
	s.start = func(s *Server) *exec.Cmd {
		cmd := start(s)
		cmd.SysProcAttr.Credential = nil // nobody need not reach a clone in a home directory
		return cmd
	}
	s.ready = func(s *Server) error {
		conn, err := net.Dial("tcp", s.Addr)
		if err == nil {
			_ = conn.Close()
		}
		return err
	}
	s.Start()
	return s
}
