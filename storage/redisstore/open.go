package redisstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/storage"
)

// Config says where the records are.
type Config struct {
	// Do sends a command to the primary that has the key. Required.
	Do Do

	// Prefix precedes every key, so that the records can live beside others. Defaults to
	// "secondgate:", at most 64 bytes. The client's user needs no other keys.
	Prefix string

	// Nodes returns a Do for each primary of a cluster, in an order that stays, such as that of
	// their addresses. It is needed there for List, and to look at the settings of all; nil, New
	// looks at the node that Do chooses, and List refuses a cluster. With go-redis:
	//
	//	func(ctx context.Context) ([]redisstore.Do, error) {
	//		var mu sync.Mutex // ForEachMaster calls at once
	//		nodes := map[string]redisstore.Do{}
	//		err := cluster.ForEachMaster(ctx, func(_ context.Context, c *redis.Client) error {
	//			mu.Lock()
	//			defer mu.Unlock()
	//			nodes[c.Options().Addr] = func(ctx context.Context, args ...any) (any, error) {
	//				return c.Do(ctx, args...).Result()
	//			}
	//			return nil
	//		})
	//		var dos []redisstore.Do
	//		for _, addr := range slices.Sorted(maps.Keys(nodes)) {
	//			dos = append(dos, nodes[addr])
	//		}
	//		return dos, err
	//	}
	Nodes func(ctx context.Context) ([]Do, error)

	// WaitReplicas makes a write wait until so many replicas have it. If they have not in time,
	// the write fails with [ErrNotReplicated] although it was made, and no caller sees it
	// succeed. Zero, the default, does not wait. It needs Pin.
	WaitReplicas int
	// WaitTimeout bounds that wait, in whole milliseconds, at least one. Defaults to 1 second.
	// The client's own timeout for a reply must be longer.
	WaitTimeout time.Duration
	// Pin calls use once with a Do that sends all its commands over one connection to the node
	// that has key, and returns its error. A connection that breaks must be an error and not be
	// replaced, because WAIT is about the writes of its connection, and counts every replica at
	// once on one that made none. With go-redis:
	//
	//	func(ctx context.Context, key string, use func(redisstore.Do) error) error {
	//		conn := client.Conn() // in a cluster, of client.MasterForKey(ctx, key)
	//		defer conn.Close()
	//		return use(func(ctx context.Context, args ...any) (any, error) {
	//			return conn.Do(ctx, args...).Result()
	//		})
	//	}
	Pin func(ctx context.Context, key string, use func(Do) error) error

	// InsecureAllowEviction accepts a server that may drop records to make room: an attacker
	// who fills it then removes second factors.
	InsecureAllowEviction bool
	// InsecureAllowLoss accepts a server that keeps records in memory alone, or saves them now
	// and then: a restart takes second factors, locks and used codes back.
	InsecureAllowLoss bool
}

const (
	defaultPrefix = "secondgate:"
	maxPrefix     = 64
)

// New returns a Store. It looks at the settings of every node, and refuses those that lose
// records with a sentence that says what to change; see the package comment. It writes nothing.
func New(ctx context.Context, cfg Config) (*Store, error) {
	s, err := newStore(cfg)
	if err != nil {
		return nil, err
	}
	nodes, err := cfg.allNodes(ctx)
	if err != nil {
		return nil, err
	}
	for _, do := range nodes {
		if err := check(ctx, do, cfg); err != nil {
			return nil, err
		}
	}
	if err := s.allowed(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// newStore returns a Store of a Config that is valid. It asks no server.
func newStore(cfg Config) (*Store, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &Store{do: cfg.Do, prefix: cfg.Prefix, nodes: cfg.Nodes, wait: cfg.WaitReplicas,
		timeout: cfg.WaitTimeout, pin: cfg.Pin}
	if s.prefix == "" {
		s.prefix = defaultPrefix
	}
	if s.timeout == 0 {
		s.timeout = time.Second
	}
	return s, nil
}

// check decides whether the fields of cfg go together.
func (cfg Config) check() error {
	if cfg.Do == nil {
		return errors.New("redisstore: Config.Do is nil: pass the function that sends a command " +
			"with your client")
	}
	if len(cfg.Prefix) > maxPrefix {
		return fmt.Errorf("redisstore: Config.Prefix has %d bytes, want at most %d",
			len(cfg.Prefix), maxPrefix)
	}
	if cfg.WaitReplicas < 0 || cfg.WaitTimeout < 0 {
		return errors.New("redisstore: Config.WaitReplicas and WaitTimeout cannot be negative")
	}
	if cfg.WaitTimeout > 0 && cfg.WaitTimeout < time.Millisecond {
		// WAIT takes milliseconds, and 0 for ever.
		return errors.New("redisstore: Config.WaitTimeout is shorter than a millisecond, want " +
			"at least one, or 0 for a second")
	}
	if cfg.WaitReplicas > 0 && cfg.Pin == nil {
		return errors.New("redisstore: Config.WaitReplicas needs Config.Pin, because WAIT is " +
			"about the writes of one connection")
	}
	return nil
}

// allNodes returns every node that a record may be on.
func (cfg Config) allNodes(ctx context.Context) ([]Do, error) {
	if cfg.Nodes == nil {
		return []Do{cfg.Do}, nil
	}
	nodes, err := cfg.Nodes(ctx)
	if err != nil {
		return nil, failed(ctx, "the nodes of the cluster", err)
	}
	if len(nodes) == 0 {
		return nil, errors.New("redisstore: Config.Nodes returned no node")
	}
	return nodes, nil
}

// allowed reads and runs a script, on a key that no record has: a user who may not do that is
// noticed now, and not at the first sign-in.
func (s *Store) allowed(ctx context.Context) error {
	if err := s.readable(ctx); err != nil {
		return err
	}
	// There is no record that it could delete.
	if err := run(ctx, s.do, "delete", deleteScript, s.prefix, []string{"none"}); !errors.Is(err,
		storage.ErrConflict) {
		return fmt.Errorf("redisstore: scripts cannot be run, and every write is one: %w",
			errOr(err, errPrefixTaken))
	}
	return nil
}

// readable reads on that key.
func (s *Store) readable(ctx context.Context) error {
	if _, err := s.get(ctx, s.do, s.prefix); !errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("redisstore: records cannot be read: %w", errOr(err, errPrefixTaken))
	}
	return nil
}

var errPrefixTaken = errors.New("Config.Prefix itself is a key of something else: choose another")

func errOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
