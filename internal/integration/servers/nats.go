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

	"github.com/secondgate/secondgate/internal/freeport"
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
		monitors[i] = fmt.Sprintf("127.0.0.1:%d", freeport.Reserve(t))
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
	c.behind = func(leader *Server) error {
		return natsBehind(monitors[slices.Index(c.Nodes, leader)], nodes)
	}
	c.start()
	return c
}

// natsHealthy says whether a server takes part in the cluster, and has what it should have.
func natsHealthy(monitor string) error {
	return ask(monitor, "/healthz", new(struct{}))
}

// natsStream is what a server says of the replicas of a stream.
type natsStream struct {
	Name    string
	Cluster struct {
		Leader   string
		Replicas []struct {
			Current bool
			Lag     int
		}
	}
}

// natsStreamOf returns the stream "secondgate", as a server sees it.
func natsStreamOf(monitor string) (natsStream, error) {
	var state struct {
		Accounts []struct {
			Streams []natsStream `json:"stream_detail"`
		} `json:"account_details"`
	}
	if err := ask(monitor, "/jsz?streams=true", &state); err != nil {
		return natsStream{}, err
	}
	for _, a := range state.Accounts {
		for _, s := range a.Streams {
			if s.Name == "secondgate" {
				return s, nil
			}
		}
	}
	return natsStream{}, errors.New("there is no stream")
}

// natsLeader returns which node leads the stream, as a server sees it.
func natsLeader(monitor string) (int, error) {
	s, err := natsStreamOf(monitor)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimPrefix(s.Cluster.Leader, "n"))
}

// natsBehind is the error of a leader that knows of a replica that has not everything.
func natsBehind(monitor string, nodes int) error {
	s, err := natsStreamOf(monitor)
	if err != nil {
		return err
	}
	for _, r := range s.Cluster.Replicas {
		if !r.Current || r.Lag > 0 {
			return fmt.Errorf("of the replicas %+v one is behind", s.Cluster.Replicas)
		}
	}
	if len(s.Cluster.Replicas) != nodes-1 {
		return fmt.Errorf("there are %d other replicas", len(s.Cluster.Replicas))
	}
	return nil
}
