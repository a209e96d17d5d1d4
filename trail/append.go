package trail

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/secondgate/secondgate/storage/sqlstore"
)

// Append implements [Log]. The key of the table lets one of two writers append.
func (t *Table) Append(ctx context.Context, batch []Entry) (err error) {
	err = t.insertInTurn(ctx, batch)
	if err == nil || errors.Is(err, ErrConflict) {
		return err
	}
	return t.refused(ctx, batch, err)
}

// refused says whether a write failed because another process appended first, or was about to: one
// that the database rolled back for another's sake changed nothing.
func (t *Table) refused(ctx context.Context, batch []Entry, err error) error {
	last, readErr := t.Last(ctx)
	if t.dialect.Conflict(err) || readErr == nil && last.Seq >= batch[0].Seq {
		return errors.Join(ErrConflict, err)
	}
	return fmt.Errorf("trail: %w", err)
}

// insertInTurn inserts the rows of a batch in one transaction.
func (t *Table) insertInTurn(ctx context.Context, batch []Entry) error {
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	var last sql.NullInt64
	err = tx.QueryRowContext(ctx, "SELECT MAX(seq) FROM secondgate_trail").Scan(&last)
	switch {
	case err != nil:
	case last.Int64 != batch[0].Seq-1:
		err = ErrConflict
	case t.dialect == sqlstore.SQLite:
		err = t.insertEach(ctx, tx, batch)
	default:
		err = t.insertMany(ctx, tx, batch)
	}
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// insertEach inserts the rows by one prepared statement. SQLite is in the process, and takes longer
// to read a long statement than to run a short statement again.
func (t *Table) insertEach(ctx context.Context, tx *sql.Tx, batch []Entry) error {
	one, err := tx.PrepareContext(ctx, insert(1))
	if err != nil {
		return err
	}
	defer func() { _ = one.Close() }()
	for i := range batch {
		if _, err := one.ExecContext(ctx, rowOf(&batch[i]).values()...); err != nil {
			return err
		}
	}
	return nil
}

// insertMany inserts many rows in a statement, because a statement for each took a third of the
// throughput of sign-ins. It sends MySQL bytes, because what a text becomes
// depends on the character set of the connection.
func (t *Table) insertMany(ctx context.Context, tx *sql.Tx, batch []Entry) error {
	for len(batch) > 0 {
		var list []any
		n, size := 0, 0
		for ; n < len(batch) && n < 100 && size < 1<<20; n++ {
			for _, value := range rowOf(&batch[n]).values() {
				if text, ok := value.(string); ok {
					if t.dialect == sqlstore.MySQL {
						value = []byte(text)
					}
					size += len(text)
				}
				list = append(list, value)
			}
		}
		if _, err := tx.ExecContext(ctx, t.statement(insert(n)), list...); err != nil {
			return err
		}
		batch = batch[n:]
	}
	return nil
}

// insert returns the statement that inserts so many rows.
func insert(rows int) string {
	return "INSERT INTO secondgate_trail (" + columns + ") VALUES " +
		strings.Repeat("(?, ?, ?, ?, ?, ?, ?), ", rows-1) + "(?, ?, ?, ?, ?, ?, ?)"
}
