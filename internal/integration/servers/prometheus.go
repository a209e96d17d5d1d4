package servers

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"
)

// Prometheus starts a server with a configuration file.
func Prometheus(t testing.TB, config string) *Server {
	t.Helper()
	program := need(t, "prometheus")
	s := newServer(t)
	s.start = func(s *Server) *exec.Cmd {
		return s.command(program, "--config.file="+config, "--web.listen-address="+s.Addr,
			"--storage.tsdb.path="+filepath.Join(s.Dir, "data"), "--log.level=warn")
	}
	s.ready = func(s *Server) error {
		response, err := http.Get("http://" + s.Addr + "/-/ready")
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("Prometheus: %s", response.Status)
		}
		return nil
	}
	s.Start()
	return s
}
