package servers

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/secondgate/secondgate/internal/freeport"
)

// Cluster is servers of which one leads, and the network between them: each is reached by the
// others through a proxy.
type Cluster struct {
	Nodes []*Server

	t       testing.TB
	proxies []*Proxy
	// leader returns the index of the node that leads, as one node sees it.
	leader func(s *Server) (int, error)
	// behind is the error of a leader that knows of another node that has not everything. It may be
	// nil.
	behind func(leader *Server) error
}

// newCluster makes the nodes, and the proxies in front of their ports for each other.
func newCluster(t testing.TB, nodes int) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	for range nodes {
		c.Nodes = append(c.Nodes, newServer(t))
		c.proxies = append(c.proxies, NewProxy(t, fmt.Sprintf("127.0.0.1:%d", freeport.Reserve(t))))
	}
	return c
}

// start starts all nodes, none of which is ready without the others.
func (c *Cluster) start() {
	c.t.Helper()
	for _, s := range c.Nodes {
		s.boot()
	}
	for _, s := range c.Nodes {
		s.await()
	}
}

// Addrs returns the addresses for clients, separated by commas.
func (c *Cluster) Addrs() string {
	var list []string
	for _, s := range c.Nodes {
		list = append(list, s.Addr)
	}
	return strings.Join(list, ",")
}

// Leader waits until the nodes other than those excepted agree that one of them leads, and returns
// its index.
func (c *Cluster) Leader(except ...int) int {
	c.t.Helper()
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		leader, err := c.agreed(except)
		if err == nil {
			return leader
		}
		if time.Since(began) > 3*time.Minute {
			c.t.Fatalf("the nodes elect no leader: %v", err)
		}
	}
}

func (c *Cluster) agreed(except []int) (int, error) {
	leader := -1
	for i, s := range c.Nodes {
		if slices.Contains(except, i) {
			continue
		}
		said, err := c.leader(s)
		switch {
		case err != nil:
			return 0, err
		case said < 0 || slices.Contains(except, said) || leader >= 0 && said != leader:
			return 0, fmt.Errorf("node %d says that node %d leads", i, said)
		}
		leader = said
	}
	return leader, nil
}

// Whole waits until each node has what the leader has, and returns the leader's index.
func (c *Cluster) Whole() int {
	c.t.Helper()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		leader := c.Leader()
		if c.behind == nil {
			return leader
		}
		err := c.behind(c.Nodes[leader])
		if err == nil {
			return leader
		}
		if time.Since(began) > 3*time.Minute {
			c.t.Fatalf("a node stays behind: %v", err)
		}
	}
}

// CutOff breaks the connections between the nodes, and lets none be made from and to one of them.
// Clients still reach it.
func (c *Cluster) CutOff(node int) {
	for i, p := range c.proxies {
		p.refuseFrom(func(client net.Conn) bool {
			return i == node || c.Nodes[node].owns(client.RemoteAddr(), client.LocalAddr())
		})
		p.Cut()
	}
}

// Heal ends CutOff.
func (c *Cluster) Heal() {
	for _, p := range c.proxies {
		p.refuseFrom(nil)
	}
}

// owns reports whether a connection is one that the server made from one address to another.
func (s *Server) owns(from, to net.Addr) bool {
	table, _ := os.ReadFile("/proc/net/tcp")
	inode := ""
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) > 9 && f[1] == inTable(from) && f[2] == inTable(to) {
			inode = f[9]
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return false
	}
	files, _ := filepath.Glob("/proc/" + strconv.Itoa(s.cmd.Process.Pid) + "/fd/*")
	return slices.ContainsFunc(files, func(file string) bool {
		name, err := os.Readlink(file)
		return err == nil && name == "socket:["+inode+"]"
	})
}

// inTable is an address on the loopback interface as /proc/net/tcp has it.
func inTable(a net.Addr) string {
	return fmt.Sprintf("0100007F:%04X", a.(*net.TCPAddr).Port)
}
