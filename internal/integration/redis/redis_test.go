// Package redis_test runs redisstore over real Redis servers, one alone and a cluster.
package redis_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/freeport"
	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/redisstore"
	"github.com/secondgate/secondgate/storage/storagetest"
)

// quiet: the client prints what the tests provoke.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

func TestMain(m *testing.M) {
	redis.SetLogger(quiet{})
	os.Exit(m.Run())
}

func connect(t testing.TB, addr string, change ...func(*redis.Options)) *redis.Client {
	t.Helper()
	o := &redis.Options{Addr: addr, MaxRetries: -1, ContextTimeoutEnabled: true,
		// above every bound of a test
		DialTimeout: time.Minute, ReadTimeout: time.Minute, WriteTimeout: time.Minute}
	for _, f := range change {
		f(o)
	}
	c := redis.NewClient(o)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// do is the one line of the documentation.
func do(client redis.Cmdable) redisstore.Do {
	type doer interface {
		Do(ctx context.Context, args ...any) *redis.Cmd
	}
	return func(ctx context.Context, args ...any) (any, error) {
		return client.(doer).Do(ctx, args...).Result()
	}
}

func record(revision storage.Revision) storage.Record {
	return storage.Record{Revision: revision, Data: []byte("x")}
}

func open(t testing.TB, cfg redisstore.Config) *redisstore.Store {
	t.Helper()
	s, err := redisstore.New(t.Context(), cfg)
	require.NoError(t, err)
	return s
}

func TestStore_Conforms(t *testing.T) {
	server := servers.Redis(t)
	for name, protocol := range map[string]int{"RESP2": 2, "RESP3": 3} {
		t.Run(name, func(t *testing.T) {
			storagetest.Run(t, servers.InTurn(func() storage.Store {
				return open(t, redisstore.Config{Do: do(connect(t, server.Addr,
					func(o *redis.Options) {
						o.Protocol = protocol
					}))})
			}))
		})
	}
}

// primaries is what the documentation of Config.Nodes shows.
func primaries(cluster *redis.ClusterClient) func(ctx context.Context) ([]redisstore.Do, error) {
	return func(ctx context.Context) ([]redisstore.Do, error) {
		var mu sync.Mutex
		nodes := map[string]redisstore.Do{}
		err := cluster.ForEachMaster(ctx, func(_ context.Context, c *redis.Client) error {
			mu.Lock()
			defer mu.Unlock()
			nodes[c.Options().Addr] = func(ctx context.Context, args ...any) (any, error) {
				return c.Do(ctx, args...).Result()
			}
			return nil
		})
		var dos []redisstore.Do
		for _, addr := range slices.Sorted(maps.Keys(nodes)) {
			dos = append(dos, nodes[addr])
		}
		return dos, err
	}
}

// clustered opens a store on a cluster, of which the client knows one node.
func clustered(t testing.TB, nodes []*servers.Server) *redisstore.Store {
	t.Helper()
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{nodes[0].Addr},
		ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = c.Close() })
	return open(t, redisstore.Config{Do: do(c), Nodes: primaries(c)})
}

func TestStore_ConformsOnCluster(t *testing.T) {
	nodes := servers.RedisCluster(t)
	storagetest.Run(t, servers.InTurn(func() storage.Store { return clustered(t, nodes) }))

	store := clustered(t, nodes)
	for i := range 1000 {
		require.NoError(t, store.Swap(t.Context(), fmt.Sprintf("many/%d", i), "",
			storage.Record{Revision: "r", Data: []byte("x")}))
	}
	seen, cursor := map[string]bool{}, storage.Cursor("")
	for {
		page, next, err := store.List(t.Context(), "many/", cursor, 50)
		require.NoError(t, err)
		for _, e := range page {
			seen[e.Key] = true
		}
		if cursor = next; next == "" {
			break
		}
	}
	require.Len(t, seen, 1000, "of all nodes")
	_, own, err := store.List(t.Context(), "", "", 10)
	require.NoError(t, err)
	for _, bad := range []storage.Cursor{
		"x", "0", "0:0", "3" + own[1:], "-1" + own[1:], own + ":0", own + "x",
		"0:0123456789abcdef:0", own + "99999999999999999999", "::",
	} {
		_, _, err := store.List(t.Context(), "", bad, 10)
		require.ErrorIs(t, err, storage.ErrInvalid, bad)
	}
}

func TestNew_RefusesInvalidConfigs(t *testing.T) {
	never := func(context.Context, ...any) (any, error) {
		return nil, errors.New("must not be called")
	}
	for want, cfg := range map[string]redisstore.Config{
		"Config.Do":   {},
		"Prefix":      {Do: never, Prefix: strings.Repeat("p", 65)},
		"negative":    {Do: never, WaitReplicas: -1},
		"Config.Pin":  {Do: never, WaitReplicas: 1},
		"millisecond": {Do: never, WaitTimeout: time.Microsecond},
		"Config.Nodes": {Do: never, Nodes: func(context.Context) ([]redisstore.Do, error) {
			return nil, nil
		}},
	} {
		_, err := redisstore.New(t.Context(), cfg)
		require.ErrorContains(t, err, want)
	}
}

// The server forgets the scripts, and nothing is lost by it.
func TestStore_WorksWhenScriptsAreForgotten(t *testing.T) {
	server := servers.Redis(t)
	client := connect(t, server.Addr)
	store := open(t, redisstore.Config{Do: do(client)})
	old := storage.Revision("")
	for i := range 5 {
		require.NoError(t, client.ScriptFlush(t.Context()).Err())
		next := storage.Revision(fmt.Sprint("r", i))
		require.NoError(t, store.Swap(t.Context(), "k", old, storage.Record{Revision: next,
			Data: []byte("x")}))
		old = next
	}
	require.NoError(t, client.ScriptFlush(t.Context()).Err())
	require.NoError(t, store.Delete(t.Context(), "k", old))
}

// What was acknowledged is there after the server was killed under load.
func TestStore_KilledServerKeepsAcknowledgedWrites(t *testing.T) {
	server := servers.Redis(t)
	store := open(t, redisstore.Config{Do: do(connect(t, server.Addr))})
	const workers = 8
	acknowledged, attempted := make([]storage.Revision, workers), make([]storage.Revision, workers)
	var wg, first sync.WaitGroup
	first.Add(workers)
	for w := range workers {
		wg.Go(func() {
			began := sync.OnceFunc(first.Done)
			defer began()
			old := storage.Revision("")
			for i := 0; ; i++ {
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				attempted[w] = storage.Revision(fmt.Sprint("r", i))
				err := store.Swap(ctx, fmt.Sprint("k", w), old,
					storage.Record{Revision: attempted[w], Data: []byte("x")})
				cancel()
				if err != nil {
					return
				}
				acknowledged[w], old = attempted[w], attempted[w]
				began()
			}
		})
	}
	first.Wait() // for a first acknowledged write of each, and killed in the middle of others
	server.Kill()
	wg.Wait()
	server.Start()
	for w := range workers {
		require.NotEmpty(t, acknowledged[w])
		got, err := store.Get(t.Context(), fmt.Sprint("k", w))
		require.NoError(t, err)
		require.Contains(t, []storage.Revision{acknowledged[w], attempted[w]}, got.Revision)
	}
}

func writes(ctx context.Context, s *redisstore.Store) map[string]error {
	return map[string]error{"swap": s.Swap(ctx, "k", "r", storage.Record{Revision: "r2",
		Data: []byte("x")}),
		"create": s.Swap(ctx, "new", "", storage.Record{Revision: "r", Data: []byte("x")})}
}

func requireOutage(t *testing.T, errs map[string]error, operations ...string) {
	t.Helper()
	for _, op := range operations {
		require.Error(t, errs[op], op)
		require.NotErrorIs(t, errs[op], storage.ErrNotFound, op)
		require.NotErrorIs(t, errs[op], storage.ErrConflict, op)
		require.NotErrorIs(t, errs[op], storage.ErrInvalid, op)
	}
}

var all = []string{"get", "list", "delete", "swap", "create"}

// An outage is an error within the caller's time, and no result.
func TestStore_OutagesAreErrorsInTime(t *testing.T) {
	server := servers.Redis(t)
	proxy := servers.NewProxy(t, server.Addr)
	store := open(t, redisstore.Config{Do: do(connect(t, proxy.Addr))})
	require.NoError(t, store.Swap(t.Context(), "k", "",
		storage.Record{Revision: "r", Data: []byte("x")}))
	bounded := func(name string, want error) {
		t.Run(name, func(t *testing.T) {
			for _, op := range all {
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				began := time.Now()
				errs := map[string]error{}
				switch op {
				case "get":
					_, errs[op] = store.Get(ctx, "k")
				case "list":
					_, _, errs[op] = store.List(ctx, "", "", 10)
				case "delete":
					errs[op] = store.Delete(ctx, "k", "never")
				default:
					errs[op] = store.Swap(ctx, "k", "never", storage.Record{Revision: "r2",
						Data: []byte("x")})
				}
				cancel()
				requireOutage(t, errs, op)
				require.Less(t, time.Since(began), 30*time.Second)
				if want != nil {
					require.ErrorIs(t, errs[op], want)
				}
			}
		})
	}
	proxy.Hang(true)
	bounded("hanging", context.DeadlineExceeded)
	proxy.Hang(false)
	proxy.Refuse(true)
	proxy.Cut()
	bounded("refused", nil)
	proxy.Refuse(false)
	server.Kill()
	bounded("gone", nil)
	server.Start()
	got, err := store.Get(t.Context(), "k")
	require.NoError(t, err, "it goes on when the server is back")
	require.EqualValues(t, "r", got.Revision)

	_, err = redisstore.New(t.Context(), redisstore.Config{Do: do(connect(t,
		net.JoinHostPort("127.0.0.1", fmt.Sprint(freeport.Reserve(t)))))})
	require.ErrorContains(t, err, "connection refused")
	locked := servers.Redis(t, "--requirepass", "secret")
	_, err = redisstore.New(t.Context(), redisstore.Config{Do: do(connect(t, locked.Addr,
		func(o *redis.Options) {
			o.Password = "wrong"
		}))})
	require.ErrorContains(t, err, "WRONGPASS")
	_, err = redisstore.New(t.Context(), redisstore.Config{Do: do(connect(t, locked.Addr))})
	require.ErrorContains(t, err, "NOAUTH")
}

// A full server, a replica and foreign data are errors, and no results.
func TestStore_UnusableServersGiveErrors(t *testing.T) {
	server := servers.Redis(t)
	client := connect(t, server.Addr)
	store := open(t, redisstore.Config{Do: do(client)})
	require.NoError(t, store.Swap(t.Context(), "k", "",
		storage.Record{Revision: "r", Data: []byte("x")}))
	require.NoError(t, client.Set(t.Context(), "secondgate:text", "x", 0).Err())
	require.NoError(t, client.HSet(t.Context(), "secondgate:half", "d", "x").Err())
	for _, key := range []string{"text", "half"} {
		_, err := store.Get(t.Context(), key)
		requireOutage(t, map[string]error{key: err}, key)
	}
	require.Error(t, store.Swap(t.Context(), "text", "",
		storage.Record{Revision: "r", Data: []byte("x")}))
	require.Error(t, store.Swap(t.Context(), "half", "",
		storage.Record{Revision: "r", Data: []byte("x")}))
	require.NoError(t, client.Del(t.Context(), "secondgate:text", "secondgate:half").Err())

	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory", "1").Err())
	requireOutage(t, writes(t.Context(), store), "swap", "create")
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory", "0").Err())

	primary := servers.Redis(t)
	_, port, _ := net.SplitHostPort(primary.Addr)
	require.NoError(t, client.Do(t.Context(), "REPLICAOF", "127.0.0.1", port).Err())
	require.Eventually(t, func() bool {
		err := writes(t.Context(), store)["create"]
		return err != nil && strings.Contains(err.Error(), "READONLY")
	}, 2*time.Minute, 50*time.Millisecond)
	requireOutage(t, writes(t.Context(), store), "swap", "create")
	requireOutage(t, map[string]error{"delete": store.Delete(t.Context(), "k", "r")}, "delete")
}

// What this package did not write stays, and half a record is not a missing one.
func TestStore_KeepsForeignHashes(t *testing.T) {
	client := connect(t, servers.Redis(t).Addr)
	store := open(t, redisstore.Config{Do: do(client)})
	for name, fields := range map[string][]any{"empty revision": {"r", "", "d", "x"},
		"no revision": {"d", "x"}, "no data": {"r", "r"}} {
		require.NoError(t, client.HSet(t.Context(), "secondgate:"+name, fields...).Err())
		require.Error(t, store.Swap(t.Context(), name, "", record("r")), name)
		changed, err := client.HExists(t.Context(), "secondgate:"+name, "w").Result()
		require.NoError(t, err)
		require.False(t, changed)
		_, err = store.Get(t.Context(), name)
		requireOutage(t, map[string]error{name: err}, name)
	}
	require.NoError(t, client.HSet(t.Context(), "secondgate:another's", "name", "x").Err())
	require.ErrorIs(t, store.Swap(t.Context(), "another's", "", record("r")), storage.ErrConflict)
}
