package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/secondgate/secondgate/internal/done"
	"github.com/secondgate/secondgate/storage"
)

var (
	_ storage.Store        = (*Store)(nil)
	_ storage.Lister       = (*Store)(nil)
	_ storage.BatchSwapper = (*Store)(nil)
)

// Store is a [storage.Store], a [storage.Lister] and, except on MySQL, a [storage.BatchSwapper]
// over a table. Make one with [New]; it is safe for concurrent use. It does not close the DB.
//
// Errors of the driver are wrapped and begin with "sqlstore:". When the context is done,
// errors.Is finds its error, whatever the driver made of it.
type Store struct {
	db      *sql.DB
	dialect Dialect
	table   string // quoted
	sql     statements
	batch   *batchStatements
	turn    turn
}

// Get implements [storage.Store].
func (s *Store) Get(ctx context.Context, key string) (storage.Record, error) {
	if err := begin(ctx, "get", storage.CheckKey(key)); err != nil {
		return storage.Record{}, err
	}
	var revision, data []byte
	err := s.db.QueryRowContext(ctx, s.sql.get, []byte(key)).Scan(&revision, &data)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return storage.Record{}, storage.ErrNotFound
	case err != nil:
		return storage.Record{}, failed(ctx, "get", err)
	}
	return record("get", revision, data)
}

// Swap implements [storage.Store].
func (s *Store) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	if err := begin(ctx, "swap", storage.CheckSwap(key, old, next)); err != nil {
		return err
	}
	if old == "" {
		return s.write(ctx, "swap", s.sql.insert, []byte(key), []byte(next.Revision), next.Data)
	}
	// The revision always changes, so a matching row is a changed row, however a MySQL
	// connection counts.
	return s.write(ctx, "swap", s.sql.update, []byte(next.Revision), next.Data, []byte(key),
		[]byte(old))
}

// Delete implements [storage.Store].
func (s *Store) Delete(ctx context.Context, key string, old storage.Revision) error {
	if err := begin(ctx, "delete", storage.CheckDelete(key, old)); err != nil {
		return err
	}
	return s.write(ctx, "delete", s.sql.delete, []byte(key), []byte(old))
}

// write runs one conditional statement. The number of rows it touched says what happened.
func (s *Store) write(ctx context.Context, op, statement string, args ...any) error {
	if err := s.turn.take(ctx); err != nil {
		return fmt.Errorf("sqlstore: %s: waiting for other writes: %w", op, err)
	}
	defer s.turn.leave()
	res, err := s.db.ExecContext(ctx, statement, args...)
	if err != nil {
		if s.dialect.Conflict(err) {
			return fmt.Errorf("sqlstore: %s: %w: %w", op, storage.ErrConflict, err)
		}
		return s.failedWrite(ctx, op, err)
	}
	n, err := res.RowsAffected()
	switch {
	case err != nil:
		return failed(ctx, op, err)
	case n == 1:
		return stillWaited(ctx, op)
	case n == 0, n == 2 && s.dialect == MySQL && statement == s.sql.insert:
		return storage.ErrConflict
	}
	return fmt.Errorf("sqlstore: %s: the statement touched %d rows: "+
		"the table must have key as its primary key and no triggers of its own", op, n)
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
	query, args := s.listQuery(prefix, cursor, limit)
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, "", failed(ctx, "list", err)
	}
	defer func() {
		if closeErr := rows.Close(); err == nil && closeErr != nil {
			page, next, err = nil, "", failed(ctx, "list", closeErr)
		}
	}()
	if page, err = entries(ctx, rows); err != nil {
		return nil, "", err
	}
	if len(page) == limit {
		next = storage.Cursor(page[limit-1].Key)
	}
	return page, next, nil
}

// listQuery selects the page after cursor. It has bounds rather than LIKE, whose wildcards and
// collations are not bytes. An empty bound is left out, because not every driver distinguishes an
// empty value from NULL.
func (s *Store) listQuery(
	prefix string, cursor storage.Cursor, limit int,
) (query string, args []any) {
	var where []string
	bound := func(op, value string) {
		args = append(args, []byte(value))
		where = append(where, s.sql.key+op+s.sql.mark(len(args)))
	}
	if last := string(cursor); last >= prefix && last != "" {
		bound(" > ", last)
	} else if prefix != "" {
		bound(" >= ", prefix)
	}
	if end := prefixEnd(prefix); end != "" {
		bound(" < ", end)
	}
	query = s.sql.list
	if len(where) > 0 {
		query += " WHERE " + strings.Join(where, " AND ")
	}
	args = append(args, int64(limit))
	return query + s.sql.order + s.sql.mark(len(args)), args
}

// entries reads all rows or none: the end of a part would look like the end of the page.
func entries(ctx context.Context, rows *sql.Rows) (page []storage.Entry, err error) {
	for rows.Next() {
		var key, revision, data []byte
		if err := rows.Scan(&key, &revision, &data); err != nil {
			return nil, failed(ctx, "list", err)
		}
		rec, err := record("list", revision, data)
		if err != nil {
			return nil, err
		}
		page = append(page, storage.Entry{Key: string(key), Record: rec})
	}
	if err := rows.Err(); err != nil {
		return nil, failed(ctx, "list", err)
	}
	return page, nil
}

// prefixEnd returns the least string greater than all that start with prefix, "" if none is.
// It counts bytes: strings.TrimRight would take any byte that is not UTF-8 for a 0xff.
func prefixEnd(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if last := prefix[i]; last < 0xff {
			return prefix[:i] + string([]byte{last + 1})
		}
	}
	return ""
}

// record refuses a row that this package cannot have written. It is no missing record: that
// would read as "this user has no second factor".
func record(op string, revision, data []byte) (storage.Record, error) {
	if len(revision) == 0 || len(data) == 0 {
		return storage.Record{}, fmt.Errorf("sqlstore: %s: the row has an empty revision or data: "+
			"something else wrote to the table", op)
	}
	return storage.Record{Revision: storage.Revision(revision), Data: data}, nil
}

// begin prefers the context's error: an operation that was cancelled is not checked further.
func begin(ctx context.Context, op string, invalid error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("sqlstore: %s: %w", op, err)
	}
	if invalid != nil {
		return fmt.Errorf("sqlstore: %s: %w", op, invalid)
	}
	return nil
}

// stillWaited is an error if the context is done, although the database reported success. A
// PostgreSQL that is asked to cancel a commit, while it waits for a synchronous standby, stops
// waiting and reports success. A promotion of the standby then takes the write back.
func stillWaited(ctx context.Context, op string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("sqlstore: %s: the context ended before the commit was confirmed: %w", op, err)
	}
	return nil
}

// failed wraps an error of database/sql or of the driver. Drivers report an interrupted
// statement in words of their own, so the context's error is added if it is not there.
func failed(ctx context.Context, op string, err error) error {
	err = done.With(ctx, err)
	if lostStatement(err) {
		return fmt.Errorf("sqlstore: %s: %w (%s)", op, err, poolerHint)
	}
	return fmt.Errorf("sqlstore: %s: %w", op, err)
}
