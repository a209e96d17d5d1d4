// Package userstable keeps each user's record in a column of the application's own users table,
// and all other records in the table of sqlstore. docs/writing-a-store.md says when such a column
// is better than a table of its own.
//
//	ALTER TABLE users ADD COLUMN mfa_record BLOB -- bytea on PostgreSQL, MEDIUMBLOB on MySQL
package userstable

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

var (
	_ storage.Store  = (*Store)(nil)
	_ storage.Lister = (*Store)(nil)
)

// Store is a [storage.Store] and a [storage.Lister]. The application passes users.id in
// decimal as mfa.User.ID, and no Tenant. A user's row must exist before the first record.
// Deleting the row deletes the record.
//
// The column is NULL without a record. Otherwise it holds the length of the revision in one byte,
// the revision, and the data.
type Store struct {
	db   *sql.DB
	rest *sqlstore.Store
}

// New returns a Store. rest keeps the records that belong to no user, such as rate limits and
// policies, in the same database or another. The caller closes both.
func New(ctx context.Context, db *sql.DB, rest *sqlstore.Store) (*Store, error) {
	// The statement changes no row, but fails without the column, or the right to write it.
	if _, err := db.ExecContext(ctx,
		"UPDATE users SET mfa_record = mfa_record WHERE 1 = 0"); err != nil {
		return nil, fmt.Errorf("userstable: the column users.mfa_record cannot be written: %w", err)
	}
	return &Store{db, rest}, nil
}

const userPrefix = "p/0//" // begins the key of a user without a tenant

// user returns the ID of the row for a key. It returns false if the key is not a user's.
func user(key string) (id int64, ok bool, err error) {
	if err := storage.CheckKey(key); err != nil || !strings.HasPrefix(key, "p/") {
		return 0, false, err
	}
	id, err = strconv.ParseInt(strings.TrimPrefix(key, userPrefix), 10, 64)
	// "042" and "+42" are other users than "42", though they are the same number.
	if err != nil || key != userPrefix+strconv.FormatInt(id, 10) {
		return 0, false, fmt.Errorf("%w: the user's ID is not a users.id, or there is a tenant",
			storage.ErrInvalid)
	}
	return id, true, nil
}

// Get implements [storage.Store]. A user without a row has no record either.
func (s *Store) Get(ctx context.Context, key string) (storage.Record, error) {
	id, ok, err := user(key)
	if err := errors.Join(ctx.Err(), err); err != nil {
		return storage.Record{}, fmt.Errorf("userstable: get: %w", err)
	} else if !ok {
		return s.rest.Get(ctx, key)
	}
	// The database says whether the column is NULL, because some drivers return nil for an empty
	// value.
	var none bool
	var value []byte
	err = s.db.QueryRowContext(ctx, "SELECT mfa_record IS NULL, mfa_record FROM users WHERE id = ?",
		id).Scan(&none, &value)
	if errors.Is(err, sql.ErrNoRows) || err == nil && none {
		return storage.Record{}, storage.ErrNotFound
	} else if err != nil {
		return storage.Record{}, fmt.Errorf("userstable: get: %w", errors.Join(ctx.Err(), err))
	}
	return unpack(value)
}

// Swap implements [storage.Store]. Without a row in users it returns a conflict.
func (s *Store) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	id, ok, err := user(key)
	if err := errors.Join(ctx.Err(), err, storage.CheckSwap(key, old, next)); err != nil {
		return fmt.Errorf("userstable: swap: %w", err)
	} else if !ok {
		return s.rest.Swap(ctx, key, old, next)
	}
	value := append(pack(next.Revision), next.Data...)
	if old == "" {
		return s.write(ctx, "UPDATE users SET mfa_record = ? WHERE id = ? AND mfa_record IS NULL",
			value, id)
	}
	return s.write(ctx, "UPDATE users SET mfa_record = ? WHERE id = ? AND SUBSTR(mfa_record, 1, "+
		"?) = ?", value, id, len(pack(old)), pack(old))
}

// Delete implements [storage.Store].
func (s *Store) Delete(ctx context.Context, key string, old storage.Revision) error {
	id, ok, err := user(key)
	if err := errors.Join(ctx.Err(), err, storage.CheckDelete(key, old)); err != nil {
		return fmt.Errorf("userstable: delete: %w", err)
	} else if !ok {
		return s.rest.Delete(ctx, key, old)
	}
	return s.write(ctx, "UPDATE users SET mfa_record = NULL WHERE id = ? AND SUBSTR(mfa_record, "+
		"1, ?) = ?", id, len(pack(old)), pack(old))
}

// write runs one statement, which contains its condition, outside the application's transactions.
func (s *Store) write(ctx context.Context, statement string, args ...any) error {
	var n int64
	res, err := s.db.ExecContext(ctx, statement, args...)
	if err == nil {
		n, err = res.RowsAffected()
	}
	// PostgreSQL reports success for a commit that waited for a standby and was cancelled.
	if err := errors.Join(ctx.Err(), err); err != nil {
		return fmt.Errorf("userstable: write: %w", err)
	} else if n == 0 {
		return storage.ErrConflict
	}
	return nil
}

// pack returns the beginning of a column with this revision. No other column begins with it.
func pack(revision storage.Revision) []byte {
	return append([]byte{byte(len(revision))}, revision...)
}

// unpack parses a column. A value that this package did not write is an error, and no missing
// record.
func unpack(value []byte) (storage.Record, error) {
	if len(value) < 3 || value[0] == 0 || len(value) < 2+int(value[0]) {
		return storage.Record{}, errors.New("userstable: users.mfa_record holds no record: " +
			"something else wrote to it")
	}
	end := 1 + int(value[0])
	return storage.Record{Revision: storage.Revision(value[1:end]), Data: value[end:]}, nil
}

// List implements [storage.Lister]. It lists first the users, then the rest. The cursor is the last
// ID, or "rest/" and the cursor of the rest.
func (s *Store) List(
	ctx context.Context, prefix string, cursor storage.Cursor, limit int,
) ([]storage.Entry, storage.Cursor, error) {
	after, resting := strings.CutPrefix(string(cursor), "rest/")
	if resting {
		page, next, err := s.rest.List(ctx, prefix, storage.Cursor(after), limit)
		if next != "" {
			next = "rest/" + next
		}
		return page, next, err
	}
	var last int64 = -1 << 63
	if cursor != "" {
		var err error
		if last, err = strconv.ParseInt(string(cursor), 10, 64); err != nil {
			return nil, "", fmt.Errorf("userstable: list: %w: the cursor is not this store's",
				storage.ErrInvalid)
		}
	}
	if limit < 1 {
		return nil, "", fmt.Errorf("userstable: list: %w: limit %d, want at least 1",
			storage.ErrInvalid, limit)
	}
	rows, err := s.db.QueryContext(ctx, "SELECT id, mfa_record FROM users WHERE id > ? AND "+
		"mfa_record IS NOT NULL ORDER BY id LIMIT ?", last, limit)
	if err != nil {
		return nil, "", fmt.Errorf("userstable: list: %w", errors.Join(ctx.Err(), err))
	}
	defer func() { _ = rows.Close() }()
	var page []storage.Entry
	n := 0
	for ; rows.Next(); n++ {
		var value []byte
		if err := rows.Scan(&last, &value); err != nil {
			return nil, "", fmt.Errorf("userstable: list: %w", errors.Join(ctx.Err(), err))
		}
		rec, err := unpack(value)
		if err != nil {
			return nil, "", err
		}
		if key := userPrefix + strconv.FormatInt(last, 10); strings.HasPrefix(key, prefix) {
			page = append(page, storage.Entry{Key: key, Record: rec})
		}
	}
	if err := rows.Err(); err != nil {
		return nil, "", fmt.Errorf("userstable: list: %w", errors.Join(ctx.Err(), err))
	}
	if n < limit {
		return page, "rest/", nil
	}
	return page, storage.Cursor(strconv.FormatInt(last, 10)), nil
}
