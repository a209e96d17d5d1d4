package redis_test

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/redisstore"
)

// A server that loses records is refused with a sentence that says what to change.
func TestNew_RefusesServersThatLoseRecords(t *testing.T) {
	for _, c := range []struct {
		name, want string
		options    []string
		accept     func(*redisstore.Config)
	}{
		{"eviction", "noeviction", []string{"--maxmemory", "100mb", "--maxmemory-policy",
			"allkeys-lru"},
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

// Where CONFIG is refused, as managed services do, INFO says it; where that is refused too, the
// operator says it.
func TestNew_ReadsSettingsOfManagedServices(t *testing.T) {
	lossy := servers.Redis(t, "--rename-command", "CONFIG", "", "--maxmemory-policy", "allkeys-lru")
	_, err := redisstore.New(t.Context(), redisstore.Config{Do: do(connect(t, lossy.Addr))})
	require.ErrorContains(t, err, `"allkeys-lru"`)
	sound := servers.Redis(t, "--rename-command", "CONFIG", "")
	open(t, redisstore.Config{Do: do(connect(t, sound.Addr))})

	admin := connect(t, sound.Addr)
	require.NoError(t, admin.Do(t.Context(), "ACL", "SETUSER", "app", "on", ">secret",
		"~secondgate:*", "+@all", "-@admin", "-@dangerous", "-info").Err())
	app := connect(t, sound.Addr, func(o *redis.Options) {
		o.Username, o.Password = "app", "secret"
	})
	_, err = redisstore.New(t.Context(), redisstore.Config{Do: do(app)})
	require.ErrorContains(t, err, "InsecureAllowEviction")
	_, err = redisstore.New(t.Context(), redisstore.Config{Do: do(app),
		InsecureAllowEviction: true})
	require.ErrorContains(t, err, "InsecureAllowLoss")
	store := open(t, redisstore.Config{Do: do(app), InsecureAllowEviction: true,
		InsecureAllowLoss: true})
	require.NoError(t, store.Swap(t.Context(), "k", "",
		storage.Record{Revision: "r", Data: []byte("x")}))
	_, err = redisstore.New(t.Context(), redisstore.Config{Do: do(app), InsecureAllowEviction: true,
		InsecureAllowLoss: true, Prefix: "elsewhere:"})
	require.ErrorContains(t, err, "NOPERM", "a user that may not use the keys")
}

// What would fail at the first sign-in fails at the start.
func TestNew_RefusesUnfitServers(t *testing.T) {
	server := servers.Redis(t)
	client := connect(t, server.Addr)
	refused := func(want string, cfg redisstore.Config) {
		t.Helper()
		_, err := redisstore.New(t.Context(), cfg)
		require.ErrorContains(t, err, want)
	}
	require.NoError(t, client.ConfigSet(t.Context(), "appendfsync", "no").Err())
	refused("appendfsync", redisstore.Config{Do: do(client)})
	open(t, redisstore.Config{Do: do(client), InsecureAllowLoss: true})
	require.NoError(t, client.ConfigSet(t.Context(), "appendfsync", "everysec").Err())
	open(t, redisstore.Config{Do: do(client)})

	require.NoError(t, client.Do(t.Context(), "ACL", "SETUSER", "noscripts", "on", ">secret", "~*",
		"+@all", "-@scripting").Err())
	refused("NOPERM", redisstore.Config{Do: do(connect(t, server.Addr, func(o *redis.Options) {
		o.Username, o.Password = "noscripts", "secret"
	}))})

	primary := servers.Redis(t)
	_, port, _ := net.SplitHostPort(primary.Addr)
	require.NoError(t, client.Do(t.Context(), "REPLICAOF", "127.0.0.1", port).Err())
	refused("replica", redisstore.Config{Do: do(client)})
	refused("replica", redisstore.Config{Do: do(client), InsecureAllowLoss: true,
		InsecureAllowEviction: true})
	readsReplica(t, connect(t, primary.Addr), client)
}

// readsReplica has a Reader read what a replica has. A Store whose server became a replica says so.
func readsReplica(t *testing.T, primary, replica *redis.Client) {
	t.Helper()
	record := storage.Record{Revision: "r1", Data: []byte("x")}
	other := servers.Redis(t)
	client := connect(t, other.Addr)
	was := open(t, redisstore.Config{Do: do(client)})
	require.NoError(t, was.Swap(t.Context(), "ann", "", record))
	host, port, _ := net.SplitHostPort(primary.Options().Addr)
	require.NoError(t, open(t, redisstore.Config{Do: do(primary)}).Swap(t.Context(), "ann", "",
		record))
	require.NoError(t, client.Do(t.Context(), "REPLICAOF", host, port).Err())
	next := storage.Record{Revision: "r2", Data: []byte("y")}
	require.ErrorIs(t, was.Swap(t.Context(), "ann", "r1", next), redisstore.ErrReadOnly)
	require.ErrorIs(t, was.Delete(t.Context(), "ann", "r1"), redisstore.ErrReadOnly)

	_, err := redisstore.New(t.Context(), redisstore.Config{Do: do(replica)})
	require.ErrorIs(t, err, redisstore.ErrReadOnly)
	reader, err := redisstore.NewReader(t.Context(), redisstore.Config{Do: do(replica)})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		got, err := reader.Get(t.Context(), "ann")
		return err == nil && string(got.Data) == "x"
	}, time.Minute, 10*time.Millisecond)
	page, _, err := reader.List(t.Context(), "", "", 10)
	require.NoError(t, err)
	require.Equal(t, []storage.Entry{{Key: "ann", Record: record}}, page)
}

// The permissions that the package comment lists are enough, and each is needed.
func TestPermissions_AreEnoughAndEachIsNeeded(t *testing.T) {
	server := servers.Redis(t)
	admin := connect(t, server.Addr)
	listed := []any{"+hmget", "+evalsha", "+eval", "+hget", "+hset", "+exists", "+del",
		"+config|get", "+info", "+scan"}
	works := func(name string, commands []any) error {
		require.NoError(t, admin.Do(t.Context(), append([]any{"ACL", "SETUSER", name, "on",
			">secret", "~secondgate:*"}, commands...)...).Err())
		require.NoError(t, admin.ScriptFlush(t.Context()).Err())
		store, err := redisstore.New(t.Context(), redisstore.Config{Do: do(connect(t, server.Addr,
			func(o *redis.Options) {
				o.Username, o.Password = name, "secret"
			}))})
		if err != nil {
			return err
		}
		if _, err = store.Get(t.Context(), name); !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		if _, _, err = store.List(t.Context(), "", "", 10); err != nil {
			return err
		}
		if err = store.Swap(t.Context(), name, "", record("r1")); err != nil {
			return err
		}
		if err = store.Swap(t.Context(), name, "r1", record("r2")); err != nil {
			return err
		}
		return store.Delete(t.Context(), name, "r2")
	}
	require.NoError(t, works("all", listed))
	for i, missing := range listed {
		if missing == "+config|get" {
			continue // INFO says it
		}
		err := works(fmt.Sprint("without", missing), slices.Delete(slices.Clone(listed), i, i+1))
		require.Error(t, err, missing)
		require.NotErrorIs(t, err, storage.ErrNotFound, missing)
		require.NotErrorIs(t, err, storage.ErrConflict, missing)
	}
}
