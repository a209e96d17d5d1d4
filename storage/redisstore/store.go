package redisstore

import (
	"context"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // Redis names scripts by it
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/secondgate/secondgate/internal/done"
	"github.com/secondgate/secondgate/storage"
)

// Do sends one command and returns its reply as clients do: strings or byte slices for bulk
// strings, int64 for integers, []any for arrays, and nil for nil, with or without the client's
// own error for nil. An error that the server replied is returned as an error.
type Do func(ctx context.Context, args ...any) (any, error)

var (
	_ storage.Store  = (*Store)(nil)
	_ storage.Lister = (*Store)(nil)
)

// Store is a [storage.Store] and a [storage.Lister] in Redis. Make one with [New]; it is safe
// for concurrent use. It does not close the client. Errors begin with "redisstore:" and wrap
// the client's.
type Store struct {
	do      Do
	prefix  string
	nodes   func(ctx context.Context) ([]Do, error)
	wait    int
	timeout time.Duration
	pin     func(ctx context.Context, key string, use func(Do) error) error
}

// A record is a hash with the fields r, the revision, d, the data, and w, which names the call
// that wrote it: clients send a command again when its connection breaks, and what finds its
// own work done has not lost a race. The scripts reply what is not nil in any client: 1 for
// done, 0 for a conflict. HGET of a missing field is false in Lua, which no argument equals.
var (
	// ARGV: old revision or "", new revision, data, name of the call.
	swapScript = newScript(`local m = redis.call('HMGET', KEYS[1], 'r', 'w')
if m[2] == ARGV[4] then return 1 end
if ARGV[1] == '' then
  if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
elseif m[1] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'r', ARGV[2], 'd', ARGV[3], 'w', ARGV[4])
return 1`)
	// ARGV: old revision.
	deleteScript = newScript(`if redis.call('HGET', KEYS[1], 'r') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 1`)
)

// Get implements [storage.Store].
func (s *Store) Get(ctx context.Context, key string) (storage.Record, error) {
	if err := begin(ctx, "get", storage.CheckKey(key)); err != nil {
		return storage.Record{}, err
	}
	return s.get(ctx, s.do, s.prefix+key)
}

func (s *Store) get(ctx context.Context, do Do, key string) (storage.Record, error) {
	reply, err := do(ctx, "HMGET", key, "r", "d")
	if err != nil {
		return storage.Record{}, failed(ctx, "get", err)
	}
	fields, ok := reply.([]any)
	if !ok || len(fields) != 2 {
		return storage.Record{},
			fmt.Errorf("redisstore: get: the reply is %T, want an array of two", reply)
	}
	if fields[0] == nil && fields[1] == nil {
		return storage.Record{}, storage.ErrNotFound
	}
	revision, ok1 := bulk(fields[0])
	data, ok2 := bulk(fields[1])
	if !ok1 || !ok2 || revision == "" || data == "" {
		// Not a missing record: that would read as "this user has no second factor".
		return storage.Record{}, errors.New("redisstore: get: the key holds something that this " +
			"package did not write")
	}
	return storage.Record{Revision: storage.Revision(revision), Data: []byte(data)}, nil
}

// Swap implements [storage.Store].
func (s *Store) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	if err := begin(ctx, "swap", storage.CheckSwap(key, old, next)); err != nil {
		return err
	}
	return s.write(ctx, "swap", swapScript, key,
		string(old), string(next.Revision), string(next.Data), rand.Text())
}

// Delete implements [storage.Store].
func (s *Store) Delete(ctx context.Context, key string, old storage.Revision) error {
	if err := begin(ctx, "delete", storage.CheckDelete(key, old)); err != nil {
		return err
	}
	return s.write(ctx, "delete", deleteScript, key, string(old))
}

func (s *Store) write(
	ctx context.Context, op string, script script, key string, args ...string,
) error {
	key = s.prefix + key
	if s.wait == 0 {
		return run(ctx, s.do, op, script, key, args)
	}
	ran := false
	err := s.pin(ctx, key, func(do Do) error {
		ran = true
		if err := run(ctx, do, op, script, key, args); err != nil {
			return err
		}
		return s.replicated(ctx, do, op)
	})
	if err == nil && !ran {
		err = fmt.Errorf("redisstore: %s: Config.Pin did not call what it was given", op)
	}
	return err
}

func run(ctx context.Context, do Do, op string, script script, key string, args []string) error {
	call := []any{"EVALSHA", script.sha, "1", key}
	for _, a := range args {
		call = append(call, a)
	}
	reply, err := do(ctx, call...)
	if err != nil && strings.Contains(err.Error(), "NOSCRIPT") {
		// The server has not seen the script, or has forgotten it in a restart. It has run
		// nothing, so this is no second try.
		call[0], call[1] = "EVAL", script.text
		reply, err = do(ctx, call...)
	}
	if err != nil {
		return failedWrite(ctx, op, err)
	}
	switch n, ok := reply.(int64); {
	case ok && n == 0:
		return storage.ErrConflict
	case !ok || n != 1:
		return fmt.Errorf("redisstore: %s: the reply is a %T, want 0 or 1", op, reply)
	}
	return nil
}

// ErrNotReplicated is returned when the write was made, and fewer replicas than
// Config.WaitReplicas confirmed it in time. It may or may not survive a failover.
var ErrNotReplicated = errors.New("redisstore: too few replicas have the write")

func (s *Store) replicated(ctx context.Context, do Do, op string) error {
	reply, err := do(ctx, "WAIT", strconv.Itoa(s.wait),
		strconv.FormatInt(s.timeout.Milliseconds(), 10))
	if err != nil {
		return failed(ctx, op+": wait for replicas", err)
	}
	if n, ok := reply.(int64); !ok || n < int64(s.wait) {
		return fmt.Errorf("redisstore: %s: %w: want %d", op, ErrNotReplicated, s.wait)
	}
	return nil
}

// bulk is a bulk string in whatever form the client has for it.
func bulk(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case []byte:
		return string(v), true
	}
	return "", false
}

// begin prefers the context's error: an operation that was cancelled is not checked further.
func begin(ctx context.Context, op string, invalid error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("redisstore: %s: %w", op, err)
	}
	if invalid != nil {
		return fmt.Errorf("redisstore: %s: %w", op, invalid)
	}
	return nil
}

// failed wraps an error of the client, whose own words for a context that is done differ.
func failed(ctx context.Context, op string, err error) error {
	return fmt.Errorf("redisstore: %s: %w", op, done.With(ctx, err))
}

// script is a Lua script and the SHA-1 that Redis knows it by.
type script struct{ text, sha string }

func newScript(text string) script {
	sum := sha1.Sum([]byte(text)) //nolint:gosec // Redis's name for it, no protection
	return script{text, hex.EncodeToString(sum[:])}
}
