package servers

import (
	"bufio"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/secondgate/secondgate/internal/freeport"
)

// Redis starts a server that keeps what it acknowledged (appendonly, synced on every write)
// and evicts nothing. Options are added to its command line, such as "--appendonly", "no".
func Redis(t testing.TB, options ...string) *Server {
	t.Helper()
	program := need(t, "redis-server")
	s := newServer(t)
	s.start = func(s *Server) *exec.Cmd {
		return s.command(program, append([]string{"--port", s.Port(), "--bind", "127.0.0.1",
			"--dir", s.Dir, "--save", "",
			"--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction",
			"--logfile", filepath.Join(s.Dir, "redis.log")}, options...)...)
	}
	s.ready = func(s *Server) error {
		reply, err := s.redis("PING")
		if err == nil && !strings.HasPrefix(reply, "+PONG") &&
			!strings.HasPrefix(reply, "-NOAUTH") {
			err = fmt.Errorf("PING: %s", reply)
		}
		return err
	}
	s.Start()
	return s
}

// RedisCluster starts a cluster of three primaries.
func RedisCluster(t testing.TB) []*Server {
	t.Helper()
	cli := need(t, "redis-cli")
	var nodes []*Server
	args := []string{"--cluster", "create"}
	for range 3 {
		n := Redis(t, "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf",
			"--cluster-node-timeout", "30000",
			"--cluster-port", fmt.Sprint(freeport.Reserve(t)))
		nodes = append(nodes, n)
		args = append(args, n.Addr)
	}
	nodes[0].run(cli, append(args, "--cluster-yes")...)
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		up := 0
		for _, n := range nodes {
			if info, err := n.redis("CLUSTER INFO"); err == nil &&
				strings.Contains(info, "cluster_state:ok") {
				up++
			}
		}
		if up == len(nodes) {
			return nodes
		}
		if time.Since(began) > 3*time.Minute {
			t.Fatal("the cluster does not come up")
		}
	}
}

// redis sends one inline command and returns what comes first.
func (s *Server) redis(command string) (string, error) {
	c, err := net.DialTimeout("tcp", s.Addr, time.Second)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(2 * time.Second))
	if _, err := fmt.Fprintf(c, "%s\r\n", command); err != nil {
		return "", err
	}
	buf := make([]byte, 4096)
	n, err := bufio.NewReader(c).Read(buf)
	return string(buf[:n]), err
}
