package servers

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/secondgate/secondgate/internal/freeport"
)

// patient are the timeouts after which nodes leave out one that is silent. The defaults of 5 to 15
// seconds are too short on a busy machine.
const patient = "evs.suspect_timeout=PT1M; evs.install_timeout=PT1M; evs.inactive_timeout=PT2M"

// Galera starts a cluster of so many MariaDB nodes that replicate to each other; the database
// "secondgate" is in it. Each node begins with a copy of the first one's data, so that none has to
// fetch it.
func Galera(t testing.TB, nodes int) []*Server {
	t.Helper()
	provider := need(t, "libgalera_smm.so", "/usr/lib/galera", "/usr/lib/*/galera*")
	var groups []string
	for range nodes {
		groups = append(groups, fmt.Sprintf("127.0.0.1:%d", freeport.Reserve(t)))
	}
	options := func(i int) []string {
		return []string{"--wsrep-on=ON", "--wsrep-provider=" + provider,
			"--wsrep-cluster-address=gcomm://" + strings.Join(groups, ","),
			"--wsrep-node-address=" + groups[i], "--wsrep-sst-method=rsync",
			fmt.Sprintf("--wsrep-provider-options=gmcast.listen_addr=tcp://%s; "+
				"ist.recv_addr=127.0.0.1:%d; gcache.size=8M; socket.ssl=NO; "+patient, groups[i],
				freeport.Reserve(t)),
			"--binlog-format=ROW", "--innodb-autoinc-lock-mode=2"}
	}
	first := MariaDB(t, append(options(0), "--wsrep-new-cluster")...)
	first.Stop()
	cluster := []*Server{first}
	for i := 1; i < nodes; i++ {
		s := newServer(t)
		if err := copyTree(filepath.Join(first.Dir, "data"),
			filepath.Join(s.Dir, "data")); err != nil {
			t.Fatal(err)
		}
		s.start = mariadbd(t, options(i)...)
		s.ready = joined
		cluster = append(cluster, s)
	}
	for _, s := range cluster {
		s.Start()
	}
	// A node that was ready takes no statements for a moment while another one joins.
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		err := together(cluster)
		if err == nil {
			return cluster
		}
		if time.Since(began) > 3*time.Minute {
			t.Fatalf("the nodes do not form a cluster: %v", err)
		}
	}
}

// together says whether every node takes statements, knows all the others, and has received what
// they wrote. All nodes are asked for one after the other, so that a node which was ready before
// another joined is asked again.
func together(cluster []*Server) error {
	for range 2 {
		for _, s := range cluster {
			for _, want := range [][2]string{{"wsrep_cluster_size", fmt.Sprint(len(cluster))},
				{"wsrep_local_state_comment", "Synced"}, {"wsrep_ready", "ON"}} {
				if err := nodeStatus(s, want[0], want[1]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// joined says whether a node takes part in the cluster.
func joined(s *Server) error { return nodeStatus(s, "wsrep_ready", "ON") }

// nodeStatus compares a status variable of a node.
func nodeStatus(s *Server, variable, want string) error {
	db, err := sql.Open("mysql", MariaDBDSN(s.Addr, ""))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	var name, have string
	if err := db.QueryRow("SHOW STATUS LIKE '"+variable+"'").Scan(&name, &have); err != nil {
		return err
	}
	if have != want {
		return fmt.Errorf("%s is %s at a node, not %s", variable, have, want)
	}
	return nil
}
