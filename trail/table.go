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

const columns = "seq, fact, personal, personal_hash, hash, checkpoint, subject"

// Table is a log in a table of an SQL database, which [Table.Migrate] makes. Any number of
// processes may append to it.
type Table struct {
	db      *sql.DB
	dialect sqlstore.Dialect
}

var _ Log = (*Table)(nil)

// NewTable returns the log in a database. [Table.Migrate] makes its table, or the statements of
// [Schema] do. A connection of MySQL must not have autocommit off: it would not see what other
// processes append.
func NewTable(db *sql.DB, dialect sqlstore.Dialect) (*Table, error) {
	if db == nil {
		return nil, errors.New("trail: a table needs a database")
	}
	if _, err := Schema(dialect); err != nil {
		return nil, err
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
		if err := rows.Scan(&r.Seq, &r.Fact, &r.Personal, &r.PersonalHash, &r.Hash,
			&r.Checkpoint, &r.Subject); err != nil {
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

// Erase implements [Log].
func (t *Table) Erase(ctx context.Context, subject string, to int64) error {
	_, err := t.db.ExecContext(ctx, t.statement("UPDATE secondgate_trail "+
		"SET personal = '', subject = '' WHERE subject = ? AND seq <= ?"), subject, to)
	if err != nil {
		return fmt.Errorf("trail: %w", err)
	}
	return nil
}
