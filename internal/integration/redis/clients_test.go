package redis_test

import (
	"context"
	"testing"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"
	"github.com/valkey-io/valkey-go"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/redisstore"
	"github.com/secondgate/secondgate/storage/storagetest"
)

// texts is the loop of the documentation.
func texts(args []any) []string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = a.(string)
	}
	return out
}

// The one line for rueidis and the one for valkey-go, alone and on a cluster.
func TestStore_ConformsThroughOtherClients(t *testing.T) {
	clients := map[string]func(t *testing.T, addr string) redisstore.Do{
		"rueidis": func(t *testing.T, addr string) redisstore.Do {
			client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{addr},
				DisableCache: true})
			require.NoError(t, err)
			t.Cleanup(client.Close)
			return func(ctx context.Context, args ...any) (any, error) {
				return client.Do(ctx, client.B().Arbitrary(texts(args)...).Build()).ToAny()
			}
		},
		"valkey-go": func(t *testing.T, addr string) redisstore.Do {
			client, err := valkey.NewClient(valkey.ClientOption{InitAddress: []string{addr},
				DisableCache: true})
			require.NoError(t, err)
			t.Cleanup(client.Close)
			return func(ctx context.Context, args ...any) (any, error) {
				return client.Do(ctx, client.B().Arbitrary(texts(args)...).Build()).ToAny()
			}
		},
	}
	server, nodes := servers.Redis(t), servers.RedisCluster(t)
	for name, client := range clients {
		t.Run(name, func(t *testing.T) {
			storagetest.Run(t, servers.InTurn(func() storage.Store {
				return open(t, redisstore.Config{Do: client(t, server.Addr)})
			}))
		})
		t.Run(name+" on a cluster", func(t *testing.T) {
			storagetest.Run(t, servers.InTurn(func() storage.Store {
				var dos []redisstore.Do
				for _, n := range nodes {
					dos = append(dos, do(connect(t, n.Addr)))
				}
				return open(t, redisstore.Config{Do: client(t, nodes[0].Addr),
					Nodes: func(context.Context) ([]redisstore.Do, error) { return dos, nil }})
			}))
		})
	}
}
