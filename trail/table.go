package trail

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/secondgate/secondgate/storage/sqlstore"
)

// Schema makes the table of a [Table]. It is for SQLite and PostgreSQL, and changes nothing if the
// table is there.
const Schema = `CREATE TABLE IF NOT EXISTS secondgate_trail (
	seq BIGINT NOT NULL PRIMARY KEY,
	fact TEXT NOT NULL,
	personal TEXT NOT NULL,
	personal_hash TEXT NOT NULL,
	hash TEXT NOT NULL,
	checkpoint TEXT NOT NULL,
	subject TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS secondgate_trail_subject ON secondgate_trail (subject, seq);`

const columns = "seq, fact, personal, personal_hash, hash, checkpoint, subject"

// Table is a log in a table of an SQL database, which [Schema] makes. Any number of processes may
// append to it.
type Table struct {
	db      *sql.DB
	dialect sqlstore.Dialect
}

var _ Log = (*Table)(nil)

// NewTable returns the log in a database, which is sqlstore.SQLite or sqlstore.PostgreSQL.
func NewTable(db *sql.DB, dialect sqlstore.Dialect) (*Table, error) {
	if db == nil || dialect != sqlstore.SQLite && dialect != sqlstore.PostgreSQL {
		return nil, fmt.Errorf("trail: a table needs a database, and its dialect is %q or %q",
			sqlstore.SQLite, sqlstore.PostgreSQL)
	}
	return &Table{db, dialect}, nil
}

// statement spells the parameters of a statement.
func (t *Table) statement(text string) string {
	if t.dialect != sqlstore.PostgreSQL {
		return text
	}
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, more := strings.Cut(text, "?")
		b.WriteString(before)
		if !more {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(n))
		text = after
	}
}

// pageLen is how many entries are read at once, so that a walk keeps no connection and blocks no
// writer.
const pageLen = 500

// Last implements [Log].
func (t *Table) Last(ctx context.Context) (Entry, error) {
	list, err := t.page(ctx, "SELECT "+columns+
		" FROM secondgate_trail ORDER BY seq DESC LIMIT 1")
	if len(list) == 0 {
		return Entry{}, err
	}
	return list[0], nil
}

// Read implements [Log].
func (t *Table) Read(ctx context.Context, from int64) iter.Seq2[Entry, error] {
	return t.walk(ctx, from, "SELECT "+columns+
		" FROM secondgate_trail WHERE seq >= ? ORDER BY seq LIMIT ?")
}

// About implements [Log].
func (t *Table) About(ctx context.Context, subject string) iter.Seq2[Entry, error] {
	return t.walk(ctx, 1, "SELECT "+columns+
		" FROM secondgate_trail WHERE subject = ? AND seq >= ? ORDER BY seq LIMIT ?", subject)
}

// newest returns the newest entries of a subject, the latest first.
func (t *Table) newest(ctx context.Context, subject string, limit int) ([]Entry, error) {
	return t.page(ctx, "SELECT "+columns+
		" FROM secondgate_trail WHERE subject = ? ORDER BY seq DESC LIMIT ?", subject, limit)
}

// walk reads page after page.
func (t *Table) walk(
	ctx context.Context, from int64, query string, args ...any,
) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for next := from; ; {
			list, err := t.page(ctx, query, append(args[:len(args):len(args)], next, pageLen)...)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for _, e := range list {
				if !yield(e, nil) {
					return
				}
				next = e.Seq + 1
			}
			if len(list) < pageLen {
				return
			}
		}
	}
}

func (t *Table) page(ctx context.Context, query string, args ...any) (list []Entry, err error) {
	rows, err := t.db.QueryContext(ctx, t.statement(query), args...)
	if err != nil {
		return nil, fmt.Errorf("trail: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.seq, &r.fact, &r.personal, &r.personalHash, &r.hash,
			&r.checkpoint, &r.subject); err != nil {
			return nil, fmt.Errorf("trail: %w", err)
		}
		e, err := r.entry()
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("trail: %w", err)
	}
	return list, nil
}

// Append implements [Log]. The key of the table lets one of two writers append.
func (t *Table) Append(ctx context.Context, batch []Entry) error {
	last, err := t.Last(ctx)
	if err != nil {
		return err
	}
	if last.Seq != batch[0].Seq-1 {
		return ErrConflict
	}
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("trail: %w", err)
	}
	if err := t.insertAll(ctx, tx, batch); err != nil {
		return t.refused(ctx, batch, errors.Join(err, tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return t.refused(ctx, batch, err)
	}
	return nil
}

// insertAll inserts the rows of a batch. To a server they go many in a statement, because a
// statement for each took a third of the throughput of sign-ins. SQLite is in the process, and
// takes longer to read a long statement than to run a short one again.
func (t *Table) insertAll(ctx context.Context, tx *sql.Tx, batch []Entry) error {
	if t.dialect != sqlstore.PostgreSQL {
		one, err := tx.PrepareContext(ctx, t.insert(1))
		if err != nil {
			return err
		}
		defer func() { _ = one.Close() }()
		for i := range batch {
			if _, err := one.ExecContext(ctx, values(batch[i:i+1])...); err != nil {
				return err
			}
		}
		return nil
	}
	for len(batch) > 0 {
		n := rowsAtOnce(len(batch))
		if _, err := tx.ExecContext(ctx, t.insert(n), values(batch[:n])...); err != nil {
			return err
		}
		batch = batch[n:]
	}
	return nil
}

// rowsAtOnce returns how many of n rows the next statement inserts. There are four statements, so
// that a driver that keeps prepared ones keeps few.
func rowsAtOnce(n int) int {
	for _, rows := range []int{100, 25, 5} {
		if n >= rows {
			return rows
		}
	}
	return 1
}

// insert returns the statement that inserts so many rows.
func (t *Table) insert(rows int) string {
	return t.statement("INSERT INTO secondgate_trail (" + columns + ") VALUES " +
		strings.Repeat("(?, ?, ?, ?, ?, ?, ?), ", rows-1) + "(?, ?, ?, ?, ?, ?, ?)")
}

// values returns the parameters of insert.
func values(batch []Entry) []any {
	list := make([]any, 0, 7*len(batch))
	for i := range batch {
		r := rowOf(&batch[i])
		list = append(list, r.seq, r.fact, r.personal, r.personalHash, r.hash, r.checkpoint,
			r.subject)
	}
	return list
}

// refused says whether a write failed because another process appended first.
func (t *Table) refused(ctx context.Context, batch []Entry, err error) error {
	last, readErr := t.Last(ctx)
	if readErr == nil && last.Seq >= batch[0].Seq {
		return errors.Join(ErrConflict, err)
	}
	return fmt.Errorf("trail: %w", err)
}

// Erase implements [Log].
func (t *Table) Erase(ctx context.Context, subject string, to int64) error {
	_, err := t.db.ExecContext(ctx, t.statement("UPDATE secondgate_trail "+
		"SET personal = '', subject = '' WHERE subject = ? AND seq <= ?"), subject, to)
	if err != nil {
		return fmt.Errorf("trail: %w", err)
	}
	return nil
}
