package command_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/etcdstore"
	"github.com/secondgate/secondgate/storage/natsstore"
)

// onEtcd has three servers, of which the URL names two.
func onEtcd(t *testing.T) *operator {
	t.Helper()
	addrs := strings.Split(servers.Etcd(t, 3).Addrs(), ",")
	client, err := clientv3.New(clientv3.Config{Endpoints: addrs, Logger: zap.NewNop()})
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return newOperator(t, "etcd://"+addrs[0]+","+addrs[1]+"/acme/",
		func() storage.Store { return etcdstore.New(client, "acme/") })
}

// onNATS has three servers, of which the URL names two.
func onNATS(t *testing.T) *operator {
	t.Helper()
	addrs := strings.Split(servers.NATS(t, 3).Addrs(), ",")
	conn, err := nats.Connect(addrs[2])
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	require.NoError(t, err)
	return newOperator(t, "nats://"+addrs[0]+","+addrs[1]+"/acme", func() storage.Store {
		t.Helper()
		s, err := natsstore.New(t.Context(), js, "acme")
		require.NoError(t, err)
		return s
	})
}

// A store of several servers that cannot be opened is an error that quotes no password.
func TestCommand_RefusesClusters(t *testing.T) {
	dir := t.TempDir() // those of the subtests have the password in their names
	for store, says := range map[string]string{
		"etcd:host":                             "give the store as",
		"etcd://":                               "give the store as",
		"etcd://u:hunter2@a:2379,":              "give the store as",
		"etcd://u:hunter2@a b/p":                "give the store as",
		"etcd://u:hunter2@a/p?replicas=3":       "give the store as",
		"nats://u:hunter2@a/s?replicas=x":       "give the store as",
		"nats://u:hunter2@a/s?replicas=0":       "give the store as",
		"nats://u:hunter2@a/s?more=1":           "give the store as",
		"nats://u:hunter2@%zz/s":                "nats: ",
		"nats://u:hunter2@127.0.0.1:1/s":        "nats: ",
		"etcd://127.0.0.1:1,127.0.0.1:2/p":      "etcd: ",
		"etcd://u:hunter2@127.0.0.1:1/p":        "etcd: ",
		"etcd+tls://u:hunter2@127.0.0.1:1/p":    "etcd: ",
		"nats+tls://u:hunter2@127.0.0.1:1/s":    "nats: ",
		"nats://u:hunter2@127.0.0.1:1/s.t/more": "nats: ",
	} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			o := &operator{t: t, store: store, keys: dir + "/" + rand.Text()}
			r := o.run("init")
			require.NotZero(t, r.code)
			require.Contains(t, r.messages, says)
			require.NotContains(t, r.messages, "hunter2")
		})
	}
}
