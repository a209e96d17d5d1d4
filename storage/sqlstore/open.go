package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/secondgate/secondgate/storage"
)

// Config says where the records are.
type Config struct {
	// DB leads to the primary database. Required. It stays the application's: it is never
	// closed here, and its pool settings are left alone.
	DB *sql.DB

	// Dialect is the database's. Required.
	Dialect Dialect

	// Table is the table's name, ASCII letters, digits and underscores, at most 63 and not
	// starting with a digit; a schema may precede it, with a dot between. It is quoted as it
	// is written, so PostgreSQL does not fold its case. Defaults to [DefaultTable].
	Table string
}

// New returns a Store over an existing table. It reads and writes no user's record, but tries each
// kind of statement on a key that cannot exist. So an unreachable database, a missing table (see
// [Migrate]), a missing privilege, and a read-only file or replica ([ErrReadOnly]) are errors here,
// and not in the middle of a sign-in. So is a table whose columns would not compare keys byte for
// byte.
func New(ctx context.Context, cfg Config) (*Store, error) {
	s, err := open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := s.probe(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Migrate creates the table unless it is there. It is idempotent, safe in several processes
// at once, and does nothing that needs a privilege when there is nothing to do. A table of
// that name that cannot serve is an error and is left as it is.
//
// It is separate from [New] so that an application decides when its database changes; one
// that starts only after its deployment has migrated never calls it.
func Migrate(ctx context.Context, cfg Config) error {
	s, err := open(ctx, cfg)
	if err != nil {
		return err
	}
	if s.probe(ctx) == nil {
		return nil
	}
	schema, err := Schema(cfg.Dialect, cfg.Table)
	if err != nil {
		return err
	}
	_, createErr := s.db.ExecContext(ctx, schema)
	// PostgreSQL's IF NOT EXISTS is no protection against another process that creates the
	// table at this moment: one of the two gets an error, but has its table.
	probeErr := s.probe(ctx)
	if probeErr == nil {
		return nil
	}
	if createErr != nil {
		return s.failedWrite(ctx, "create the table", createErr)
	}
	return probeErr
}

// open checks the configuration and that the database replies.
func open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.DB == nil {
		return nil, errors.New("sqlstore: Config.DB is nil: set it to what sql.Open returned")
	}
	if err := cfg.Dialect.check(); err != nil {
		return nil, err
	}
	table, err := cfg.Dialect.quoteTable(cfg.Table)
	if err != nil {
		return nil, err
	}
	if err := connect(ctx, cfg); err != nil {
		return nil, failed(ctx, "the database cannot be opened", err)
	}
	statements := cfg.Dialect.statements(table)
	return &Store{db: cfg.DB, dialect: cfg.Dialect, table: table, sql: statements,
		batch: newBatchStatements(cfg.Dialect, table, statements.mark),
		turn:  newTurn(cfg.Dialect)}, nil
}

// connect makes a first connection. The processes that open a new SQLite file at the same
// moment all switch it to WAL, and SQLite refuses all but one with "locked" at once, without
// the busy time-out, for fear of a deadlock; a moment later there is nothing left to switch.
//
// Nor does a connection count that was in the pool before and is broken, since the database was
// restarted for example. database/sql replaces it under a query but not under a ping, and what
// a new one finds is what there is to say.
//
// This is start-up: no statement of a Store is ever tried twice.
func connect(ctx context.Context, cfg Config) error {
	const pause, pauses, pool = 10 * time.Millisecond, 500, 1000
	var locked error
	for i, broken := 0, 0; ; i++ {
		err := cfg.DB.PingContext(ctx)
		for ; errors.Is(err, driver.ErrBadConn) && ctx.Err() == nil && broken < pool; broken++ {
			err = cfg.DB.PingContext(ctx)
		}
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil && locked != nil:
			return fmt.Errorf("%w: %w", ctx.Err(), locked) // what it waited for
		case i == pauses || cfg.Dialect != SQLite ||
			!strings.Contains(err.Error(), "database is locked"):
			// The text is SQLite's own and the same through every driver.
			return err
		}
		locked = err
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// probe tries the table without touching a record. The key is longer than any may be, so no
// row has it; an empty one is not NULL to some drivers and NULL to others.
func (s *Store) probe(ctx context.Context) error {
	if err := s.probeReads(ctx); err != nil {
		return err
	}
	key, never := probeKey(), []byte("never")
	for _, try := range []struct {
		statement string
		args      []any
	}{
		{s.sql.tryInsert, []any{key}},
		{s.sql.update, []any{never, never, key, never}},
		{s.sql.delete, []any{key, never}},
	} {
		res, err := s.db.ExecContext(ctx, try.statement, try.args...)
		if err == nil {
			_, err = res.RowsAffected()
		}
		if err != nil {
			return fmt.Errorf("%w (it must be the table of sqlstore.Schema, in a primary "+
				"database, and this user must be allowed to write to it)",
				s.failedWrite(ctx, "the table cannot be written", err))
		}
	}
	if s.dialect == MySQL {
		return s.probeMySQL(ctx)
	}
	return nil
}

// probeKey is a key that no row has.
func probeKey() []byte { return []byte(strings.Repeat("x", storage.MaxKeyLen+1)) }

// probeReads is the part of probe that a replica permits.
func (s *Store) probeReads(ctx context.Context) error {
	key := probeKey()
	if err := s.probeColumns(ctx, key); err != nil {
		return fmt.Errorf("%w (create table %s with sqlstore.Migrate or the statement from "+
			"sqlstore.Schema)",
			failed(ctx, "the table cannot be used", err), s.table)
	}
	if s.dialect == PostgreSQL {
		return s.probePooler(ctx, key)
	}
	return nil
}

// probePooler reads by several connections in turns, to find a pooler behind which the driver's
// prepared statements get lost. On one connection at a time they seem to work: a pooler gives its
// client the same server connection again as long as nobody else wants it.
func (s *Store) probePooler(ctx context.Context, key []byte) (err error) {
	const most, rounds = 3, 3
	conns := make([]*sql.Conn, 0, most)
	defer func() {
		for _, c := range conns {
			err = errors.Join(err, c.Close())
		}
	}()
	for len(conns) < most {
		conn, err := s.another(ctx, len(conns) == 0)
		if err != nil {
			return failed(ctx, "connect", err)
		}
		if conn == nil {
			break
		}
		conns = append(conns, conn)
	}
	for i := range most * rounds {
		var revision, data []byte
		row := conns[i%len(conns)].QueryRowContext(ctx, s.sql.get, key)
		if err := row.Scan(&revision, &data); !errors.Is(err, sql.ErrNoRows) {
			return failed(ctx, "read by several connections", err)
		}
	}
	return nil
}

// another returns one more connection of the pool, or nil if the pool has none to spare: it may
// be limited, and the application may hold some of it.
func (s *Store) another(ctx context.Context, first bool) (*sql.Conn, error) {
	if first {
		return s.db.Conn(ctx)
	}
	briefly, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := s.db.Conn(briefly)
	if err != nil && briefly.Err() != nil && ctx.Err() == nil {
		return nil, nil
	}
	return conn, err
}

// probeMySQL looks for what MySQL lets pass without an error and would undo the conditions.
func (s *Store) probeMySQL(ctx context.Context) error {
	var autocommit bool
	if err := s.db.QueryRowContext(ctx, "SELECT @@autocommit").Scan(&autocommit); err != nil {
		return failed(ctx, "read @@autocommit", err)
	}
	if !autocommit {
		return errors.New("sqlstore: connections have autocommit off, so that no write would " +
			"ever be committed: " +
			"take autocommit out of the data source name")
	}
	schema, table, qualified := strings.Cut(strings.ReplaceAll(s.table, "`", ""), ".")
	where := "table_schema = ? AND table_name = ?"
	args := []any{schema, table}
	if !qualified {
		where, args = "table_schema = DATABASE() AND table_name = ?", []any{schema}
	}
	var primary, key int
	err := s.db.QueryRowContext(ctx, "SELECT COUNT(*), COUNT(CASE WHEN column_name = 'key' THEN "+
		"1 END) "+
		"FROM information_schema.columns WHERE column_key = 'PRI' AND "+where,
		args...).Scan(&primary, &key)
	if err != nil {
		return failed(ctx, "read information_schema.columns", err)
	}
	if primary != 1 || key != 1 {
		return fmt.Errorf("sqlstore: the primary key of table %s is not the column key alone: "+
			"make the table with sqlstore.Migrate or the statement from sqlstore.Schema", s.table)
	}
	return nil
}

func (s *Store) probeColumns(ctx context.Context, key []byte) (err error) {
	rows, err := s.db.QueryContext(ctx, s.sql.tryColumns, key)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	for i, t := range types {
		if err := s.dialect.checkColumn(i, t.DatabaseTypeName()); err != nil {
			return err
		}
	}
	for rows.Next() {
	}
	return rows.Err()
}
