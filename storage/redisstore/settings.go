package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// check refuses a node that loses records, and one that is not a primary. What the operator
// accepts is not asked, as managed services refuse the question in words of their own.
func check(ctx context.Context, do Do, cfg Config) error {
	if !cfg.InsecureAllowEviction {
		if err := checkEviction(ctx, do); err != nil {
			return err
		}
	}
	if !cfg.InsecureAllowLoss {
		if err := checkLoss(ctx, do); err != nil {
			return err
		}
	}
	return checkRole(ctx, do, cfg.Nodes != nil)
}

func checkEviction(ctx context.Context, do Do) error {
	policy, err := setting(ctx, do, "maxmemory-policy", "memory", "maxmemory_policy")
	switch {
	case err != nil:
		return err
	case policy == "":
		return errors.New("redisstore: the server does not show its maxmemory-policy (CONFIG " +
			"GET and INFO memory are refused): " +
			"make sure that it is noeviction, and set Config.InsecureAllowEviction to say so")
	case policy != "noeviction":
		return fmt.Errorf("redisstore: the server's maxmemory-policy is %q, so it may drop "+
			"records, and with them second factors: "+
			"set it to noeviction, or use a server of its own (Config.InsecureAllowEviction "+
			"accepts it)", policy)
	}
	return nil
}

func checkLoss(ctx context.Context, do Do) error {
	aof, err := setting(ctx, do, "appendonly", "persistence", "aof_enabled")
	if err != nil {
		return err
	}
	// INFO does not show how often the file is synced; where CONFIG is refused, neither does
	// anything else.
	fsync, err := setting(ctx, do, "appendfsync", "persistence", "")
	switch {
	case err != nil:
		return err
	case aof == "":
		return errors.New("redisstore: the server does not show whether it keeps an append-only " +
			"file (CONFIG GET and INFO persistence are refused): " +
			"make sure that it does, and set Config.InsecureAllowLoss to say so")
	case aof != "yes" && aof != "1":
		return errors.New("redisstore: the server keeps no append-only file, so that a restart " +
			"would take records back: " +
			"set appendonly to yes (Config.InsecureAllowLoss accepts it)")
	case fsync == "no":
		return errors.New("redisstore: the server leaves it to its machine when to write the " +
			"append-only file to disk (appendfsync no): " +
			"set appendfsync to always, or to everysec (Config.InsecureAllowLoss accepts it)")
	}
	return nil
}

// checkRole refuses a replica, whose reads lag. It asks no cluster through a function that may
// send what has no key to any node, and believes a server that does not say.
func checkRole(ctx context.Context, do Do, isNode bool) error {
	if !isNode {
		server, err := info(ctx, do, "server")
		if err != nil && !refused(ctx, do, err, "INFO", "server") {
			return failed(ctx, "read the server's role", err)
		}
		if isCluster(server) {
			return nil
		}
	}
	replication, err := info(ctx, do, "replication")
	if err != nil && !refused(ctx, do, err, "INFO", "replication") {
		return failed(ctx, "read the server's role", err)
	}
	if role := replication["role"]; role == "slave" || role == "replica" {
		return fmt.Errorf("%w and whose reads may be old: "+
			"give Config the functions of the primaries", ErrReadOnly)
	}
	return nil
}

// setting reads a setting from CONFIG GET, or where that is refused, as managed services do,
// from a field of a section of INFO. It is "" if neither has it.
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
	} else if !refused(ctx, do, err, "CONFIG", "GET", name) {
		return "", failed(ctx, "read the server's settings", err)
	}
	fields, err := info(ctx, do, section)
	if err != nil && !refused(ctx, do, err, "INFO", section) {
		return "", failed(ctx, "read the server's settings", err)
	}
	return fields[field], nil
}

// info returns the fields of a section of INFO; of a reply that makes no sense, none.
func info(ctx context.Context, do Do, section string) (map[string]string, error) {
	reply, err := do(ctx, "INFO", section)
	if err != nil {
		return nil, err
	}
	text, _ := bulk(reply)
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if field, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && field != "" {
			fields[field] = value
		}
	}
	return fields, nil
}

// isCluster reads the section "server" of INFO; the second name is Valkey's.
func isCluster(server map[string]string) bool {
	return server["redis_mode"] == "cluster" || server["server_mode"] == "cluster"
}

// refused reports that the server knows no such command or does not allow it to this user. Each
// managed service says so in words of its own. So an error in words that are not known is a refusal
// if the server replies to a PING and then gives the same error again; in an outage it does not.
func refused(ctx context.Context, do Do, err error, command ...any) bool {
	text := strings.ToLower(err.Error())
	for _, words := range []string{"unknown command", "unknown subcommand", "noperm"} {
		if strings.Contains(text, words) {
			return true
		}
	}
	reply, pingErr := do(ctx, "PING")
	if pong, _ := bulk(reply); pingErr != nil || pong != "PONG" {
		return false
	}
	_, again := do(ctx, command...)
	return again != nil && again.Error() == err.Error()
}
