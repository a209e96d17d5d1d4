package trail_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/trail"
)

// Every table keeps what a client or an administrator wrote, byte for byte, also where the
// connections of MySQL have another character set or other rules for quotes. Its subject is
// compared byte for byte: MySQL ignores spaces at the end of a text.
func TestTable_KeepsEveryCharacter(t *testing.T) {
	const text = "{\"a\", <b>} \\ \\u0041 \\x00 'é' `é` \u00a0\u2028😀 'ſ \x00\x1a\r\n%_ "
	list := places(t)[1:]
	for _, p := range list {
		t.Run(p.engine, func(t *testing.T) { keepsText(t, p, p, text) })
	}
	mariaDB := list[len(list)-1]
	for _, option := range []string{"charset=latin1", "charset=utf8", "charset=ascii",
		"interpolateParams=true", "sql_mode=%27ANSI%2CNO_BACKSLASH_ESCAPES%27",
		"interpolateParams=true&charset=utf8&sql_mode=%27NO_BACKSLASH_ESCAPES%27",
		"sql_mode=%27%27&charset=utf8"} {
		t.Run(option, func(t *testing.T) {
			other := mariaDB
			other.address += "&" + option
			keepsText(t, other, mariaDB, text)
		})
	}
}

// keepsText writes entries by one address, and reads them by another.
func keepsText(t *testing.T, writes, reads place, text string) {
	t.Helper()
	log, db := writes.open(t)
	ann := mfa.User{ID: "ann" + text, Tenant: text}
	w, err := trail.New(trail.Config{Log: log, Key: secret.Bytes(key), Origin: origin,
		Client: func(context.Context) trail.Client { return trail.Client{Agent: text} }})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	for range 3 {
		w.Events(nil)(ctx, mfa.Event{Name: "verify.success", UserID: ann.ID, Tenant: ann.Tenant,
			Note: text, Actor: strings.ToUpper(text), Time: time.Now()})
	}
	cancel()
	require.NoError(t, w.Run(ctx))

	read, _ := reads.open(t)
	w, err = trail.New(trail.Config{Log: read, Key: secret.Bytes(key), Origin: origin})
	require.NoError(t, err)
	_, err = verify(t, read)
	require.NoError(t, err)
	events, err := w.Newest(t.Context(), ann, 3)
	require.NoError(t, err)
	require.Len(t, events, 3)
	for _, e := range events {
		require.Equal(t, text, e.Note)
		require.Equal(t, strings.ToUpper(text), e.Actor)
	}
	last, err := read.Last(t.Context())
	require.NoError(t, err)
	for _, other := range []string{last.Subject + " ", strings.ToUpper(last.Subject),
		last.Subject + "\t"} {
		_, err = db.Exec("UPDATE secondgate_trail SET subject = '" + other + "' WHERE seq = " +
			"(SELECT * FROM (SELECT MAX(seq) FROM secondgate_trail) AS last)")
		require.NoError(t, err)
		n := 0
		for _, err := range read.About(t.Context(), last.Subject) {
			require.NoError(t, err)
			n++
		}
		require.Equal(t, 2, n, "%q is not %q", other, last.Subject)
	}
	_, err = db.Exec("DELETE FROM secondgate_trail")
	require.NoError(t, err)
}

// A batch goes behind the last entry, whole, or nowhere.
func TestTable_AppendsBehindTheLastEntry(t *testing.T) {
	for _, p := range places(t)[1:] {
		t.Run(p.engine, func(t *testing.T) {
			log, _ := p.open(t)
			batch := func(seqs ...int64) (list []trail.Entry) {
				for _, seq := range seqs {
					list = append(list, trail.Entry{Seq: seq, Fact: []byte("{}")})
				}
				return list
			}
			for _, refused := range [][]trail.Entry{batch(2), batch(2, 3), batch(0)} {
				require.ErrorIs(t, log.Append(t.Context(), refused), trail.ErrConflict)
			}
			require.NoError(t, log.Append(t.Context(), batch(1, 2)))
			for _, refused := range [][]trail.Entry{batch(1), batch(2, 3), batch(4), batch(-1)} {
				require.ErrorIs(t, log.Append(t.Context(), refused), trail.ErrConflict)
			}
			require.Error(t, log.Append(t.Context(), batch(3, 4, 4)))
			last, err := log.Last(t.Context())
			require.NoError(t, err)
			require.EqualValues(t, 2, last.Seq)
			require.NoError(t, log.Append(t.Context(), batch(3)))
		})
	}
}

// Several processes make a table at once, in each engine, and each finds it made.
func TestMigrate_InSeveralProcessesAtOnce(t *testing.T) {
	for _, p := range []place{
		{"sqlite", "file:" + t.TempDir() + "/trail.db?_pragma=journal_mode(wal)&_txlock=immediate"},
		{"postgresql", servers.PostgreSQL(t).PostgreSQLDSN()},
		{"mariadb", servers.MariaDBDSN(servers.MariaDB(t).Addr, "secondgate")},
	} {
		t.Run(p.engine, func(t *testing.T) {
			const processes = 8
			done := make(chan error, processes)
			for range processes {
				log, _ := p.open(t)
				go func() { done <- log.(*trail.Table).Migrate(t.Context()) }()
			}
			for range processes {
				require.NoError(t, <-done)
			}
			log, _ := p.open(t)
			flushed(t, log)
			_, err := verify(t, log)
			require.NoError(t, err)
		})
	}
}
