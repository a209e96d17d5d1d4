package sqlstore_test

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

// swaps are n swaps of k0, k1 and so on from r1 to r2.
func swaps(n int) (old []storage.Entry, next []storage.Record) {
	for i := range n {
		old = append(old, storage.Entry{Key: fmt.Sprint("k", i),
			Record: storage.Record{Revision: "r1"}})
		next = append(next, storage.Record{Revision: "r2", Data: []byte("x")})
	}
	return old, next
}

// A statement has a power of two of rows, so that there are few. Rows that are too many are NULL.
func TestSwapBatch_WritesTheSQLOfEachDialect(t *testing.T) {
	for d, want := range map[sqlstore.Dialect]string{
		sqlstore.SQLite: `UPDATE "app"."mfa" SET revision = column3, data = column4, ` +
			`updated_at = CURRENT_TIMESTAMP FROM (VALUES (?, ?, ?, ?), (?, ?, ?, ?), ` +
			`(?, ?, ?, ?), (?, ?, ?, ?)) AS swaps WHERE key = column1 AND revision = column2 ` +
			`RETURNING key`,
		sqlstore.PostgreSQL: `UPDATE "app"."mfa" SET revision = column3, data = column4, ` +
			`updated_at = CURRENT_TIMESTAMP FROM (VALUES ($1::bytea, $2::bytea, $3::bytea, ` +
			`$4::bytea), ($5, $6, $7, $8), ($9, $10, $11, $12), ($13, $14, $15, $16)) ` +
			`AS swaps WHERE key = column1 AND revision = column2 RETURNING key`,
	} {
		f, store := newFake(t, d, "app.mfa")
		f.query = func(string) ([][]driver.Value, error) {
			return [][]driver.Value{{[]byte("k2")}, {[]byte("k0")}}, nil
		}
		old, next := swaps(3)
		swapped, err := store.SwapBatch(t.Context(), old, next)
		require.NoError(t, err)
		require.Equal(t, []bool{true, false, true}, swapped)
		q, n := f.last()
		require.Equal(t, want, q.query)
		require.Equal(t, 1, n)
		require.Len(t, q.args, 16)
		require.Equal(t, []driver.Value{[]byte("k1"), []byte("r1"), []byte("r2"), []byte("x"),
			[]byte("k2")}, q.args[4:9])
		require.Equal(t, make([]driver.Value, 4), q.args[12:])
	}
}

// What a batch creates is a statement of its own.
func TestSwapBatch_CreatesInOneStatement(t *testing.T) {
	for d, want := range map[sqlstore.Dialect]string{
		sqlstore.SQLite: `INSERT INTO "app"."mfa" (key, revision, data, updated_at) ` +
			`SELECT column1, column3, column4, CURRENT_TIMESTAMP FROM (VALUES (?, ?, ?, ?), ` +
			`(?, ?, ?, ?)) AS swaps WHERE column1 IS NOT NULL ` +
			`ON CONFLICT (key) DO NOTHING RETURNING key`,
		sqlstore.PostgreSQL: `INSERT INTO "app"."mfa" (key, revision, data, updated_at) ` +
			`SELECT column1, column3, column4, CURRENT_TIMESTAMP FROM (VALUES ($1::bytea, ` +
			`$2::bytea, $3::bytea, $4::bytea), ($5, $6, $7, $8)) AS swaps WHERE column1 IS NOT NULL ` +
			`ON CONFLICT (key) DO NOTHING RETURNING key`,
	} {
		f, store := newFake(t, d, "app.mfa")
		f.query = func(query string) ([][]driver.Value, error) {
			if strings.HasPrefix(query, "UPDATE") {
				return [][]driver.Value{{[]byte("k1")}}, nil
			}
			return [][]driver.Value{{[]byte("k2")}}, nil
		}
		old, next := swaps(3)
		old[0].Record.Revision, old[2].Record.Revision = "", ""
		swapped, err := store.SwapBatch(t.Context(), old, next)
		require.NoError(t, err)
		require.Equal(t, []bool{false, true, true}, swapped)
		q, _ := f.last()
		require.Equal(t, want, q.query)
		require.Equal(t, []driver.Value{[]byte("k0"), []byte{}, []byte("r2"), []byte("x"),
			[]byte("k2")}, q.args[:5])
	}
}

// A large batch takes several statements, each below the limits of the database.
func TestSwapBatch_DividesLargeBatches(t *testing.T) {
	f, store := newFake(t, sqlstore.PostgreSQL, "")
	for n, args := range map[int][]int{1: {4}, 512: {2048}, 513: {2048, 4},
		1000: {2048, 2048}} {
		f.forget()
		old, next := swaps(n)
		swapped, err := store.SwapBatch(t.Context(), old, next)
		require.NoError(t, err)
		require.Len(t, swapped, n)
		var got []int
		for _, q := range f.asked {
			got = append(got, len(q.args))
		}
		require.Equal(t, args, got)
	}
}

// A statement that was rolled back for another writer's sake swapped nothing, even if rows of it
// had been reported. After any other error nobody knows.
func TestSwapBatch_ReportsWhatBecameOfIt(t *testing.T) {
	f, store := newFake(t, sqlstore.PostgreSQL, "")
	old, next := swaps(2)
	for _, atCommit := range []bool{false, true} {
		for _, c := range []struct {
			err     error
			gaveWay bool
		}{{sqlState("40001"), true}, {sqlState("40P01"), true}, {errDriver, false}} {
			f.forget()
			f.query = func(string) ([][]driver.Value, error) {
				if atCommit {
					return [][]driver.Value{{[]byte("k0")}, {c.err}}, nil
				}
				return nil, c.err
			}
			swapped, err := store.SwapBatch(t.Context(), old, next)
			if c.gaveWay {
				require.NoError(t, err)
				require.Equal(t, []bool{false, false}, swapped)
			} else {
				require.ErrorIs(t, err, c.err)
				require.Nil(t, swapped)
			}
			_, n := f.last()
			require.Equal(t, 1, n, "it was tried more than once")
		}
	}
	for _, rows := range [][][]driver.Value{
		{{[]byte("k0")}, {[]byte("k0")}}, {{[]byte("other")}},
	} {
		f.query = func(string) ([][]driver.Value, error) { return rows, nil }
		_, err := store.SwapBatch(t.Context(), old, next)
		require.ErrorContains(t, err, "primary key")
	}
}

func TestSwapBatch_IsUnsupportedOnMySQL(t *testing.T) {
	f, store := newFake(t, sqlstore.MySQL, "")
	old, next := swaps(2)
	_, err := store.SwapBatch(t.Context(), old, next)
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.Empty(t, f.asked)
}
