package redisstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/secondgate/secondgate/storage"
)

// List implements [storage.Lister] with SCAN, one node after the other. A page holds about
// limit entries; an entry may come twice while Redis resizes its table. A limit below one is an
// error that wraps [storage.ErrInvalid].
//
// A cursor is valid as long as the same servers run, in any process of the application. After a
// restart or a failover of one of them, or when Nodes returns others, the walk would leave records
// out. List then returns an error that wraps ErrInvalid, and the walk begins again. List therefore
// needs INFO server of each node.
//
// A walk of a cluster whose slots move meanwhile may miss what moved: do not re-shard during a
// re-encryption, or walk again after it.
func (s *Store) List(
	ctx context.Context, prefix string, cursor storage.Cursor, limit int,
) (page []storage.Entry, next storage.Cursor, err error) {
	if limit < 1 {
		err = fmt.Errorf("%w: limit %d, want at least 1", storage.ErrInvalid, limit)
	}
	at := place{scan: "0"}
	if cursor != "" && err == nil {
		at, err = parseCursor(cursor)
	}
	if err := begin(ctx, "list", err); err != nil {
		return nil, "", err
	}
	nodes := []Do{s.do}
	if s.nodes != nil {
		if nodes, err = s.nodes(ctx); err != nil {
			return nil, "", failed(ctx, "list: the nodes of the cluster", err)
		}
	}
	if cursor == "" {
		// Before the first SCAN, so that a restart between the two is noticed by the next page.
		if at.servers, err = s.running(ctx, nodes); err != nil {
			return nil, "", err
		}
	}
	if at.node >= len(nodes) {
		return nil, "", walkIsOver()
	}
	do := nodes[at.node]
	scan, keys, err := s.scan(ctx, do, at, prefix, limit)
	if err != nil {
		return nil, "", err
	}
	if cursor != "" {
		// After SCAN, so that its reply came from the server that made the cursor.
		if err := s.sameServers(ctx, nodes, at.servers); err != nil {
			return nil, "", err
		}
	}
	if page, err = s.entries(ctx, do, prefix, keys); err != nil {
		return nil, "", err
	}
	return page, at.after(scan, len(nodes)), nil
}

// scan asks a node for the keys of one page, and returns its cursor for the page after.
func (s *Store) scan(
	ctx context.Context, do Do, at place, prefix string, limit int,
) (scan string, keys []string, err error) {
	reply, err := do(ctx, "SCAN", at.scan, "MATCH", glob(s.prefix+prefix)+"*",
		"COUNT", strconv.Itoa(limit))
	if err != nil {
		return "", nil, failed(ctx, "list", err)
	}
	return scanned(reply)
}

// sameServers checks that the servers of a cursor still run.
func (s *Store) sameServers(ctx context.Context, nodes []Do, servers string) error {
	now, err := s.running(ctx, nodes)
	if err != nil {
		return err
	}
	if now != servers {
		return walkIsOver()
	}
	return nil
}

func (s *Store) entries(
	ctx context.Context, do Do, prefix string, keys []string,
) (page []storage.Entry, err error) {
	for _, key := range keys {
		own, ok := strings.CutPrefix(key, s.prefix)
		if !ok || own == "" || !strings.HasPrefix(own, prefix) {
			continue
		}
		rec, err := s.get(ctx, do, key)
		if errors.Is(err, storage.ErrNotFound) {
			continue // deleted since
		}
		if err != nil {
			return nil, err
		}
		page = append(page, storage.Entry{Key: own, Record: rec})
	}
	return page, nil
}

func walkIsOver() error {
	return fmt.Errorf("redisstore: list: %w: the servers of the cursor have restarted or "+
		"changed since: begin the walk again", storage.ErrInvalid)
}

// running names the server processes that a walk goes through, in their order: SCAN walks by
// a hash that is seeded when a process starts.
func (s *Store) running(ctx context.Context, nodes []Do) (string, error) {
	all := sha256.New()
	for _, do := range nodes {
		server, err := info(ctx, do, "server")
		if err != nil && !refused(ctx, do, err, "INFO", "server") {
			return "", failed(ctx, "list", err)
		}
		if s.nodes == nil && isCluster(server) {
			return "", errors.New("redisstore: list: the server is one node of a cluster: set " +
				"Config.Nodes, or the records of the others would be left out")
		}
		id := server["run_id"]
		if id == "" {
			return "", errors.New("redisstore: list: the server does not show its run_id, by " +
				"which a walk notices a restart: " +
				"allow the client's user the command INFO")
		}
		fmt.Fprintf(all, "%d:%s", len(id), id)
	}
	return hex.EncodeToString(all.Sum(nil)[:8]), nil
}

// place is what a cursor says: a node, the servers that the walk goes through, and the
// position in SCAN.
type place struct {
	node    int
	servers string
	scan    string
}

// after returns the cursor of the next page, after a node's SCAN returned scan: "" at the end
// of the last node.
func (p place) after(scan string, nodes int) storage.Cursor {
	switch {
	case scan != "0":
		return place{p.node, p.servers, scan}.cursor()
	case p.node+1 < nodes:
		return place{p.node + 1, p.servers, "0"}.cursor()
	}
	return ""
}

func (p place) cursor() storage.Cursor {
	return storage.Cursor(fmt.Sprintf("%d:%s:%s", p.node, p.servers, p.scan))
}

func parseCursor(cursor storage.Cursor) (place, error) {
	if parts := strings.Split(string(cursor), ":"); len(parts) == 3 && len(parts[1]) == 16 {
		node, err := strconv.Atoi(parts[0])
		scan, scanErr := strconv.ParseUint(parts[2], 10, 64)
		p := place{node, parts[1], strconv.FormatUint(scan, 10)}
		// written in no other way
		if err == nil && scanErr == nil && node >= 0 && p.cursor() == cursor {
			return p, nil
		}
	}
	return place{}, fmt.Errorf("%w: not a cursor of this store", storage.ErrInvalid)
}

// scanned reads the reply to SCAN: the next cursor, and keys.
func scanned(reply any) (at string, keys []string, err error) {
	odd := errors.New("redisstore: list: the reply to SCAN is not a cursor and keys")
	two, ok := reply.([]any)
	if !ok || len(two) != 2 {
		return "", nil, odd
	}
	if at, ok = bulk(two[0]); !ok {
		return "", nil, odd
	}
	if _, err := strconv.ParseUint(at, 10, 64); err != nil {
		return "", nil, odd
	}
	list, ok := two[1].([]any)
	if !ok && two[1] != nil {
		return "", nil, odd
	}
	for _, k := range list {
		key, ok := bulk(k)
		if !ok {
			return "", nil, odd
		}
		keys = append(keys, key)
	}
	return at, keys, nil
}

// glob is a pattern of Redis that matches s alone.
func glob(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch s[i] {
		case '*', '?', '[', ']', '^', '-', '\\':
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
