package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/secondgate/secondgate/storage"
)

// Config says where the records are.
type Config struct {
	// Do sends a command to the primary that has the key. Required.
	Do Do

	// Prefix precedes every key, so that the records can live beside others. Defaults to
	// "secondgate:", at most 64 bytes. A client's user needs no other keys.
	Prefix string

	// Nodes returns a Do for each primary of a cluster, in an order that stays. It is needed
	// there for List, and to look at the settings of all; without it Do is the only node.
	Nodes func(ctx context.Context) ([]Do, error)

	// WaitReplicas makes a write wait until so many replicas have it, for up to WaitTimeout
	// (default 1 second). If they have not, the write fails with [ErrNotReplicated] although it
	// was made, and nobody is told that it succeeded. It needs Pin.
	WaitReplicas int
	WaitTimeout  time.Duration
	// Pin calls use with a Do that sends all its commands over one connection to the node that
	// has key, because WAIT is about the writes of its connection. With go-redis:
	//
	//	func(ctx context.Context, key string, use func(redisstore.Do) error) error {
	//		conn := client.Conn() // of a cluster: first node, err := client.MasterForKey(ctx, key)
	//		defer conn.Close()
	//		return use(func(ctx context.Context, args ...any) (any, error) { return conn.Do(ctx, args...).Result() })
	//	}
	Pin func(ctx context.Context, key string, use func(Do) error) error

	// InsecureAllowEviction accepts a server that may drop records to make room: whoever fills
	// it then takes second factors away.
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
	if cfg.Do == nil {
		return nil, errors.New("redisstore: Config.Do is nil: pass the function that sends a command with your client")
	}
	if len(cfg.Prefix) > maxPrefix {
		return nil, fmt.Errorf("redisstore: Config.Prefix has %d bytes, want at most %d", len(cfg.Prefix), maxPrefix)
	}
	if cfg.WaitReplicas < 0 || cfg.WaitTimeout < 0 {
		return nil, errors.New("redisstore: Config.WaitReplicas and WaitTimeout cannot be negative")
	}
	if cfg.WaitReplicas > 0 && cfg.Pin == nil {
		return nil, errors.New("redisstore: Config.WaitReplicas needs Config.Pin, because WAIT is about the writes of one connection")
	}
	s := &Store{do: cfg.Do, prefix: cfg.Prefix, nodes: cfg.Nodes, wait: cfg.WaitReplicas, timeout: cfg.WaitTimeout, pin: cfg.Pin}
	if s.prefix == "" {
		s.prefix = defaultPrefix
	}
	if s.timeout == 0 {
		s.timeout = time.Second
	}
	nodes := []Do{cfg.Do}
	if cfg.Nodes != nil {
		var err error
		if nodes, err = cfg.Nodes(ctx); err != nil {
			return nil, failed(ctx, "the nodes of the cluster", err)
		}
		if len(nodes) == 0 {
			return nil, errors.New("redisstore: Config.Nodes returned no node")
		}
	}
	for _, do := range nodes {
		if err := check(ctx, do, cfg); err != nil {
			return nil, err
		}
	}
	// One read of a key that no record has: the user must be allowed to.
	if _, err := s.get(ctx, s.do, s.prefix); err == nil || !errors.Is(err, storage.ErrNotFound) {
		return nil, fmt.Errorf("redisstore: records cannot be read: %w", errOr(err, errors.New("the prefix itself is a record")))
	}
	return s, nil
}

func errOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// check refuses a node that loses records.
func check(ctx context.Context, do Do, cfg Config) error {
	policy, err := setting(ctx, do, "maxmemory-policy", "memory", "maxmemory_policy")
	if err != nil {
		return err
	}
	switch {
	case cfg.InsecureAllowEviction:
	case policy == "":
		return errors.New("redisstore: the server does not tell its maxmemory-policy (CONFIG GET and INFO memory are refused): " +
			"make sure that it is noeviction, and set Config.InsecureAllowEviction to say so")
	case policy != "noeviction":
		return fmt.Errorf("redisstore: the server's maxmemory-policy is %q, so it may drop records, and with them second factors: "+
			"set it to noeviction, or use a server of its own (Config.InsecureAllowEviction accepts it)", policy)
	}
	aof, err := setting(ctx, do, "appendonly", "persistence", "aof_enabled")
	if err != nil {
		return err
	}
	switch {
	case cfg.InsecureAllowLoss:
	case aof == "":
		return errors.New("redisstore: the server does not tell whether it keeps an append-only file (CONFIG GET and INFO persistence are refused): " +
			"make sure that it does, and set Config.InsecureAllowLoss to say so")
	case aof != "yes" && aof != "1":
		return errors.New("redisstore: the server keeps no append-only file, so that a restart would take records back: " +
			"set appendonly to yes (Config.InsecureAllowLoss accepts it)")
	}
	return nil
}

// setting reads a setting from CONFIG GET, or where that is refused, as managed services do,
// from a section of INFO. It is "" if neither tells.
func setting(ctx context.Context, do Do, name, section, field string) (string, error) {
	reply, err := do(ctx, "CONFIG", "GET", name)
	if err == nil {
		switch reply := reply.(type) {
		case []any: // RESP2
			if len(reply) == 2 {
				value, _ := bulk(reply[1])
				return value, nil
			}
		case map[any]any: // RESP3
			value, _ := bulk(reply[name])
			return value, nil
		case map[string]any:
			value, _ := bulk(reply[name])
			return value, nil
		}
	} else if !refused(err) {
		return "", failed(ctx, "read the server's settings", err)
	}
	reply, err = do(ctx, "INFO", section)
	if err != nil {
		if refused(err) {
			return "", nil
		}
		return "", failed(ctx, "read the server's settings", err)
	}
	text, _ := bulk(reply)
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			return strings.TrimSpace(value), nil
		}
	}
	return "", nil
}

// refused reports that the server knows no such command or does not allow it to this user.
func refused(err error) bool {
	text := err.Error()
	return strings.Contains(text, "unknown command") || strings.Contains(text, "NOPERM") || strings.Contains(text, "unknown subcommand")
}
