package trail_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
	"github.com/secondgate/secondgate/trail"
)

// BenchmarkEvents measures what a sign-in writes, one record in SQLite, with the two events of a
// sign-in in a trail beside it and without, in turns of one run.
func BenchmarkEvents(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(filepath.Join(b.TempDir(), "records.db")))
	require.NoError(b, err)
	defer func() { _ = db.Close() }()
	cfg := sqlstore.Config{DB: db, Dialect: sqlstore.SQLite}
	require.NoError(b, sqlstore.Migrate(ctx, cfg))
	store, err := sqlstore.New(ctx, cfg)
	require.NoError(b, err)
	file, err := trail.OpenFile(filepath.Join(b.TempDir(), "trail.jsonl"))
	require.NoError(b, err)
	w, err := trail.New(trail.Config{Log: file, Key: secret.Bytes(key), Origin: origin})
	require.NoError(b, err)
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	keep := w.Events(nil)

	data := []byte(strings.Repeat("x", 900))
	var old storage.Revision
	swap := func(n int) {
		next := storage.Record{Revision: storage.Revision(fmt.Sprint(n)), Data: data}
		require.NoError(b, store.Swap(ctx, "ann", old, next))
		old = next.Revision
	}
	var kept, plain time.Duration
	n := 0
	for b.Loop() {
		n += 2
		start := time.Now()
		swap(n)
		middle := time.Now()
		swap(n + 1)
		keep(ctx, mfa.Event{Name: "challenge.begun", UserID: "ann", Time: middle})
		keep(ctx, mfa.Event{Name: "verify.success", UserID: "ann", Kind: "totp", Time: middle})
		plain += middle.Sub(start)
		kept += time.Since(middle)
	}
	cancel()
	require.NoError(b, <-done)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(kept)/float64(plain), "kept/plain")
}
