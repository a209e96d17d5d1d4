package sqlstore_test

import (
	"database/sql/driver"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

// refusals are the errors of writes to a replica, and to a database that was opened for reading.
var refusals = map[error]sqlstore.Dialect{
	sqlState("25006"): sqlstore.PostgreSQL,
	errors.New("Error 1290 (HY000): The server is running with --read-only"):  sqlstore.MySQL,
	errors.New("Error 1036 (HY000): Table 'secondgate_records' is read only"): sqlstore.MySQL,
	errors.New("Error 1792 (25006): Cannot execute in a READ ONLY one"):       sqlstore.MySQL,
	errors.New("Error 1836 (HY000): Running in read-only mode"):               sqlstore.MySQL,
	errors.New("attempt to write a readonly database (8)"):                    sqlstore.SQLite,
}

// A replica takes no writes. New says so by a typed error, and so does a write after a primary has
// become a replica. A Reader tries no write.
func TestNewReader_NeedsNoWrites(t *testing.T) {
	for refusal, replica := range refusals {
		for _, d := range dialects {
			f := &fake{query: mysqlIsSound, exec: func(string) (int64, error) { return 0, refusal }}
			cfg := sqlstore.Config{DB: f.db(t), Dialect: d}
			_, err := sqlstore.New(t.Context(), cfg)
			require.ErrorIs(t, err, refusal)
			require.Equal(t, d == replica, errors.Is(err, sqlstore.ErrReadOnly), "%s %v", d,
				refusal)

			f.forget()
			reader, err := sqlstore.NewReader(t.Context(), cfg)
			require.NoError(t, err)
			for _, q := range f.asked {
				require.True(t, strings.HasPrefix(q.query, "SELECT "), q.query)
			}
			_, err = reader.Get(t.Context(), "k")
			require.ErrorIs(t, err, storage.ErrNotFound)
			f.query = func(string) ([][]driver.Value, error) {
				return [][]driver.Value{{[]byte("k"), []byte("r1"), []byte("x")}}, nil
			}
			page, next, err := reader.List(t.Context(), "", "", 5)
			require.NoError(t, err)
			require.Empty(t, next)
			require.Equal(t, []storage.Entry{{Key: "k",
				Record: storage.Record{Revision: "r1", Data: []byte("x")}}}, page)

			f, store := newFake(t, d, "")
			f.exec = func(string) (int64, error) { return 0, refusal }
			f.query = func(string) ([][]driver.Value, error) { return nil, refusal } // of a batch
			for name, write := range writes {
				err := write(t.Context(), store)
				require.ErrorIs(t, err, refusal)
				require.Equal(t, d == replica, errors.Is(err, sqlstore.ErrReadOnly), name)
			}
			if d != sqlstore.MySQL {
				_, err = store.SwapBatch(t.Context(), []storage.Entry{{Key: "k"}},
					[]storage.Record{{Revision: "r1", Data: []byte("x")}})
				require.Equal(t, d == replica, errors.Is(err, sqlstore.ErrReadOnly))
			}
		}
	}
}

// A Reader of another table, or of none, is refused as a Store is.
func TestNewReader_RefusesWhatItCannotRead(t *testing.T) {
	_, err := sqlstore.NewReader(t.Context(), sqlstore.Config{Dialect: sqlstore.SQLite})
	require.ErrorContains(t, err, "Config.DB")
	f := &fake{query: func(string) ([][]driver.Value, error) { return nil, errDriver }}
	_, err = sqlstore.NewReader(t.Context(), sqlstore.Config{DB: f.db(t), Dialect: sqlstore.SQLite})
	require.ErrorIs(t, err, errDriver)
	require.ErrorContains(t, err, "the table cannot be used")
}
