package databases_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
