package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/secondgate/secondgate/storage"
)

// ErrReadOnly is returned by [New], and for a write, if the server is a replica, which takes no
// writes. Nothing was changed.
var ErrReadOnly = errors.New("redisstore: the server is a replica, which takes no writes")

// Reader reads records, also from a replica. Make one with [NewReader]. It is safe for concurrent
// use.
//
// A replica may be behind its primary. It shows a code that was used as unused, and no second
// factor for a user who has just enrolled one. So a Reader is for reports and for programs of
// operators. It is no [storage.Store], and no mfa.Manager signs users in by it.
type Reader struct{ store *Store }

var _ storage.Lister = (*Reader)(nil)

// NewReader returns a Reader. It reads from the server that Config.Do, or each of Config.Nodes,
// leads to, and asks for no settings. A replica in a cluster needs a connection on which the client
// has sent READONLY.
func NewReader(ctx context.Context, cfg Config) (*Reader, error) {
	s, err := newStore(cfg)
	if err != nil {
		return nil, err
	}
	if err := s.readable(ctx); err != nil {
		return nil, err
	}
	return &Reader{s}, nil
}

// Get returns the record under key as the server has it now, or [storage.ErrNotFound].
func (r *Reader) Get(ctx context.Context, key string) (storage.Record, error) {
	return r.store.Get(ctx, key)
}

// List implements [storage.Lister] as [Store.List] does.
func (r *Reader) List(
	ctx context.Context, prefix string, cursor storage.Cursor, limit int,
) (page []storage.Entry, next storage.Cursor, err error) {
	return r.store.List(ctx, prefix, cursor, limit)
}

// failedWrite is failed for a write.
func failedWrite(ctx context.Context, op string, err error) error {
	if strings.Contains(err.Error(), "READONLY ") {
		return fmt.Errorf("%w: %w", ErrReadOnly, failed(ctx, op, err))
	}
	return failed(ctx, op, err)
}
