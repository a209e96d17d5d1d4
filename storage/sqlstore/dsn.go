package sqlstore

import (
	"errors"
	"net"
	"net/url"
	"path/filepath"
	"strings"
)

// SQLiteDSN returns the data source name of the SQLite file at path in the form that
// modernc.org/sqlite and github.com/ncruces/go-sqlite3/driver read:
//
//	file:PATH?_txlock=immediate&_pragma=busy_timeout(5000)
//		&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)
//
// Connections wait up to five seconds for each other's writes. Readers and the writer do not block
// one another. A commit is on the disk when it returns. Transactions of the application that write
// do not fail half-way because they began as readers. The pragmas are part of the name because
// they must be set on every connection of the pool.
//
// The path is taken literally, whatever characters it has, and is always a file: ":memory:"
// is a file of that name. With an empty path, or one with a NUL byte, the first use of the
// database fails; it does not lead to another file.
func SQLiteDSN(path string) string {
	// SQLite ends a name at a NUL, and with an empty one keeps everything in a temporary
	// file; a directory cannot be opened as either.
	if path == "" || strings.ContainsRune(path, 0) {
		path = "."
	}
	absolute := filepath.IsAbs(path)
	path = filepath.ToSlash(filepath.Clean(path))
	if absolute {
		// Two slashes introduce a host, here the empty one: a path that begins with two of
		// its own would lose its first directory to it. C:/x becomes ///C:/x.
		path = "///" + strings.TrimLeft(path, "/")
	} else {
		path = "./" + path
	}
	// The order matters: switching to WAL may itself have to wait for a lock.
	// EscapedPath leaves the slashes and escapes what would end the path or be decoded.
	return "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
}

// errMySQLURL quotes nothing of the URL, which may have a password.
var errMySQLURL = errors.New("sqlstore: give the database as " +
	"mysql://user:password@host:3306/database, without options")

// MySQLDSN returns the data source name of a database of MySQL or MariaDB, in the form that
// github.com/go-sql-driver/mysql reads. from is a URL such as
//
//	mysql://user:password@host:3306/database
//
// The port defaults to 3306. What has a meaning in URLs is escaped in it, as "%40" for an at sign.
// Another URL is an error, which quotes none of it.
func MySQLDSN(from string) (string, error) {
	u, err := url.Parse(from)
	if err != nil || u.Scheme != "mysql" && u.Scheme != "mariadb" || u.RawQuery != "" {
		return "", errMySQLURL
	}
	name, host, port := strings.Trim(u.Path, "/"), u.Hostname(), u.Port()
	user := u.User.Username()
	if host == "" || name == "" || strings.ContainsAny(host, "@/()") ||
		strings.Contains(user, ":") {
		return "", errMySQLURL
	}
	if port == "" {
		port = "3306"
	}
	if password, ok := u.User.Password(); ok {
		user += ":" + password
	}
	return user + "@tcp(" + net.JoinHostPort(host, port) + ")/" + url.PathEscape(name), nil
}
