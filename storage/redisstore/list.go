package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/secondgate/secondgate/storage"
)

// List implements [storage.Lister] with SCAN, one node after the other. A page holds about
// limit entries; an entry may come twice while Redis resizes its table. A cursor that it did
// not make, or of a cluster with more nodes than there are now, is an error that wraps
// [storage.ErrInvalid], and so is a limit below one.
//
// A walk of a cluster whose slots move meanwhile may miss what moved: do not re-shard during a
// re-sealing, or walk again after it.
func (s *Store) List(ctx context.Context, prefix, cursor string, limit int) (page []storage.Entry, next string, err error) {
	if limit < 1 {
		err = fmt.Errorf("%w: limit %d, want at least 1", storage.ErrInvalid, limit)
	}
	node, at := 0, "0"
	if cursor != "" && err == nil {
		node, at, err = parseCursor(cursor)
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
	if node >= len(nodes) {
		return nil, "", fmt.Errorf("redisstore: list: %w: the cursor is of node %d, and there are %d", storage.ErrInvalid, node, len(nodes))
	}
	do := nodes[node]
	reply, err := do(ctx, "SCAN", at, "MATCH", glob(s.prefix+prefix)+"*", "COUNT", strconv.Itoa(limit))
	if err != nil {
		return nil, "", failed(ctx, "list", err)
	}
	at, keys, err := scanned(reply)
	if err != nil {
		return nil, "", err
	}
	for _, key := range keys {
		own, ok := strings.CutPrefix(key, s.prefix)
		if !ok || !strings.HasPrefix(own, prefix) {
			continue
		}
		rec, err := s.get(ctx, do, key)
		if errors.Is(err, storage.ErrNotFound) {
			continue // deleted since
		}
		if err != nil {
			return nil, "", err
		}
		page = append(page, storage.Entry{Key: own, Record: rec})
	}
	switch {
	case at != "0":
		next = fmt.Sprintf("%d:%s", node, at)
	case node+1 < len(nodes):
		next = fmt.Sprintf("%d:0", node+1)
	}
	return page, next, nil
}

func parseCursor(cursor string) (node int, at string, err error) {
	n, at, ok := strings.Cut(cursor, ":")
	node, nodeErr := strconv.Atoi(n)
	_, atErr := strconv.ParseUint(at, 10, 64)
	if !ok || nodeErr != nil || node < 0 || atErr != nil {
		return 0, "", fmt.Errorf("%w: not a cursor of this store", storage.ErrInvalid)
	}
	return node, at, nil
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
