// Package clusters_test runs the stores of etcd and NATS over clusters of three servers.
package clusters_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/etcdstore"
	"github.com/secondgate/secondgate/storage/storagetest"
)

func etcd(t testing.TB, addrs string) *clientv3.Client {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: strings.Split(addrs, ","),
		Logger: zap.NewNop()})
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestEtcdStore_Conforms(t *testing.T) {
	cluster := servers.Etcd(t, 3)
	storagetest.Run(t, servers.InTurn(func() storage.Store {
		return etcdstore.New(etcd(t, cluster.Addrs()), "")
	}))
	t.Run("a leader that is cut off", func(t *testing.T) { etcdReadsNothingStale(t, cluster) })
}

// A cluster at its quota refuses writes, and says nothing else of any record: what was there is
// read, and no write is a conflict. It writes again when an operator has made room.
func TestEtcdStore_AtItsQuota(t *testing.T) {
	cluster := servers.Etcd(t, 1, "--quota-backend-bytes=8388608")
	client := etcd(t, cluster.Addrs())
	store := etcdstore.New(client, "")
	require.NoError(t, store.Swap(t.Context(), "ann", "", record("unused")))
	var full error
	var revision int64
	for i := 0; full == nil; i++ {
		require.Less(t, i, 100)
		var reply *clientv3.PutResponse
		reply, full = client.Put(t.Context(), "filler", strings.Repeat("x", 1<<20))
		if full == nil {
			revision = reply.Header.Revision
		}
	}
	require.ErrorIs(t, full, rpctypes.ErrNoSpace)

	ann := storage.Entry{Key: "ann", Record: record("unused")}
	_, batch := store.SwapBatch(t.Context(), []storage.Entry{ann},
		[]storage.Record{record("used")})
	for name, err := range map[string]error{
		"swap":   store.Swap(t.Context(), "ann", "unused", record("used")),
		"stale":  store.Swap(t.Context(), "ann", "older", record("used")),
		"create": store.Swap(t.Context(), "ben", "", record("new")), "batch": batch,
	} {
		require.ErrorIs(t, err, rpctypes.ErrNoSpace, name)
		require.NotErrorIs(t, err, storage.ErrConflict, name)
	}
	now, err := store.Get(t.Context(), "ann")
	require.NoError(t, err)
	require.Equal(t, record("unused"), now)
	_, err = store.Get(t.Context(), "ben")
	require.ErrorIs(t, err, storage.ErrNotFound)

	_, err = client.Compact(t.Context(), revision, clientv3.WithCompactPhysical())
	require.NoError(t, err)
	_, err = client.Defragment(t.Context(), cluster.Addrs())
	require.NoError(t, err)
	require.ErrorIs(t, store.Swap(t.Context(), "ann", "unused", record("used")),
		rpctypes.ErrNoSpace, "the alarm stays")
	_, err = client.AlarmDisarm(t.Context(), &clientv3.AlarmMember{})
	require.NoError(t, err)
	require.NoError(t, store.Swap(t.Context(), "ann", "unused", record("used")))
}

// A server that is cut off from the others replies to a serializable read from what it has, and to
// the reads of the store not at all.
func etcdReadsNothingStale(t *testing.T, cluster *servers.Cluster) {
	t.Helper()
	leader := cluster.Leader()
	alone := etcd(t, cluster.Nodes[leader].Addr)
	store := etcdstore.New(alone, "")
	swapped(t, store, "", record("unused"))

	cluster.CutOff(leader)
	elected := cluster.Leader(leader) // with which the cluster is back
	others := etcdstore.New(etcd(t, cluster.Nodes[elected].Addr), "")
	swapped(t, others, "unused", record("used"))

	stale, err := alone.Get(t.Context(), "secondgate/ann", clientv3.WithSerializable())
	require.NoError(t, err)
	require.Contains(t, string(stale.Kvs[0].Value), "unused")
	failsUntilHealed(t, cluster, store)
}

// swapped changes the record of ann while a cluster may elect, when servers lose requests without a
// reply.
func swapped(t *testing.T, store storage.Store, old storage.Revision, next storage.Record) {
	t.Helper()
	attempt := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		err := store.Swap(ctx, "ann", old, next)
		if !errors.Is(err, storage.ErrConflict) {
			return err
		}
		// An attempt that failed may have written.
		now, err := store.Get(ctx, "ann")
		if err == nil && now.Revision != next.Revision {
			err = storage.ErrConflict
		}
		return err
	}
	err := attempt()
	for began := time.Now(); err != nil && time.Since(began) < 3*time.Minute; {
		time.Sleep(50 * time.Millisecond)
		err = attempt()
	}
	require.NoError(t, err)
}

// failsUntilHealed checks that the store of a server that is cut off returns an error and no
// record, and what the others wrote once the cluster is whole again.
func failsUntilHealed(t *testing.T, cluster *servers.Cluster, store storage.Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := store.Get(ctx, "ann")
	require.Error(t, err)
	require.NotErrorIs(t, err, storage.ErrNotFound)

	cluster.Heal()
	cluster.Leader()
	// The server that was cut off may refuse a read until it knows who leads.
	read := func() (storage.Record, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		return store.Get(ctx, "ann")
	}
	now, err := read()
	for began := time.Now(); err != nil && time.Since(began) < 3*time.Minute; {
		require.NotErrorIs(t, err, storage.ErrNotFound)
		time.Sleep(50 * time.Millisecond)
		now, err = read()
	}
	require.NoError(t, err)
	require.Equal(t, record("used"), now)
}

func record(revision storage.Revision) storage.Record {
	return storage.Record{Revision: revision, Data: []byte("x")}
}
