package servers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// NATS starts a cluster with JetStream, which syncs each write. A node leads if it leads the stream
// "secondgate", which a test creates.
func NATS(t testing.TB, nodes int) *Cluster {
	t.Helper()
	program := built(t, "nats-server", "tools", "github.com/nats-io/nats-server/v2")
	c := newCluster(t, nodes)
	monitors := make([]string, nodes)
	var routes []string
	for i, p := range c.proxies {
		monitors[i] = fmt.Sprintf("127.0.0.1:%d", FreePort(t))
		routes = append(routes, `"nats://`+p.Addr+`"`)
	}
	for i, s := range c.Nodes {
		file := filepath.Join(s.Dir, "nats.conf")
		text := fmt.Sprintf(`server_name: n%d
listen: %q
http: %q
jetstream { store_dir: %q, max_file_store: 1GB, max_memory_store: 64MB, sync_interval: always }
cluster { name: test, listen: %q, cluster_advertise: %q, no_advertise: true, pool_size: -1
  routes: [%s] }
`, i, s.Addr, monitors[i], filepath.Join(s.Dir, "data"), c.proxies[i].target, c.proxies[i].Addr,
			strings.Join(routes, ", "))
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil { //nolint:gosec // read by it
			t.Fatal(err)
		}
		s.start = func(s *Server) *exec.Cmd {
			cmd := s.command(program, "-c", file)
			cmd.SysProcAttr.Credential = nil // nobody need not reach a clone in a home directory
			return cmd
		}
		s.ready = func(*Server) error { return natsHealthy(monitors[i]) }
	}
	c.leader = func(s *Server) (int, error) {
		return natsLeader(monitors[slices.Index(c.Nodes, s)])
	}
	c.start()
	return c
}

// natsHealthy says whether a server takes part in the cluster, and has what it should have.
func natsHealthy(monitor string) error {
	return ask(monitor, "/healthz", new(struct{}))
}

// natsLeader returns which node leads the stream, as a server sees it.
func natsLeader(monitor string) (int, error) {
	var state struct {
		Accounts []struct {
			Streams []struct {
				Cluster struct{ Leader string }
			} `json:"stream_detail"`
		} `json:"account_details"`
	}
	if err := ask(monitor, "/jsz?streams=true", &state); err != nil {
		return 0, err
	}
	for _, a := range state.Accounts {
		for _, s := range a.Streams {
			return strconv.Atoi(strings.TrimPrefix(s.Cluster.Leader, "n"))
		}
	}
	return 0, errors.New("there is no stream")
}
