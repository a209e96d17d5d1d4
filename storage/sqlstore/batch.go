package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/bits"
	"strings"
	"sync"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/internal/swaps"
)

// maxBatch is how many rows one statement swaps at most, with four parameters each. PostgreSQL
// allows 65535 parameters, SQLite 32766. A longer statement saves little more, and writers of its
// rows wait for it.
const maxBatch = 512

// SwapBatch implements [storage.BatchSwapper] on SQLite and PostgreSQL, with one statement for up
// to 512 records. MySQL has no UPDATE that returns which rows it changed, so the error wraps
// [errors.ErrUnsupported] there.
func (s *Store) SwapBatch(
	ctx context.Context, old []storage.Entry, next []storage.Record,
) (swapped []bool, err error) {
	if err := begin(ctx, "swap batch", swaps.Check(old, next)); err != nil {
		return nil, err
	}
	if s.dialect == MySQL {
		return nil, fmt.Errorf("sqlstore: swap batch: %s: %w", s.dialect, errors.ErrUnsupported)
	}
	swapped = make([]bool, len(old))
	for from := 0; from < len(old); from += maxBatch {
		to := min(from+maxBatch, len(old))
		if err := s.swapRows(ctx, old[from:to], next[from:to], swapped[from:to]); err != nil {
			return nil, err
		}
	}
	return swapped, nil
}

// swapRows swaps what one statement can, and sets swapped. A statement that the database rolled
// back for another writer's sake swapped nothing.
func (s *Store) swapRows(
	ctx context.Context, old []storage.Entry, next []storage.Record, swapped []bool,
) error {
	if err := s.turn.take(ctx); err != nil {
		return fmt.Errorf("sqlstore: swap batch: waiting for other writes: %w", err)
	}
	defer s.turn.leave()
	rows, err := s.db.QueryContext(ctx, s.batch.statement(len(old)), batchArgs(old, next)...)
	if err == nil {
		err = swappedRows(rows, old, swapped)
	}
	switch {
	case err == nil:
		return nil
	case s.dialect.conflict(err):
		clear(swapped)
		return nil
	}
	return failed(ctx, "swap batch", err)
}

// swappedRows reads which keys a statement changed. The statement is committed when the driver has
// reported the end of its rows without an error.
func swappedRows(rows *sql.Rows, old []storage.Entry, swapped []bool) error {
	defer func() { _ = rows.Close() }() // after the end it is closed already
	places := make(map[string]int, len(old))
	for i, e := range old {
		places[e.Key] = i
	}
	for rows.Next() {
		var key sql.RawBytes
		if err := rows.Scan(&key); err != nil {
			return fmt.Errorf("a row that was changed: %w", err)
		}
		i, ok := places[string(key)]
		if !ok || swapped[i] {
			return errors.New("the statement changed a row that it was not to, or one twice: " +
				"the table must have key as its primary key")
		}
		swapped[i] = true
	}
	return rows.Err()
}

// batchArgs returns the arguments of a statement for as many rows as batchRows says. Those that
// are too many are NULL, which equals no key.
func batchArgs(old []storage.Entry, next []storage.Record) []any {
	args := make([]any, 4*batchRows(len(old)))
	for i, e := range old {
		row := args[4*i:]
		row[0], row[1] = []byte(e.Key), []byte(e.Record.Revision)
		row[2], row[3] = []byte(next[i].Revision), next[i].Data
	}
	return args
}

// batchRows returns how many rows a statement for n has: a power of two, so that drivers and
// databases that keep prepared statements keep few.
func batchRows(n int) int { return 1 << bits.Len(uint(n-1)) }

// batchStatements makes the statements that swap several rows. It is safe for concurrent use.
type batchStatements struct {
	dialect  Dialect
	table    string
	mark     func(n int) string
	prepared [10]func() string // by the logarithm of their rows
}

func newBatchStatements(d Dialect, table string, mark func(n int) string) *batchStatements {
	b := &batchStatements{dialect: d, table: table, mark: mark}
	for i := range b.prepared {
		b.prepared[i] = sync.OnceValue(func() string { return b.text(1 << i) })
	}
	return b
}

// statement returns the statement for n rows.
func (b *batchStatements) statement(n int) string { return b.prepared[bits.Len(uint(n-1))]() }

// text writes a statement. Both databases name the columns of VALUES column1 and so on.
//
// PostgreSQL takes the types of the parameters from the first row. Where another writer holds a
// row, it waits, and then looks at the condition again with what that writer left.
func (b *batchStatements) text(rows int) string {
	var text strings.Builder
	fmt.Fprintf(&text, "UPDATE %s SET revision = column3, data = column4, "+
		"updated_at = CURRENT_TIMESTAMP FROM (VALUES ", b.table)
	cast := ""
	if b.dialect == PostgreSQL {
		cast = "::bytea"
	}
	for i := range 4 * rows {
		switch {
		case i == 0:
			text.WriteString("(")
		case i%4 == 0:
			cast = ""
			text.WriteString("), (")
		default:
			text.WriteString(", ")
		}
		text.WriteString(b.mark(i+1) + cast)
	}
	text.WriteString(")) AS swaps WHERE key = column1 AND revision = column2 RETURNING key")
	return text.String()
}
