package servers

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// Galera starts a cluster of so many MariaDB nodes that replicate to each other; the database
// "secondgate" is in it. Each node begins with a copy of the first one's data, so that none has to
// fetch it.
func Galera(t testing.TB, nodes int) []*Server {
	t.Helper()
	provider := need(t, "libgalera_smm.so", "/usr/lib/galera", "/usr/lib/*/galera*")
	var groups []string
	for range nodes {
		groups = append(groups, fmt.Sprintf("127.0.0.1:%d", FreePort(t)))
	}
	options := func(i int) []string {
		return []string{"--wsrep-on=ON", "--wsrep-provider=" + provider,
			"--wsrep-cluster-address=gcomm://" + strings.Join(groups, ","),
			"--wsrep-node-address=" + groups[i], "--wsrep-sst-method=rsync",
			fmt.Sprintf("--wsrep-provider-options=gmcast.listen_addr=tcp://%s; "+
				"ist.recv_addr=127.0.0.1:%d; gcache.size=8M; socket.ssl=NO", groups[i],
				FreePort(t)),
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
	return cluster
}

// joined says whether a node takes part in the cluster.
func joined(s *Server) error {
	db, err := sql.Open("mysql", MariaDBDSN(s.Addr, ""))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	var name, ready string
	if err := db.QueryRow("SHOW STATUS LIKE 'wsrep_ready'").Scan(&name, &ready); err != nil {
		return err
	}
	if ready != "ON" {
		return errors.New("the node has not joined")
	}
	return nil
}
