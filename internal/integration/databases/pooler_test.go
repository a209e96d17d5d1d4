package databases_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
	"github.com/secondgate/secondgate/storage/storagetest"
)

// Operators put a pooler before PostgreSQL and change the address alone. With a driver that
// prepares statements everything seemed to work at start-up, and most sign-ins failed later.
func TestNew_RefusesPreparedStatementsBehindAPooler(t *testing.T) {
	e := engines[0]
	server := servers.PostgreSQL(t)
	e.store(t, server.PostgreSQLDSN(), "") // makes the table
	for name, settings := range map[string][]string{
		"as installed":                 nil,
		"round robin":                  {"server_round_robin = 1"},
		"one connection to the server": {"default_pool_size = 1"},
	} {
		t.Run(name, func(t *testing.T) {
			pooler := servers.PgBouncer(t, server, settings...)
			_, err := sqlstore.New(t.Context(), sqlstore.Config{
				DB: e.open(t, pooler.PostgreSQLDSN()), Dialect: e.dialect})
			require.ErrorContains(t, err, "PgBouncer in transaction mode")
			require.ErrorContains(t, err, "default_query_exec_mode=exec")
		})
	}
}

// With the setting that the error names, a store behind a pooler keeps the contract.
func TestStore_ConformsBehindAPooler(t *testing.T) {
	e := engines[0]
	pooler := servers.PgBouncer(t, servers.PostgreSQL(t), "default_pool_size = 4")
	dsn := with(pooler.PostgreSQLDSN(), "default_query_exec_mode=exec")
	storagetest.Run(t, servers.InTurn(func() storage.Store { return e.store(t, dsn, "") }))
}

// A pool of one connection, or one that the application uses up, does not keep New waiting.
func TestNew_WaitsForNoConnectionBeyondThePool(t *testing.T) {
	e := engines[0]
	dsn := servers.PostgreSQL(t).PostgreSQLDSN()
	e.store(t, dsn, "")
	db := e.open(t, dsn)
	cfg := sqlstore.Config{DB: db, Dialect: e.dialect}
	db.SetMaxOpenConns(1)
	_, err := sqlstore.New(t.Context(), cfg)
	require.NoError(t, err)

	db.SetMaxOpenConns(2)
	held, err := db.Conn(context.Background())
	require.NoError(t, err)
	defer func() { require.NoError(t, held.Close()) }()
	_, err = sqlstore.New(t.Context(), cfg)
	require.NoError(t, err)
}
