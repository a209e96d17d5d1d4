// Package redisstore keeps records in Redis or Valkey, through any client, and imports none. It
// needs one function of the client:
//
//	// go-redis:
//	client := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true,
//		MaxRetries: -1})
//	do := func(ctx context.Context, args ...any) (any, error) {
//		return client.Do(ctx, args...).Result()
//	}
//
//	do := func(ctx context.Context, args ...any) (any, error) { // rueidis, and valkey-go alike
//		return client.Do(ctx, client.B().Arbitrary(texts(args)...).Build()).ToAny()
//	}
//
//	store, err := redisstore.New(ctx, redisstore.Config{Do: do})
//
// All arguments are strings, so texts is a loop over args with arg.(string).
//
// Redis 5 or later, or any Valkey, alone, behind Sentinel, or as a cluster: every operation is
// on one key, a write is one Lua script, and which node a key is on is the client's business.
// The tests run it on Redis 7.0, alone and as a cluster, through all three clients.
//
// # What a client must be set to
//
// The deadline of a context must reach the socket (ContextTimeoutEnabled of go-redis), or a
// server that hangs keeps users waiting for as long as the client likes.
//
// A client should not send a command again of its own accord, as go-redis does unless MaxRetries
// is -1, and of a cluster always; rueidis and valkey-go do not send writes again. It is mostly
// harmless: a Swap that finds its own work done succeeds. What is left is a Delete whose reply
// was lost, and a Swap that another one followed at once: they are reported as a conflict
// although they were made.
//
// Reads must go to the primary: a client that is set to read from replicas breaks the promise of
// [storage.Store] that a read sees every write before it. A report reads a replica by a [Reader],
// which is no Store.
//
// # What a server must be set to
//
// A record is not a cache entry: one that is dropped is a user without a second factor, a
// lock that is lifted, or a code that works again. [New] therefore reads the server's settings
// and refuses those that lose records:
//
//	maxmemory-policy noeviction   # or no maxmemory at all
//	appendonly       yes
//	appendfsync      always       # everysec loses up to a second of writes in a power cut
//
// With appendfsync everysec, a power cut undoes up to a second of writes: a code used in that
// second works again, a failed attempt is not counted. New accepts it; decide whether you do. Where
// a service hides its settings, New reads INFO, which does not include appendfsync. Where a service
// hides that too, in whatever words, the operator says what its settings are by
// Config.InsecureAllowEviction and Config.InsecureAllowLoss, and New does not ask.
//
// The client's user needs HMGET, EVALSHA, EVAL, HGET, HSET, EXISTS and DEL on the keys under
// [Config].Prefix, CONFIG GET or INFO for New, SCAN and INFO for [Store.List], and WAIT for
// Config.WaitReplicas.
//
// A record of 1 kB takes 1.4 kB of the server's memory. That of a user with five factors and
// ten recovery codes has 2 kB at most, so that a million users take one and a half to three
// gigabytes.
//
// # What a failover can lose
//
// Redis replicates after it has replied. When a replica takes over, the last writes may be
// missing on it, and what was said of a power cut holds for them; an enrolment confirmed at that
// moment is lost with its recovery codes, which the application notices by User.Enrolled. With
// Config.WaitReplicas a write is only acknowledged once so many replicas have it. That narrows
// the gap and does not close it: Redis may still promote a replica that is behind, and what a
// replica has, it need not have on disk. An application that cannot accept
// that uses a database that replicates before it replies (see storage/sqlstore).
package redisstore
