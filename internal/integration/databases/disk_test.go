package databases_test

import (
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/storage/sqlstore"
)

// room is how large files may grow: what both servers need to run, and little more.
const room = 24 << 20

// diskOptions keep the servers' own files within room. MariaDB has a binary log, as a primary
// does: a row that changes in place needs no room in the table, but always some in the log.
var diskOptions = map[sqlstore.Dialect][]string{
	sqlstore.PostgreSQL: {"-c", "autovacuum=off"},
	sqlstore.MySQL: {"--innodb-log-file-size=8M", "--log-bin=log", "--binlog-format=ROW",
		"--sync-binlog=1"},
}

// fullDisk writes until nothing more can be written, not even over what is there.
var fullDisk = outage{name: "full disk", reads: true, deletes: true, patience: 10 * time.Second,
	begin: func(t *testing.T, s *site) func() {
		s.server.FileLimit(room)
		s.disconnect()
		db := s.open(t, s.app(password))
		n := 0
		fill := sqls("INSERT INTO secondgate_records (key, revision, data, updated_at) VALUES "+
			"($1, $2, $3, CURRENT_TIMESTAMP)",
			"INSERT INTO secondgate_records (`key`, revision, data, updated_at) VALUES (?, ?, "+
				"?, UTC_TIMESTAMP)")[s.dialect]
		write := func(statement string, size, rows int) error {
			tx, err := db.Begin()
			require.NoError(t, err)
			defer func() { _ = tx.Rollback() }()
			data := make([]byte, size)
			for range rows {
				_, _ = rand.Read(data)
				args := []any{data}
				if n++; statement == fill {
					args = []any{fmt.Appendf(nil, "filler/%08d", n), []byte("r"), data}
				}
				if _, err := tx.Exec(statement, args...); err != nil {
					return err
				}
			}
			return tx.Commit()
		}
		untilFull := func(statement string, size, rows int) {
			var err error
			for i := 0; err == nil; i++ {
				require.Less(t, i, 20000, "the disk does not fill up")
				err = write(statement, size, rows)
			}
			require.Regexp(t, "too large|is full|writing file", err)
		}
		const quarter = 1970 // of a page of PostgreSQL's, almost to the byte
		untilFull(fill, quarter, 200)
		if s.dialect == sqlstore.PostgreSQL {
			// What room is left in pages, that of the user among them, is found again. One
			// row at a time takes it: what is rolled back would be free at the next glance.
			s.run(t, "VACUUM secondgate_records")
			untilFull(fill, quarter, 1)
			untilFull(fill, 1, 1)
		} else {
			untilFull("UPDATE secondgate_records SET data = ? WHERE `key` = 'filler/00000001'",
				quarter, 1)
		}
		return func() { s.server.FileLimit(0); s.disconnect() }
	}}

func TestOutage_FullDisk(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			outageOfStore(t, fullDisk, newSite(t, e, diskOptions[e.dialect]...))
			outageOfManager(t, fullDisk, newSite(t, e, diskOptions[e.dialect]...))
		})
	}
}
