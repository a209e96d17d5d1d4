// Package sqlstore keeps records in a database that an application already runs, through
// database/sql: SQLite, PostgreSQL, MySQL and MariaDB. It imports no driver.
//
//	import _ "modernc.org/sqlite"
//
//	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN("/var/lib/app/mfa.db"))
//	cfg := sqlstore.Config{DB: db, Dialect: sqlstore.SQLite}
//	err = sqlstore.Migrate(ctx, cfg)     // creates the table if there is none
//	store, err := sqlstore.New(ctx, cfg) // refuses to start without a usable table
//	m, err := mfa.New(mfa.Config{Store: store, …})
//
// # The table
//
// There is one table, secondgate_records by default, with one row for each user: the
// key, the revision, the sealed data, and when it was written by the database's clock. It
// never changes, so there is one migration. [Migrate] applies it; a team with its own
// migration tool takes the statement from [Schema] or from the files in schema/.
//
// # Promises
//
// A write is one statement with its condition inside, run outside any transaction and checked
// by the number of rows it touched. So it is atomic at every isolation level, and a transaction
// of the application that is rolled back cannot take a failed attempt back. It works whether or
// not a MySQL connection was opened with clientFoundRows. It is never retried; database/sql
// itself sends it again only if the driver says that it never left (driver.ErrBadConn).
//
// A batch of swaps is one UPDATE for up to 512 rows, each with its condition beside it, and one
// INSERT for those that are new. Each returns the keys of the rows that it changed. PostgreSQL and
// SQLite have such statements, MySQL and MariaDB have not. [Store.SwapBatch] counts a swap as made
// when the driver has reported the end of the rows, which is after the commit.
//
// A write is as durable as the database makes a commit. SQLite's default and [SQLiteDSN] are
// synchronous=FULL; with NORMAL, the last commits before a power cut may be gone: a used
// recovery code is valid again, a failed attempt is uncounted. Likewise synchronous_commit=off and
// innodb_flush_log_at_trx_commit other than 1.
//
// A PostgreSQL with a synchronous standby confirms a commit when the standby has it. It stops
// waiting, and reports success, when it is asked to cancel the statement, as some drivers do when a
// context ends. So a write whose context is done is an error here, whatever the database reported.
// An administrator who ends a session that waits calls pg_terminate_backend, and not
// pg_cancel_backend, which makes it report success.
//
// The DB must lead to the primary. A replica that lags would show a code as unused; [New]
// refuses a connection that cannot write, but cannot see what a proxy does with reads. A report
// reads a replica by a [Reader], which is no Store.
//
// # What it is proven on
//
// The tests of the repository run SQLite through modernc.org/sqlite, PostgreSQL 15 through
// pgx/v5/stdlib, and MariaDB 10.11 through go-sql-driver/mysql: under several isolation levels
// and SQL modes, killed, frozen, full, cut off, locked, read-only, without the table or the
// privilege. In each of these a call fails by its context's deadline with an error that is
// neither storage.ErrNotFound nor storage.ErrConflict, and the same Store works afterwards. The
// conformance kit passes on SQLite through github.com/ncruces/go-sqlite3/driver as well.
//
// A write that the database rolls back for another's sake is storage.ErrConflict, and the Manager
// decides again: a deadlock, a lock time-out, a lost race of REPEATABLE READ and above, and what a
// Galera cluster says after its certification. Two nodes of Galera are run as well. Set
// wsrep_sync_wait=1 there, or a node may reply with what was true a moment ago.
//
// MySQL itself, and CockroachDB and YugabyteDB, which speak PostgreSQL's SQL, were not run.
// Their documentation has all that the statements use; run storage/storagetest on yours. A server
// that refuses writes as those two do, with SQLSTATE 40001, stands for them in a test.
//
// # Poolers
//
// PgBouncer in transaction mode gives each statement another connection to PostgreSQL, while pgx
// by default prepares statements on the one before. [New] finds this and says what to set:
// default_query_exec_mode=exec in pgx's data source name, or max_prepared_statements in PgBouncer
// 1.21 and later. The conformance kit runs through PgBouncer 1.18 with the former.
//
// A deadline that passes while a row is locked leaves the result open: the driver cancels the write
// in PostgreSQL, while MariaDB carries it out later if it still can. Its condition holds then too,
// so one of the cancelled writes may happen, and not a second. A lock_timeout, or an
// innodb_lock_wait_timeout, that is shorter than the callers' deadlines avoids this.
//
// # SQLite
//
// A Store writes one record at a time, in the order of the calls, because SQLite has one writer
// and makes the others sleep. So share one Store in a process: two of them, or the application's
// own writes to the same file, wait for each other in SQLite's busy time-out instead, as
// processes do.
//
// Several processes may share the file, each with its own DB and through its own driver; not over
// a network file system, whose locks cannot be relied on. One process opens it through one driver:
// the locks of two in one process disturb each other. SQLite makes new files readable by the group
// and others as the umask allows: to keep them private, create an empty file with mode 0600 first,
// and the files beside it (-wal, -shm) inherit its mode.
package sqlstore
