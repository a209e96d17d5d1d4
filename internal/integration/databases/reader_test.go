package databases_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

// A hot standby takes no writes. A Reader reads there what the primary has, and a Store is refused
// by a typed error.
func TestStandby_IsRead(t *testing.T) {
	r := newReplicated(t)
	record := storage.Record{Revision: "r1", Data: []byte("x")}
	require.NoError(t, r.store.Swap(t.Context(), "ann", "", record))
	r.receives(t)
	cfg := sqlstore.Config{DB: engines[0].open(t, r.standby.PostgreSQLDSN()),
		Dialect: sqlstore.PostgreSQL}
	_, err := sqlstore.New(t.Context(), cfg)
	require.ErrorIs(t, err, sqlstore.ErrReadOnly)
	require.ErrorIs(t, sqlstore.Migrate(t.Context(), cfg), sqlstore.ErrReadOnly)
	reader, err := sqlstore.NewReader(t.Context(), cfg)
	require.NoError(t, err)
	require.Eventually(t, func() bool { // it has the write, and applies it a moment later
		got, err := reader.Get(t.Context(), "ann")
		return err == nil && string(got.Data) == "x"
	}, 2*time.Minute, 20*time.Millisecond, "the standby does not apply it")
	page, _, err := reader.List(t.Context(), "", "", 5)
	require.NoError(t, err)
	require.Equal(t, []storage.Entry{{Key: "ann", Record: record}}, page)
}

// A server of MariaDB takes no writes while read_only is set, as on a replica. Neither does a
// connection whose transactions only read. An administrator of the server may write nevertheless,
// so the application connects as a user of its own.
func TestReadOnlyMariaDB_IsRead(t *testing.T) {
	e := engines[1]
	server := e.start(t)
	root := e.dsn(server.Addr)
	record := storage.Record{Revision: "r1", Data: []byte("x")}
	require.NoError(t, e.store(t, root, "").Swap(t.Context(), "ann", "", record))
	admin := e.open(t, root)
	for _, statement := range []string{"CREATE USER acme@'127.0.0.1' IDENTIFIED BY 'tulip'",
		"GRANT ALL ON secondgate.* TO acme@'127.0.0.1'"} {
		_, err := admin.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	dsn := strings.Replace(servers.MariaDBDSN(server.Addr, "secondgate"), "root@", "acme:tulip@", 1)
	store := e.store(t, dsn, "")
	require.NoError(t, store.Swap(t.Context(), "bob", "", record))

	refuses := func(dsn string) {
		t.Helper()
		cfg := sqlstore.Config{DB: e.open(t, dsn), Dialect: e.dialect}
		_, err := sqlstore.New(t.Context(), cfg)
		require.ErrorIs(t, err, sqlstore.ErrReadOnly)
		other := cfg
		other.Table = "other"
		require.ErrorIs(t, sqlstore.Migrate(t.Context(), other), sqlstore.ErrReadOnly)
		reader, err := sqlstore.NewReader(t.Context(), cfg)
		require.NoError(t, err)
		got, err := reader.Get(t.Context(), "ann")
		require.NoError(t, err)
		require.Equal(t, record, got)
		page, _, err := reader.List(t.Context(), "", "", 5)
		require.NoError(t, err)
		require.Len(t, page, 2)
	}
	refuses(with(dsn, "tx_read_only=1"))
	_, err := admin.ExecContext(t.Context(), "SET GLOBAL read_only = 1")
	require.NoError(t, err)
	refuses(dsn)
	next := storage.Record{Revision: "r2", Data: []byte("y")}
	require.ErrorIs(t, store.Swap(t.Context(), "ann", "r1", next), sqlstore.ErrReadOnly)
	require.ErrorIs(t, store.Delete(t.Context(), "ann", "r1"), sqlstore.ErrReadOnly)
	got, err := store.Get(t.Context(), "ann")
	require.NoError(t, err)
	require.Equal(t, record, got)
}
