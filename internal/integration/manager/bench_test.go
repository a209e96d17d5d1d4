package manager_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

// BenchmarkVerify is the verification of an authenticator code. of-bare is its throughput
// as a share of that of the bare conditional update of a row of the same size through the
// same driver in the same run; DESIGN: at least 0.5 on SQLite.
func BenchmarkVerify(b *testing.B) {
	b.Run("memory", func(b *testing.B) {
		w := newWorld(b, inMemory(b))
		m := w.manager(w.open())
		w.enrollAll(m)
		measure(b, w, m)
	})
	b.Run("sqlite", func(b *testing.B) {
		w := newWorld(b, sqlite(b))
		m := w.manager(w.open())
		w.enrollAll(m)
		verifying := measure(b, w, m)
		bare := bareUpdate(b, 900, max(b.N, 50))
		b.ReportMetric(float64(bare)/float64(verifying), "of-bare")
	})
}

// measure returns the time of one Verify; what surrounds it is not counted.
func measure(b *testing.B, w *world, m *mfa.Manager) time.Duration {
	var spent time.Duration
	n := 0
	for b.Loop() {
		b.StopTimer()
		w.clock.Advance(time.Minute)
		ch, code := w.begin(m), w.shown()
		b.StartTimer()
		start := time.Now()
		_, err := verify(context.Background(), m, ch, "totp", code)
		spent += time.Since(start)
		n++
		if err != nil {
			b.Fatal(err)
		}
	}
	return spent / time.Duration(n)
}

func bareUpdate(b *testing.B, size, n int) time.Duration {
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(filepath.Join(b.TempDir(), "bare.db")))
	require.NoError(b, err)
	defer func() { _ = db.Close() }()
	_, err = db.Exec("CREATE TABLE bare (key BLOB PRIMARY KEY, revision TEXT NOT NULL, data BLOB NOT NULL) WITHOUT ROWID")
	require.NoError(b, err)
	data := make([]byte, size)
	_, err = db.Exec("INSERT INTO bare VALUES (?, ?, ?)", []byte("k"), "0", data)
	require.NoError(b, err)
	start := time.Now()
	for i := range n {
		r, err := db.Exec("UPDATE bare SET revision = ?, data = ? WHERE key = ? AND revision = ?", fmt.Sprint(i+1), data, []byte("k"), fmt.Sprint(i))
		require.NoError(b, err)
		rows, err := r.RowsAffected()
		require.NoError(b, err)
		require.EqualValues(b, 1, rows)
	}
	return time.Since(start) / time.Duration(n)
}
