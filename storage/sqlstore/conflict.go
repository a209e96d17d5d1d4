package sqlstore

import (
	"errors"
	"regexp"
)

// Conflict reports that the database rolled one statement back because another transaction was
// faster or held the row: nothing was changed, and the caller is to read and decide again. Most
// applications do not need this: a Store returns storage.ErrConflict then.
//
// PostgreSQL at REPEATABLE READ and above, CockroachDB and YugabyteDB reply so to a write that
// lost a race, and so does a Galera cluster whose nodes certify a transaction after its commit.
func (d Dialect) Conflict(err error) bool {
	switch d {
	case PostgreSQL:
		switch sqlState(err) {
		case "40001", // serialization_failure
			"40P01", // deadlock_detected
			"55P03": // lock_not_available: lock_timeout passed
			return true
		}
	case MySQL:
		switch mysqlNumber(err) {
		case "1213", // ER_LOCK_DEADLOCK, also Galera's certification
			"1205": // ER_LOCK_WAIT_TIMEOUT, which rolls back the statement
			return true
		}
	}
	return false
}

// sqlState returns the SQLSTATE of an error of PostgreSQL. The common drivers have the method.
func sqlState(err error) string {
	if e, ok := errors.AsType[interface {
		error
		SQLState() string
	}](err); ok {
		return e.SQLState()
	}
	return ""
}

var mysqlError = regexp.MustCompile(`^(?i:error) (\d{4})\b`)

// mysqlNumber returns the number of an error of MySQL, with which the drivers begin its text:
// "Error 1213 (40001): Deadlock found …". Its type differs from driver to driver.
func mysqlNumber(err error) string {
	if m := mysqlError.FindStringSubmatch(err.Error()); m != nil {
		return m[1]
	}
	return ""
}

// lostStatement reports that the server connection does not have the prepared statement that the
// driver believes to be there, or has one already.
func lostStatement(err error) bool {
	state := sqlState(err)
	return state == "26000" || // invalid_sql_statement_name
		state == "42P05" // duplicate_prepared_statement
}

const poolerHint = "a pooler such as PgBouncer in transaction mode gives each statement another " +
	"server connection, and the driver prepares statements on the one before: let the driver " +
	"prepare none (pgx: default_query_exec_mode=exec in the data source name), or have the " +
	"pooler keep them (PgBouncer 1.21 and later: max_prepared_statements)"
