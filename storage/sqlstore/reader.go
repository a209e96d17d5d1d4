package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/secondgate/secondgate/storage"
)

// ErrReadOnly is returned by [New], and for a write, if the database takes no writes: it is a
// replica, or was opened for reading alone. Nothing was changed.
var ErrReadOnly = errors.New("sqlstore: the database takes no writes; use its primary")

// Reader reads the records of a table, also in a database that takes no writes, such as a hot
// standby of PostgreSQL. Make one with [NewReader]. It is safe for concurrent use.
//
// A replica may be behind its primary. It shows a code that was used as unused, and no second
// factor for a user who has just enrolled one. So a Reader is for reports and for programs of
// operators. It is no [storage.Store], and no mfa.Manager signs users in by it.
type Reader struct{ store *Store }

var _ storage.Lister = (*Reader)(nil)

// NewReader returns a Reader over an existing table. It tries reads alone.
func NewReader(ctx context.Context, cfg Config) (*Reader, error) {
	s, err := open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := s.probeReads(ctx); err != nil {
		return nil, err
	}
	return &Reader{s}, nil
}

// Get returns the record under key as the database has it now, or [storage.ErrNotFound].
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
func (s *Store) failedWrite(ctx context.Context, op string, err error) error {
	if s.dialect.readOnly(err) {
		return fmt.Errorf("%w: %w", ErrReadOnly, failed(ctx, op, err))
	}
	return failed(ctx, op, err)
}

// readOnly reports that the database refused a statement because it takes no writes.
func (d Dialect) readOnly(err error) bool {
	switch d {
	case PostgreSQL:
		return sqlState(err) == "25006" // read_only_sql_transaction
	case MySQL:
		switch mysqlNumber(err) {
		case "1036", // ER_OPEN_AS_READONLY: innodb_read_only of MariaDB
			"1290", // ER_OPTION_PREVENTS_STATEMENT: read_only is on
			"1792", // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
			"1836": // ER_READ_ONLY_MODE
			return true
		}
		return false
	}
	// The text is SQLite's own and the same through every driver.
	return strings.Contains(err.Error(), "readonly database")
}
