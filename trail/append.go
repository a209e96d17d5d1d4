package trail

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/secondgate/secondgate/storage/sqlstore"
)

// Append implements [Log]. The key of the table lets one of two writers append.
func (t *Table) Append(ctx context.Context, batch []Entry) (err error) {
	if t.dialect == sqlstore.PostgreSQL {
		err = t.insertAtOnce(ctx, batch)
	} else {
		err = t.insertInTurn(ctx, batch)
	}
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

// insertAtOnce inserts all rows of a batch into PostgreSQL by one statement, which is always the
// same and a transaction by itself.
func (t *Table) insertAtOnce(ctx context.Context, batch []Entry) error {
	rows := make([]row, len(batch))
	for i := range batch {
		rows[i] = rowOf(&batch[i])
	}
	text, _ := json.Marshal(rows) // which has texts and numbers alone
	result, err := t.db.ExecContext(ctx, "INSERT INTO secondgate_trail ("+columns+") SELECT "+
		columns+" FROM json_to_recordset($1::json) AS batch (seq bigint, fact text, "+
		"personal text, personal_hash text, hash text, checkpoint text, subject text) "+
		"WHERE COALESCE((SELECT MAX(seq) FROM secondgate_trail), 0) = $2",
		string(text), batch[0].Seq-1)
	if err != nil {
		return err
	}
	switch n, err := result.RowsAffected(); {
	case err != nil:
		return err
	case n == 0:
		return ErrConflict
	case n != int64(len(batch)):
		return fmt.Errorf("the statement made %d rows of %d", n, len(batch))
	}
	return nil
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
	case t.dialect == sqlstore.MySQL:
		err = t.insertMany(ctx, tx, batch)
	default:
		err = t.insertEach(ctx, tx, batch)
	}
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// insertEach inserts the rows by one prepared statement. SQLite is in the process, and takes longer
// to read a long statement, or JSON, than to run a short statement again.
func (t *Table) insertEach(ctx context.Context, tx *sql.Tx, batch []Entry) error {
	one, err := tx.PrepareContext(ctx, insert(1))
	if err != nil {
		return err
	}
	defer func() { _ = one.Close() }()
	// A driver starts a goroutine for each statement whose context can end, which took a fifth of
	// the time for a row. The transaction ends with the context.
	each := context.WithoutCancel(ctx)
	for i := range batch {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := one.ExecContext(each, rowOf(&batch[i]).values()...); err != nil {
			return err
		}
	}
	return nil
}

// insertMany inserts many rows in a statement. It sends MySQL bytes, because what a text becomes
// depends on the character set of the connection.
func (t *Table) insertMany(ctx context.Context, tx *sql.Tx, batch []Entry) error {
	for len(batch) > 0 {
		var list []any
		n, size := 0, 0
		for ; n < len(batch) && n < 100 && size < 1<<20; n++ {
			for _, value := range rowOf(&batch[n]).values() {
				if text, ok := value.(string); ok {
					value = []byte(text)
					size += len(text)
				}
				list = append(list, value)
			}
		}
		if _, err := tx.ExecContext(ctx, insert(n), list...); err != nil {
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
