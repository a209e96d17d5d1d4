package trail

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/secondgate/secondgate/storage/sqlstore"
)

//go:embed schema/*.sql
var schemas embed.FS

// Schema returns the statements that make the table of a [Table], for a migration tool of your own.
// They change nothing if the table is there, and have no semicolon at the end.
func Schema(dialect sqlstore.Dialect) ([]string, error) {
	switch dialect {
	case sqlstore.SQLite, sqlstore.PostgreSQL, sqlstore.MySQL:
		text, err := schemas.ReadFile("schema/" + string(dialect) + ".sql")
		return strings.Split(strings.TrimSpace(string(text)), ";\n"), err
	}
	return nil, fmt.Errorf("trail: unknown dialect %q: a table is in sqlstore.SQLite, PostgreSQL "+
		"or MySQL", string(dialect))
}

// Migrate makes the table unless it is there. It is idempotent and safe in several processes at
// once, and needs no privilege but to read where the table is there.
func (t *Table) Migrate(ctx context.Context) error {
	statements, _ := Schema(t.dialect) // which NewTable knows
	// The processes that open a new file of SQLite all switch it to WAL, and SQLite refuses all but
	// one with "locked" at once.
	const pauses, wait = 100, 50 * time.Millisecond
	var createErr error
	for i := 0; ; i++ {
		_, probeErr := t.page(ctx, "SELECT "+columns+" FROM secondgate_trail WHERE seq = 0")
		if probeErr == nil {
			return nil
		}
		// Of two processes that make a table in PostgreSQL at once, one gets an error, and finds
		// the table when it looks again.
		again := locked(createErr) || locked(probeErr)
		if err := errors.Join(createErr, probeErr); i > 0 && (!again || i > pauses) ||
			ctx.Err() != nil {
			return err
		}
		if i > 0 {
			pause(ctx, wait)
		}
		createErr = t.create(ctx, statements)
	}
}

// create makes all of the table or nothing, except in MySQL, which needs one statement.
func (t *Table) create(ctx context.Context, statements []string) error {
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("trail: %w", err)
	}
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("trail: make the table: %w", errors.Join(err, tx.Rollback()))
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("trail: make the table: %w", err)
	}
	return nil
}

// locked reports that SQLite refused a statement for another process. The text is SQLite's own.
func locked(err error) bool {
	return err != nil && strings.Contains(err.Error(), "database is locked")
}
