package servers

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Etcd starts a cluster. Flags are added to the command line of each server.
func Etcd(t testing.TB, nodes int, flags ...string) *Cluster {
	t.Helper()
	program := need(t, "etcd")
	c := newCluster(t, nodes)
	var initial []string
	for i, p := range c.proxies {
		initial = append(initial, fmt.Sprintf("n%d=http://%s", i, p.Addr))
	}
	for i, s := range c.Nodes {
		s.start = func(s *Server) *exec.Cmd {
			return s.command(program, append(flags[:len(flags):len(flags)],
				"--name", fmt.Sprintf("n%d", i),
				"--data-dir", filepath.Join(s.Dir, "data"), "--logger", "zap",
				"--listen-client-urls", "http://"+s.Addr,
				"--advertise-client-urls", "http://"+s.Addr,
				"--listen-peer-urls", "http://"+c.proxies[i].target,
				"--initial-advertise-peer-urls", "http://"+c.proxies[i].Addr,
				"--initial-cluster", strings.Join(initial, ","))...)
		}
		s.ready = func(s *Server) error {
			status, err := etcdStatus(s)
			if err == nil && status.Leader == "" {
				err = errors.New("no server leads")
			}
			return err
		}
	}
	c.start()
	var ids []string // which servers choose for themselves
	for _, s := range c.Nodes {
		status, err := etcdStatus(s)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, status.Header.ID)
	}
	c.leader = func(s *Server) (int, error) {
		status, err := etcdStatus(s)
		return slices.Index(ids, status.Leader), err
	}
	return c
}

type etcdStatusReply struct {
	Header struct {
		ID string `json:"member_id"`
	}
	Leader string
}

func etcdStatus(s *Server) (status etcdStatusReply, err error) {
	err = ask(s.Addr, "/v3/maintenance/status", &status)
	return status, err
}

// ask reads what a server replies to an empty request for JSON.
func ask(addr, path string, into any) error {
	client := http.Client{Timeout: time.Minute}
	reply, err := client.Post("http://"+addr+path, "application/json", strings.NewReader("{}"))
	if err != nil {
		return err
	}
	defer func() { _ = reply.Body.Close() }()
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, reply.Status)
	}
	return json.NewDecoder(reply.Body).Decode(into)
}
