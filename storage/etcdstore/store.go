package etcdstore

import (
	"cmp"
	"context"
	"fmt"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/secondgate/secondgate/internal/done"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/internal/swaps"
	"github.com/secondgate/secondgate/storage/internal/value"
)

// Store is a [storage.Store], a [storage.Lister] and a [storage.BatchSwapper] in etcd. Make one
// with [New]; it is safe for concurrent use. Errors begin with "etcdstore:" and wrap the client's.
type Store struct {
	kv     clientv3.KV
	prefix string
}

// New returns a Store. prefix precedes every key, and defaults to "secondgate/". New asks nothing
// of the servers, and the Store does not close the client.
func New(kv clientv3.KV, prefix string) *Store {
	return &Store{kv: kv, prefix: cmp.Or(prefix, "secondgate/")}
}

// Get implements [storage.Store]. The read is linearizable, which is the client's default: a
// server answers after a majority has confirmed who leads.
func (s *Store) Get(ctx context.Context, key string) (storage.Record, error) {
	if err := begin(ctx, "get", storage.CheckKey(key)); err != nil {
		return storage.Record{}, err
	}
	reply, err := s.kv.Get(ctx, s.prefix+key)
	if err != nil || len(reply.Kvs) == 0 {
		return storage.Record{}, cmp.Or(failed(ctx, "get", err), storage.ErrNotFound)
	}
	return record("get", reply.Kvs[0])
}

// Swap implements [storage.Store].
func (s *Store) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	if err := begin(ctx, "swap", storage.CheckSwap(key, old, next)); err != nil {
		return err
	}
	return s.write(ctx, "swap", key, old, clientv3.OpPut(s.prefix+key, value.Of(next)))
}

// Delete implements [storage.Store].
func (s *Store) Delete(ctx context.Context, key string, old storage.Revision) error {
	if err := begin(ctx, "delete", storage.CheckDelete(key, old)); err != nil {
		return err
	}
	return s.write(ctx, "delete", key, old, clientv3.OpDelete(s.prefix+key))
}

func (s *Store) write(
	ctx context.Context, op, key string, old storage.Revision, do clientv3.Op,
) error {
	reply, err := s.kv.Txn(ctx).If(has(s.prefix+key, old)...).Then(do).Commit()
	if err == nil && !reply.Succeeded {
		return storage.ErrConflict
	}
	return failed(ctx, op, err)
}

// batchSwaps is how many swaps fit into the 1.5 MiB of a request, whatever their records.
const batchSwaps = 20

// SwapBatch implements [storage.BatchSwapper] with one transaction for each twenty swaps.
func (s *Store) SwapBatch(
	ctx context.Context, old []storage.Entry, next []storage.Record,
) (swapped []bool, err error) {
	if err := begin(ctx, "swap a batch", swaps.Check(old, next)); err != nil {
		return nil, err
	}
	for len(swapped) < len(old) {
		var each []clientv3.Op
		for i := len(swapped); i < min(len(old), len(swapped)+batchSwaps); i++ {
			key := s.prefix + old[i].Key
			put := clientv3.OpPut(key, value.Of(next[i]))
			each = append(each, clientv3.OpTxn(has(key, old[i].Record.Revision),
				[]clientv3.Op{put}, nil))
		}
		// There is no condition, so nothing else is done. But it is the one write that a server
		// counts when it is full: it overlooks those inside of other transactions.
		counted := clientv3.OpPut(s.prefix+old[len(swapped)].Key, "")
		reply, err := s.kv.Txn(ctx).Then(each...).Else(counted).Commit()
		if err != nil {
			return nil, failed(ctx, "swap a batch", err)
		}
		for _, r := range reply.Responses {
			swapped = append(swapped, r.GetResponseTxn().Succeeded)
		}
	}
	return swapped, nil
}

// List implements [storage.Lister]. A limit below one is an error that wraps
// [storage.ErrInvalid]. The cursor is the last key of the page before.
func (s *Store) List(
	ctx context.Context, prefix string, cursor storage.Cursor, limit int,
) (page []storage.Entry, next storage.Cursor, err error) {
	if limit < 1 {
		err = fmt.Errorf("%w: limit %d, want at least 1", storage.ErrInvalid, limit)
	}
	if err := begin(ctx, "list", err); err != nil {
		return nil, "", err
	}
	from := prefix
	if cursor != "" {
		from = max(prefix, string(cursor)+"\x00")
	}
	reply, err := s.kv.Get(ctx, s.prefix+from, clientv3.WithLimit(int64(limit)),
		clientv3.WithRange(clientv3.GetPrefixRangeEnd(s.prefix+prefix)))
	if err != nil {
		return nil, "", failed(ctx, "list", err)
	}
	for _, kv := range reply.Kvs {
		rec, err := record("list", kv)
		if err != nil {
			return nil, "", err
		}
		page = append(page, storage.Entry{Key: string(kv.Key[len(s.prefix):]), Record: rec})
	}
	if reply.More {
		next = storage.Cursor(page[len(page)-1].Key)
	}
	return page, next, nil
}

// has is the condition that the record under key has the revision r, or is not there. A value
// begins with its revision, so those with the revision are in one range of values.
func has(key string, r storage.Revision) []clientv3.Cmp {
	if r == "" {
		return []clientv3.Cmp{clientv3.Compare(clientv3.CreateRevision(key), "=", 0)}
	}
	from := value.Head(r)
	return []clientv3.Cmp{clientv3.Compare(clientv3.Value(key), ">", from),
		clientv3.Compare(clientv3.Value(key), "<", clientv3.GetPrefixRangeEnd(from))}
}

func record(op string, kv *mvccpb.KeyValue) (storage.Record, error) {
	rec, err := value.Record(kv.Value)
	if err != nil {
		err = fmt.Errorf("etcdstore: %s: a key: %w", op, err)
	}
	return rec, err
}

// begin prefers the context's error: an operation that was cancelled is not checked further.
func begin(ctx context.Context, op string, invalid error) error {
	return failed(ctx, op, cmp.Or(ctx.Err(), invalid))
}

// failed wraps an error. A server may notice before the context that its deadline is past, and says
// so in words of its own.
func failed(ctx context.Context, op string, err error) error {
	if err != nil {
		err = fmt.Errorf("etcdstore: %s: %w", op, done.With(ctx, err))
	}
	return err
}
