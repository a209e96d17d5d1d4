// Package redis_test runs redisstore over real Redis servers, one alone and a cluster.
package redis_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

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
	o := &redis.Options{Addr: addr, MaxRetries: -1, DialTimeout: 2 * time.Second, ContextTimeoutEnabled: true}
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
	return func(ctx context.Context, args ...any) (any, error) { return client.(doer).Do(ctx, args...).Result() }
}

func open(t testing.TB, cfg redisstore.Config) *redisstore.Store {
	t.Helper()
	s, err := redisstore.New(t.Context(), cfg)
	require.NoError(t, err)
	return s
}

func TestKit(t *testing.T) {
	server := servers.Redis(t)
	for name, protocol := range map[string]int{"RESP2": 2, "RESP3": 3} {
		t.Run(name, func(t *testing.T) {
			storagetest.Run(t, func(t *testing.T) storage.Store {
				return open(t, redisstore.Config{Do: do(connect(t, server.Addr, func(o *redis.Options) { o.Protocol = protocol }))})
			})
		})
	}
}

// clustered opens a store on a cluster.
func clustered(t testing.TB, nodes []*servers.Server) *redisstore.Store {
	t.Helper()
	var addrs []string
	var dos []redisstore.Do
	for _, n := range nodes {
		addrs = append(addrs, n.Addr)
		dos = append(dos, do(connect(t, n.Addr)))
	}
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs, ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = c.Close() })
	return open(t, redisstore.Config{Do: do(c), Nodes: func(context.Context) ([]redisstore.Do, error) { return dos, nil }})
}

func TestKitOnCluster(t *testing.T) {
	nodes := servers.RedisCluster(t)
	storagetest.Run(t, func(t *testing.T) storage.Store { return clustered(t, nodes) })

	store := clustered(t, nodes)
	for i := range 1000 {
		require.NoError(t, store.Swap(t.Context(), fmt.Sprintf("many/%d", i), "", storage.Record{Revision: "r", Data: []byte("x")}))
	}
	seen, cursor := map[string]bool{}, ""
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
	_, _, err := store.List(t.Context(), "", "3:0", 10)
	require.ErrorIs(t, err, storage.ErrInvalid)
	for _, bad := range []string{"x", "0", "0:x", "-1:0", "0:99999999999999999999999", ":"} {
		_, _, err := store.List(t.Context(), "", bad, 10)
		require.ErrorIs(t, err, storage.ErrInvalid, bad)
	}
}

// A server that loses records is refused with a sentence that says what to change.
func TestLossyServersAreRefused(t *testing.T) {
	for _, c := range []struct {
		name, want string
		options    []string
		accept     func(*redisstore.Config)
	}{
		{"eviction", "noeviction", []string{"--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"},
			func(cfg *redisstore.Config) { cfg.InsecureAllowEviction = true }},
		{"eviction of what expires", "noeviction", []string{"--maxmemory-policy", "volatile-lru"},
			func(cfg *redisstore.Config) { cfg.InsecureAllowEviction = true }},
		{"no append-only file", "appendonly", []string{"--appendonly", "no"},
			func(cfg *redisstore.Config) { cfg.InsecureAllowLoss = true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := servers.Redis(t, c.options...)
			cfg := redisstore.Config{Do: do(connect(t, server.Addr))}
			_, err := redisstore.New(t.Context(), cfg)
			require.ErrorContains(t, err, c.want)
			c.accept(&cfg)
			open(t, cfg)
			if len(c.options) > 1 && c.options[0] != "--appendonly" {
				cfg = redisstore.Config{Do: cfg.Do, InsecureAllowLoss: true}
				_, err = redisstore.New(t.Context(), cfg)
				require.Error(t, err, "one acceptance is not the other")
			}
		})
	}
}

// Where CONFIG is refused, as managed services do, INFO tells; where that is refused too, the
// operator says it.
func TestSettingsOfManagedServices(t *testing.T) {
	lossy := servers.Redis(t, "--rename-command", "CONFIG", "", "--maxmemory-policy", "allkeys-lru")
	_, err := redisstore.New(t.Context(), redisstore.Config{Do: do(connect(t, lossy.Addr))})
	require.ErrorContains(t, err, `"allkeys-lru"`)
	sound := servers.Redis(t, "--rename-command", "CONFIG", "")
	open(t, redisstore.Config{Do: do(connect(t, sound.Addr))})

	admin := connect(t, sound.Addr)
	require.NoError(t, admin.Do(t.Context(), "ACL", "SETUSER", "app", "on", ">secret", "~secondgate:*", "+@all", "-@admin", "-@dangerous", "-info").Err())
	app := connect(t, sound.Addr, func(o *redis.Options) { o.Username, o.Password = "app", "secret" })
	_, err = redisstore.New(t.Context(), redisstore.Config{Do: do(app)})
	require.ErrorContains(t, err, "InsecureAllowEviction")
	_, err = redisstore.New(t.Context(), redisstore.Config{Do: do(app), InsecureAllowEviction: true})
	require.ErrorContains(t, err, "InsecureAllowLoss")
	store := open(t, redisstore.Config{Do: do(app), InsecureAllowEviction: true, InsecureAllowLoss: true})
	require.NoError(t, store.Swap(t.Context(), "k", "", storage.Record{Revision: "r", Data: []byte("x")}))
	_, err = redisstore.New(t.Context(), redisstore.Config{Do: do(app), InsecureAllowEviction: true, InsecureAllowLoss: true, Prefix: "elsewhere:"})
	require.ErrorContains(t, err, "NOPERM", "a user that may not use the keys")
}

func TestConfig(t *testing.T) {
	never := func(context.Context, ...any) (any, error) { return nil, errors.New("must not be called") }
	for want, cfg := range map[string]redisstore.Config{
		"Config.Do":    {},
		"Prefix":       {Do: never, Prefix: strings.Repeat("p", 65)},
		"negative":     {Do: never, WaitReplicas: -1},
		"Config.Pin":   {Do: never, WaitReplicas: 1},
		"Config.Nodes": {Do: never, Nodes: func(context.Context) ([]redisstore.Do, error) { return nil, nil }},
	} {
		_, err := redisstore.New(t.Context(), cfg)
		require.ErrorContains(t, err, want)
	}
}

// The server forgets the scripts, and nothing is lost by it.
func TestScriptsForgotten(t *testing.T) {
	server := servers.Redis(t)
	client := connect(t, server.Addr)
	store := open(t, redisstore.Config{Do: do(client)})
	old := ""
	for i := range 5 {
		require.NoError(t, client.ScriptFlush(t.Context()).Err())
		next := fmt.Sprint("r", i)
		require.NoError(t, store.Swap(t.Context(), "k", old, storage.Record{Revision: next, Data: []byte("x")}))
		old = next
	}
	require.NoError(t, client.ScriptFlush(t.Context()).Err())
	require.NoError(t, store.Delete(t.Context(), "k", old))
}

// What was acknowledged is there after the server was killed under load.
func TestKilledServerKeepsWhatItAcknowledged(t *testing.T) {
	server := servers.Redis(t)
	store := open(t, redisstore.Config{Do: do(connect(t, server.Addr))})
	const workers = 8
	acknowledged, attempted := make([]string, workers), make([]string, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			old := ""
			for i := 0; ; i++ {
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				attempted[w] = fmt.Sprint("r", i)
				err := store.Swap(ctx, fmt.Sprint("k", w), old, storage.Record{Revision: attempted[w], Data: []byte("x")})
				cancel()
				if err != nil {
					return
				}
				acknowledged[w], old = attempted[w], attempted[w]
			}
		})
	}
	time.Sleep(500 * time.Millisecond)
	server.Kill()
	wg.Wait()
	server.Start()
	for w := range workers {
		require.NotEmpty(t, acknowledged[w])
		got, err := store.Get(t.Context(), fmt.Sprint("k", w))
		require.NoError(t, err)
		require.Contains(t, []string{acknowledged[w], attempted[w]}, got.Revision)
	}
}

func writes(ctx context.Context, s *redisstore.Store) map[string]error {
	return map[string]error{"swap": s.Swap(ctx, "k", "r", storage.Record{Revision: "r2", Data: []byte("x")}),
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

// An outage is an error within the caller's time, and no answer.
func TestOutages(t *testing.T) {
	server := servers.Redis(t)
	proxy := servers.NewProxy(t, server.Addr)
	store := open(t, redisstore.Config{Do: do(connect(t, proxy.Addr))})
	require.NoError(t, store.Swap(t.Context(), "k", "", storage.Record{Revision: "r", Data: []byte("x")}))
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
					errs[op] = store.Swap(ctx, "k", "never", storage.Record{Revision: "r2", Data: []byte("x")})
				}
				cancel()
				requireOutage(t, errs, op)
				require.Less(t, time.Since(began), 3*time.Second)
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
	require.Equal(t, "r", got.Revision)

	_, err = redisstore.New(t.Context(), redisstore.Config{Do: do(connect(t, net.JoinHostPort("127.0.0.1", fmt.Sprint(servers.FreePort(t)))))})
	require.ErrorContains(t, err, "connection refused")
	locked := servers.Redis(t, "--requirepass", "secret")
	_, err = redisstore.New(t.Context(), redisstore.Config{Do: do(connect(t, locked.Addr, func(o *redis.Options) { o.Password = "wrong" }))})
	require.ErrorContains(t, err, "WRONGPASS")
	_, err = redisstore.New(t.Context(), redisstore.Config{Do: do(connect(t, locked.Addr))})
	require.ErrorContains(t, err, "NOAUTH")
}

// A full server, a replica and foreign data are errors, and no answers.
func TestUnusableServers(t *testing.T) {
	server := servers.Redis(t)
	client := connect(t, server.Addr)
	store := open(t, redisstore.Config{Do: do(client)})
	require.NoError(t, store.Swap(t.Context(), "k", "", storage.Record{Revision: "r", Data: []byte("x")}))
	require.NoError(t, client.Set(t.Context(), "secondgate:text", "x", 0).Err())
	require.NoError(t, client.HSet(t.Context(), "secondgate:half", "d", "x").Err())
	for _, key := range []string{"text", "half"} {
		_, err := store.Get(t.Context(), key)
		requireOutage(t, map[string]error{key: err}, key)
	}
	require.Error(t, store.Swap(t.Context(), "text", "", storage.Record{Revision: "r", Data: []byte("x")}))
	require.Error(t, store.Swap(t.Context(), "half", "", storage.Record{Revision: "r", Data: []byte("x")}))
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
	}, 10*time.Second, 50*time.Millisecond)
	requireOutage(t, writes(t.Context(), store), "swap", "create")
	requireOutage(t, map[string]error{"delete": store.Delete(t.Context(), "k", "r")}, "delete")
}

// A write is acknowledged when the replica has it, and is an error when it has not.
func TestWaitForReplicas(t *testing.T) {
	primary := servers.Redis(t)
	client := connect(t, primary.Addr)
	cfg := redisstore.Config{Do: do(client), WaitReplicas: 1, WaitTimeout: 300 * time.Millisecond,
		Pin: func(_ context.Context, _ string, use func(redisstore.Do) error) error {
			conn := client.Conn()
			defer func() { _ = conn.Close() }()
			return use(func(ctx context.Context, args ...any) (any, error) { return conn.Do(ctx, args...).Result() })
		}}
	store := open(t, cfg)
	err := store.Swap(t.Context(), "k", "", storage.Record{Revision: "r", Data: []byte("x")})
	require.ErrorIs(t, err, redisstore.ErrNotReplicated)
	require.NotErrorIs(t, err, storage.ErrConflict)

	replica := servers.Redis(t)
	_, port, _ := net.SplitHostPort(primary.Addr)
	require.NoError(t, connect(t, replica.Addr).Do(t.Context(), "REPLICAOF", "127.0.0.1", port).Err())
	require.Eventually(t, func() bool {
		return store.Swap(t.Context(), fmt.Sprint("try", time.Now().UnixNano()), "", storage.Record{Revision: "r", Data: []byte("x")}) == nil
	}, 20*time.Second, 50*time.Millisecond)
	for i := range 50 {
		require.NoError(t, store.Swap(t.Context(), fmt.Sprint("n", i), "", storage.Record{Revision: "r", Data: []byte("x")}))
		n, err := connect(t, replica.Addr).Exists(t.Context(), fmt.Sprint("secondgate:n", i)).Result()
		require.NoError(t, err)
		require.EqualValues(t, 1, n, "the replica has it")
	}
	require.ErrorIs(t, store.Swap(t.Context(), "n0", "", storage.Record{Revision: "r2", Data: []byte("x")}), storage.ErrConflict)
	replica.Kill()
	require.ErrorIs(t, store.Swap(t.Context(), "after", "", storage.Record{Revision: "r", Data: []byte("x")}), redisstore.ErrNotReplicated)

	cfg.Pin = func(context.Context, string, func(redisstore.Do) error) error { return nil }
	require.ErrorContains(t, open(t, cfg).Delete(t.Context(), "k", "r"), "Config.Pin")
}
