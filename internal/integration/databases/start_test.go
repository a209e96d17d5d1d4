package databases_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/storage/sqlstore"
)

// An application does not start on a database that cannot serve, and the error says why; once it
// can, the same pool will do.
func TestNew_FailsInAnOutage(t *testing.T) {
	says := map[string]map[sqlstore.Dialect]string{
		"down":               sqls("failed to connect", ""),
		"incorrect password": sqls("28P01", "1045"),
		"missing table":      sqls("42P01", "1146"),
		"read-only":          sqls("25006", "1290"),
		"no privilege":       sqls("42501", "denied"),
	}
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			s := newSite(t, e)
			cfg := sqlstore.Config{DB: e.open(t, s.app(password)), Dialect: e.dialect}
			require.NoError(t, sqlstore.Migrate(t.Context(), cfg))
			for _, o := range outages {
				if o.late || o.patience > 0 {
					continue // a lock on rows is nothing to New, which touches none
				}
				t.Run(o.name, func(t *testing.T) {
					end := o.start(t, s)
					patience := briefly
					if says[o.name] != nil {
						patience = 10 * time.Second // the database says it by itself
					}
					got, problem := failsInTime(patience, "New", func(ctx context.Context) error {
						_, err := sqlstore.New(ctx, cfg)
						return err
					})
					require.NoError(t, problem)
					require.NoError(t, failure(got))
					require.ErrorContains(t, got, says[o.name][e.dialect])
					if o.name == "missing table" {
						require.ErrorContains(t, got, "sqlstore.Migrate")
					} else {
						_, problem = failsInTime(patience, "Migrate",
							func(ctx context.Context) error {
								return sqlstore.Migrate(ctx, cfg)
							})
						require.NoError(t, problem)
					}
					end()
					require.Eventually(t, func() bool {
						_, err := sqlstore.New(t.Context(), cfg)
						return err == nil
					}, 2*time.Minute, 20*time.Millisecond)
				})
			}
		})
	}
}
