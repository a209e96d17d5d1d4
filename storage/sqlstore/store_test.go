package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/done/donetest"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

var dialects = []sqlstore.Dialect{sqlstore.SQLite, sqlstore.PostgreSQL, sqlstore.MySQL}

var errDriver = errors.New("the driver's own words")

// newFake opens a store on a fake; what it was asked by New is forgotten.
func newFake(t *testing.T, d sqlstore.Dialect, table string) (*fake, *sqlstore.Store) {
	t.Helper()
	f := &fake{query: mysqlIsSound}
	store, err := sqlstore.New(t.Context(), sqlstore.Config{DB: f.db(t), Dialect: d, Table: table})
	require.NoError(t, err)
	f.query = nil
	f.forget()
	return f, store
}

// mysqlIsSound replies to what New asks of MySQL about itself.
func mysqlIsSound(query string) ([][]driver.Value, error) {
	switch {
	case strings.Contains(query, "@@autocommit"):
		return [][]driver.Value{{int64(1)}}, nil
	case strings.Contains(query, "information_schema"):
		return [][]driver.Value{{int64(1), int64(1)}}, nil
	}
	return nil, nil
}

// writes are the three conditional statements, as a caller makes them.
var writes = map[string]func(context.Context, *sqlstore.Store) error{
	"insert": func(ctx context.Context, s *sqlstore.Store) error {
		return s.Swap(ctx, "k", "", storage.Record{Revision: "r1", Data: []byte("x")})
	},
	"update": func(ctx context.Context, s *sqlstore.Store) error {
		return s.Swap(ctx, "k", "r1", storage.Record{Revision: "r2", Data: []byte("x")})
	},
	"delete": func(ctx context.Context, s *sqlstore.Store) error {
		return s.Delete(ctx, "k", "r1")
	},
}

func TestStore_WritesTheSQLOfEachDialect(t *testing.T) {
	for d, want := range map[sqlstore.Dialect]map[string]string{
		sqlstore.SQLite: {
			"insert": `INSERT INTO "app"."mfa" (key, revision, data, updated_at) VALUES (?, ?, ?, CURRENT_TIMESTAMP) ON CONFLICT (key) DO NOTHING`,
			"update": `UPDATE "app"."mfa" SET revision = ?, data = ?, updated_at = CURRENT_TIMESTAMP WHERE key = ? AND revision = ?`,
			"delete": `DELETE FROM "app"."mfa" WHERE key = ? AND revision = ?`,
		},
		sqlstore.PostgreSQL: {
			"insert": `INSERT INTO "app"."mfa" (key, revision, data, updated_at) VALUES ($1, $2, $3, CURRENT_TIMESTAMP) ON CONFLICT (key) DO NOTHING`,
			"update": `UPDATE "app"."mfa" SET revision = $1, data = $2, updated_at = CURRENT_TIMESTAMP WHERE key = $3 AND revision = $4`,
			"delete": `DELETE FROM "app"."mfa" WHERE key = $1 AND revision = $2`,
		},
		sqlstore.MySQL: {
			"insert": "INSERT INTO `app`.`mfa` (`key`, revision, data, updated_at) VALUES (?, " +
				"?, ?, UTC_TIMESTAMP(6))" +
				" ON DUPLICATE KEY UPDATE updated_at = updated_at + INTERVAL 1 SECOND",
			"update": "UPDATE `app`.`mfa` SET revision = ?, data = ?, updated_at = " +
				"UTC_TIMESTAMP(6) WHERE `key` = ? AND revision = ?",
			"delete": "DELETE FROM `app`.`mfa` WHERE `key` = ? AND revision = ?",
		},
	} {
		f, store := newFake(t, d, "app.mfa")
		args := map[string][]driver.Value{
			"insert": {[]byte("k"), []byte("r1"), []byte("x")},
			"update": {[]byte("r2"), []byte("x"), []byte("k"), []byte("r1")},
			"delete": {[]byte("k"), []byte("r1")},
		}
		for name, write := range writes {
			require.ErrorIs(t, write(t.Context(), store), storage.ErrConflict)
			q, n := f.last()
			require.Equal(t, want[name], q.query)
			require.Equal(t, args[name], q.args, "%s %s: arguments are bytes, never text", d, name)
			require.Equal(t, 1, n)
		}
	}
}

func TestSwap_ReadsRowsAffected(t *testing.T) {
	const ok, conflict, failure = "ok", "conflict", "failure"
	for _, d := range dialects {
		for name, write := range writes {
			for rows, want := range map[int64]string{0: conflict, 1: ok, 2: failure, 3: failure,
				-1: failure} {
				if d == sqlstore.MySQL && name == "insert" && rows == 2 {
					want = conflict // how MySQL counts the row of a faster writer
				}
				f, store := newFake(t, d, "")
				f.exec = func(string) (int64, error) { return rows, nil }
				err := write(t.Context(), store)
				switch want {
				case ok:
					require.NoError(t, err)
				case conflict:
					require.ErrorIs(t, err, storage.ErrConflict, "%s %s, %d rows", d, name, rows)
				case failure:
					require.Error(t, err, "%s %s, %d rows", d, name, rows)
					require.NotErrorIs(t, err, storage.ErrConflict, "%s %s, %d rows", d, name, rows)
					require.True(t, strings.HasPrefix(err.Error(), "sqlstore: "), err.Error())
				}
			}
		}
	}
}

// A write whose outcome is unknown is reported, not tried again.
func TestStore_WrapsErrorsAndRetriesNothing(t *testing.T) {
	for _, d := range dialects {
		for name, write := range writes {
			f, store := newFake(t, d, "")
			f.exec = func(string) (int64, error) { return 1, errDriver }
			err := write(t.Context(), store)
			require.ErrorIs(t, err, errDriver)
			require.NotErrorIs(t, err, storage.ErrConflict)
			require.True(t, strings.HasPrefix(err.Error(), "sqlstore: "), err.Error())
			_, n := f.last()
			require.Equal(t, 1, n, "%s %s was tried more than once", d, name)
		}
	}
}

func TestGet_ErrorsAreNotNotFound(t *testing.T) {
	for name, values := range map[string][][]driver.Value{
		"before the row":  {{errDriver, nil}},
		"empty revision":  {{[]byte{}, []byte("x")}},
		"empty data":      {{[]byte("r"), []byte{}}},
		"null data":       {{[]byte("r"), nil}},
		"null everything": {{nil, nil}},
	} {
		t.Run(name, func(t *testing.T) {
			f, store := newFake(t, sqlstore.SQLite, "")
			f.query = func(string) ([][]driver.Value, error) { return values, nil }
			rec, err := store.Get(t.Context(), "k")
			require.Error(t, err)
			require.NotErrorIs(t, err, storage.ErrNotFound)
			require.True(t, strings.HasPrefix(err.Error(), "sqlstore: get: "), err.Error())
			require.Zero(t, rec)
		})
	}
	f, store := newFake(t, sqlstore.SQLite, "")
	f.query = func(string) ([][]driver.Value, error) { return nil, errDriver }
	_, err := store.Get(t.Context(), "k")
	require.ErrorIs(t, err, errDriver)
	require.NotErrorIs(t, err, storage.ErrNotFound)
}

// A page that breaks off is no page: it would look like the last one.
func TestList_IncompletePageIsAnError(t *testing.T) {
	f, store := newFake(t, sqlstore.SQLite, "")
	f.query = func(string) ([][]driver.Value, error) {
		return [][]driver.Value{{[]byte("a"), []byte("r"), []byte("x")}, {errDriver, nil, nil}}, nil
	}
	page, _, err := store.List(t.Context(), "", "", 10)
	require.ErrorIs(t, err, errDriver)
	require.Empty(t, page)
}

// Drivers report an interrupted statement in their own words.
func TestStore_FindsTheContextsError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f, store := newFake(t, sqlstore.SQLite, "")
	f.exec = func(string) (int64, error) {
		cancel()
		return 0, errDriver
	}
	err := writes["update"](ctx, store)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, errDriver)
	require.NotErrorIs(t, err, storage.ErrConflict)
}

// A driver that connects gives the deadline to a socket, which may notice it before the context.
func TestStore_DeadlineThatTheDriverNoticesIsTheContexts(t *testing.T) {
	f, store := newFake(t, sqlstore.SQLite, "")
	f.query = func(string) ([][]driver.Value, error) { return nil, os.ErrDeadlineExceeded }
	_, err := store.Get(donetest.Unnoticed(t.Context()), "k")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
}

// PostgreSQL reports success for a commit that was to wait for a standby and was cancelled. The
// store reports none to a caller whose context has ended.
func TestStore_SuccessAfterTheContextEndedIsAnError(t *testing.T) {
	batch := func(ctx context.Context, s *sqlstore.Store) error {
		old, next := swaps(1)
		swapped, err := s.SwapBatch(ctx, old, next)
		require.Nil(t, swapped)
		return err
	}
	for name, write := range writes {
		requireCancelled(t, name, write)
	}
	requireCancelled(t, "batch", batch)
}

func requireCancelled(
	t *testing.T, name string, write func(context.Context, *sqlstore.Store) error,
) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f, store := newFake(t, sqlstore.PostgreSQL, "")
	f.exec = func(string) (int64, error) {
		cancel()
		return 1, nil
	}
	f.atEnd = cancel
	f.query = func(string) ([][]driver.Value, error) {
		return [][]driver.Value{{[]byte("k0")}}, nil
	}
	err := write(ctx, store)
	require.ErrorIs(t, err, context.Canceled, name)
	require.NotErrorIs(t, err, storage.ErrConflict, name)
}

type sqlState string

func (e sqlState) Error() string    { return "ERROR (SQLSTATE " + string(e) + ")" }
func (e sqlState) SQLState() string { return string(e) }

// A statement that the database rolled back for another's sake is a conflict in the contract's
// sense. No other error is one, and another database's code may mean something else.
func TestStore_StatementThatWasRolledBackIsAConflict(t *testing.T) {
	for err, want := range map[error]sqlstore.Dialect{
		sqlState("40001"): sqlstore.PostgreSQL,
		sqlState("40P01"): sqlstore.PostgreSQL,
		sqlState("55P03"): sqlstore.PostgreSQL,
		sqlState("40003"): "", // whether it was carried out is not known
		sqlState("08006"): "",
		sqlState("57014"): "",
		sqlState(""):      "",

		errors.New("Error 1213 (40001): Deadlock found when trying to get lock"): sqlstore.MySQL,
		errors.New("ERROR 1205 (HY000): Lock wait timeout exceeded"):             sqlstore.MySQL,
		errors.New("Error 1205: Lock wait timeout exceeded"):                     sqlstore.MySQL,
		errors.New("Error 1047 (08S01): WSREP has not yet prepared node"):        "",
		errors.New("Error 12050 (HY000): another"):                               "",
		errors.New("Error 1062 (23000): Duplicate entry 'Error 1213'"):           "",
	} {
		for _, d := range dialects {
			f, store := newFake(t, d, "")
			f.exec = func(string) (int64, error) { return 0, err }
			for name, write := range writes {
				got := write(t.Context(), store)
				require.ErrorIs(t, got, err)
				require.Equal(t, d == want, errors.Is(got, storage.ErrConflict), "%s %s %v", d,
					name, err)
			}
		}
	}
}

// Behind a pooler the driver's prepared statements get lost; the error says what to set.
func TestStore_LostPreparedStatementSaysWhatToSet(t *testing.T) {
	for _, state := range []sqlState{"26000", "42P05"} {
		f, store := newFake(t, sqlstore.PostgreSQL, "")
		f.query = func(string) ([][]driver.Value, error) { return nil, state }
		f.exec = func(string) (int64, error) { return 0, state }
		_, err := store.Get(t.Context(), "k")
		require.ErrorContains(t, err, "PgBouncer")
		_, _, err = store.List(t.Context(), "", "", 1)
		require.ErrorContains(t, err, "default_query_exec_mode=exec")
		for name, write := range writes {
			require.ErrorContains(t, write(t.Context(), store), "max_prepared_statements", name)
		}
	}
}

// A store that sent SQLite a second write while one runs would have it sleep in the busy handler.
func TestStore_WritesOneAtATimeToSQLite(t *testing.T) {
	for _, d := range dialects {
		synctest.Test(t, func(t *testing.T) {
			f, store := newFake(t, d, "")
			var running atomic.Int32
			release := make(chan struct{})
			f.exec = func(string) (int64, error) {
				defer running.Add(-1)
				if running.Add(1) > 1 && d == sqlstore.SQLite {
					return 0, errors.New("two writes at once")
				}
				<-release
				return 1, nil
			}
			first := make(chan error, 1)
			go func() { first <- writes["update"](t.Context(), store) }()
			synctest.Wait()
			require.EqualValues(t, 1, running.Load())

			if d == sqlstore.SQLite {
				for name, write := range writes {
					short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
					err := write(short, store)
					cancel()
					require.ErrorIs(t, err, context.DeadlineExceeded, name)
					require.NotErrorIs(t, err, storage.ErrConflict, name)
				}
				_, err := store.Get(t.Context(), "k")
				require.ErrorIs(t, err, storage.ErrNotFound, "reads do not wait")
			}
			var rest sync.WaitGroup
			for _, write := range writes {
				rest.Go(func() { assert.NoError(t, write(t.Context(), store)) })
			}
			if d != sqlstore.SQLite {
				synctest.Wait()
				require.EqualValues(t, 4, running.Load(), "the writes of %s wait for each other", d)
			}
			close(release)
			rest.Wait()
			require.NoError(t, <-first)
		})
	}
}

func TestStore_RefusesInvalidArguments(t *testing.T) {
	f, store := newFake(t, sqlstore.SQLite, "")
	long := strings.Repeat("k", storage.MaxKeyLen+1)
	_, err := store.Get(t.Context(), long)
	require.ErrorIs(t, err, storage.ErrInvalid)
	require.ErrorIs(t, store.Swap(t.Context(), "k", "r", storage.Record{Revision: "r2",
		Data: make([]byte, 1<<20)}), storage.ErrInvalid)
	require.ErrorIs(t, store.Delete(t.Context(), "k", ""), storage.ErrInvalid)
	for _, limit := range []int{0, -1} {
		_, _, err = store.List(t.Context(), "", "", limit)
		require.ErrorIs(t, err, storage.ErrInvalid)
	}
	require.Empty(t, f.asked)
}

// FuzzListBounds compares the bounds of a page with what a prefix and after mean.
func FuzzListBounds(f *testing.F) {
	for _, s := range []string{"", "a", "\xff", "a\xff\xff", "\xfe", "\x00", "é", "%", "a\xfe"} {
		f.Add(s, "", "a")
		f.Add(s, s, s+"x")
		f.Add("a", s, s)
	}
	f.Fuzz(func(t *testing.T, prefix, after, key string) {
		fake, store := newFake(t, sqlstore.SQLite, "")
		_, _, err := store.List(t.Context(), prefix, storage.Cursor(after), 3)
		require.NoError(t, err)
		q, _ := fake.last()
		inside, rest := true, q.query
		for _, arg := range q.args[:len(q.args)-1] {
			bound := arg.([]byte)
			require.NotEmpty(t, bound)
			_, rest, _ = strings.Cut(rest, " key ")
			switch c := bytes.Compare([]byte(key), bound); {
			case strings.HasPrefix(rest, ">="):
				inside = inside && c >= 0
			case strings.HasPrefix(rest, ">"):
				inside = inside && c > 0
			case strings.HasPrefix(rest, "<"):
				inside = inside && c < 0
			default:
				t.Fatalf("an argument without its bound in %q", q.query)
			}
		}
		if want := strings.HasPrefix(key, prefix) && key > after; key != "" && inside != want {
			t.Errorf("prefix %q, after %q: key %q inside is %v, want %v; %s %q", prefix, after, key,
				inside, want, q.query, q.args)
		}
	})
}
