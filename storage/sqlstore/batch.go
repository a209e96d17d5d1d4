package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
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
// to 512 records that are replaced, or that are created. MySQL has no statement that returns which
// rows it changed, so the error wraps [errors.ErrUnsupported] there.
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
	replaced, created := divided(old, next)
	for _, all := range []rowBatch{replaced, created} {
		for part := range all.parts(maxBatch) {
			if err := s.swapRows(ctx, part, swapped); err != nil {
				return nil, err
			}
		}
	}
	return swapped, nil
}

// rowBatch is what one statement changes: it creates all of its rows, or none. at has their places
// in the call.
type rowBatch struct {
	old     []storage.Entry
	next    []storage.Record
	at      []int
	creates bool
}

// divided returns the swaps that replace a record, and those that create one.
func divided(old []storage.Entry, next []storage.Record) (replaced, created rowBatch) {
	created.creates = true
	for i, e := range old {
		b := &replaced
		if e.Record.Revision == "" {
			b = &created
		}
		b.old, b.next, b.at = append(b.old, e), append(b.next, next[i]), append(b.at, i)
	}
	return replaced, created
}

// parts yields batches of at most n rows.
func (b rowBatch) parts(n int) iter.Seq[rowBatch] {
	return func(yield func(rowBatch) bool) {
		for from := 0; from < len(b.old); from += n {
			to := min(from+n, len(b.old))
			if !yield(rowBatch{b.old[from:to], b.next[from:to], b.at[from:to], b.creates}) {
				return
			}
		}
	}
}

// swapRows swaps what one statement can, and sets swapped. A statement that the database rolled
// back for another writer's sake swapped nothing.
func (s *Store) swapRows(ctx context.Context, b rowBatch, swapped []bool) error {
	if err := s.turn.take(ctx); err != nil {
		return fmt.Errorf("sqlstore: swap batch: waiting for other writes: %w", err)
	}
	defer s.turn.leave()
	rows, err := s.db.QueryContext(ctx, s.batch.statement(len(b.old), b.creates),
		batchArgs(b.old, b.next)...)
	var made []int
	if err == nil {
		made, err = swappedRows(rows, b.old)
	}
	switch {
	case err == nil:
		if err := stillWaited(ctx, "swap batch"); err != nil {
			return err
		}
		for _, i := range made {
			swapped[b.at[i]] = true
		}
		return nil
	case s.dialect.Conflict(err):
		return nil
	}
	return s.failedWrite(ctx, "swap batch", err)
}

// swappedRows returns the places of the keys that a statement changed. The statement is committed
// when the driver has reported the end of its rows without an error.
func swappedRows(rows *sql.Rows, old []storage.Entry) (made []int, err error) {
	defer func() { _ = rows.Close() }() // after the end it is closed already
	places := make(map[string]int, len(old))
	for i, e := range old {
		places[e.Key] = i
	}
	for rows.Next() {
		var key sql.RawBytes
		if err := rows.Scan(&key); err != nil {
			return nil, fmt.Errorf("a row that was changed: %w", err)
		}
		i, ok := places[string(key)]
		if !ok {
			return nil, errors.New("the statement changed a row that it was not to, or one twice: " +
				"the table must have key as its primary key")
		}
		delete(places, old[i].Key)
		made = append(made, i)
	}
	return made, rows.Err() // of a statement that was rolled back, nothing was made
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
	dialect          Dialect
	table            string
	mark             func(n int) string
	replace, creates [10]func() string // by the logarithm of their rows
}

func newBatchStatements(d Dialect, table string, mark func(n int) string) *batchStatements {
	b := &batchStatements{dialect: d, table: table, mark: mark}
	for i := range b.replace {
		b.replace[i] = sync.OnceValue(func() string { return b.replacing(1 << i) })
		b.creates[i] = sync.OnceValue(func() string { return b.creating(1 << i) })
	}
	return b
}

// statement returns the statement for n rows.
func (b *batchStatements) statement(n int, creates bool) string {
	if creates {
		return b.creates[bits.Len(uint(n-1))]()
	}
	return b.replace[bits.Len(uint(n-1))]()
}

// replacing writes the statement for records that are there. Where another writer holds a row,
// PostgreSQL waits, and then looks at the condition again with what that writer left.
func (b *batchStatements) replacing(rows int) string {
	return "UPDATE " + b.table + " SET revision = column3, data = column4, " +
		"updated_at = CURRENT_TIMESTAMP FROM " + b.values(rows) +
		" WHERE key = column1 AND revision = column2 RETURNING key"
}

// creating writes the statement for records that are not there.
func (b *batchStatements) creating(rows int) string {
	return "INSERT INTO " + b.table + " (key, revision, data, updated_at) " +
		"SELECT column1, column3, column4, CURRENT_TIMESTAMP FROM " + b.values(rows) +
		" WHERE column1 IS NOT NULL ON CONFLICT (key) DO NOTHING RETURNING key"
}

// values writes the rows of a statement. Both databases name their columns column1 and so on, and
// PostgreSQL takes the types of the parameters from the first row.
func (b *batchStatements) values(rows int) string {
	var text strings.Builder
	text.WriteString("(VALUES ")
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
	text.WriteString(")) AS swaps")
	return text.String()
}
